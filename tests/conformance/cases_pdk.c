#include "case.h"

#include "http_server.h"

#include <stdlib.h>

/* Plug-ins made with the tools that people use: clang, Rust with the extism-pdk crate, Go with
 * Extism's Go PDK (tests/plugins). */

static void shout(ExtismCurrentPlugin *plugin, const ExtismVal *inputs, ExtismSize n_inputs,
                  ExtismVal *outputs, ExtismSize n_outputs, void *data)
{
    uint64_t h = (uint64_t)inputs[0].v.i64;
    uint64_t len = extism.current_plugin_memory_length(plugin, h);
    uint64_t to = extism.current_plugin_memory_alloc(plugin, len + 1);
    uint8_t *memory = extism.current_plugin_memory(plugin);

    (void)n_inputs;
    (void)n_outputs;
    (void)data;
    for (uint64_t i = 0; i < len; i++)
        memory[to + i] = (uint8_t)(memory[h + i] >= 'a' && memory[h + i] <= 'z' ? memory[h + i] - 32
                                                                                : memory[h + i]);
    memory[to + len] = '!';
    outputs[0].v.i64 = (int64_t)to;
}

/* A plug-in of tests/plugins, with `shout` and the rest of its manifest. */
static ExtismPlugin *open_built(const char *name, const char *rest)
{
    static const ExtismValType i64 = ExtismValType_I64;
    const ExtismFunction *list[] = {
        extism.function_new("shout", &i64, 1, &i64, 1, shout, NULL, NULL)};
    size_t len;
    char *wasm = built_plugin(name, &len);
    char *manifest;

    if (wasm == NULL)
        return NULL;
    write_file("plugin.wasm", wasm, len);
    manifest = quoted_format("{'wasm':[{'path':'plugin.wasm'}]%s}", rest);
    return plugin_open_with("new", manifest, strlen(manifest), list, 1, true);
}

static void vowels_of(const char *plugin)
{
    ExtismPlugin *p = open_built(plugin, "");
    size_t size = 1024 * 1024;
    char *text = malloc(size);

    for (size_t i = 0; i < size; i++)
        text[i] = (char)('a' + (i * i + i / 26) % 26);
    observe_call(p, "text", "count_vowels", "Hello, World!");
    observe_call(p, "empty", "count_vowels", "");
    observe_call(p, "utf-8", "count_vowels", "Grüße aus Österreich");
    observe_call_bytes(p, "1 MiB", "count_vowels", text, size);
    observe_call(p, "small again", "count_vowels", "aeiou");
    extism.plugin_free(p);
}

static void c_count_vowels(void)
{
    vowels_of("c_count_vowels");
}

static void rust_count_vowels(void)
{
    vowels_of("rust_plugin");
}

static void go_count_vowels(void)
{
    vowels_of("go_plugin");
}

static void c_services(void)
{
    ExtismPlugin *p = open_built("c_services", ",'config':{'a':'of the manifest'}");

    observe_call(p, "echo", "echo", "some text");
    observe_call(p, "config", "config", "a");
    observe_call(p, "config missing", "config", "b");
    observe_call_numbers(p, "counter", "counter", "");
    observe_call_numbers(p, "counter", "counter", "");
    observe_call(p, "forget", "forget", "");
    observe_call_numbers(p, "counter", "counter", "");
    observe_call(p, "log", "log", "a line");
    observe_call(p, "shout", "shout", "quiet words");
    observe_call(p, "fail", "fail", "");
    observe_call(p, "crash", "crash", "");
    observe_call(p, "echo", "echo", "alive");
    extism.plugin_free(p);
}

static void c_http(void)
{
    unsigned port = http_server_start();
    ExtismPlugin *p = open_built("c_services", ",'allowed_hosts':['127.0.0.1']");

    observe_call(p, "get", "http_get", quoted_format("{'url':'http://127.0.0.1:%u/hello'}", port));
    observe_call(p, "post", "http_post",
                 quoted_format("{'url':'http://127.0.0.1:%u/echo','method':'POST'}", port));
    observe_call(p, "denied", "http_get", quoted_format("{'url':'http://localhost:%u/'}", port));
    if (p != NULL)
        extism.plugin_allow_http_response_headers(p);
    observe_call(p, "headers", "http_headers",
                 quoted_format("{'url':'http://127.0.0.1:%u/hello'}", port));
    extism.plugin_free(p);
}

static void rust_services(void)
{
    ExtismPlugin *p = open_built("rust_plugin", ",'config':{'a':'of the manifest'}");

    observe_call_bytes(p, "echo", "echo", "bytes \0\xff", 8);
    observe_call(p, "config", "config", "a");
    observe_call(p, "config missing", "config", "b");
    observe_call(p, "counter", "counter", "");
    observe_call(p, "counter", "counter", "");
    observe_call(p, "forget", "forget", "");
    observe_call(p, "counter", "counter", "");
    observe_call(p, "log", "log", "a line");
    observe_call(p, "call_host", "call_host", "quiet words");
    observe_call(p, "json_only", "json_only", "[1,2,39]");
    extism.plugin_free(p);
}

static void rust_failures(void)
{
    ExtismPlugin *p = open_built("rust_plugin", "");

    observe_call(p, "fail", "fail", "an error with a code");
    observe_call(p, "panics", "panics", "a panic");
    observe_call(p, "after a panic", "echo", "alive");
    observe_call(p, "not JSON", "json_only", "no json");
    observe_call(p, "not UTF-8", "count_vowels", "a\xff");
    observe_call(p, "http", "fetch",
                 quoted("{'request':{'url':'http://127.0.0.1:1/','headers':{},'method':null}}"));
    extism.plugin_free(p);
}

static void rust_http(void)
{
    unsigned port = http_server_start();
    ExtismPlugin *p = open_built("rust_plugin", ",'allowed_hosts':['127.0.0.1']");

    observe_call(p, "get", "fetch",
                 quoted_format("{'request':{'url':'http://127.0.0.1:%u/hello','headers':{},"
                               "'method':null},'body':null}",
                               port));
    observe_call(p, "post", "fetch",
                 quoted_format("{'request':{'url':'http://127.0.0.1:%u/echo',"
                               "'headers':{'X-Sent':'by rust'},'method':'POST'},"
                               "'body':'from rust'}",
                               port));
    if (p != NULL)
        extism.plugin_allow_http_response_headers(p);
    observe_call(p, "with headers", "fetch",
                 quoted_format("{'request':{'url':'http://127.0.0.1:%u/hello','headers':{},"
                               "'method':null},'body':null}",
                               port));
    observe_call(p, "status", "fetch",
                 quoted_format("{'request':{'url':'http://127.0.0.1:%u/status/503','headers':{},"
                               "'method':null},'body':null}",
                               port));
    extism.plugin_free(p);
}

static void go_services(void)
{
    ExtismPlugin *p = open_built("go_plugin", ",'config':{'a':'of the manifest'}");

    observe_call_bytes(p, "echo", "echo", "bytes \0\xff", 8);
    observe_call(p, "config", "config", "a");
    observe_call(p, "config missing", "config", "b");
    observe_call(p, "counter", "counter", "");
    observe_call(p, "counter", "counter", "");
    observe_bool("reset", p != NULL && extism.plugin_reset(p));
    observe_call(p, "counter", "counter", "");
    observe_call(p, "log", "log", "a line");
    observe_call(p, "call_host", "call_host", "quiet words");
    observe_call(p, "garbage", "garbage", "");
    observe_call(p, "echo", "echo", "alive");
    extism.plugin_free(p);
}

/* Where Go's own frames are in a backtrace is no matter of the library's. */
static void go_failures(void)
{
    ExtismPlugin *p = open_built("go_plugin", "");

    if (p == NULL)
        return;
    observe_call(p, "fail", "fail", "an error with a code");
    observe_int("panics", extism.plugin_call(p, "panics", (const uint8_t *)"a panic", 7));
    extism.plugin_free(p);
    p = open_built("go_plugin", "");
    observe_int("exits", extism.plugin_call(p, "exits", NULL, 0));
    extism.plugin_free(p);
}

static void go_http(void)
{
    unsigned port = http_server_start();
    ExtismPlugin *p = open_built("go_plugin", ",'allowed_hosts':['127.0.0.1']");

    observe_call(p, "post", "fetch", quoted_format("http://127.0.0.1:%u/echo", port));
    observe_call(p, "404", "fetch", quoted_format("http://127.0.0.1:%u/nothing", port));
    extism.plugin_free(p);
}

static void go_without_wasi(void)
{
    size_t len;
    char *wasm = built_plugin("go_plugin", &len);

    if (wasm != NULL)
        observe_open_bytes("new", wasm, len, false);
}

/* Cuts through all of a large real module. */
static void truncated(void)
{
    size_t len;
    char *wasm = built_plugin("rust_plugin", &len);
    int opened = 0;

    if (wasm == NULL)
        return;
    for (size_t i = 1; i < 40; i++) {
        char *err = NULL;
        ExtismPlugin *p =
            extism.plugin_new((const uint8_t *)wasm, len / 40 * i, NULL, 0, true, &err);

        opened += p != NULL;
        observe_text(quoted_format("%zu of 40", i), err);
        extism.plugin_new_error_free(err);
        extism.plugin_free(p);
    }
    observe_int("opened", opened);
}

static const test_case cases[] = {
    {"c_count_vowels", c_count_vowels},
    {"c_services", c_services},
    {"c_http", c_http},
    {"rust_count_vowels", rust_count_vowels},
    {"rust_services", rust_services},
    {"rust_failures", rust_failures},
    {"rust_http", rust_http},
    {"go_count_vowels", go_count_vowels},
    {"go_services", go_services},
    {"go_failures", go_failures},
    {"go_http", go_http},
    {"go_without_wasi", go_without_wasi},
    {"truncated", truncated},
    {NULL, NULL},
};

const case_group pdk_cases = {"pdk", cases, false};
