"""The files in a project's public/."""

import email.utils
import os
import time
import unittest

from harness import Project


class Static(Project):
    def put(self, name, content):
        path = self.path("public", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def test_files(self):
        self.put("index.html", b"<h1>hello</h1>")
        self.put("a b/\u00e9.txt", b"text")
        self.put("empty", b"")
        self.put(".env", b"secret")
        with self.serve() as server:
            answer = server.request("/")
            self.assertEqual((answer.status, answer.body), (200, b"<h1>hello</h1>"))
            self.assertEqual(answer.type, "text/html; charset=utf-8")
            self.assertEqual(answer.headers["Cache-Control"], "no-cache")
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
            for _ in range(2):
                answer = server.request("/a%20b/%C3%A9.txt")
                self.assertEqual((answer.status, answer.body), (200, b"text"))
                answer = server.request("/empty")
                self.assertEqual((answer.status, answer.body), (200, b""))
            for path in ["/.env", "/%2eenv", "/../ubiq.toml", "/%2e%2e/ubiq.toml", "/a b", "/a%20b",
                         "/a%20b%2f%C3%A9.txt", "/nothing", "/index.html/", "//index.html"]:
                if " " not in path:
                    self.assertEqual(server.request(path).status, 404, path)

    def test_head_and_other_methods(self):
        self.put("x.css", b"body {}")
        with self.serve() as server:
            for _ in range(2):
                answer = server.request("/x.css", method="HEAD")
                self.assertEqual((answer.status, answer.body), (200, b""))
                self.assertEqual(answer.headers["Content-Length"], "7")
            answer = server.request("/x.css", method="OPTIONS")
            self.assertEqual((answer.status, answer.body), (204, b""))
            self.assertEqual(answer.headers["Allow"], "GET, HEAD, OPTIONS")
            answer = server.request("/x.css", b"data")
            self.assertEqual((answer.status, answer.error()["code"]), (405, "method_not_allowed"))
            self.assertEqual(answer.headers["Allow"], "GET, HEAD, OPTIONS")

    def test_directories(self):
        self.put("docs/index.html", b"docs")
        self.put("other/file", b"x")
        with self.serve() as server:
            answer = server.request("/docs?a=b")
            self.assertEqual((answer.status, answer.headers["Location"]), (301, "/docs/?a=b"))
            self.assertEqual(server.request("/d%6fcs").headers["Location"], "/d%6fcs/")
            self.assertEqual(server.request("/docs/").body, b"docs")
            self.assertEqual(server.request("/docs/index.html").body, b"docs")
            for path in ["/", "/other", "/other/", "/docs//"]:
                self.assertEqual(server.request(path).status, 404, path)

    def test_conditions(self):
        self.put("small", b"x" * 100)
        self.put("large", b"y" * 1000000)
        with self.serve() as server:
            for path in ["/small", "/small", "/large"]:
                first = server.request(path)
                tag, date = first.headers["ETag"], first.headers["Last-Modified"]
                self.assertRegex(tag, r'^"[0-9a-f-]+"$')
                later = email.utils.formatdate(time.time() + 100, usegmt=True)
                before = email.utils.formatdate(1, usegmt=True)
                for headers, status in [
                    ({"If-None-Match": tag}, 304),
                    ({"If-None-Match": "W/" + tag}, 304),
                    ({"If-None-Match": '"a", ' + tag}, 304),
                    ({"If-None-Match": "*"}, 304),
                    ({"If-None-Match": '"a"'}, 200),
                    ({"If-None-Match": tag[:-1]}, 200),
                    ({"If-Modified-Since": date}, 304),
                    ({"If-Modified-Since": later}, 304),
                    ({"If-Modified-Since": before}, 200),
                    ({"If-Modified-Since": "yesterday"}, 200),
                    ({"If-None-Match": '"a"', "If-Modified-Since": date}, 200),
                ]:
                    answer = server.request(path, headers=headers)
                    self.assertEqual(answer.status, status, headers)
                    self.assertEqual(answer.headers["ETag"], tag)
                    self.assertEqual(answer.body, first.body if status == 200 else b"")

    def test_ranges(self):
        content = bytes(i % 251 for i in range(500000))
        self.put("small", content[:1000])
        self.put("large", content)
        with self.serve() as server:
            for path, whole in [("/small", content[:1000]), ("/small", content[:1000]),
                                ("/large", content)]:
                size = len(whole)
                tag = server.request(path).headers["ETag"]
                for text, part in [
                    ("bytes=0-0", (0, 1)),
                    ("bytes=10-19", (10, 20)),
                    ("bytes=990-", (990, size)),
                    ("bytes=-10", (size - 10, size)),
                    (f"bytes=-{size + 1}", (0, size)),
                    (f"bytes=5-{size * 2}", (5, size)),
                ]:
                    for extra in [{}, {"If-Range": tag}]:
                        answer = server.request(path, headers={"Range": text, **extra})
                        self.assertEqual((answer.status, answer.body), (206, whole[slice(*part)]), text)
                        self.assertEqual(answer.headers["Content-Range"],
                                         f"bytes {part[0]}-{part[1] - 1}/{size}")
                for text in [f"bytes={size}-", "bytes=-0", "bytes=99999999999-"]:
                    answer = server.request(path, headers={"Range": text})
                    self.assertEqual((answer.status, answer.body), (416, b""), text)
                    self.assertEqual(answer.headers["Content-Range"], f"bytes */{size}")
                for headers in [{"Range": "bytes=0-1,5-6"}, {"Range": "bytes=5-4"}, {"Range": "x=0-1"},
                                {"Range": "bytes=a-b"}, {"Range": "bytes=-"}, {"Range": "bytes=1"},
                                {"Range": "bytes=0-99999999999999999999"},
                                {"Range": "bytes=0-1", "If-Range": '"other"'}]:
                    answer = server.request(path, headers=headers)
                    self.assertEqual((answer.status, answer.body), (200, whole), headers)

    def test_files_that_change(self):
        small, large = self.put("small", b"1" * 100), self.put("large", b"1" * 1000000)
        with self.serve() as server:
            tags = set()
            for round in range(5):
                for path, file in [("/small", small), ("/large", large)]:
                    answer = server.request(path)
                    self.assertEqual(answer.body, file.read_bytes())
                    tags.add(answer.headers["ETag"])
                    self.assertEqual(server.request(path).headers["ETag"], answer.headers["ETag"])
                # In place, by renaming, shorter, and of the same size.
                small.write_bytes(str(round).encode() * (100 + round % 2))
                os.rename(self.put("new", str(round).encode() * (1000 - round)), large)
            self.assertEqual(len(tags), 10)
            small.unlink()
            large.unlink()
            large.mkdir()
            self.assertEqual(server.request("/small").status, 404)
            self.assertEqual(server.request("/large").status, 404)

    def test_a_large_file_goes_out_in_pieces(self):
        content = os.urandom(1 << 20) * 24
        self.put("large.bin", content)
        with self.serve("--workers", "1") as server:
            answer = server.request("/large.bin")
            self.assertTrue(answer.body == content)
            self.assertEqual(server.logged(path="/large.bin")["bytes"], len(content))
            # A client that takes nothing of it costs no more than a piece.
            with server.stream() as slow:
                slow.send(b"GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\nGET /large.bin HTTP/1.1\r\n"
                          b"Host: x\r\nRange: bytes=5-6\r\n\r\n")
                time.sleep(0.3)
                status = open(f"/proc/{server.process.pid}/status").read()
                resident = int(status.split("VmRSS:")[1].split()[0])
                self.assertLess(resident, 60000)
                self.assertTrue(slow.answer()[2] == content)
                self.assertEqual(slow.answer()[2], content[5:7])

    def test_a_file_that_is_cut_off_meanwhile(self):
        path = self.put("large.bin", b"x" * (24 << 20))
        with self.serve("--workers", "1") as server:
            with server.stream() as slow:
                slow.send(b"GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n")
                time.sleep(0.2)
                os.truncate(path, 1000)
                rest = slow.rest()
                self.assertIn(b"Content-Length: 25165824", rest)
                self.assertLess(len(rest), 24 << 20)
            self.assertEqual(server.request("/large.bin").body, b"x" * 1000)

    def test_files_and_functions(self):
        self.add("echo")
        self.add("echo", "users/[id]")
        self.add("echo", "[...rest]")
        self.put("users/me", b"a file")
        self.put("logo.svg", b"<svg/>")
        with self.serve() as server:
            self.assertEqual(server.request("/users/me").body, b"a file")
            self.assertEqual(server.request("/logo.svg").body, b"<svg/>")
            self.assertEqual(server.request("/users/you", b"x").body, b"x")
            self.assertEqual(server.request("/else/where", b"x").body, b"x")
        self.put("echo", b"hidden")
        self.assertRegex(self.refused(), r"public/echo: its path /echo is the route of \S+/echo\.wasm")

    def test_only_files(self):
        self.put("index.html", b"hello")
        self.path("functions").rmdir()
        with self.serve() as server:
            self.assertEqual(server.request("/").body, b"hello")

    def test_links(self):
        self.path("shared").mkdir()
        self.path("shared", "a.txt").write_text("shared")
        self.path("public").mkdir()
        self.path("public", "a.txt").symlink_to(self.path("shared", "a.txt"))
        with self.serve() as server:
            self.assertEqual(server.request("/a.txt").body, b"shared")
            # What a link leads to is settled when the project is loaded.
            self.path("shared", "a.txt").unlink()
            self.path("shared", "a.txt").symlink_to("/etc/passwd")
            self.assertEqual(server.request("/a.txt").status, 404)
        self.assertIn("leads out of the project", self.refused())


if __name__ == "__main__":
    unittest.main()
