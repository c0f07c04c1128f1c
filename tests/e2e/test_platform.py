"""The host functions, called by the function `platform`, which does what its input says."""

import json
import time
import unittest

from harness import Project

ALL = '["kv:read:*", "kv:write:*", "storage:read:*", "storage:write:*", "events:emit:*", ' \
      '"invoke:*", "config:read:*"]'


def commands(*lines):
    return "\n".join("\t".join(str(word) for word in line) for line in lines).encode()


def results(answer):
    """What each command gave: the number, or the number and the bytes."""
    out = []
    for line in answer.body.split(b"\n")[:-1]:
        number, tab, rest = line.partition(b"\t")
        out.append((int(number), rest) if tab else int(number))
    return out


class Platform(Project):
    """A server with the function `platform`, which may do everything."""

    toml = f"[functions.platform]\npermissions = {ALL}\n"

    def setUp(self):
        super().setUp()
        self.add("platform")
        self.add_more()
        self.config(self.toml)
        self.start()

    def add_more(self):
        pass

    def start(self):
        self.server = self.serve("--workers", "2")
        self.addCleanup(self.stop)

    def stop(self):
        if self.server:
            self.server.__exit__(None, None, None)
        self.server = None

    def run_all(self, *lines, function="platform", headers={}, path=""):
        answer = self.server.request(f"/{function}{path}", commands(*lines), headers=headers)
        self.assertEqual(answer.status, 200, answer.body)
        return results(answer)


class Keys(Platform):
    def test_what_is_set_is_there(self):
        self.assertEqual(
            self.run_all(("get", "a"), ("set", "a", "one", 0), ("get", "a"), ("set", "a", "", 0),
                         ("get", "a"), ("delete", "a"), ("delete", "a"), ("get", "a"))[1:7],
            [0, (3, b"one"), 0, (0, b""), 1, 0])
        self.assertEqual(self.run_all(("get", "a"))[0][0], -1)

    def test_it_outlives_the_server(self):
        self.run_all(("set", "a", "one", 0))
        self.stop()
        self.start()
        self.assertEqual(self.run_all(("get", "a")), [(3, b"one")])

    def test_if_absent_and_compare(self):
        self.assertEqual(
            self.run_all(("absent", "a", "x", 0), ("absent", "a", "y", 0), ("get", "a"),
                         ("cas", "a", "y", "z", 0), ("cas", "a", "x", "z", 0), ("get", "a"),
                         ("cas", "b", "", "z", 0)),
            [1, 0, (1, b"x"), 0, 1, (1, b"z"), 0])

    def test_increment(self):
        self.assertEqual(
            self.run_all(("increment", "n", 5), ("increment", "n", -7), ("get", "n")),
            [(1, b"5"), (2, b"-2"), (2, b"-2")])
        code, text = self.run_all(("set", "t", "text", 0), ("increment", "t", 1))[1]
        self.assertEqual(code, -6)
        self.assertEqual(self.run_all(("set", "n", 2**63 - 1, 0), ("increment", "n", 1))[1][0], -6)

    def test_time_to_live(self):
        self.assertEqual(self.run_all(("set", "a", "x", 300), ("get", "a")), [0, (1, b"x")])
        time.sleep(0.4)
        self.assertEqual(self.run_all(("get", "a"), ("list", "", "", 10), ("absent", "a", "y", 0)),
                         [(-1, b'kv: there is no key "a"'), (23, b'{"keys":[],"next":null}'), 1])

    def test_list(self):
        self.run_all(*[("set", f"k{i}", "v", 0) for i in (3, 1, 2)], ("set", "other", "v", 0))
        self.assertEqual(json.loads(self.run_all(("list", "k", "", 2))[0][1]),
                         {"keys": ["k1", "k2"], "next": "k2"})
        self.assertEqual(json.loads(self.run_all(("list", "k", "k2", 2))[0][1]),
                         {"keys": ["k3"], "next": None})

    def test_what_is_too_large(self):
        self.assertEqual(self.run_all(("set", "k" * 256, "v", 0)), [0])
        self.assertEqual(self.run_all(("set", "k" * 257, "v", 0))[0][0], -4)
        self.assertEqual(self.run_all(("get", "k" * 10240))[0][0], -4)
        self.assertEqual(self.run_all(("set", "", "v", 0))[0][0], -3)

    def test_any_key(self):
        for key in ["../../etc/passwd", "%2e%2e", "a/../b", "\u00e9", "{}", "'; drop table kv"]:
            self.assertEqual(self.run_all(("set", key, "v", 0), ("get", key)), [0, (1, b"v")], key)

    def test_no_block(self):
        for handle in [1, 77, 2**40, -1]:
            code, text = self.run_all(("bad-handle", handle))[0]
            self.assertEqual(code, -3)
            self.assertIn(b"no block of memory", text)


class Permissions(Platform):
    toml = """
        [env]
        API_KEY = "secret"
        OTHER = "hidden"
        [functions.platform]
        permissions = ["kv:read:user:*", "kv:write:user:1", "config:read:API_KEY"]
        config = { own = "mine" }
    """

    def test_keys(self):
        self.assertEqual([r if isinstance(r, int) else r[0] for r in self.run_all(
            ("set", "user:1", "x", 0), ("get", "user:1"), ("set", "user:2", "x", 0),
            ("get", "other"), ("delete", "user:2"), ("increment", "user:2", 1))],
            [0, 1, -2, -2, -2, -2])
        self.server.said('denied: it would need the permission "kv:write:user:2"')

    def test_a_list_shows_what_may_be_read(self):
        self.stop()
        done = self.run_command("kv", "--project", self.directory, "set", "secret", "x")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.start()
        self.run_all(("set", "user:1", "x", 0))
        self.assertEqual(json.loads(self.run_all(("list", "", "", 10))[0][1])["keys"], ["user:1"])

    def test_services_that_are_not_allowed(self):
        for command in [("read", "a"), ("write", "a", "x"), ("files", "", "", 1), ("emit", "t", "1"),
                        ("invoke", "platform", "")]:
            self.assertEqual(self.run_all(command)[0][0], -2, command)

    def test_configuration(self):
        self.assertEqual(self.run_all(("config", "own"), ("config", "API_KEY")), [4, 6])
        self.assertEqual(self.run_all(("config", "OTHER"), ("config", "none")), [(-1, b"")] * 2)


class Requests(Platform):
    def test_what_a_function_is_told(self):
        size, text = self.run_all(("request",), path="?a=1&b=%20x&a=2", headers={"X-Test": "y"})[0]
        told = json.loads(text)
        self.assertEqual(
            {k: told[k] for k in ("trigger", "method", "path", "route", "params", "query", "url")},
            {"trigger": "http", "method": "POST", "path": "/platform", "route": "/platform",
             "params": {}, "query": {"a": "1", "b": " x"}, "url": "/platform?a=1&b=%20x&a=2"})
        self.assertEqual(told["headers"]["x-test"], "y")
        self.assertRegex(told["id"], "^[0-9a-f]{16}$")

    def test_what_a_function_says_of_its_response(self):
        answer = self.server.request("/platform", commands(
            ("status", 201), ("header", "X-One", "1"), ("header", "Content-Type", "text/x-test")))
        self.assertEqual((answer.status, answer.type, answer.headers["X-One"]),
                         (201, "text/x-test", "1"))
        self.assertEqual(answer.headers.get_all("Content-Type"), ["text/x-test"])
        answer = self.server.request("/platform", commands(("status", 204)))
        self.assertEqual((answer.status, answer.body, answer.headers["Content-Length"]),
                         (204, b"", None))

    def test_headers_that_no_function_sets(self):
        for name in ["Content-Length", "transfer-encoding", "Connection", "X-Invocation", "bad name", "",
                     "x\x01"]:
            self.assertLess(self.run_all(("header", name, "5"))[0][0], 0, name)
        self.assertLess(self.run_all(("header", "X-A", "a\rb"))[0][0], 0)
        self.assertEqual([r[0] for r in self.run_all(("status", 99), ("status", 600), ("status", 101))],
                         [-3] * 3)
        many = [("header", "X-Many", "x" * 1000)] * 17
        self.assertEqual(self.run_all(*many)[-1][0], -4)
        many = [("header", f"X-{i}", "x") for i in range(81)]
        self.assertEqual(self.run_all(*many)[79:], [0, (-4, b"a response has at most 80 headers")])

    def test_log(self):
        self.assertEqual(self.run_all(("log", 3, "look at this", '{"a":  1}')), [0])
        self.server.said("WARN  platform invocation [0-9a-f]{16}: look at this ")
        self.assertEqual([r[0] for r in self.run_all(("log", 9, "x", ""), ("log", 1, "x", "[1]"),
                                                     ("log", 1, "x", "{"))], [-3] * 3)
        self.run_all(("log", 2, "one\\ntwo\x1b[31m", ""))
        self.assertNotIn("\x1b", self.server.errors())
        large = '{"a": "%s"}' % ("x" * 17000)
        self.assertEqual([r[0] for r in self.run_all(("event", "seen", large), ("attribute", "a", large))],
                         [-4] * 2)

    def test_trace(self):
        self.assertEqual(self.run_all(("attribute", "user", "1"), ("event", "seen", '{"n": 1}')),
                         [0, 0])
        line = self.server.logged(path="/platform")
        self.assertEqual(line["trace"][0], {"attribute": "user", "value": "1"})
        self.assertEqual((line["trace"][1]["event"], line["trace"][1]["attributes"]),
                         ("seen", {"n": 1}))


class Invocations(Platform):
    toml = f"""
        [functions.platform]
        permissions = {ALL}
        [functions.other]
        permissions = ["invoke:*"]
        limits = {{ request = "100B" }}
        [functions.recurse]
        permissions = ["invoke:recurse"]
    """

    def add_more(self):
        self.add("platform", "other")
        self.add("echo")
        self.add("fail")
        self.add("recurse")

    def test_a_function_calls_another(self):
        self.assertEqual(self.run_all(("invoke", "echo", "hello")), [(5, b"hello")])
        answer = self.server.request("/platform", b"invoke\tother\trequest")
        self.assertIn(b'"trigger":"invoke"', answer.body)

    def test_what_cannot_be_called(self):
        self.assertEqual(self.run_all(("invoke", "none", "x"))[0][0], -1)
        self.assertEqual(self.run_all(("invoke", "other", "x" * 101))[0][0], -4)
        code, text = self.run_all(("invoke", "fail", "x"))[0]
        self.assertEqual(code, -8)

    def test_a_function_that_calls_itself(self):
        """Each level says "x" before what the one below it says."""
        answer = self.server.request("/recurse")
        self.assertEqual(answer.status, 200)
        self.assertRegex(answer.body, b"^x{9}functions invoke one another more than 8 deep$")

    def test_others_are_served_meanwhile(self):
        self.assertEqual(self.run_all(("invoke", "echo", "a"), ("invoke", "echo", "b")),
                         [(1, b"a"), (1, b"b")])


class Limits(Platform):
    toml = f"""
        [limits]
        cpu_time = "200ms"
        wall_time = "3s"
        [functions.platform]
        permissions = {ALL}
        [functions.kept]
        instances = "reuse"
    """

    def add_more(self):
        self.add("count", "kept")
        self.add("count")
        self.add("loop")

    def test_cpu_time(self):
        started = time.monotonic()
        answer = self.server.request("/platform", b"spin")
        self.assertEqual((answer.status, answer.error()["code"]), (504, "timeout"))
        self.assertIn("CPU time", answer.error()["message"])
        self.assertLess(time.monotonic() - started, 2)
        self.assertEqual(self.server.request("/loop", b"").status, 504)

    def test_instances_that_are_kept(self):
        """Three counts: in a global, in memory, in a variable."""
        self.stop()
        self.server = self.serve("--workers", "1")
        self.assertEqual([self.server.request("/count").body for _ in range(3)], [b"111"] * 3)
        self.assertEqual([self.server.request("/kept").body for _ in range(3)],
                         [b"111", b"222", b"333"])


if __name__ == "__main__":
    unittest.main()
