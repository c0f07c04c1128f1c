#include "case.h"

/* Manifests of several modules, linked by name. */

static void wat(const char *path, const char *text)
{
    write_text(path, text);
}

static void run(const char *label, const char *manifest)
{
    ExtismPlugin *p = plugin_open_with(label, quoted(manifest), strlen(manifest), NULL, 0, false);

    observe_call(p, label, "run", "in");
    extism.plugin_free(p);
}

#define ANSWER(n) "(module (func (export 'run') (result i32) (i32.const " #n ")))"

static void which_is_main(void)
{
    wat("1.wat", ANSWER(1));
    wat("2.wat", ANSWER(2));
    wat("3.wat", ANSWER(3));
    run("alone", "{'wasm':[{'path':'1.wat'}]}");
    run("alone, named", "{'wasm':[{'path':'1.wat','name':'other'}]}");
    run("last", "{'wasm':[{'path':'1.wat','name':'a'},{'path':'2.wat','name':'b'}]}");
    run("by name", "{'wasm':[{'path':'1.wat','name':'main'},{'path':'2.wat','name':'b'}]}");
    run("last without a name", "{'wasm':[{'path':'1.wat','name':'a'},{'path':'2.wat'}]}");
    run("first without a name", "{'wasm':[{'path':'1.wat'},{'path':'2.wat','name':'b'}]}");
    run("middle", "{'wasm':[{'path':'1.wat','name':'a'},{'path':'2.wat','name':'main'},"
                  "{'path':'3.wat','name':'c'}]}");
}

static void duplicates(void)
{
    wat("1.wat", ANSWER(1));
    wat("2.wat", ANSWER(2));
    run("names", "{'wasm':[{'path':'1.wat','name':'a'},{'path':'2.wat','name':'a'},"
                 "{'path':'1.wat'}]}");
    run("main", "{'wasm':[{'path':'1.wat','name':'main'},{'path':'2.wat','name':'main'}]}");
    run("no names", "{'wasm':[{'path':'1.wat'},{'path':'2.wat'}]}");
    run("three", "{'wasm':[{'path':'1.wat'},{'path':'2.wat'},{'path':'2.wat'}]}");
    run("kernel", "{'wasm':[{'path':'1.wat','name':'extism:host/env'},{'path':'2.wat'}]}");
    run("empty names", "{'wasm':[{'path':'1.wat','name':''},{'path':'2.wat','name':''}]}");
    run("last is renamed", "{'wasm':[{'path':'1.wat','name':'a'},{'path':'2.wat','name':'a'}]}");
}

static void functions(void)
{
    wat("lib.wat", "(module (func (export 'add') (param i32 i32) (result i32)"
                   "  (i32.add (local.get 0) (local.get 1)))"
                   "(func (export 'run') (result i32) (i32.const 99)))");
    wat("main.wat", "(module (import 'lib' 'add' (func $add (param i32 i32) (result i32)))"
                    "(func (export 'run') (result i32)"
                    "  (call $add (i32.const 30) (i32.const 4))))");
    run("library first", "{'wasm':[{'path':'lib.wat','name':'lib'},{'path':'main.wat'}]}");
    run("library last", "{'wasm':[{'path':'main.wat','name':'main'},"
                        "{'path':'lib.wat','name':'lib'}]}");
    run("library absent", "{'wasm':[{'path':'main.wat'}]}");
    run("library by another name", "{'wasm':[{'path':'lib.wat','name':'bil'},"
                                   "{'path':'main.wat'}]}");
}

static void chain(void)
{
    wat("a.wat", "(module (func (export 'f') (result i32) (i32.const 1)))");
    wat("b.wat", "(module (import 'a' 'f' (func $x (result i32)))"
                 "(func (export 'f') (result i32) (i32.add (call $x) (i32.const 10))))");
    wat("c.wat", "(module (import 'b' 'f' (func $x (result i32)))"
                 "(func (export 'f') (result i32) (i32.add (call $x) (i32.const 100))))");
    wat("main.wat", "(module (import 'c' 'f' (func $c (result i32)))"
                    "(import 'a' 'f' (func $a (result i32)))"
                    "(func (export 'run') (result i32) (i32.add (call $c) (call $a))))");
    run("forwards", "{'wasm':[{'path':'a.wat','name':'a'},{'path':'b.wat','name':'b'},"
                    "{'path':'c.wat','name':'c'},{'path':'main.wat'}]}");
    run("backwards", "{'wasm':[{'path':'main.wat','name':'main'},{'path':'c.wat','name':'c'},"
                     "{'path':'b.wat','name':'b'},{'path':'a.wat','name':'a'}]}");
}

static void missing_export(void)
{
    wat("lib.wat", "(module (func (export 'other')) (global (export 'g') i32 (i32.const 1)))");
    wat("main.wat", "(module (import 'lib' 'f' (func)) (func (export 'run')))");
    run("missing", "{'wasm':[{'path':'lib.wat','name':'lib'},{'path':'main.wat'}]}");
    wat("main.wat", "(module (import 'lib' 'other' (func (param i32))) (func (export 'run')))");
    run("signature", "{'wasm':[{'path':'lib.wat','name':'lib'},{'path':'main.wat'}]}");
    wat("main.wat", "(module (import 'lib' 'g' (func)) (func (export 'run')))");
    run("kind", "{'wasm':[{'path':'lib.wat','name':'lib'},{'path':'main.wat'}]}");
    wat("main.wat", "(module (import 'lib' 'g' (global i64)) (func (export 'run')))");
    run("global type", "{'wasm':[{'path':'lib.wat','name':'lib'},{'path':'main.wat'}]}");
}

static void memories_globals_tables(void)
{
    wat("lib.wat", "(module (memory (export 'mem') 2 4)"
                   "(global (export 'g') (mut i32) (i32.const 5))"
                   "(table (export 't') 2 funcref) (elem (i32.const 0) $x)"
                   "(func $x (result i32) (i32.const 40))"
                   "(data (i32.const 100) 'lib data')"
                   "(func (export 'read') (param i32) (result i32)"
                   "  (i32.load8_u (local.get 0))))");
    wat("main.wat", "(module (import 'lib' 'mem' (memory 1))"
                    "(import 'lib' 'g' (global $g (mut i32)))"
                    "(import 'lib' 't' (table $t 1 funcref))"
                    "(import 'lib' 'read' (func $read (param i32) (result i32)))"
                    "(type $r (func (result i32)))"
                    "(func (export 'run') (result i32)"
                    "  (i32.store8 (i32.const 200) (i32.const 7))"
                    "  (global.set $g (i32.add (global.get $g) (i32.const 1)))"
                    "  (i32.add (call_indirect $t (type $r) (i32.const 0))"
                    "    (i32.add (call $read (i32.const 200))"
                    "      (i32.add (global.get $g) (call $read (i32.const 100)))))))");
    ExtismPlugin *p = plugin_open("{'wasm':[{'path':'lib.wat','name':'lib'},"
                                  "{'path':'main.wat'}]}");

    observe_call(p, "first", "run", "");
    observe_call(p, "second", "run", "");
    extism.plugin_free(p);
    wat("main.wat", "(module (import 'lib' 'mem' (memory 3)) (func (export 'run')))");
    run("memory too small", "{'wasm':[{'path':'lib.wat','name':'lib'},{'path':'main.wat'}]}");
    wat("main.wat", "(module (import 'lib' 'mem' (memory 1 2)) (func (export 'run')))");
    run("memory's maximum", "{'wasm':[{'path':'lib.wat','name':'lib'},{'path':'main.wat'}]}");
    wat("main.wat", "(module (import 'lib' 'mem' (memory i64 1)) (func (export 'run')))");
    run("memory64", "{'wasm':[{'path':'lib.wat','name':'lib'},{'path':'main.wat'}]}");
    wat("main.wat", "(module (import 'lib' 't' (table 1 externref)) (func (export 'run')))");
    run("table type", "{'wasm':[{'path':'lib.wat','name':'lib'},{'path':'main.wat'}]}");
}

static void libraries_reach_the_kernel(void)
{
    wat("lib.wat", guest("(func (export 'echo') (call $echo))"));
    wat("main.wat", "(module (import 'lib' 'echo' (func $e))"
                    "(func (export 'run') (call $e)))");
    run("echo", "{'wasm':[{'path':'lib.wat','name':'lib'},{'path':'main.wat'}]}");
}

/* A runtime in a module of its own: main's bytes are copied into its memory. */
static void runtime_module(void)
{
    wat("rt.wat", guest("(global $top (mut i32) (i32.const 8192))"
                        "(func (export 'take') (param i32) (result i32) (global.get $top))"
                        "(func (export 'invoke') (param i32 i32) (result i32)"
                        "  (call $say (local.get 0) (local.get 1)) (i32.const 0))"));
    wat("main.wat", "(module (import 'ubiq:js@1' 'memory' (memory 1))"
                    "(import 'ubiq:js@1' 'take' (func $take (param i32) (result i32)))"
                    "(import 'ubiq:js@1' 'invoke' (func $invoke (param i32 i32) (result i32)))"
                    "(data $code 'the program')"
                    "(func (export 'run') (result i32) (local $p i32)"
                    "  (local.set $p (call $take (i32.const 11)))"
                    "  (memory.init $code (local.get $p) (i32.const 0) (i32.const 11))"
                    "  (call $invoke (local.get $p) (i32.const 11))))");
    run("call", "{'wasm':[{'path':'rt.wat','name':'ubiq:js@1'},{'path':'main.wat'}]}");
}

static void self_import(void)
{
    wat("main.wat", "(module (import 'main' 'f' (func)) (func (export 'f'))"
                    "(func (export 'run')))");
    run("alone", "{'wasm':[{'path':'main.wat'}]}");
}

static void cycle(void)
{
    wat("a.wat", "(module (import 'b' 'f' (func)) (func (export 'f')))");
    wat("b.wat", "(module (import 'a' 'f' (func)) (func (export 'f')))");
    wat("main.wat", "(module (import 'a' 'f' (func)) (func (export 'run')))");
    run("cycle", "{'wasm':[{'path':'a.wat','name':'a'},{'path':'b.wat','name':'b'},"
                 "{'path':'main.wat'}]}");
}

/* Replaces WASI, a host namespace, or nothing that is used. */
static void named_like_a_host_module(void)
{
    wat("lib.wat", "(module (func (export 'fd_write') (param i32 i32 i32 i32) (result i32)"
                   "  (i32.const 77)))");
    wat("main.wat", "(module (import 'wasi_snapshot_preview1' 'fd_write'"
                    "  (func $w (param i32 i32 i32 i32) (result i32)))"
                    "(func (export 'run') (result i32)"
                    "  (call $w (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))))");
    run("without wasi", "{'wasm':[{'path':'lib.wat','name':'wasi_snapshot_preview1'},"
                        "{'path':'main.wat'}]}");
    char *m = quoted("{'wasm':[{'path':'lib.wat','name':'wasi_snapshot_preview1'},"
                     "{'path':'main.wat'}]}");
    ExtismPlugin *p = plugin_open_with("with wasi", m, strlen(m), NULL, 0, true);
    observe_call(p, "with wasi", "run", "");
    extism.plugin_free(p);
}

static void function_exists_looks_at_main(void)
{
    ExtismPlugin *p;

    wat("lib.wat", "(module (func (export 'f')))");
    wat("main.wat", "(module (import 'lib' 'f' (func)) (func (export 'run')))");
    p = plugin_open("{'wasm':[{'path':'lib.wat','name':'lib'},{'path':'main.wat'}]}");
    observe_bool("run", extism.plugin_function_exists(p, "run"));
    observe_bool("f", extism.plugin_function_exists(p, "f"));
    observe_call(p, "call", "f", "");
    extism.plugin_free(p);
}

static void many_modules(void)
{
    char manifest[8192] = "{'wasm':[";

    for (int i = 0; i < 60; i++) {
        char name[16];

        snprintf(name, sizeof name, "m%d.wat", i);
        wat(name, i == 0 ? "(module (func (export 'f') (result i32) (i32.const 0)))"
                         : quoted_format("(module (import 'm%d' 'f' (func $x (result i32)))"
                                         "(func (export '%s') (result i32)"
                                         "  (i32.add (call $x) (i32.const 1))))",
                                         i - 1, i == 59 ? "run" : "f"));
        snprintf(manifest + strlen(manifest), sizeof manifest - strlen(manifest),
                 "%s{'path':'m%d.wat','name':'m%d'}", i == 0 ? "" : ",", i, i);
    }
    strcat(manifest, "]}");
    run("sixty", manifest);
}

static const test_case cases[] = {
    {"which_is_main", which_is_main},
    {"duplicates", duplicates},
    {"functions", functions},
    {"chain", chain},
    {"missing_export", missing_export},
    {"memories_globals_tables", memories_globals_tables},
    {"libraries_reach_the_kernel", libraries_reach_the_kernel},
    {"runtime_module", runtime_module},
    {"self_import", self_import},
    {"cycle", cycle},
    {"named_like_a_host_module", named_like_a_host_module},
    {"function_exists_looks_at_main", function_exists_looks_at_main},
    {"many_modules", many_modules},
    {NULL, NULL},
};

const case_group link_cases = {"link", cases, false};
