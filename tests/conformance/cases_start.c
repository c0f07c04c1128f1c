#include "case.h"

/* What runs before the function that is called: start functions, _initialize, __wasm_call_ctors,
 * hs_init; and commands, whose function is _start. */

static void twice(const char *functions)
{
    ExtismPlugin *p = plugin_open(guest(functions));

    observe_call_numbers(p, "first", "run", "");
    observe_call_numbers(p, "second", "run", "");
    extism.plugin_free(p);
}

#define COUNTER                                                                                    \
    "(global $n (mut i64) (i64.const 0))"                                                          \
    "(func $add (param i64) (global.set $n (i64.add (i64.mul (global.get $n) (i64.const 10))"      \
    "  (local.get 0))))"                                                                           \
    "(func (export 'run') (call $emit (global.get $n)) (call $flush))"

static void start_function(void)
{
    twice(COUNTER "(func $begin (call $add (i64.const 1))) (start $begin)");
}

static void initialize(void)
{
    twice(COUNTER "(func (export '_initialize') (call $add (i64.const 2)))");
}

static void ctors(void)
{
    twice(COUNTER "(func (export '__wasm_call_ctors') (call $add (i64.const 3)))");
}

static void ctors_and_initialize(void)
{
    twice(COUNTER "(func (export '__wasm_call_ctors') (call $add (i64.const 3)))"
                  "(func (export '_initialize') (call $add (i64.const 2)))");
}

static void start_and_initialize(void)
{
    twice(COUNTER "(func $begin (call $add (i64.const 1))) (start $begin)"
                  "(func (export '_initialize') (call $add (i64.const 2)))");
}

static void haskell(void)
{
    twice(COUNTER "(func (export 'hs_init') (param i32 i32) (call $add (i64.const 4)))");
}

static void haskell_reactor(void)
{
    twice(COUNTER "(func (export 'hs_init') (param i32 i32) (result i32)"
                  "  (call $add (i64.const 4))"
                  "  (call $add (i64.extend_i32_u (i32.add (local.get 0) (local.get 1))))"
                  "  (i32.const 9))"
                  "(func (export '_initialize') (call $add (i64.const 2)))"
                  "(func (export '__wasm_call_ctors') (call $add (i64.const 3)))");
}

static void odd_signatures(void)
{
    ExtismPlugin *p = plugin_open(
        guest(COUNTER "(func (export '_initialize') (param i32) (call $add (i64.const 2)))"));

    observe_call_numbers(p, "_initialize (param)", "run", "");
    extism.plugin_free(p);
    p = plugin_open(guest(COUNTER "(func (export '_initialize') (result i32)"
                                  "  (call $add (i64.const 2)) (i32.const 1))"));
    observe_call_numbers(p, "_initialize (result)", "run", "");
    extism.plugin_free(p);
    p = plugin_open(guest(COUNTER "(func (export '__wasm_call_ctors') (param i32))"
                                  "(func (export '_initialize') (call $add (i64.const 2)))"));
    observe_call_numbers(p, "ctors (param)", "run", "");
    extism.plugin_free(p);
    p = plugin_open(guest(COUNTER "(global (export '_initialize') i32 (i32.const 1))"));
    observe_call_numbers(p, "_initialize a global", "run", "");
    extism.plugin_free(p);
    p = plugin_open(guest(COUNTER "(func (export 'hs_init') (call $add (i64.const 4)))"));
    observe_call_numbers(p, "hs_init ()", "run", "");
    extism.plugin_free(p);
}

static void failing(const char *functions)
{
    ExtismPlugin *p = plugin_open(guest(functions));

    observe_call(p, "first", "run", "");
    observe_call(p, "second", "run", "");
    extism.plugin_free(p);
}

static void start_traps(void)
{
    failing("(func $begin unreachable) (start $begin) (func (export 'run'))");
}

static void initialize_traps(void)
{
    failing("(func (export '_initialize') unreachable) (func (export 'run'))");
}

static void ctors_trap(void)
{
    failing("(func (export '__wasm_call_ctors') unreachable) (func (export 'run'))");
}

static void haskell_traps(void)
{
    failing("(func (export 'hs_init') (param i32 i32) unreachable) (func (export 'run'))");
}

static void initialize_sets_an_error(void)
{
    failing("(data (i32.const 4096) 'from _initialize')"
            "(func (export '_initialize') (call $fail (i32.const 4096) (i32.const 16)))"
            "(func (export 'run'))");
}

/* Input is not there yet, output is forgotten. */
static void initialize_sees(void)
{
    ExtismPlugin *p =
        plugin_open(guest("(global $n (mut i64) (i64.const -1))"
                          "(func (export '_initialize') (global.set $n (call $input_length))"
                          "  (call $say (i32.const 4096) (i32.const 5)))"
                          "(func (export 'run') (call $emit (global.get $n))"
                          "  (call $emit (call $output_length))"
                          "  (call $flush))"));

    observe_call_numbers(p, "call", "run", "input");
    extism.plugin_free(p);
}

/* Before any call is made. */
static void nothing_runs_at_opening(void)
{
    ExtismPlugin *p = plugin_open(guest("(func (export '_initialize') unreachable)"
                                        "(func (export 'run'))"));

    observe_bool("opened", p != NULL);
    observe_bool("exists", extism.plugin_function_exists(p, "run"));
    extism.plugin_free(p);
}

static void initialize_called_by_name(void)
{
    ExtismPlugin *p =
        plugin_open(guest(COUNTER "(func (export '_initialize') (call $add (i64.const 2)))"));

    observe_bool("exists", extism.plugin_function_exists(p, "_initialize"));
    observe_call(p, "_initialize", "_initialize", "");
    observe_call_numbers(p, "run", "run", "");
    extism.plugin_free(p);
}

/* After _start all of the guest is made anew. */
static void start_command_twice(void)
{
    ExtismPlugin *p = plugin_open(
        guest("(global $n (mut i64) (i64.const 0))"
              "(func (export '_start') (global.set $n (i64.add (global.get $n) (i64.const 1)))"
              "  (call $emit (global.get $n)) (call $flush))"
              "(func (export 'run') (global.set $n (i64.add (global.get $n) (i64.const 10)))"
              "  (call $emit (global.get $n)) (call $flush))"));

    observe_bool("exists", extism.plugin_function_exists(p, "_start"));
    observe_call_numbers(p, "_start", "_start", "");
    observe_call_numbers(p, "_start", "_start", "");
    observe_call_numbers(p, "run", "run", "");
    observe_call_numbers(p, "run", "run", "");
    observe_call_numbers(p, "_start", "_start", "");
    observe_call_numbers(p, "run", "run", "");
    extism.plugin_free(p);
}

static void vars_and_config_after_start(void)
{
    ExtismPlugin *p;

    write_text("v.wat", guest("(data (i32.const 4096) 'a')"
                              "(func $a (result i64) (call $put (i32.const 4096) (i32.const 1)))"
                              "(func (export '_start')"
                              "  (call $var_set (call $a) (call $input_offset)))"
                              "(func (export 'var') (local $h i64)"
                              "  (local.set $h (call $var_get (call $a)))"
                              "  (call $output_set (local.get $h) (call $length (local.get $h))))"
                              "(func (export 'config') (local $h i64)"
                              "  (local.set $h (call $config_get (call $a)))"
                              "  (call $output_set (local.get $h)"
                              "    (call $length (local.get $h))))"));
    p = plugin_open("{'wasm':[{'path':'v.wat'}],'config':{'a':'1'}}");
    observe_bool("config", extism.plugin_config(p, (const uint8_t *)"{\"a\":\"2\"}", 9));
    observe_call(p, "_start", "_start", "value");
    observe_call(p, "var", "var", "");
    observe_call(p, "config", "config", "");
    extism.plugin_free(p);
}

static void start_traps_then_again(void)
{
    ExtismPlugin *p =
        plugin_open(guest("(global $n (mut i64) (i64.const 0))"
                          "(func (export '_start')"
                          "  (global.set $n (i64.add (global.get $n) (i64.const 1))) unreachable)"
                          "(func (export 'run') (call $emit (global.get $n)) (call $flush))"));

    observe_call(p, "_start", "_start", "");
    observe_call_numbers(p, "run", "run", "");
    extism.plugin_free(p);
}

static void start_with_a_result(void)
{
    ExtismPlugin *p = plugin_open(guest("(func (export '_start') (result i32) (i32.const 5))"));

    observe_bool("exists", extism.plugin_function_exists(p, "_start"));
    observe_call(p, "first", "_start", "");
    observe_call(p, "second", "_start", "");
    extism.plugin_free(p);
}

static void start_of_a_linked_module(void)
{
    ExtismPlugin *p;

    write_text("lib.wat", "(module (global $n (mut i32) (i32.const 0))"
                          "(func $begin (global.set $n (i32.add (global.get $n) (i32.const 1))))"
                          "(start $begin)"
                          "(func (export '_initialize')"
                          "  (global.set $n (i32.add (global.get $n) (i32.const 10))))"
                          "(func (export 'n') (result i32) (global.get $n)))");
    write_text("main.wat", "(module (import 'lib' 'n' (func $n (result i32)))"
                           "(func (export 'run') (result i32) (call $n)))");
    p = plugin_open("{'wasm':[{'path':'lib.wat','name':'lib'},{'path':'main.wat'}]}");
    observe_call(p, "first", "run", "");
    observe_call(p, "second", "run", "");
    extism.plugin_free(p);
}

/* A linked command is made anew each time one of its functions is called. */
static void linked_command(void)
{
    ExtismPlugin *p;

    write_text("lib.wat", "(module (global $n (mut i32) (i32.const 0))"
                          "(func (export '_start'))"
                          "(func (export 'n') (result i32)"
                          "  (global.set $n (i32.add (global.get $n) (i32.const 1)))"
                          "  (global.get $n)))");
    write_text("main.wat", "(module (import 'lib' 'n' (func $n (result i32)))"
                           "(func (export 'run') (result i32) (drop (call $n)) (call $n)))");
    p = plugin_open("{'wasm':[{'path':'lib.wat','name':'lib'},{'path':'main.wat'}]}");
    observe_call(p, "first", "run", "");
    observe_call(p, "second", "run", "");
    extism.plugin_free(p);
}

static const test_case cases[] = {
    {"start_function", start_function},
    {"initialize", initialize},
    {"ctors", ctors},
    {"ctors_and_initialize", ctors_and_initialize},
    {"start_and_initialize", start_and_initialize},
    {"haskell", haskell},
    {"haskell_reactor", haskell_reactor},
    {"odd_signatures", odd_signatures},
    {"start_traps", start_traps},
    {"initialize_traps", initialize_traps},
    {"ctors_trap", ctors_trap},
    {"haskell_traps", haskell_traps},
    {"initialize_sets_an_error", initialize_sets_an_error},
    {"initialize_sees", initialize_sees},
    {"nothing_runs_at_opening", nothing_runs_at_opening},
    {"initialize_called_by_name", initialize_called_by_name},
    {"start_command_twice", start_command_twice},
    {"vars_and_config_after_start", vars_and_config_after_start},
    {"start_traps_then_again", start_traps_then_again},
    {"start_with_a_result", start_with_a_result},
    {"start_of_a_linked_module", start_of_a_linked_module},
    {"linked_command", linked_command},
    {NULL, NULL},
};

const case_group start_cases = {"start", cases, false};
