"""`ubiq new` and `ubiq doctor`."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from harness import UBIQ, Server


class Command(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="ubiq-e2e-"))
        self.addCleanup(shutil.rmtree, self.directory)

    def ubiq(self, *arguments, code=0, environment=None):
        done = subprocess.run([UBIQ, *arguments], capture_output=True, text=True, timeout=600,
                              cwd=self.directory, env={**os.environ, **(environment or {})})
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code == 0 else done.stderr


class TestNew(Command):
    def greets(self, *names):
        with Server(self.directory / "shop", "--workers", "1") as server:
            for name in names:
                for body, greeting in ((b"", b"Hello, world!\n"), (b"Ada", b"Hello, Ada!\n")):
                    answer = server.request(f"/{name}", body)
                    self.assertEqual((answer.status, answer.body), (200, greeting), name)

    def test_project(self):
        said = self.ubiq("new", "shop")
        self.assertEqual(said, "shop/ubiq.toml\nshop/functions/hello.js\nshop/.gitignore\n\n"
                               "Now: ubiq build shop && ubiq serve shop\n")
        self.ubiq("build", "shop")
        self.ubiq("check", "shop")
        self.greets("hello")

    def test_languages(self):
        ready = ["javascript"] + [language for language in ("c", "c++", "go") if subprocess.run(
            [UBIQ, "doctor", language], capture_output=True).returncode == 0]
        self.assertIn("c", ready)
        self.ubiq("new", "shop", "--lang", "c")
        names = ["hello"]
        for language in ready:
            name = "more/" + language.replace("+", "p")
            self.ubiq("new", "function", name, "--lang", language, "--project", "shop")
            names.append(name)
        self.ubiq("build", "shop")
        self.greets(*names)

    def test_function_in_the_working_directory(self):
        self.ubiq("new", "shop")
        self.directory /= "shop"
        self.assertEqual(self.ubiq("new", "function", "users/[id]", "-l", "C"),
                         "functions/users/[id].c\n")
        self.assertIn('a function "users/[id]" already: ./functions/users/[id].c',
                      self.ubiq("new", "function", "users/[id]", code=2))
        self.directory = self.directory.parent

    def test_strange_names(self):
        self.ubiq("new", "--", '-a "b"\\')
        self.assertIn('name = "-a \\"b\\"\\\\"', (self.directory / '-a "b"\\' / "ubiq.toml").read_text())
        self.ubiq("build", "--", '-a "b"\\')
        self.ubiq("check", "--", '-a "b"\\')
        self.ubiq("new", "deep/", code=0)
        self.assertIn('name = "deep"', (self.directory / "deep" / "ubiq.toml").read_text())

    def test_what_is_there_stays(self):
        (self.directory / "shop").mkdir()
        self.assertIn("shop: File exists", self.ubiq("new", "shop", code=2))
        self.assertEqual(list((self.directory / "shop").iterdir()), [])
        self.assertIn("is no project", self.ubiq("new", "function", "x", "-p", "shop", code=2))
        self.assertIn("no/where: No such file", self.ubiq("new", "no/where", code=1))

    def test_usage(self):
        self.ubiq("new", "shop")
        for arguments in ([], ["function"], ["a", "b"], ["a", "--lang"], ["a", "--lang", "pascal"],
                          ["a", "-p", "shop"], ["--no", "a"], ["function", "a b", "-p", "shop"],
                          ["function", "../a", "-p", "shop"], ["function", "", "-p", "shop"],
                          ["function", "a/", "-p", "shop"], ["function", "/a", "-p", "shop"],
                          ["function", ".a", "-p", "shop"], ["function", "a.test", "-p", "shop"]):
            self.ubiq("new", *arguments, code=2)
        self.assertIn("usage: ubiq new", self.ubiq("new", "--help"))
        self.assertIn("a file middleware/a.js that exports before",
                      self.ubiq("new", "function", "middleware/a", "-p", "shop", code=2))
        for arguments in ([], ["--help"], ["help"]):
            self.assertIn("usage: ubiq COMMAND", self.ubiq("help", *arguments))
        self.assertEqual(sorted(p.name for p in self.directory.iterdir()), ["shop"])


class TestDoctor(Command):
    def test_what_is_there(self):
        self.assertRegex(self.ubiq("doctor", "c", "JavaScript"),
                         r"^C +yes +.*clang.* \(/.*\)\n(.*without.*\n)?JavaScript +yes +ubiq:js@")

    def test_what_is_missing(self):
        done = subprocess.run([UBIQ, "doctor"], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "PATH": "/nowhere", "WASI_SDK_PATH": ""})
        self.assertEqual(done.returncode, 1)
        for line in (r"C +no +there is no clang .*Debian's packages are clang",
                     r"Rust +no +there is no cargo\. https://rustup\.rs",
                     r"Go +no +there is no go\. Version 1\.24", r"JavaScript +yes +",
                     r" +without TypeScript .*: npm"):
            self.assertRegex(done.stdout, line)

    def test_old_compilers(self):
        tools = self.directory / "bin"
        tools.mkdir()
        (tools / "go").write_text("#!/bin/sh\necho go version go1.23.4 linux/amd64\n")
        (tools / "go").chmod(0o755)
        done = subprocess.run([UBIQ, "doctor", "go"], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "PATH": f"{tools}:/usr/bin:/bin"})
        self.assertEqual(done.returncode, 1)
        self.assertIn("is go version go1.23.4 linux/amd64. Version 1.24 or later", done.stdout)

    def test_usage(self):
        self.assertIn('no language "pascal": those are C, ', self.ubiq("doctor", "pascal", code=2))
        self.assertIn("did you mean Rust?", self.ubiq("doctor", "rast", code=2))
        self.assertIn("did you mean Rust?", self.ubiq("doctor", "rist", code=2))
        self.assertIn("usage: ubiq doctor", self.ubiq("doctor", "--help"))


if __name__ == "__main__":
    unittest.main()
