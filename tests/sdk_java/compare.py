#!/usr/bin/env python3
"""Upstream's Java SDK does the same on our library as on upstream's.

    compare.py DIRECTORY_OF_JARS UPSTREAMS_LIBRARY OUR_LIBRARY GUEST DIRECTORY_OF_PLUGINS
"""

import glob
import json
import os
import subprocess
import sys
import tempfile

JARS, UPSTREAM, OURS, GUEST, PLUGINS = sys.argv[1:]


def observe(library):
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Observe.java")
    with tempfile.TemporaryDirectory() as scratch:
        # The SDK asks for a library named extism, and ours for what lies beside it.
        os.symlink(os.path.abspath(library), os.path.join(scratch, "libextism.so"))
        engine = os.path.join(os.path.dirname(os.path.abspath(library)), "libwasmtime.so")
        if os.path.exists(engine):
            os.symlink(engine, os.path.join(scratch, "libwasmtime.so"))
        run = subprocess.run(
            [
                "java",
                "-cp",
                ":".join(glob.glob(os.path.join(JARS, "*.jar"))),
                f"-Djna.library.path={scratch}",
                f"-Djna.tmpdir={scratch}",
                f"-Djava.io.tmpdir={scratch}",
                f"-XX:ErrorFile={scratch}/error",
                "-XX:-UsePerfData",
                "-Dfile.encoding=UTF-8",
                "-Dstdout.encoding=UTF-8",
                source,
                GUEST,
                PLUGINS,
            ],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=300,
        )
    if run.returncode != 0:
        sys.exit(f"{library}: Observe.java ended with {run.returncode}\n{run.stderr}{run.stdout[-2000:]}")
    return [json.loads(line) for line in run.stdout.splitlines()]


def same(theirs, found):
    """An error may say more than upstream's, behind what that says."""
    more = found[len(theirs) :] if found.startswith(theirs) else None
    failed = theirs.startswith("ExtismException: ")
    return more == "" or (failed and more is not None and more.startswith((": ", "\n\nCaused by:\n")))


def main():
    upstream, ours = observe(UPSTREAM), observe(OURS)
    different = 0
    for (name, theirs), (our_name, found) in zip(upstream, ours):
        if name != our_name or not same(theirs, found):
            different += 1
            print(f"{name}:\n  upstream {theirs!r}\n  ours     {found!r}")
    print(f"{len(ours)} observations, {different} different")
    if different or len(upstream) != len(ours) or len(ours) < 50:
        sys.exit(1)


main()
