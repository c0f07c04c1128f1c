#!/usr/bin/env python3
"""Runs the conformance cases on two libraries and holds what they observed against each other.

    compare.py PROGRAM UPSTREAM OURS [--plugins DIR] [--case NAME]... [--differences FILE] [--toml]

Every observation must be equal, but for what the rules below let differ in every case, and for what
differences.toml lists: there each difference has its reason and both values, and both are held to.
With --toml what differs is printed as that file has it, for whoever has a reason to write beside it.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")

# A frame of a backtrace: our library adds its kernel to each module before it is compiled, so the
# addresses and the numbers of functions without a name are not those of the module's file.
FRAME = re.compile(r"^( +\d+: ) +0x[0-9a-f]+ - (.*)$", re.MULTILINE)
FUNCTION = re.compile(r"<wasm function \d+>")

# The same text of the validator's, with or without a context of the compiler's.
CODE_OFFSET = re.compile(r"Invalid input WebAssembly code at offset (\d+): (.*)$", re.DOTALL)

# Upstream's C ABI gives the outermost text of a chain of errors, these among them; ours goes on
# with the causes, which upstream has in its log.
CONTEXTS = (
    "error while executing at wasm backtrace:",
    "failed to ",
    "unable to ",
    "call to ",
)
CAUSED_BY = "\n\nCaused by:\n    "

# Upstream says no more about a manifest than this; ours goes on with what is wrong and where.
UNKNOWN_MANIFEST = "Unable to compile Extism plugin: Unknown manifest format"

# The end of a text of upstream's JSON reader, which is not ours to repeat.
JSON_POSITION = re.compile(r" at line \d+ column \d+$")


def normal(value):
    if not isinstance(value, str):
        return value
    value = TIME.sub("TIME", UUID.sub("UUID", value))
    value = FUNCTION.sub("<wasm function N>", FRAME.sub(r"\1ADDRESS - \2", value))
    return CODE_OFFSET.sub(lambda m: f"{m[2]} (at offset {int(m[1]):#x})", value)


def agrees(upstream, ours, whole):
    """Whether ours is what upstream has. `whole` is upstream's error with its causes, or None."""
    if upstream == ours:
        return True
    if not isinstance(upstream, str) or not isinstance(ours, str):
        return False
    if upstream == UNKNOWN_MANIFEST:
        return ours.startswith(UNKNOWN_MANIFEST + ": ")
    if not upstream.startswith(CONTEXTS):
        return False
    if whole is None:
        return ours.startswith(upstream + CAUSED_BY)
    if JSON_POSITION.search(whole):
        return ours.startswith(whole.partition(CAUSED_BY)[0] + CAUSED_BY)
    return ours == whole


class Result:
    """What one library did in one case: how it ended, and each observation by name; the second of
    one name is "name#2"."""

    def __init__(self, line):
        data = json.loads(line)
        self.case = data["case"]
        self.seen = {}
        for name, value in data["seen"]:
            key, n = name, 1
            while key in self.seen:
                n += 1
                key = f"{name}#{n}"
            self.seen[key] = normal(value)
            if " logged" in key:
                self.seen[key] = self.seen[key].removesuffix("\n")
        self.seen["end"] = data["end"]
        self.absent = "absent" in self.seen

    def whole_error(self, key):
        """The logged error that belongs to an observed one."""
        if " logged" in key:
            return self.seen.get(key)
        name, hash_, n = key.partition("#")
        if not name.endswith(" error"):
            return None
        return self.seen.get(name.removesuffix(" error") + " logged" + hash_ + n)


def cache_settings(directory):
    """Gives each library a cache of compiled modules that is this run's own."""
    config = os.path.join(directory, "upstream.toml")
    with open(config, "w") as f:
        f.write(f'[cache]\ndirectory = "{directory}/upstream"\n')
    return {"EXTISM_CACHE_CONFIG": config}, {"UBIQ_CACHE_DIR": os.path.join(directory, "ours")}


def run(program, library, plugins, cases, settings):
    """Starts the program on a library, its results in a file."""
    out = tempfile.TemporaryFile("w+")
    command = [program, library]
    for case in cases:
        command += ["--case", case]
    env = dict(os.environ)
    for name in ("EXTISM_CACHE_CONFIG", "UBIQ_CACHE_DIR"):
        env.pop(name, None)
    env.update(settings)
    if plugins:
        env["CONFORMANCE_PLUGINS"] = os.path.abspath(plugins)
    return subprocess.Popen(command, stdout=out, env=env), out


def results(process, out):
    if process.wait() != 0:
        sys.exit(f"compare: {process.args[0]} ended with {process.returncode}")
    out.seek(0)
    found = [Result(line) for line in out]
    return {r.case: r for r in found}


def mismatches(upstream, ours):
    """Where the two differ: name -> (upstream's value, ours), MISSING for what was not seen."""
    found = {}
    keys = list(upstream.seen) + [k for k in ours.seen if k not in upstream.seen]
    for key in keys:
        u = upstream.seen.get(key, MISSING)
        o = ours.seen.get(key, MISSING)
        if not agrees(u, o, upstream.whole_error(key)):
            found[key] = (u, o)
    return found


MISSING = "(not seen)"


def read_differences(path):
    """case -> (upstream's values, ours), by name."""
    with open(path, "rb") as f:
        listed = tomllib.load(f)
    reasons = listed.pop("reasons", {})
    found = {}
    for case, d in listed.items():
        if "reason" not in d or (" " not in d["reason"] and d["reason"] not in reasons):
            sys.exit(f"compare: {case} is listed without a reason")
        upstream, ours = d.get("upstream", {}), d.get("ours", {})
        if "end" in upstream:
            ours.setdefault("end", "ok")
        found[case] = tuple(
            {k: None if v == "(null)" else v for k, v in side.items()} for side in (upstream, ours)
        )
    return found


def check(ours, found, listed):
    """The mismatches of a case that are not those listed for it: lines to print."""
    lines = []
    if ours.seen["end"] != "ok" and "end" not in found:
        lines += [f"  end: ours {ours.seen['end']}, as upstream's"]
    expected = {
        k: (listed[0].get(k, MISSING), listed[1].get(k, MISSING)) for k in {**listed[0], **listed[1]}
    }
    for key, (u, o) in found.items():
        if key not in expected:
            lines += [f"  {key}", f"    upstream {u!r}", f"    ours     {o!r}"]
        elif expected[key] != (u, o):
            lines += [f"  {key}: not the difference that is listed"]
            lines += [f"    upstream {u!r}", f"    listed   {expected[key][0]!r}"]
            lines += [f"    ours     {o!r}", f"    listed   {expected[key][1]!r}"]
    for key in expected:
        if key not in found:
            lines += [f"  {key}: is listed as a difference and is none"]
    return lines


def judge(cases, upstream, ours, differences):
    """The cases that are wrong, each with the lines that say why."""
    failed = {}
    for case in cases:
        found = mismatches(upstream[case], ours[case])
        lines = check(ours[case], found, differences.get(case, ({}, {})))
        if lines:
            failed[case] = lines
    return failed


def toml_value(value):
    return json.dumps("(null)" if value is None else value, ensure_ascii=False)


def toml_key(name):
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)


def as_toml(case, found):
    lines = [f'["{case}"]', 'reason = ""']
    for side, index in (("upstream", 0), ("ours", 1)):
        for name, values in found.items():
            if values[index] != MISSING and (side, name, values[1]) != ("ours", "end", "ok"):
                lines.append(f"{side}.{toml_key(name)} = {toml_value(values[index])}")
    return lines + [""]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("upstream")
    parser.add_argument("ours")
    parser.add_argument("--plugins")
    parser.add_argument("--case", action="append", default=[])
    parser.add_argument("--toml", action="store_true")
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--differences", default=os.path.join(here, "differences.toml"))
    args = parser.parse_args()

    differences = read_differences(args.differences)
    with tempfile.TemporaryDirectory() as cache:
        settings = cache_settings(cache)
        runs = [
            run(args.program, library, args.plugins, args.case, s)
            for library, s in zip((args.upstream, args.ours), settings)
        ]
        upstream, ours = (results(*r) for r in runs)
        compared = [case for case, up in upstream.items() if not up.absent]
        failed = judge(compared, upstream, ours, differences)
        if failed:
            # Upstream's timer loses a race now and then; ours has one try.
            again = run(args.program, args.upstream, args.plugins, list(failed), settings[0])
            upstream.update(results(*again))
            failed = judge(list(failed), upstream, ours, differences)

    for case, lines in failed.items():
        found = mismatches(upstream[case], ours[case])
        print("\n".join(as_toml(case, found) if args.toml else [f"{case} differs"] + lines))
    unknown = [] if args.case else [c for c in differences if c not in upstream]
    for case in unknown:
        print(f"{case}: is listed in the differences and is no case")
    wrong = len(failed) + len(unknown)
    skipped = len(upstream) - len(compared)
    print(f"conformance: {len(compared) - len(failed)} passed, {wrong} failed, {skipped} skipped")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
