"""Functions that do harm: what it costs them, and that others are served meanwhile and after."""

import re
import time
import unittest

from harness import Project, in_parallel

ALL = '["kv:read:*", "kv:write:*", "storage:read:*", "storage:write:*", "events:emit:*", "invoke:*"]'
MIB = 1 << 20


class Hostile(Project):
    """A server with two workers and the function `hostile`, which does as it is told."""

    more = ""

    def setUp(self):
        super().setUp()
        self.add("hostile")
        self.add("echo")
        self.add("fail")
        self.config(f"""
            [limits]
            cpu_time = "1s"
            wall_time = "10s"
            [functions.hostile]
            permissions = {ALL}
            {self.more}
        """)
        self.server = self.serve("--workers", "2")
        self.addCleanup(self.server.__exit__, None, None, None)
        self.assertEqual(self.server.request("/echo", b"x").body, b"x")

    def do(self, what, status=200):
        answer = self.server.request("/hostile", what.encode())
        self.assertEqual(answer.status, status, answer.body)
        return answer.body.decode() if status == 200 else answer.error()

    def number(self, what):
        return int(self.do(what).split()[1])

    def tearDown(self):
        for _ in range(4):
            self.assertEqual(self.server.request("/echo", b"still there").body, b"still there")

    def resident(self):
        with open(f"/proc/{self.server.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s*(\d+) kB", status.read()).group(1)) << 10


class Memory(Hostile):
    def test_all_that_it_can_get(self):
        before = self.resident()
        for _ in range(20):
            self.assertEqual(self.do("grow", 500)["code"], "out_of_memory")
        self.assertLess(self.resident() - before, 200 * MIB)

    def test_blocks_without_end(self):
        for _ in range(3):
            self.assertEqual(self.do("blocks", 500)["code"], "out_of_memory")
        self.assertEqual(self.number("hold 10000"), 10000)

    def test_a_stack_without_end(self):
        self.assertEqual(self.do("recurse", 500)["code"], "function_failed")
        self.server.said("call stack exhausted")

    def test_an_output_without_end(self):
        self.assertEqual(self.do(f"output {11 * MIB}", 500)["code"], "response_too_large")
        self.assertEqual(self.do(f"output {1 << 30}", 500)["code"], "out_of_memory")
        answer = self.server.request("/hostile", f"output {10 * MIB}".encode())
        self.assertEqual(len(answer.body), 10 * MIB)


class Time(Hostile):
    def test_others_are_served_while_it_computes(self):
        def work(i):
            if i < 4:
                return self.do("loop", 504)["code"]
            taken = []
            for _ in range(30):
                began = time.monotonic()
                self.assertEqual(self.server.request("/echo", b"x").body, b"x")
                taken.append(time.monotonic() - began)
            return sorted(taken)[15]

        *loops, median = in_parallel(5, work)
        self.assertEqual(loops, ["timeout"] * 4)
        self.assertLess(median, 0.3)


class Services(Hostile):
    more = """
        [services.storage]
        total = "8MiB"
        [services.kv]
        total = "1MiB"
        keys = 500
        [services.events]
        pending = 300
        attempts = 1
        [triggers]
        "hostile" = "fail"
    """

    def test_files_without_end(self):
        self.assertEqual(self.number("storage 1000"), -5)
        done = self.run_command("storage", "list", "-C", self.directory)
        self.assertEqual(len(done.stdout.splitlines()), 8)

    def test_keys_without_end(self):
        self.assertEqual(self.number("keys 1000"), -5)

    def test_names(self):
        codes = [tuple(map(int, line.split())) for line in self.do("names").splitlines()]
        self.assertEqual(codes, [(0, -3), (-3, -3), (-3, -3), (-3, -3), (0, -3), (0, -3), (0, -3), (0, -3),
                                 (0, 0), (0, -3), (-3, -3), (-4, -4)])

    def test_events_without_end(self):
        self.assertEqual(self.number("emit 1000"), -5)

    def test_traces_without_end(self):
        self.assertEqual(self.number("trace 1000000"), -4)


class Invocations(Hostile):
    def test_a_tree_of_invocations(self):
        """Three by each would be 9841, eight deep."""
        for _ in range(2):
            self.assertEqual(self.number("tree"), 1001)


class Log(Hostile):
    def test_lines_without_end(self):
        self.do("log 1000")
        self.server.said("WARN  hostile invocation [0-9a-f]{16}: it has logged")
        self.assertLess(self.server.error_path.stat().st_size, 2 * MIB)
        self.server.said(r"INFO  hostile invocation [0-9a-f]{16}: one\n    2026-01-01T00:00:00.000Z "
                         "ERROR forged: x")
        self.do("log 1")
        self.assertEqual(self.server.request("/echo", b"x").body, b"x")


class Handles(Hostile):
    more = """
        [triggers]
        "echo" = "echo"
    """

    def test_wild_arguments_to_every_function(self):
        seen = set()
        for seed in range(100):
            answer = self.server.request("/hostile", f"fuzz {seed}".encode())
            seen.add(answer.status)
            if seed % 50 == 0:
                self.assertEqual(self.server.request("/echo", b"x").body, b"x")
        self.assertLessEqual(seen, set(range(200, 600)))
        self.assertGreater(len(seen), 1)


if __name__ == "__main__":
    unittest.main()
