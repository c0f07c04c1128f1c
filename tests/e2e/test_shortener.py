"""The application in examples/shortener, built and served as a newcomer would."""

import json
import os
import pathlib
import shutil
import unittest

from harness import Backend, Project, Server

SHORTENER = pathlib.Path(__file__).resolve().parents[2] / "examples/shortener"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100


class Shortener(Project):
    def setUp(self):
        super().setUp()
        shutil.copytree(SHORTENER, self.directory, dirs_exist_ok=True,
                        ignore=shutil.ignore_patterns(".ubiq"))
        done = self.run_command("build", self.directory)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.told = []
        self.hook = Backend(self.take_hook)
        self.addCleanup(self.hook.close)
        os.environ["WEBHOOK_URL"] = f"http://127.0.0.1:{self.hook.port}/told"
        self.addCleanup(os.environ.pop, "WEBHOOK_URL")
        text = self.path("ubiq.toml").read_text()
        self.path("ubiq.toml").write_text(
            text.replace("http:post:*/*", "http:post:127.0.0.1:*/*"))
        self.server = Server(self.directory)
        self.addCleanup(self.server.__exit__, None, None, None)

    def take_hook(self, request):
        self.told.append(request)
        return b"HTTP/1.1 204 No Content\r\n\r\n"

    def json(self, path, **arguments):
        answer = self.server.request(path, **arguments)
        self.assertEqual(answer.status, 200, answer.body)
        return json.loads(answer.body)

    def make(self, url, **more):
        return self.server.request("/links", json.dumps({"url": url, **more}).encode())

    def test_a_link_is_made_and_followed(self):
        made = self.make("https://example.com/x")
        self.assertEqual(made.status, 201, made.body)
        code = json.loads(made.body)["code"]
        self.assertEqual(made.headers["Location"], f"/links/{code}")
        self.assertRegex(code, "^[0-9a-z]{1,8}$")
        followed = self.server.request(f"/s/{code}")
        self.assertEqual((followed.status, followed.headers["Location"]),
                         (302, "https://example.com/x"))
        self.assertEqual(self.json(f"/links/{code}")["clicks"], 1)
        self.assertEqual([link["code"] for link in self.json("/links")["links"]], [code])

    def test_codes(self):
        self.assertEqual(self.make("https://example.com/", code="mine").status, 201)
        self.assertEqual(self.make("https://example.com/", code="mine").status, 409)
        self.assertEqual(self.make("https://example.com/", code="no/slash").status, 422)
        self.assertEqual(self.make("javascript:alert(1)").status, 422)
        self.assertEqual(self.server.request("/s/none").status, 404)
        codes = {json.loads(self.make("https://example.com/").body)["code"] for _ in range(20)}
        self.assertEqual(len(codes), 20)

    def test_clicks_are_counted_by_day_and_told_of(self):
        self.make("https://example.com/", code="mine")
        for _ in range(10):
            self.server.request("/s/mine")
        days = self.server.wait_for(
            lambda: (days := self.json("/links/mine")["days"]) and sum(days.values()) == 10 and days,
            "the clicks are not counted")
        self.assertEqual(len(days), 1)
        self.server.wait_for(lambda: self.told, "nobody tells the webhook")
        self.assertIn(b'"code":"mine","clicks":10', self.told[0])
        self.assertRegex(self.told[0].decode(), "(?i)idempotency-key: [0-9a-f]{32}")

    def test_pictures(self):
        self.make("https://example.com/", code="mine")
        at = "/links/mine/picture"
        self.assertEqual(self.server.request(at).status, 404)
        self.assertEqual(self.server.request(at, PNG, "PUT").status, 204)
        got = self.server.request(at)
        self.assertEqual((got.status, got.type, got.body), (200, "image/png", PNG))
        self.assertEqual(self.server.request(at, b"no picture", "PUT").status, 415)
        self.assertEqual(self.server.request("/links/mine", method="DELETE").status, 204)
        self.assertEqual(self.server.request(at).status, 404)
        self.assertEqual(self.server.request("/links/mine").status, 404)

    def test_report(self):
        self.make("https://example.com/", code="mine")
        self.server.request("/s/mine")
        report = self.json("/report")
        self.assertEqual((report["links"], report["clicks"]), (1, 1))
        self.assertEqual(report["top"], [{"code": "mine", "clicks": 1}])
        self.server.request("/s/mine")
        self.assertEqual(self.json("/report")["clicks"], 1)
        self.assertEqual(self.json("/report?now")["clicks"], 2)

    def test_the_page(self):
        page = self.server.request("/")
        self.assertEqual((page.status, page.type), (200, "text/html; charset=utf-8"))
        self.assertIn(b"Short links", page.body)
        again = self.server.request("/", headers={"If-None-Match": page.headers["ETag"]})
        self.assertEqual((again.status, again.body), (304, b""))

    def test_functions_without_an_address(self):
        for path in ["/slug", "/rollup", "/clicked", "/announce", "/middleware/audit", "/audit"]:
            self.assertEqual(self.server.request(path).status, 404, path)

    def test_middleware(self):
        answer = self.server.request("/links", headers={"X-Request-Id": "abc-1"})
        self.assertEqual(answer.headers["X-Request-Id"], "abc-1")
        self.assertEqual(answer.headers["RateLimit-Limit"], "1000")
        self.make("https://example.com/")
        self.server.said('middleware/audit invocation [0-9a-f]+: a change is asked for .*"POST"')


if __name__ == "__main__":
    unittest.main()
