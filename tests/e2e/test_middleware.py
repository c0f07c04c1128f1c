"""Middleware: what is built in, and functions of the project (`gate` says what the request tells it)."""

import base64
import contextlib
import gzip
import hashlib
import hmac
import json
import shutil
import subprocess
import time
import unittest

from harness import WASM, Project

SECRET = "0123456789abcdef0123456789abcdef"


class Middleware(Project):
    """A server with the functions `echo` and `platform` behind middleware."""

    toml = ""
    functions = ["echo", "platform"]
    middleware = []
    public = {}

    def setUp(self):
        super().setUp()
        for name in self.functions:
            self.add(name)
        for name in self.middleware:
            self.add_middleware(name)
        for name, text in self.public.items():
            self.path("public").mkdir(exist_ok=True)
            self.path("public", name).write_text(text)
        self.config(self.toml)
        self.server = self.serve("--workers", "2")
        self.addCleanup(self.server.__exit__, None, None, None)

    def add_middleware(self, function, name=None):
        self.path("middleware").mkdir(exist_ok=True)
        shutil.copyfile(WASM / f"{function}.wasm", self.path("middleware", f"{name or function}.wasm"))

    def get(self, path="/echo", **headers):
        """A request with these headers, whose names have _ in place of -."""
        return self.request(path, None, "GET", **headers)

    def request(self, path, body, method, **headers):
        return self.server.request(path, body, method,
                                   {name.replace("_", "-"): value for name, value in headers.items()})

    def described(self, **headers):
        """What the function's ubiq_request gives."""
        answer = self.request("/platform", b"request", "POST", **headers)
        self.assertEqual(answer.status, 200, answer.body)
        return json.loads(answer.body.split(b"\t", 1)[1])


class Cors(Middleware):
    toml = """
        [middleware]
        use = ["cors", "api_key"]
        [middleware.cors]
        origins = ["https://a.example", "https://*.b.example"]
        expose = ["X-Invocation"]
        credentials = true
        max_age = "10m"
        [middleware.api_key]
        keys = ["key"]
        [functions.echo]
        methods = ["GET", "PUT"]
        """

    def test_preflight(self):
        answer = self.request("/echo", None, "OPTIONS", Origin="https://x.b.example",
                              Access_Control_Request_Method="PUT",
                              Access_Control_Request_Headers="content-type,x-api-key")
        self.assertEqual((answer.status, answer.body), (204, b""))
        h = answer.headers
        self.assertEqual(h["Access-Control-Allow-Origin"], "https://x.b.example")
        self.assertEqual(h["Access-Control-Allow-Credentials"], "true")
        self.assertIn("PUT", h["Access-Control-Allow-Methods"].split(", "))
        self.assertEqual(h["Access-Control-Allow-Headers"], "content-type, x-api-key")
        self.assertEqual(h["Access-Control-Max-Age"], "600")
        self.assertIn("Origin", h.get_all("Vary"))

    def test_preflight_of_another_origin(self):
        answer = self.request("/echo", None, "OPTIONS", Origin="https://b.example",
                              Access_Control_Request_Method="PUT")
        self.assertEqual(answer.status, 403)
        self.assertIsNone(answer.headers["Access-Control-Allow-Origin"])
        self.assertEqual(answer.error()["code"], "origin_not_allowed")

    def test_answers(self):
        answer = self.get(Origin="https://a.example", X_Api_Key="key")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "https://a.example")
        self.assertEqual(answer.headers["Access-Control-Expose-Headers"], "X-Invocation")
        answer = self.get(Origin="https://a.example.evil", X_Api_Key="key")
        self.assertEqual(answer.status, 200)
        self.assertIsNone(answer.headers["Access-Control-Allow-Origin"])

    def test_errors_can_be_read_too(self):
        for path, method, headers, status in [
                ("/echo", "GET", {}, 401),
                ("/echo", "DELETE", {"X_Api_Key": "key"}, 405),
                ("/none", "GET", {"X_Api_Key": "key"}, 404)]:
            answer = self.request(path, None, method, Origin="https://a.example", **headers)
            self.assertEqual(answer.status, status)
            self.assertEqual(answer.headers["Access-Control-Allow-Origin"], "https://a.example")
            self.assertEqual(answer.error()["invocation"], answer.headers["X-Invocation"])

    def test_health_has_none_of_it(self):
        answer = self.get("/healthz", Origin="https://a.example")
        self.assertEqual(answer.status, 200)
        self.assertIsNone(answer.headers["Access-Control-Allow-Origin"])


class RateLimit(Middleware):
    toml = """
        [middleware]
        use = ["rate_limit"]
        [middleware.rate_limit]
        requests = 6
        per = "1h"
        [functions.platform]
        middleware = []
        """

    def test_all_workers_count_together(self):
        statuses = [self.get().status for _ in range(12)]
        self.assertEqual(statuses, [200] * 6 + [429] * 6)

    def test_headers(self):
        answers = [self.get() for _ in range(7)]
        self.assertEqual([a.headers["RateLimit-Remaining"] for a in answers],
                         ["5", "4", "3", "2", "1", "0", "0"])
        self.assertEqual(answers[0].headers["RateLimit-Limit"], "6")
        self.assertEqual(answers[0].headers["RateLimit-Reset"], "600")
        self.assertIsNone(answers[0].headers["Retry-After"])
        self.assertEqual(answers[6].error()["code"], "rate_limited")
        self.assertGreater(int(answers[6].headers["Retry-After"]), 590)

    def test_another_address_has_its_own(self):
        for _ in range(6):
            self.get()
        for header in ["X_Forwarded_For", "Forwarded", "X_Real_Ip"]:
            self.assertEqual(self.get(**{header: "192.0.2.1"}).status, 429)

    def test_a_function_without(self):
        for _ in range(10):
            self.assertEqual(self.request("/platform", b"", "POST").status, 200)


class RateLimitByHeader(Middleware):
    toml = """
        [middleware]
        use = ["rate_limit"]
        [middleware.rate_limit]
        requests = 2
        per = "4s"
        by = "header:X-Customer"
        """

    def test_each_value(self):
        for customer in ["a", "b"]:
            self.assertEqual([self.get(X_Customer=customer).status for _ in range(3)],
                             [200, 200, 429])
        time.sleep(2.1)
        self.assertEqual(self.get(X_Customer="a").status, 200)


class ApiKey(Middleware):
    toml = """
        [middleware]
        use = ["api_key"]
        [middleware.api_key]
        header = "X-Key"
        keys = ["one", "two"]
        [functions.platform]
        permissions = []
        """

    def test_keys(self):
        for key, status in [("one", 200), ("two", 200), ("three", 401), ("", 401), ("One", 401)]:
            self.assertEqual(self.get(X_Key=key).status, status, key)
        answer = self.get()
        self.assertEqual(answer.status, 401)
        self.assertEqual(answer.headers["WWW-Authenticate"], 'ApiKey header="X-Key"')
        self.assertEqual(answer.error()["code"], "unauthorized")

    def test_the_function_knows_which(self):
        self.assertEqual(self.described(X_Key="two")["api_key"],
                         hashlib.sha256(b"two").hexdigest()[:16])


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed_part(algorithm, claims):
    header = json.dumps({"alg": algorithm, "typ": "JWT"}).encode()
    return base64url(header) + "." + base64url(json.dumps(claims).encode())


def hs256(claims, secret=SECRET, algorithm="HS256"):
    text = signed_part(algorithm, claims)
    return text + "." + base64url(hmac.digest(secret.encode(), text.encode(), "sha256"))


class ApiKeyOfFiles(Middleware):
    toml = f"""
        [middleware]
        use = ["api_key"]
        [middleware.api_key]
        keys = ["{SECRET}"]
    """

    public = {"a.txt": "hello"}

    def test_refusals_close_no_other_connection(self):
        """Whoever asks for a file in vain has none open, so there is none to be closed."""
        with contextlib.ExitStack() as stack:
            others = []
            for _ in range(8):
                others.append(stack.enter_context(self.server.stream()))
                asking = stack.enter_context(self.server.stream())
                asking.send(b"GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertEqual(asking.answer()[0], 401)
            for other in others:
                other.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertEqual(other.answer()[0], 200)
        self.assertEqual(self.get("/a.txt", X_Api_Key=SECRET).body, b"hello")


class Jwt(Middleware):
    toml = f"""
        [middleware]
        use = ["jwt"]
        [middleware.jwt]
        algorithm = "HS256"
        secret = "{SECRET}"
        audience = "shop"
        leeway = "5s"
        """

    def status(self, token):
        return self.get(Authorization=f"Bearer {token}").status

    def test_tokens(self):
        now = time.time()
        good = {"sub": "joe", "aud": "shop", "exp": now + 60}
        for token, status in [
                (hs256(good), 200),
                (hs256({**good, "exp": now - 60}), 401),
                (hs256({**good, "exp": now - 2}), 200),
                (hs256({**good, "nbf": now + 60}), 401),
                (hs256({**good, "aud": ["x", "shop"]}), 200),
                (hs256({**good, "aud": "other"}), 401),
                (hs256(good, "f" * 32), 401),
                (hs256(good, algorithm="none"), 401),
                (hs256(good, algorithm="RS256"), 401),
                (signed_part("none", good) + ".", 401),
                (hs256(good)[:-2], 401),
                ("x", 401)]:
            self.assertEqual(self.status(token), status, token)

    def test_challenges(self):
        answer = self.get()
        self.assertEqual((answer.status, answer.headers["WWW-Authenticate"]), (401, "Bearer"))
        answer = self.get(Authorization="Bearer x.y.z")
        self.assertIn('error="invalid_token"', answer.headers["WWW-Authenticate"])

    def test_the_function_sees_the_claims(self):
        claims = {"sub": "joe", "aud": "shop", "roles": ["a", "b"]}
        request = self.described(Authorization=f"Bearer {hs256(claims)}")
        self.assertEqual(request["claims"], claims)

    def test_a_secret_that_is_too_short(self):
        self.config(self.toml.replace(SECRET, "secret"))
        self.assertRegex(self.refused(), r"middleware\.jwt.*32 bytes")


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout


def raw_ecdsa(der):
    """The two numbers of a signature as ASN.1, each with 32 bytes."""
    numbers = []
    at = 2
    for _ in range(2):
        length = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2:at + 2 + length], "big").to_bytes(32, "big"))
        at += 2 + length
    return b"".join(numbers)


class JwtByPublicKey(Project):
    def check(self, algorithm, make_key, in_file):
        key = self.path("private.pem")
        key.write_bytes(openssl("genpkey", "-quiet", *make_key))
        public = openssl("pkey", "-in", str(key), "-pubout").decode()
        if in_file:
            self.path("keys").mkdir()
            self.path("keys", "public.pem").write_text(public)
            public = "keys/public.pem"
        self.add("echo")
        self.config(f"[middleware]\nuse = ['jwt']\n[middleware.jwt]\nalgorithm = '{algorithm}'\n"
                    f"public_key = '''{public}'''\n")
        text = signed_part(algorithm, {"sub": "joe"})
        signature = openssl("dgst", "-sha256", "-sign", str(key), data=text.encode())
        if algorithm == "ES256":
            signature = raw_ecdsa(signature)
        with self.serve() as server:
            for token, status in [(text + "." + base64url(signature), 200),
                                  (text + "." + base64url(signature[:-1] + b"\0\0"), 401),
                                  (hs256({"sub": "joe"}, public), 401)]:
                self.assertEqual(server.request("/echo", headers={"Authorization": f"Bearer {token}"})
                                 .status, status)

    def test_rs256(self):
        self.check("RS256", ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], True)

    def test_es256(self):
        self.check("ES256", ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"], False)


class RequestId(Middleware):
    toml = "[middleware]\nuse = ['request_id']\n"

    def test_ids(self):
        answer = self.get(X_Request_Id="trace-1")
        self.assertEqual(answer.headers["X-Request-Id"], "trace-1")
        for bad in [None, "a b", "x" * 65, "<script>"]:
            answer = self.get(**({"X_Request_Id": bad} if bad else {}))
            self.assertEqual(answer.headers["X-Request-Id"], answer.headers["X-Invocation"])
        self.assertEqual(self.described(X_Request_Id="trace-1")["request_id"], "trace-1")


class Compression(Middleware):
    toml = """
        [middleware]
        use = ["compression"]
        [middleware.compression]
        min_size = "100B"
        """
    text = b"a line of text that comes again\n" * 1000

    def echo(self, accept, body=text, method="POST"):
        return self.request("/echo", body, method, **({"Accept_Encoding": accept} if accept else {}))

    def test_gzip(self):
        answer = self.echo("gzip")
        self.assertEqual(answer.headers["Content-Encoding"], "gzip")
        self.assertEqual(gzip.decompress(answer.body), self.text)
        self.assertEqual(answer.headers["Vary"], "Accept-Encoding")
        self.assertLess(len(answer.body), 1000)

    def test_zstd(self):
        answer = self.echo("gzip, zstd")
        self.assertEqual(answer.headers["Content-Encoding"], "zstd")
        self.assertEqual(answer.body[:4], b"\x28\xb5\x2f\xfd")

    def test_who_takes_none(self):
        for accept in [None, "br", "gzip;q=0", "identity"]:
            answer = self.echo(accept)
            self.assertIsNone(answer.headers["Content-Encoding"])
            self.assertEqual(answer.body, self.text)
            self.assertEqual(answer.headers["Vary"], "Accept-Encoding")

    def test_what_stays(self):
        for body in [b"short", b"\xff\xfe" * 1000]:
            answer = self.echo("gzip", body)
            self.assertIsNone(answer.headers["Content-Encoding"])
            self.assertEqual(answer.body, body)

    def test_head(self):
        connection = self.server.connect()
        self.addCleanup(connection.close)
        for method in ["POST", "HEAD"]:
            connection.request(method, "/echo", self.text, {"Accept-Encoding": "gzip"})
            answer = connection.getresponse()
            body = answer.read()
            self.assertEqual(answer.headers["Content-Encoding"], "gzip")
            if method == "POST":
                length = len(body)
            self.assertEqual(int(answer.headers["Content-Length"]), length)

    def test_many_on_one_connection(self):
        connection = self.server.connect()
        for n in range(50):
            body = self.text + str(n).encode()
            connection.request("POST", "/echo", body, {"Accept-Encoding": "gzip"})
            self.assertEqual(gzip.decompress(connection.getresponse().read()), body)
        connection.close()


class Functions(Middleware):
    toml = """
        [middleware]
        use = ["request_id", "middleware/gate"]
        [functions."middleware/gate"]
        limits = { cpu_time = "200ms" }
        """
    middleware = ["gate"]

    def test_it_goes_on(self):
        self.assertEqual(self.request("/echo", b"text", "POST").body, b"text")

    def test_what_before_is_given(self):
        answer = self.request("/echo?a=1", b'a "body"', "PUT", X_Before="input", X_Request_Id="r")
        self.assertEqual((answer.status, answer.type), (200, "application/json"))
        given = json.loads(answer.body)
        self.assertEqual(given["id"], answer.headers["X-Invocation"])
        for name, value in {"method": "PUT", "path": "/echo", "route": "/echo", "query": {"a": "1"},
                            "request_id": "r", "body": 'a "body"'}.items():
            self.assertEqual(given[name], value)
        self.assertEqual(given["headers"]["x-before"], "input")
        given = json.loads(self.request("/echo", b"\xff\x00", "POST", X_Before="input").body)
        self.assertEqual(base64.b64decode(given["body_base64"]), b"\xff\x00")
        self.assertNotIn("body", given)

    def test_what_after_is_given(self):
        answer = self.request("/echo", b"text", "POST", X_After="input")
        given = json.loads(answer.body)
        self.assertEqual(given["request"]["path"], "/echo")
        self.assertNotIn("body", given["request"])
        self.assertEqual(given["response"]["status"], 200)
        self.assertEqual(given["response"]["body"], "text")
        self.assertTrue(given["response"]["headers"]["content-type"].startswith("text/plain"))

    def test_before_answers(self):
        said = {"status": 302, "headers": {"Location": "/in", "Set-Cookie": ["a=1", "b=2"]}}
        answer = self.request("/echo", b"text", "POST", X_Before=json.dumps(said))
        self.assertEqual((answer.status, answer.body), (302, b""))
        self.assertEqual(answer.headers["Location"], "/in")
        self.assertEqual(answer.headers.get_all("Set-Cookie"), ["a=1", "b=2"])
        self.assertIsNotNone(answer.headers["X-Request-Id"])

    def test_before_tells_the_function(self):
        request = self.described(X_Before='{"context": {"user": "joe"}}')
        self.assertEqual(request["context"], {"gate": {"user": "joe"}})

    def test_after_changes_the_answer(self):
        answer = self.request("/echo", b"text", "POST",
                              X_After='{"status": 201, "headers": {"X-One": "1"}}')
        self.assertEqual((answer.status, answer.body), (201, b"text"))
        self.assertEqual(answer.headers["X-One"], "1")
        answer = self.request("/echo", b"text", "POST", X_After='{"body": "other"}')
        self.assertEqual((answer.status, answer.body), (200, b"other"))
        answer = self.request("/none", None, "GET", X_After='{"status": 200, "body": "found"}')
        self.assertEqual((answer.status, answer.body), (200, b"found"))

    def test_after_sees_errors(self):
        for path, method, status in [("/none", "GET", 404)]:
            answer = self.request(path, None, method, X_After="input")
            self.assertEqual(json.loads(answer.body)["response"]["status"], status)

    def test_what_fails_lets_nothing_through(self):
        for said, status, code in [("trap", 500, "function_failed"),
                                   ("spin", 504, "timeout"),
                                   ("true", 500, "middleware_failed"),
                                   ('{"headers": {}}', 500, "middleware_failed"),
                                   ('{"status": 99}', 500, "middleware_failed"),
                                   ('{"state": 200}', 500, "middleware_failed")]:
            answer = self.request("/echo", b"text", "POST", X_Before=said)
            self.assertEqual((answer.status, answer.error()["code"]), (status, code), said)
            self.assertIsNotNone(answer.headers["X-Request-Id"])
            if said.startswith('{"headers"'):
                continue
            answer = self.request("/echo", b"text", "POST", X_After=said)
            self.assertEqual((answer.status, answer.error()["code"]), (status, code), said)
        self.server.said(r"middleware/gate.*did you mean status")

    def test_it_cannot_split_an_answer(self):
        for name, value in [("a", "b\r\nc: d"), ("a\r\nb", "c"), ("a b", "c"), ("a", "b\0")]:
            said = json.dumps({"status": 200, "headers": {name: value}})
            self.assertEqual(self.request("/echo", b"", "POST", X_Before=said).status, 500)
        said = json.dumps({"status": 200, "headers": {"Content-Length": "0", "Connection": "close",
                                                      "Transfer-Encoding": "chunked"}, "body": "x"})
        answer = self.request("/echo", b"", "POST", X_Before=said)
        self.assertEqual((answer.status, answer.body), (200, b"x"))
        self.assertIsNone(answer.headers["Transfer-Encoding"])

    def test_traces_of_the_function_are_kept(self):
        self.request("/platform", b"attribute\tcolour\tred", "POST", X_After='{"status": 202}')
        line = self.server.logged(path="/platform", status=202)
        self.assertIn("red", json.dumps(line["trace"]))

    def test_many_on_one_connection(self):
        """Requests that are sent ahead are answered in their order."""
        with self.server.stream() as s:
            requests = [f"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {len(str(n))}\r\n"
                        f"X-After: {{\"headers\": {{\"X-N\": \"{n}\"}}}}\r\n\r\n{n}" for n in range(100)]
            s.send("".join(requests).encode())
            for n in range(100):
                status, head, body = s.answer()
                self.assertEqual((status, body), (200, str(n).encode()))
                self.assertIn(f"X-N: {n}\r\n".encode(), head)

    def test_clients_that_leave(self):
        for _ in range(20):
            with self.server.stream() as s:
                s.send(b"GET /echo HTTP/1.1\r\nHost: x\r\nX-Before: spin\r\n\r\n")
                time.sleep(0.02)
        self.assertEqual(self.request("/echo", b"text", "POST").body, b"text")


class Order(Middleware):
    """Two functions: what the outer one does is done last on the way back."""

    toml = """
        [middleware]
        use = ["middleware/outer", "compression", "middleware/gate"]
        [middleware.compression]
        min_size = "1B"
        [functions.platform]
        middleware = ["middleware/gate"]
        """
    middleware = ["gate"]

    def add_middleware(self, function, name=None):
        super().add_middleware(function, name)
        super().add_middleware(function, "outer")

    def test_the_way_back(self):
        answer = self.request("/echo", b"text " * 100, "POST", X_After='{"headers": {"X-A": "b"}}')
        self.assertEqual(answer.headers["X-A"], "b")
        self.assertEqual(answer.body, b"text " * 100)

    def test_the_way_there(self):
        contexts = self.request("/echo", b"", "POST", X_Before='{"context": {"a": 1}}')
        self.assertEqual(contexts.status, 200)
        self.assertEqual(self.described(X_Before='{"context": {"a": 1}}')["context"],
                         {"gate": {"a": 1}})

    def test_the_outer_one_sees_what_is_sent(self):
        answer = self.request("/echo", b"text " * 100, "POST", Accept_Encoding="gzip",
                              X_After="input")
        self.assertEqual(answer.status, 200)
        outer = json.loads(answer.body)
        self.assertEqual(outer["response"]["headers"]["content-encoding"], "gzip")
        inner = json.loads(gzip.decompress(base64.b64decode(outer["response"]["body_base64"])))
        self.assertEqual(inner["response"]["body"], "text " * 100)


class LongChain(Middleware):
    """As many functions as there can be."""

    names = [f"m{n:02}" for n in range(32)]
    toml = f"""
        [middleware]
        use = {[f"middleware/{name}" for name in names]}
        """
    middleware = ["gate"]

    def add_middleware(self, function, name=None):
        for each in self.names:
            super().add_middleware(function, each)

    def test_the_function_hears_from_all(self):
        self.assertEqual(self.described(X_Before='{"context": {"a": 1}}')["context"],
                         {name: {"a": 1} for name in self.names})

    def test_the_answer_goes_back_through_all(self):
        answer = self.request("/echo", b"text", "POST", X_After='{"headers": {"X-A": "b"}}')
        self.assertEqual((answer.status, answer.headers["X-A"], answer.body), (200, "b", b"text"))

    def test_many_on_one_connection(self):
        with self.server.stream() as s:
            s.send("".join(f"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {len(str(n))}\r\n\r\n{n}"
                           for n in range(50)).encode())
            for n in range(50):
                status, _, body = s.answer()
                self.assertEqual((status, body), (200, str(n).encode()))

    def test_what_fails_lets_nothing_through(self):
        self.assertEqual(self.get(X_Before="trap").status, 500)
        self.assertEqual(self.get(X_After="trap").status, 500)

    def test_clients_that_leave(self):
        for n in range(200):
            with self.server.stream() as s:
                s.send(b"GET /echo HTTP/1.1\r\nHost: x\r\n\r\n")
                time.sleep(n % 10 / 10000)
        self.assertEqual(self.request("/echo", b"text", "POST").body, b"text")


class Mistakes(Project):
    def test_they_are_told_when_the_project_is_loaded(self):
        self.add("echo")
        for toml, said in [
                ("[middleware]\nuse = ['cros']", "cors"),
                ("[middleware]\nuse = ['middleware/none']", "middleware/none"),
                ("[middleware]\nuse = ['cors', 'cors']", "twice"),
                ("[middleware]\nuse = ['jwt']", "middleware.jwt"),
                ("[middleware]\nuse = ['jwt']\n[middleware.jwt]\nalgorithm = 'ES256'\n"
                 "public_key = 'none.pem'", "none.pem"),
                ("[middleware]\nuse = ['cors']\n[middleware.cors]\norigins = ['https://a/']", "origin"),
                ("[functions.echo]\nmiddleware = ['rate']", "rate")]:
            self.config(toml)
            self.assertIn(said, self.refused(), toml)


if __name__ == "__main__":
    unittest.main()
