"""Which function answers what, and what its answer looks like."""

import json
import unittest

from harness import Project


class Routes(Project):
    def test_files_become_routes(self):
        for name in ["echo", "a/echo", "a/b/c/echo", "index", "docs/index", "v1.2_x-y"]:
            self.add("echo", name)
        with self.serve() as server:
            for route in ["/echo", "/a/echo", "/a/b/c/echo", "/", "/docs", "/docs/", "/v1.2_x-y",
                          "/echo?query=1&x", "/%65cho", "/a%2Decho".replace("%2D", "/")]:
                answer = server.request(route, b"hello")
                self.assertEqual((answer.status, answer.body), (200, b"hello"), route)
            for route in ["/nothing", "/echo/more", "/a", "/index", "/docs/index", "/ECHO", "//echo",
                          "/echo//", "/a%2fecho", "/%zz", "/./echo", "/docs/../echo", "/%00",
                          "/" + "x" * 3000]:
                answer = server.request(route, b"hello")
                self.assertEqual(answer.status, 404, route)
                self.assertEqual(answer.error()["code"], "not_found")

    def test_methods(self):
        self.add("echo")
        with self.serve() as server:
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "SOMETHING"]:
                answer = server.request("/echo", b"hello", method)
                self.assertEqual((answer.status, answer.body), (200, b"hello"), method)
            answer = server.request("/echo", b"hello", "HEAD")
            self.assertEqual((answer.status, answer.body), (200, b""))
            self.assertEqual(answer.headers["Content-Length"], "5")

    def test_methods_of_exports(self):
        self.add("methods")
        self.add("methods", "narrow")
        self.config('[functions.narrow]\nmethods = ["PUT"]\n')
        with self.serve() as server:
            for method in ["GET", "PUT", "DELETE"]:
                self.assertEqual(server.request("/methods", method=method).body, method[:1].encode())
            answer = server.request("/methods", method="HEAD")
            self.assertEqual((answer.status, answer.headers["Content-Length"]), (200, "1"))
            answer = server.request("/methods", b"x", "POST")
            self.assertEqual((answer.status, answer.error()["code"]), (405, "method_not_allowed"))
            self.assertEqual(answer.headers["Allow"], "GET, HEAD, PUT, DELETE, OPTIONS")
            answer = server.request("/methods", method="OPTIONS")
            self.assertEqual((answer.status, answer.body), (204, b""))
            self.assertEqual(answer.headers["Allow"], "GET, HEAD, PUT, DELETE, OPTIONS")
            self.assertEqual(server.request("/narrow", method="PUT").body, b"P")
            answer = server.request("/narrow")
            self.assertEqual((answer.status, answer.headers["Allow"]), (405, "PUT, OPTIONS"))
        self.config('[functions.narrow]\nmethods = ["PUT",\n"PATCH"]\n')
        self.assertRegex(self.refused(), r"ubiq\.toml:3: functions\.\"narrow\"\.methods: \S+/narrow\.wasm "
                                         r"exports no function PATCH")

    def test_parameters(self):
        for name in ["users/[id]", "users/me", "users/[id]/posts/[post]", "files/[...path]", "index"]:
            self.add("platform", name)
        cases = [
            ("/users/7", "/users/:id", {"id": "7"}),
            ("/users/7/", "/users/:id", {"id": "7"}),
            ("/users/me", "/users/me", {}),
            ("/users/a%20b?x=y", "/users/:id", {"id": "a b"}),
            ("/users/%C3%A9%22", "/users/:id", {"id": '\u00e9"'}),
            ("/users/..", "/users/:id", {"id": ".."}),
            ("/users/me/posts/x", "/users/:id/posts/:post", {"id": "me", "post": "x"}),
            ("/files/a/%62/../c", "/files/*path", {"path": "a/b/../c"}),
            ("/", "/", {}),
        ]
        with self.serve() as server:
            for path, route, params in cases:
                told = json.loads(server.request(path, b"request").body.split(b"\t")[1])
                self.assertEqual((told["route"], told["params"]), (route, params), path)
            for path in ["/users", "/users//", "/users/a%2Fb", "/users/a%00", "/users/%ff", "/files/",
                         "/files/a//b", "/files/a%2f..", "/users/7/posts"]:
                self.assertEqual(server.request(path, b"request").status, 404, path)

    def test_routes_of_ubiq_toml(self):
        self.add("platform", "users/[id]")
        self.config('[functions."users/[id]"]\nroute = "/people/[name]/[...more]"\n')
        with self.serve() as server:
            told = json.loads(server.request("/people/a/b/c", b"request").body.split(b"\t")[1])
            self.assertEqual(told["params"], {"name": "a", "more": "b/c"})
            self.assertEqual(server.request("/users/a", b"request").status, 404)
        self.add("echo", "people/[id]")
        self.assertRegex(self.refused(), r"its route \S+ calls \"\w+\" what the route \S+ of \S+ calls")

    def test_types(self):
        cases = [
            (b"", None),
            (b"text", "text/plain; charset=utf-8"),
            ("é".encode(), "text/plain; charset=utf-8"),
            (b'{"a": 1}', "application/json"),
            (b"[1]", "application/json"),
            (b"\xff\x00", "application/octet-stream"),
            (b"{\xff}", "application/octet-stream"),
        ]
        self.add("echo")
        with self.serve() as server:
            for body, kind in cases:
                answer = server.request("/echo", body, "POST")
                self.assertEqual((answer.status, answer.body, answer.type), (200, body, kind))

    def test_bodies(self):
        self.add("echo")
        whole = bytes(range(256)) * 4096
        self.assertEqual(len(whole), 1 << 20)
        with self.serve() as server:
            for body in [b"\0", whole[:256], whole[:65535], whole[:65536], whole[:65537], whole]:
                self.assertEqual(server.request("/echo", body).body, body)
                chunks = iter([body[:1], body[1:]])
                answer = server.request("/echo", chunks, "POST")
                self.assertEqual((answer.status, answer.body), (200, body))

    def test_health(self):
        with self.serve() as server:
            answer = server.request("/healthz")
            self.assertEqual((answer.status, answer.body), (200, b"ok\n"))
            answer = server.request("/healthz", method="HEAD")
            self.assertEqual((answer.status, answer.body), (200, b""))
            answer = server.request("/healthz", b"x")
            self.assertEqual((answer.status, answer.headers["Allow"]), (405, "GET, HEAD"))

    def test_entries(self):
        self.add("only")
        self.add("several")
        self.add("several", "chosen")
        self.add("only", "wrong")
        self.config('[functions.chosen]\nentry = "second"\n[functions.wrong]\nentry = "handle"\n')
        with self.serve() as server:
            self.assertEqual(server.request("/only", b"x").body, b"x")
            self.assertEqual(server.request("/chosen", b"x").body, b"s")
            for name in ["several", "wrong"]:
                answer = server.request(f"/{name}", b"x")
                self.assertEqual((answer.status, answer.error()["code"]), (500, "function_broken"))
            server.said(r"ERROR several: it exports neither \"handle\" nor a single function")
            server.said(r"ERROR wrong: it has no function \"handle\"")

    def test_broken_modules_are_told_at_the_start(self):
        self.add("echo")
        self.add("import")
        self.path("functions", "text.wasm").write_text("(module)")
        self.path("functions", "cut.wasm").write_bytes(b"\0asm\1\0\0\0\1")
        self.path("functions", "empty.wasm").write_bytes(b"")
        self.path("functions", "manifest.wasm").write_text('{"wasm": [{"path": "echo.wasm"}]}')
        with self.serve() as server:
            for name in ["import", "text", "cut", "empty", "manifest"]:
                server.said(f"ERROR {name}: ")
                self.assertEqual(server.request(f"/{name}").status, 500)
            self.assertEqual(server.request("/echo", b"x").body, b"x")


class Configuration(Project):
    def test_settings_of_a_function(self):
        self.add("setting")
        self.add("echo")
        self.config("""
            [project]
            name = "test"
            version = "1.0.0"
            [functions.setting]
            config = { greeting = "hello", "a b" = "\\u00e9\\n\\"" }
            content_type = "text/x-test"
            route = "/elsewhere/setting"
            methods = ["POST", "PUT"]
        """)
        with self.serve() as server:
            answer = server.request("/elsewhere/setting", b"greeting")
            self.assertEqual((answer.body, answer.type), (b"hello", "text/x-test"))
            self.assertEqual(server.request("/elsewhere/setting", b"a b").body, 'é\n"'.encode())
            self.assertEqual(server.request("/setting", b"greeting").status, 404)
            answer = server.request("/elsewhere/setting")
            self.assertEqual((answer.status, answer.headers["Allow"]), (405, "POST, PUT, OPTIONS"))
            self.assertEqual(answer.error()["code"], "method_not_allowed")

    def test_limits(self):
        self.add("echo")
        self.add("greedy")
        self.config('[limits]\nrequest = "10B"\nresponse = "5B"\nmemory = "1MiB"\n')
        with self.serve() as server:
            self.assertEqual(server.request("/echo", b"12345").body, b"12345")
            answer = server.request("/echo", b"123456")
            self.assertEqual((answer.status, answer.error()["code"]), (500, "response_too_large"))
            answer = server.request("/echo", b"12345678901")
            self.assertEqual((answer.status, answer.error()["code"]), (413, "too_large"))
            answer = server.request("/greedy")
            self.assertEqual((answer.status, answer.error()["code"]), (500, "out_of_memory"))

    def test_server_section(self):
        self.config('[server]\nlisten = "127.0.0.1:0"\nworkers = 3\n')
        with self.serve() as server:
            server.said("with 3 workers")

    def test_mistakes(self):
        cases = [
            ("[server]\nlissten = 'x'", r"ubiq\.toml:2: server\.lissten: .*did you mean listen\?"),
            ("[serve]\n", r"ubiq\.toml:1: serve: .*did you mean server\?"),
            ("[functions.echo]\nentri = 'x'", r"ubiq\.toml:2: functions\.echo\.entri: .*entry\?"),
            ("[functions.ecco]\nentry = 'x'", r"ubiq\.toml:1: functions: there is no function \"ecco\", did "
                                              r"you mean echo\?"),
            ("[server]\nworkers = 'two'", r"ubiq\.toml:2: server\.workers: "),
            ("[server]\nworkers = 1000", r"ubiq\.toml:2: server\.workers: "),
            ("[limits]\nwall_time = 30", r"ubiq\.toml:2: limits\.wall_time: "),
            ("[limits]\nwall_time = '30'", r"\"30\" is not a duration"),
            ("[limits]\nmemory = '64MB'", r"\"64MB\" is not a size"),
            ("[functions.echo]\nroute = 'echo'", r"\"echo\" is not a route"),
            ("[functions.echo]\nroute = '/healthz'", r"/healthz is the server's own"),
            ("[functions.echo]\nmethods = ['get']", r"\"get\" is not a method"),
            ("[functions.echo]\ncontent_type = \"a\\nb\"", r"printable ASCII"),
            ("[functions.echo]\nroute = '/b'", r"echo\.wasm: its route /b is that of \S+/functions/b\.wasm too"),
            ("listen = ", r"ubiq\.toml:1: column "),
        ]
        self.add("echo")
        self.add("echo", "b")
        for text, complaint in cases:
            self.config(text)
            self.assertRegex(self.refused(), complaint)

    def test_names(self):
        self.add("echo", ".hidden/echo")
        self.add("echo", ".hidden")
        self.path("functions", "notes.txt").write_text("no function")
        with self.serve() as server:
            server.said("There are no functions yet")
        self.add("echo", "with space")
        self.assertIn("the name of a function: \"with space\" is no part of a route", self.refused())
        self.path("functions", "with space.wasm").unlink()
        self.add("echo", "a/index")
        self.add("echo", "a")
        self.assertRegex(self.refused(), r"a/index\.wasm: its route /a is that of \S+/functions/a\.wasm too")
        self.path("functions", "a.wasm").unlink()
        self.add("echo", "healthz")
        self.assertIn("/healthz is the server's own", self.refused())

    def test_links(self):
        self.add("echo")
        self.path("functions", "inside.wasm").symlink_to(self.path("functions", "echo.wasm"))
        with self.serve() as server:
            self.assertEqual(server.request("/inside", b"x").body, b"x")
        self.path("functions", "outside.wasm").symlink_to("/etc/passwd")
        self.assertIn("leads out of the project", self.refused())
        self.path("functions", "outside.wasm").unlink()
        self.path("functions", "outside").symlink_to("/etc")
        self.assertIn("leads out of the project", self.refused())
        self.path("functions", "outside").unlink()
        self.path("functions", "circle").symlink_to(self.path("functions"))
        self.assertIn("nested more than", self.refused())


if __name__ == "__main__":
    unittest.main()
