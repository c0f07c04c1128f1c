"""The program around the requests: start, stop, logs, command line."""

import os
import resource
import signal
import socket
import subprocess
import time
import unittest

from harness import UBIQ, Project, in_parallel


class Stopping(Project):
    def test_what_was_begun_is_finished(self):
        for signal_number in [signal.SIGTERM, signal.SIGINT]:
            self.add("spin")
            self.add("echo")
            with self.serve("--workers", "2") as server:
                server.request("/spin")
                server.request("/echo")
                idle = server.stream()
                idle.send(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx")
                self.assertEqual(idle.answer()[2], b"x")
                half = server.stream()
                half.send(b"GET /healthz HT")
                busy = [server.stream() for _ in range(4)]
                for s in busy:
                    s.send(b"GET /spin HTTP/1.1\r\nHost: x\r\n\r\n")
                time.sleep(0.1)
                server.process.send_signal(signal_number)
                with idle:
                    self.assertEqual(idle.rest(), b"")
                with self.assertRaises(ConnectionRefusedError):
                    for _ in range(100):
                        server.stream().socket.close()
                        time.sleep(0.02)
                with half:
                    half.send(b"TP/1.1\r\nHost: x\r\n\r\n")
                    status, head, _ = half.answer()
                    self.assertEqual(status, 503)
                    self.assertIn(b"Retry-After: 1\r\n", head)
                for s in busy:
                    with s:
                        status, head, _ = s.answer()
                        self.assertEqual(status, 200)
                        self.assertIn(b"Connection: close", head)
                        self.assertEqual(s.rest(), b"")
                self.assertEqual(server.process.wait(10), 0)
                self.assertEqual([r["status"] for r in server.access() if r["path"] == "/spin"],
                                 [200] * 5)

    def test_what_does_not_end_is_cut_off(self):
        self.add("loop")
        self.config('[limits]\ncpu_time = "30s"\n')
        with self.serve("--workers", "1") as server:
            with server.stream() as s:
                s.send(b"GET /loop HTTP/1.1\r\nHost: x\r\n\r\n")
                time.sleep(0.5)
                started = time.monotonic()
                self.assertEqual(server.stop(), 0)
                self.assertTrue(9 < time.monotonic() - started < 15)
            self.assertRegex(server.errors(), "stopped 1 calls? that did not end")

    def test_a_second_signal_ends_at_once(self):
        self.add("loop")
        server = self.serve("--workers", "1")
        with server.stream() as s:
            s.send(b"GET /loop HTTP/1.1\r\nHost: x\r\n\r\n")
            time.sleep(0.5)
            started = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            server.process.send_signal(signal.SIGTERM)
            self.assertNotEqual(server.process.wait(5), 0)
            self.assertLess(time.monotonic() - started, 3)

    def test_an_idle_server_stops_soon_and_costs_nothing(self):
        with self.serve() as server:
            server.request("/healthz")
            time.sleep(0.5)
            with open(f"/proc/{server.process.pid}/stat") as stat:
                before = stat.read().rsplit(")", 1)[1].split()[11:13]
            time.sleep(1)
            with open(f"/proc/{server.process.pid}/stat") as stat:
                after = stat.read().rsplit(")", 1)[1].split()[11:13]
            self.assertLess(sum(map(int, after)) - sum(map(int, before)), 3)
            started = time.monotonic()
            self.assertEqual(server.stop(), 0)
            self.assertLess(time.monotonic() - started, 2)


class Logs(Project):
    def test_access_log(self):
        self.add("echo")
        with self.serve("--workers", "2") as server:
            answer = server.request("/echo?secret=1", b"hello")
            line = server.logged(path="/echo", method="POST", status=200, bytes=5)
            self.assertEqual(line["invocation"], answer.headers["X-Invocation"])
            self.assertRegex(line["invocation"], "^[0-9a-f]{16}$")
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertIsInstance(line["micros"], int)
            server.raw(b"GET /%22\\\xc3\xa9 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            server.logged(path="/%22%5C%C3%A9", status=404)
            server.raw(b"garbage\r\n\r\n")
            server.logged(path="", method="", status=400)
            in_parallel(10, lambda _: server.request("/echo", b"more"))
            self.assertEqual(server.stop(), 0)
            self.assertEqual(len(server.access()), 13)
            ids = [line["invocation"] for line in server.access() if line["invocation"]]
            self.assertEqual(len(set(ids)), 12)

    def test_what_functions_log(self):
        self.add("log")
        with self.serve() as server:
            server.request("/log", b"some words")
            server.said(r"Z INFO  log invocation [0-9a-f]{16}: some words\n")
            self.assertEqual(server.errors().count("some words"), 1)
            self.assertNotIn("\x1b", server.errors())

    def test_access_log_elsewhere(self):
        self.add("echo")
        with self.serve("--access-log", "off") as server:
            server.request("/echo", b"x")
        self.assertEqual(server.access(), [])
        path = self.path("requests.log")
        for _ in range(2):
            with self.serve("--access-log", str(path)) as server:
                server.request("/echo", b"x")
        self.assertEqual(len(path.read_text().splitlines()), 2)
        self.assertEqual(server.access(), [])

    def test_an_address_in_use(self):
        self.add("echo")
        with self.serve() as server:
            done = self.run_command("serve", self.directory, "--listen", f"127.0.0.1:{server.port}")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, "is in use by another program: --listen ")

    def test_a_log_that_nobody_reads_holds_up_nobody(self):
        self.add("echo")
        read_end, write_end = os.pipe()
        process = subprocess.Popen([UBIQ, "serve", self.directory, "--listen", "127.0.0.1:0"],
                                   stdout=write_end, stderr=subprocess.PIPE)
        os.close(write_end)
        try:
            port = int(process.stderr.readline().split(b"127.0.0.1:")[1].split()[0])
            request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 100
            answered = 0
            with socket.create_connection(("127.0.0.1", port), 10) as s:
                for _ in range(20):
                    s.sendall(request)
                    data = b""
                    while data.count(b"HTTP/1.1 200") < 100 or not data.endswith(b"ok\n"):
                        data += s.recv(65536)
                    answered += 100
            self.assertEqual(answered, 2000)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(10), 0)
        finally:
            process.kill()
            process.wait()
            process.stderr.close()
            os.close(read_end)


class LimitsOfTheSystem(Project):
    @staticmethod
    def leave_files(server, count):
        """So many more files may the server open."""
        used = len(os.listdir(f"/proc/{server.process.pid}/fd"))
        hard = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (used + count, hard))

    def test_few_files(self):
        self.add("echo")
        with self.serve("--workers", "1") as server:
            self.assertEqual(server.request("/echo", b"x").status, 200)
            self.leave_files(server, 10)
            # Clients that only keep their connections make room for others.
            clients = []
            for _ in range(30):
                clients.append(server.stream())
                clients[-1].send(b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertEqual(clients[-1].answer()[0], 200)
            for s in clients:
                s.socket.close()
            # So do those that say nothing for a second, the oldest first, but none that has begun.
            begun = server.stream()
            begun.send(b"GET /echo HTTP/1.1\r\n")
            clients = [server.stream() for _ in range(12)]
            self.assertEqual(server.request("/echo", b"x").status, 200)
            with clients[0] as s:
                self.assertEqual(s.rest(), b"")
            with begun as s:
                s.send(b"Host: x\r\nConnection: close\r\n\r\n")
                self.assertEqual(s.answer()[0], 200)
            for s in clients[1:]:
                s.socket.close()
            # Those that are at it do not: the others wait for them, and that is told.
            clients = [server.stream() for _ in range(20)]
            for s in clients:
                s.send(b"GET /echo HTTP/1.1\r\n")
            server.said("new connections wait: Too many open files: more than ulimit -n")
            for s in clients:
                s.send(b"Host: x\r\nConnection: close\r\n\r\n")
            for s in clients:
                with s:
                    self.assertEqual(s.answer()[0], 200)

    def test_few_mappings_are_told(self):
        """How many calls there can be at once is said at start, if it is less than there should be."""
        with open("/proc/sys/vm/max_map_count", encoding="ascii") as f:
            few = int(f.read()) < 65000
        with self.serve("--workers", "1") as server:
            server.request("/healthz")
            self.assertEqual("vm.max_map_count is" in server.errors(), few)


class CommandLine(Project):
    def test_help(self):
        for arguments in [["--help"], ["-h"], ["help"]]:
            done = self.run_command(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("serve", done.stdout)
        for arguments in [["serve", "--help"], ["help", "serve"]]:
            done = self.run_command(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("--listen", done.stdout)
        for arguments in [["version"], ["--version"]]:
            self.assertRegex(self.run_command(*arguments).stdout, r"^ubiq \d+\.\d+\.\d+\n$")

    def test_usage_errors(self):
        for arguments in [[], ["nonsense"], ["serve", "a", "b"],
                          ["serve", "--nonsense", "a"], ["serve", "a", "--listen"],
                          ["serve", "a", "--workers", "many"], ["serve", "a", "--workers", "-1"],
                          ["help", "nonsense"]]:
            done = self.run_command(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""), arguments)
            self.assertNotEqual(done.stderr, "")

    def test_what_cannot_be_started(self):
        done = self.run_command("serve", self.directory + "/nothing")
        self.assertEqual(done.returncode, 1)
        self.assertIn("No such file or directory", done.stderr)
        os.rmdir(self.path("functions"))
        self.assertIn("functions: there is no such directory", self.refused())
        os.mkdir(self.path("functions"))
        for address in ["nonsense", "127.0.0.1", "127.0.0.1:", ":", "127.0.0.1:99999", "::1:3000",
                        "127.0.0.1:http", "1.2.3.4:3000", "no.such.host.invalid:3000"]:
            done = self.run_command("serve", self.directory, "--listen", address)
            self.assertEqual(done.returncode, 1, address)
            self.assertIn(address, done.stderr)
        done = self.run_command("serve", self.directory, "--listen", "127.0.0.1:0",
                                "--access-log", "/nowhere/at/all")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nowhere/at/all", done.stderr)

    def test_a_port_in_use(self):
        with self.serve() as server:
            done = self.run_command("serve", self.directory, "--listen", f"127.0.0.1:{server.port}")
            self.assertEqual(done.returncode, 1)
            self.assertIn(f"127.0.0.1:{server.port} is in use", done.stderr)

    def test_ipv6(self):
        if not socket.has_ipv6 or not os.path.exists("/proc/net/if_inet6"):
            self.skipTest("no IPv6 here")
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            self.skipTest("no IPv6 here")
        process = subprocess.Popen([UBIQ, "serve", self.directory, "--listen", "[::1]:0"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            line = process.stderr.readline()
            self.assertRegex(line, rb"at http://\[::1\]:\d+ with")
            port = int(line.split(b"[::1]:")[1].split()[0])
            with socket.create_connection(("::1", port), 10) as s:
                s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                self.assertIn(b"200 OK", s.recv(100))
        finally:
            process.terminate()
            self.assertEqual(process.wait(10), 0)
            process.stderr.close()

    def test_what_a_newcomer_sees(self):
        self.add("echo")
        self.add("echo", "users/list")
        self.config('[functions.echo]\nmethods = ["GET"]\n')
        with self.serve("--workers", "1") as server:
            at = f"http://127.0.0.1:{server.port}"
            server.said(rf"serves {self.directory} at {at} with 1 worker\n")
            server.said(rf"\n  /echo +curl {at}/echo\n")
            server.said(rf"\n  /users/list +curl -d 'some text' {at}/users/list\n")
        for n in range(30):
            self.add("echo", f"n{n}")
        with self.serve() as server:
            server.said("and 12 more")


class Loading(Project):
    def test_many_functions(self):
        for n in range(200):
            self.add(["echo", "count", "fetch", "several"][n % 4], f"f{n:03}")
        with self.serve() as server:
            answers = in_parallel(20, lambda i: server.request(f"/f{i * 4 + 100:03}", b"x"))
            self.assertEqual([a.body for a in answers], [b"x"] * 20)
            server.said("ERROR f199: ")
            self.assertEqual(server.request("/f000", b"x").body, b"x")


if __name__ == "__main__":
    unittest.main()
