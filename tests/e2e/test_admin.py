"""The admin listener, and `ubiq kv|storage|events` beside a server and without one."""

import http.client
import json
import re
import socket
import stat
import subprocess
import unittest
import urllib.parse

from harness import UBIQ, Answer, Project, in_parallel
from test_platform import ALL, commands, results

KEYS = [b"a", b"..", b"../../etc/passwd", b"a/../b", b"a//b", b"/", b"a\0b", b"\0", b"%2e%2e%00",
        "\u00e9\U0001f600".encode(), b"'; drop table kv; --", b"a b?c#d&e=f+g", b"k" * 256,
        b"/".join([b"d"] * 128)]
PATHS = [b"a", b"a/b/c.txt", "\u00e9/\U0001f600.txt".encode(), b"%2e%2e/%00", b"...", b".a", b"a b?c#d+",
         b"/".join([b"d"] * 512)]
BAD_PATHS = [b"..", b".", b"../x", b"a/../b", b"a/./b", b"a//b", b"/a", b"a/", b"a\0b", b"\xff", b"a\x01",
             b"\xc2\x85"]


def quoted(name):
    return urllib.parse.quote(name, safe="")


class Admin(Project):
    def setUp(self):
        super().setUp()
        self.add("platform")
        self.add("fail")
        self.add("hostile")
        self.config(f"""
            [project]
            name = "shop"
            version = "1.2.3"
            [server]
            admin = "127.0.0.1:0"
            [functions.platform]
            permissions = {ALL}
            [triggers]
            "t" = "fail"
            [services.events]
            attempts = 1
        """)
        self.server = None
        self.addCleanup(self.stop)
        self.start()

    def start(self):
        self.server = self.serve("--workers", "2")
        self.admin_port = int(self.server.said(r"for you alone: http://127\.0\.0\.1:(\d+)").group(1))
        self.token = self.path(".ubiq", "admin-token").read_text()

    def stop(self):
        if self.server:
            self.server.__exit__(None, None, None)
        self.server = None

    def ask(self, path, body=None, method=None, token=None, headers={}):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=30)
        try:
            connection.request(method or ("GET" if body is None else "PUT"), path, body,
                               {"Authorization": f"Bearer {token or self.token}", **headers})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def json(self, path, **arguments):
        answer = self.ask(path, **arguments)
        self.assertEqual((answer.status, answer.type), (200, "application/json"), answer.body)
        return json.loads(answer.body)

    def refusal(self, status, path, *arguments, **more):
        answer = self.ask(path, *arguments, **more)
        self.assertEqual(answer.status, status, (path, answer.body))
        return answer.error()["code"]

    def run_all(self, *lines):
        answer = self.server.request("/platform", commands(*lines))
        self.assertEqual(answer.status, 200, answer.body)
        return results(answer)

    def ubiq(self, *arguments, code=0, stdin=b""):
        done = subprocess.run([UBIQ, *arguments, "-C", self.directory], input=stdin,
                              capture_output=True, timeout=60)
        self.assertEqual(done.returncode, code, (arguments, done.stderr))
        self.assertEqual(bool(done.stderr), code != 0, done.stderr)
        return done.stdout if code == 0 else done.stderr.decode()


class Access(Admin):
    def test_the_token(self):
        path = self.path(".ubiq", "admin-token")
        self.assertRegex(self.token, "^[0-9a-f]{64}$")
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(self.path(".ubiq").stat().st_mode), 0o700)
        for header in [None, "", "Bearer", "Bearer ", "Bearer x", f"Basic {self.token}", self.token,
                       f"Bearer {self.token[:-1]}", f"Bearer {self.token}x", f"Bearer  {self.token}"]:
            for resource in ["/health", "/kv/a", "/none", "/"]:
                answer = self.ask(resource, headers={"Authorization": header} if header is not None
                                  else {"Authorization": ""})
                self.assertEqual((answer.status, answer.error()["code"]), (401, "unauthorized"), header)
                self.assertEqual(answer.headers["WWW-Authenticate"], "Bearer")
        self.refusal(401, "/kv/a", b"x", token="wrong")
        self.assertEqual(self.ask("/kv/a").status, 404)
        self.stop()
        before = self.token
        self.start()
        self.assertEqual(self.token, before)
        self.stop()
        path.write_text("short")
        self.assertIn("admin-token", self.refused())
        path.unlink()
        self.start()
        self.assertNotEqual(self.token, before)

    def test_nothing_of_it_is_public(self):
        header = {"Authorization": f"Bearer {self.token}"}
        for path in ["/health", "/functions", "/counters", "/kv", "/kv/a", "/storage", "/events",
                     "/admin", "/.ubiq/admin-token"]:
            self.assertEqual(self.server.request(path, headers=header).status, 404, path)

    def test_it_takes_loopback_only(self):
        self.stop()
        text = self.path("ubiq.toml").read_text()
        self.config(text.replace("127.0.0.1:0", "0.0.0.0:0"))
        self.assertIn("loopback", self.refused())
        self.config(text.replace("127.0.0.1:0", "off"))
        with self.serve() as server:
            self.assertNotIn("for you alone", server.errors())

    def test_a_port_that_is_in_use(self):
        self.stop()
        with socket.create_server(("127.0.0.1", 0)) as other:
            text = self.path("ubiq.toml").read_text()
            port = other.getsockname()[1]
            self.config(text.replace("127.0.0.1:0", f"127.0.0.1:{port}"))
            self.start()
            self.assertNotEqual(self.admin_port, port)
            self.assertEqual(self.json("/health")["status"], "ok")

    def test_malformed_requests(self):
        for data in [b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\0" * 1000,
                     b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\n\r\n",
                     b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10000 + b"\r\n",
                     b"PUT /kv/a HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
                     b"PUT /kv/a HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                     b"PUT /kv/a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"]:
            with socket.create_connection(("127.0.0.1", self.admin_port), 10) as s:
                try:
                    s.sendall(data)
                    s.shutdown(socket.SHUT_WR)
                    answer = s.recv(65536)
                except OSError:
                    answer = b""
                self.assertNotIn(b" 200 ", answer[:20], data[:50])
        self.assertEqual(self.json("/health")["status"], "ok")

    def test_who_has_no_token_takes_no_memory(self):
        """A body is refused by what it says of its size."""
        head = b"PUT /storage/a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.admin_port), 10) as s:
            s.sendall(head % (100 << 20))
            self.assertIn(b"413", s.recv(65536)[:20])

    def test_many_at_once(self):
        def work(i):
            connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=30)
            for n in range(30):
                connection.request("PUT", f"/kv/{i}%3A{n}", f"{n}", {"Authorization": f"Bearer {self.token}"})
                answer = connection.getresponse()
                answer.read()
                self.assertEqual(answer.status, 204)
            connection.close()

        in_parallel(8, work)
        self.assertEqual(len(self.json("/kv?limit=1000")["keys"]), 240)


class Resources(Admin):
    def test_reports(self):
        self.server.request("/fail", b"x")
        health = self.json("/health")
        self.assertEqual((health["project"], health["version"], health["status"], health["workers"]),
                         ("shop", "1.2.3", "ok", 2))
        functions = {f["name"]: f for f in self.json("/functions")["functions"]}
        self.assertEqual(set(functions), {"fail", "hostile", "platform"})
        self.assertEqual((functions["fail"]["counters"]["calls"], functions["fail"]["counters"]["failures"]),
                         (1, 1))
        self.assertIn("kv:read:*", functions["platform"]["permissions"])
        self.assertEqual(functions["platform"]["limits"]["cpu_ms"], 5000)
        # A request is counted once its answer has gone out.
        self.server.wait_for(lambda: self.json("/counters")["requests"] == 1, "the request is not counted")

    def test_time_that_invoked_functions_take_is_counted_once(self):
        self.run_all(*[("invoke", "hostile", "hold 5000")] * 100)
        cpu_us = {f["name"]: f["counters"]["cpu_us"] for f in self.json("/functions")["functions"]}
        self.assertLess(cpu_us["platform"], 1.5 * cpu_us["hostile"])

    def test_methods_and_names(self):
        for path, allow in [("/health", "GET, HEAD"), ("/functions", "GET, HEAD"),
                            ("/counters", "GET, HEAD"), ("/kv/a", "GET, HEAD, PUT, DELETE"),
                            ("/storage/a", "GET, HEAD, PUT, DELETE"), ("/events/a", "GET, HEAD, POST, DELETE")]:
            method = "PUT" if path.startswith("/events") else "POST"
            answer = self.ask(path, b"x", method=method)
            self.assertEqual((answer.status, answer.headers["Allow"]), (405, allow), path)
            self.assertIn(self.ask(path, method="PATCH").status, (405, 501))
            self.assertIn(self.ask(path, method="OPTIONS").status, (405, 501))
            head = self.ask(path, method="HEAD")
            self.assertEqual(head.body, b"")
        for path in ["/", "/none", "/healthx", "/health/x", "/kvx", "//kv/a", "/%6bv/a"]:
            self.assertEqual(self.refusal(404, path), "not_found")

    def test_any_key(self):
        for key in KEYS:
            value = b"value of " + key
            at = f"/kv/{quoted(key)}"
            self.assertEqual(self.ask(at, value).status, 204, key)
            answer = self.ask(at)
            self.assertEqual((answer.status, answer.body), (200, value), key)
        self.assertEqual(len(self.json("/kv?limit=1000")["keys"]), len(KEYS))
        self.assertEqual(self.json(f"/kv?prefix={quoted(b'../')}")["keys"], ["../../etc/passwd"])
        for key in KEYS:
            self.assertEqual(self.ask(f"/kv/{quoted(key)}", method="DELETE").status, 204)
            self.assertEqual(self.refusal(404, f"/kv/{quoted(key)}"), "not_found")
        self.assertEqual(self.refusal(413, "/kv/" + "k" * 257, b"x"), "too_large")
        self.assertEqual(self.refusal(413, "/kv/" + "k" * 10240), "too_large")
        for bad in ["", "%ff%fe", "a%80"]:
            self.assertEqual(self.refusal(400, f"/kv/{bad}", b"x"), "invalid")
        self.assertEqual(self.refusal(413, "/kv/k", b"x" * ((1 << 20) + 1)), "too_large")
        for ttl in ["0", "-1", "x", "", "99999999999999999999"]:
            self.assertEqual(self.refusal(400, f"/kv/k?ttl_ms={ttl}", b"x"), "invalid", ttl)

    def test_lists_in_pages(self):
        for key in KEYS:
            self.ask(f"/kv/{quoted(key)}", b"x")
        seen, after = [], ""
        for _ in range(len(KEYS) + 1):
            page = self.json(f"/kv?limit=1&after={quoted(after)}")
            seen += page["keys"]
            if page["next"] is None:
                break
            after = page["next"]
        self.assertEqual(len(seen), len(KEYS))
        self.assertEqual(len(set(seen)), len(KEYS))
        for limit in ["0", "-1", "x", "", "1e3"]:
            self.refusal(400, f"/kv?limit={limit}")
            self.refusal(400, f"/storage?limit={limit}")
            self.refusal(400, f"/events?limit={limit}")

    def test_any_path(self):
        for path in PATHS:
            at = f"/storage/{quoted(path)}"
            self.assertEqual(self.ask(at, b"content of " + path).status, 204, path)
            answer = self.ask(at)
            self.assertEqual((answer.status, answer.body), (200, b"content of " + path), path)
        self.assertEqual(self.ask("/storage/a%2Fb%2Fc.txt").type, "text/plain")
        self.assertEqual(self.ask("/storage/a/b/c.txt").status, 200)
        self.assertEqual(len(self.json("/storage?limit=1000")["items"]), len(PATHS))
        for path in BAD_PATHS:
            at = f"/storage/{quoted(path)}"
            for method in ["GET", "PUT", "DELETE"]:
                self.assertEqual(self.refusal(400, at, b"x" if method == "PUT" else None, method=method),
                                 "invalid", path)
        self.assertEqual(self.refusal(413, "/storage/" + "p" * 10240), "too_large")
        self.assertEqual(self.refusal(400, "/storage/", b"x"), "invalid")
        files = [p for p in self.path(".ubiq", "data", "storage").rglob("*") if p.is_file()]
        self.assertTrue(all(re.fullmatch("[0-9a-f]{16}|lock", p.name) for p in files), files)

    def test_events(self):
        for n in range(3):
            self.run_all(("emit", "t", n))
        dead = self.server.wait_for(
            lambda: len(items := self.json("/events?dead=1")["items"]) == 3 and items, "no dead letters")
        self.assertEqual(self.json("/events")["items"], [])
        page = self.json("/events?dead=1&limit=2")
        self.assertEqual([i["id"] for i in page["items"]], [i["id"] for i in dead[:2]])
        rest = self.json(f"/events?dead=1&after={page['next']}")
        self.assertEqual([i["id"] for i in rest["items"]], [dead[2]["id"]])
        self.assertEqual(self.json(f"/events/{dead[0]['id']}", method="DELETE"), {"count": 1})
        self.assertEqual(self.refusal(404, f"/events/{dead[0]['id']}", method="DELETE"), "not_found")
        self.assertEqual(self.json(f"/events/{dead[1]['id']}", method="POST"), {"count": 1})
        self.server.wait_for(lambda: len(self.json("/events?dead=1")["items"]) == 2, "it is not tried")
        for name in ["", "none", "all%00", "'", "x" * 10000]:
            self.assertIn(self.ask(f"/events/{name}", method="DELETE").status, (400, 404))
        self.assertEqual(len(self.json("/events?dead=1")["items"]), 2)
        self.assertEqual(self.json("/events/all", method="DELETE"), {"count": 2})
        self.refusal(400, "/events?after=x")


class Tools(Admin):
    """The same with a server and without one."""

    def both(self, check):
        check()
        self.stop()
        check()

    def test_settings_that_are_for_the_server(self):
        """may be wrong where it is not; those of what is kept may not."""
        self.stop()
        self.ubiq("kv", "set", "a", "one")
        wrong = '[middleware.api_key]\nkeys = ["${UBIQ_TEST_UNSET}"]\n[server]\nlissten = 1\n'
        self.config(wrong)
        self.assertEqual(self.ubiq("kv", "get", "a"), b"one")
        self.ubiq("events", "list")
        self.config(wrong + '[services.kv]\nkeys = "many"\n')
        self.assertRegex(self.ubiq("kv", "get", "a", code=1), r"ubiq\.toml:6: services\.kv\.keys: ")
        self.config(wrong + "x = \n")
        self.assertIn("ubiq.toml:5: ", self.ubiq("kv", "get", "a", code=1))

    def test_keys(self):
        def check():
            self.ubiq("kv", "set", "a", "one")
            self.assertEqual(self.ubiq("kv", "get", "a"), b"one")
            self.ubiq("kv", "set", "b", "-", stdin=b"two\0\xff")
            self.assertEqual(self.ubiq("kv", "get", "b"), b"two\0\xff")
            self.ubiq("kv", "set", "../c", "three", "--ttl", "1h")
            self.assertEqual(self.ubiq("kv", "list"), b"../c\na\nb\n")
            self.assertEqual(self.ubiq("kv", "list", "a"), b"a\n")
            self.assertEqual(self.ubiq("kv", "list", "--after", "a"), b"b\n")
            self.assertEqual(json.loads(self.ubiq("kv", "list", "--json", "--limit", "1000")),
                             {"keys": ["../c", "a", "b"], "next": None})
            for key in ["a", "b", "../c"]:
                self.ubiq("kv", "delete", key)
            self.assertIn("there is no", self.ubiq("kv", "delete", "a", code=1))
            self.assertIn('no key "a"', self.ubiq("kv", "get", "a", code=1))
            self.assertIn("257", self.ubiq("kv", "set", "k" * 257, "x", code=1))
            self.assertIn("10240", self.ubiq("kv", "get", "k" * 10240, code=1))
            self.assertIn("empty", self.ubiq("kv", "set", "", "x", code=1))
            self.assertIn("duration", self.ubiq("kv", "set", "a", "x", "--ttl", "soon", code=1))
            self.assertIn("1048577", self.ubiq("kv", "set", "a", "-", stdin=b"x" * 1048577, code=1))

        self.both(check)

    def test_a_list_that_goes_on(self):
        for n in range(5):
            self.ubiq("kv", "set", f"k{n}", "x")
        done = self.run_command("kv", "list", "--limit", "2", "-C", self.directory)
        self.assertEqual((done.returncode, done.stdout), (0, "k0\nk1\n"))
        self.assertIn("there are more", done.stderr)

    def test_files(self):
        def check():
            self.path("here").write_bytes(b"from a file")
            self.ubiq("storage", "put", "a/one.txt", str(self.path("here")))
            self.ubiq("storage", "put", "a/two", stdin=b"from\0input")
            self.assertEqual(self.ubiq("storage", "get", "a/one.txt"), b"from a file")
            self.assertEqual(self.ubiq("storage", "get", "a/two"), b"from\0input")
            told = json.loads(self.ubiq("storage", "stat", "a/one.txt"))
            self.assertEqual((told["path"], told["size"]), ("a/one.txt", 11))
            self.assertEqual(self.ubiq("storage", "list", "a/"), b"a/one.txt\na/two\n")
            self.ubiq("storage", "delete", "a/two")
            self.ubiq("storage", "delete", "a/one.txt")
            self.assertIn("there is no", self.ubiq("storage", "delete", "a/two", code=1))
            self.assertIn("no file", self.ubiq("storage", "get", "a/two", code=1))
            self.assertIn("none", self.ubiq("storage", "put", "a", "none", code=1))
            for path in ["..", "../x", "a//b", "/etc/passwd", "", "a\x01"]:
                self.ubiq("storage", "put", path, str(self.path("here")), code=1)
                self.ubiq("storage", "get", path, code=1)

        self.both(check)

    def test_bytes_that_are_no_text(self):
        self.ubiq("kv", "set", "a", b"\xfe")
        self.assertEqual(self.ubiq("kv", "get", "a"), b"\xfe")
        self.assertIn("UTF-8", self.ubiq("kv", "set", b"\xff", "x", code=1))
        self.assertIn("UTF-8", self.ubiq("storage", "put", b"\xff", code=1))

    def test_what_is_typed_wrongly(self):
        for words in [["kv"], ["kv", "none"], ["kv", "get"], ["kv", "get", "a", "b"], ["kv", "set", "a"],
                      ["kv", "list", "--limit", "0"], ["kv", "list", "--limit", "x"], ["kv", "--none"],
                      ["storage", "put"], ["storage", "list", "a", "b"], ["events", "replay"],
                      ["events", "drop", "id", "--all"], ["events", "list", "x"],
                      ["events", "list", "--after", "x"]]:
            self.assertIn("ubiq", self.ubiq(*words, code=2))
        for command in ["kv", "storage", "events"]:
            done = self.run_command(command, "--help")
            self.assertEqual((done.returncode, done.stdout[:6], done.stderr), (0, "usage:", ""))

    def test_a_project_that_is_not_there(self):
        for command in ["kv", "storage", "events"]:
            done = self.run_command(command, "list", "-C", str(self.path("none")))
            self.assertEqual(done.returncode, 1)
            self.assertIn("none", done.stderr)
            self.assertFalse(self.path("none").exists())
        done = self.run_command("kv", "get", "none", "-C", self.directory)
        self.assertEqual((done.returncode, done.stderr), (1, 'ubiq kv: there is no key "none"\n'))
        # Nor is anything made in a directory that is no project.
        self.path("other").mkdir()
        for command in ["kv", "storage", "events"]:
            done = self.run_command(command, "list", "-C", str(self.path("other")))
            self.assertEqual(done.returncode, 1)
            self.assertIn("is no project", done.stderr)
        self.assertEqual(list(self.path("other").iterdir()), [])
        with open("/dev/full", "w") as full:
            self.ubiq("kv", "set", "a", "x" * 10000)
            done = subprocess.run([UBIQ, "kv", "get", "a", "-C", self.directory], stdout=full,
                                  stderr=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, 1)
            self.assertIn("No space left", done.stderr)

    def test_what_they_wrote_is_served(self):
        self.ubiq("kv", "set", "a", "tool")
        self.assertEqual(self.run_all(("get", "a"), ("set", "b", "server", 0)), [(4, b"tool"), 0])
        self.assertEqual(self.ubiq("kv", "get", "b"), b"server")


if __name__ == "__main__":
    unittest.main()
