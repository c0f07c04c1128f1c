"""The lines that the measurements write and the report reads; measure.h describes them."""

from collections import namedtuple

Key = namedtuple("Key", "what guest input who metric")


def write(key, values, file):
    fields = [key.what, key.guest, str(key.input), key.who, key.metric]
    fields += [f"{value:.4g}" for value in values]
    print("\t".join(fields), file=file, flush=True)


def read(file):
    """All lines as {Key: [value, ...]}, in their order."""
    found = {}
    for line in file:
        what, guest, size, who, metric, *values = line.rstrip("\n").split("\t")
        found[Key(what, guest, int(size), who, metric)] = [float(value) for value in values]
    return found
