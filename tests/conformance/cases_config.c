#include "case.h"

/* Configuration: the manifest's config, config_get, and extism_plugin_config. */

static const char CONFIG[] = "(func (export 'get') (local $h i64)"
                             "  (local.set $h (call $config_get (call $input_offset)))"
                             "  (call $output_set (local.get $h) (call $length (local.get $h))))"
                             "(func (export 'found') (call $emit (i64.extend_i32_u (i64.ne"
                             "  (call $config_get (call $input_offset)) (i64.const 0))))"
                             "  (call $flush))";

static ExtismPlugin *open_with_config(const char *config)
{
    write_text("config.wat", guest(CONFIG));
    return plugin_open(quoted_format("{'wasm':[{'path':'config.wat'}],'config':%s}", config));
}

static void set(ExtismPlugin *p, const char *label, const char *json)
{
    char *text = quoted(json);

    observe_bool(label, extism.plugin_config(p, (const uint8_t *)text, strlen(text)));
}

static void from_the_manifest(void)
{
    ExtismPlugin *p = open_with_config("{'a':'1','long key':'with \\\\ and \\u00e9','empty':''}");

    observe_call(p, "a", "get", "a");
    observe_call(p, "long key", "get", "long key");
    observe_call(p, "empty", "get", "empty");
    observe_call_numbers(p, "empty found", "found", "empty");
    observe_call(p, "missing", "get", "missing");
    observe_call_numbers(p, "missing found", "found", "missing");
    observe_call(p, "case", "get", "A");
    observe_call(p, "no key", "get", "");
    extism.plugin_free(p);
}

static void updated(void)
{
    ExtismPlugin *p = open_with_config("{'a':'1','b':'2'}");

    set(p, "update", "{'a':'changed','c':'new'}");
    observe_call(p, "a", "get", "a");
    observe_call(p, "b", "get", "b");
    observe_call(p, "c", "get", "c");
    set(p, "remove", "{'a':null,'none':null}");
    observe_call(p, "a", "get", "a");
    observe_call(p, "b", "get", "b");
    set(p, "nothing", "{}");
    observe_call(p, "c", "get", "c");
    extism.plugin_free(p);
}

static void of_a_plain_module(void)
{
    ExtismPlugin *p = plugin_open(guest(CONFIG));

    observe_call(p, "before", "get", "a");
    set(p, "set", "{'a':'b'}");
    observe_call(p, "after", "get", "a");
    extism.plugin_free(p);
}

static void bad_updates(void)
{
    static const char *const bad[] = {
        "",           "{",        "[]",          "null",       "'text'",      "{'a':1}",
        "{'a':true}", "{'a':{}}", "{'a':['x']}", "{'a':'b',}", "{'a':'b'} x", "{a:'b'}"};
    ExtismPlugin *p = open_with_config("{'a':'1'}");

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        set(p, bad[i], bad[i]);
    observe_call(p, "unchanged", "get", "a");
    observe_bool("not UTF-8", extism.plugin_config(p, (const uint8_t *)"{\"a\":\"\xff\"}", 9));
    observe_call(p, "unchanged", "get", "a");
    extism.plugin_free(p);
}

static void partly_bad_update(void)
{
    ExtismPlugin *p = open_with_config("{'a':'1'}");

    set(p, "one good, one bad", "{'a':'2','b':3}");
    observe_call(p, "a", "get", "a");
    extism.plugin_free(p);
}

static void doubled_key(void)
{
    ExtismPlugin *p = open_with_config("{'a':'1'}");

    set(p, "doubled", "{'a':'2','a':'3'}");
    observe_call(p, "a", "get", "a");
    extism.plugin_free(p);
}

static void spaces_and_escapes(void)
{
    ExtismPlugin *p = open_with_config("{}");

    set(p, "set", "  {\n 'k\\u0065y' : 'v\\n\\ud83d\\ude00' \t}  \n");
    observe_call(p, "key", "get", "key");
    set(p, "lone surrogate", "{'key':'\\ud83d'}");
    set(p, "nul", "{'key':'a\\u0000b'}");
    observe_call(p, "key", "get", "key");
    extism.plugin_free(p);
}

static void survives_a_reset(void)
{
    ExtismPlugin *p = open_with_config("{'a':'1'}");

    set(p, "set", "{'a':'2'}");
    observe_bool("reset", extism.plugin_reset(p));
    observe_call(p, "a", "get", "a");
    extism.plugin_free(p);
}

static void large_value(void)
{
    ExtismPlugin *p = open_with_config("{}");
    static char json[200000];
    size_t n = 0;

    n += (size_t)sprintf(json, "{\"big\":\"");
    memset(json + n, 'x', 150000);
    n += 150000;
    n += (size_t)sprintf(json + n, "\"}");
    observe_bool("set", extism.plugin_config(p, (const uint8_t *)json, n));
    observe_call(p, "get", "get", "big");
    extism.plugin_free(p);
}

static void key_is_taken(void)
{
    write_text("key.wat", guest("(data (i32.const 4096) 'a')"
                                "(func (export 'run') (local $k i64) (local $v i64)"
                                "  (local.set $k (call $put (i32.const 4096) (i32.const 1)))"
                                "  (local.set $v (call $config_get (local.get $k)))"
                                "  (if (i64.ne (local.get $k) (local.get $v))"
                                "    (then (call $emit (call $length (local.get $k))))"
                                "    (else (call $emit (i64.const 0))))"
                                "  (call $emit (call $length (local.get $v)))"
                                "  (call $flush))"));
    observe_once_numbers("{'wasm':[{'path':'key.wat'}],'config':{'a':'four'}}", "run");
}

static void key_not_utf8(void)
{
    ExtismPlugin *p = open_with_config("{'a':'1'}");

    observe_call(p, "call", "get", "a\xff");
    extism.plugin_free(p);
}

static const test_case cases[] = {
    {"from_the_manifest", from_the_manifest},
    {"updated", updated},
    {"of_a_plain_module", of_a_plain_module},
    {"bad_updates", bad_updates},
    {"partly_bad_update", partly_bad_update},
    {"doubled_key", doubled_key},
    {"spaces_and_escapes", spaces_and_escapes},
    {"survives_a_reset", survives_a_reset},
    {"large_value", large_value},
    {"key_is_taken", key_is_taken},
    {"key_not_utf8", key_not_utf8},
    {NULL, NULL},
};

const case_group config_cases = {"config", cases, false};
