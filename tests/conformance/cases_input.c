#include "case.h"

/* The imports about input and output. */

static void input_reads(void)
{
    ExtismPlugin *p =
        plugin_open(guest("(func $b (param i64) (call $emit (i64.extend_i32_u"
                          "  (call $input_load_u8 (local.get 0)))))"
                          "(func $w (param i64) (call $emit (call $input_load_u64 (local.get 0))))"
                          "(func (export 'run')"
                          "  (call $emit (call $input_length))"
                          "  (call $b (i64.const 0)) (call $b (i64.const 9))"
                          "  (call $b (i64.const 10)) (call $b (i64.const 1000))"
                          "  (call $b (i64.const 4294967296)) (call $b (i64.const -1))"
                          "  (call $w (i64.const 0)) (call $w (i64.const 2))"
                          "  (call $w (i64.const 3)) (call $w (i64.const 10))"
                          "  (call $w (i64.const 4294967296))"
                          "  (call $flush))"));

    observe_call_numbers(p, "ten bytes", "run", "0123456789");
    observe_call_numbers(p, "no bytes", "run", "");
    observe_call_numbers(p, "seven bytes", "run", "0123456");
    extism.plugin_free(p);
}

/* offset + 8 wraps around. */
static void input_read_wraps(void)
{
    ExtismPlugin *p = plugin_open(guest("(func (export 'run') (drop (call $input_load_u64"
                                        "  (i64.const -4))))"));

    observe_int("rc", extism.plugin_call(p, "run", (const uint8_t *)"0123456789", 10));
    extism.plugin_free(p);
}

static void input_offset(void)
{
    ExtismPlugin *p = plugin_open(
        guest("(func (export 'run')"
              "  (call $emit (i64.extend_i32_u (i64.ne (call $input_offset) (i64.const 0))))"
              "  (call $emit (call $length (call $input_offset)))"
              "  (call $emit (call $length_unsafe (call $input_offset)))"
              "  (call $emit (i64.extend_i32_u (call $load_u8 (call $input_offset))))"
              "  (call $flush))"));

    observe_call_numbers(p, "call", "run", "A234567");
    extism.plugin_free(p);
}

static void input_offset_of_nothing(void)
{
    observe_once_numbers(guest("(func (export 'run') (call $emit (call $input_offset))"
                               "  (call $emit (call $input_length)) (call $flush))"),
                         "run");
}

static void input_set(void)
{
    ExtismPlugin *p = plugin_open(
        guest("(data (i32.const 4096) 'another input')"
              "(func (export 'run') (call $input_set"
              "  (call $put (i32.const 4096) (i32.const 13)) (i64.const 7))"
              "  (call $emit (call $input_length))"
              "  (call $emit (i64.extend_i32_u (call $input_load_u8 (i64.const 6))))"
              "  (call $emit (i64.extend_i32_u (call $input_load_u8 (i64.const 7))))"
              "  (call $flush))"
              "(func (export 'bad') (call $input_set (i64.const 99999999) (i64.const 7))"
              "  (call $emit (call $input_length)) (call $flush))"
              "(func (export 'too_long') (call $input_set (call $input_offset)"
              "  (i64.const 99999999))"
              "  (call $emit (call $input_length)) (call $flush))"
              "(func (export 'length') (call $emit (call $input_length)) (call $flush))"));

    observe_call_numbers(p, "set", "run", "one");
    observe_call_numbers(p, "next call", "length", "four");
    observe_call_numbers(p, "bad", "bad", "seven..");
    observe_call_numbers(p, "too long", "too_long", "eight...");
    extism.plugin_free(p);
}

static void freed_input(void)
{
    ExtismPlugin *p = plugin_open(guest("(func (export 'run')"
                                        "  (call $free (call $input_offset))"
                                        "  (call $emit (call $input_length))"
                                        "  (call $emit (i64.extend_i32_u"
                                        "    (call $input_load_u8 (i64.const 0))))"
                                        "  (call $flush))"));

    observe_call_numbers(p, "call", "run", "abc");
    observe_call_numbers(p, "again", "run", "abcd");
    extism.plugin_free(p);
}

static void output_get(void)
{
    ExtismPlugin *p = plugin_open(
        guest("(data (i32.const 4096) 'abcdef')"
              "(func (export 'run') (local $h i64)"
              "  (call $emit (call $output_offset)) (call $emit (call $output_length))"
              "  (local.set $h (call $put (i32.const 4096) (i32.const 6)))"
              "  (call $output_set (local.get $h) (i64.const 6))"
              "  (call $emit (i64.sub (call $output_offset) (local.get $h)))"
              "  (call $emit (call $output_length))"
              "  (call $output_set (i64.add (local.get $h) (i64.const 1)) (i64.const 3))"
              "  (call $emit (i64.sub (call $output_offset) (local.get $h)))"
              "  (call $emit (call $output_length))"
              "  (call $flush))"));

    observe_call_numbers(p, "first", "run", "");
    observe_call_numbers(p, "second", "run", "");
    extism.plugin_free(p);
}

/* Every way to name bytes outside of the kernel's memory. The output that was good stays. */
static void output_out_of_bounds(void)
{
    ExtismPlugin *p = plugin_open(
        guest("(func $try (param i64 i64) (call $output_set (local.get 0) (local.get 1)))"
              "(func (export 'far') (call $echo) (call $try (i64.const 1000000000)"
              "  (i64.const 1)))"
              "(func (export 'long') (call $echo) (call $try (call $input_offset)"
              "  (i64.const 1000000000)))"
              "(func (export 'negative') (call $echo) (call $try (i64.const -1) (i64.const 1)))"
              "(func (export 'low') (call $echo) (call $try (i64.const 0) (i64.const 4)))"
              "(func (export 'past4g') (call $echo) (call $try (i64.const 4294967296)"
              "  (i64.const 4)))"
              "(func (export 'end') (call $echo) (call $try"
              "  (call $memory_bytes) (i64.const 1000)))"));

    observe_call(p, "far", "far", "input");
    observe_call(p, "long", "long", "input");
    observe_call(p, "negative", "negative", "input");
    observe_call(p, "low", "low", "input");
    observe_call(p, "past 4 GiB", "past4g", "input");
    observe_call(p, "end", "end", "input");
    extism.plugin_free(p);
}

/* offset + length wraps around. */
static void output_length_wraps(void)
{
    observe_once(guest("(func (export 'run') (local $h i64)"
                       "  (local.set $h (call $alloc (i64.const 100)))"
                       "  (call $output_set (i64.add (local.get $h) (i64.const 50))"
                       "    (i64.const -10)))"),
                 "run");
}

static void output_of_length_0(void)
{
    ExtismPlugin *p = plugin_open(guest("(func (export 'run') (call $echo)"
                                        "  (call $output_set (call $input_offset) (i64.const 0)))"
                                        "(func (export 'none') (call $echo)"
                                        "  (call $output_set (i64.const 0) (i64.const 0)))"));

    observe_call(p, "at the input", "run", "some input");
    observe_call(p, "at 0", "none", "some input");
    extism.plugin_free(p);
}

static void output_freed(void)
{
    observe_once(guest("(data (i32.const 4096) 'freed output')"
                       "(func (export 'run') (call $say (i32.const 4096) (i32.const 12))"
                       "  (call $free (call $output_offset)))"),
                 "run");
}

static void guest_resets(void)
{
    ExtismPlugin *p = plugin_open(
        guest("(data (i32.const 4096) 'after reset')"
              "(func (export 'run') (call $echo) (call $fail (i32.const 4096) (i32.const 5))"
              "  (call $reset)"
              "  (call $emit (call $input_length)) (call $emit (call $output_length))"
              "  (call $emit (call $error_get)) (call $emit (call $input_offset))"
              "  (call $flush))"
              "(func (export 'say') (call $reset)"
              "  (call $say (i32.const 4096) (i32.const 11)))"));

    observe_call_numbers(p, "run", "run", "the input");
    observe_call(p, "say", "say", "the input");
    extism.plugin_free(p);
}

static const test_case cases[] = {
    {"input_reads", input_reads},
    {"input_read_wraps", input_read_wraps},
    {"input_offset", input_offset},
    {"input_offset_of_nothing", input_offset_of_nothing},
    {"input_set", input_set},
    {"freed_input", freed_input},
    {"output_get", output_get},
    {"output_out_of_bounds", output_out_of_bounds},
    {"output_length_wraps", output_length_wraps},
    {"output_of_length_0", output_of_length_0},
    {"output_freed", output_freed},
    {"guest_resets", guest_resets},
    {NULL, NULL},
};

const case_group input_cases = {"input", cases, false};
