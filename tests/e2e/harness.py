"""Starts `ubiq serve` on projects made for a test, and talks to it.

UBIQ names the program, WASM the directory of the tests' functions as binaries.
"""

import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

UBIQ = os.environ["UBIQ"]
WASM = pathlib.Path(os.environ["WASM"])


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()
        self.type = response.headers.get("Content-Type")

    def error(self):
        return json.loads(self.body)["error"]


class Server:
    """A running `ubiq serve`; ends with the `with` block, which checks that it ends well."""

    def __init__(self, directory, *arguments, logs=None):
        self.directory = pathlib.Path(directory)
        self.access_path = pathlib.Path(logs or directory) / "access.log"
        self.error_path = pathlib.Path(logs or directory) / "error.log"
        with open(self.access_path, "wb") as access, open(self.error_path, "wb") as errors:
            self.process = subprocess.Popen(
                [UBIQ, "serve", directory, "--listen", "127.0.0.1:0", *arguments],
                stdout=access, stderr=errors)
        self.port = self.wait_for(lambda: self.find_port(), "it does not listen")

    def find_port(self):
        match = re.search(r"at http://127\.0\.0\.1:(\d+)", self.errors())
        return int(match.group(1)) if match else None

    def errors(self):
        return self.error_path.read_text(errors="replace")

    def counters(self):
        """What the admin listener counts: requests, calls in flight, connections."""
        port = int(re.search(r"for you alone: http://127\.0\.0\.1:(\d+)", self.errors()).group(1))
        token = (self.directory / ".ubiq/admin-token").read_text()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", "/counters", headers={"Authorization": f"Bearer {token}"})
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def access(self):
        """The access log's lines so far, complete ones."""
        text = self.access_path.read_text()
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]

    def wait_for(self, what, complaint, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            result = what()
            if result:
                return result
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"{complaint}\n{self.errors()}")

    def logged(self, **fields):
        """Waits for a line of the access log with these fields."""
        def find():
            for line in self.access():
                if all(line[name] == value for name, value in fields.items()):
                    return line
            return None
        return self.wait_for(find, f"no line with {fields} in the access log")

    def said(self, pattern):
        """Waits for the error log to match a pattern."""
        return self.wait_for(lambda: re.search(pattern, self.errors()), f"no {pattern!r} in the log")

    def connect(self, timeout=30):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def request(self, path, body=None, method=None, headers={}, timeout=30):
        connection = self.connect(timeout)
        try:
            connection.request(method or ("GET" if body is None else "POST"), path, body, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def stream(self, timeout=30):
        return Stream(self.port, timeout)

    def raw(self, data, timeout=30):
        """Sends bytes, and gives back all that comes until the server closes."""
        with self.stream(timeout) as s:
            s.send(data)
            return s.rest()

    def __enter__(self):
        return self

    def stop(self, signal_number=signal.SIGTERM):
        self.process.send_signal(signal_number)
        return self.process.wait(20)

    def __exit__(self, kind, value, trace):
        if self.process.poll() is None:
            try:
                code = self.stop()
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                code = "it does not end"
        else:
            code = self.process.returncode
        if kind is None and code != 0:
            raise AssertionError(f"ended with {code}\n{self.errors()}")
        if kind is not None:
            print(self.errors()[-4000:])


class Stream:
    """A connection that is spoken to byte by byte, and read answer by answer."""

    def __init__(self, port, timeout):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = b""

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def more(self):
        """Reads a piece more; False at the end."""
        piece = self.socket.recv(65536)
        self.data += piece
        return bool(piece)

    def rest(self):
        """All that comes until the server closes."""
        try:
            while self.more():
                pass
        except ConnectionResetError:
            pass
        data, self.data = self.data, b""
        return data

    def take(self, length):
        data, self.data = self.data[:length], self.data[length:]
        return data

    def answer(self):
        """Status, head and body of the next answer with a Content-Length."""
        while b"\r\n\r\n" not in self.data:
            if not self.more():
                raise AssertionError(f"closed after {self.data!r}")
        head = self.take(self.data.index(b"\r\n\r\n") + 4)
        length = int(re.search(rb"Content-Length: (\d+)", head).group(1))
        while len(self.data) < length:
            if not self.more():
                raise AssertionError(f"closed after {head!r}")
        return int(head.split()[1]), head, self.take(length)


class Project(unittest.TestCase):
    """A test with a project's directory of its own."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="ubiq-e2e-")
        self.addCleanup(shutil.rmtree, self.directory)
        (pathlib.Path(self.directory) / "functions").mkdir()

    def path(self, *parts):
        return pathlib.Path(self.directory, *parts)

    def add(self, function, name=None):
        """Puts one of the tests' functions into the project."""
        to = self.path("functions", f"{name or function}.wasm")
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(WASM / f"{function}.wasm", to)

    def config(self, text):
        self.path("ubiq.toml").write_text(text)

    def serve(self, *arguments):
        return Server(self.directory, *arguments)

    def run_command(self, *arguments):
        """`ubiq` with these arguments, which is expected to end by itself."""
        return subprocess.run([UBIQ, *arguments], capture_output=True, text=True, timeout=60)

    def refused(self):
        """Serving the project must fail; what it says."""
        done = self.run_command("serve", self.directory, "--listen", "127.0.0.1:0")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr


class Backend:
    """A server that functions can call: answers each connection by `answer(request) -> bytes`, in a
    thread of its own."""

    def __init__(self, answer):
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.open = 0
        self.most_open = 0
        self.lock = threading.Lock()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with self.lock:
            self.open += 1
            self.most_open = max(self.most_open, self.open)
        try:
            with client:
                data = b""
                while b"\r\n\r\n" not in data:
                    piece = client.recv(65536)
                    if not piece:
                        return
                    data += piece
                client.sendall(self.answer(data))
        except OSError:
            pass
        finally:
            with self.lock:
                self.open -= 1

    def close(self):
        self.listener.close()


def http_response(status, body, *headers):
    """The bytes of a response that a Backend can answer with."""
    head = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


def in_parallel(count, work):
    """Runs work(0) ... work(count - 1) in threads; their results in order."""
    results = [None] * count
    failures = []

    def run(i):
        try:
            results[i] = work(i)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failures:
        raise failures[0]
    return results
