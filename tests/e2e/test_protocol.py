"""HTTP/1.1 as clients speak it, well and badly."""

import socket
import threading
import time
import unittest

from harness import Project, in_parallel


def post(path, body, *headers):
    head = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(head).encode() + body


def statuses(data):
    """The status of each answer in what a connection gave."""
    found = []
    while data:
        head, rest = data.split(b"\r\n\r\n", 1)
        found.append(int(head.split()[1]))
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        data = rest[length:] if found[-1] != 100 else rest
    return found


class Protocol(Project):
    def setUp(self):
        super().setUp()
        for name in ["echo", "big", "spin", "count"]:
            self.add(name)
        self.server = self.serve("--workers", "1")
        self.addCleanup(self.server.__exit__, None, None, None)

    def test_malformed_requests(self):
        host = b"Host: x\r\n"
        cases = [
            (b"\x16\x03\x01\x02\x00\x01\x00", 400),  # as TLS begins
            (b"GET /healthz HTTP/1.1\n" + host, 400),
            (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
            (b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400),
            (b"GET  /healthz HTTP/1.1\r\n" + host + b"\r\n", 400),
            (b"GET /healthz\r\n\r\n", 400),
            (b"GET /healthz HTTP/1.1 x\r\n" + host + b"\r\n", 400),
            (b"GET healthz HTTP/1.1\r\n" + host + b"\r\n", 400),
            (b"GET * HTTP/1.1\r\n" + host + b"\r\n", 400),
            (b"GET /a#b HTTP/1.1\r\n" + host + b"\r\n", 400),
            (b"GET /healthz HTTP/2.0\r\n" + host + b"\r\n", 505),
            (b"GET /healthz HTTX/1.1\r\n" + host + b"\r\n", 400),
            (b"CONNECT x:1 HTTP/1.1\r\n" + host + b"\r\n", 501),
            (b"GET /healthz HTTP/1.1\r\n" + host + b"X : y\r\n\r\n", 400),
            (b"GET /healthz HTTP/1.1\r\n" + host + b" folded\r\n\r\n", 400),
            (b"GET /healthz HTTP/1.1\r\n" + host + b"X: a\0b\r\n\r\n", 400),
            (b"GET /healthz HTTP/1.1\r\n" + host + b"X: a\rb\r\n\r\n", 400),
            (b"GET /healthz HTTP/1.1\r\n" + host + b"nothing\r\n\r\n", 400),
            (b"GET /healthz HTTP/1.1\r\n" + host + b": x\r\n\r\n", 400),
            (b"POST /echo HTTP/1.1\r\n" + host + b"Content-Length: -1\r\n\r\n", 400),
            (b"POST /echo HTTP/1.1\r\n" + host + b"Content-Length: 1x\r\n\r\n", 400),
            (b"POST /echo HTTP/1.1\r\n" + host + b"Content-Length: \r\n\r\n", 400),
            (b"POST /echo HTTP/1.1\r\n" + host + b"Content-Length: +1\r\n\r\nx", 400),
            (b"POST /echo HTTP/1.1\r\n" + host + b"Content-Length: 1, 1\r\n\r\nx", 400),
            (b"POST /echo HTTP/1.1\r\n" + host +
             b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400),
            (b"POST /echo HTTP/1.1\r\n" + host +
             b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            (b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            (b"POST /echo HTTP/1.1\r\n" + host + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
            (b"POST /echo HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n"
             b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            (b"POST /echo HTTP/1.1\r\n" + host +
             b"Content-Length: 99999999999999999\r\n\r\n", 413),
            (b"POST /echo HTTP/1.1\r\n" + host +
             b"Content-Length: 99999999999999999999\r\n\r\n", 400),
            (b"GET /" + b"x" * 10000 + b" HTTP/1.1\r\n" + host + b"\r\n", 414),
            (b"GET /" + b"x" * 20000, 414),
            (b"GET /healthz HTTP/1.1\r\n" + host + b"X: " + b"x" * 20000 + b"\r\n\r\n", 431),
            (b"GET /healthz HTTP/1.1\r\n" + host + b"X: y\r\n" * 200 + b"\r\n", 431),
        ]
        for data, status in cases:
            answer = self.server.raw(data)
            self.assertEqual(statuses(answer), [status], data[:200])
            self.assertIn(b"Connection: close\r\n", answer)
            self.assertIn(b'{"error":{"code":"', answer)
        self.assertEqual(self.server.request("/echo", b"alive").body, b"alive")

    def test_malformed_chunks(self):
        start = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        for body in [b"x\r\n", b"\r\n", b"5\r\nhelloX", b"5\nhello\r\n0\r\n\r\n", b"-1\r\n",
                     b"0x5\r\nhello\r\n", b"1" * 17 + b"\r\n", b"5 \x01\r\n", b"0\r\n\n",
                     b"5;" + b"x" * 9000]:
            self.assertEqual(statuses(self.server.raw(start + body)), [400], body[:50])
        good = start + b"5;a=b\r\nhello\r\n6 \r\n world\r\n0\r\nTrailer: x\r\n\r\n"
        for size in [1, 7, len(good)]:
            with self.server.stream() as s:
                for at in range(0, len(good), size):
                    s.send(good[at:at + size])
                self.assertEqual(s.answer()[2], b"hello world")

    def test_what_could_smuggle_a_request(self):
        """Whatever another server in front could take for the end of a body: one answer, and no more."""
        inside = b"GET /count HTTP/1.1\r\nHost: x\r\n\r\n"
        chunks = b"0\r\n\r\n" + inside
        length = b"Content-Length: %d\r\n" % len(chunks)
        te = b"Transfer-Encoding: chunked\r\n"
        for head, status in [
                (length + te, 400), (te + length, 400), (b"Content-Length: 0\r\n" + length, 400),
                (length + b"Content-Length: 0\r\n", 400), (b"Content-Length: 0, %d\r\n" % len(chunks), 400),
                (length + b"Transfer-Encoding: xchunked\r\n", 501),
                (b"Transfer-Encoding: xchunked\r\n", 501), (b"Transfer-Encoding: identity\r\n", 501),
                (b"Transfer-Encoding: chunked, identity\r\n", 501),
                (b"Transfer-Encoding: chunked, chunked\r\n", 501), (b"Transfer-Encoding:\r\n", 501),
                (b"Transfer-Encoding: \x0bchunked\r\n", 400), (b"Transfer-Encoding: 'chunked'\r\n", 501),
                (b"Transfer-Encoding: chunked\0\r\n", 400), (b"Transfer-Encoding : chunked\r\n", 400),
                (b" Transfer-Encoding: chunked\r\n", 400), (b"X: y\r\n Transfer-Encoding: chunked\r\n", 400),
                (b"Transfer-Encoding\0: chunked\r\n", 400), (b"Transfer-Encoding\t: chunked\r\n", 400),
                (b"X: y\nTransfer-Encoding: chunked\r\n", 400), (b"X: y\rTransfer-Encoding: chunked\r\n", 400),
                (b"Content-Length: 0x5\r\n", 400), (b"Content-Length: 5 5\r\n", 400),
                (b"Content-Length: 5;\r\n", 400), (b"Content-Length: \xd9\xa5\r\n", 400),
                (b"Content-Length : 5\r\n", 400), (b"\nContent-Length: 5\r\n", 400)]:
            answer = self.server.raw(b"POST /echo HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n" + chunks)
            self.assertEqual(statuses(answer), [status], head)
            self.assertIn(b"Connection: close\r\n", answer, head)
        for body in [b"0\r\nX: y\n\r\n", b"0\r\nX: a\0b\r\n\r\n", b"1\r\nxx\r\n0\r\n\r\n", b"1;a\nb\r\nx\r\n0\r\n\r\n",
                     b"1;a\rb\r\nx\r\n0\r\n\r\n", b"00000000000000000\r\n\r\n", b"0_1\r\nx\r\n0\r\n\r\n"]:
            answer = self.server.raw(b"POST /echo HTTP/1.1\r\nHost: x\r\n" + te + b"\r\n" + body + inside)
            self.assertEqual(statuses(answer), [400], body)
        answers = self.server.raw(b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\tChunked \r\n\r\n"
                                  b"0\r\nContent-Length: 5\r\n\r\n" + inside +
                                  post("/echo", b"x", "Connection: close"))
        self.assertEqual(statuses(answers), [200, 200, 200])

    def test_bodies_over_the_limit(self):
        big = b"x" * ((1 << 20) + 1)
        self.assertEqual(statuses(self.server.raw(post("/echo", big))), [413])
        chunked = (b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
                   b"10000\r\n" + b"x" * 65536 + b"\r\n") + b"f0000\r\n" + b"x" * 0xf0000 + b"\r\n"
        self.assertEqual(statuses(self.server.raw(chunked + b"1\r\nx\r\n0\r\n\r\n")), [413])
        with self.server.stream() as s:
            s.send(chunked + b"0\r\n\r\n")
            status, _, body = s.answer()
            self.assertEqual((status, len(body)), (200, 1 << 20))

    def test_expect(self):
        with self.server.stream() as s:
            s.send(post("/echo", b"", "Expect: 100-continue").replace(b"th: 0", b"th: 5"))
            self.assertEqual(s.socket.recv(100), b"HTTP/1.1 100 Continue\r\n\r\n")
            s.send(b"hello")
            self.assertEqual(s.answer()[2], b"hello")
        with self.server.stream() as s:
            s.send(post("/echo", b"", "Expect: 100-continue").replace(b"th: 0", b"th: 5000000"))
            self.assertEqual(s.answer()[0], 413)

    def test_one_request_in_many_pieces(self):
        data = post("/echo", b"hello") + post("/echo", b"again")
        with self.server.stream() as s:
            for i in range(len(data)):
                s.send(data[i:i + 1])
            self.assertEqual(s.answer()[2], b"hello")
            self.assertEqual(s.answer()[2], b"again")

    def test_requests_one_behind_the_other(self):
        requests = [post("/echo", str(i).encode() * (i % 50)) for i in range(500)]
        requests[77] = post("/spin", b"")
        requests[250] = post("/nothing", b"some text")
        requests.append(post("/echo", b"", "Connection: close"))
        answers = self.server.raw(b"".join(requests))
        expected = [200] * 501
        expected[250] = 404
        self.assertEqual(statuses(answers), expected)
        self.assertIn(b"\r\n\r\n" + b"499" * 49 + b"HTTP", answers)

    def test_thousands_of_requests_one_behind_the_other(self):
        requests = [post("/echo", b"x" * (n % 100)) for n in range(30000)]
        requests.append(post("/echo", b"", "Connection: close"))
        with self.server.stream() as s:
            sender = threading.Thread(target=s.send, args=(b"".join(requests),))
            sender.start()
            self.assertEqual(s.rest().count(b"HTTP/1.1 200 OK\r\n"), 30001)
            sender.join()

    def test_garbage_behind_a_request(self):
        for path in ["/echo", "/spin"]:
            answers = self.server.raw(post(path, b"hello") + b"\x00garbage\r\n\r\n")
            self.assertEqual(statuses(answers), [200, 400], path)

    def test_more_behind_a_request_than_is_read_ahead(self):
        requests = post("/spin", b"") + post("/echo", b"x" * 1000) * 1000
        answers = self.server.raw(requests + post("/echo", b"", "Connection: close"))
        self.assertEqual(statuses(answers), [200] * 1002)

    def test_persistence(self):
        with self.server.stream() as s:
            for _ in range(3):
                s.send(b"\r\n" + post("/echo", b"x"))
                self.assertNotIn(b"Connection:", s.answer()[1])
        old = b"GET /healthz HTTP/1.0\r\n"
        self.assertIn(b"Connection: close\r\n", self.server.raw(old + b"\r\n"))
        with self.server.stream() as s:
            for _ in range(2):
                s.send(old + b"Connection: Keep-Alive\r\n\r\n")
                self.assertIn(b"Connection: keep-alive", s.answer()[1])
        answers = self.server.raw(post("/echo", b"x", "Connection: foo, close") + post("/echo", b"y"))
        self.assertEqual(statuses(answers), [200])

    def test_absolute_form(self):
        answer = self.server.raw(b"GET http://x/healthz?y HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        self.assertEqual(statuses(answer), [200])

    def test_a_client_that_sends_no_more_still_gets_its_answer(self):
        self.server.request("/echo", b"once, so that it is loaded")
        with self.server.stream() as s:
            s.send(post("/echo", b"hello"))
            s.socket.shutdown(socket.SHUT_WR)
            self.assertTrue(s.rest().endswith(b"hello"))

    def test_a_slow_reader_holds_up_nobody(self):
        size = (9 << 20).to_bytes(8, "little")
        with self.server.stream() as s:
            s.send(post("/big", size) + post("/echo", b"behind it"))
            time.sleep(0.3)
            for _ in range(50):
                self.assertEqual(self.server.request("/echo", b"x", timeout=2).body, b"x")
            status, _, body = s.answer()
            self.assertEqual((status, len(body)), (200, 9 << 20))
            self.assertEqual(s.answer()[2], b"behind it")

    def test_clients_that_send_too_slowly(self):
        def slow(first):
            started = time.monotonic()
            with self.server.stream() as s:
                s.socket.settimeout(0.5)
                s.send(first)
                more = True
                while more and time.monotonic() - started < 20:
                    try:
                        more = s.more()
                    except socket.timeout:
                        s.send(b"x" if first else b"")
                return s.data, time.monotonic() - started

        silent, drips = in_parallel(2, lambda i: slow([b"", b"GET / HTTP/1.1\r\nX: "][i]))
        self.assertEqual(silent[0], b"")
        self.assertEqual(statuses(drips[0]), [408])
        for _, seconds in (silent, drips):
            self.assertTrue(9 < seconds < 15, seconds)

    def test_answers_survive_what_the_client_still_sends(self):
        big = b"x" * (8 << 20)
        for _ in range(5):
            with self.server.stream() as s:
                s.send(post("/echo", b"").replace(b"th: 0", b"th: 8388608"))
                try:
                    s.send(big)
                except OSError:
                    pass
                self.assertEqual(s.answer()[0], 413)

    def test_many_connections(self):
        def work(i):
            answers = []
            connection = self.server.connect()
            for n in range(20):
                body = f"{i} {n}".encode()
                connection.request("POST", "/echo", body)
                answers.append(connection.getresponse().read() == body)
            connection.close()
            return all(answers)

        self.assertTrue(all(in_parallel(50, work)))


if __name__ == "__main__":
    unittest.main()
