#!/usr/bin/env python3
"""Upstream's Python SDK does the same on our library as on upstream's.

    compare.py SDK_DIRECTORY UPSTREAMS_LIBRARY OUR_LIBRARY
"""

import json
import os
import subprocess
import sys

SDK, UPSTREAM, OURS = sys.argv[1:]


def observe(library):
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "observe.py")
    run = subprocess.run(
        [sys.executable, script, library, SDK], capture_output=True, text=True, timeout=300
    )
    if run.returncode != 0:
        sys.exit(f"{library}: observe.py ended with {run.returncode}\n{run.stderr}")
    return [json.loads(line) for line in run.stdout.splitlines()]


def same(theirs, found):
    """An error may say more than upstream's, behind what that says."""
    if theirs == found or not isinstance(found, str):
        return theirs == found
    more = found[len(theirs) :] if found.startswith(str(theirs)) else ""
    return theirs.startswith("Error: ") and more.startswith((": ", "\n\nCaused by:\n"))


def main():
    upstream, ours = observe(UPSTREAM), observe(OURS)
    different = 0
    for (name, theirs), (our_name, found) in zip(upstream, ours):
        if name != our_name or not same(theirs, found):
            different += 1
            print(f"{name}:\n  upstream {theirs!r}\n  ours     {found!r}")
    print(f"{len(ours)} observations, {different} different")
    if different or len(upstream) != len(ours) or len(ours) < 100:
        sys.exit(1)


main()
