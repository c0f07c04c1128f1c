#include "case.h"

#include <pthread.h>
#include <stdlib.h>

/* Compiled plug-ins: many plug-ins of one. */

static ExtismCompiledPlugin *compile_with(const char *text, const ExtismFunction **f, size_t count)
{
    char *t = quoted(text);
    char *err = NULL;
    ExtismCompiledPlugin *c =
        extism.compiled_plugin_new((const uint8_t *)t, strlen(t), f, count, false, &err);

    if (c == NULL) {
        observe_text("compile", err);
        extism.plugin_new_error_free(err);
    }
    return c;
}

static ExtismCompiledPlugin *compile(const char *text)
{
    return compile_with(text, NULL, 0);
}

static ExtismPlugin *make(const ExtismCompiledPlugin *c)
{
    char *err = NULL;
    ExtismPlugin *p = extism.plugin_new_from_compiled(c, &err);

    if (p == NULL) {
        observe_text("make", err);
        extism.plugin_new_error_free(err);
    }
    return p;
}

static const char COUNTS[] = "(global $n (mut i64) (i64.const 0))"
                             "(data (i32.const 4096) 'v')"
                             "(func (export 'run')"
                             "  (global.set $n (i64.add (global.get $n) (i64.const 1)))"
                             "  (call $emit (global.get $n)) (call $flush))"
                             "(func (export 'set')"
                             "  (call $var_set (call $put (i32.const 4096) (i32.const 1))"
                             "    (call $input_offset)))"
                             "(func (export 'get') (local $h i64) (local.set $h"
                             "  (call $var_get (call $put (i32.const 4096) (i32.const 1))))"
                             "  (call $output_set (local.get $h) (call $length (local.get $h))))";

static void separate_state(void)
{
    ExtismCompiledPlugin *c = compile(guest(COUNTS));
    ExtismPlugin *a = make(c);
    ExtismPlugin *b = make(c);

    observe_call_numbers(a, "a", "run", "");
    observe_call_numbers(a, "a", "run", "");
    observe_call_numbers(b, "b", "run", "");
    observe_call(a, "set in a", "set", "of a");
    observe_call(b, "get in b", "get", "");
    observe_call(a, "get in a", "get", "");
    observe_bool("ids differ", memcmp(extism.plugin_id(a), extism.plugin_id(b), 16) != 0);
    extism.plugin_free(a);
    extism.plugin_free(b);
    extism.compiled_plugin_free(c);
}

static void freed_before_its_plugins(void)
{
    ExtismCompiledPlugin *c = compile(guest(COUNTS));
    ExtismPlugin *a = make(c);
    ExtismPlugin *b = make(c);

    observe_call_numbers(a, "before", "run", "");
    extism.compiled_plugin_free(c);
    observe_call_numbers(a, "after", "run", "");
    observe_call_numbers(b, "first call after", "run", "");
    extism.plugin_free(a);
    extism.plugin_free(b);
}

static void many(void)
{
    ExtismCompiledPlugin *c = compile(guest("(func (export 'run') (call $echo))"));
    int wrong = 0;

    for (int i = 0; i < 300; i++) {
        ExtismPlugin *p = make(c);

        if (extism.plugin_call(p, "run", (const uint8_t *)"abc", 3) != 0 ||
            extism.plugin_output_length(p) != 3)
            wrong++;
        extism.plugin_free(p);
    }
    observe_int("wrong", wrong);
    extism.compiled_plugin_free(c);
}

static void *make_and_call(void *c)
{
    intptr_t wrong = 0;

    for (int i = 0; i < 50; i++) {
        ExtismPlugin *p = extism.plugin_new_from_compiled(c, NULL);

        if (extism.plugin_call(p, "run", (const uint8_t *)"abc", 3) != 0 ||
            extism.plugin_output_length(p) != 3)
            wrong++;
        extism.plugin_free(p);
    }
    return (void *)wrong;
}

static void in_threads(void)
{
    ExtismCompiledPlugin *c = compile(guest("(func (export 'run') (call $echo))"));
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, make_and_call, c);
    for (int i = 0; i < 4; i++) {
        void *wrong;

        pthread_join(threads[i], &wrong);
        observe_int("wrong", (int64_t)(intptr_t)wrong);
    }
    extism.compiled_plugin_free(c);
}

static void settings_are_the_manifests(void)
{
    ExtismCompiledPlugin *c;
    ExtismPlugin *a;
    ExtismPlugin *b;

    write_text("c.wat", guest("(func (export 'run') (local $h i64)"
                              "  (local.set $h (call $config_get (call $input_offset)))"
                              "  (call $output_set (local.get $h)"
                              "    (call $length (local.get $h))))"));
    c = compile("{'wasm':[{'path':'c.wat'}],'config':{'k':'of the manifest'}}");
    a = make(c);
    observe_bool("update", extism.plugin_config(a, (const uint8_t *)"{\"k\":\"new\"}", 11));
    b = make(c);
    observe_call(a, "a", "run", "k");
    observe_call(b, "b", "run", "k");
    extism.plugin_free(a);
    extism.plugin_free(b);
    extism.compiled_plugin_free(c);
}

/* The files are read once. */
static void files_gone_afterwards(void)
{
    ExtismCompiledPlugin *c;
    ExtismPlugin *p;

    write_text("m.wat", "(module (func (export 'run') (result i32) (i32.const 6)))");
    c = compile("{'wasm':[{'path':'m.wat'}]}");
    remove("m.wat");
    p = make(c);
    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
    extism.compiled_plugin_free(c);
}

static int freed;

static void count_free(void *data)
{
    (void)data;
    freed++;
}

static void seven(ExtismCurrentPlugin *plugin, const ExtismVal *inputs, ExtismSize n_inputs,
                  ExtismVal *outputs, ExtismSize n_outputs, void *data)
{
    (void)plugin;
    (void)inputs;
    (void)n_inputs;
    (void)n_outputs;
    outputs[0].v.i64 = *(int *)data;
}

static void shared_functions(void)
{
    static const ExtismValType i64 = ExtismValType_I64;
    int data = 7;
    ExtismFunction *f = extism.function_new("f", NULL, 0, &i64, 1, seven, &data, count_free);
    const ExtismFunction *list[] = {f};
    ExtismCompiledPlugin *c =
        compile_with("(module (import 'extism:host/user' 'f' (func $f (result i64)))"
                     "(func (export 'run') (result i32) (i32.wrap_i64 (call $f))))",
                     list, 1);
    ExtismPlugin *a = make(c);
    ExtismPlugin *b = make(c);

    observe_call(a, "a", "run", "");
    observe_call(b, "b", "run", "");
    extism.function_free(f);
    extism.plugin_free(a);
    observe_int("freed with a plug-in left", freed);
    extism.compiled_plugin_free(c);
    observe_int("freed with b left", freed);
    observe_call(b, "b", "run", "");
    extism.plugin_free(b);
    observe_int("freed at the end", freed);
}

static void function_given_to_another(void)
{
    static const ExtismValType i64 = ExtismValType_I64;
    int data = 7;
    ExtismFunction *f = extism.function_new("f", NULL, 0, &i64, 1, seven, &data, count_free);
    const ExtismFunction *list[] = {f};
    ExtismCompiledPlugin *c = compile_with("(module)", list, 1);

    compile_with("(module)", list, 1);
    list[0] = NULL;
    compile_with("(module)", list, 1);
    extism.compiled_plugin_free(c);
    extism.function_free(f);
    observe_int("freed", freed);
}

/* Which of the two steps finds what is wrong. */
static void where_errors_show(void)
{
    static const char *const texts[] = {
        "",
        "{",
        "{'wasm':[]}",
        "{'wasm':[{'path':'none.wasm'}]}",
        "(module (broken))",
        "(module (func drop))",
        "(module (import 'extism:host/env' 'nothing' (func)))",
        "(module (import 'extism:host/env' 'memory' (memory 1)))",
        "(module (import 'extism:host/user' 'nothing' (func)))",
        "(module (import 'extism:host/env' 'alloc' (func)))",
        "(module (memory 1) (data (i32.const 65536) 'x'))",
        "(module (func $begin unreachable) (start $begin))",
        "{'wasm':[{'data':'AGFzbQEAAAA='},{'data':'AGFzbQEAAAA='}]}",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ExtismCompiledPlugin *c = compile(texts[i]);

        observe_bool(quoted_format("%zu compiled", i), c != NULL);
        if (c != NULL) {
            ExtismPlugin *p = make(c);

            observe_bool(quoted_format("%zu made", i), p != NULL);
            extism.plugin_free(p);
        }
        extism.compiled_plugin_free(c);
    }
}

static void with_paths(void)
{
    char *t = quoted("{'wasm':[{'data':'AGFzbQEAAAA='}],'allowed_paths':{'none':'/x'}}");
    ExtismCompiledPlugin *c =
        extism.compiled_plugin_new((const uint8_t *)t, strlen(t), NULL, 0, true, NULL);

    observe_bool("compiled", c != NULL);
    make(c);
    extism.compiled_plugin_free(c);
}

static void null_data(void)
{
    char *err = NULL;

    observe_bool("compiled", extism.compiled_plugin_new(NULL, 0, NULL, 0, false, &err) != NULL);
    observe_text("error", err);
}

static const test_case cases[] = {
    {"separate_state", separate_state},
    {"freed_before_its_plugins", freed_before_its_plugins},
    {"many", many},
    {"in_threads", in_threads},
    {"settings_are_the_manifests", settings_are_the_manifests},
    {"files_gone_afterwards", files_gone_afterwards},
    {"shared_functions", shared_functions},
    {"function_given_to_another", function_given_to_another},
    {"where_errors_show", where_errors_show},
    {"with_paths", with_paths},
    {"null_data", null_data},
    {NULL, NULL},
};

const case_group compiled_cases = {"compiled", cases, false};
