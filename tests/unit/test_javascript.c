#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/runtimes.h"
#include "build/javascript.h"
#include "extism/compiled_plugin_internal.h"
#include "guest.h"

/* JavaScript functions, from source to what a call gives, on a host that has nothing but Extism's own
 * functions: the modules are built for that. */

static javascript_problem problem;

/* Builds; the error's text or NULL. The caller frees both. */
static char *try_build(const char *text, bool portable, buf *out)
{
    const javascript_source source = {
        .file = "f.js", .text = slice_str(text), .portable = portable};
    error err = {0};
    char *said = NULL;

    guest_take_signals();
    buf_init(out, SIZE_MAX);
    if (javascript_build(out, &source, &problem, &err) != 0) {
        assert_int_equal(err.code, E_INVALID);
        said = strdup(error_text(&err));
    }
    error_deinit(&err);
    return said;
}

static buf build(const char *text)
{
    buf out;
    char *said = try_build(text, true, &out);

    if (said)
        fail_msg("%s", said);
    return out;
}

static compiled_plugin *load_with(slice module, uint64_t max_pages)
{
    compiled_options options = {.wasi = true, .http = &guest_http};
    compiled_plugin *code = NULL;
    error err = {0};
    char manifest[256];

    assert_int_equal(runtime_libraries(&options.libraries, &options.library_count, NULL), 0);
    snprintf(manifest, sizeof manifest,
             "{\"wasm\":[{\"data\":{\"ptr\":%zu,\"len\":%zu}}],\"memory\":{\"max_pages\":%llu},"
             "\"config\":{\"greeting\":\"hi\"}}",
             (size_t)(uintptr_t)module.data, module.len, (unsigned long long)max_pages);
    guest_take_signals();
    if (compiled_plugin_create(&code, slice_str(manifest), &options, &err) != 0)
        fail_msg("%s", error_text(&err));
    return code;
}

static compiled_plugin *load(const char *text)
{
    buf module = build(text);
    compiled_plugin *code = load_with(buf_slice(&module), 1000);

    buf_deinit(&module);
    if (compiled_plugin_problem(code))
        fail_msg("%s", error_text(compiled_plugin_problem(code)));
    return code;
}

static void gives(const char *text, const char *input, const char *output)
{
    compiled_plugin *code = load(text);

    /* The second call finds what the first has prepared; both must see the same. */
    guest_gives(code, "handle", input, output);
    guest_gives(code, "handle", input, output);
    compiled_plugin_unref(code);
}

static void fails(const char *text, const char *words)
{
    compiled_plugin *code = load(text);

    guest_fails(code, "handle", "", words);
    guest_fails(code, "handle", "", words);
    compiled_plugin_unref(code);
}

static void test_hello(void **state)
{
    (void)state;
    gives("export default (input) => `hello ${input}`;", "you", "hello you");
    gives("export default async () => { await null; return {a: [1, null]}; }", "",
          "{\"a\":[1,null]}");
    gives("export default () => new Uint8Array([104, 105]).buffer", "", "hi");
    gives("export default () => undefined", "", "");
    gives("export default () => new Response('body', {status: 201})", "", "body");
}

static void test_module_is_small(void **state)
{
    buf hello;
    char *said =
        try_build("export default function (input) { return 'hello ' + input; }", false, &hello);

    (void)state;
    assert_null(said);
    assert_in_range(hello.len, 1, 2048);
    buf_deinit(&hello);
}

static void test_exports(void **state)
{
    compiled_plugin *code = load("export function GET() { return 'got'; }\n"
                                 "export const POST = async () => 'posted', version = 5;\n"
                                 "export { GET as another };");

    (void)state;
    guest_gives(code, "GET", "", "got");
    guest_gives(code, "POST", "", "posted");
    guest_gives(code, "another", "", "got");
    assert_null(
        module_interface_find(&compiled_plugin_main(code)->interface, slice_str("version")));
    compiled_plugin_unref(code);
}

static void test_commonjs(void **state)
{
    compiled_plugin *code =
        load("function count() {\n"
             "  const text = Host.inputString();\n"
             "  Var.set('n', String(text.length));\n"
             "  Host.outputString(Config.get('greeting') + Var.getString('n'));\n"
             "  return 0;\n"
             "}\n"
             "function fail() { return 7; }\n"
             "module.exports = { count, fail, notes: 'none' };");

    (void)state;
    guest_gives(code, "count", "four", "hi4");
    guest_result r = guest_call(code, "fail", slice_str(""));
    assert_int_equal(r.code, 7);
    guest_result_free(&r);
    compiled_plugin_unref(code);
}

static void test_globals(void **state)
{
    (void)state;
    gives("export default () => [btoa('h\\u00e9'), atob('aGk'), structuredClone(new Map([[1, "
          "[2]]])).get(1)[0],\n"
          "  new TextDecoder().decode(new TextEncoder().encode('\\u20ac\\ud83d\\ude00\\ud800')),\n"
          "  new TextDecoder().decode(new Uint8Array([0xe2, 0x82, 0x41])),\n"
          "  crypto.randomUUID().length, crypto.getRandomValues(new Uint8Array(4)).length].join()",
          "",
          "aOk=,hi,2,\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbd,\xef\xbf\xbd"
          "A,36,4");
    gives(
        "export default () => { const u = new URL('../x/./y?b=2&a=1#f', "
        "'HTTPS://u:p@EX\\u00e4mple.com:443/a/b/c');\n"
        "  u.searchParams.sort(); u.searchParams.append('c', 'd e'); u.hash = ''; return u.href; }",
        "", "https://u:p@xn--exmple-cua.com/a/x/y?a=1&b=2&c=d+e");
    gives("export default () => ['http://0x7f.1/', 'http://[1:0:0::2]:80/%7e\\\\a', "
          "'file:///a/../b', 'mailto:a@b']\n"
          "  .map((u) => new URL(u).href).join(' ') + URL.canParse('http://a b/')",
          "", "http://127.0.0.1/ http://[1::2]/%7e/a file:///b mailto:a@bfalse");
    gives("export default async () => { const h = new Headers({'X-B': '1', a: '2'}); "
          "h.append('x-b', '3');\n"
          "  const r = new Response(JSON.stringify([...h]), {headers: h});\n"
          "  return [await r.clone().text(), r.headers.get('X-b'), await new Request('http://a/', "
          "{method: 'post', body: 'b'}).text()].join(); }",
          "", "[[\"a\",\"2\"],[\"x-b\",\"1, 3\"]],1, 3,b");
    gives(
        "export default async () => { const s = [];\n"
        "  await new Promise((done) => { const t = setInterval(() => { if (s.push('i') === 3) { "
        "clearInterval(t); done(); } }, 1); });\n"
        "  const begun = performance.now(); clearTimeout(setTimeout(() => s.push('x'), 0));\n"
        "  setTimeout((a) => s.push(a), 5, 't'); setTimeout(() => s.push('first'), 1);\n"
        "  await new Promise((done) => setTimeout(done, 10)); queueMicrotask(() => s.push('m'));\n"
        "  await null; return s.join() + (performance.now() - begun >= 10); }",
        "", "i,i,i,first,t,mtrue");
}

static void test_errors(void **state)
{
    (void)state;
    fails("export default () => {\n  return missing.member;\n}",
          "ReferenceError: missing is not defined\n    at default (f.js:2:10)");
    fails("export default async () => { await 1; throw new TypeError('no', {cause: 'why'}); }",
          "TypeError: no\n    at default (f.js:1:49)\nCaused by: Uncaught: why");
    fails("export default () => { throw 'text' }", "Uncaught: text");
    fails("export default () => { throw {toString() { throw 1 }, a: 1} }", "Uncaught: {");
    fails("export default () => new Promise(() => {})", "nothing is left to settle");
    fails("export default () => () => 1", "returned a function");
    fails("export default () => Symbol('s')", "returned a symbol");
    fails("export default () => ({n: 10n})", "cannot be written as JSON");
    fails("export default () => { const a = []; a.push(a); return a; }",
          "cannot be written as JSON");
    fails("throw new Error('at the top'); export default () => 1",
          "Error: at the top\n    at <anonymous> (f.js:1:11)");
}

/* Each way to use up the stack ends in a RangeError that can be caught, and the next call works. */
static void test_recursion(void **state)
{
    static const char *const ways[] = {
        "const f = () => f() + 1; f()",
        "const a = []; let b = a; for (let i = 0; i < 1e5; i++) b = [b]; JSON.stringify(b)",
        "JSON.parse('['.repeat(1e5))",
        "const o = { get x() { return this.x; } }; o.x",
        "const p = new Proxy({}, { get: (t, k, r) => r[k] }); p.x",
        "const s = (a) => [1, 2].sort(() => s()); s()",
        "class A { toString() { return `${this}`; } } String(new A())",
        "const g = (n) => 'a'.replace(/a/, () => g()); g()",
        "new RegExp('('.repeat(1e5))",
        "eval('('.repeat(1e5))",
        "eval('[{a:'.repeat(1e5))",
        "eval('{'.repeat(1e5))",
        "eval('!'.repeat(1e5) + '1')",
        "eval('if(1)'.repeat(1e5))",
        "eval('new '.repeat(1e5))",
        "eval('()=>'.repeat(1e5) + '1')",
        "eval('function f(){'.repeat(1e5))",
        "eval('var ' + '[{a:'.repeat(1e5))",
        "eval('`${'.repeat(1e5))",
        "eval('a?'.repeat(1e5))",
        "function f(...a) { return f.apply(null, a.concat(a).slice(0, 2000)); } f(1)",
    };
    char text[512];

    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        snprintf(text, sizeof text,
                 "export default (input) => { if (input) return 'fine';\n try { %s } catch (e) { "
                 "return e.name; }\n"
                 " return 'nothing'; }",
                 ways[i]);
        compiled_plugin *code = load(text);
        guest_result r = guest_call(code, "handle", slice_str(""));
        if (r.code != 0 ||
            (strcmp(r.output, "RangeError") != 0 && strcmp(r.output, "SyntaxError") != 0))
            fail_msg("%s: %s%s", ways[i], r.output, r.error ? r.error : "");
        guest_result_free(&r);
        guest_gives(code, "handle", "again", "fine");
        compiled_plugin_unref(code);
    }
}

static void test_allocates_without_end(void **state)
{
    buf module = build("export default (input) => { const a = []; while (!input) "
                       "a.push('x'.repeat(1e5) + a.length); return 'fine'; }");
    compiled_plugin *code = load_with(buf_slice(&module), 200);

    (void)state;
    guest_fails(code, "handle", "", "oom");
    guest_gives(code, "handle", "again", "fine");
    compiled_plugin_unref(code);
    buf_deinit(&module);
}

static void refused(const char *text, unsigned line, unsigned column, const char *words)
{
    buf out;
    char *said = try_build(text, true, &out);

    assert_non_null(said);
    if (!strstr(said, words))
        fail_msg("%s", said);
    assert_int_equal(problem.line, line);
    assert_int_equal(problem.column, column);
    assert_int_equal(out.len, 0);
    free(said);
    buf_deinit(&out);
}

static void test_refused_sources(void **state)
{
    (void)state;
    refused("export default () => {\n  let x = ;\n}", 2, 11, "unexpected token");
    refused("export default () => 'a", 1, 22, "string");
    refused("const a = 1;", 0, 0, "it exports no function");
    refused("", 0, 0, "it exports no function");
    refused("module.exports = { a: fetch('http://example.com/') }", 0, 0, "found by running it");
    refused("import a from './b.js'; export default () => a", 0, 0, "./b.js");
    assert_true(problem.needs_bundling);
    refused("export default () => 1; \xff", 1, 25, "");
}

/* Of what one call leaves behind, the next one sees nothing, and what must differ differs. */
static void test_calls_are_fresh(void **state)
{
    compiled_plugin *code =
        load("let n = 0; const seen = []; globalThis.kept = 0;\n"
             "export default () => `${++n} ${seen.push(1)} ${++globalThis.kept}`;\n"
             "export const chance = () => String(Math.random());");
    guest_result a, b;

    (void)state;
    for (int i = 0; i < 4; i++)
        guest_gives(code, "handle", "", "1 1 1");
    assert_int_equal(code->prepare_stage, PREPARE_DONE);
    a = guest_call(code, "chance", slice_str(""));
    b = guest_call(code, "chance", slice_str(""));
    assert_int_equal(a.code, 0);
    assert_string_not_equal(a.output, b.output);
    guest_result_free(&a);
    guest_result_free(&b);
    compiled_plugin_unref(code);
}

/* A top level that asks for what differs from call to call is run in each of them. */
static void test_top_level_is_run_ahead_where_safe(void **state)
{
    static const struct {
        const char *top;
        bool safe;
    } tops[] = {
        {"const a = Config.get('greeting');", true},
        {"const a = await Promise.resolve(1);", true},
        {"const a = new Map([[1, new Date(0)]]);", true},
        {"const a = Math.random();", false},
        {"const a = Date.now();", false},
        {"const a = crypto.randomUUID();", false},
        {"let a; try { a = Host.inputString(); } catch { a = 'none'; }", false},
        {"console.log('loaded'); const a = 1;", false},
        {"const a = await new Promise((done) => setTimeout(done, 1, 1));", false},
        {"Var.set('a', '1'); const a = 1;", false},
    };
    char text[512];

    (void)state;
    for (size_t i = 0; i < sizeof tops / sizeof tops[0]; i++) {
        snprintf(text, sizeof text, "%s\nexport default () => typeof a;", tops[i].top);
        compiled_plugin *code = load(text);
        guest_result first = guest_call(code, "handle", slice_str("x"));
        guest_result second = guest_call(code, "handle", slice_str("x"));
        if (first.code != 0 || second.code != 0 || strcmp(first.output, second.output) != 0)
            fail_msg("%s: %s %s", tops[i].top, first.error ? first.error : first.output,
                     second.error ? second.error : second.output);
        if (code->prepare_stage != (tops[i].safe ? PREPARE_DONE : PREPARE_REFUSED))
            fail_msg("%s: stage %d", tops[i].top, (int)code->prepare_stage);
        guest_result_free(&first);
        guest_result_free(&second);
        compiled_plugin_unref(code);
    }
}

/* Code for another version of the runtime is refused by its name, and not run. */
static void test_other_version(void **state)
{
    buf module = build("export default () => 1");
    const char *name = runtime_of("js")->name;
    compiled_plugin *code;
    size_t changed = 0;

    (void)state;
    for (size_t i = 0; i + strlen(name) <= module.len; i++) {
        if (memcmp(module.data + i, name, strlen(name)) == 0) {
            module.data[i + strlen(name) - 1] ^= 1;
            changed++;
        }
    }
    assert_true(changed > 0);
    code = load_with(buf_slice(&module), 1000);
    assert_non_null(compiled_plugin_problem(code));
    assert_non_null(strstr(error_text(compiled_plugin_problem(code)), "build it again"));
    compiled_plugin_unref(code);
    buf_deinit(&module);
}

/* A kept instance begins each call without what the one before has set. */
static void test_kept_instance(void **state)
{
    buf module =
        build("export const set = () => { Host.outputString('set'); return 'not this'; };\n"
              "export const next = () => 'returned';");
    compiled_options options = {.wasi = true};
    compiled_plugin *code;
    plugin *p;

    (void)state;
    assert_int_equal(runtime_libraries(&options.libraries, &options.library_count, NULL), 0);
    guest_take_signals();
    assert_int_equal(compiled_plugin_create(&code, buf_slice(&module), &options, NULL), 0);
    assert_int_equal(plugin_create(&p, code, NULL), 0);
    guest_result r = guest_plugin_call(p, "set", slice_str(""));
    assert_string_equal(r.output, "set");
    guest_result_free(&r);
    r = guest_plugin_call(p, "next", slice_str(""));
    assert_string_equal(r.output, "returned");
    guest_result_free(&r);
    plugin_destroy(p);
    compiled_plugin_unref(code);
    buf_deinit(&module);
}

/* halve(F64): F64, twice(F32): F32 and largest(): I64 of the host. */
static void halve(ExtismCurrentPlugin *p, const ExtismVal *in, ExtismSize n, ExtismVal *out,
                  ExtismSize m, void *data)
{
    (void)p, (void)n, (void)m, (void)data;
    out->v.f64 = in->v.f64 / 2;
}

static void twice(ExtismCurrentPlugin *p, const ExtismVal *in, ExtismSize n, ExtismVal *out,
                  ExtismSize m, void *data)
{
    (void)p, (void)n, (void)m, (void)data;
    out->v.f32 = in->v.f32 * 2;
}

static void largest(ExtismCurrentPlugin *p, const ExtismVal *in, ExtismSize n, ExtismVal *out,
                    ExtismSize m, void *data)
{
    (void)p, (void)n, (void)m, (void)data;
    out->v.i64 = in->v.i64 == INT64_MAX ? -1 : 1;
}

static host_function *make_function(const char *name, ExtismValType type, ExtismFunctionType call)
{
    host_function *f;

    assert_int_equal(host_function_create(&f, name, &type, 1, &type, 1, NULL), 0);
    f->call = call;
    return f;
}

/* Functions of the host by what the source declares: numbers come and go as they are, and the top level
 * may ask for the functions, and not call them. */
static void test_functions_of_the_host(void **state)
{
    static const char text[] = "const { halve, twice, largest } = Host.getFunctions();\n"
                               "export default () => [halve(0.2), halve(), twice(1.5), "
                               "largest(1e30), largest(2n ** 63n - 1n), "
                               "largest(-1e30), largest(NaN)].join();";
    static const char declared[] =
        "declare module 'extism:host' { interface user {"
        "halve(a: F64): F64; twice(a: F32): F32; largest(a: I64): I64 } }";
    host_interface host;
    size_t line, column;
    host_function *functions[] = {make_function("halve", ExtismValType_F64, halve),
                                  make_function("twice", ExtismValType_F32, twice),
                                  make_function("largest", ExtismValType_I64, largest)};
    compiled_options options = {
        .wasi = true, .http = &guest_http, .functions = functions, .function_count = 3};
    compiled_plugin *code;
    buf module;

    (void)state;
    assert_int_equal(host_interface_read(&host, slice_str(declared), &line, &column, NULL), 0);
    const javascript_source source = {
        .file = "f.js", .text = slice_str(text), .portable = true, .host = &host};
    guest_take_signals();
    buf_init(&module, SIZE_MAX);
    assert_int_equal(javascript_build(&module, &source, &problem, NULL), 0);
    assert_int_equal(runtime_libraries(&options.libraries, &options.library_count, NULL), 0);
    assert_int_equal(compiled_plugin_create(&code, buf_slice(&module), &options, NULL), 0);
    for (int i = 0; i < 2; i++)
        guest_gives(code, "handle", "", "0.1,0,3,18446744073709552000,18446744073709552000,1,1");
    assert_int_equal(code->prepare_stage, PREPARE_DONE);
    compiled_plugin_unref(code);
    for (int i = 0; i < 3; i++)
        host_function_unref(functions[i]);
    host_interface_deinit(&host);
    buf_deinit(&module);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hello),
        cmocka_unit_test(test_module_is_small),
        cmocka_unit_test(test_exports),
        cmocka_unit_test(test_commonjs),
        cmocka_unit_test(test_globals),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_recursion),
        cmocka_unit_test(test_allocates_without_end),
        cmocka_unit_test(test_refused_sources),
        cmocka_unit_test(test_calls_are_fresh),
        cmocka_unit_test(test_top_level_is_run_ahead_where_safe),
        cmocka_unit_test(test_other_version),
        cmocka_unit_test(test_kept_instance),
        cmocka_unit_test(test_functions_of_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
