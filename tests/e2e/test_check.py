"""`ubiq check`, and the environments of a project."""

import json
import os
import subprocess
import unittest

from harness import UBIQ, Project


class Check(Project):
    def check(self, *arguments, status=0, env={}):
        done = subprocess.run([UBIQ, "check", self.directory, *arguments], capture_output=True, text=True,
                              timeout=60, env={**os.environ, **env})
        self.assertEqual(done.returncode, status, done.stderr)
        return done

    def problems(self, *arguments):
        """What is wrong, without the project's directory."""
        done = self.check(*arguments, status=1)
        self.assertEqual(done.stdout, "")
        return done.stderr.replace(f"{self.directory}/", "").splitlines()

    def test_nothing_wrong(self):
        self.add("echo", "index")
        self.add("methods", "users/[id]")
        self.add("gate", "job")
        self.path("middleware").mkdir()
        os.rename(self.path("functions", "job.wasm"), self.path("middleware", "audit.wasm"))
        self.path("public").mkdir()
        self.path("public", "logo.svg").write_text("<svg/>")
        self.config("""
            [project]
            name = "shop"
            version = "1.2.0"
            [limits]
            memory = "1MiB"
            [functions."users/[id]"]
            permissions = ["kv:read:*", "kv:write:a:*"]
            methods = ["GET", "DELETE"]
            middleware = []
            instances = "reuse"
            limits = { cpu_time = "1500ms", request = "100B" }
            [triggers]
            "order.*" = "index"
            "*/5 * * * *" = "index"
            [middleware]
            use = ["request_id", "middleware/audit"]
        """)
        text = self.check().stdout
        for line in ["shop 1.2.0 in production", "/users/:id", "functions/users/[id].wasm",
                     "methods      GET, HEAD, DELETE, OPTIONS", "middleware   request_id, middleware/audit",
                     "permissions  kv:read:*, kv:write:a:*",
                     "cpu 1500ms, wall 30s, memory 1MiB, request 100B, response 10MiB, http 20 of 10MiB",
                     "instances    reuse", "order.*      index", "*/5 * * * *  index", "3 functions, nothing wrong"]:
            self.assertIn(line, text)
        told = json.loads(self.check("--json").stdout)
        self.assertEqual((told["project"], told["version"], told["environment"]),
                         ("shop", "1.2.0", "production"))
        self.assertEqual((told["ok"], told["problems"], told["public"]), (True, [], 1))
        self.assertEqual(told["triggers"], [{"cron": "*/5 * * * *", "function": "index"},
                                            {"topic": "order.*", "function": "index"}])
        index, audit, users = told["functions"]
        self.assertEqual((index["name"], index["route"], index["methods"]), ("index", "/", None))
        self.assertEqual(index["middleware"], ["request_id", "middleware/audit"])
        self.assertEqual((audit["name"], audit["route"], audit["middleware"]),
                         ("middleware/audit", None, []))
        self.assertEqual((users["route"], users["methods"]), ("/users/:id", ["GET", "DELETE"]))
        self.assertEqual((users["permissions"], users["middleware"], users["instances"]),
                         (["kv:read:*", "kv:write:a:*"], [], "reuse"))
        self.assertEqual(users["limits"], {
            "cpu_ms": 1500, "wall_ms": 30000, "memory_bytes": 1 << 20, "request_bytes": 100,
            "response_bytes": 10 << 20, "http_response_bytes": 10 << 20, "http_requests": 20})

    def test_all_that_is_wrong_at_once(self):
        self.add("echo")
        self.add("echo", "other name")
        self.add("several")
        self.add("import")
        self.path("functions", "text.wasm").write_text("(module)")
        self.path("functions", "source.c").write_text("int x;")
        self.path("public").mkdir()
        self.path("public", "echo").write_text("hidden")
        self.config('[limits]\n'
                    'cpu_time = "5x"\n'
                    '[functions.echo]\n'
                    'permissions = ["kv:reed:*",\n'
                    '    "invoke:ecko", "invoke:echo", "invoke:new*", "invoke:"]\n'
                    'entry = "nothing"\n'
                    '[triggers]\n'
                    '"* * *" = "echo"\n'
                    '[middleware]\n'
                    'use = ["cros"]\n')
        lines = self.problems()
        expected = [
            r"functions/echo\.wasm: it has no function \"nothing\"",
            r"functions/import\.wasm: ",
            r"functions/other name\.wasm: the name of a function: \"other name\" is no part",
            r"functions/several\.wasm: it exports neither",
            r"functions/source\.c: it is not built yet: `ubiq build` does that",
            r"functions/text\.wasm: not a WebAssembly module",
            r"public/echo: its path /echo is the route of .*functions/echo\.wasm",
            r"ubiq\.toml:2: limits\.cpu_time: \"5x\" is not a duration, such as",
            r"ubiq\.toml:4: functions\.\"echo\"\.permissions: \"kv:reed:\*\": there is no such permission",
            r"ubiq\.toml:5: functions\.\"echo\"\.permissions: \"invoke:\": it does not say of what",
            r"ubiq\.toml:5: functions\.\"echo\"\.permissions: there is no function \"ecko\", did you mean echo\?",
            r"ubiq\.toml:8: triggers\.\"\* \* \*\": ",
            r"ubiq\.toml:10: middleware\.use: there is no middleware \"cros\", did you mean cors\?",
        ]
        self.assertEqual(len(lines), len(expected), lines)
        for line, pattern in zip(lines, expected):
            self.assertRegex(line, "^" + pattern)
        told = json.loads(self.check("--json", status=1).stdout)
        self.assertFalse(told["ok"])
        self.assertEqual(len(told["problems"]), len(expected))
        self.assertEqual(told["problems"][7]["line"], 2)
        self.assertIsNone(told["problems"][0]["line"])
        self.assertTrue(told["problems"][7]["file"].endswith("/ubiq.toml"))

    def test_settings_of_middleware(self):
        self.add("echo")
        self.config('[middleware]\nuse = ["jwt"]\n'
                    '[middleware.jwt]\nalgorithm = "RS256"\npublic_key = "nothing.pem"\n')
        [line] = self.problems()
        self.assertRegex(line, r"^ubiq\.toml: middleware: .*nothing\.pem")

    def test_what_is_no_project(self):
        done = self.run_command("check", self.directory + "/nothing")
        self.assertEqual(done.returncode, 1)
        self.assertIn("No such file or directory", done.stderr)
        told = json.loads(self.run_command("check", "--json", self.directory + "/nothing").stdout)
        self.assertEqual((told["ok"], len(told["problems"])), (False, 1))

    def test_the_command_line(self):
        for arguments in [[self.directory, "more"], [self.directory, "--nothing"],
                          [self.directory, "--env"]]:
            done = self.run_command("check", *arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(self.run_command("check", "--help").returncode, 0)

    def test_environments(self):
        self.add("setting")
        self.config('[functions.setting]\npermissions = ["config:read:WHERE"]\n'
                    '[env]\nWHERE = "${UBIQ_TEST_WHERE}"\n'
                    '[env.staging]\nWHERE = "staging"\n')
        self.assertEqual(self.problems(), [
            "ubiq.toml:4: env.WHERE: ${UBIQ_TEST_WHERE} is not set in the environment"])
        self.check(env={"UBIQ_TEST_WHERE": "x"})
        self.check("--env", "staging")
        self.path(".env").write_text("UBIQ_TEST_WHERE=file\n")
        self.check("--env", "development")
        self.assertEqual(len(self.problems()), 1)
        self.assertEqual(self.problems("--env", "stagging")[0],
                         "ubiq.toml: there is no [env.stagging], as there must be for an environment of "
                         "this name")
        self.path(".env").write_text("UBIQ_TEST_WHERE=file\nnonsense\n")
        self.assertEqual(self.problems("--env", "development"), [".env:2: not NAME=value"])
        self.path(".env").write_text("UBIQ_TEST_WHERE=file\n")
        for environment, where in [("development", b"file"), ("staging", b"staging")]:
            with self.serve("--env", environment) as server:
                self.assertEqual(server.request("/setting", b"WHERE").body, where)


if __name__ == "__main__":
    unittest.main()
