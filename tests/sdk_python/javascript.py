#!/usr/bin/env python3
"""What `ubiq build --manifest` makes of JavaScript runs on a library that is named, through upstream's SDK.

    javascript.py UBIQ LIBRARY SDK_DIRECTORY
"""

import http.server
import importlib.util
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import types
import unittest

UBIQ, LIBRARY, SDK = sys.argv[1:]

SOURCES = {
    "hello": "export default (input) => `hello ${input}`;",
    "methods": "export const GET = async () => ({ now: Date.now() > 0, id: crypto.randomUUID().length });\n"
    "export const state = (() => { let n = 0; return () => String(++n); })();",
    "timer": "export default async () => { await new Promise((done) => setTimeout(done, 5)); return 'done'; }",
    "throws": "export default () => {\n  missing();\n};",
    "recurses": "const f = () => f() + 1;\nexport default () => { try { f(); } catch (e) { return e.name; } };",
    "fetches": "export default async (port) => {\n"
    "  const all = ['a', 'b'].map((path) => fetch(`http://127.0.0.1:${port}/${path}`, { method: 'POST', body: path }));\n"
    "  return (await Promise.all((await Promise.all(all)).map(async (r) => r.status + await r.text()))).join();\n"
    "};",
    # In the manner of Extism's own JavaScript PDK.
    "pdk": "function count_vowels() {\n"
    "  const n = [...Host.inputString()].filter((c) => 'aeiou'.includes(c)).length;\n"
    "  const total = Number(Var.getString('total') ?? 0) + n;\n"
    "  Var.set('total', String(total));\n"
    "  Host.outputString(JSON.stringify({ count: n, total, key: Config.get('key') }));\n"
    "  return 0;\n"
    "}\n"
    "function fails() { return 3; }\n"
    "module.exports = { count_vowels, fails };\n",
    # Functions of the host's own, declared beside the source.
    "own": "const { shout, mix, note } = Host.getFunctions();\n"
    "function run() {\n"
    "  const given = Memory.fromString(Host.inputString());\n"
    "  const answer = Memory.find(shout(given.offset));\n"
    "  const seen = [answer.readString(), answer.len, mix(-2, 2 ** 40, 0.5, -0.25), mix(1n, 2n ** 40n, 0.5, -0.25),\n"
    "    note(Memory.fromJsonObject({ a: [1] }).offset) === undefined];\n"
    "  given.free();\n"
    "  try { shout('text'); } catch (e) { seen.push(e.name); }\n"
    "  Host.outputString(JSON.stringify(seen));\n"
    "}\n"
    "function memory() {\n"
    "  const bytes = Memory.fromBuffer(new Uint8Array([1, 2, 3]).buffer);\n"
    "  Host.outputString([new Uint8Array(bytes.readBytes()).join(''), Memory.find(bytes.offset).len,\n"
    "    Memory.allocUInt32(7).readUInt32(), Memory.allocUInt64(2n ** 60n).readUInt64(), Memory.allocFloat32(0.5).readFloat32(),\n"
    "    Memory.allocFloat64(0.1).readUFloat64(), Memory.fromJsonObject({ a: 1 }).readJsonObject().a,\n"
    "    Memory.find(1 << 30) === undefined].join(' '));\n"
    "}\n"
    "module.exports = { run, memory };\n",
    "module": "const { shout } = Host.getFunctions();\n"
    "export function handle() {\n"
    "  Host.outputString(Memory.find(shout(Memory.fromString(Host.inputString()).offset)).readString());\n"
    "}\n",
    "platform": "import { kv } from 'ubiq';\nexport default () => kv.get('a');",
}


# A file of declarations beside a source.
OWN = """// What the host offers.
declare module "main" {
  export function run(): I32;
  export function memory(): I32;
}
declare module "extism:host" {
  interface user {
    shout(text: PTR): PTR;
    mix(a: I32, b: I64, c: F32, d: F64): I32;
    note(json: PTR): void;
  }
}
"""


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


class Echo(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class JavaScript(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="ubiq-javascript-")
        functions = pathlib.Path(cls.directory.name, "functions")
        functions.mkdir()
        for name, text in SOURCES.items():
            (functions / f"{name}.js").write_text(text)
        for name in ("own", "module"):
            (functions / f"{name}.d.ts").write_text(OWN)
        subprocess.run([UBIQ, "build", "--manifest", cls.directory.name], check=True, capture_output=True)

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    def plugin(self, name, allowed_hosts=(), **options):
        manifest = json.loads(pathlib.Path(self.directory.name, ".ubiq/manifest", f"{name}.json").read_text())
        manifest["allowed_hosts"] = list(allowed_hosts)
        return extism.Plugin(manifest, wasi=True, **options)

    def call(self, name, function="handle", data=b""):
        return bytes(self.plugin(name).call(function, data))

    def fails(self, name, words):
        with self.assertRaises(extism.Error) as raised:
            self.call(name)
        self.assertIn(words, str(raised.exception))

    def test_hello(self):
        self.assertEqual(self.call("hello", data=b"you"), b"hello you")
        self.assertEqual(self.call("hello", "default", b"you"), b"hello you")

    def test_methods(self):
        self.assertEqual(json.loads(self.call("methods", "GET")), {"now": True, "id": 36})
        kept = self.plugin("methods")
        self.assertEqual([bytes(kept.call("state", b"")) for _ in range(3)], [b"1", b"2", b"3"])

    def test_waits(self):
        self.assertEqual(self.call("timer"), b"done")

    def test_fetch(self):
        server = http.server.HTTPServer(("127.0.0.1", 0), Echo)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        plugin = self.plugin("fetches", allowed_hosts=["127.0.0.1"])
        self.assertEqual(bytes(plugin.call("handle", str(server.server_port).encode())), b"200a,200b")

    def test_errors(self):
        self.fails("throws", "ReferenceError: missing is not defined\n    at default (functions/throws.js:2:")
        self.assertEqual(self.call("recurses"), b"RangeError")

    def test_sources_for_extism(self):
        plugin = self.plugin("pdk", config={"key": "value"})
        for total in (2, 4):
            self.assertEqual(json.loads(bytes(plugin.call("count_vowels", b"banal"))),
                             {"count": 2, "total": total, "key": "value"})
        with self.assertRaises(extism.Error):
            plugin.call("fails", b"")

    def test_functions_of_the_host(self):
        I32, I64, F32, F64 = (getattr(extism.ValType, kind) for kind in ("I32", "I64", "F32", "F64"))
        notes = []

        @extism.host_fn()
        def shout(text: str) -> str:
            return text.upper()

        @extism.host_fn(signature=([I32, I64, F32, F64], [I32]))
        def mix(plugin, inputs, outputs):
            notes.append([v.value for v in inputs])
            outputs[0].value = inputs[0].value * 3

        @extism.host_fn(signature=([I64], []))
        def note(plugin, inputs, outputs):
            notes.append(plugin.input_string(inputs[0]))

        plugin = self.plugin("own", functions=[shout, mix, note])
        seen = json.loads(bytes(plugin.call("run", "h\u00e9llo")))
        self.assertEqual(seen, ["H\u00c9LLO", 6, -6, 3, True, "TypeError"])
        self.assertEqual(notes, [[-2, 2**40, 0.5, -0.25], [1, 2**40, 0.5, -0.25], '{"a":[1]}'])
        module = self.plugin("module", functions=[shout, mix, note])
        for _ in range(2):
            self.assertEqual(bytes(module.call("handle", b"text")), b"TEXT")
        self.assertEqual(bytes(plugin.call("memory", b"")), b"123 3 7 1152921504606846976 0.5 0.1 1 true")

    def test_the_platform_is_not_there(self):
        self.fails("platform", "ubiq_kv_get")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
