"""Measures what it costs a function to read a key: requests a second of a function that does, beside the
same function without it, on one worker.

    keys.py BUILD_DIRECTORY
"""

import pathlib
import shutil
import subprocess
import sys

import records
import serve


def make_project(build):
    directory = build / "bench/keys"
    shutil.rmtree(directory, ignore_errors=True)
    (directory / "functions").mkdir(parents=True)
    for name in ("small", "key"):
        shutil.copy(build / f"bench/plugins/bench_{name}.wasm", directory / f"functions/{name}.wasm")
    (directory / "ubiq.toml").write_text('[functions.key]\npermissions = ["kv:read:*"]\n')
    subprocess.run([build / "ubiq", "kv", "-C", directory, "set", "key", "x" * 32], check=True)
    return directory


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    ways = [("C small", "/small"), ("C reads a key", "/key")]
    results = {}
    with serve.ubiq_server(build, make_project(build), "/healthz") as server:
        for _, path in ways:
            server.wait_for(path)
        for turn in range(serve.ROUNDS):
            for label, path in ways if turn % 2 else reversed(ways):
                key = records.Key("keys", label, 0, "ours fresh", "requests/s")
                results.setdefault(key, []).append(serve.load(server, path, False)[0])
    for key, values in results.items():
        records.write(key, values, sys.stdout)


if __name__ == "__main__":
    main()
