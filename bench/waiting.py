"""Measures what many calls that wait, or one that computes without end, do to the calls of others.

    waiting.py BUILD_DIRECTORY

10,000 requests at the same moment, each of which waits a second for another server, on two worker
threads; and a small function meanwhile, with requests at a steady rate whose times count from when they
should have been sent. Then the small function beside one that spins.

Writes lines as measure.h has them to stdout. QUICK=1 measures less.
"""

import http.client
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import threading

import records
from serve import Server, free_port, say

QUICK = os.environ.get("QUICK", "0") not in ("", "0")
ROUNDS = 1 if QUICK else 5
REQUESTS = 10000
WAIT_MS = 1000
PER_SECOND = 200
SECONDS = 3
GUEST = "C fetch"


class Backend:
    """The server that is waited for."""

    def __init__(self, program):
        self.process = subprocess.Popen([program, "backend", str(WAIT_MS)], text=True,
                                        stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.most = int(self.process.stdout.readline())
        self.process.wait()


def make_application(build, port):
    directory = build / "bench/waiting"
    shutil.rmtree(directory, ignore_errors=True)
    (directory / "functions").mkdir(parents=True)
    for name in ("fetch", "small", "spin"):
        shutil.copy(build / f"bench/plugins/bench_{name}.wasm",
                    directory / f"functions/{name}.wasm")
    (directory / "ubiq.toml").write_text(f"""\
[server]
admin = "off"
[limits]
cpu_time = "60s"
wall_time = "60s"
[functions.fetch]
permissions = ["http:get:127.0.0.1:{port}/*"]
config = {{ request = '{{"url": "http://127.0.0.1:{port}/"}}' }}
""")
    return directory


def serve(build, directory):
    port = free_port()
    command = [build / "ubiq", "serve", directory, "--listen", f"127.0.0.1:{port}", "--workers",
               "2"]
    server = Server(command, port, "/small", build / "bench/waiting.log")
    server.wait_for("/fetch")
    return server


def start(program, *arguments):
    return subprocess.Popen([program, *map(str, arguments)], text=True, stdout=subprocess.PIPE)


def outcome(process):
    """What bench_http says: {"answered": 1, ...}."""
    words = process.communicate()[0].split()
    if process.returncode != 0:
        raise OSError("bench_http failed")
    return dict(zip(words[::2], map(int, words[1::2])))


def peak_bytes(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def measure_waiting(build, program):
    found = {"answered": [], "resident": [], "p99": [], "last": [], "in flight": []}
    for _ in range(ROUNDS):
        with Backend(program) as backend, \
                serve(build, make_application(build, backend.port)) as server:
            probe = start(program, "probe", server.port, "/small", PER_SECOND, SECONDS)
            burst = outcome(start(program, "burst", server.port, "/fetch", REQUESTS))
            small = outcome(probe)
            if small["answered"] != PER_SECOND * SECONDS:
                raise OSError(f"the small function fails: {small}")
            found["answered"].append(burst["answered"])
            found["last"].append(burst["last"])
            found["p99"].append(small["p99"])
            found["resident"].append(peak_bytes(server))
        found["in flight"].append(backend.most)
    for metric, values in found.items():
        records.write(records.Key("waiting", GUEST, REQUESTS, "ours", metric), values, sys.stdout)


def spin(port):
    """Asks for the function that spins, until the server ends."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    try:
        connection.request("GET", "/spin")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        pass
    finally:
        connection.close()


def measure_spinning(build, program):
    found = {"p99 alone": [], "p99": []}
    for _ in range(ROUNDS):
        with Backend(program) as backend, \
                serve(build, make_application(build, backend.port)) as server:
            for metric in ("p99 alone", "p99"):
                if metric == "p99":
                    threading.Thread(target=spin, args=(server.port,), daemon=True).start()
                small = outcome(start(program, "probe", server.port, "/small", PER_SECOND, SECONDS))
                if small["answered"] != PER_SECOND * SECONDS:
                    raise OSError(f"the small function fails: {small}")
                found[metric].append(small["p99"])
            server.process.kill()
    for metric, values in found.items():
        records.write(records.Key("spinning", "C spin", 1, "ours", metric), values, sys.stdout)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    program = build / "bench/bench_http"
    if not (build / "ubiq").exists() or not program.exists():
        say(f"waiting left out: there is no {program}")
        return
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < REQUESTS + 1000:
        say("waiting left out: the system allows too few open files (ulimit -Hn)")
    else:
        measure_waiting(build, program)
    measure_spinning(build, program)


if __name__ == "__main__":
    main()
