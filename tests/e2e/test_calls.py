"""Calls of functions: isolation, errors, time, and requests of their own."""

import json
import resource
import socket
import statistics
import time
import unittest

from harness import Backend, Project, http_response, in_parallel


class Isolation(Project):
    def test_no_call_sees_another(self):
        self.add("count")
        self.add("trap")
        with self.serve("--workers", "2") as server:
            def work(_):
                connection = server.connect()
                seen = set()
                for n in range(100):
                    connection.request("POST", "/trap" if n % 10 == 5 else "/count", b"")
                    answer = connection.getresponse()
                    body = answer.read()
                    seen.add((answer.status, body if answer.status == 200 else None))
                connection.close()
                return seen

            for seen in in_parallel(8, work):
                self.assertEqual(seen, {(200, b"111"), (500, None)})

    def test_memory_of_another_call_is_never_seen(self):
        """`big` gives back memory that it has not written to."""
        self.add("big")
        self.add("echo")
        with self.serve("--workers", "1") as server:
            for n in range(30):
                self.assertEqual(server.request("/echo", b"secret" * 10000).status, 200)
                size = 60000 * (n % 3 + 1)
                answer = server.request("/big", size.to_bytes(8, "little"))
                self.assertEqual(answer.body.count(0), size)


class Errors(Project):
    def setUp(self):
        super().setUp()
        for name in ["fail", "trap", "code", "big", "greedy", "echo"]:
            self.add(name)
        self.server = self.serve("--workers", "1")
        self.addCleanup(self.server.__exit__, None, None, None)

    def failure(self, path, body=b""):
        answer = self.server.request(path, body)
        self.assertEqual((answer.status, answer.type), (500, "application/json"))
        error = answer.error()
        self.assertEqual(set(error), {"code", "message", "invocation"})
        self.assertEqual(error["invocation"], answer.headers["X-Invocation"])
        self.server.logged(status=500, invocation=error["invocation"])
        return error

    def test_what_the_function_says_is_passed_on(self):
        for message in ["no such colour: \"réd\"\n", "x" * 5000]:
            error = self.failure("/fail", message.encode())
            self.assertEqual((error["code"], error["message"]), ("function_error", message[:4096]))
        error = self.failure("/fail", b"\xff\xfe")
        self.assertEqual(error["code"], "function_failed")

    def test_what_the_engine_says_is_logged_only(self):
        error = self.failure("/trap")
        self.assertEqual(error["code"], "function_failed")
        self.assertNotIn("secret", json.dumps(error))
        self.assertNotIn("wasm", json.dumps(error))
        self.server.said(rf"ERROR trap invocation {error['invocation']}: "
                         r"(.*\n)*.*`unreachable` instruction executed")

    def test_a_code_is_a_failure(self):
        error = self.failure("/code")
        self.assertEqual(error["code"], "function_failed")
        self.server.said(rf"{error['invocation']}: it returned 3")

    def test_too_much(self):
        error = self.failure("/big", (11 << 20).to_bytes(8, "little"))
        self.assertEqual(error["code"], "response_too_large")
        self.assertEqual(self.failure("/greedy")["code"], "out_of_memory")
        answer = self.server.request("/big", (10 << 20).to_bytes(8, "little"))
        self.assertEqual((answer.status, len(answer.body)), (200, 10 << 20))

    def test_a_guest_cannot_forge_the_log(self):
        self.failure("/fail", b"one\n2026-01-01T00:00:00.000Z ERROR forged: \x1b[31mred\xc2\x9b")
        self.server.said(r"\n    2026-01-01T00:00:00.000Z ERROR forged: \?\[31mred\?")


class Time(Project):
    def test_a_call_that_takes_too_long(self):
        self.add("loop")
        self.add("echo")
        self.config('[limits]\nwall_time = "500ms"\n')
        with self.serve("--workers", "1") as server:
            server.request("/echo", b"x")
            server.request("/loop")  # its code may not be there in that time
            started = time.monotonic()
            answers = in_parallel(3, lambda _: server.request("/loop"))
            for answer in answers:
                self.assertEqual((answer.status, answer.error()["code"]), (504, "timeout"))
            self.assertTrue(0.4 < time.monotonic() - started < 3)
            server.said("ERROR loop invocation .*longer than it may")
            self.assertEqual(server.request("/echo", b"x").body, b"x")

    def test_a_sleeping_guest_holds_up_nobody(self):
        self.add("sleep")
        self.add("echo")
        with self.serve("--workers", "1") as server:
            self.assertEqual(server.request("/echo", b"x").status, 200)

            def work(n):
                began = time.monotonic()
                if n == 0:
                    self.assertEqual(server.request("/sleep", b"").status, 200)
                    self.assertGreaterEqual(time.monotonic() - began, 1)
                    return 0
                time.sleep(0.2)
                began = time.monotonic()
                self.assertEqual(server.request("/echo", b"x").status, 200)
                return time.monotonic() - began

            self.assertLess(max(in_parallel(4, work)), 0.5)

    def test_long_calls_hold_up_nobody(self):
        self.add("loop")
        self.add("echo")
        self.config('[limits]\nwall_time = "4s"\n')
        with self.serve("--workers", "1") as server:
            server.request("/echo", b"x")
            loops = [server.stream() for _ in range(4)]
            for s in loops:
                s.send(b"GET /loop HTTP/1.1\r\nHost: x\r\n\r\n")
            connection = server.connect()
            taken = []
            for n in range(100):
                started = time.monotonic()
                connection.request("POST", "/echo", b"x")
                self.assertEqual(connection.getresponse().read(), b"x")
                taken.append(time.monotonic() - started)
            taken.sort()
            connection.close()
            # Each waits for one turn of another call, 10 ms, and for what else the machine does;
            # without turns the first would wait for seconds.
            self.assertLess(statistics.median(taken), 0.1)
            self.assertLess(taken[98], 1)
            for s in loops:
                with s:
                    self.assertEqual(s.answer()[0], 504)

    def test_a_client_that_goes_away_cancels_its_call(self):
        self.add("loop")
        self.add("fetch")
        self.config('[functions.fetch]\npermissions = ["http:*:127.0.0.1:*/*"]\n')
        backend = Backend(lambda _: time.sleep(20))
        self.addCleanup(backend.close)
        with self.serve("--workers", "1") as server:
            with server.stream() as s:
                s.send(b"GET /loop HTTP/1.1\r\nHost: x\r\n\r\n")
                time.sleep(0.3)
            server.logged(status=499, path="/loop")
            body = json.dumps({"url": f"http://127.0.0.1:{backend.port}/"}).encode()
            with server.stream() as s:
                s.send(b"POST /fetch HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" %
                       (len(body), body))
                server.wait_for(lambda: backend.open == 1, "it asks nobody")
            server.logged(status=499, path="/fetch")
            # The processor is free again.
            before = sum(self.times(server))
            time.sleep(0.5)
            self.assertLess(sum(self.times(server)) - before, 0.2)

    def test_more_input_than_a_worker_keeps(self):
        """512 MiB at once: each of these bodies is in memory as long as its function waits."""
        self.add("sleep")
        self.config('[limits]\nrequest = "128MiB"\nmemory = "256MiB"\n')
        body = bytes(100 << 20)
        with self.serve("--workers", "1") as server:
            statuses = in_parallel(8, lambda _: server.request("/sleep", body).status)
            self.assertGreaterEqual(statuses.count(200), 5)
            self.assertEqual(statuses.count(200) + statuses.count(503), 8)
            self.assertEqual(server.request("/sleep", b"").status, 200)

    def test_more_calls_than_a_worker_takes(self):
        """8,000 at once: 4,000 calls, each of which waits for another function's, which waits for an
        answer that does not come."""
        self.fill_worker("other", 4000, 503)

    def test_more_calls_of_one_function_than_it_may_have(self):
        """6,000 at once, which leaves room for others."""
        self.fill_worker("platform", 3000, 200)

    def fill_worker(self, invoked, count, others):
        """Makes so many calls of `platform`, each of which waits for one of `invoked`, which waits too.
        Then `platform` has no more, and `others` is the status of other functions."""
        self.add("platform")
        self.add("platform", "other")
        self.add("echo")
        self.config("""
            [limits]
            wall_time = "120s"
            [functions.platform]
            permissions = ["invoke:*", "http:*:127.0.0.1:*/*"]
            [functions.other]
            permissions = ["http:*:127.0.0.1:*/*"]
        """)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        with socket.create_server(("127.0.0.1", 0), backlog=4096) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
            body = f"invoke\t{invoked}\thttp;GET;{url}".encode()
            request = (b"POST /platform HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" %
                       (len(body), body))
            with self.serve("--workers", "1") as server:
                clients = [server.stream() for _ in range(count)]
                for s in clients:
                    s.send(request)
                server.wait_for(lambda: server.counters()["calls_in_flight"] >= 2 * count,
                                "they do not all wait", 60)
                self.assertEqual(server.request("/echo", b"x").status, others)
                with server.stream() as s:
                    s.send(request)
                    status, head, _ = s.answer()
                    self.assertEqual(status, 503)
                    self.assertIn(b"Retry-After: 1\r\n", head)
                    self.assertNotIn(b"Connection: close", head)
                    self.assertEqual(server.request("/healthz").status, 200)
                    for c in clients:
                        c.socket.close()
                    server.wait_for(lambda: len(server.access()) >= count + 3, "they are not cancelled", 60)
                    s.send(request)
                    with self.assertRaises(socket.timeout):
                        s.socket.settimeout(0.3)
                        s.socket.recv(1)

    @staticmethod
    def times(server):
        with open(f"/proc/{server.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return int(fields[11]) / 100, int(fields[12]) / 100


class Outbound(Project):
    def setUp(self):
        super().setUp()
        self.add("fetch")
        self.add("fetch", "denied")
        self.add("echo")
        self.config("""
            [limits]
            wall_time = "3s"
            [functions.fetch]
            permissions = ["http:*:127.0.0.1:*/*"]
        """)
        self.server = self.serve("--workers", "1")
        self.addCleanup(self.server.__exit__, None, None, None)

    def backend(self, answer):
        backend = Backend(answer)
        self.addCleanup(backend.close)
        return backend

    def fetch(self, backend, path="/", function="fetch", host="127.0.0.1", **request):
        request["url"] = f"http://{host}:{backend.port}{path}"
        return self.server.request(f"/{function}", json.dumps(request).encode())

    def test_one_worker_waits_for_many(self):
        def answer(request):
            time.sleep(0.5)
            return http_response(200, request.split()[1])

        backend = self.backend(answer)
        self.server.request("/echo", b"x")
        self.fetch(backend)
        started = time.monotonic()
        waits = []

        def work(i):
            if i == 0:
                time.sleep(0.2)
                for _ in range(100):
                    before = time.monotonic()
                    self.assertEqual(self.server.request("/echo", b"x").body, b"x")
                    waits.append(time.monotonic() - before)
                return None
            return self.fetch(backend, f"/{i}").body

        results = in_parallel(31, work)
        self.assertEqual(results[1:], [f"/{i}".encode() for i in range(1, 31)])
        self.assertLess(time.monotonic() - started, 5)
        self.assertGreater(backend.most_open, 20)
        self.assertLess(statistics.median(waits), 0.1)

    def test_hosts_that_are_not_allowed(self):
        backend = self.backend(lambda _: http_response(200, b"hello"))
        self.assertEqual(self.fetch(backend).body, b"hello")
        for answer in [self.fetch(backend, function="denied"), self.fetch(backend, host="localhost")]:
            self.assertEqual((answer.status, answer.error()["code"]), (500, "function_failed"))
        self.server.said("HTTP request to http://localhost:[0-9]+/ is not allowed")
        elsewhere = f"Location: http://localhost:{backend.port}/"
        redirects = self.backend(lambda _: http_response(302, b"", elsewhere))
        self.assertEqual(self.fetch(redirects).status, 500)

    def test_redirects(self):
        def answer(request):
            n = int(request.split()[1][1:] or b"0")
            return http_response(200, b"there") if n == 5 else http_response(302, b"", f"Location: /{n + 1}")

        self.assertEqual(self.fetch(self.backend(answer), "/0").body, b"there")

    def test_nobody_answers(self):
        backend = self.backend(lambda _: b"")
        self.assertEqual(self.fetch(backend).status, 500)
        backend.close()
        with socket.create_server(("127.0.0.1", 0)) as unused:
            backend.port = unused.getsockname()[1]
        self.assertEqual(self.fetch(backend).status, 500)
        self.server.said("Connection refused")

    def test_an_answer_that_takes_too_long(self):
        backend = self.backend(lambda _: time.sleep(20))
        self.server.request("/fetch", b"{}")
        started = time.monotonic()
        answer = self.fetch(backend)
        self.assertEqual((answer.status, answer.error()["code"]), (504, "timeout"))
        self.assertTrue(2.5 < time.monotonic() - started < 6)

    def test_an_answer_that_is_too_large(self):
        backend = self.backend(lambda _: http_response(200, b"x" * (11 << 20)))
        self.assertEqual(self.fetch(backend).status, 500)
        self.server.said("exceeds the configured maximum number of bytes")


if __name__ == "__main__":
    unittest.main()
