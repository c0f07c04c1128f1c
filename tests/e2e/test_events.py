"""Events and ticks of cron, noted by the function `note`, and `ubiq events`."""

import json
import sqlite3
import time
import unittest

from harness import Project
from test_platform import commands, results

PERMISSIONS = '["kv:read:*", "kv:write:*", "events:emit:*"]'


class Events(Project):
    """A server whose function `platform` emits events, which `note` is given."""

    def setUp(self):
        super().setUp()
        self.add("platform")
        self.add("note")
        self.configure()
        self.server = None

    def configure(self, triggers='"note" = "note"\n"note.*" = "note"', attempts=3):
        self.config(f"""
            [functions.platform]
            permissions = {PERMISSIONS}
            [functions.note]
            permissions = {PERMISSIONS}
            [triggers]
            {triggers}
            [services.events]
            attempts = {attempts}
            first_retry = "20ms"
            last_retry = "100ms"
        """)

    def start(self):
        self.server = self.serve("--workers", "2")
        self.addCleanup(self.stop)

    def stop(self):
        if self.server:
            self.server.__exit__(None, None, None)
        self.server = None

    def kill(self):
        self.server.process.kill()
        self.server.process.wait()
        self.server = None

    def run_all(self, *lines):
        answer = self.server.request("/platform", commands(*lines))
        self.assertEqual(answer.status, 200, answer.body)
        return results(answer)

    def emit(self, topic, payload):
        """The event's id."""
        (length, event), = self.run_all(("emit", topic, payload))
        self.assertEqual(length, 32, event)
        return event.decode()

    def ubiq(self, *arguments, code=0):
        done = self.run_command("events", *arguments, "--project", self.directory)
        self.assertEqual(done.returncode, code, done.stderr)
        return done

    def listed(self, *words):
        return json.loads(self.ubiq("list", *words).stdout)["items"]

    def dead(self):
        return self.listed("--dead")

    def notes(self):
        """What `note` was given so far."""
        done = self.run_command("kv", "list", "note:", "--limit", "1000", "--project",
                                self.directory)
        values = []
        for key in done.stdout.splitlines():
            value = self.run_command("kv", "get", key, "--project", self.directory).stdout
            values.append(json.loads(value))
        return values

    def wait_for_idle(self):
        self.server.wait_for(lambda: not self.listed(), "something stays pending")

    def query(self, sql):
        connection = sqlite3.connect(self.path(".ubiq", "data", "ubiq.db"), timeout=10)
        try:
            with connection:
                return connection.execute(sql).fetchall()
        finally:
            connection.close()


class Deliveries(Events):
    def test_an_event_reaches_its_function(self):
        self.start()
        event = self.emit("note.a", '{"n": 1}')
        self.emit("nobody", "x")
        self.wait_for_idle()
        note, = self.notes()
        self.assertRegex(note.pop("time"), r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(note, {"topic": "note.a", "id": event, "source": "platform", "attempt": 1,
                                "payload": {"n": 1}})

    def test_what_fails_is_a_dead_letter_that_can_be_replayed(self):
        self.start()
        event = self.emit("note", "fail")
        self.wait_for_idle()
        self.assertEqual([n["attempt"] for n in self.notes()], [1, 2, 3])
        letter, = self.dead()
        self.assertEqual((letter["id"], letter["topic"], letter["function"], letter["attempts"]),
                         (event, "note", "note", 3))
        self.assertIn("told to fail", letter["problem"])
        self.run_all(("set", "mended", "1", 0))
        self.assertEqual(self.ubiq("replay", event).stdout, "1 to be delivered again\n")
        self.wait_for_idle()
        self.server.wait_for(lambda: len(self.notes()) == 4, "it was not replayed")
        self.assertEqual(self.notes()[3]["attempt"], 1)
        self.assertEqual(self.dead(), [])

    def test_tools_work_without_a_server(self):
        self.assertEqual(self.dead(), [])
        self.start()
        events = [self.emit("note", f"fail {i}") for i in range(3)]
        self.wait_for_idle()
        self.stop()
        self.assertEqual([i["id"] for i in self.dead()], events)
        page = json.loads(self.ubiq("list", "--dead", "--limit", "2").stdout)
        self.assertEqual([i["id"] for i in page["items"]], events[:2])
        rest = json.loads(self.ubiq("list", "--dead", "--after", str(page["next"])).stdout)
        self.assertEqual(([i["id"] for i in rest["items"]], rest["next"]), (events[2:], None))
        self.ubiq("drop", events[0])
        self.ubiq("drop", events[0], code=1)
        self.ubiq("drop", code=2)
        self.ubiq("drop", events[1], "--all", code=2)
        self.assertEqual(self.ubiq("replay", "--all").stdout, "2 to be delivered again\n")
        self.assertEqual(len(self.listed()), 2)
        self.start()
        self.run_all(("set", "mended", "1", 0))
        self.wait_for_idle()
        self.stop()
        self.assertEqual(self.ubiq("drop", "--all").stdout, "0 dropped\n")

    def test_events_in_a_circle_end(self):
        self.start()
        self.emit("note", "again")
        self.wait_for_idle()
        letter, = self.dead()
        self.assertIn("go in a circle", letter["problem"])
        self.assertLess(len(self.notes()), 40)

    def test_a_function_that_is_gone(self):
        self.start()
        self.emit("note", "fail")
        self.kill()
        self.path("functions", "note.wasm").unlink()
        self.config(f"[functions.platform]\npermissions = {PERMISSIONS}\n")
        self.query("UPDATE event_delivery SET attempts = 7")
        self.start()
        self.wait_for_idle()
        letter, = self.dead()
        self.assertIn("no function", letter["problem"])


class Cron(Events):
    def test_a_missed_tick_is_made_up_for_once(self):
        self.configure('"* * * * *" = "note"')
        while time.time() % 60 > 45:
            time.sleep(0.5)
        self.start()
        self.stop()
        self.query("UPDATE event_schedule SET last = last - 600000")
        for _ in range(2):
            self.start()
            self.server.wait_for(lambda: self.notes(), "there was no tick")
            self.wait_for_idle()
            self.stop()
        note, = self.notes()
        self.assertEqual(note["schedule"], "* * * * *")
        self.assertRegex(note["time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:00\.000Z$")

    def test_a_line_that_is_none(self):
        self.configure('"0 0 30 2 *" = "note"')
        self.assertIn("never run", self.refused())


if __name__ == "__main__":
    unittest.main()
