#!/usr/bin/env python3
"""Uses upstream's Python SDK on a library that is named, and prints what came of it.

    observe.py LIBRARY SDK_DIRECTORY

Each line is a name and what was seen, as JSON. It judges nothing: compare.py runs it on two libraries.
"""

import hashlib
import http.server
import importlib.util
import json
import os
import re
import sys
import tempfile
import threading
import time
import types
from typing import Annotated

LIBRARY, SDK = sys.argv[1:]


def load_sdk():
    """Imports extism with an extism_sys that opens LIBRARY."""
    path = os.path.join(SDK, "extism_sys", "ffi.py")
    spec = importlib.util.spec_from_file_location("extism_sys.ffi", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    package = types.ModuleType("extism_sys")
    package.ffi = module.ffi
    package.lib = module.ffi.dlopen(os.path.abspath(LIBRARY))
    sys.modules["extism_sys"] = package
    sys.path.insert(0, SDK)
    import extism

    return extism


extism = load_sdk()
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "guest.wat")) as f:
    GUEST = f.read()


@extism.host_fn(name="text")
def text(value: str) -> str:
    return value.upper()


@extism.host_fn(
    name="numbers",
    signature=(
        [extism.ValType.I32, extism.ValType.I64, extism.ValType.F32, extism.ValType.F64],
        [extism.ValType.I64],
    ),
)
def numbers(plugin, inputs, outputs):
    total = sum(value.value * weight for value, weight in zip(inputs, (1, 1, 10, 100)))
    outputs[0].value = int(total)


@extism.host_fn(
    name="pair", signature=([extism.ValType.I64], [extism.ValType.I64, extism.ValType.I64])
)
def pair(plugin, inputs, outputs):
    outputs[0].value = len(plugin.input_bytes(inputs[0]))
    outputs[1].value = 5


@extism.host_fn(name="nothing", namespace="own", signature=([], []))
def nothing(plugin, inputs, outputs):
    pass


FUNCTIONS = [text, numbers, pair, nothing]


def plain(value):
    """What was seen without what is different each time: times, ids, where code lies."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if isinstance(value, str):
        value = re.sub(r"0x[0-9a-f]+", "0x", value)
        value = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "ID", value)
        value = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", value)
        value = re.sub(r"127\.0\.0\.1:\d+", "HOST", value)
        value = re.sub(r" {4,}0x - ", " - ", value)
        value = re.sub(r"\nStack backtrace:\n.*?\n(?= plugin=)", "", value, flags=re.DOTALL)
    return value


def see(name, action):
    try:
        seen = action()
    except Exception as e:
        seen = f"{type(e).__name__}: {e}"
    print(json.dumps([name, plain(seen)]), flush=True)


def make(functions=FUNCTIONS, wasm=None, **manifest):
    return extism.Plugin({"wasm": wasm or [{"data": GUEST.encode()}], **manifest}, functions=functions)


def number(plugin, function, data=b""):
    return plugin.call(function, data, lambda out: int.from_bytes(bytes(out), "little"))


def calls():
    p = make()
    for data in (b"", b"text", b"\0\xff\x80", "ünï", bytes(range(256)) * 17):
        see(f"echo of {len(data)}", lambda: p.call("echo", data))
    big = os.urandom(5_000_000)
    see("echo of much", lambda: p.call("echo", big) == big)
    for _ in range(3):
        see("count", lambda: number(p, "count"))
    for function in ("trap", "code", "nothing at all", "parameters", "", "memory"):
        see(f"call of {function!r}", lambda: p.call(function, "x"))
    for words in ("a reason", "ein Grund für nichts", "", "x" * 5000):
        see(f"error of {len(words)}", lambda: p.call("fail", words))
    see("still counts", lambda: number(p, "count"))
    for function in ("echo", "trap", "nothing at all", "parameters", "memory", ""):
        see(f"exists {function!r}", lambda: p.function_exists(function))
    see("version of the id", lambda: p.id.version)


def plugins():
    for name, wasm in (
        ("text", GUEST),
        ("bytes", GUEST.encode()),
        ("nothing", ""),
        ("no module", b"\0asm"),
        ("broken text", "(module (broken))"),
        ("no manifest", {"wasm": []}),
        ("unknown key", {"wasm": [{"data": b"", "what": 1}]}),
        ("no file", {"wasm": [{"path": "/no/such/file.wasm"}]}),
    ):
        see(f"plug-in of {name}", lambda: bool(extism.Plugin(wasm, functions=FUNCTIONS)))
    see("without its functions", lambda: bool(make(functions=[])))
    right = hashlib.sha256(GUEST.encode()).hexdigest()
    for digest in (right, "00", right.upper()):
        see("hash", lambda: make(wasm=[{"data": GUEST.encode(), "hash": digest}]).call("echo", "x"))
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "guest.wat")
        with open(path, "w") as f:
            f.write(GUEST)
        see("from a file", lambda: make(wasm=[{"path": path}]).call("echo", "x"))
    lib = '(module (func (export "seven") (result i32) (i32.const 7)))'
    main = '(module (import "lib" "seven" (func $f (result i32))) (func (export "f") (result i32) (call $f)))'
    linked = [{"name": "lib", "data": lib.encode()}, {"name": "main", "data": main.encode()}]
    see("linked modules", lambda: make(functions=[], wasm=linked).call("f", ""))
    with make() as p:
        see("in a with", lambda: p.call("echo", "x"))


def settings():
    p = extism.Plugin(
        {"wasm": [{"data": GUEST.encode()}], "config": {"a": "manifest", "b": "kept", "ü": "ö"}},
        functions=FUNCTIONS,
        config={"a": "given", "b": None, "c": "new"},
    )
    for key in "abcdü":
        see(f"config {key}", lambda: p.call("config", key))
    p, other = make(), make()
    for plugin, function, data in (
        (p, "get var", ""),
        (p, "set var", "value"),
        (p, "get var", ""),
        (other, "get var", ""),
        (p, "trap", ""),
        (p, "get var", ""),
        (p, "unset var", ""),
        (p, "get var", ""),
        (p, "set var", "x" * 2_000_000),
        (p, "get var", ""),
    ):
        see(f"{function} ({len(data)})", lambda: plugin.call(function, data))
    p = make(memory={"max_var_bytes": 0})
    see("no variables", lambda: p.call("set var", "x"))
    p = make(memory={"max_var_bytes": 60})
    see("a small variable", lambda: p.call("set var", "x" * 10))
    see("too large a variable", lambda: p.call("set var", "x" * 100))
    p = make(memory={"max_pages": 20})
    see("too many pages", lambda: p.call("grow", ""))
    see("afterwards", lambda: p.call("echo", "x"))
    see("too large an input", lambda: p.call("echo", b"x" * 3_000_000))


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if self.path == "/slow":
            time.sleep(1.5)
        status = int(self.path[8:]) if self.path.startswith("/status/") else 200
        told = json.dumps([self.command, self.path, self.headers.get("x-own"), len(body)]).encode()
        if self.path == "/large":
            told = b"x" * 100_000
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)
        except BrokenPipeError:
            pass

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *args):
        pass


def requests():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"

    def ask(p, path="/", function="http", **more):
        return p.call(function, json.dumps({"url": base + path, **more}))

    for hosts in (None, [], ["example.com"], ["127.0.0.1"], ["127.*"], ["*"]):
        p = make(**({} if hosts is None else {"allowed_hosts": hosts}))
        see(f"allowed hosts {hosts}", lambda: ask(p))
    see("with headers", lambda: ask(p, headers={"x-own": "value"}, method="PUT"))
    for status in (200, 404, 500):
        see(f"status {status}", lambda: ask(p, f"/status/{status}", "http status"))
    for bad in ("", "{}", '{"url": 1}', '{"url": "nonsense"}', '{"url": "ftp://127.0.0.1/"}'):
        see(f"request {bad}", lambda: p.call("http", bad))
    limited = make(allowed_hosts=["*"], memory={"max_http_response_bytes": 1000})
    see("too large a response", lambda: ask(limited, "/large"))
    see("not too large a one", lambda: ask(limited))
    hurried = make(allowed_hosts=["*"], timeout_ms=300)
    see("a slow response", lambda: "rror" in str(failure(lambda: ask(hurried, "/slow"))))
    server.shutdown()


def failure(action):
    try:
        return action()
    except Exception as e:
        return f"{type(e).__name__}: {e}"


def host_functions():
    p = make()
    see("text", lambda: p.call("text", "quiet"))
    see("numbers", lambda: number(p, "numbers") - (1 << 64))
    see("pair", lambda: number(p, "pair", "four"))
    see("own namespace", lambda: p.call("nothing", ""))

    @extism.host_fn(name="text")
    def context(current: extism.CurrentPlugin, value: str) -> str:
        return repr(current.host_context())

    @extism.host_fn(name="text")
    def memory(current: extism.CurrentPlugin, value: str) -> str:
        block = current.alloc(10)
        current.memory(block)[:] = b"0123456789"
        again = current.memory_at_offset(block.offset)
        found = bytes(current.memory(again))
        current.free(block)
        return f"{len(again)} {found} {len(current.memory_at_offset(block.offset))}"

    @extism.host_fn(name="text")
    def as_json(value: Annotated[dict, extism.Json]) -> Annotated[list, extism.Json]:
        return sorted(value.items())

    @extism.host_fn(
        name="text", signature=([extism.ValType.I64], [extism.ValType.I64]), user_data=["of its own"]
    )
    def with_data(plugin, inputs, outputs, data):
        plugin.return_string(outputs[0], plugin.input_string(inputs[0]) + " " + data)

    @extism.host_fn(name="text")
    def failing(value: str) -> str:
        raise ValueError(value)

    rest = [numbers, pair, nothing]
    see("context", lambda: make(functions=[context] + rest).call("text", "x", host_context={"a": 1}))
    see("no context", lambda: make(functions=[context] + rest).call("text", "x"))
    see("memory", lambda: make(functions=[memory] + rest).call("text", "x"))
    see("json", lambda: make(functions=[as_json] + rest).call("text", '{"b": 1, "a": [2]}'))
    see("an exception", lambda: make(functions=[failing] + rest).call("text", "x"))
    see("user data", lambda: make(functions=[with_data] + rest).call("text", "x"))


def interruptions():
    p = make(timeout_ms=100)
    for _ in range(2):
        see("timeout", lambda: p.call("spin", ""))
        see("after the timeout", lambda: number(p, "count"))
    p = make()
    handle = p.cancel_handle()
    for _ in range(2):
        threading.Timer(0.1, handle.cancel).start()
        see("cancel", lambda: p.call("spin", ""))
        see("after the cancel", lambda: number(p, "count"))


def compiled():
    source = extism.extism.CompiledPlugin(GUEST, functions=FUNCTIONS)
    counted = []

    def work():
        p = extism.Plugin(source)
        counted.append([number(p, "count") for _ in range(20)][-1])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    see("compiled once", lambda: sorted(counted))
    p = extism.Plugin(source)
    del source
    see("outlives what it was compiled from", lambda: p.call("text", "x"))


def log():
    lines = []
    logger = extism.set_log_custom(lines.append, "info")
    p = make()
    p.call("log", "a line")
    try:
        p.call("fail", "an error")
    except extism.Error:
        pass
    logger.drain()
    see("log", lambda: "".join(lines))
    see("a second log", lambda: extism.set_log_file("/dev/null", "info"))


if __name__ == "__main__":
    for part in (calls, plugins, settings, requests, host_functions, interruptions, compiled, log):
        part()
