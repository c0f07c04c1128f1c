#include "case.h"

/* Handles that are none, given to every import that takes one. */

static void to_each_import(const char *offset)
{
    static const struct {
        const char *name;
        const char *call;
    } imports[] = {
        {"config_get", "(drop (call $config_get (i64.const %s)))"},
        {"var_get", "(drop (call $var_get (i64.const %s)))"},
        {"var_set key", "(call $var_set (i64.const %s) (i64.const 0))"},
        {"var_set value", "(call $var_set (call $k) (i64.const %s))"},
        {"http_request", "(drop (call $http_request (i64.const %s) (i64.const 0)))"},
        {"log_trace", "(call $log_trace (i64.const %s))"},
        {"log_debug", "(call $log_debug (i64.const %s))"},
        {"log_info", "(call $log_info (i64.const %s))"},
        {"log_warn", "(call $log_warn (i64.const %s))"},
        {"log_error", "(call $log_error (i64.const %s))"},
    };

    for (size_t i = 0; i < sizeof imports / sizeof *imports; i++) {
        /* The format is one of the table above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        char *call = quoted_format(imports[i].call, offset);
#pragma GCC diagnostic pop
        ExtismPlugin *p =
            plugin_open(guest(quoted_format("(data (i32.const 4096) 'key')"
                                            "(func $k (result i64)"
                                            "  (call $put (i32.const 4096) (i32.const 3)))"
                                            "(func (export 'run') %s (call $echo))",
                                            call)));

        observe_call(p, imports[i].name, "run", "went on");
        extism.plugin_free(p);
    }
}

static void no_block(void)
{
    to_each_import("99999999");
}

static void zero(void)
{
    to_each_import("0");
}

static void negative(void)
{
    to_each_import("-1");
}

static void past_4_gib(void)
{
    to_each_import("4294967300");
}

static void inside_a_block(void)
{
    ExtismPlugin *p =
        plugin_open(guest("(func (export 'config') (drop (call $config_get"
                          "  (i64.add (call $input_offset) (i64.const 1)))))"
                          "(func (export 'after_free') (local $h i64)"
                          "  (local.set $h (call $alloc (i64.const 8))) (call $free (local.get $h))"
                          "  (drop (call $var_get (local.get $h))))"));

    /* The offsets in the texts are each library's own. */
    observe_int("inside", extism.plugin_call(p, "config", (const uint8_t *)"abc", 3));
    observe_bool("inside says", strstr(extism.plugin_error(p), "wasm backtrace") != NULL);
    observe_int("freed", extism.plugin_call(p, "after_free", NULL, 0));
    extism.plugin_free(p);
}

static void http_body(void)
{
    write_text("http.wat",
               guest("(data (i32.const 4096) '{\\22url\\22:\\22http://127.0.0.1:1/\\22}')"
                     "(func (export 'run') (drop (call $http_request"
                     "  (call $put (i32.const 4096) (i32.const 29))"
                     "  (i64.const 88888888))))"));
    observe_once("{'wasm':[{'path':'http.wat'}],'allowed_hosts':['127.0.0.1']}", "run");
}

static void trap_after_a_denial(void)
{
    ExtismPlugin *p = plugin_open(guest("(func (export 'bad') (drop (call $var_get"
                                        "  (i64.const 77777777))))"
                                        "(func (export 'fine') (call $echo))"));

    observe_call(p, "bad", "bad", "");
    observe_call(p, "fine", "fine", "after it");
    extism.plugin_free(p);
}

static const test_case cases[] = {
    {"no_block", no_block},
    {"zero", zero},
    {"negative", negative},
    {"past_4_gib", past_4_gib},
    {"inside_a_block", inside_a_block},
    {"http_body", http_body},
    {"trap_after_a_denial", trap_after_a_denial},
    {NULL, NULL},
};

const case_group handle_cases = {"handle", cases, false};
