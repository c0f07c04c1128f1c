#include "case.h"

#include <stdlib.h>

/* Variables: var_get and var_set, and the manifest's memory.max_var_bytes. */

/* Exports: set (key "k" to the input), set_long (a long key), get, get_other, remove, null_key. */
static const char VARS[] =
    "(data (i32.const 4096) 'kother')"
    "(func $k (result i64) (call $put (i32.const 4096) (i32.const 1)))"
    "(func $other (result i64) (call $put (i32.const 4097) (i32.const 5)))"
    "(func $show (param $h i64)"
    "  (call $output_set (local.get $h) (call $length (local.get $h))))"
    "(func (export 'set') (call $var_set (call $k) (call $input_offset)))"
    "(func (export 'set_other') (call $var_set (call $other) (call $input_offset)))"
    "(func (export 'get') (call $show (call $var_get (call $k))))"
    "(func (export 'get_other') (call $show (call $var_get (call $other))))"
    "(func (export 'remove') (call $var_set (call $k) (i64.const 0)))"
    "(func (export 'trap') (call $var_set (call $k) (call $input_offset)) unreachable)"
    "(func (export 'handle') (call $emit (call $var_get (call $k))) (call $flush))";

static ExtismPlugin *open_with_manifest(const char *rest)
{
    char *wat = guest(VARS);

    write_text("vars.wat", wat);
    return plugin_open(quoted_format("{'wasm':[{'path':'vars.wat'}]%s}", rest));
}

static void set_get_remove(void)
{
    ExtismPlugin *p = plugin_open(guest(VARS));

    observe_call_numbers(p, "none", "handle", "");
    observe_call(p, "set", "set", "value");
    observe_call(p, "get", "get", "");
    observe_call(p, "other", "get_other", "");
    observe_call(p, "set again", "set", "a longer value");
    observe_call(p, "get again", "get", "");
    observe_call(p, "set other", "set_other", "2");
    observe_call(p, "remove", "remove", "");
    observe_call(p, "removed", "get", "");
    observe_call(p, "other", "get_other", "");
    observe_call(p, "remove again", "remove", "");
    extism.plugin_free(p);
}

static void what_they_survive(void)
{
    ExtismPlugin *p = plugin_open(guest(VARS));

    observe_call(p, "set", "set", "kept");
    observe_bool("reset", extism.plugin_reset(p));
    observe_call(p, "after a reset", "get", "");
    observe_int("trap", extism.plugin_call(p, "trap", (const uint8_t *)"from a trap", 11));
    observe_call(p, "after a trap", "get", "");
    extism.plugin_free(p);
}

static void not_shared(void)
{
    ExtismPlugin *a = plugin_open(guest(VARS));
    ExtismPlugin *b = plugin_open(guest(VARS));

    observe_call(a, "set", "set", "of a");
    observe_call(b, "in b", "get", "");
    extism.plugin_free(a);
    extism.plugin_free(b);
}

static void binary_and_empty(void)
{
    ExtismPlugin *p = plugin_open(guest(VARS));

    observe_call_bytes(p, "binary", "set", "\0\xff\0", 3);
    observe_call(p, "get", "get", "");
    observe_call(p, "empty", "set", "");
    observe_call(p, "get empty", "get", "");
    extism.plugin_free(p);
}

/* The handles belong to the host once they are passed. */
static void handles_are_taken(void)
{
    ExtismPlugin *p =
        plugin_open(guest("(data (i32.const 4096) 'key')"
                          "(func (export 'run') (local $k i64) (local $v i64)"
                          "  (local.set $k (call $put (i32.const 4096) (i32.const 3)))"
                          "  (local.set $v (call $put (i32.const 4096) (i32.const 2)))"
                          "  (call $var_set (local.get $k) (local.get $v))"
                          "  (call $emit (call $length (local.get $k)))"
                          "  (call $emit (call $length (local.get $v)))"
                          "  (local.set $k (call $put (i32.const 4096) (i32.const 3)))"
                          "  (local.set $v (call $var_get (local.get $k)))"
                          "  (if (i64.ne (local.get $k) (local.get $v))"
                          "    (then (call $emit (call $length (local.get $k))))"
                          "    (else (call $emit (i64.const 0))))"
                          "  (call $emit (call $length (local.get $v)))"
                          "  (call $emit (i64.extend_i32_u (call $load_u8 (local.get $v))))"
                          "  (call $flush))"));

    observe_call_numbers(p, "call", "run", "");
    extism.plugin_free(p);
}

static void disabled(void)
{
    ExtismPlugin *p = open_with_manifest(",'memory':{'max_var_bytes':0}");

    observe_call(p, "set", "set", "value");
    observe_call(p, "get", "get", "");
    observe_call(p, "remove", "remove", "");
    extism.plugin_free(p);
}

/* Each variable counts 48 bytes, its key and its value. */
static void small_limit(void)
{
    ExtismPlugin *p = open_with_manifest(",'memory':{'max_var_bytes':100}");
    char *text = malloc(53);

    memset(text, 'x', 52);
    text[52] = '\0';
    observe_call(p, "1 too many", "set", text);
    text[51] = '\0';
    observe_call(p, "just fits", "set", text);
    observe_call(p, "get", "get", "");
    observe_call(p, "over it with itself", "set", "y");
    observe_call(p, "kept", "get", "");
    observe_call(p, "another", "set_other", "z");
    observe_call(p, "remove", "remove", "");
    observe_call(p, "room again", "set_other", "z");
    extism.plugin_free(p);
}

static void default_limit(void)
{
    ExtismPlugin *p = plugin_open(guest(VARS));
    size_t most = 1024 * 1024 - 48 - 1;
    char *data = calloc(1, most + 1);

    observe_call_bytes(p, "1 too many", "set", data, most + 1);
    observe_call_bytes(p, "just fits", "set", data, most);
    observe_call(p, "get", "get", "");
    observe_call(p, "full", "set_other", "x");
    extism.plugin_free(p);
}

static void limit_where_memory_names_another(void)
{
    ExtismPlugin *p = open_with_manifest(",'memory':{'max_http_response_bytes':1}");
    size_t most = 1024 * 1024 - 48 - 1;
    char *data = calloc(1, most + 1);

    observe_call_bytes(p, "1 too many", "set", data, most + 1);
    observe_call_bytes(p, "just fits", "set", data, most);
    extism.plugin_free(p);
}

static void large_limit(void)
{
    ExtismPlugin *p = open_with_manifest(",'memory':{'max_var_bytes':18446744073709551615}");
    size_t size = 3 * 1024 * 1024;
    char *data = calloc(1, size);

    observe_call_bytes(p, "3 MiB", "set", data, size);
    observe_call(p, "get", "get", "");
    extism.plugin_free(p);
}

static void key_not_utf8(void)
{
    ExtismPlugin *p = plugin_open(guest("(data (i32.const 4096) 'k\\ff\\fe')"
                                        "(func $k (result i64)"
                                        "  (call $put (i32.const 4096) (i32.const 3)))"
                                        "(func (export 'get') (drop (call $var_get (call $k))))"
                                        "(func (export 'set')"
                                        "  (call $var_set (call $k) (call $input_offset)))"));

    observe_call(p, "get", "get", "");
    observe_call(p, "set", "set", "x");
    extism.plugin_free(p);
}

static void many(void)
{
    ExtismPlugin *p = plugin_open(
        guest("(func $key (param $i i64) (result i64) (local $h i64)"
              "  (local.set $h (call $alloc (i64.const 8)))"
              "  (call $store_u64 (local.get $h) (i64.or (i64.const 0x3030303030303030)"
              "    (i64.or (i64.and (local.get $i) (i64.const 7))"
              "      (i64.or (i64.shl (i64.and (local.get $i) (i64.const 0x38)) (i64.const 5))"
              "        (i64.shl (i64.and (local.get $i) (i64.const 0x1c0)) (i64.const 10))))))"
              "  (local.get $h))"
              "(func $val (param $i i64) (result i64) (local $h i64)"
              "  (local.set $h (call $alloc (i64.const 8)))"
              "  (call $store_u64 (local.get $h) (local.get $i)) (local.get $h))"
              "(func (export 'run') (local $i i64) (local $wrong i64)"
              "  (loop $next"
              "    (call $var_set (call $key (local.get $i)) (call $val (local.get $i)))"
              "    (local.set $i (i64.add (local.get $i) (i64.const 1)))"
              "    (br_if $next (i64.lt_u (local.get $i) (i64.const 512))))"
              "  (loop $check"
              "    (local.set $i (i64.sub (local.get $i) (i64.const 1)))"
              "    (if (i64.ne (local.get $i) (call $load_u64 (call $var_get (call $key"
              "      (local.get $i)))))"
              "      (then (local.set $wrong (i64.add (local.get $wrong) (i64.const 1)))))"
              "    (br_if $check (i64.ne (local.get $i) (i64.const 0))))"
              "  (call $emit (local.get $wrong)) (call $flush))"));

    observe_call_numbers(p, "call", "run", "");
    extism.plugin_free(p);
}

static const test_case cases[] = {
    {"set_get_remove", set_get_remove},
    {"what_they_survive", what_they_survive},
    {"not_shared", not_shared},
    {"binary_and_empty", binary_and_empty},
    {"handles_are_taken", handles_are_taken},
    {"disabled", disabled},
    {"small_limit", small_limit},
    {"default_limit", default_limit},
    {"limit_where_memory_names_another", limit_where_memory_names_another},
    {"large_limit", large_limit},
    {"key_not_utf8", key_not_utf8},
    {"many", many},
    {NULL, NULL},
};

const case_group var_cases = {"var", cases, false};
