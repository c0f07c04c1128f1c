"""Prints the tables and writes the JSON of one run of the benchmark.

    report.py RECORDS JSON ENGINE

A ratio is the median of the ratios of the single turns, in which what is compared was measured one
right after the other; so it may differ a little from the quotient of the medians beside it.
"""

import json
import os
import platform
import statistics
import sys

import records

SMALL, LARGE = 64, 10 << 20
AT_LEAST, AT_MOST = ">=", "<="


def scaled(nanoseconds):
    for factor, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "us")):
        value = nanoseconds / factor
        if value >= 1:
            return f"{value:.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"
    return f"{nanoseconds:.3g} ns"


def size_text(size):
    for factor, unit in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= factor:
            return f"{size / factor:.4g} {unit}"
    return f"{size} B"


SHOW = {"ns": scaled, "bytes": lambda v: size_text(round(v)), "s": lambda v: f"{v:.3f} s",
        "requests/s": lambda v: f"{v:.0f}", "writes/s": lambda v: f"{v:.0f}",
        "requests": lambda v: f"{v:.0f}"}


def table(title, heads, rows):
    if not rows:
        return
    widths = [max(len(str(row[i])) for row in [heads, *rows]) for i in range(len(heads))]

    def line(cells):
        return "| " + " | ".join(str(c).ljust(w) for c, w in zip(cells, widths)) + " |"

    print(f"\n{title}\n\n{line(heads)}\n|{'|'.join('-' * (w + 2) for w in widths)}|")
    for row in rows:
        print(line(row))


class Run:
    def __init__(self, found):
        self.found = found
        self.goals = []

    def values(self, what, guest, size, who, metric="wall"):
        return self.found.get(records.Key(what, guest, size, who, metric))

    def guests(self, what):
        """Guest and input size of what was measured, in the order of the measurements."""
        return list(dict.fromkeys((k.guest, k.input) for k in self.found if k.what == what))

    def goal(self, name, guest, base, ours, direction, least, aim, unit="ns"):
        """One row of the table of goals. The ratio is `base` over `ours` if more of it is better,
        else the inverse; `base` is a number where `ours` is compared with nothing measured."""
        if base is None or ours is None:
            return
        if isinstance(base, list):
            more = direction == AT_LEAST and unit == "ns"
            upper, lower = (base, ours) if more else (ours, base)
            ratio = statistics.median(u / l for u, l in zip(upper, lower))
            base = statistics.median(base)
            compared = SHOW[unit](base)
        else:
            ratio = statistics.median(ours) / base
            compared = ""
        ratio, ours = round(ratio, 2), statistics.median(ours)
        if direction == AT_LEAST:
            least_met, aim_met = ratio >= least, ratio >= aim
        else:
            least_met, aim_met = ratio <= least, ratio <= aim
        self.goals.append({
            "name": name, "guest": guest, "unit": unit, "base": base, "ours": ours, "ratio": ratio,
            "direction": direction, "least": least, "aim": aim, "least_met": least_met,
            "aim_met": aim_met, "shown": [compared, SHOW[unit](ours)]})


def call_goals(run):
    small = [g for g, size in run.guests("call") if size == SMALL]
    for guest in small:
        def of(who, size=SMALL, guest=guest):
            return run.values("call", guest, size, who)

        for who, name in (("ours fiber", "a fiber"), ("ours fresh", "the C ABI")):
            run.goal(f"fresh call on {name}, 64 B, to upstream's fresh", guest,
                     of("upstream fresh"), of(who), AT_LEAST, 6, 20)
            run.goal(f"fresh call on {name}, 64 B, to upstream's kept", guest,
                     of("upstream kept"), of(who), AT_MOST, 3, 1)
        run.goal("kept call, 64 B", guest, of("upstream kept"), of("ours kept"), AT_LEAST, 1, 2)
        run.goal("kept call, 10 MiB", guest, of("upstream kept", LARGE), of("ours kept", LARGE),
                 AT_LEAST, 1, 2)
        run.goal("fresh call on a fiber, 10 MiB", guest, of("upstream fresh", LARGE),
                 of("ours fiber", LARGE), AT_LEAST, 1, 2)
    after_goals(run)


def after_goals(run):
    """Of the first call after a large one, most is that the processor's caches hold other things;
    so it is compared with a call after other work too."""
    for guest, size in run.guests("small before"):
        def of(what, guest=guest, size=size):
            return run.values(what, guest, size, "ours kept")

        run.goal("small calls after 10 MiB, to before", guest,
                 of("small before"), of("small after"), AT_MOST, 1.2, 1)
        run.goal("the first of them, to before", guest,
                 of("small before"), of("small first after"), AT_MOST, 1.2, 1)
        run.goal("the first of them, to one after other work", guest,
                 of("small after other work"), of("small first after"), AT_MOST, 1.2, 1)


def other_goals(run):
    static = run.values("http", "static", 0, "ours", "requests/s")
    for guest, size in run.guests("http"):
        run.goal("requests/s, fresh each, to the static handler", guest, static,
                 run.values("http", guest, size, "ours fresh", "requests/s"),
                 AT_LEAST, 0.35, 0.6, "requests/s")
    run.goal("requests/s of a function that reads a key, to one that does not", "C",
             run.values("keys", "C small", 0, "ours fresh", "requests/s"),
             run.values("keys", "C reads a key", 0, "ours fresh", "requests/s"),
             AT_LEAST, 0.6, 0.8, "requests/s")
    for guest, size in run.guests("suspended resident"):
        run.goal("memory of a suspended call, KiB", guest, 1024,
                 run.values("suspended resident", guest, size, "ours fiber", "bytes"),
                 AT_MOST, 32, 16, "bytes")
    for guest, size in run.guests("kv writes"):
        run.goal("durable KV writes/s, 64 clients, to SQLite with one a transaction", guest,
                 run.values("kv writes", guest, size, "one a transaction", "writes/s"),
                 run.values("kv writes", guest, size, "64 clients", "writes/s"),
                 AT_LEAST, 10, 20, "writes/s")
    for guest, size in run.guests("start"):
        run.goal("1,000 cached modules until the first is served, s", guest, 1,
                 run.values("start", guest, size, "ours", "seconds"), AT_MOST, 1, 0.2, "s")


def dotnet_goals(run):
    for guest, size in run.guests("call from .NET"):
        run.goal(f"call from .NET, {size_text(size)}, to one from C", guest,
                 run.values("call from .NET", guest, size, "C"),
                 run.values("call from .NET", guest, size, ".NET"), AT_MOST, 1.5, 1.2)


def javascript_goals(run):
    def of(what, who, metric="wall", guest="JavaScript hello"):
        return run.values(what, guest, 0, who, metric)

    run.goal("fresh call of a function in JavaScript, to one in C", "hello",
             of("fresh call", "C"), of("fresh call", "JavaScript"), AT_MOST, 10, 4)
    run.goal("JavaScript source to module, ms", "hello", 1e6,
             of("source to module", "JavaScript"), AT_MOST, 100, 30)
    run.goal("a function's module in JavaScript, KiB", "hello", 1024,
             of("module", "JavaScript", "bytes"), AT_MOST, 8, 2, "bytes")
    run.goal("memory of 1,000 JavaScript functions, called and idle, MiB", "hello", 2**20,
             of("idle", "1,000 functions", "bytes"), AT_MOST, 100, 20, "bytes")
    run.goal("requests/s, fresh each, to workerd's one isolate", "JavaScript hello",
             of("javascript http", "workerd", "requests/s"),
             of("javascript http", "ours fresh", "requests/s"), AT_LEAST, 0.5, 1.5, "requests/s")


def build_goals(run):
    """Whole processes of `ubiq build`, each of one function that has been changed."""
    for guest, least, aim in (("C", 400, 150), ("JavaScript", 100, 30)):
        run.goal("from the source saved to `ubiq build` done, ms", guest, 1e6,
                 run.values("ubiq build", guest, 0, "ours"), AT_MOST, least, aim)


def waiting_goals(run):
    """Calls that wait, and one that spins, beside a small function."""
    for guest, count in run.guests("waiting"):
        def of(metric, guest=guest, count=count):
            return run.values("waiting", guest, count, "ours", metric)

        name = f"{count:,} requests that wait a second"
        run.goal(f"{name}: answered", guest, count, of("answered"), AT_LEAST, 1, 1, "requests")
        run.goal(f"{name}: resident memory, GiB", guest, 1 << 30, of("resident"), AT_MOST, 1, 0.5,
                 "bytes")
        run.goal(f"{name}: p99 of a small function, to 50 ms", guest, 50e6, of("p99"), AT_MOST, 1,
                 0.5)
    for guest, count in run.guests("spinning"):
        alone = run.values("spinning", guest, count, "ours", "p99 alone")
        beside = run.values("spinning", guest, count, "ours", "p99")
        more = [max(0, b - a) for a, b in zip(alone, beside)]
        run.goal("p99 of a small function beside one that spins, more, to two ticks of 10 ms",
                 guest, 20e6, more, AT_MOST, 1, 0.5)


def print_waiting(run):
    rows = []
    for guest, count in run.guests("waiting"):
        def of(metric, guest=guest, count=count):
            return statistics.median(run.values("waiting", guest, count, "ours", metric))

        rows.append([guest, count, f"{of('answered'):.0f}", f"{of('in flight'):.0f}",
                     scaled(of("last")), size_text(round(of("resident"))), scaled(of("p99"))])
    table("Requests that all wait a second for another server, two worker threads",
          ["plug-in", "at once", "answered", "waited for at once", "the last after",
           "resident memory", "p99 of a small function"], rows)
    rows = []
    for guest, count in run.guests("spinning"):
        medians = [statistics.median(run.values("spinning", guest, count, "ours", metric))
                   for metric in ("p99 alone", "p99")]
        rows.append([guest, *map(scaled, medians)])
    table("p99 of a small function, two worker threads",
          ["plug-in", "alone", "beside one that spins"], rows)


def print_goals(run):
    rows = []
    names = list(dict.fromkeys(g["name"] for g in run.goals))
    for g in sorted(run.goals, key=lambda g: names.index(g["name"])):
        reached = "aim" if g["aim_met"] else "least" if g["least_met"] else "no"
        d = g["direction"]
        rows.append([g["name"], g["guest"], *g["shown"], g["ratio"], f"{d} {g['least']}",
                     f"{d} {g['aim']}", reached])
    table("Goals", ["what", "plug-in", "compared", "ours", "ratio", "at least", "aim", "reached"],
          rows)


def print_ways(run, what, title, ways, pairs):
    """A row a guest and size, a column a way, and a column for each pair's ratio."""
    rows = []
    for guest, size in run.guests(what):
        values = {way: run.values(what, guest, size, way) for way in ways}
        if None in values.values():
            continue
        row = [guest, size_text(size)] + [scaled(statistics.median(values[way])) for way in ways]
        for base, ours in pairs:
            ratio = statistics.median(b / o for b, o in zip(values[base], values[ours]))
            row.append(f"{ratio:.2f}")
        rows.append(row)
    heads = ["plug-in", "input", *ways, *(f"{b} / {o}" for b, o in pairs)]
    table(title, heads, rows)


def print_http(run):
    """Requests a second say what a client sees; CPU time for each is less disturbed by what else
    the machine does."""
    def of(guest, size, who, metric):
        return run.values("http", guest, size, who, metric)

    if not of("static", 0, "ours", "requests/s"):
        return
    rows = []
    for guest, size in run.guests("http"):
        for who in ("ours", "ours fresh", "upstream kept"):
            rate, cpu = of(guest, size, who, "requests/s"), of(guest, size, who, "cpu")
            if not rate:
                continue
            row = [guest, who, f"{statistics.median(rate):.0f}", scaled(statistics.median(cpu))]
            for values, metric in ((rate, "requests/s"), (cpu, "cpu")):
                static = of("static", 0, "ours", metric)
                ratio = statistics.median(v / s for v, s in zip(values, static))
                row.append(f"{ratio:.2f}")
            rows.append(row)
    table("HTTP, one worker thread",
          ["handler", "who", "requests/s", "CPU for one", "requests/s / static", "CPU / static"],
          rows)


def print_details(run):
    fresh, kept = "upstream fresh", "upstream kept"
    print_ways(run, "call", "Calls, time for one (median)",
               [fresh, kept, "ours fresh", "ours fiber", "ours kept"],
               [(fresh, "ours fresh"), (fresh, "ours fiber"), (kept, "ours kept")])
    after = [("small before", "before"), ("small after other work", "after other work"),
             ("small first after", "first after"), ("small after", "after")]
    rows = []
    for guest, size in run.guests("small before"):
        for who in (kept, "ours kept"):
            medians = [statistics.median(run.values(what, guest, size, who)) for what, _ in after]
            rows.append([guest, who, *map(scaled, medians)])
    table("A call with 64 B around one with 10 MiB, kept plug-in",
          ["plug-in", "who", *(name for _, name in after)], rows)
    print_ways(run, "load compiled", "Load of a module, compiled", ["upstream", "ours"],
               [("upstream", "ours")])
    print_ways(run, "load cached", "Load of a module, from the cache", ["upstream", "ours"],
               [("upstream", "ours")])
    print_http(run)
    rows = []
    for what in ("suspended resident", "suspended page tables"):
        for guest, count in run.guests(what):
            value = run.values(what, guest, count, "ours fiber", "bytes")
            rows.append([what, count, SHOW["bytes"](statistics.median(value))])
    table("Memory of a suspended call", ["what", "calls", "a call"], rows)
    print_kv_writes(run)
    print_waiting(run)


def print_kv_writes(run):
    rows = []
    for guest, size in run.guests("kv writes"):
        ways = {who: run.values("kv writes", guest, size, who, "writes/s")
                for who in ("one a transaction", "1 client", "64 clients")}
        base = ways["one a transaction"]
        for who, rates in ways.items():
            ratio = statistics.median(r / b for r, b in zip(rates, base))
            rows.append([who, SHOW["writes/s"](statistics.median(rates)), f"{ratio:.2f}"])
    table("KV writes, durable, values of 100 B", ["who", "writes/s", "to one a transaction"], rows)


def as_json(run, engine):
    measurements = {}
    for key, values in run.found.items():
        entry = measurements.setdefault(key[:4], dict(zip(key._fields[:4], key[:4])))
        entry[key.metric] = {"median": statistics.median(values), "min": min(values),
                             "max": max(values), "turns": len(values)}
    goals = [{k: v for k, v in g.items() if k != "shown"} for g in run.goals]
    return {"machine": {"cores": os.cpu_count(), "system": platform.system(),
                        "release": platform.release(), "machine": platform.machine()},
            "engine": engine, "goals": goals, "measurements": list(measurements.values())}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        run = Run(records.read(file))
    call_goals(run)
    other_goals(run)
    dotnet_goals(run)
    javascript_goals(run)
    build_goals(run)
    waiting_goals(run)
    print(f"{os.cpu_count()} cores, {platform.system()} {platform.release()}; "
          f"engine: {sys.argv[3]}")
    print_details(run)
    print_goals(run)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        json.dump(as_json(run, sys.argv[3]), file, indent=1)
        file.write("\n")
    print(f"\nThe same as JSON: {sys.argv[2]}")


if __name__ == "__main__":
    main()
