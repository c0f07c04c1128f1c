#include "case.h"

#include <pthread.h>

/* Guests that trap, and plug-ins that go on after it. */

static void trap(const char *label, const char *functions)
{
    ExtismPlugin *p = plugin_open(guest(functions));

    observe_call(p, label, "run", "");
    observe_call(p, "after it", "fine", "alive");
    extism.plugin_free(p);
}

#define FINE "(func (export 'fine') (call $echo))"

static void unreachable(void)
{
    trap("unreachable", "(func (export 'run') unreachable)" FINE);
}

static void named_functions(void)
{
    trap("named", "(func $inner unreachable) (func $middle call $inner)"
                  "(func $outer (export 'run') call $middle)" FINE);
}

static void arithmetic(void)
{
    trap("div by zero", "(func (export 'run') (result i32)"
                        "  (i32.div_s (i32.const 1) (i32.const 0)))" FINE);
    trap("overflow", "(func (export 'run') (result i32)"
                     "  (i32.div_s (i32.const -2147483648) (i32.const -1)))" FINE);
    trap("conversion", "(func (export 'run') (result i32)"
                       "  (i32.trunc_f64_s (f64.const nan)))" FINE);
    trap("i64 remainder", "(func (export 'run') (result i64)"
                          "  (i64.rem_u (i64.const 1) (i64.const 0)))" FINE);
}

static void memory(void)
{
    trap("load", "(func (export 'run') (drop (i32.load (i32.const 262144))))" FINE);
    trap("load at the end", "(func (export 'run') (drop (i32.load (i32.const 262141))))" FINE);
    trap("store", "(func (export 'run') (i64.store (i32.const -1) (i64.const 1)))" FINE);
    trap("offset", "(func (export 'run') (drop (i32.load offset=4294967295 (i32.const 1))))" FINE);
    trap("fill", "(func (export 'run')"
                 "  (memory.fill (i32.const 262140) (i32.const 1) (i32.const 5)))" FINE);
    trap("copy", "(func (export 'run')"
                 "  (memory.copy (i32.const 0) (i32.const 262140) (i32.const 5)))" FINE);
}

/* Bulk operations look at their bounds first. */
static void nothing_is_half_written(void)
{
    ExtismPlugin *p = plugin_open(
        guest("(data $d 'data')"
              "(func (export 'fill')"
              "  (memory.fill (i32.const 262140) (i32.const 1) (i32.const 5)))"
              "(func (export 'copy') (i64.store (i32.const 8) (i64.const -1))"
              "  (memory.copy (i32.const 262140) (i32.const 8) (i32.const 5)))"
              "(func (export 'init')"
              "  (memory.init $d (i32.const 262142) (i32.const 0) (i32.const 4)))"
              "(func (export 'read') (call $emit (i64.load (i32.const 262136))) (call $flush))"));

    observe_int("fill", extism.plugin_call(p, "fill", NULL, 0));
    observe_call_numbers(p, "after fill", "read", "");
    observe_int("copy", extism.plugin_call(p, "copy", NULL, 0));
    observe_call_numbers(p, "after copy", "read", "");
    observe_int("init", extism.plugin_call(p, "init", NULL, 0));
    observe_call_numbers(p, "after init", "read", "");
    extism.plugin_free(p);
}

static void tables(void)
{
    trap("null", "(table 4 funcref) (func (export 'run') (call_indirect (i32.const 0)))" FINE);
    trap("out of bounds",
         "(table 4 funcref) (func (export 'run') (call_indirect (i32.const 4)))" FINE);
    trap("wrong type", "(table funcref (elem $go)) (func $go (param i32))"
                       "(func (export 'run') (call_indirect (i32.const 0)))" FINE);
    trap("table.get", "(table 4 funcref)"
                      "(func (export 'run') (drop (table.get (i32.const 9))))" FINE);
    trap("null ref", "(type $t (func)) (func (export 'run')"
                     "  (call_ref $t (ref.null $t)))" FINE);
}

/* The depth, and so the text, is each library's own. */
static void stack_overflow(void)
{
    static const char *const functions[] = {
        "(func $go (export 'run') call $go)" FINE,
        "(func $go (param i64 i64 i64) (result i64)"
        "  (i64.add (call $go (local.get 0) (local.get 1) (local.get 2)) (i64.const 1)))"
        "(func (export 'run')"
        "  (drop (call $go (i64.const 1) (i64.const 2) (i64.const 3))))" FINE,
    };

    for (size_t i = 0; i < 2; i++) {
        ExtismPlugin *p = plugin_open(guest(functions[i]));
        const char *error;

        observe_int("rc", extism.plugin_call(p, "run", NULL, 0));
        error = extism.plugin_error(p);
        observe_bool("backtrace",
                     strncmp(error, "error while executing at wasm backtrace:", 40) == 0);
        observe_call(p, "after it", "fine", "alive");
        observe_int("again", extism.plugin_call(p, "run", NULL, 0));
        extism.plugin_free(p);
    }
}

static void *overflow(void *p)
{
    observe_int("rc", extism.plugin_call(p, "run", NULL, 0));
    return NULL;
}

/* A thread with a stack smaller than what a guest may use. */
static void stack_overflow_in_a_small_thread(void)
{
    ExtismPlugin *p = plugin_open(guest("(func $deep (export 'run') call $deep)" FINE));
    pthread_attr_t small;
    pthread_t t;

    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 * 1024);
    pthread_create(&t, &small, overflow, p);
    pthread_join(t, NULL);
    observe_call(p, "after it", "fine", "alive");
    extism.plugin_free(p);
}

static void data_and_element_segments(void)
{
    static const char *const modules[] = {
        "(module (memory 1) (data (i32.const 65534) 'abc') (func (export 'run')))",
        "(module (table 1 funcref) (elem (i32.const 1) $go) (func $go (export 'run')))",
    };

    for (size_t i = 0; i < 2; i++) {
        ExtismPlugin *p = plugin_open(modules[i]);

        observe_call(p, "first", "run", "");
        observe_call(p, "second", "run", "");
        extism.plugin_free(p);
    }
}

static void in_a_linked_module(void)
{
    ExtismPlugin *p;

    write_text("lib.wat", "(module $library (func $deep (export 'f') unreachable))");
    write_text("main.wat", "(module $program (import 'lib' 'f' (func $go))"
                           "(func $entry (export 'run') call $go))");
    p = plugin_open("{'wasm':[{'path':'lib.wat','name':'lib'},{'path':'main.wat'}]}");
    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
}

static void many_traps(void)
{
    ExtismPlugin *p = plugin_open(guest("(func (export 'run') unreachable)" FINE));
    int other = 0;

    for (int i = 0; i < 500; i++)
        other += extism.plugin_call(p, "run", NULL, 0) != 134;
    observe_int("other codes", other);
    observe_call(p, "after", "fine", "alive");
    extism.plugin_free(p);
}

static void deep_backtrace(void)
{
    observe_once(guest("(func $go (param i32) (if (local.get 0)"
                       "  (then (call $go (i32.sub (local.get 0) (i32.const 1))))"
                       "  (else unreachable)))"
                       "(func (export 'run') (call $go (i32.const 40)))"),
                 "run");
}

static void throw(void)
{
    trap("uncaught", "(tag $t (param i32)) (func (export 'run') (throw $t (i32.const 1)))" FINE);
}

static const test_case cases[] = {
    {"unreachable", unreachable},
    {"named_functions", named_functions},
    {"arithmetic", arithmetic},
    {"memory", memory},
    {"nothing_is_half_written", nothing_is_half_written},
    {"tables", tables},
    {"stack_overflow", stack_overflow},
    {"stack_overflow_in_a_small_thread", stack_overflow_in_a_small_thread},
    {"data_and_element_segments", data_and_element_segments},
    {"in_a_linked_module", in_a_linked_module},
    {"many_traps", many_traps},
    {"deep_backtrace", deep_backtrace},
    {"throw", throw},
    {NULL, NULL},
};

const case_group trap_cases = {"trap", cases, false};
