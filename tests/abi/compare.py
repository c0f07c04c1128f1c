#!/usr/bin/env python3
"""Everything in extism.h is what upstream's SDKs declare: sizes, alignments, offsets, numbers, signatures.

    compare.py CLANG HEADER LAYOUT SDK_DIRECTORY UPSTREAMS_LIBRARY [DIRECTORY_OF_JARS]

LAYOUT is the program of layout.c. The Python SDK's declarations were made from upstream's own header; the
Java SDK's are looked at where there are its jars.
"""

import glob
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile

CLANG, HEADER, LAYOUT, SDK, UPSTREAM = sys.argv[1:6]
JARS = sys.argv[6] if len(sys.argv) > 6 else None
STRUCTS = ("ExtismVal", "ExtismValUnion")
FUNCTION_TYPES = ("ExtismFunctionType", "ExtismLogDrainFunctionType")


def plain(text, typedefs):
    """A type without const, its typedefs resolved, and spaces only where they matter."""
    text = re.sub(r"\b(const|struct)\b", "", text)
    for _ in range(5):
        text = re.sub(r"\w+", lambda m: typedefs.get(m[0], m[0]), text)
        text = re.sub(r"\b(const|struct)\b", "", text)
    return re.sub(r"\s*([*(),])\s*", r"\1", " ".join(text.split()))


def declared_by_us():
    """The signatures of HEADER, as clang reads it: {name: "result(parameter,...)"}."""
    dump = [CLANG, "-x", "c", "-std=c17", "-fsyntax-only", "-Xclang", "-ast-dump=json", HEADER]
    tree = json.loads(subprocess.run(dump, capture_output=True, check=True).stdout)
    typedefs, found = {}, {}
    for node in tree["inner"]:
        if node["kind"] == "TypedefDecl" and not re.search(r"\b(struct|union|enum)\b", node["type"]["qualType"]):
            typedefs[node["name"]] = node["type"]["qualType"]
        elif node["kind"] == "FunctionDecl":
            found[node["name"]] = node["type"]["qualType"]
    for name in FUNCTION_TYPES:
        found[name] = typedefs.pop(name)
    # A parameter of a named function type is written out, as the SDK has it.
    written_out = {**typedefs, **{name: found[name] for name in FUNCTION_TYPES}}
    return {name: plain(text, written_out).replace("(void)", "()") for name, text in found.items()}


def load_ffi():
    path = os.path.join(SDK, "extism_sys", "ffi.py")
    spec = importlib.util.spec_from_file_location("extism_sys.ffi", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ffi


def declared_in_python(ffi):
    library, found = ffi.dlopen(UPSTREAM), {}
    for name in dir(library):
        if name.startswith("extism_"):
            t = ffi.typeof(getattr(library, name))
            arguments = ", ".join(a.cname for a in t.args)
            found[name] = plain(f"{t.result.cname}({arguments})", {})
    for name in FUNCTION_TYPES:
        found[name] = plain(ffi.typeof(name).cname, {})
    return found


def layout_in_python(ffi):
    lines = []
    for name in ("ExtismValType", *STRUCTS, "ExtismSize", "ExtismMemoryHandle", *FUNCTION_TYPES):
        lines.append(f"type {name} {ffi.sizeof(name)} {ffi.alignof(name)}")
    for name in STRUCTS:
        for field, place in ffi.typeof(name).fields:
            lines.append(f"field {name}.{field} {place.offset} {ffi.sizeof(place.type)}")
    for name, value in ffi.typeof("ExtismValType").relements.items():
        lines.append(f"value {name} {value}")
    return lines


def kinds(signature):
    """A signature in the letters of Declarations.java."""

    def kind(text):
        known = {"void": "v", "_Bool": "b"}
        return "p" if "*" in text else known.get(text, "i")

    result, arguments = signature.split("(", 1)
    depth, parts = 0, [""]
    for c in arguments[:-1]:
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return f"{kind(result)}({''.join(kind(p) for p in parts if p)})"


def declared_in_java():
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Declarations.java")
    with tempfile.TemporaryDirectory() as scratch:
        # The SDK loads the library before it says anything.
        os.symlink(os.path.abspath(UPSTREAM), os.path.join(scratch, "libextism.so"))
        command = ["java", "-cp", ":".join(glob.glob(os.path.join(JARS, "*.jar"))), "-XX:-UsePerfData",
                   f"-Djna.library.path={scratch}", f"-Djna.tmpdir={scratch}",
                   f"-Djava.io.tmpdir={scratch}", source]
        run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return run.stdout.splitlines()


def compare_java(ours, layout):
    sizes = {line.split()[1]: line.split()[2] for line in layout if not line.startswith("value")}
    for line in declared_in_java():
        what, name, value = line.split()
        if what == "function":
            yield line, f"function {name} {kinds(ours[name])}"
        elif what == "value":
            yield line, line if line in layout else f"no {name}"
        else:
            yield line, f"{what} {name} {sizes[name]}"


def main():
    ffi = load_ffi()
    ours, theirs = declared_by_us(), declared_in_python(ffi)
    layout = subprocess.run([LAYOUT], capture_output=True, text=True, check=True).stdout.splitlines()
    pairs = [(f"{name} {theirs.get(name)}", f"{name} {ours.get(name)}") for name in sorted({*ours, *theirs})]
    pairs += zip(sorted(layout_in_python(ffi)), sorted(layout), strict=True)
    if JARS:
        pairs += compare_java(ours, layout)
    else:
        print("the Java SDK's declarations are left out: there are no jars")
    different = [pair for pair in pairs if pair[0] != pair[1]]
    for upstream, found in different:
        print(f"upstream {upstream}\nours     {found}")
    print(f"{len(pairs)} declarations, {len(different)} different")
    sys.exit(bool(different) or len(pairs) < 50)


main()
