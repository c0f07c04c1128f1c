#include "case.h"

#include <stdlib.h>

/* Bytes that are no plug-in. */

/* (module (func (export "run") (result i32) i32.const 7) (memory 1) (data "abc")), assembled. */
static const unsigned char SMALL[] = {
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x05, 0x01, 0x60, 0x00,
    0x01, 0x7f, 0x03, 0x02, 0x01, 0x00, 0x05, 0x03, 0x01, 0x00, 0x01, 0x07, 0x07,
    0x01, 0x03, 0x72, 0x75, 0x6e, 0x00, 0x00, 0x0a, 0x06, 0x01, 0x04, 0x00, 0x41,
    0x07, 0x0b, 0x0b, 0x09, 0x01, 0x00, 0x41, 0x00, 0x0b, 0x03, 0x61, 0x62, 0x63,
};

static void null_and_empty(void)
{
    observe_open_bytes("null", NULL, 0, false);
    observe_open_bytes("empty", "", 0, false);
    observe_open_bytes("space", " \n\t", 3, false);
}

static void null_with_a_length(void)
{
    observe_open_bytes("null of 10", NULL, 10, false);
}

static void not_json(void)
{
    observe_open("text", "hello");
    observe_open("brace", "{");
    observe_open("bracket", "[]");
    observe_open("number", "42");
    observe_open("string", "'text'");
    observe_open("null", "null");
    observe_open("true", "true");
    observe_open("xml", "<manifest/>");
    observe_open("trailing comma", "{'wasm':[],}");
    observe_open("two objects", "{'wasm':[]}{'wasm':[]}");
    observe_open("comment", "// {'wasm':[]}");
    observe_open("byte order mark", "\xef\xbb\xbf{'wasm':[]}");
    observe_open_bytes("nul", "{\"wasm\":[]}\0", 12, false);
    observe_open("deep", "{'wasm':[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]}");
}

static void very_deep_json(void)
{
    size_t n = 200000;
    char *text = malloc(n + 1);

    memset(text, '[', n);
    text[n] = '\0';
    observe_open_bytes("brackets", text, n, false);
    for (size_t i = 0; i + 5 <= n; i += 5)
        memcpy(text + i, "{\"a\":", 5);
    observe_open_bytes("braces", text, n, false);
    free(text);
}

static void not_utf8(void)
{
    observe_open_bytes("bytes", "\xff\xfe\xfd\xfc", 4, false);
    observe_open_bytes("in a manifest", "{\"wasm\":[],\"config\":{\"a\":\"\xff\"}}", 33, false);
    observe_open_bytes("elf", "\x7f\x45LF\2\1\1\0\0\0", 10, false);
    observe_open_bytes("zeros", "\0\0\0\0\0\0\0\0", 8, false);
}

static void headers(void)
{
    observe_open_bytes("magic", SMALL, 4, false);
    observe_open_bytes("magic and half a version", SMALL, 6, false);
    observe_open_bytes("empty module", SMALL, 8, false);
    observe_open_bytes("version 2", "\0asm\2\0\0\0", 8, false);
    observe_open_bytes("version 0", "\0asm\0\0\0\0", 8, false);
    observe_open_bytes("magic and text", "\0asmhello, this is no module", 28, false);
}

static void component(void)
{
    observe_open_bytes("empty component", "\0asm\x0d\0\1\0", 8, false);
    observe_open("text", "(component)");
    observe_open("text with a module", "(component (core module))");
}

static void truncated(void)
{
    char label[32];

    for (size_t n = 9; n < sizeof SMALL; n++) {
        snprintf(label, sizeof label, "%zu bytes", n);
        observe_open_bytes(label, SMALL, n, false);
    }
    observe_open_bytes("whole", SMALL, sizeof SMALL, false);
}

static void one_byte_changed(void)
{
    char label[32];

    for (size_t n = 8; n < sizeof SMALL; n++) {
        unsigned char copy[sizeof SMALL];

        memcpy(copy, SMALL, sizeof SMALL);
        copy[n] ^= 0x55;
        snprintf(label, sizeof label, "byte %zu", n);
        observe_open_bytes(label, copy, sizeof copy, false);
    }
}

static void trailing_bytes(void)
{
    unsigned char copy[sizeof SMALL + 4] = {0};

    memcpy(copy, SMALL, sizeof SMALL);
    observe_open_bytes("custom section of nothing", copy, sizeof copy, false);
    copy[sizeof SMALL] = 0xff;
    observe_open_bytes("garbage", copy, sizeof copy, false);
}

static void truncated_in_a_manifest(void)
{
    write_file("half.wasm", SMALL, 30);
    observe_open("path", "{'wasm':[{'path':'half.wasm'}]}");
    write_file("empty.wasm", SMALL, 0);
    observe_open("empty file", "{'wasm':[{'path':'empty.wasm'}]}");
    observe_open("data", "{'wasm':[{'data':'AGFzbQEAAAAB'}]}");
}

static void text_modules(void)
{
    ExtismPlugin *p;

    observe_open("module", "(module)");
    observe_open("space", "  (module)");
    observe_open("space inside", "( module )");
    observe_open("comment", ";; a comment\n(module)");
    observe_open("block comment", "(; a comment ;)(module)");
    observe_open("fields", "(func (export 'run'))");
    observe_open("unclosed", "(module (func (export 'run'))");
    observe_open("unknown", "(module (fun))");
    observe_open("wrong type", "(module (func (result i32) i64.const 1))");
    observe_open("unknown name", "(module (func call $nothing))");
    observe_open("text after", "(module) and more");
    observe_open("moduleless", "(moduleless)");
    p = plugin_open("(module (func (export 'run') (result i32) (i32.const 11)))");
    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
}

static void invalid_modules(void)
{
    observe_open("stack underflow", "(module (func (export 'run') drop))");
    observe_open("unreachable type", "(module (func (result i32) (i32.add (i32.const 1))))");
    observe_open("two memories of one name",
                 "(module (memory (export 'm') 1) (func (export 'm')))");
    observe_open("start with a result",
                 "(module (func $begin (result i32) i32.const 1) (start $begin))");
    observe_open("memory too large", "(module (memory 65537))");
    observe_open("memory beyond its maximum", "(module (memory 2 1))");
}

static void proposals(void)
{
    observe_open("simd", "(module (func (result v128) (v128.const i64x2 0 0)))");
    observe_open("bulk memory", "(module (memory 1) (func (memory.fill (i32.const 0)"
                                " (i32.const 0) (i32.const 0))))");
    observe_open("multi value", "(module (func (result i32 i32) (i32.const 0) (i32.const 0)))");
    observe_open("reference types", "(module (table 1 externref))");
    observe_open("tail calls", "(module (func $f return_call $f))");
    observe_open("several memories", "(module (memory 1) (memory 1))");
    observe_open("memory64", "(module (memory i64 1))");
    observe_open("gc", "(module (type (struct (field i32))))");
    observe_open("function references", "(module (type $t (func)) (func (param (ref $t))))");
    observe_open("extended const", "(module (global i32 (i32.add (i32.const 1) (i32.const 2))))");
    observe_open("relaxed simd", "(module (func (param v128) (result v128)"
                                 " (i8x16.relaxed_swizzle (local.get 0) (local.get 0))))");
    observe_open("threads", "(module (memory 1 1 shared))");
    observe_open("exceptions", "(module (tag (param i32)))");
    observe_open("custom page size", "(module (memory 1 (pagesize 1)))");
    observe_open("wide arithmetic", "(module (func (param i64 i64 i64 i64) (result i64 i64)"
                                    " (i64.add128 (local.get 0) (local.get 1) (local.get 2)"
                                    " (local.get 3))))");
    observe_open("stack switching", "(module (type $f (func)) (type $c (cont $f)))");
}

static const test_case cases[] = {
    {"null_and_empty", null_and_empty},
    {"null_with_a_length", null_with_a_length},
    {"not_json", not_json},
    {"very_deep_json", very_deep_json},
    {"not_utf8", not_utf8},
    {"headers", headers},
    {"component", component},
    {"truncated", truncated},
    {"one_byte_changed", one_byte_changed},
    {"trailing_bytes", trailing_bytes},
    {"truncated_in_a_manifest", truncated_in_a_manifest},
    {"text_modules", text_modules},
    {"invalid_modules", invalid_modules},
    {"proposals", proposals},
    {NULL, NULL},
};

const case_group bad_module_cases = {"bad_module", cases, false};
