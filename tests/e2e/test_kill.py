"""The server is killed at random moments while it writes keys and files and delivers events: what it
said it has, it has."""

import collections
import contextlib
import http.client
import json
import random
import sqlite3
import subprocess
import threading
import time
import unittest

from harness import UBIQ, Project
from test_platform import ALL, commands, results

KILLS = 50
CLIENTS = 4
SEED = random.randrange(1 << 32)


class Client(threading.Thread):
    """Writes a key, a file and an event with each request, all numbered, until the server is gone."""

    def __init__(self, server, name, first):
        super().__init__()
        self.server = server
        self.name = name
        self.next = first
        self.accepted = []  # number and event's id
        self.problem = None

    def run(self):
        connection = self.server.connect(10)
        try:
            while True:
                self.write(connection)
        except (OSError, http.client.HTTPException):
            pass
        except BaseException as problem:
            self.problem = problem
        finally:
            connection.close()

    def write(self, connection):
        n = self.next
        self.next += 1
        connection.request("POST", "/platform", commands(
            ("set", f"{self.name}:{n}", n, 0), ("write", f"{self.name}/{n}", f"file {n}"),
            ("emit", f"note.{self.name}", n)))
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        answer.body = body
        key, file, (length, event) = results(answer)
        assert (key, file, length) == (0, 0, 32), body
        self.accepted.append((n, event.decode()))


class Kills(Project):
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
            attempts = 1000
            first_retry = "20ms"
            last_retry = "100ms"
        """)
        self.accepted = collections.defaultdict(list)  # by client
        self.begun = collections.Counter()

    def round(self, chance):
        server = self.serve("--workers", "2")
        server.request("/platform", b"")  # its code is there from now on
        clients = [Client(server, f"c{i}", self.begun[f"c{i}"]) for i in range(CLIENTS)]
        for c in clients:
            c.start()
        time.sleep(chance.random() * 0.2)
        server.process.kill()
        server.process.wait()
        for c in clients:
            c.join()
            if c.problem:
                raise c.problem
            self.begun[c.name] = c.next
            self.accepted[c.name] += c.accepted

    def kill_as_it_starts(self, chance):
        process = subprocess.Popen([UBIQ, "serve", self.directory, "--listen", "127.0.0.1:0"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.random() * 0.05)
        process.kill()
        process.wait()

    def pending(self, *more):
        done = self.run_command("events", "list", "-C", self.directory, *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["items"]

    def check_writes(self, server):
        for name, accepted in self.accepted.items():
            for at in range(0, len(accepted), 200):
                numbers = [n for n, _ in accepted[at:at + 200]]
                answer = server.request("/platform", commands(
                    *[("get", f"{name}:{n}") for n in numbers],
                    *[("read", f"{name}/{n}") for n in numbers]))
                expected = [str(n).encode() for n in numbers] + [f"file {n}".encode() for n in numbers]
                self.assertEqual(results(answer), [(len(e), e) for e in expected])

    def notes(self):
        """What `note` was given, in this order."""
        connection = sqlite3.connect(self.path(".ubiq", "data", "ubiq.db"))
        try:
            return [json.loads(value) for value, in connection.execute(
                "SELECT CAST(value AS TEXT) FROM kv WHERE key >= CAST('note:' AS BLOB)"
                " AND key < CAST('note;' AS BLOB) ORDER BY key")]
        finally:
            connection.close()

    def check_events(self):
        delivered = collections.defaultdict(list)
        for note in self.notes():
            delivered[note["topic"].removeprefix("note.")].append((note["payload"], note["id"]))
        for name, accepted in self.accepted.items():
            self.assertEqual(set(accepted) - set(delivered[name]), set())
            # One may come twice, but none before another that is older.
            self.assertEqual(delivered[name], sorted(delivered[name], key=lambda d: d[0]))

    def test_what_was_accepted_is_there(self):
        chance = random.Random(SEED)
        for kill in range(KILLS):
            self.round(chance)
            if kill % 5 == 0:
                self.kill_as_it_starts(chance)
        with self.serve("--workers", "2") as server:
            server.wait_for(lambda: not self.pending(), "something stays pending", 60)
            self.check_writes(server)
        self.assertEqual(self.pending("--dead"), [])
        self.check_events()
        count = sum(len(a) for a in self.accepted.values())
        print(f"killed {KILLS + KILLS // 5} times, {count} writes of each kind and events, seed {SEED}")
        self.assertGreater(count, KILLS)


class Stops(Project):
    def test_writes_of_clients_that_left(self):
        """A server that is told to stop while such writes wait for the disk ends well."""
        self.add("platform")
        self.config(f"[functions.platform]\npermissions = {ALL}\n[triggers]\n\"t\" = \"platform\"")
        for _ in range(5):
            with self.serve("--workers", "1") as server, contextlib.ExitStack() as streams:
                self.assertEqual(server.request("/platform", commands(("set", "first", "", 0))).status, 200)
                for i in range(300):
                    body = commands(("set", f"key{i}", "x" * 20000, 0) if i % 2 else ("emit", "t", "x" * 20000))
                    streams.enter_context(server.stream()).send(
                        b"POST /platform HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"
                        % (len(body), body))
                time.sleep(0.05)
                streams.close()


if __name__ == "__main__":
    unittest.main()
