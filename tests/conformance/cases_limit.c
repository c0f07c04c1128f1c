#include "case.h"

#include <stdlib.h>

/* memory.max_pages, and memories without a limit. */

static ExtismPlugin *open_limited(const char *module, unsigned pages)
{
    write_text("l.wat", module);
    return plugin_open(
        quoted_format("{'wasm':[{'path':'l.wat'}],'memory':{'max_pages':%u}}", pages));
}

/* Exports: grow by the first byte of the input, in pages; size. */
static const char GROWS[] =
    "(func (export 'grow')"
    "  (call $emit (i64.extend_i32_s (memory.grow (call $input_load_u8 (i64.const 0)))))"
    "  (call $flush))"
    "(func (export 'grow_by_1')"
    "  (call $emit (i64.extend_i32_s (memory.grow (i32.const 1)))) (call $flush))"
    "(func (export 'size') (call $emit (i64.extend_i32_u (memory.size))) (call $flush))"
    "(func (export 'alloc')"
    "  (call $emit (i64.extend_i32_u (i64.ne (i64.const 0) (call $alloc (i64.mul"
    "    (i64.const 65536) (i64.extend_i32_u (call $input_load_u8 (i64.const 0))))))))"
    "  (call $flush))"
    "(func (export 'echo') (call $echo))";

static void main_grows(void)
{
    ExtismPlugin *p = open_limited(guest(GROWS), 20);

    observe_call_numbers(p, "size", "size", "");
    observe_call_numbers(p, "grow by 5", "grow", "\5");
    observe_call_numbers(p, "size", "size", "");
    observe_call_numbers(p, "grow by 100", "grow", "\x64");
    observe_call_numbers(p, "size", "size", "");
    observe_call_numbers(p, "grow by 1", "grow_by_1", "");
    observe_call_numbers(p, "size", "size", "");
    extism.plugin_free(p);
}

static void kernel_grows(void)
{
    ExtismPlugin *p = open_limited(guest(GROWS), 20);

    observe_call_numbers(p, "5 pages", "alloc", "\5");
    observe_call_numbers(p, "100 pages", "alloc", "\x64");
    observe_call_numbers(p, "1 page", "alloc", "\1");
    extism.plugin_free(p);
}

static void large_input(void)
{
    ExtismPlugin *p = open_limited(guest(GROWS), 20);
    char *data = calloc(1, 4 * 1024 * 1024);

    observe_call_bytes(p, "512 KiB", "echo", data, 512 * 1024);
    observe_call_bytes(p, "4 MiB", "echo", data, 4 * 1024 * 1024);
    observe_call(p, "small", "echo", "small");
    extism.plugin_free(p);
}

/* Room that a large input took is there for the next. */
static void inputs_of_one_size(void)
{
    ExtismPlugin *p = open_limited(guest(GROWS), 30);
    char *data = calloc(1, 1024 * 1024);
    int wrong = 0;

    for (int i = 0; i < 50; i++)
        wrong += extism.plugin_call(p, "echo", (const uint8_t *)data, 1024 * 1024) != 0;
    observe_int("wrong", wrong);
    extism.plugin_free(p);
}

static void initial_memory_over_it(void)
{
    ExtismPlugin *p = open_limited("(module (memory 100) (func (export 'run')))", 20);

    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
}

static void initial_memory_far_over_it(void)
{
    ExtismPlugin *p = open_limited("(module (memory 60000) (func (export 'run')))", 10);

    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
}

static void zero_pages(void)
{
    ExtismPlugin *p = open_limited(guest(GROWS), 0);

    observe_call(p, "echo", "echo", "x");
    observe_call_numbers(p, "grow", "grow_by_1", "");
    extism.plugin_free(p);
}

static void zero_pages_without_memory(void)
{
    ExtismPlugin *p = open_limited("(module (func (export 'run') (result i32) (i32.const 2)))", 0);

    observe_call(p, "call", "run", "");
    observe_call(p, "with input", "run", "some");
    extism.plugin_free(p);
}

static void declared_maximum(void)
{
    ExtismPlugin *p = plugin_open("(module (memory 1 3) (func (export 'run') (result i32)"
                                  "  (memory.grow (i32.const 1)))"
                                  "(func (export 'size') (result i32) (memory.size)))");

    observe_call(p, "to 2", "run", "");
    observe_call(p, "to 3", "run", "");
    observe_call(p, "to 4", "run", "");
    observe_call(p, "size", "size", "");
    extism.plugin_free(p);
}

static void declared_maximum_and_limit(void)
{
    ExtismPlugin *p = open_limited("(module (memory 1 3) (func (export 'run') (result i32)"
                                   "  (memory.grow (i32.const 1)))"
                                   "(func (export 'size') (result i32) (memory.size)))",
                                   100);

    observe_call(p, "to 2", "run", "");
    observe_call(p, "to 3", "run", "");
    observe_call(p, "to 4", "run", "");
    observe_call(p, "size", "size", "");
    extism.plugin_free(p);
}

static void no_limit(void)
{
    ExtismPlugin *p = plugin_open(guest(GROWS));

    observe_call_numbers(p, "grow by 200", "grow", "\x40");
    observe_call_numbers(p, "alloc 200", "alloc", "\x40");
    observe_call_numbers(p, "size", "size", "");
    extism.plugin_free(p);
}

static void grow_past_4_gib(void)
{
    ExtismPlugin *p = plugin_open("(module (memory 1) (func (export 'run') (result i32)"
                                  "  (memory.grow (i32.const 65535)))"
                                  "(func (export 'more') (result i32)"
                                  "  (memory.grow (i32.const -1))))");

    observe_call(p, "more", "more", "");
    observe_call(p, "after", "more", "");
    extism.plugin_free(p);
}

/* After _start the guest is new, and so is its allowance. */
static void commands_start_anew(void)
{
    ExtismPlugin *p = open_limited(guest("(func (export '_start')"
                                         "  (call $emit (i64.extend_i32_s"
                                         "    (memory.grow (i32.const 10)))) (call $flush))"),
                                   25);

    for (int i = 0; i < 4; i++)
        observe_call_numbers(p, "_start", "_start", "");
    extism.plugin_free(p);
}

static void linked_memories_count(void)
{
    ExtismPlugin *p;

    write_text("lib.wat", "(module (memory 1) (func (export 'grow') (param i32) (result i32)"
                          "  (memory.grow (local.get 0))))");
    write_text("main.wat", "(module (import 'lib' 'grow' (func $g (param i32) (result i32)))"
                           "(memory 1)"
                           "(func (export 'lib') (result i32) (call $g (i32.const 8)))"
                           "(func (export 'main') (result i32) (memory.grow (i32.const 8))))");
    p = plugin_open("{'wasm':[{'path':'lib.wat','name':'lib'},{'path':'main.wat'}],"
                    "'memory':{'max_pages':12}}");
    observe_call(p, "lib", "lib", "");
    observe_call(p, "main", "main", "");
    observe_call(p, "lib again", "lib", "");
    extism.plugin_free(p);
}

static void tables_grow(void)
{
    ExtismPlugin *p = open_limited("(module (table $t 1 100 funcref) (table $u 1 funcref)"
                                   "(func (export 'to_100') (result i32)"
                                   "  (table.grow $t (ref.null func) (i32.const 99)))"
                                   "(func (export 'past') (result i32)"
                                   "  (table.grow $t (ref.null func) (i32.const 1)))"
                                   "(func (export 'free') (result i32)"
                                   "  (table.grow $u (ref.null func) (i32.const 1000))))",
                                   20);

    observe_call(p, "to 100", "to_100", "");
    observe_call(p, "past it", "past", "");
    observe_call(p, "without a maximum", "free", "");
    extism.plugin_free(p);
}

static void vars_do_not_count(void)
{
    ExtismPlugin *p = open_limited(guest("(data (i32.const 4096) 'k')"
                                         "(func (export 'run') (call $var_set"
                                         "  (call $put (i32.const 4096) (i32.const 1))"
                                         "  (call $input_offset)))"
                                         "(func (export 'echo') (call $echo))"),
                                   30);
    char *data = calloc(1, 900000);

    observe_call_bytes(p, "set", "run", data, 900000);
    observe_call_bytes(p, "echo", "echo", data, 900000);
    extism.plugin_free(p);
}

static const test_case cases[] = {
    {"main_grows", main_grows},
    {"kernel_grows", kernel_grows},
    {"large_input", large_input},
    {"inputs_of_one_size", inputs_of_one_size},
    {"initial_memory_over_it", initial_memory_over_it},
    {"initial_memory_far_over_it", initial_memory_far_over_it},
    {"zero_pages", zero_pages},
    {"zero_pages_without_memory", zero_pages_without_memory},
    {"declared_maximum", declared_maximum},
    {"declared_maximum_and_limit", declared_maximum_and_limit},
    {"no_limit", no_limit},
    {"grow_past_4_gib", grow_past_4_gib},
    {"commands_start_anew", commands_start_anew},
    {"linked_memories_count", linked_memories_count},
    {"tables_grow", tables_grow},
    {"vars_do_not_count", vars_do_not_count},
    {NULL, NULL},
};

const case_group limit_cases = {"limit", cases, false};
