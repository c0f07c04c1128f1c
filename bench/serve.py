"""Measures what is served over HTTP: requests a second, and how soon after its start the server
answers when there are 1,000 functions in the cache.

    serve.py BUILD_DIRECTORY

Writes lines as measure.h has them to stdout. QUICK=1 measures less.
"""

import http.client
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time

import records

HERE = pathlib.Path(__file__).resolve().parent
QUICK = os.environ.get("QUICK", "0") not in ("", "0")
SECONDS = 1
ROUNDS = 2 if QUICK else 9
STARTS = 3 if QUICK else 7
MODULES = 1000
BODY_BYTES = 64


def say(text):
    print(f"bench: {text}", file=sys.stderr)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(port, path, body=None):
    """Whether a request is answered with 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST" if body else "GET", path, body)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class Server:
    """A server that runs from `with` to its end and answers `path` with 200 by then. `seconds` is
    how long that took. Its access log goes nowhere, what it says on stderr to the file `log`."""

    def __init__(self, command, port, path, log, body=None):
        self.port, self.log = port, log
        started = time.monotonic()
        with open(log, "w", encoding="utf-8") as out:
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=out)
        try:
            self.wait_for(path, body, 0.0005)
        except OSError:
            self.stop()
            raise
        self.seconds = time.monotonic() - started

    def wait_for(self, path, body=None, pause=0.01):
        """Waits until a request is answered with 200."""
        until = time.monotonic() + 120
        while not answers(self.port, path, body):
            if self.process.poll() is not None or time.monotonic() > until:
                raise OSError(f"{path} is not served: see {self.log}")
            time.sleep(pause)

    def cpu_seconds(self):
        """What the server has used so far."""
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8")
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def ubiq_server(build, directory, path, body=None):
    port = free_port()
    command = [build / "ubiq", "serve", directory, "--listen", f"127.0.0.1:{port}",
               "--workers", "1"]
    return Server(command, port, path, build / "bench/ubiq.log", body)


def load(server, path, post):
    """One run of wrk: requests a second, and nanoseconds of the server's CPU time for each."""
    command = ["wrk", "-t1", "-c32", f"-d{SECONDS}s", f"http://127.0.0.1:{server.port}{path}"]
    if post:
        command[1:1] = ["-s", str(HERE / "post.lua")]
    before = server.cpu_seconds()
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    cpu = server.cpu_seconds() - before
    if "Non-2xx" in text or "Socket errors" in text:
        raise OSError(f"{path} fails under load:\n{text}")
    count = int(re.search(r"(\d+) requests in", text)[1])
    return float(re.search(r"Requests/sec:\s*([\d.]+)", text)[1]), cpu * 1e9 / count


def make_application(build):
    """The functions to serve, {label: path}."""
    functions = build / "bench/app/functions"
    shutil.rmtree(functions.parent, ignore_errors=True)
    functions.mkdir(parents=True)
    made = {}
    count = build / "bench/plugins/c_count_vowels.wasm"
    if count.exists():
        shutil.copy(count, functions / "count.wasm")
        made["C count"] = "/count"
    source = HERE.parent / "examples/app/plugins/vowels"
    done = subprocess.run([HERE.parent / "scripts/plugin.sh", source, functions / "vowels.wasm"],
                          stdout=sys.stderr, check=False)
    if done.returncode == 0:
        made["Rust vowels"] = "/vowels"
    return made


def measure_throughput(build):
    functions = make_application(build)
    directory, port = build / "bench/app", free_port()
    command = [build / "bench/bench_upstream_server", directory, f"127.0.0.1:{port}", "1"]
    with ubiq_server(build, directory, "/healthz") as ours, \
            Server(command, port, "/healthz", build / "bench/upstream.log") as theirs:
        ways = [("static", "ours", ours, "/healthz", False)]
        for label, path in functions.items():
            ways.append((label, "ours fresh", ours, path, True))
            ways.append((label, "upstream kept", theirs, path, True))
            for server in (ours, theirs):
                server.wait_for(path, b"warm up")
        results = {}
        for turn in range(ROUNDS):
            for way in ways[turn % len(ways):] + ways[:turn % len(ways)]:
                label, who, server, path, post = way
                for metric, value in zip(("requests/s", "cpu"), load(server, path, post)):
                    key = records.Key("http", label, BODY_BYTES if post else 0, who, metric)
                    results.setdefault(key, []).append(value)
        for key, values in results.items():
            records.write(key, values, sys.stdout)


def make_modules(build, directory):
    """1,000 functions that differ: in a custom section, so each has its own place in the cache."""
    functions = directory / "functions"
    if functions.exists():
        shutil.rmtree(functions)
    functions.mkdir(parents=True)
    module = (build / "bench/plugins/c_count_vowels.wasm").read_bytes()
    for i in range(MODULES):
        section = b"\x06number" + f"{i:04d}".encode()
        path = functions / f"f{i:04d}.wasm"
        path.write_bytes(module + b"\x00" + bytes([len(section)]) + section)


def measure_start(build):
    directory = build / "bench/thousand"
    make_modules(build, directory)
    os.environ["UBIQ_CACHE_DIR"] = str(build / "bench/thousand-cache")
    with ubiq_server(build, directory, "/healthz") as server:
        for i in range(MODULES):
            server.wait_for(f"/f{i:04d}", b"warm up")
    seconds = []
    for _ in range(STARTS):
        with ubiq_server(build, directory, "/f0500", b"the first") as server:
            seconds.append(server.seconds)
    records.write(records.Key("start", "C count", MODULES, "ours", "seconds"), seconds, sys.stdout)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    for program in (build / "ubiq", build / "bench/bench_upstream_server"):
        if not program.exists():
            say(f"HTTP left out: there is no {program}")
            return
    measure_throughput(build)
    measure_start(build)


if __name__ == "__main__":
    main()
