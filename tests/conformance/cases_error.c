#include "case.h"

/* error_set and error_get, errors next to return codes and traps, and when an error goes away. */

static const char ERRORS[] =
    "(data (i32.const 4096) 'bad thing')"
    "(func $set (call $fail (i32.const 4096) (i32.const 9)))"
    "(func (export 'plain') (call $set))"
    "(func (export 'rc0') (result i32) (call $set) (i32.const 0))"
    "(func (export 'rc7') (result i32) (call $set) (i32.const 7))"
    "(func (export 'i64') (result i64) (call $set) (i64.const 3))"
    "(func (export 'output') (result i32) (call $echo) (call $set) (i32.const 2))"
    "(func (export 'cleared') (result i32) (call $set) (call $error_set (i64.const 0))"
    "  (i32.const 5))"
    "(func (export 'twice') (call $fail (i32.const 4100) (i32.const 5)) (call $set))"
    "(func (export 'input') (call $error_set (call $input_offset)))"
    "(func (export 'fine') (call $echo))";

static void with_return_codes(void)
{
    static const char *const names[] = {"plain",   "rc0",   "rc7",   "i64", "output",
                                        "cleared", "twice", "input", "fine"};
    ExtismPlugin *p = plugin_open(guest(ERRORS));

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        observe_call(p, names[i], names[i], "the input");
    extism.plugin_free(p);
}

static void both_names(void)
{
    ExtismPlugin *p = plugin_open(guest(ERRORS));

    observe_text("before", extism.error(p));
    observe_int("rc", extism.plugin_call(p, "rc7", NULL, 0));
    observe_text("extism_error", extism.error(p));
    observe_text("extism_plugin_error", extism.plugin_error(p));
    observe_text("again", extism.plugin_error(p));
    extism.plugin_free(p);
}

static void cleared_by_what(void)
{
    ExtismPlugin *p = plugin_open(guest(ERRORS));

    extism.plugin_call(p, "rc7", NULL, 0);
    extism.plugin_output_length(p);
    extism.plugin_output_data(p);
    extism.plugin_id(p);
    observe_text("kept", extism.plugin_error(p));
    extism.plugin_call(p, "fine", NULL, 0);
    observe_text("by a call", extism.plugin_error(p));
    extism.plugin_call(p, "nothing", NULL, 0);
    observe_text("missing function", extism.plugin_error(p));
    extism.plugin_function_exists(p, "fine");
    observe_text("by function_exists", extism.plugin_error(p));
    extism.plugin_call(p, "nothing", NULL, 0);
    extism.plugin_config(p, (const uint8_t *)"{}", 2);
    observe_text("by config", extism.plugin_error(p));
    extism.plugin_call(p, "nothing", NULL, 0);
    extism.plugin_config(p, (const uint8_t *)"{", 1);
    observe_text("by a bad config", extism.plugin_error(p));
    extism.plugin_call(p, "nothing", NULL, 0);
    extism.plugin_reset(p);
    observe_text("by a reset", extism.plugin_error(p));
    extism.plugin_free(p);
}

/* A guest's own error lies in its memory, so what clears it is another question. */
static void guest_error_cleared_by_what(void)
{
    ExtismPlugin *p = plugin_open(guest(ERRORS));

    extism.plugin_call(p, "rc7", NULL, 0);
    extism.plugin_function_exists(p, "fine");
    observe_text("by function_exists", extism.plugin_error(p));
    extism.plugin_call(p, "rc7", NULL, 0);
    extism.plugin_config(p, (const uint8_t *)"{}", 2);
    observe_text("by config", extism.plugin_error(p));
    extism.plugin_free(p);
}

static void guest_error_after_reset(void)
{
    ExtismPlugin *p = plugin_open(guest(ERRORS));

    extism.plugin_call(p, "rc7", NULL, 0);
    observe_bool("reset", extism.plugin_reset(p));
    observe_text("after", extism.plugin_error(p));
    extism.plugin_free(p);
}

static void error_and_trap(void)
{
    ExtismPlugin *p =
        plugin_open(guest("(data (i32.const 4096) 'before the trap')"
                          "(func (export 'both')"
                          "  (call $fail (i32.const 4096) (i32.const 15)) unreachable)"
                          "(func (export 'trap') unreachable)"
                          "(func (export 'fine') (call $echo))"));

    observe_call(p, "both", "both", "");
    observe_call(p, "trap", "trap", "");
    observe_call(p, "fine", "fine", "x");
    extism.plugin_free(p);
}

static void freed_error(void)
{
    observe_once(guest("(data (i32.const 4096) 'freed')"
                       "(func (export 'run') (result i32) (local $h i64)"
                       "  (local.set $h (call $put (i32.const 4096) (i32.const 5)))"
                       "  (call $error_set (local.get $h)) (call $free (local.get $h))"
                       "  (i32.const 6))"),
                 "run");
}

static void odd_offsets(void)
{
    ExtismPlugin *p =
        plugin_open(guest("(data (i32.const 4096) 'some text')"
                          "(func (export 'inside') (result i32)"
                          "  (call $error_set (i64.add (i64.const 1)"
                          "    (call $put (i32.const 4096) (i32.const 9)))) (i32.const 3))"
                          "(func (export 'beyond') (result i32)"
                          "  (call $error_set (i64.const 99999999)) (i32.const 3))"
                          "(func (export 'negative') (result i32)"
                          "  (call $error_set (i64.const -1)) (i32.const 3))"));

    observe_call(p, "beyond", "beyond", "");
    observe_call(p, "negative", "negative", "");
    observe_call(p, "inside", "inside", "");
    extism.plugin_free(p);
}

static void not_utf8(void)
{
    ExtismPlugin *p = plugin_open(guest("(data (i32.const 4096) 'bad \\ff\\fe text')"
                                        "(func (export 'run') (result i32)"
                                        "  (call $fail (i32.const 4096) (i32.const 11))"
                                        "  (i32.const 1))"));

    observe_call(p, "call", "run", "");
    observe_call(p, "again", "run", "");
    extism.plugin_free(p);
}

static void with_a_nul(void)
{
    observe_once(guest("(data (i32.const 4096) 'one\\00two')"
                       "(func (export 'run') (result i32)"
                       "  (call $fail (i32.const 4096) (i32.const 7)) (i32.const 1))"),
                 "run");
}

static void long_error(void)
{
    observe_once(guest("(func (export 'run') (result i32) (local $h i64) (local $i i64)"
                       "  (local.set $h (call $alloc (i64.const 100000)))"
                       "  (loop $next"
                       "    (call $store_u8 (i64.add (local.get $h) (local.get $i))"
                       "      (i32.const 65))"
                       "    (local.set $i (i64.add (local.get $i) (i64.const 1)))"
                       "    (br_if $next (i64.lt_u (local.get $i) (i64.const 100000))))"
                       "  (call $error_set (local.get $h)) (i32.const 9))"),
                 "run");
}

static void error_get_sees_it(void)
{
    observe_once_numbers(guest("(data (i32.const 4096) 'text')"
                               "(func (export 'run') (local $h i64)"
                               "  (call $emit (call $error_get))"
                               "  (local.set $h (call $put (i32.const 4096) (i32.const 4)))"
                               "  (call $error_set (local.get $h))"
                               "  (call $emit (i64.extend_i32_u"
                               "    (i64.eq (call $error_get) (local.get $h))))"
                               "  (call $emit (call $length (call $error_get)))"
                               "  (call $error_set (i64.const 0))"
                               "  (call $emit (call $error_get))"
                               "  (call $flush))"),
                         "run");
}

static const test_case cases[] = {
    {"with_return_codes", with_return_codes},
    {"both_names", both_names},
    {"cleared_by_what", cleared_by_what},
    {"guest_error_cleared_by_what", guest_error_cleared_by_what},
    {"guest_error_after_reset", guest_error_after_reset},
    {"error_and_trap", error_and_trap},
    {"freed_error", freed_error},
    {"odd_offsets", odd_offsets},
    {"not_utf8", not_utf8},
    {"with_a_nul", with_a_nul},
    {"long_error", long_error},
    {"error_get_sees_it", error_get_sees_it},
    {NULL, NULL},
};

const case_group error_cases = {"error", cases, false};
