"""Functions in JavaScript and TypeScript: built by `ubiq build` and served."""

import json
import os
import subprocess
import threading
import time

from harness import UBIQ, Backend, Project, in_parallel

SERVICES = """
import { kv, storage, events, invoke, log, trace, request, response, config, UbiqError } from "ubiq";

export default async (input, context) => {
  kv.set("a", { x: input.x });
  const seen = {
    value: kv.getJson("a"),
    bytes: kv.getBytes("a").length,
    none: kv.get("b"),
    first: kv.setIfAbsent("once", "1"),
    again: kv.setIfAbsent("once", "2"),
    swapped: kv.compareAndSet("once", "1", "3"),
    count: kv.increment("n", 5),
    keys: kv.list("", { limit: 2 }),
    lists: [kv.list().keys.length, storage.list("").items.length],
    deleted: kv.delete("once"),
    config: config.get("greeting"),
    method: context.method,
    query: request.query,
    other: invoke("other", "you"),
  };
  storage.write("notes/one.txt", "content");
  seen.file = storage.readText("notes/one.txt");
  seen.size = storage.stat("notes/one.txt").size;
  seen.event = typeof events.emit("order.made", { id: 1 });
  try {
    kv.get("x".repeat(2000));
  } catch (e) {
    seen.error = [e instanceof UbiqError, e.code];
  }
  log.info("said", { n: 1 });
  console.warn("warned %d", 2);
  trace.attribute("k", "v");
  response.status(201);
  response.header("x-own", "yes");
  return seen;
};
"""

PERMISSIONS = ["kv:read:*", "kv:write:*", "storage:read:*", "storage:write:*", "events:emit:*", "invoke:*"]


class JavaScript(Project):
    def write(self, name, text):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def build(self, *arguments):
        return self.run_command("build", self.directory, *arguments)

    def built(self, *arguments):
        done = self.build(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_hello(self):
        self.write("functions/hello.js", "export default (input) => `hello ${input}`;")
        self.built()
        self.assertLess(self.path(".ubiq/build/hello.wasm").stat().st_size, 2048)
        with self.serve() as server:
            for _ in range(3):
                answer = server.request("/hello", b"you")
                self.assertEqual((answer.status, answer.body), (200, b"hello you"))

    def test_calls_see_nothing_of_each_other(self):
        self.write("functions/count.js", "let n = 0; const all = {};\n"
                   "export default (input) => { all[input] = 1; return `${++n} ${Object.keys(all)} ${Math.random()}`; }")
        self.built()
        with self.serve("--workers", "2") as server:
            def work(number):
                return [server.request("/count", str(number).encode()).body.split() for _ in range(50)]

            seen = [(number, words) for number, all in enumerate(in_parallel(8, work)) for words in all]
        self.assertEqual({(words[0], words[1] == str(number).encode()) for number, words in seen}, {(b"1", True)})
        self.assertEqual(len({words[2] for _, words in seen}), len(seen))

    def test_methods(self):
        self.write("functions/users/[id].js",
                   "export function GET(input, context) { return context.params; }\n"
                   "export const DELETE = () => new Response(null, { status: 204 });")
        self.built()
        with self.serve() as server:
            answer = server.request("/users/7", method="GET")
            self.assertEqual((answer.type, answer.body), ("application/json", b'{"id":"7"}'))
            self.assertEqual(server.request("/users/7", method="DELETE").status, 204)
            self.assertEqual(server.request("/users/7", method="PUT").status, 405)

    def test_services(self):
        self.write("functions/all.js", SERVICES)
        self.write("functions/other.js", "export default (input) => `other ${input}`;")
        self.config(f'[functions.all]\npermissions = {json.dumps(PERMISSIONS)}\nconfig = {{ greeting = "hi" }}\n')
        self.built()
        with self.serve() as server:
            answer = server.request("/all?q=1", b'{"x":7}', headers={"Content-Type": "application/json"})
            self.assertEqual(answer.status, 201, answer.body)
            self.assertEqual(answer.headers["x-own"], "yes")
            seen = json.loads(answer.body)
            self.assertEqual(seen["keys"].pop("keys"), ["a", "n"])
            del seen["keys"]
            self.assertEqual(seen, {
                "value": {"x": 7}, "bytes": 7, "none": None, "first": True, "again": False, "swapped": True,
                "count": 5, "lists": [3, 0], "deleted": True, "config": "hi", "method": "POST", "query": {"q": "1"},
                "other": "other you", "file": "content", "size": 7, "event": "string",
                "error": [True, "too_large"]})
            server.said('said {"n":1}')
            server.said("warned 2")

    def test_middleware(self):
        self.write("middleware/gate.js",
                   "export const before = (asked) =>\n"
                   "  asked.query.no ? { status: 403, body: 'no' } : { context: { method: asked.method } };\n"
                   "export function after({ request, response }) {\n"
                   "  return { headers: { ...response.headers, 'x-seen': request.path } };\n"
                   "}\n")
        self.write("functions/told.js", "import { request } from 'ubiq';\n"
                   "export default (input, context) => [request.context, context.context];")
        self.config('[middleware]\nuse = ["middleware/gate"]\n')
        self.built()
        told = {"gate": {"method": "POST"}}
        with self.serve() as server:
            # What the client says of its body is nothing that middleware depends on.
            for type in ["application/json", "text/plain", "image/png", ""]:
                answer = server.request("/told", b"[", headers={"Content-Type": type})
                self.assertEqual((answer.status, answer.headers["x-seen"]),
                                 (500 if "json" in type else 200, "/told"), answer.body)
                if answer.status == 200:
                    self.assertEqual(json.loads(answer.body), [told, told])
                self.assertEqual(server.request("/told?no=1", b"[", headers={"Content-Type": type}).status, 403)

    def test_denied(self):
        self.write("functions/deny.js", "import { kv } from 'ubiq';\nexport default () => kv.get('a');")
        self.built()
        with self.serve() as server:
            answer = server.request("/deny", b"")
            self.assertEqual(answer.status, 500)
            self.assertIn("UbiqError: the function may not do this", answer.error()["message"])
            self.assertNotIn("deny.js", answer.error()["message"])
            server.said(r"\(functions/deny\.js:2:")

    def test_fetches_run_at_the_same_time(self):
        lock = threading.Lock()
        inside, most, timer = set(), [0], threading.Event()
        together = threading.Barrier(5)

        def reply(data):
            body = data.split(b" ")[1]
            with lock:
                inside.add(body)
                most[0] = max(most[0], len(inside))
            # The first five end once all of them are there; the last one when the timer has gone off.
            if body == b"/z":
                timer.wait(20)
            elif body < b"/f":
                together.wait(20)
            with lock:
                inside.remove(body)
            return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-A: b\r\nConnection: close\r\n\r\n" % len(body) + body

        backend = Backend(reply)
        self.addCleanup(backend.close)
        self.write("functions/both.js", f"""
const at = (path) => fetch("http://127.0.0.1:{backend.port}/" + path);
export default async () => {{
  const answers = await Promise.all(["a", "b", "c", "d", "e", "f", "g"].map(at));
  const texts = await Promise.all(answers.map((r) => r.text()));
  const refused = await fetch("http://127.0.0.1:1/").catch((e) => e.cause.code);
  const slow = await Promise.race([at("z"), new Promise((done) => setTimeout(done, 50, "timer"))]);
  return [texts.join(""), answers[0].headers.get("x-a"), refused, slow].join();
}};""")
        self.config('[functions.both]\npermissions = ["http:get:127.0.0.1:%d/*"]\n' % backend.port)
        self.built()
        with self.serve("--workers", "1") as server:
            answer = server.request("/both", b"")
            timer.set()
            self.assertEqual((answer.status, answer.body), (200, b"/a/b/c/d/e/f/g,b,denied,timer"))
            self.assertEqual(most[0], 5)

    def test_errors(self):
        for name, text in {
            "throws": "export default () => {\n  throw new TypeError('no');\n};",
            "rejects": "export default async () => {\n  await null;\n  throw new TypeError('no');\n};",
            "never": "export default () => new Promise(() => {});",
            "value": "export default () => ({ n: 1n });",
            "recurses": "const f = () => f() + 1;\nexport default f;",
            "loops": "export default () => { for (;;); };",
            "grows": "export default () => { const a = []; for (;;) a.push('x'.repeat(1e6) + a.length); };",
            "fine": "export default () => 'fine';",
        }.items():
            self.write(f"functions/{name}.js", text)
        self.config('[limits]\ncpu_time = "1s"\nmemory = "8MiB"\n')
        self.built()
        with self.serve("--workers", "1", "--env", "development") as server:
            for name, status, words in [
                ("throws", 500, "TypeError: no\n    at default (functions/throws.js:2:13)"),
                ("rejects", 500, "TypeError: no\n    at default (functions/rejects.js:3:"),
                ("never", 500, "nothing is left to settle"),
                ("value", 500, "cannot be written as JSON"),
                ("recurses", 500, "RangeError"),
                ("loops", 504, ""),
                ("grows", 500, ""),
            ]:
                answer = server.request(f"/{name}", b"")
                self.assertEqual(answer.status, status, name)
                self.assertIn(words, answer.error()["message"], name)
                self.assertEqual(server.request("/fine", b"").body, b"fine")

    def test_the_stack_is_not_for_clients(self):
        self.write("functions/throws.js", "export default () => {\n  throw new Error('a\\nb', { cause: new Error('c') });\n};")
        self.built()
        with self.serve() as server:
            self.assertEqual(server.request("/throws", b"").error()["message"], "Error: a\nb")
            server.said(r"\(functions/throws\.js:2:")

    def test_wrong_sources(self):
        self.write("functions/bad.js", "export default () => {\n  let x = ;\n};")
        done = self.build()
        self.assertEqual(done.returncode, 2)
        self.assertIn("functions/bad.js:2:11: error: unexpected token", done.stderr)
        self.write("functions/bad.js", "const a = 1;")
        done = self.build()
        self.assertEqual(done.returncode, 2)
        self.assertIn("functions/bad.js: error: it exports no function", done.stderr)
        self.assertFalse(self.path(".ubiq/build/bad.wasm").exists())

    def test_typescript_and_imports(self):
        self.write("lib/shout.ts", "interface Who { who: string }\n\nexport function shout(w: Who): string {\n"
                   "  if (w.who === 'boom') throw new Error('boom');\n  return w.who.toUpperCase();\n}\n")
        self.write("functions/typed.ts", "import { shout } from '../lib/shout';\n"
                   "export default (input: string): string => shout({ who: input });\n")
        self.write("functions/plain.js", "import { shout } from '../lib/shout.ts';\nexport default shout;\n")
        done = self.build()
        if "npm could not fetch" in done.stderr or "npm fetches" in done.stderr:
            self.skipTest("there is no esbuild")
        self.assertEqual(done.returncode, 0, done.stderr)
        with self.serve("--env", "development") as server:
            self.assertEqual(server.request("/typed", b"you").body, b"YOU")
            error = server.request("/typed", b"boom").error()["message"]
            self.assertIn("at shout (lib/shout.ts:4)", error)
            self.assertIn("(functions/typed.ts:2)", error)
        # What is imported is an input.
        self.write("lib/shout.ts", "export const shout = (w: { who: string }): string => w.who + '!';\n")
        self.built()
        with self.serve() as server:
            self.assertEqual(server.request("/typed", b"you").body, b"you!")
        # So is what says what a name means, though it was not there before.
        self.write("lib/whisper.ts", "export const shout = (w: { who: string }): string => w.who + '...';\n")
        self.write("functions/typed.ts", "import { shout } from 'said/shout';\n"
                   "export default (input: string): string => shout({ who: input });\n")
        for name, said in ("shout", b"you!"), ("whisper", b"you..."):
            self.write("tsconfig.json",
                       '{"compilerOptions": {"paths": {"said/shout": ["./lib/%s"]}}}\n' % name)
            self.built()
            with self.serve() as server:
                self.assertEqual(server.request("/typed", b"you").body, said)
        self.write("functions/typed.ts", "export default (input: { => 1;\n")
        done = self.build()
        self.assertEqual(done.returncode, 2)
        self.assertIn("functions/typed.ts:1:", done.stderr)

    def test_another_esbuild(self):
        esbuild = self.path("esbuild")
        self.write("functions/typed.ts", "whatever it makes of it")
        for word in "one", "two":
            self.write("esbuild", "#!/bin/sh\nfor a; do case $a in --outfile=*) out=${a#*=} ;; "
                       "--metafile=*) meta=${a#*=} ;; esac; done\n"
                       f"echo 'export default () => \"{word}\";' > $out\n"
                       "echo '{\"version\":3,\"sources\":[],\"mappings\":\"\"}' > $out.map\n"
                       "echo '{\"inputs\":{}}' > $meta\n")
            esbuild.chmod(0o755)
            past = time.time() - 10
            os.utime(self.path("functions/typed.ts"), (1000, 1000))
            os.utime(esbuild, (past, past))
            done = subprocess.run([UBIQ, "build", self.directory], capture_output=True, text=True, timeout=60,
                                  env={**os.environ, "UBIQ_ESBUILD": str(esbuild)})
            self.assertEqual(done.returncode, 0, done.stderr)
            with self.serve() as server:
                self.assertEqual(server.request("/typed", b"").body, word.encode())

    def test_plain_sources_need_no_other_program(self):
        self.write("functions/hello.js", "export default () => 'hello';")
        done = subprocess.run([UBIQ, "build", self.directory], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "PATH": "/nowhere"})
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_manifest(self):
        self.write("functions/hello.js", "export default (input) => `hello ${input}`;")
        self.built("--manifest")
        manifest = self.path(".ubiq/manifest/hello.json")
        for _ in range(2):
            done = self.run_command("call", "--manifest", "--wasi", str(manifest), "handle", "--input", "you")
            self.assertEqual((done.returncode, done.stdout.strip()), (0, "hello you"), done.stderr)
            self.built("--manifest")

    def test_declared_functions_of_the_host(self):
        declared = 'declare module "extism:host" { interface user { look(key: PTR): PTR; } }\n'
        manifest = self.path(".ubiq/manifest/own.wasm")
        self.write("functions/own.js", "module.exports = { run() { Host.outputString(Object.keys(Host.getFunctions()).join()); } };")
        self.built("--manifest")
        self.assertNotIn(b"look", manifest.read_bytes())
        self.write("functions/index.d.ts", declared)
        self.built("--manifest")
        self.assertIn(b"extism:host/user\x04look", manifest.read_bytes())
        # The one of its name goes first, and what has nothing to do with a host is not read.
        self.write("functions/own.d.ts", declared.replace("look", "find"))
        self.built("--manifest")
        self.assertIn(b"extism:host/user\x04find", manifest.read_bytes())
        self.write("functions/own.d.ts", "declare module '*.svg';\n")
        self.built("--manifest")
        self.assertNotIn(b"extism:host/user", manifest.read_bytes())
        self.write("functions/own.d.ts", declared.replace("PTR;", "string;"))
        done = self.build("--manifest")
        self.assertEqual(done.returncode, 2)
        self.assertIn("functions/own.d.ts:1:65: error: I32, I64, F32, F64, PTR or void expected, not string", done.stderr)
