#!/usr/bin/env python3
"""Upstream's Python SDK, unmodified, on a library that is named.

    python_sdk.py LIBRARY SDK_DIRECTORY [PLUGINS]

The SDK comes from SDK_DIRECTORY (the packages extism and extism_sys); its library is replaced
before it is imported. PLUGINS is what tests/plugins/build.sh made.
"""

import importlib.util
import json
import os
import sys
import tempfile
import threading
import time
import types
import unittest
from typing import Annotated

LIBRARY, SDK, PLUGINS = (sys.argv[1:] + [""])[:3]

os.environ["EXTISM_CACHE_CONFIG"] = ""  # no cache of compiled modules, in either library


def load_sdk():
    """Imports extism with an extism_sys that opens LIBRARY."""
    path = os.path.join(SDK, "extism_sys", "ffi.py")
    spec = importlib.util.spec_from_file_location("extism_sys.ffi", path)
    ffi_module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(ffi_module)
    sys_package = types.ModuleType("extism_sys")
    sys_package.ffi = ffi_module.ffi
    sys_package.lib = ffi_module.ffi.dlopen(os.path.abspath(LIBRARY))
    sys.modules["extism_sys"] = sys_package
    sys.path.insert(0, SDK)
    import extism

    return extism


extism = load_sdk()


def from_json(buffer):
    return json.loads(bytes(buffer))


GUEST = """(module
  (import "extism:host/env" "input_offset" (func $input_offset (result i64)))
  (import "extism:host/env" "input_length" (func $input_length (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (import "extism:host/env" "error_set" (func $error_set (param i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "config_get" (func $config_get (param i64) (result i64)))
  (import "extism:host/env" "log_info" (func $log_info (param i64)))
  %s
  (func $show (param i64) (call $output_set (local.get 0) (call $length (local.get 0))))
  (func (export "echo") (call $output_set (call $input_offset) (call $input_length)))
  (func (export "config") (call $show (call $config_get (call $input_offset))))
  (func (export "log") (call $log_info (call $input_offset)))
  (func (export "fail") (result i32) (call $error_set (call $input_offset)) (i32.const 3))
  (func (export "code") (result i32) (i32.const 9))
  (func (export "trap") unreachable)
  (func (export "spin") (loop $on (br $on)))
  %s)"""

PLAIN = GUEST % ("", "")

WITH_HOST = GUEST % (
    '(import "extism:host/user" "shout" (func $shout (param i64) (result i64)))',
    '(func (export "shout") (call $show (call $shout (call $input_offset))))',
)


class Calls(unittest.TestCase):
    def test_version(self):
        self.assertRegex(extism.extism_version(), r"^\d+\.\d+\.\d+$")

    def test_call(self):
        with extism.Plugin(PLAIN) as plugin:
            self.assertEqual(plugin.call("echo", "hello"), b"hello")
            self.assertEqual(plugin.call("echo", b"\0\xff"), b"\0\xff")
            self.assertEqual(plugin.call("echo", "[1, 2]", from_json), [1, 2])
            big = os.urandom(3_000_000)
            self.assertEqual(plugin.call("echo", big), big)

    def test_errors(self):
        with extism.Plugin(PLAIN) as plugin:
            with self.assertRaisesRegex(extism.Error, "^an error$"):
                plugin.call("fail", "an error")
            with self.assertRaisesRegex(extism.Error, "^Error code: 9$"):
                plugin.call("code", "")
            with self.assertRaisesRegex(extism.Error, "wasm backtrace"):
                plugin.call("trap", "")
            with self.assertRaisesRegex(extism.Error, "Function not found: nothing"):
                plugin.call("nothing", "")
            self.assertEqual(plugin.call("echo", "alive"), b"alive")

    def test_bad_plugins(self):
        for bad in ("", "{}", b"\0asm", "(module (broken))", {"wasm": [{"path": "/none.wasm"}]}):
            with self.assertRaisesRegex(extism.Error, "Unable to compile Extism plugin"):
                extism.Plugin(bad)

    def test_function_exists(self):
        with extism.Plugin(PLAIN) as plugin:
            self.assertTrue(plugin.function_exists("echo"))
            self.assertFalse(plugin.function_exists("nothing"))

    def test_ids(self):
        with extism.Plugin(PLAIN) as a, extism.Plugin(PLAIN) as b:
            self.assertEqual(a.id.version, 4)
            self.assertNotEqual(a.id, b.id)


class Manifests(unittest.TestCase):
    def test_config(self):
        manifest = {"wasm": [{"data": PLAIN.encode()}], "config": {"a": "manifest", "b": "kept"}}
        with extism.Plugin(manifest, config={"a": "given"}) as plugin:
            self.assertEqual(plugin.call("config", "a"), b"given")
            self.assertEqual(plugin.call("config", "b"), b"kept")

    def test_hash(self):
        manifest = {"wasm": [{"data": PLAIN.encode(), "hash": "00"}]}
        with self.assertRaisesRegex(extism.Error, "Hash mismatch, found"):
            extism.Plugin(manifest)

    def test_timeout(self):
        manifest = {"wasm": [{"data": PLAIN.encode()}], "timeout_ms": 100}
        with extism.Plugin(manifest) as plugin:
            with self.assertRaisesRegex(extism.Error, "^timeout$"):
                plugin.call("spin", "")

    def test_compiled(self):
        compiled = extism.extism.CompiledPlugin(PLAIN, functions=[])
        plugins = [extism.Plugin(compiled) for _ in range(5)]
        for n, plugin in enumerate(plugins):
            self.assertEqual(plugin.call("echo", str(n)), str(n).encode())


class HostFunctions(unittest.TestCase):
    def test_inferred(self):
        @extism.host_fn(name="shout")
        def shout(text: str) -> str:
            return text.upper()

        with extism.Plugin(WITH_HOST, functions=[shout]) as plugin:
            self.assertEqual(plugin.call("shout", "quiet"), b"QUIET")
            self.assertEqual(plugin.call("shout", "ünï"), "ÜNÏ".encode())

    def test_json(self):
        @extism.host_fn(name="shout")
        def shout(value: Annotated[dict, extism.Json]) -> Annotated[dict, extism.Json]:
            return {"got": value}

        with extism.Plugin(WITH_HOST, functions=[shout]) as plugin:
            self.assertEqual(plugin.call("shout", '{"a": 1}', from_json), {"got": {"a": 1}})

    def test_data(self):
        @extism.host_fn(
            name="shout",
            signature=([extism.ValType.I64], [extism.ValType.I64]),
            user_data=["from the host"],
        )
        def shout(plugin, inputs, outputs, data):
            text = plugin.input_string(inputs[0])
            plugin.return_string(outputs[0], f"{text} and {data}")

        with extism.Plugin(WITH_HOST, functions=[shout]) as plugin:
            self.assertEqual(plugin.call("shout", "text"), b"text and from the host")

    def test_context(self):
        seen = []

        @extism.host_fn(name="shout")
        def shout(plugin: extism.CurrentPlugin, text: str) -> str:
            seen.append(plugin.host_context())
            return text

        with extism.Plugin(WITH_HOST, functions=[shout]) as plugin:
            plugin.call("shout", "x", host_context="of this call")
            plugin.call("shout", "x")
        self.assertEqual(seen, ["of this call", None])


class CancelAndLog(unittest.TestCase):
    def test_cancel(self):
        with extism.Plugin(PLAIN) as plugin:
            handle = plugin.cancel_handle()
            threading.Timer(0.2, handle.cancel).start()
            start = time.monotonic()
            with self.assertRaisesRegex(extism.Error, "^timeout$"):
                plugin.call("spin", "")
            self.assertLess(time.monotonic() - start, 5)

    def test_log(self):
        lines = []
        logger = extism.set_log_custom(lines.append, "info")
        with extism.Plugin(PLAIN) as plugin:
            plugin.call("log", "a line of the guest")
        logger.drain()
        self.assertTrue(any("a line of the guest" in line for line in lines), lines)


@unittest.skipUnless(os.path.isdir(PLUGINS), "no plug-ins")
class BuiltPlugins(unittest.TestCase):
    def open(self, name, **more):
        path = os.path.join(PLUGINS, name + ".wasm")
        if not os.path.exists(path):
            self.skipTest(f"{name} was left out")

        @extism.host_fn(name="shout")
        def shout(text: str) -> str:
            return text.upper() + "!"

        return extism.Plugin({"wasm": [{"path": path}], **more}, wasi=True, functions=[shout])

    def test_c(self):
        with self.open("c_count_vowels") as plugin:
            self.assertEqual(plugin.call("count_vowels", "Hello, World!", from_json), {"count": 3})

    def test_rust(self):
        with self.open("rust_plugin", config={"a": "b"}) as plugin:
            answer = plugin.call("count_vowels", "Hello, World!", from_json)
            self.assertEqual(answer["count"], 3)
            self.assertEqual(plugin.call("config", "a"), b"b")
            self.assertEqual([plugin.call("counter", "") for _ in range(3)], [b"1", b"2", b"3"])
            self.assertEqual(plugin.call("call_host", "loud"), b"LOUD!")

    def test_go(self):
        with self.open("go_plugin", config={"a": "b"}) as plugin:
            self.assertEqual(plugin.call("count_vowels", "Hello", from_json), {"count": 2})
            self.assertEqual(plugin.call("config", "a"), b"b")
            self.assertEqual(plugin.call("call_host", "loud"), b"LOUD!")

    def test_files(self):
        with tempfile.TemporaryDirectory() as directory:
            with open(os.path.join(directory, "a.txt"), "w") as f:
                f.write("text")
            with self.open("c_files", allowed_paths={directory: "/data"}) as plugin:
                self.assertEqual(plugin.call("read", "/data/a.txt"), b"text")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
