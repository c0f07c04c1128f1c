#include "case.h"

#include <pthread.h>
#include <stdlib.h>

/* Calls: what goes in, what comes out, and the return code. */

static const char ECHO[] = "(func (export 'run') (call $echo))";

static void input_kinds(void)
{
    ExtismPlugin *p = plugin_open(guest(ECHO));
    static const char binary[] = "\0\1\2\xff\xfe\0tail";

    observe_call(p, "text", "run", "hello");
    observe_call_bytes(p, "null", "run", NULL, 0);
    observe_call(p, "empty", "run", "");
    observe_call_bytes(p, "binary", "run", binary, sizeof binary);
    observe_call_bytes(p, "one byte", "run", "x", 1);
    observe_call(p, "utf-8", "run", "Grüße, 世界");
    extism.plugin_free(p);
}

static void input_sizes(void)
{
    static const size_t sizes[] = {7,     8,      9,      65535,           65536,
                                   65537, 131072, 262144, 1024 * 1024 + 1, 10 * 1024 * 1024};
    ExtismPlugin *p = plugin_open(guest(ECHO));
    unsigned char *data = malloc(10 * 1024 * 1024);

    for (size_t i = 0; i < 10 * 1024 * 1024; i++)
        data[i] = (unsigned char)(i * 2654435761u >> 24);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        observe_call_bytes(p, quoted_format("%zu bytes", sizes[i]), "run", data, sizes[i]);
    observe_call(p, "small again", "run", "small");
    extism.plugin_free(p);
}

static void null_input_with_a_length(void)
{
    ExtismPlugin *p = plugin_open(guest(ECHO));

    observe_call_bytes(p, "call", "run", NULL, 5);
    extism.plugin_free(p);
}

static void return_codes(void)
{
    ExtismPlugin *p = plugin_open(guest("(func (export 'zero') (result i32) (i32.const 0))"
                                        "(func (export 'one') (result i32) (i32.const 1))"
                                        "(func (export 'minus') (result i32) (i32.const -1))"
                                        "(func (export 'most') (result i32) (i32.const 2147483647))"
                                        "(func (export 'least') (result i32)"
                                        "  (i32.const -2147483648))"
                                        "(func (export 'output') (result i32) (call $echo)"
                                        "  (i32.const 7))"));

    observe_call(p, "zero", "zero", "");
    observe_call(p, "one", "one", "");
    observe_call(p, "minus", "minus", "");
    observe_call(p, "most", "most", "");
    observe_call(p, "least", "least", "");
    observe_call(p, "output and 7", "output", "kept");
    extism.plugin_free(p);
}

static void other_result_types(void)
{
    ExtismPlugin *p = plugin_open(guest("(func (export 'i64') (result i64) (i64.const 5))"
                                        "(func (export 'f32') (result f32) (f32.const 1))"
                                        "(func (export 'f64') (result f64) (f64.const 0))"
                                        "(func (export 'ref') (result externref)"
                                        "  (ref.null extern))"));

    observe_call(p, "i64", "i64", "");
    observe_call(p, "f32", "f32", "");
    observe_call(p, "f64", "f64", "");
    observe_call(p, "externref", "ref", "");
    extism.plugin_free(p);
}

static void v128_result(void)
{
    observe_once(guest("(func (export 'run') (result v128) (v128.const i64x2 1 2))"), "run");
}

static void funcref_result(void)
{
    observe_once(guest("(func (export 'run') (result funcref) (ref.null func))"), "run");
}

static void several_results(void)
{
    ExtismPlugin *p = plugin_open(guest("(func (export 'two') (result i32 i32)"
                                        "  (i32.const 0) (i32.const 1))"
                                        "(func (export 'three') (result i32 i64 f32)"
                                        "  (i32.const 0) (i64.const 1) (f32.const 1))"));

    observe_call(p, "two", "two", "");
    observe_call(p, "three", "three", "");
    extism.plugin_free(p);
}

static void parameters(void)
{
    ExtismPlugin *p = plugin_open(guest("(func (export 'one') (param i32))"
                                        "(func (export 'two') (param i32 i64) (result i32)"
                                        "  (i32.const 3))"));

    observe_call(p, "one", "one", "");
    observe_call(p, "two", "two", "");
    extism.plugin_free(p);
}

static void missing_function(void)
{
    ExtismPlugin *p = plugin_open(guest("(func (export 'run') (call $echo))"
                                        "(global (export 'global') i32 (i32.const 1))"));

    observe_call(p, "missing", "nothing", "x");
    observe_call(p, "empty name", "", "x");
    observe_call(p, "memory", "memory", "x");
    observe_call(p, "global", "global", "x");
    observe_call(p, "after", "run", "still works");
    extism.plugin_free(p);
}

static void name_not_utf8(void)
{
    ExtismPlugin *p = plugin_open(guest(ECHO));

    observe_call(p, "call", "ru\xffn", "x");
    observe_bool("exists", extism.plugin_function_exists(p, "ru\xffn"));
    observe_text("error", extism.plugin_error(p));
    observe_call(p, "cut off", "ru\xe4\xb8", "x");
    extism.plugin_free(p);
}

static void function_exists(void)
{
    static const char *const names[] = {"plain",  "rc",     "i64",   "two",     "param",
                                        "memory", "global", "table", "none",    "",
                                        "_start", "f32",    "имя",   "param_rc"};
    ExtismPlugin *p = plugin_open(guest("(func (export 'plain'))"
                                        "(func (export 'rc') (result i32) (i32.const 1))"
                                        "(func (export 'i64') (result i64) (i64.const 1))"
                                        "(func (export 'f32') (result f32) (f32.const 1))"
                                        "(func (export 'two') (result i32 i32)"
                                        "  (i32.const 1) (i32.const 2))"
                                        "(func (export 'param') (param i32))"
                                        "(func (export 'param_rc') (param i32) (result i32)"
                                        "  (i32.const 1))"
                                        "(func (export 'имя'))"
                                        "(global (export 'global') i32 (i32.const 1))"
                                        "(table (export 'table') 1 funcref)"));

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        observe_bool(names[i], extism.plugin_function_exists(p, names[i]));
    extism.plugin_free(p);
}

static void names_beyond_ascii(void)
{
    observe_once(guest("(func (export 'имя') (result i32) (i32.const 4))"), "имя");
}

static void reexported_import(void)
{
    ExtismPlugin *p = plugin_open(guest("(export 'level' (func $get_log_level))"
                                        "(export 'again' (func $reset))"));

    observe_bool("level exists", extism.plugin_function_exists(p, "level"));
    observe_call(p, "reset", "again", "");
    observe_int("level is an i32", extism.plugin_call(p, "level", NULL, 0) != -1);
    extism.plugin_free(p);
}

static void output_is_input(void)
{
    ExtismPlugin *p = plugin_open(
        guest("(func (export 'tail') (call $output_set"
              "  (i64.add (call $input_offset) (i64.const 2))"
              "  (i64.sub (call $input_length) (i64.const 4))))"
              "(func (export 'changed')"
              "  (call $store_u8 (call $input_offset) (i32.const 0x4A)) (call $echo))"));

    observe_call(p, "tail", "tail", "0123456789");
    observe_call(p, "changed", "changed", "hello");
    extism.plugin_free(p);
}

static void output_twice(void)
{
    observe_once(guest("(data (i32.const 4096) 'firstsecond')"
                       "(func (export 'run') (call $say (i32.const 4096) (i32.const 5))"
                       "  (call $say (i32.const 4101) (i32.const 6)))"),
                 "run");
}

static void output_does_not_outlive_a_call(void)
{
    ExtismPlugin *p = plugin_open(guest("(func (export 'run') (call $echo))"
                                        "(func (export 'silent'))"
                                        "(func (export 'trap') (call $echo) unreachable)"
                                        "(func (export 'pair') (result i32 i32)"
                                        "  (i32.const 1) (i32.const 1))"));

    observe_call(p, "output", "run", "something");
    observe_call(p, "silent", "silent", "else");
    observe_call(p, "output", "run", "something");
    observe_call(p, "missing", "nothing", "else");
    observe_call(p, "output", "run", "something");
    observe_call(p, "pair", "pair", "else");
    observe_int("trap", extism.plugin_call(p, "trap", (const uint8_t *)"abc", 3));
    observe_int("trap output", (int64_t)extism.plugin_output_length(p));
    extism.plugin_free(p);
}

static void before_the_first_call(void)
{
    ExtismPlugin *p = plugin_open(guest(ECHO));

    observe_int("length", (int64_t)extism.plugin_output_length(p));
    observe_text("error", extism.plugin_error(p));
    observe_bool("reset", extism.plugin_reset(p));
    extism.plugin_free(p);
}

static void state_between_calls(void)
{
    ExtismPlugin *p = plugin_open(
        guest("(global $n (mut i64) (i64.const 0))"
              "(func (export 'run')"
              "  (global.set $n (i64.add (global.get $n) (i64.const 1)))"
              "  (i64.store (i32.const 4096) (i64.add (i64.load (i32.const 4096)) (i64.const 10)))"
              "  (call $emit (global.get $n)) (call $emit (i64.load (i32.const 4096)))"
              "  (call $flush))"
              "(func (export 'trap') (global.set $n (i64.const 100)) unreachable)"));

    observe_call_numbers(p, "first", "run", "");
    observe_call_numbers(p, "second", "run", "");
    observe_int("trap", extism.plugin_call(p, "trap", NULL, 0));
    observe_call_numbers(p, "after a trap", "run", "");
    observe_bool("reset", extism.plugin_reset(p));
    observe_call_numbers(p, "after a reset", "run", "");
    extism.plugin_free(p);
}

/* What one plug-in gave is the input of the next. */
static void output_as_input(void)
{
    ExtismPlugin *a = plugin_open(guest(ECHO));
    ExtismPlugin *b = plugin_open(guest(ECHO));

    observe_call(a, "a", "run", "passed on");
    observe_call_bytes(b, "b", "run", extism.plugin_output_data(a), extism.plugin_output_length(a));
    observe_call_bytes(a, "and back", "run", extism.plugin_output_data(b),
                       extism.plugin_output_length(b));
    extism.plugin_free(a);
    extism.plugin_free(b);
}

/* The same plug-in's: upstream has cleared it before it reads it. */
static void own_output_as_input(void)
{
    ExtismPlugin *p = plugin_open(guest(ECHO));

    observe_call(p, "first", "run", "own output");
    observe_call_bytes(p, "second", "run", extism.plugin_output_data(p),
                       extism.plugin_output_length(p));
    extism.plugin_free(p);
}

static void after_a_reset(void)
{
    ExtismPlugin *p = plugin_open(guest(ECHO));

    observe_call(p, "call", "run", "some output");
    observe_bool("reset", extism.plugin_reset(p));
    observe_int("length", (int64_t)extism.plugin_output_length(p));
    observe_bool("reset again", extism.plugin_reset(p));
    observe_call(p, "call", "run", "more output");
    extism.plugin_free(p);
}

static void *call_often(void *p)
{
    intptr_t wrong = 0;

    for (int i = 0; i < 500; i++)
        wrong += extism.plugin_call(p, "run", (const uint8_t *)"abc", 3) != 0;
    return (void *)wrong;
}

/* One waits for the other. */
static void one_plugin_in_two_threads(void)
{
    ExtismPlugin *p = plugin_open(guest(ECHO));
    pthread_t t;
    void *wrong;

    pthread_create(&t, NULL, call_often, p);
    observe_int("wrong here", (int64_t)(intptr_t)call_often(p));
    pthread_join(t, &wrong);
    observe_int("wrong there", (int64_t)(intptr_t)wrong);
    extism.plugin_free(p);
}

static void many_calls(void)
{
    ExtismPlugin *p = plugin_open(guest(ECHO));
    int wrong = 0;

    for (int i = 0; i < 20000; i++) {
        char text[16];
        size_t n = (size_t)snprintf(text, sizeof text, "%d", i);

        if (extism.plugin_call(p, "run", (const uint8_t *)text, n) != 0 ||
            extism.plugin_output_length(p) != n ||
            memcmp(extism.plugin_output_data(p), text, n) != 0)
            wrong++;
    }
    observe_int("wrong", wrong);
    extism.plugin_free(p);
}

static void many_plugins(void)
{
    char *text = quoted(guest(ECHO));
    ExtismPlugin *all[40];
    int wrong = 0;

    for (int i = 0; i < 40; i++)
        all[i] = plugin_open(text);
    for (int i = 39; i >= 0; i--) {
        if (extism.plugin_call(all[i], "run", (const uint8_t *)"abc", 3) != 0 ||
            extism.plugin_output_length(all[i]) != 3)
            wrong++;
        extism.plugin_free(all[i]);
    }
    observe_int("wrong", wrong);
}

static const test_case cases[] = {
    {"input_kinds", input_kinds},
    {"input_sizes", input_sizes},
    {"null_input_with_a_length", null_input_with_a_length},
    {"return_codes", return_codes},
    {"other_result_types", other_result_types},
    {"v128_result", v128_result},
    {"funcref_result", funcref_result},
    {"several_results", several_results},
    {"parameters", parameters},
    {"missing_function", missing_function},
    {"name_not_utf8", name_not_utf8},
    {"function_exists", function_exists},
    {"names_beyond_ascii", names_beyond_ascii},
    {"reexported_import", reexported_import},
    {"output_is_input", output_is_input},
    {"output_twice", output_twice},
    {"output_does_not_outlive_a_call", output_does_not_outlive_a_call},
    {"before_the_first_call", before_the_first_call},
    {"state_between_calls", state_between_calls},
    {"output_as_input", output_as_input},
    {"own_output_as_input", own_output_as_input},
    {"after_a_reset", after_a_reset},
    {"one_plugin_in_two_threads", one_plugin_in_two_threads},
    {"many_calls", many_calls},
    {"many_plugins", many_plugins},
    {NULL, NULL},
};

const case_group call_cases = {"call", cases, false};
