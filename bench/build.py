"""Measures what whoever saves a source waits for: whole `ubiq build` processes, each in a project with one
function whose source has just been changed.

    build.py BUILD_DIRECTORY
"""

import os
import pathlib
import shutil
import subprocess
import sys
import time

import records
import serve

ROUNDS = 5 if serve.QUICK else 25

SOURCES = {
    "C": ("hello.c", """#include <ubiq.h>

UBIQ_EXPORT("handle") int32_t handle(void)
{{
    static const char text[] = "hello {}";

    ubiq_output(text, sizeof text - 1);
    return 0;
}}
"""),
    "JavaScript": ("hello.js", "export default function (input) {{\n  return 'hello {} ' + input;\n}}\n"),
}


def make_project(build, language):
    directory = build / "bench/build" / language
    shutil.rmtree(directory, ignore_errors=True)
    (directory / "functions").mkdir(parents=True)
    return directory


def build_once(build, directory, language, number):
    """Nanoseconds from the source being saved to the end of the process that made its module."""
    name, source = SOURCES[language]
    module = directory / ".ubiq/build/hello.wasm"
    module.unlink(missing_ok=True)
    # Another one each time, which is in no cache.
    text = source.format(f"{time.time_ns()} {number}")
    begin = time.monotonic_ns()
    (directory / "functions" / name).write_text(text)
    subprocess.run([build / "ubiq", "build", directory], check=True, stdout=subprocess.DEVNULL)
    end = time.monotonic_ns()
    if not module.exists():
        sys.exit(f"bench: there is no {module}")
    return end - begin


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    projects = {language: make_project(build, language) for language in SOURCES}
    found = {language: [] for language in SOURCES}
    # The other benchmarks turn the cache of compiled modules off by this; here the compiler of JavaScript is
    # in it, as it is for whoever works.
    os.environ.pop("EXTISM_CACHE_CONFIG", None)
    # What the first build of a version finds out and keeps is left out.
    for turn in range(ROUNDS + 1):
        for language, directory in projects.items():
            ns = build_once(build, directory, language, turn)
            if turn:
                found[language].append(ns)
    for language, values in found.items():
        records.write(records.Key("ubiq build", language, 0, "ours", "wall"), values, sys.stdout)


if __name__ == "__main__":
    main()
