#include "case.h"

/* The kernel's memory: alloc, free, lengths, loads and stores with any offset. The layout is each
 * library's own, so only what a guest may rely on is looked at. */

static void alloc_and_length(void)
{
    observe_once_numbers(
        guest("(func $try (param $n i64) (local $h i64)"
              "  (local.set $h (call $alloc (local.get $n)))"
              "  (call $emit (i64.extend_i32_u (i64.ne (local.get $h) (i64.const 0))))"
              "  (call $emit (call $length (local.get $h)))"
              "  (call $emit (call $length_unsafe (local.get $h))))"
              "(func (export 'run')"
              "  (call $try (i64.const 0)) (call $try (i64.const 1)) (call $try (i64.const 7))"
              "  (call $try (i64.const 8)) (call $try (i64.const 65536))"
              "  (call $try (i64.const 70000)) (call $try (i64.const 10000000))"
              "  (call $flush))"),
        "run");
}

/* Far more than a 32-bit memory holds, but no arithmetic comes near its end. */
static void alloc_too_much(void)
{
    ExtismPlugin *p = plugin_open(guest("(func (export 'run')"
                                        "  (call $emit (call $alloc (i64.const 4294901760)))"
                                        "  (call $emit (call $alloc (i64.const 4294967296)))"
                                        "  (call $emit (call $alloc (i64.const 8589934592)))"
                                        "  (call $flush))"));

    observe_call_numbers(p, "call", "run", "");
    observe_call_numbers(p, "again", "run", "");
    extism.plugin_free(p);
}

static void alloc_wraps(void)
{
    static const char *const sizes[] = {
        "-1", "-8", "-16", "-65536", "-9223372036854775808", "9223372036854775807"};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ExtismPlugin *p =
            plugin_open(guest(quoted_format("(func (export 'run') (call $emit"
                                            "  (call $alloc (i64.const %s))) (call $flush))",
                                            sizes[i])));

        observe_call_numbers(p, sizes[i], "run", "");
        extism.plugin_free(p);
    }
}

static void blocks_do_not_overlap(void)
{
    observe_once_numbers(
        guest("(func (export 'run') (local $i i64) (local $h i64) (local $bad i64)"
              "  (loop $next"
              "    (local.set $h (call $alloc (i64.add (local.get $i) (i64.const 8))))"
              "    (i64.store (i32.add (i32.const 4096) (i32.wrap_i64 (i64.mul (local.get $i)"
              "      (i64.const 8)))) (local.get $h))"
              "    (call $store_u64 (local.get $h) (local.get $i))"
              "    (local.set $i (i64.add (local.get $i) (i64.const 1)))"
              "    (br_if $next (i64.lt_u (local.get $i) (i64.const 1000))))"
              "  (local.set $i (i64.const 0))"
              "  (loop $check"
              "    (local.set $h (i64.load (i32.add (i32.const 4096) (i32.wrap_i64"
              "      (i64.mul (local.get $i) (i64.const 8))))))"
              "    (if (i64.ne (call $load_u64 (local.get $h)) (local.get $i))"
              "      (then (local.set $bad (i64.add (local.get $bad) (i64.const 1)))))"
              "    (if (i64.ne (call $length (local.get $h)) (i64.add (local.get $i)"
              "      (i64.const 8)))"
              "      (then (local.set $bad (i64.add (local.get $bad) (i64.const 1)))))"
              "    (local.set $i (i64.add (local.get $i) (i64.const 1)))"
              "    (br_if $check (i64.lt_u (local.get $i) (i64.const 1000))))"
              "  (call $emit (local.get $bad)) (call $flush))"),
        "run");
}

/* Freed blocks are used again: memory does not grow without end within one call. */
static void freed_memory_is_used_again(void)
{
    observe_once_numbers(
        guest("(func (export 'run') (local $i i32) (local $before i64)"
              "  (call $free (call $alloc (i64.const 100000)))"
              "  (local.set $before (call $memory_bytes))"
              "  (loop $next"
              "    (call $free (call $alloc (i64.const 90000)))"
              "    (local.set $i (i32.add (local.get $i) (i32.const 1)))"
              "    (br_if $next (i32.lt_u (local.get $i) (i32.const 500))))"
              "  (call $emit (i64.extend_i32_u (i64.lt_u (i64.sub (call $memory_bytes)"
              "    (local.get $before)) (i64.const 1000000))))"
              "  (call $flush))"),
        "run");
}

static void free_and_length(void)
{
    observe_once_numbers(guest("(func (export 'run') (local $h i64) (local $other i64)"
                               "  (local.set $h (call $alloc (i64.const 32)))"
                               "  (local.set $other (call $alloc (i64.const 48)))"
                               "  (call $free (local.get $h))"
                               "  (call $emit (call $length (local.get $h)))"
                               "  (call $emit (call $length_unsafe (local.get $h)))"
                               "  (call $free (local.get $h))"
                               "  (call $emit (call $length (local.get $other)))"
                               "  (call $free (i64.const 0)) (call $free (i64.const 1))"
                               "  (call $free (i64.const 99999999)) (call $free (i64.const -1))"
                               "  (call $free (i64.add (local.get $other) (i64.const 8)))"
                               "  (call $emit (call $length (local.get $other)))"
                               "  (call $flush))"),
                         "run");
}

/* length of what is no handle is 0. */
static void length_of_no_handle(void)
{
    observe_once_numbers(
        guest("(func $both (param i64) (call $emit (call $length (local.get 0))))"
              "(func (export 'run') (local $h i64)"
              "  (local.set $h (call $alloc (i64.const 64)))"
              "  (call $both (i64.add (local.get $h) (i64.const 1)))"
              "  (call $both (i64.add (local.get $h) (i64.const 8)))"
              "  (call $both (i64.sub (local.get $h) (i64.const 1)))"
              "  (call $both (i64.add (local.get $h) (i64.const 4294967296)))"
              "  (call $both (i64.const 0)) (call $both (i64.const 1))"
              "  (call $both (i64.const 50)) (call $both (i64.const 65535))"
              "  (call $both (i64.const 65536)) (call $both (i64.const 99999999))"
              "  (call $both (i64.const 4294967295)) (call $both (i64.const 4294967296))"
              "  (call $both (i64.const -1)) (call $both (i64.const -9223372036854775808))"
              "  (call $flush))"),
        "run");
}

static void length_unsafe_of_no_handle(void)
{
    observe_once_numbers(guest("(func $try (param i64) (call $emit (call $length_unsafe"
                               "  (local.get 0))))"
                               "(func (export 'run')"
                               "  (call $try (i64.const 0)) (call $try (i64.const 1))"
                               "  (call $try (i64.const 99999999))"
                               "  (call $try (i64.const 4294967296))"
                               "  (call $try (i64.const -1)) (call $flush))"),
                         "run");
}

static void loads_and_stores(void)
{
    observe_once_numbers(
        guest("(func (export 'run') (local $h i64)"
              "  (local.set $h (call $alloc (i64.const 32)))"
              "  (call $store_u64 (local.get $h) (i64.const 0x1122334455667788))"
              "  (call $emit (call $load_u64 (local.get $h)))"
              "  (call $emit (i64.extend_i32_u (call $load_u8 (local.get $h))))"
              "  (call $emit (i64.extend_i32_u (call $load_u8"
              "    (i64.add (local.get $h) (i64.const 7)))))"
              "  (call $store_u8 (i64.add (local.get $h) (i64.const 1)) (i32.const 0x1ff))"
              "  (call $emit (call $load_u64 (local.get $h)))"
              "  (call $store_u64 (i64.add (local.get $h) (i64.const 3)) (i64.const -1))"
              "  (call $emit (call $load_u64 (i64.add (local.get $h) (i64.const 2))))"
              "  (call $emit (i64.extend_i32_u (call $load_u8"
              "    (i64.add (local.get $h) (i64.const 5)))))"
              "  (call $flush))"),
        "run");
}

static void loads_out_of_bounds(void)
{
    observe_once_numbers(
        guest("(func $try (param i64)"
              "  (call $emit (i64.extend_i32_u (call $load_u8 (local.get 0))))"
              "  (call $emit (call $load_u64 (local.get 0))))"
              "(func (export 'run')"
              "  (call $try (i64.const 99999999)) (call $try (i64.const 4294967295))"
              "  (call $try (i64.const 4294967296)) (call $try (i64.const 1099511627776))"
              "  (call $try (i64.const -9223372036854775808)) (call $flush))"),
        "run");
}

static void stores_out_of_bounds(void)
{
    ExtismPlugin *p = plugin_open(
        guest("(func $try (param i64) (call $store_u8 (local.get 0) (i32.const 1))"
              "  (call $store_u64 (local.get 0) (i64.const -1)))"
              "(func (export 'run')"
              "  (call $try (i64.const 99999999)) (call $try (i64.const 4294967295))"
              "  (call $try (i64.const 4294967296)) (call $try (i64.const 1099511627776))"
              "  (call $try (i64.const -9223372036854775808)) (call $echo))"));

    observe_call(p, "call", "run", "input is whole");
    extism.plugin_free(p);
}

/* offset + 7 wraps around to a small offset. */
static void access_wraps(void)
{
    observe_once(guest("(func (export 'run') (drop (call $load_u64 (i64.const -4)))"
                       "  (call $store_u64 (i64.const -4) (i64.const 0))"
                       "  (call $echo))"),
                 "run");
}

/* The last bytes of the kernel's memory, and the first beyond: found by the guest itself. */
static void last_bytes(void)
{
    observe_once_numbers(guest("(func (export 'run') (local $h i64)"
                               "  (local.set $h (call $alloc (i64.const 200000)))"
                               "  (call $store_u8 (i64.add (local.get $h) (i64.const 199999))"
                               "    (i32.const 42))"
                               "  (call $emit (i64.extend_i32_u (call $load_u8"
                               "    (i64.add (local.get $h) (i64.const 199999)))))"
                               "  (call $store_u64 (i64.add (local.get $h) (i64.const 199992))"
                               "    (i64.const 7))"
                               "  (call $emit (call $load_u64"
                               "    (i64.add (local.get $h) (i64.const 199992))))"
                               "  (call $flush))"),
                         "run");
}

static void memory_bytes(void)
{
    observe_once_numbers(guest("(func (export 'run') (local $a i64) (local $b i64)"
                               "  (local.set $a (call $memory_bytes))"
                               "  (drop (call $alloc (i64.const 1000000)))"
                               "  (local.set $b (call $memory_bytes))"
                               "  (call $emit (i64.extend_i32_u"
                               "    (i64.gt_u (local.get $a) (i64.const 0))))"
                               "  (call $emit (i64.extend_i32_u (i64.ge_u (i64.sub"
                               "    (local.get $b) (local.get $a)) (i64.const 900000))))"
                               "  (call $flush))"),
                         "run");
}

/* What a block held is gone after the call. */
static void nothing_leaks_between_calls(void)
{
    ExtismPlugin *p =
        plugin_open(guest("(func (export 'write') (local $h i64)"
                          "  (local.set $h (call $alloc (i64.const 8)))"
                          "  (call $store_u64 (local.get $h) (i64.const 0x5ec7e75ec7e7)))"
                          "(func (export 'read') (local $h i64)"
                          "  (local.set $h (call $alloc (i64.const 8)))"
                          "  (call $emit (call $load_u64 (local.get $h))) (call $flush))"));

    observe_call(p, "write", "write", "");
    observe_call_numbers(p, "read", "read", "");
    extism.plugin_free(p);
}

static void handles_across_calls(void)
{
    ExtismPlugin *p = plugin_open(guest("(global $h (mut i64) (i64.const 0))"
                                        "(func (export 'keep')"
                                        "  (global.set $h (call $alloc (i64.const 5000)))"
                                        "  (global.set $h (call $alloc (i64.const 100))))"
                                        "(func (export 'use')"
                                        "  (call $emit (call $length (global.get $h)))"
                                        "  (call $flush))"));

    observe_call(p, "keep", "keep", "");
    observe_call_numbers(p, "use", "use", "");
    extism.plugin_free(p);
}

static const test_case cases[] = {
    {"alloc_and_length", alloc_and_length},
    {"alloc_too_much", alloc_too_much},
    {"alloc_wraps", alloc_wraps},
    {"blocks_do_not_overlap", blocks_do_not_overlap},
    {"freed_memory_is_used_again", freed_memory_is_used_again},
    {"free_and_length", free_and_length},
    {"length_of_no_handle", length_of_no_handle},
    {"length_unsafe_of_no_handle", length_unsafe_of_no_handle},
    {"loads_and_stores", loads_and_stores},
    {"loads_out_of_bounds", loads_out_of_bounds},
    {"stores_out_of_bounds", stores_out_of_bounds},
    {"access_wraps", access_wraps},
    {"last_bytes", last_bytes},
    {"memory_bytes", memory_bytes},
    {"nothing_leaks_between_calls", nothing_leaks_between_calls},
    {"handles_across_calls", handles_across_calls},
    {NULL, NULL},
};

const case_group kernel_cases = {"kernel", cases, false};
