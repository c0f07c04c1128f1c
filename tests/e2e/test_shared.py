"""Two servers on one project at once, and what one function may ask of other servers."""

import collections
import json
import sqlite3
import time
import unittest

from harness import Backend, Project, Server, http_response, in_parallel
from test_platform import ALL, commands, results


class TwoServers(Project):
    """Each with its own ports, on the same data."""

    EVENTS = 200

    def setUp(self):
        super().setUp()
        self.add("platform")
        self.add("note")
        self.config(f"""
            [server]
            admin = "off"
            [functions.platform]
            permissions = {ALL}
            [functions.note]
            permissions = {ALL}
            [triggers]
            "note.*" = "note"
            "* * * * *" = "note"
            [services.events]
            first_retry = "20ms"
            last_retry = "100ms"
        """)
        self.servers = [self.start(n) for n in range(2)]

    def start(self, n):
        logs = self.path(f"server{n}")
        logs.mkdir(exist_ok=True)
        server = Server(self.directory, "--workers", "1", logs=logs)
        self.addCleanup(self.end, server)
        return server

    def end(self, server):
        if server.process.poll() is None:
            server.__exit__(None, None, None)

    def run_all(self, server, *lines):
        answer = server.request("/platform", commands(*lines))
        self.assertEqual(answer.status, 200, answer.body)
        return results(answer)

    def query(self, sql):
        connection = sqlite3.connect(self.path(".ubiq", "data", "ubiq.db"), timeout=10)
        try:
            with connection:
                return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def notes(self):
        return [json.loads(value) for value, in self.query(
            "SELECT CAST(value AS TEXT) FROM kv WHERE key >= CAST('note:' AS BLOB)"
            " AND key < CAST('note;' AS BLOB) ORDER BY key")]

    def wait_for(self, what):
        self.servers[0].wait_for(lambda: what() or None, "it does not come", 30)

    def test_each_event_is_delivered_once(self):
        def emit(i):
            events = []
            for n in range(0, self.EVENTS, 10):
                events += self.run_all(self.servers[i % 2],
                                       *[("emit", f"note.{i}", n + k) for k in range(10)])
            return [e.decode() for _, e in events]

        emitted = sum(in_parallel(4, emit), [])
        self.wait_for(lambda: self.query("SELECT count(*) FROM event_delivery")[0][0] == 0)
        by_topic = collections.defaultdict(list)
        notes = [n for n in self.notes() if "topic" in n]
        for note in notes:
            by_topic[note["topic"]].append(note["payload"])
        self.assertEqual(sorted(n["id"] for n in notes), sorted(emitted))
        for topic, numbers in by_topic.items():
            self.assertEqual(numbers, list(range(self.EVENTS)), topic)

    def test_a_tick_is_run_once(self):
        for server in self.servers:
            server.stop()
        while time.time() % 60 > 50:
            time.sleep(0.5)
        self.query("UPDATE event_schedule SET last = last - 600000")
        self.servers = in_parallel(2, self.start)
        self.wait_for(self.notes)
        time.sleep(0.5)
        self.assertEqual(len(self.notes()), 1)

    def test_what_one_writes_the_other_reads(self):
        one, other = self.servers
        for n in range(50):
            self.run_all(one, ("set", "a", n, 0), ("write", "f", f"content {n}"))
            self.assertEqual([text for _, text in self.run_all(other, ("get", "a"), ("read", "f"))],
                             [str(n).encode(), f"content {n}".encode()])
        in_parallel(4, lambda i: [self.run_all(self.servers[i % 2], ("increment", "n", 1))
                                  for _ in range(100)])
        self.assertEqual(self.run_all(one, ("get", "n")), [(3, b"400")])

    def test_one_takes_over_what_the_other_had(self):
        one, other = self.servers
        one.process.kill()
        one.process.wait()
        (_, event), = self.run_all(other, ("emit", "note.x", "1"))
        self.servers = [other]
        self.wait_for(lambda: [n for n in self.notes() if n.get("id") == event.decode()])


class Outbound(Project):
    def setUp(self):
        super().setUp()
        self.add("platform")
        self.add("platform", "anywhere")
        self.backend = Backend(self.answer)
        self.addCleanup(self.backend.close)
        self.location = None
        self.config("""
            [server]
            admin = "off"
            [functions.platform]
            permissions = ["http:get:127.0.0.1:*/open/*"]
            limits = { http_requests = 5 }
            [functions.anywhere]
            permissions = ["http:*:*:*/*"]
        """)
        self.server = self.serve("--workers", "1")
        self.addCleanup(self.server.__exit__, None, None, None)

    def answer(self, request):
        path = request.split()[1]
        if path.startswith(b"/open/to"):
            return http_response(302, b"", f"Location: {self.location}")
        return http_response(200, b"reached " + path)

    def ask(self, *urls, function="platform", method="GET"):
        return self.server.request(f"/{function}", commands(*[("http", method, url) for url in urls]))

    def at(self, path, host="127.0.0.1"):
        return f"http://{host}:{self.backend.port}{path}"

    def refused(self, url, why, **more):
        answer = self.ask(url, **more)
        self.assertEqual((answer.status, answer.error()["code"]), (500, "function_failed"), url)
        self.server.said(why)

    def test_so_many_in_one_invocation(self):
        answer = self.ask(*[self.at("/open/x")] * 5)
        self.assertEqual(results(answer), [(200, b"reached /open/x")] * 5)
        self.assertEqual(self.ask(*[self.at("/open/x")] * 6).status, 500)
        self.server.said("has made the 5 HTTP requests that one invocation may make")
        self.assertEqual(self.ask(self.at("/open/x")).status, 200)

    def test_what_is_not_allowed(self):
        self.refused(self.at("/closed"), "is not allowed")
        self.refused(self.at("/open/x"), "http:post", method="POST")
        self.refused(self.at("/open/../closed"), "/closed is not allowed|closed.*is not allowed")
        self.refused(self.at("/open/%2e%2e/closed"), "is not allowed")
        self.refused(self.at("/open/x", host="localhost"), "is not allowed")
        for url in ["file:///etc/passwd", "ftp://127.0.0.1/open/x", "gopher://127.0.0.1/open/x", "", "x",
                    "http://", "http://127.0.0.1:99999/open/x"]:
            self.assertEqual(self.ask(url).status, 500, url)

    def test_private_addresses(self):
        for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "127.1",
                     "0x7f000001", "2130706433", "017700000001", "10.0.0.1", "192.168.1.1", "169.254.169.254",
                     "[fe80::1]", "[64:ff9b::7f00:1]", "100.64.0.1", "172.16.0.1"]:
            self.assertEqual(self.ask(self.at("/x", host=host), function="anywhere").status, 500, host)
        self.assertEqual(self.backend.most_open, 0)

    def test_redirects(self):
        self.location = "/open/there"
        self.assertEqual(results(self.ask(self.at("/open/to"))), [(200, b"reached /open/there")])
        for location in ["/closed", self.at("/open/x", host="localhost"), "http://169.254.169.254/open/x",
                         "file:///etc/passwd", "//[::1]/open/x", "/open/../closed"]:
            self.location = location
            self.assertEqual(self.ask(self.at("/open/to")).status, 500, location)
        self.location = "/open/to"
        self.assertEqual(self.ask(self.at("/open/to")).status, 500)


if __name__ == "__main__":
    unittest.main()
