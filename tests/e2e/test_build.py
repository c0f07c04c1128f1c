"""`ubiq build` on projects in C and C++."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from harness import UBIQ, Project

HELLO = """
#include <ubiq.h>

UBIQ_EXPORT("handle") int32_t handle(void)
{
    ubiq_output_text("hello");
    return 0;
}
"""

WITH_HEADER = """
#include <ubiq.h>
#include "%s"

UBIQ_EXPORT("handle") int32_t handle(void)
{
    ubiq_output_text(GREETING);
    return 0;
}
"""

# Takes the place of a compiler: notes that it was run, waits if it is told to, and runs the real one.
WRAPPER = """#!/bin/sh
echo "$0 $*" >> "{log}"
[ ! -f "{wait}" ] || sleep 30
exec {program} "$@"
"""


def find_program(*names):
    return next(path for path in map(shutil.which, names) if path)


class BuildProject(Project):
    """A project with a cache and compilers of its own."""

    def setUp(self):
        super().setUp()
        self.tools = pathlib.Path(tempfile.mkdtemp(prefix="ubiq-tools-"))
        self.addCleanup(shutil.rmtree, self.tools)
        self.log = self.tools / "log"
        self.wait = self.tools / "wait"
        (self.tools / "bin").mkdir()
        for name in ("clang", "wasm-ld"):
            wrapper = self.tools / "bin" / name
            wrapper.write_text(WRAPPER.format(
                log=self.log, wait=self.wait, program=find_program(f"{name}-14", name)))
            wrapper.chmod(0o755)
        self.environment = {
            **os.environ,
            "PATH": f"{self.tools / 'bin'}:{os.environ['PATH']}",
            "UBIQ_CACHE_DIR": str(self.tools / "cache"),
        }
        self.environment.pop("WASI_SDK_PATH", None)

    def source(self, name, text=HELLO, directory=None):
        path = pathlib.Path(directory or self.directory, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        # A file that was written just now may change again unnoticed, so it is read another time.
        past = time.time() - 10
        os.utime(path, (past, past))
        return path

    def start(self, *arguments, cwd=None):
        return subprocess.Popen([UBIQ, "build", *arguments], env=self.environment, text=True, cwd=cwd,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def build(self, *arguments, code=0, cwd=None):
        """`ubiq build`, with the project's directory unless arguments say otherwise."""
        process = self.start(*(arguments or [self.directory]), cwd=cwd)
        process.out, process.err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, code, process.out + process.err)
        return process

    def module(self, name, directory=None):
        return pathlib.Path(directory or self.directory, ".ubiq", "build", name + ".wasm")

    def compilations(self):
        """How often a source was compiled since the last time this was asked."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.write_text("")
        return sum(1 for line in lines if " -c " in line)

    def outputs(self, name, text, directory=None):
        done = subprocess.run([UBIQ, "call", "--wasi", self.module(name, directory), "handle"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, text + "\n", ""))

    def leftovers(self):
        return [p for p in self.path(".ubiq", "build").rglob("*") if p.name.startswith(".")]


class TestBuilding(BuildProject):
    def test_functions(self):
        self.source("functions/hello.c")
        self.source("functions/users/[id].c")
        self.source("functions/-o.c")
        self.source("functions/plus.cpp", HELLO.replace("ubiq.h", "ubiq.hpp").replace(
            "ubiq_output_text", "ubiq::output"))
        self.source("middleware/audit.c")
        self.source("functions/notes.txt", "no function")
        self.source("functions/.hidden.c", "no function")
        self.source("functions/hello.test.c", "no function")
        self.build()
        for name in ("hello", "users/[id]", "-o", "plus", "middleware/audit"):
            self.outputs(name, "hello")
        found = sorted(str(p.relative_to(self.path(".ubiq", "build")))
                       for p in self.path(".ubiq", "build").rglob("*.wasm"))
        self.assertEqual(found, ["-o.wasm", "hello.wasm", "middleware/audit.wasm", "plus.wasm",
                                 "users/[id].wasm"])
        self.assertEqual(self.leftovers(), [])

    def test_what_is_exported_and_imported(self):
        self.source("functions/hello.c")
        self.source("functions/text.c", """
            #include <stdlib.h>
            #include <string.h>
            #include <ubiq.h>
            UBIQ_EXPORT("handle") int32_t handle(void)
            {
                size_t size = ubiq_input_size();
                char *text = malloc(size + 6);
                strcpy(text, "hello");
                ubiq_input_read(0, text + strlen(text), size);
                ubiq_output(text, 5 + size);
                free(text);
                return 0;
            }
        """)
        self.source("functions/made.cpp", """
            #include <ubiq.hpp>
            static std::string made("hello");
            UBIQ_EXPORT("handle") int32_t handle() { ubiq::output(made); return 0; }
        """)
        self.build()
        for name in ("hello", "text", "made"):
            self.outputs(name, "hello")
        hello, text, made = (self.module(n).read_bytes() for n in ("hello", "text", "made"))
        # A function that has nothing to construct is called without a call before it, and one that
        # neither prints nor opens files imports nothing of WASI.
        self.assertNotIn(b"\x11__wasm_call_ctors\x00", hello)
        self.assertNotIn(b"\x11__wasm_call_ctors\x00", text)
        self.assertIn(b"\x11__wasm_call_ctors\x00", made)
        for module in (hello, text, made):
            self.assertNotIn(b"wasi_snapshot_preview1", module)

    def test_unchanged(self):
        self.source("functions/hello.c")
        self.source("functions/plus.cpp")
        self.build()
        self.assertEqual(self.compilations(), 2)
        before = self.module("hello").stat()
        self.assertEqual(self.build().out, "all up to date\n")
        self.assertEqual(self.log.read_text(), "")
        self.assertEqual(self.module("hello").stat().st_mtime_ns, before.st_mtime_ns)

    def test_changed_source(self):
        self.source("functions/hello.c")
        self.source("functions/other.c")
        self.build()
        self.compilations()
        self.source("functions/hello.c", HELLO.replace('"hello"', '"other"'))
        done = self.build()
        self.assertEqual(self.compilations(), 1)
        self.assertIn("functions/hello.c: built in", done.out)
        self.outputs("hello", "other")
        # What was built before comes back without being compiled.
        self.source("functions/hello.c")
        self.assertIn("functions/hello.c: as built before", self.build().out)
        self.assertEqual(self.compilations(), 0)
        self.outputs("hello", "hello")

    def test_files_beside_the_project(self):
        """The same source in another project, where the same name is another file."""
        for name in "one", "two":
            project = self.tools / name / "project"
            self.source("ubiq.toml", "", project)
            self.source("functions/hello.c", WITH_HEADER % "../../lib/greeting.h", project)
            self.source("lib/greeting.h", f'#define GREETING "{name}"\n', self.tools / name)
            self.build(project)
            self.outputs("hello", name, project)
        self.compilations()
        shutil.rmtree(project / ".ubiq")
        self.assertIn("as built before", self.build(project).out)
        self.assertEqual(self.compilations(), 0)

    def test_headers_of_the_machine(self):
        self.source("greeting.h", '#define GREETING "hello"\n', self.tools / "include")
        self.source("functions/hello.c", WITH_HEADER % "greeting.h")
        for name in "CPATH", "C_INCLUDE_PATH":
            self.environment[name] = str(self.tools / "include")
            self.assertIn("greeting.h", self.build(code=2).err)
            del self.environment[name]

    def test_written_again_at_once(self):
        path = self.source("functions/hello.c")
        self.build()
        for text in ("aaaaa", "bbbbb", "ccccc", "ddddd"):
            path.write_text(HELLO.replace('"hello"', f'"{text}"'))
            self.build()
            self.outputs("hello", text)

    def test_touched_source(self):
        path = self.source("functions/hello.c")
        self.build()
        before = self.module("hello").stat()
        self.compilations()
        os.utime(path, (1000, 1000))
        self.build()
        self.assertEqual(self.compilations(), 0)
        self.assertEqual(self.module("hello").stat().st_mtime_ns, before.st_mtime_ns)
        self.assertEqual(self.build().out, "all up to date\n")

    def test_changed_header(self):
        self.source("functions/hello.c", WITH_HEADER % "../lib/greeting.h")
        self.source("functions/deep/hello.c", WITH_HEADER % "lib/greeting.h")
        self.source("functions/other.c")
        self.source("lib/greeting.h", '#include "words.h"\n#define GREETING WORD\n')
        self.source("lib/words.h", '#define WORD "one"\n')
        self.build()
        self.outputs("deep/hello", "one")
        self.compilations()
        self.source("lib/words.h", '#define WORD "two, three"\n')
        self.build()
        self.assertEqual(self.compilations(), 2)
        self.outputs("hello", "two, three")
        self.outputs("deep/hello", "two, three")
        self.source("lib/words.h", '#define WORD "one"\n')
        self.build()
        self.assertEqual(self.compilations(), 0)
        self.outputs("hello", "one")

    def test_header_with_odd_name(self):
        for name in ("a $b#c.h", "a\\b.h"):
            self.source("functions/hello.c", WITH_HEADER % f"../{name}")
            self.source(name, '#define GREETING "one"\n')
            self.build()
            self.outputs("hello", "one")
            self.source(name, '#define GREETING "three"\n')
            self.build()
            self.outputs("hello", "three")

    def test_removed_module(self):
        self.source("functions/hello.c")
        self.build()
        self.compilations()
        self.module("hello").write_bytes(b"")
        self.build()
        self.outputs("hello", "hello")
        self.module("hello").unlink()
        self.build()
        self.outputs("hello", "hello")
        self.assertEqual(self.compilations(), 0)

    def test_removed_source(self):
        path = self.source("functions/a/hello.c")
        self.source("functions/other.c")
        self.build()
        path.unlink()
        self.build()
        self.assertFalse(self.module("a/hello").exists())
        self.assertFalse(self.path(".ubiq", "build", "a").exists())
        self.outputs("other", "hello")
        # A module that takes its place is not touched.
        (self.path("functions") / "other.c").rename(self.path("functions") / "other.txt")
        self.path("functions", "other.wasm").write_bytes(b"\0asm\1\0\0\0")
        self.build()
        self.assertFalse(self.module("other").exists())
        self.assertTrue(self.path("functions", "other.wasm").exists())

    def test_directories(self):
        self.source("functions/hello.c")
        self.build(".", cwd=self.directory + "/functions", code=1)
        self.assertIn("functions/hello.c: built", self.build(".", cwd=self.directory).out)
        self.assertEqual(self.build(self.directory + "//").out, "all up to date\n")
        strange = pathlib.Path(self.directory, "-x y")
        self.source("functions/hello.c", HELLO + "/* not in the cache */", directory=strange)
        self.assertIn("-x y/functions/hello.c: ", self.build("--", "-x y", cwd=self.directory).out)
        self.outputs("hello", "hello", directory=strange)

    def test_nothing_to_build(self):
        self.assertEqual(self.build().out, "there is nothing to build\n")
        self.path("functions").rmdir()
        self.assertIn("functions: ", self.build(code=1).err)
        self.assertIn("nowhere", self.build("/nowhere", code=1).err)

    def test_usage(self):
        for arguments in (["--jobs"], ["--jobs", "x"], ["--jobs", "257"], ["a", "b"], ["--no"], [""]):
            self.build(*arguments, code=2)
        self.assertIn("usage: ubiq build", self.build("--help").out)
        self.source("functions/hello.c")
        self.build("-j", "1", self.directory)


class TestChanged(BuildProject):
    """What `ubiq check` and `ubiq serve` say of modules that are not what the sources make."""

    def changed(self, directory=None):
        done = self.run_command("check", directory or self.directory)
        self.assertEqual(done.returncode, 1 if done.stderr else 0)
        return done.stderr

    def test_a_source(self):
        path = self.source("functions/hello.c", WITH_HEADER % "../lib/greeting.h")
        header = self.source("lib/greeting.h", '#define GREETING "hello"\n')
        self.source("functions/other.c")
        self.build()
        self.assertEqual(self.changed(), "")
        header.write_text('#define GREETING "HELLO"\n')
        self.assertEqual(self.changed(), f"{path}: it has been changed since it was built: "
                                         "`ubiq build` does that\n")
        with self.serve() as server:
            self.assertEqual(server.request("/hello").body, b"hello")
            server.said("hello.c has been changed since it was built")
        self.assertNotIn("other.c", server.errors())
        self.build()
        self.assertEqual(self.changed(), "")
        # A build that fails leaves what there was.
        path.write_text("int x = ;\n")
        self.build(code=2)
        self.assertIn("hello.c: it has been changed", self.changed())

    def test_a_copy(self):
        """has other times, in whatever order it was copied."""
        self.source("functions/hello.c")
        self.build()
        copy = self.path("copy")
        for part in (".ubiq", "functions"):
            shutil.copytree(self.path(part), copy / part, copy_function=shutil.copyfile)
            time.sleep(0.02)
        self.assertEqual(self.changed(copy), "")
        with open(copy / "functions" / "hello.c", "a") as f:
            f.write("// more")
        self.assertIn("hello.c: it has been changed", self.changed(copy))


class TestMistakes(BuildProject):
    def test_syntax_error(self):
        self.source("functions/good.c")
        path = self.source("functions/hello.c", "int x = ;\n")
        done = self.build(code=2)
        direct = subprocess.run(
            [self.tools / "bin" / "clang", "--target=wasm32", "-c", path, "-o", "/dev/null"],
            capture_output=True, text=True)
        self.assertEqual(done.err, direct.stderr)
        self.assertIn("hello.c:1:9: error: ", done.err)
        self.outputs("good", "hello")
        self.assertFalse(self.module("hello").exists())
        self.assertEqual(self.leftovers(), [])
        # It is tried again, and what there was before stays until it is right.
        self.assertEqual(self.build(code=2).err, done.err)
        self.source("functions/hello.c")
        self.build()
        self.source("functions/hello.c", "int x = ;\n")
        self.build(code=2)
        self.outputs("hello", "hello")

    def test_path_in_errors(self):
        self.source("functions/hello.c", "int x = ;\n")
        self.assertTrue(self.build(".", code=2, cwd=self.directory).err.startswith(
            "functions/hello.c:1:9: "))

    def test_warnings(self):
        self.source("functions/hello.c", HELLO.replace("return 0;", "int unused; return 0;"))
        self.assertIn("unused variable", self.build().err)

    def test_undefined_function(self):
        self.source("functions/hello.c", "int nowhere(void);" + HELLO.replace(
            "return 0", "return nowhere()"))
        self.assertIn("undefined symbol: nowhere", self.build(code=2).err)

    def test_headers_of_this_machine(self):
        self.source("functions/hello.c", "#include <sys/epoll.h>\n" + HELLO)
        self.assertIn("'sys/epoll.h' file not found", self.build(code=2).err)

    def test_same_names(self):
        self.source("functions/a/hello.c")
        self.source("functions/a/hello.cpp")
        self.assertRegex(self.build(code=2).err,
                         r'functions/a/hello\.cpp: its name, "a/hello", is that of .*hello\.c too')
        self.path("functions/a/hello.cpp").rename(self.path("functions/a/hello.wasm"))
        self.assertIn('"a/hello", is that of', self.build(code=2).err)
        self.path("functions/a/hello.wasm").unlink()
        self.source("functions/middleware/x.c")
        self.source("middleware/x.c")
        self.assertIn('"middleware/x", is that of', self.build(code=2).err)

    def test_names(self):
        for name in ("a b.c", "a\tb.c", "a\nb.c", "ä.c", "a/b c/d.c", 'a".c', "a%2f.c"):
            path = self.source(f"functions/{name}")
            self.assertIn("is no part of a route", self.build(code=2).err)
            path.unlink()

    def test_no_compiler(self):
        self.source("functions/hello.c")
        self.environment["PATH"] = "/nowhere"
        done = self.build(code=1)
        self.assertIn("functions/hello.c: C: there is no clang", done.err)
        self.assertIn("Debian's packages are clang and lld", done.err)

    def test_link_to_itself(self):
        self.source("functions/hello.c")
        self.path("functions", "again").symlink_to(".")
        self.assertIn("directories nested more than 16 deep", self.build(code=2).err)


class TestCache(BuildProject):
    def other_project(self):
        directory = tempfile.mkdtemp(prefix="ubiq-e2e-")
        self.addCleanup(shutil.rmtree, directory)
        pathlib.Path(directory, "functions").mkdir()
        return directory

    def test_two_projects(self):
        text = WITH_HEADER % "../lib/greeting.h" + '\n__attribute__((used)) char f[] = __FILE__;\n'
        other = self.other_project()
        for directory in (self.directory, other):
            self.source("functions/hello.c", text, directory)
            self.source("lib/greeting.h", '#define GREETING "one"\n', directory)
        self.build()
        self.assertEqual(self.compilations(), 1)
        self.build(other)
        self.assertEqual(self.compilations(), 0)
        self.outputs("hello", "one", other)
        self.assertNotIn(self.directory.encode(), self.module("hello").read_bytes())
        # Their headers part, and each has its own.
        self.source("lib/greeting.h", '#define GREETING "two"\n', other)
        self.build(other)
        self.build()
        self.outputs("hello", "two", other)
        self.outputs("hello", "one")

    def test_other_compiler(self):
        self.source("functions/hello.c")
        self.build()
        self.compilations()
        os.utime(self.tools / "bin" / "wasm-ld", (1000, 1000))
        self.build()
        self.assertEqual(self.compilations(), 1)

    def test_damaged(self):
        self.source("functions/hello.c")
        self.build()
        self.compilations()
        for kind in ("modules", "results", "tools"):
            for path in (self.tools / "cache" / "build" / kind).iterdir():
                path.write_bytes(b"rubbish \n \0 x")
        shutil.rmtree(self.path(".ubiq"))
        self.build()
        self.assertEqual(self.compilations(), 1)
        self.outputs("hello", "hello")
        self.path(".ubiq", "build", "hello.inputs").write_text("ubiq build 1\nrubbish")
        self.build()
        self.outputs("hello", "hello")

    def test_cannot_be_written(self):
        self.source("functions/hello.c")
        for directory in ("/proc/no", str(self.source("functions/hello.c")), ""):
            self.environment["UBIQ_CACHE_DIR"] = directory
            shutil.rmtree(self.path(".ubiq"), ignore_errors=True)
            self.assertIn("built in", self.build().out)
            self.outputs("hello", "hello")
            self.assertEqual(self.build().out, "all up to date\n")

    def test_read_only(self):
        self.source("functions/hello.c")
        self.build()
        self.compilations()
        cache = self.tools / "cache" / "build"
        for directory in [cache, *(p for p in cache.iterdir() if p.is_dir())]:
            directory.chmod(0o500)
            # The mode does not keep root from writing.
            subprocess.run(["chattr", "+i", directory], capture_output=True)
        try:
            shutil.rmtree(self.path(".ubiq"))
            self.build()
            self.assertEqual(self.compilations(), 0)
            self.source("functions/hello.c", HELLO.replace('"hello"', '"other"'))
            self.build()
            self.outputs("hello", "other")
        finally:
            for directory in [cache, *(p for p in cache.iterdir() if p.is_dir())]:
                subprocess.run(["chattr", "-i", directory], capture_output=True)
                directory.chmod(0o700)

    def test_writable_by_others(self):
        self.source("functions/hello.c")
        self.build()
        self.compilations()
        (self.tools / "cache" / "build").chmod(0o777)
        shutil.rmtree(self.path(".ubiq"))
        self.build()
        self.assertEqual(self.compilations(), 1)

    def test_old_entries_go(self):
        self.source("functions/hello.c")
        self.build()
        modules = self.tools / "cache" / "build" / "modules"
        old = time.time() - 40 * 86400
        for path in modules.iterdir():
            os.utime(path, (old, old))
        os.utime(self.tools / "cache" / "build" / "results" / ".cleaned", (old, old))
        self.source("functions/other.c", HELLO.replace('"hello"', '"other"'))
        self.build()
        self.assertEqual(len(list(modules.iterdir())), 1)


class TestInterruption(BuildProject):
    def interrupted(self, signal_number):
        self.source("functions/hello.c")
        self.build()
        before = self.module("hello").read_bytes()
        for i in range(4):
            self.source(f"functions/hello{i}.c")
        self.source("functions/hello.c", HELLO.replace('"hello"', '"other"'))
        self.wait.write_text("")
        self.compilations()
        process = self.start(self.directory)
        end = time.monotonic() + 20
        while not self.log.read_text() and time.monotonic() < end:
            time.sleep(0.01)
        process.send_signal(signal_number)
        process.communicate(timeout=10)
        self.assertEqual(process.returncode, -signal_number)
        self.assertEqual(self.module("hello").read_bytes(), before)
        self.assertFalse(any(self.module(f"hello{i}").exists() for i in range(4)))
        self.wait.unlink()

    def test_interrupt(self):
        self.interrupted(signal.SIGINT)
        self.assertEqual(self.leftovers(), [])
        self.build()
        self.outputs("hello", "other")

    def test_terminate(self):
        self.interrupted(signal.SIGTERM)
        self.assertEqual(self.leftovers(), [])

    def test_kill(self):
        self.interrupted(signal.SIGKILL)
        for path in self.leftovers():
            os.utime(path, (1000, 1000))
        self.build()
        self.outputs("hello", "other")
        self.assertEqual(self.leftovers(), [])

    def test_side_by_side(self):
        for i in range(8):
            self.source(f"functions/hello{i}.c", HELLO.replace('"hello"', f'"{i}"'))
        processes = [self.start(self.directory) for _ in range(4)]
        for process in processes:
            out, err = process.communicate(timeout=60)
            self.assertEqual((process.returncode, err), (0, ""))
        for i in range(8):
            self.outputs(f"hello{i}", str(i))
        self.assertEqual(self.leftovers(), [])


if __name__ == "__main__":
    unittest.main()
