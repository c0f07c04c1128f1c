"""`ubiq build` on functions in Rust and Go: files, crates, modules. What is missing is left out. The user's
cache is used, since a standard library of Rust may have to be built for it."""

import os
import pathlib
import shutil
import subprocess
import time
import unittest

from harness import UBIQ, Project

RUST = """
#[ubiq::handler]
fn handle(name: String) -> ubiq::Result<String> {
    Ok(format!("%s {name}"))
}
"""
CARGO = """
[package]
name = "%s"
version = "0.1.0"
edition = "2021"
[lib]
crate-type = ["cdylib"]
[dependencies]
ubiq = { path = "%s" }
[workspace]
"""
GO = """package main

import "ubiq"

//go:wasmexport handle
func handle() int32 {
	return ubiq.Handle(func(name []byte) ([]byte, error) { return append([]byte(%s), name...), nil })
}

func main() {}
"""
SDK = pathlib.Path(__file__).parent.parent.parent / "guest"


def has(language):
    return subprocess.run([UBIQ, "doctor", language], capture_output=True).returncode == 0


class LanguageProject(Project):
    def source(self, name, text):
        path = self.path("functions", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        past = time.time() - 10
        os.utime(path, (past, past))

    def build(self, code=0):
        done = subprocess.run([UBIQ, "build", "."], cwd=self.directory, capture_output=True, text=True,
                              timeout=1500)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stderr if code else done.stdout

    def outputs(self, name, text):
        done = subprocess.run(
            [UBIQ, "call", "--wasi", self.path(".ubiq", "build", name + ".wasm"), "handle", "-i", "you"],
            capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (0, text + "\n"), done.stderr)

    def nothing_to_do(self):
        self.assertEqual(self.build(), "all up to date\n")


@unittest.skipUnless(has("go"), "there is no Go")
class TestGo(LanguageProject):
    def test_files(self):
        self.source("one.go", GO % '"one "')
        self.source("deep/two.go", GO % '"two "')
        self.build()
        self.outputs("one", "one you")
        self.outputs("deep/two", "two you")
        self.nothing_to_do()
        self.source("one.go", GO % '"changed "')
        self.assertIn("functions/one.go: ", self.build())
        self.outputs("one", "changed you")

    def test_module(self):
        self.source("lines/go.mod", "module lines\n\ngo 1.24\n\nrequire ubiq v0.0.0\n\n"
                                    "require github.com/extism/go-pdk v1.1.3\n")
        self.source("lines/main.go", GO % "words()")
        self.source("lines/words.go", 'package main\n\nfunc words() string { return "module " }\n')
        self.build()
        self.outputs("lines", "module you")
        self.nothing_to_do()
        # A file that is changed, one that is added, and nothing is left behind among the sources.
        self.source("lines/words.go", 'package main\n\nfunc words() string { return other }\n')
        self.source("lines/other.go", 'package main\n\nconst other = "other "\n')
        self.build()
        self.outputs("lines", "other you")
        self.assertEqual(sorted(p.name for p in self.path("functions", "lines").iterdir()),
                         ["go.mod", "main.go", "other.go", "words.go"])

    def test_module_with_an_sdk_of_its_own(self):
        self.source("lines/go.mod", "module lines\n\ngo 1.24\n\nrequire ubiq v0.0.0\n\n"
                    f"require github.com/extism/go-pdk v1.1.3\n\nreplace ubiq => {SDK / 'go'}\n")
        shutil.copy(SDK / "go" / "go.sum", self.path("functions", "lines"))
        self.source("lines/main.go", GO % '"own "')
        self.build()
        self.outputs("lines", "own you")

    def test_mistakes(self):
        self.source("one.go", GO % "nothing")
        self.assertRegex(self.build(code=2), r"functions/one\.go:7:\d+: undefined: nothing")
        self.source("one.go", GO.replace("//go:wasmexport", '//go:wasmexport "') % '"x"')
        self.build(code=2)

    def test_plain_plugin(self):
        """Not on our SDK, but on Extism's own alone."""
        plugin = pathlib.Path(__file__).parent.parent.parent / "examples" / "app" / "plugins" / "lines"
        shutil.copytree(plugin, self.path("functions", "lines"))
        self.build()
        self.outputs("lines", '{"lines":1,"longest":{"number":1,"length":3,"text":"you"}}')


@unittest.skipUnless(has("rust"), "there is no Rust for WebAssembly")
class TestRust(LanguageProject):
    def test_files(self):
        self.source("one.rs", RUST % "one")
        self.source("two.rs", RUST % "two")
        self.build()
        self.outputs("one", "one you")
        self.outputs("two", "two you")
        self.nothing_to_do()
        # Older than what cargo has seen, and something else.
        self.source("two.rs", RUST % "changed")
        os.utime(self.path("functions", "two.rs"), (1000, 1000))
        self.build()
        self.outputs("two", "changed you")
        self.source("two.rs", RUST % "two")
        self.assertIn("functions/two.rs: as built before", self.build())
        self.outputs("two", "two you")

    def test_crates(self):
        """Two crates of one name, one of which uses a file outside of it."""
        for name in ("one", "two"):
            self.source(f"{name}/Cargo.toml", CARGO % ("greeter", SDK / "rust"))
        self.source("one/src/lib.rs", "mod more;\n" + RUST.replace("%s", "{}").replace(
            "{name}\"", "{name}\", more::WORD"))
        self.source("one/src/more.rs", "pub const WORD: &str = include_str!(\"../../../word\");\n")
        self.path("word").write_text("crate")
        self.source("two/src/lib.rs", RUST % "second")
        self.build()
        self.outputs("one", "crate you")
        self.outputs("two", "second you")
        self.build()  # once more with the lock files that cargo has made
        self.nothing_to_do()
        self.path("word").write_text("other")
        self.build()
        self.outputs("one", "other you")
        self.outputs("two", "second you")

    def test_crate_beside(self):
        """What says something of a crate that is used is no source of its."""
        manifest = '[package]\nname = "shared"\nversion = "%s"\nedition = "2021"\n'
        self.path("shared", "src").mkdir(parents=True)
        self.path("shared", "src", "lib.rs").write_text(
            'pub const VERSION: &str = env!("CARGO_PKG_VERSION");\n')
        self.source("one/Cargo.toml", (CARGO % ("greeter", SDK / "rust")).replace(
            "[workspace]", 'shared = { path = "../../shared" }\n[workspace]'))
        self.source("one/src/lib.rs", RUST.replace("%s", "{}").replace(
            "{name}\"", "{name}\", shared::VERSION"))
        for version in "0.1.0", "0.2.0":
            self.path("shared", "Cargo.toml").write_text(manifest % version)
            past = time.time() - 10
            os.utime(self.path("shared", "src", "lib.rs"), (past, past))
            self.build()
            self.outputs("one", f"{version} you")

    def test_mistakes(self):
        self.source("one.rs", RUST.replace("{name}", "{nothing}") % "one")
        said = self.build(code=2)
        self.assertIn("cannot find value `nothing`", said)
        self.assertIn("functions/one.rs:4:", said)
        self.source("one.rs", "#[ubiq::handler]\nasync fn handle() -> ubiq::Result { Ok(()) }\n")
        self.assertIn("a handler is not async", self.build(code=2))
        self.path("functions", "one.rs").unlink()
        self.source("one/Cargo.toml", (CARGO % ("greeter", SDK / "rust")).replace("cdylib", "rlib"))
        self.source("one/src/lib.rs", RUST % "one")
        self.assertIn('functions/one: the crate makes no module: [lib] needs crate-type = ["cdylib"]',
                      self.build(code=2))


if __name__ == "__main__":
    unittest.main()
