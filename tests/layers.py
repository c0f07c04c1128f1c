"""Checks that no include points upward: src/<layer> uses what is below it and nothing else."""

import pathlib
import re
import sys

BELOW = {
    "base": set(),
    "services": {"base"},
    "extism": {"base"},
    "app": {"base", "services", "extism"},
    "build": {"base", "services", "extism", "app"},
    "server": {"base", "services", "extism", "app"},
    "embed": {"base", "services", "extism", "app", "server"},
    "cli": {"base", "services", "extism", "app", "server", "build"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def upward(source):
    """The includes in src/ of files that are not below the layers they are in."""
    for path in sorted(source.rglob("*")):
        if path.suffix not in {".c", ".cc", ".h"}:
            continue
        layer = path.relative_to(source).parts[0]
        for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
            other = name.split("/")[0]
            if other in BELOW and other != layer and other not in BELOW[layer]:
                yield f"{path}: {layer} must not include \"{name}\""
            elif name.startswith("."):
                yield f"{path}: \"{name}\" does not say from which layer it is"


def main():
    source = pathlib.Path(sys.argv[1])
    layers = {path.name for path in source.iterdir() if path.is_dir()}
    wrong = [f"{source / name}: no layer that is known" for name in sorted(layers - BELOW.keys())]
    wrong += upward(source) if not wrong else []
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong or not layers else 0


if __name__ == "__main__":
    sys.exit(main())
