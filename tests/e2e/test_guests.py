"""The conformance suite of guests: the same cases on the same function in each language. What the function
does is in tests/guests/README.md. Languages whose tools are not there are left out."""

import functools
import json
import pathlib
import shutil
import subprocess
import sys
import time
import unittest

from harness import UBIQ, Backend, Project

SOURCES = pathlib.Path(__file__).parent.parent / "guests" / "functions"
LANGUAGES = sorted(path.stem for path in SOURCES.iterdir())

PERMISSIONS = ["kv:read:*", "kv:write:*", "storage:read:*", "storage:write:*", "events:emit:order.*",
               "invoke:echo", "config:read:SHOWN"]
TOML = """
[env]
SHOWN = "shown"
HIDDEN = "hidden"
"""
FUNCTION = """
[functions.{language}]
permissions = {permissions}
config = {{ greeting = "h\u00e9llo" }}
"""


def build(directory):
    """Builds what can be built; which languages are there then."""
    done = subprocess.run([UBIQ, "build", directory], capture_output=True, text=True, timeout=1500)
    if done.returncode == 2:
        raise AssertionError(done.stderr)
    modules = pathlib.Path(directory, ".ubiq", "build")
    built = [language for language in LANGUAGES if (modules / f"{language}.wasm").exists()]
    for language in set(LANGUAGES) - set(built):
        why = next((line for line in done.stderr.splitlines() if f"/{language}." in line), "")
        print(f"left out: {why}", file=sys.stderr)
        next(pathlib.Path(directory, "functions").glob(f"{language}.*")).unlink()
    if not {"c", "cpp"} <= set(built):
        raise AssertionError(done.stderr)
    return built


def each_language(case):
    """Runs a case once for each language."""
    @functools.wraps(case)
    def run(self):
        for language in self.languages:
            with self.subTest(language=language):
                case(self, language)
    return run


class TestGuests(unittest.TestCase):
    """A server with the function in each language that can be built, which is there for all cases."""

    @classmethod
    def setUpClass(cls):
        cls.project = Project()
        cls.project.setUp()
        for source in SOURCES.iterdir():
            shutil.copy(source, cls.project.path("functions"))
        cls.project.add("echo")
        cls.languages = build(cls.project.directory)
        cls.backend = Backend(cls.answer)
        permissions = PERMISSIONS + [f"http:*:127.0.0.1:{cls.backend.port}/*"]
        cls.project.config(TOML + "".join(
            FUNCTION.format(language=language, permissions=json.dumps(permissions))
            for language in cls.languages))
        cls.server = cls.project.serve("--workers", "2")

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)
        cls.backend.close()
        cls.project.doCleanups()

    @staticmethod
    def answer(request):
        head, _, body = request.partition(b"\r\n\r\n")
        sent = [line for line in head.split(b"\r\n") if line.lower().startswith(b"x-sent:")]
        said = head.split(b"\r\n")[0] + b" " + b"".join(sent).lower() + b" " + body
        return (b"HTTP/1.1 201 Created\r\nX-Reply: yes\r\nContent-Length: %d\r\n\r\n%s"
                % (len(said), said))

    def ask(self, language, *commands, path="", headers={}):
        """What each command gives; an error as its code."""
        answer = self.server.request(f"/{language}{path}", json.dumps(commands).encode(),
                                     headers=headers)
        self.assertEqual(answer.status, 200, answer.body)
        results = json.loads(answer.body)
        self.assertEqual(len(results), len(commands))
        return [r["code"] if isinstance(r, dict) and "code" in r else r for r in results]

    @each_language
    def test_keys(self, name):
        key = f"{name}:key"
        self.assertEqual(self.ask(
            name, ["kv.get", key], ["kv.set", key, "v\u00e4lue \"1\"\n", 0], ["kv.get", key],
            ["kv.set", key, "", 0], ["kv.get", key], ["kv.delete", key], ["kv.delete", key],
            ["kv.get", key]),
            [None, True, "v\u00e4lue \"1\"\n", True, "", True, False, None])

    @each_language
    def test_keys_that_depend(self, name):
        key = f"{name}:dependent"
        self.assertEqual(self.ask(
            name, ["kv.set_if_absent", key, "a", 0], ["kv.set_if_absent", key, "b", 0],
            ["kv.compare_and_set", key, "b", "c", 0], ["kv.compare_and_set", key, "a", "c", 0],
            ["kv.get", key], ["kv.delete", key]),
            [True, False, False, True, "c", True])

    @each_language
    def test_counters(self, name):
        key = f"{name}:counter"
        self.assertEqual(self.ask(
            name, ["kv.increment", key, 5], ["kv.increment", key, -7], ["kv.get", key],
            ["kv.set", key, "text", 0], ["kv.increment", key, 1], ["kv.delete", key]),
            [5, -2, "-2", True, -6, True])

    @each_language
    def test_time_to_live(self, name):
        key = f"{name}:short"
        self.assertEqual(self.ask(name, ["kv.set", key, "x", 200], ["kv.get", key]), [True, "x"])
        time.sleep(0.3)
        self.assertEqual(self.ask(name, ["kv.get", key]), [None])

    @each_language
    def test_list_of_keys(self, name):
        prefix = f"{name}:list:"
        self.ask(name, *[["kv.set", f"{prefix}{i}", "x", 0] for i in (3, 1, 2)])
        self.assertEqual(self.ask(
            name, ["kv.list", prefix, "", 2], ["kv.list", prefix, f"{prefix}2", 2],
            ["kv.list", f"{prefix}none", "", 2]),
            [{"keys": [f"{prefix}1", f"{prefix}2"], "next": f"{prefix}2"},
             {"keys": [f"{prefix}3"], "next": None}, {"keys": [], "next": None}])

    @each_language
    def test_files(self, name):
        path = f"{name}/a.png"
        told = {"path": path, "size": 5, "type": "image/png", "dated": True}
        self.assertEqual(self.ask(
            name, ["storage.read", path], ["storage.stat", path], ["storage.write", path, "bytes"],
            ["storage.read", path], ["storage.stat", path], ["storage.list", f"{name}/", "", 10],
            ["storage.delete", path], ["storage.delete", path],
            ["storage.list", f"{name}/", "", 10], ["storage.write", "../x", "bytes"]),
            [None, None, True, "bytes", told, {"items": [told], "next": None}, True, False,
             {"items": [], "next": None}, -3])

    @each_language
    def test_errors(self, name):
        answer = self.server.request(f"/{name}", json.dumps(
            [["events.emit", "secret", "{}"], ["kv.get", ""], ["invoke", name, "[]"],
             ["kv.set", "k" * 257, "v", 0]]).encode())
        results = json.loads(answer.body)
        self.assertEqual([r["code"] for r in results], [-2, -3, -2, -4])
        self.assertIn('the permission "events:emit:secret"', results[0]["message"])

    @each_language
    def test_events_and_functions(self, name):
        self.assertEqual(self.ask(
            name, ["events.emit", "order.new", '{"n":1}'], ["invoke", "echo", "h\u00e9llo"],
            ["invoke", "echo", ""]), [32, "h\u00e9llo", ""])

    @each_language
    def test_configuration_and_variables(self, name):
        self.assertEqual(self.ask(
            name, ["config", "greeting"], ["config", "SHOWN"], ["config", "HIDDEN"],
            ["var.get", "v"], ["var.set", "v", "1"], ["var.get", "v"], ["var.set", "v", ""],
            ["var.get", "v"]),
            ["h\u00e9llo", "shown", None, None, True, "1", True, None])

    @each_language
    def test_request(self, name):
        self.assertEqual(self.ask(
            name, ["request"], ["request.query", "q"], ["request.query", "Q"],
            ["request.header", "x-ONE"], ["request.header", "none"], ["request.param", "id"],
            path="?q=a%20b%22&q=2", headers={"X-One": "1"}),
            [{"trigger": "http", "method": "POST", "path": f"/{name}", "route": f"/{name}",
              "url": f"/{name}?q=a%20b%22&q=2", "has_id": True},
             "a b\"", None, "1", None, None])

    @each_language
    def test_response(self, name):
        answer = self.server.request(f"/{name}", json.dumps(
            [["response.status", 201], ["response.header", "X-Made", "by " + name],
             ["response.status", 999], ["response.header", "Connection", "x"]]).encode())
        self.assertEqual((answer.status, answer.headers["X-Made"]), (201, "by " + name))
        results = json.loads(answer.body)
        self.assertEqual(results[:2], [True, True])
        self.assertEqual([r["code"] for r in results[2:]], [-3, -2])

    @each_language
    def test_log_and_trace(self, name):
        self.assertEqual(self.ask(
            name, ["log", 3, f"look at {name}", {"a": 1}], ["log", 1, "plain", None],
            ["trace.attribute", "who", name], ["trace.event", "seen", {"n": [1]}],
            ["trace.event", "plain", None]), [True] * 5)
        self.server.said(f"WARN .*look at {name}")
        trace = self.server.wait_for(lambda: self.traced(name), "no trace")
        self.assertEqual(trace[0], {"attribute": "who", "value": name})
        self.assertEqual([(t["event"], t.get("attributes")) for t in trace[1:]],
                         [("seen", {"n": [1]}), ("plain", None)])

    def traced(self, name):
        """The trace that the access log has of the function."""
        return next((line["trace"] for line in self.server.access()
                     if line["path"] == f"/{name}" and "trace" in line), None)

    @each_language
    def test_http(self, name):
        url = f"http://127.0.0.1:{self.backend.port}/a?b=c"
        self.assertEqual(self.ask(name, ["http", "POST", url, "s", "body \u00e9"],
                                  ["http", "GET", url, "s", ""]),
                         [{"status": 201, "header": "yes",
                           "body": "POST /a?b=c HTTP/1.1 x-sent: s body \u00e9"},
                          {"status": 201, "header": "yes",
                           "body": "GET /a?b=c HTTP/1.1 x-sent: s "}])

    @each_language
    def test_failure(self, name):
        answer = self.server.request(f"/{name}", json.dumps([["fail", "no more \"x\""]]).encode())
        self.assertEqual(answer.status, 500)
        self.server.said(f'{name}.*no more "x"')

    @each_language
    def test_other_exports(self, name):
        answer = self.server.request(f"/{name}", b"\x00\xff", method="PUT",
                                     headers={"Content-Type": "application/octet-stream"})
        self.assertEqual((answer.status, answer.body), (200, b"\x00\xff"))


if __name__ == "__main__":
    unittest.main()
