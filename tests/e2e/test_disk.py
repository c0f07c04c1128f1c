"""Disks that are full, databases that are damaged."""

import json
import os
import pathlib
import random
import re
import subprocess
import unittest

from harness import UBIQ, Project
from test_platform import ALL, commands, results

MIB = 1 << 20
UNAVAILABLE = -8
NOBODY = 65534


class Small:
    """A file system of so many bytes."""

    def __init__(self, path, size):
        self.path = pathlib.Path(path)
        self.path.mkdir(exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "none", path],
                              capture_output=True, text=True)
        if done.returncode:
            raise unittest.SkipTest(f"mounting is not permitted here: {done.stderr.strip()}")

    def fill(self):
        """Leaves no byte."""
        with open(self.path / "filler", "ab", buffering=0) as filler:
            for size in (65536, 4096, 1):
                try:
                    while filler.write(b"x" * size) == size:
                        pass
                except OSError:
                    pass

    def make_room(self):
        (self.path / "filler").unlink()

    def unmount(self):
        subprocess.run(["umount", "-l", self.path], check=True)


class Disk(Project):
    def setUp(self):
        super().setUp()
        self.add("platform")
        self.add("note")
        self.config(f"""
            [functions.platform]
            permissions = {ALL}
            [functions.note]
            permissions = {ALL}
            [triggers]
            "note.*" = "note"
            [services.events]
            first_retry = "20ms"
            last_retry = "100ms"
        """)
        self.server = None
        self.addCleanup(self.stop)

    def start(self):
        self.server = self.serve("--workers", "2")

    def stop(self):
        if self.server:
            self.server.__exit__(None, None, None)
        self.server = None

    def run_all(self, *lines):
        answer = self.server.request("/platform", commands(*lines))
        self.assertEqual(answer.status, 200, answer.body)
        return results(answer)

    def code(self, *line):
        """What it gives, or the size of what it gives, which may be any bytes."""
        answer = self.server.request("/platform", commands(line))
        self.assertEqual(answer.status, 200, answer.body)
        return int(re.match(rb"-?\d+", answer.body).group())

    def ubiq(self, *arguments):
        done = self.run_command(*arguments, "-C", self.directory)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def notes(self):
        keys = self.ubiq("kv", "list", "note:", "--limit", "1000").splitlines()
        return [json.loads(self.ubiq("kv", "get", key)) for key in keys]


class Full(Disk):
    def setUp(self):
        super().setUp()
        self.disk = Small(self.path(".ubiq"), 4 * MIB)
        self.addCleanup(self.disk.unmount)
        self.start()

    def until_refused(self, command):
        """Does it again and again; how often it was done before it was refused for want of room."""
        for n in range(1000):
            result, = self.run_all(command(n))
            if not isinstance(result, int) and result[0] < 0:
                self.assertEqual(result[0], UNAVAILABLE)
                self.assertIn(b"full", result[1])
                return n
            if isinstance(result, int):
                self.assertGreaterEqual(result, 0)
        self.fail("it is never refused")

    def test_writes_are_refused_and_reads_go_on(self):
        big = "x" * 20000
        self.run_all(("set", "before", "1", 0), ("write", "before", "one"))
        self.disk.fill()
        keys = self.until_refused(lambda n: ("set", f"key:{n}", big, 0))
        files = self.until_refused(lambda n: ("write", f"file/{n}", big))
        events = self.until_refused(lambda n: ("emit", "note.x", f'"{n} {big}"'))
        self.until_refused(lambda n: ("write", "before", big))
        self.assertEqual(self.run_all(("get", "before"), ("read", "before")), [(1, b"1"), (3, b"one")])
        self.assertEqual(self.code("get", f"key:{keys}"), -1)
        self.assertEqual(self.code("read", f"file/{files}"), -1)
        self.disk.make_room()
        self.assertEqual(self.code("set", "after", "2", 0), 0)
        self.assertEqual(self.code("write", "after", "two"), 0)
        self.assertEqual(self.code("emit", "note.y", "1"), 32)
        self.server.wait_for(lambda: not json.loads(self.ubiq("events", "list"))["items"],
                             "events stay")
        noted = self.notes()
        self.assertEqual([n["payload"].split()[0] for n in noted if n["topic"] == "note.x"],
                         [str(n) for n in range(events)])
        self.assertEqual([n["payload"] for n in noted if n["topic"] == "note.y"], [1])
        self.assertEqual(self.ubiq("kv", "list", "key:", "--limit", "1000").splitlines(),
                         sorted(f"key:{n}" for n in range(keys)))
        self.assertEqual(self.ubiq("storage", "list").splitlines(),
                         sorted(["after", "before", *(f"file/{n}" for n in range(files))]))
        self.stop()
        contents = [p for p in self.path(".ubiq", "data", "storage").rglob("*")
                    if p.is_file() and p.name != "lock"]
        self.assertEqual(len(contents), files + 2)

    def test_events_wait_for_room(self):
        """It is full from when they are accepted: what is delivered cannot be noted."""
        for n in range(20):
            self.assertEqual(self.code("emit", f"note.{n % 3}", n), 32)
            if n == 5:
                self.disk.fill()
                self.until_refused(lambda n: ("set", f"key:{n}", "x" * 1000, 0))
                break
        self.server.request("/platform", b"request")
        self.disk.make_room()
        for n in range(6, 20):
            self.assertEqual(self.code("emit", f"note.{n % 3}", n), 32)
        self.server.wait_for(lambda: not json.loads(self.ubiq("events", "list"))["items"],
                             "events stay")
        self.assertEqual({n["payload"] for n in self.notes()}, set(range(20)))
        self.assertEqual(json.loads(self.ubiq("events", "list", "--dead"))["items"], [])

    def test_a_start_without_room(self):
        self.run_all(("set", "before", "1", 0))
        self.stop()
        self.disk.fill()
        done = self.run_command("kv", "-C", self.directory, "set", "k", "x" * 20000)
        self.assertEqual(done.returncode, 1)
        self.assertIn("full", done.stderr)
        try:
            self.start()
        except AssertionError as failure:
            self.assertIn("full", str(failure))
        else:
            self.assertEqual(self.run_all(("get", "before")), [(1, b"1")])
        self.server = None if self.server and self.server.process.poll() is not None else self.server
        self.stop()
        self.disk.make_room()
        self.start()
        self.assertEqual(self.run_all(("get", "before"), ("set", "after", "1", 0)), [(1, b"1"), 0])


def whole(line):
    """A line of a log; empty for what is none."""
    try:
        return json.loads(line)
    except ValueError:
        return {}


class AccessLog(Disk):
    def test_a_log_on_a_full_disk(self):
        disk = Small(self.path("log"), 256 * 1024)
        self.addCleanup(disk.unmount)
        log = self.path("log", "access")
        self.server = self.serve("--workers", "1", "--access-log", str(log))

        def count():
            return self.server.request("/platform", b"").status

        self.assertEqual(count(), 200)
        self.server.wait_for(lambda: log.read_text(), "nothing is logged")
        disk.fill()
        for _ in range(300):
            self.assertEqual(count(), 200)
        self.server.wait_for(lambda: log.stat().st_size == 4096, "nothing is written")
        disk.make_room()
        self.assertEqual(count(), 200)
        self.server.wait_for(lambda: "dropped" in log.read_text(), "nothing is said of what was lost")
        self.stop()
        lines = log.read_text().splitlines()
        dropped, = [line["dropped_lines"] for line in map(whole, lines) if "dropped_lines" in line]
        self.assertEqual(sum("invocation" in whole(line) for line in lines) + dropped, 302)
        self.assertEqual(sum(not whole(line) for line in lines), 1)


class Damage(Disk):
    def setUp(self):
        super().setUp()
        self.start()
        self.database = self.path(".ubiq", "data", "ubiq.db")
        for n in range(20):
            self.run_all(*[("set", f"key:{n}:{i}", "x" * 1000, 0) for i in range(5)])
        self.run_all(("write", "file", "content"))
        self.stop()
        for leftover in ("-wal", "-shm"):
            self.assertFalse(pathlib.Path(f"{self.database}{leftover}").exists())
        self.sound = self.database.read_bytes()

    def damage(self, data):
        self.database.write_bytes(data)

    def assert_refused(self, text):
        said = self.refused()
        self.assertIn(text, said)
        self.assertIn("ubiq.db", said)
        for command in (["kv", "list"], ["storage", "list"], ["events", "list"]):
            done = self.run_command(*command, "-C", self.directory)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("ubiq.db", done.stderr)

    def test_what_cannot_be_opened(self):
        size = len(self.sound)
        chance = random.Random(7)
        for what, data in [("truncated", self.sound[:size // 2]), ("cut within a page", self.sound[:5000]),
                           ("header", chance.randbytes(100) + self.sound[100:]),
                           ("rubbish", chance.randbytes(size)), ("text", b"hello\n" * 1000),
                           ("one byte", b"x"),
                           *[(f"cut to {n}", self.sound[:n]) for n in (1, 100, 511, 512, 600, 2047)]]:
            with self.subTest(what):
                self.damage(data)
                self.assert_refused("damaged")
                self.assertEqual(self.database.read_bytes(), data)

    def test_pages_in_the_middle(self):
        """Found at the start, as the file is small, or met by a call; never a crash, nor lost in silence."""
        for seed in range(12):
            chance = random.Random(seed)
            data = bytearray(self.sound)
            for _ in range(3):
                page = chance.randrange(1, len(data) // 2048)
                at = page * 2048 + chance.randrange(0, 1500)
                data[at:at + 300] = chance.randbytes(300)
            self.damage(data)
            try:
                self.start()
            except AssertionError as failure:
                self.assertIn("is damaged", str(failure))
                self.assertEqual(self.database.read_bytes(), bytes(data))
                continue
            for n in range(20):
                for line in ("get", f"key:{n}:1"), ("set", f"key:{n}:1", "y", 0):
                    self.assertIn(self.code(*line), (0, -1, UNAVAILABLE, 1000))
            self.stop()

    def test_an_empty_file_is_a_new_database(self):
        self.damage(b"")
        self.start()
        self.assertEqual(self.code("get", "key:1:1"), -1)
        self.assertEqual(self.code("set", "key:1:1", "y", 0), 0)

    def test_a_directory_in_its_place(self):
        self.database.unlink()
        self.database.mkdir()
        self.assert_refused("directory")

    def test_a_log_without_its_database(self):
        pathlib.Path(f"{self.database}-wal").write_bytes(b"x" * 5000)
        self.damage(b"")
        self.assert_refused("damaged")

    def test_damage_while_it_is_served(self):
        self.start()
        self.assertEqual(self.code("get", "key:1:1"), 1000)
        with open(self.database, "r+b") as f:
            f.seek(2048)
            f.write(os.urandom(len(self.sound) - 2048))
        seen = {self.code("get", f"key:{n}:2") for n in range(20)}
        self.assertLessEqual(seen, {UNAVAILABLE, 1000, -1})
        self.assertIn(UNAVAILABLE, seen)
        self.assertEqual(self.server.request("/healthz").status, 200)

    @unittest.skipIf(os.getuid(), "it takes another user, which only root can become")
    def test_a_database_of_somebody_else(self):
        os.chmod(self.directory, 0o755)
        for p in [self.path(".ubiq"), self.path(".ubiq", "data")]:
            os.chmod(p, 0o755)
        os.chmod(self.database, 0o644)
        done = subprocess.run([UBIQ, "serve", self.directory, "--listen", "127.0.0.1:0"],
                              user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True,
                              text=True, timeout=60)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, "ubiq.db.*(readonly|read-only|denied|may not)")
        self.assertEqual(self.database.read_bytes(), self.sound)


if __name__ == "__main__":
    unittest.main()
