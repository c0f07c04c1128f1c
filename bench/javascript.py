"""Measures functions in JavaScript as they are served: requests a second, each in a fresh instance, beside
workerd with the same handler in its one isolate; and the memory that 1,000 of them take.

    javascript.py BUILD_DIRECTORY [WORKERD]
"""

import pathlib
import shutil
import subprocess
import sys
import time

import records
import serve

GUEST = "JavaScript hello"
FUNCTIONS = 1000

WORKERD = """using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .hello)],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "main")]
);
const hello :Workerd.Worker = (
  modules = [(name = "hello.js", esModule = embed "hello.js")],
  compatibilityDate = "2026-01-01"
);
"""


def project(build, name, sources):
    directory = build / "bench" / name
    shutil.rmtree(directory, ignore_errors=True)
    (directory / "functions").mkdir(parents=True)
    for function, text in sources.items():
        (directory / f"functions/{function}.js").write_text(text)
    subprocess.run([build / "ubiq", "build", directory], check=True, stdout=subprocess.DEVNULL)
    return directory


def workerd(build, program):
    directory = build / "bench/workerd"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    port = serve.free_port()
    (directory / "hello.js").write_text(
        "export default { async fetch(request) {\n"
        "  const input = await request.text();\n  return new Response('hello ' + input); } };\n")
    (directory / "config.capnp").write_text(WORKERD.format(port=port))
    return serve.Server([program, "serve", directory / "config.capnp"], port, "/",
                        build / "bench/workerd.log")


def measure_requests(build, program):
    sources = {"hello": "export default function (input) {\n  return 'hello ' + input;\n}\n"}
    results = {}
    with serve.ubiq_server(build, project(build, "javascript", sources), "/hello") as ours, \
            workerd(build, program) as theirs:
        ways = [("ours fresh", ours, "/hello"), ("workerd", theirs, "/")]
        for turn in range(serve.ROUNDS):
            for who, server, path in ways if turn % 2 else reversed(ways):
                rate, cpu = serve.load(server, path, False)
                for metric, value in (("requests/s", rate), ("cpu", cpu)):
                    key = records.Key("javascript http", GUEST, 0, who, metric)
                    results.setdefault(key, []).append(value)
    for key, values in results.items():
        records.write(key, values, sys.stdout)


def resident(server):
    """Bytes of memory, where what several processes or mappings share counts once."""
    text = pathlib.Path(f"/proc/{server.process.pid}/smaps_rollup").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) * 1024


def measure_memory(build):
    """What a server with 1,000 functions has more than one with two, each of them called once."""
    def source(number):
        return (f"const table = {{ name: 'f{number}', number: {number} }};\n"
                "const greet = (who) => `hello ${who} from ${table.name}`;\n"
                f"export default (input) => greet(input || 'you') + {number * 7};\n")

    sizes = []
    for count in (2, FUNCTIONS):
        sources = {f"f{n}": source(n) for n in range(count)}
        with serve.ubiq_server(build, project(build, "javascript", sources), "/f0") as server:
            for n in range(count):
                server.wait_for(f"/f{n}")
            time.sleep(10)
            sizes.append(resident(server))
    records.write(records.Key("idle", GUEST, 0, "1,000 functions", "bytes"), [sizes[1] - sizes[0]], sys.stdout)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    program = sys.argv[2] if len(sys.argv) > 2 else ""
    if program:
        measure_requests(build, program)
    else:
        serve.say("there is no workerd: JavaScript is not compared with it")
    measure_memory(build)


if __name__ == "__main__":
    main()
