"""host/python on libubiq. WASM names the directory of functions as binaries."""

import asyncio
import gc
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

import ubiq

WASM = pathlib.Path(os.environ["WASM"])
PERMISSIONS = '["kv:read:*", "kv:write:*", "events:emit:*"]'


class Case(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.directory)
        (self.directory / "functions").mkdir()

    def add(self, *names):
        for name in names:
            shutil.copy(WASM / f"{name}.wasm", self.directory / "functions")

    def config(self, text):
        (self.directory / "ubiq.toml").write_text(text)

    def open(self, **options):
        project = ubiq.Project(self.directory, workers=2, **options)
        self.addCleanup(project.close)
        return project

    def assert_fails(self, code, function, *arguments, **options):
        with self.assertRaises(ubiq.Error) as raised:
            function(*arguments, **options)
        self.assertEqual(raised.exception.code, code)
        return str(raised.exception)


class Invoke(Case):
    def test_output(self):
        self.add("echo")
        project = self.open()
        self.assertEqual(project.invoke("echo", b"some\0words"), b"some\0words")
        self.assertEqual(project.invoke("echo"), b"")
        self.assertEqual(project.address, "")
        self.assertRegex(ubiq.version(), r"^\d+\.\d+\.\d+$")

    def test_errors(self):
        self.add("echo", "fail", "trap", "loop")
        self.config('[limits]\nrequest = "10B"\ncpu_time = "1m"\n')
        lines = []
        project = self.open(log=lambda level, line: lines.append((level, line)))
        self.assert_fails(ubiq.Code.NOT_FOUND, project.invoke, "missing")
        self.assert_fails(ubiq.Code.TOO_LARGE, project.invoke, "echo", b"01234567890")
        self.assertEqual(self.assert_fails(ubiq.Code.FAILED, project.invoke, "fail", b"its words"),
                         "its words")
        self.assert_fails(ubiq.Code.TIMEOUT, project.invoke, "loop", timeout=0.05)
        with self.assertRaises(ubiq.Error) as raised:
            project.invoke("trap")
        self.assertRaises(ValueError, project.invoke, "a\0b")
        self.assertRaises(ValueError, project.invoke, "echo", timeout=0)
        project.close()
        self.assertTrue([line for level, line in lines
                         if level == 40 and raised.exception.invocation in line], lines)
        self.assert_fails(ubiq.Code.STOPPED, project.invoke, "echo")
        project.close()

    def test_projects_with_errors(self):
        self.assertIn("nowhere", self.assert_fails(ubiq.Code.NOT_FOUND, ubiq.Project, "/nowhere"))
        self.config("[server]\nworker = 1\n")
        self.assertIn("ubiq.toml:2", self.assert_fails(ubiq.Code.INVALID, self.open))

    def test_many_threads(self):
        self.add("echo")
        project = self.open()
        wrong = []

        def call(number):
            for i in range(100):
                text = f"{i} of {number}".encode()
                if project.invoke("echo", text) != text or project.submit("echo", text).result() != text:
                    wrong.append(text)

        threads = [threading.Thread(target=call, args=(i,)) for i in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(wrong, [])

    def test_closed_while_calls_run(self):
        self.add("loop", "echo")
        self.config('[limits]\ncpu_time = "1m"\n')
        project = self.open()
        codes = []

        def call():
            try:
                project.invoke("loop")
            except ubiq.Error as e:
                codes.append(e.code)

        threads = [threading.Thread(target=call) for _ in range(4)]
        for t in threads:
            t.start()
        future = project.submit("loop")
        time.sleep(0.1)
        project.close(drain=0.05)
        for t in threads:
            t.join()
        self.assertEqual(codes, [ubiq.Code.STOPPED] * 4)
        self.assertEqual(future.exception(0).code, ubiq.Code.STOPPED)

    def test_callbacks_may_not_wait(self):
        self.add("echo")
        project = self.open()
        told = []

        def on_done(future):
            for wait in (lambda: project.invoke("echo"), project.close):
                try:
                    wait()
                except ubiq.Error as e:
                    told.append(e.code)
            project.submit("echo").add_done_callback(lambda _: told.append(0))

        project.submit("echo").add_done_callback(on_done)
        for _ in range(1000):
            if len(told) == 3:
                break
            time.sleep(0.01)
        self.assertEqual(told, [ubiq.Code.INVALID, ubiq.Code.INVALID, 0])

    def test_nothing_leaks(self):
        self.add("echo")
        project = self.open()
        data = b"x" * 500_000

        def resident():
            gc.collect()
            return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

        for _ in range(50):
            project.invoke("echo", data)
        before = resident()
        for _ in range(500):
            project.invoke("echo", data)
            project.submit("echo", data).result()
        self.assertLess(resident() - before, 30 << 20)


class Request(Case):
    def test_answers(self):
        self.add("echo", "platform")
        self.config('[functions.platform]\nmethods = ["PUT"]\n[middleware]\nuse = ["cors"]\n'
                    '[middleware.cors]\norigins = ["http://shop.example"]\n')
        project = self.open()
        answer = project.request("POST", "/echo?a=b", b'{"a": 1}', {"Origin": "http://shop.example"})
        self.assertEqual((answer.status, answer.json(), answer.text()), (200, {"a": 1}, '{"a": 1}'))
        self.assertEqual(answer.headers["content-type"], "application/json")
        self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "http://shop.example")
        self.assertEqual(answer.headers["X-Invocation"], answer.invocation)
        self.assertEqual(project.request("GET", "/platform").status, 405)
        self.assertEqual(project.request("GET", "/missing").status, 404)
        told = project.request("PUT", "/platform", b"request", [("X-One", "1"), ("X-Two", "zwei")]).body
        told = json.loads(told.partition(b"\t")[2])
        self.assertEqual((told["method"], told["trigger"], told["headers"]["x-two"]),
                         ("PUT", "http", "zwei"))
        self.assert_fails(ubiq.Code.INVALID, project.request, "GET", "/echo", headers={"X": "y\r\nZ: y"})

    def test_over_http_too(self):
        self.add("echo")
        project = self.open(listen="127.0.0.1:0", access_log=self.directory / "access.log")
        with urllib.request.urlopen(f"http://{project.address}/echo", b"words") as answer:
            self.assertEqual(answer.read(), b"words")
        project.request("GET", "/echo")
        project.close()
        lines = (self.directory / "access.log").read_text().splitlines()
        self.assertEqual({json.loads(line)["method"] for line in lines}, {"POST", "GET"})


class Async(Case):
    def run_async(self, body):
        self.add("echo", "loop", "fail")
        self.config('[limits]\ncpu_time = "1m"\n')
        asyncio.run(body(self.open()))

    def test_many_at_once(self):
        async def body(project):
            answers = await asyncio.gather(*(project.invoke_async("echo", b"%d" % i) for i in range(200)))
            self.assertEqual(answers, [b"%d" % i for i in range(200)])
            answer = await project.request_async("POST", "/echo", b"words")
            self.assertEqual((answer.status, answer.body), (200, b"words"))
            with self.assertRaisesRegex(ubiq.Error, "^why$"):
                await project.invoke_async("fail", b"why")
            with self.assertRaises(ubiq.Error):
                await project.request_async("GET", "no path")
        self.run_async(body)

    def test_cancelled(self):
        async def body(project):
            before = time.monotonic()
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(project.invoke_async("loop"), 0.1)
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(project.request_async("GET", "/loop"), 0.1)
            self.assertEqual(await project.invoke_async("echo", b"x"), b"x")
            while ubiq._Call._under_way:  # they are ended, and not just forgotten
                self.assertLess(time.monotonic() - before, 10)
                await asyncio.sleep(0.01)
        self.run_async(body)


class Events(Case):
    def test_delivered(self):
        self.add("platform", "note")
        self.config(f"[functions.platform]\npermissions = {PERMISSIONS}\n"
                    f'[functions.note]\npermissions = {PERMISSIONS}\n[triggers]\n"order.*" = "note"\n')
        project = self.open(hold_events=True)
        project.invoke("platform", b"emit\torder.new\tpayload")
        time.sleep(0.2)
        self.assertIn(b"-1", project.invoke("platform", b"get\tnoted"))
        project.close()
        project = self.open()
        for _ in range(500):
            noted = project.invoke("platform", b"get\tnote:100000001")
            if b"order.new" in noted:
                break
            time.sleep(0.01)
        self.assertIn(b"order.new", noted)


class Process(Case):
    def test_ends_with_projects_open(self):
        self.add("loop", "echo")
        self.config('[limits]\ncpu_time = "1m"\n')
        program = ("import sys, ubiq\n"
                   "p = ubiq.Project(sys.argv[1], log=print)\n"
                   "p.submit('loop'); q = ubiq.Project(sys.argv[1])\n"
                   "print(p.invoke('echo', b'x'))\n")
        done = subprocess.run([sys.executable, "-B", "-c", program, self.directory], timeout=60,
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("b'x'\n", done.stdout)

    def test_control_c_is_the_programs(self):
        self.add("echo")
        program = ("import os, signal, sys, ubiq\n"
                   "p = ubiq.Project(sys.argv[1])\n"
                   "p.invoke('echo')\n"
                   "try:\n    os.kill(os.getpid(), signal.SIGINT); signal.pause()\n"
                   "except KeyboardInterrupt:\n    print('interrupted')\n")
        done = subprocess.run([sys.executable, "-B", "-c", program, self.directory], timeout=60,
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, "interrupted\n"))


if __name__ == "__main__":
    unittest.main()
