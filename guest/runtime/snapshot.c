/* Initialises a language's runtime ahead of time:
 *
 *   snapshot RAW.wasm OUTPUT.wasm OUTPUT.h NAME PRELUDE...
 *
 * Runs `init` of the module RAW with the preludes as input, has `dump` copy its memory to the output, and
 * writes the same module with that memory in its data segments, without the two, with room in its table
 * for the platform's functions and an export `host_base` that says where. OUTPUT.h defines the module's
 * name, "ubiq:NAME@" and its hash, as RUNTIME_NAME. */
#include "base/buf.h"
#include "base/file.h"
#include "base/hash.h"
#include "extism.h"
#include "extism/wasm_code.h"
#include "extism/wasm_module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_SLOTS 32u /* of the table; more than HOST_FUNCTION_COUNT */
#define GAP 16u        /* zeros in a row over which another segment is shorter */

static void must(int rc, const char *what, const error *err)
{
    if (rc == 0)
        return;
    fprintf(stderr, "snapshot: %s: %s\n", what, err ? error_text(err) : "out of memory");
    exit(1);
}

static void read_limits(const wasm_module *m, enum wasm_section id, uint32_t skip, wasm_limits *out)
{
    wasm_reader r = wasm_reader_of(m->section[id]);

    if (wasm_read_u32(&r) != 1)
        must(-1, "not exactly one table and one memory", NULL);
    wasm_read_bytes(&r, skip);
    wasm_read_limits(&r, out);
}

static void call(ExtismPlugin *plugin, const char *name, slice input)
{
    if (extism_plugin_call(plugin, name, input.data, input.len) == 0)
        return;
    fprintf(stderr, "snapshot: %s: %s\n", name, extism_plugin_error(plugin));
    exit(1);
}

static int put_prelude(buf *input, const char *path, error *err)
{
    const char *name = strrchr(path, '/');

    name = name ? name + 1 : path;
    int rc = buf_printf(input, "ubiq:%s", name + strspn(name, "0123456789-"));
    rc = rc ? rc : buf_append_byte(input, 0);
    rc = rc ? rc : file_read(path, input, err);
    return rc ? rc : buf_append_byte(input, 0);
}

static int put_section(buf *out, enum wasm_section id, buf *content)
{
    int rc = buf_append_byte(out, (uint8_t)id);
    rc = rc ? rc : wasm_write_uint(out, content->len);
    rc = rc ? rc : buf_append(out, content->data, content->len);
    buf_clear(content);
    return rc;
}

/* Where the run of bytes from `at` on ends: at `GAP` zeros or the end. */
static size_t run_end(slice memory, size_t at)
{
    size_t end = at;

    for (size_t zeros = 0; at < memory.len && zeros < GAP; at++) {
        zeros = memory.data[at] ? 0 : zeros + 1;
        if (memory.data[at])
            end = at + 1;
    }
    return end;
}

static int put_data(buf *out, slice memory)
{
    buf segments, content;
    uint32_t count = 0;
    int rc = 0;

    buf_init(&segments, SIZE_MAX);
    buf_init(&content, SIZE_MAX);
    for (size_t at = 0; at < memory.len && rc == 0;) {
        if (memory.data[at] == 0) {
            at++;
            continue;
        }
        size_t end = run_end(memory, at);
        count++;
        rc = buf_append(&segments, "\0\x41", 2); /* active; i32.const */
        rc = rc ? rc : wasm_write_sint(&segments, (int32_t)at);
        rc = rc ? rc : buf_append_byte(&segments, 0x0b);
        rc = rc ? rc : wasm_write_uint(&segments, end - at);
        rc = rc ? rc : buf_append(&segments, memory.data + at, end - at);
        at = end;
    }
    rc = rc ? rc : wasm_write_uint(&content, count);
    rc = rc ? rc : buf_append(&content, segments.data, segments.len);
    rc = rc ? rc : put_section(out, WASM_SECTION_DATA, &content);
    buf_deinit(&segments);
    buf_deinit(&content);
    return rc;
}

static int put_exports(buf *content, slice section, uint32_t host_base)
{
    wasm_reader r = wasm_reader_of(section);
    uint32_t count = wasm_read_u32(&r), kept = 1;
    buf entries;
    int rc = 0;

    buf_init(&entries, SIZE_MAX);
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        const uint8_t *start = r.at;
        slice name = wasm_read_name(&r);
        wasm_read_byte(&r);
        wasm_read_u32(&r);
        if (slice_equal_str(name, "init") || slice_equal_str(name, "dump"))
            continue;
        kept++;
        rc = buf_append(&entries, start, (size_t)(r.at - start));
    }
    rc = rc ? rc : wasm_write_uint(content, kept);
    rc = rc ? rc : buf_append(content, entries.data, entries.len);
    rc = rc ? rc : buf_append(content, "\x09host_base\x03", 11);
    rc = rc ? rc : wasm_write_uint(content, host_base);
    buf_deinit(&entries);
    return rc;
}

static int put_globals(buf *content, slice section, uint32_t host_base)
{
    wasm_reader r = wasm_reader_of(section);
    uint32_t count = wasm_read_u32(&r);
    int rc = wasm_write_uint(content, (uint64_t)count + 1);

    rc = rc ? rc : buf_append(content, r.at, (size_t)(r.end - r.at));
    rc = rc ? rc : buf_append(content, "\x7f\0\x41", 3); /* i32, constant; i32.const */
    rc = rc ? rc : wasm_write_sint(content, (int32_t)host_base);
    return rc ? rc : buf_append_byte(content, 0x0b);
}

static int put_limits(buf *content, const wasm_limits *limits)
{
    int rc = buf_append_byte(content, limits->flags);
    rc = rc ? rc : wasm_write_uint(content, limits->min);
    return rc || !(limits->flags & WASM_LIMITS_HAS_MAX) ? rc
                                                        : wasm_write_uint(content, limits->max);
}

/* The module anew; its table had `table` entries. */
static int put_module(buf *out, const wasm_module *raw, wasm_limits table, slice memory)
{
    static const enum wasm_section order[] = {
        WASM_SECTION_TYPE,   WASM_SECTION_IMPORT,  WASM_SECTION_FUNCTION,
        WASM_SECTION_TABLE,  WASM_SECTION_MEMORY,  WASM_SECTION_GLOBAL,
        WASM_SECTION_EXPORT, WASM_SECTION_ELEMENT, WASM_SECTION_CODE};
    uint32_t base = (uint32_t)table.min;
    wasm_limits pages = {.min = memory.len / 65536};
    buf content;
    int rc = buf_append(out, "\0asm\1\0\0\0", 8);

    buf_init(&content, SIZE_MAX);
    table.min += HOST_SLOTS;
    table.max += HOST_SLOTS;
    for (size_t i = 0; i < sizeof order / sizeof order[0] && rc == 0; i++) {
        slice section = raw->section[order[i]];
        if (order[i] == WASM_SECTION_TABLE) {
            rc = buf_append(&content, "\1\x70", 2); /* one, of functions */
            rc = rc ? rc : put_limits(&content, &table);
        } else if (order[i] == WASM_SECTION_MEMORY) {
            rc = buf_append_byte(&content, 1);
            rc = rc ? rc : put_limits(&content, &pages);
        } else if (order[i] == WASM_SECTION_GLOBAL) {
            rc = put_globals(&content, section, base);
        } else if (order[i] == WASM_SECTION_EXPORT) {
            rc =
                put_exports(&content, section, raw->imported[WASM_KIND_GLOBAL] + raw->global_count);
        } else {
            rc = buf_append(&content, section.data, section.len);
        }
        rc = rc ? rc : put_section(out, order[i], &content);
    }
    buf_deinit(&content);
    return rc ? rc : put_data(out, memory);
}

static int put_header(const char *path, slice module, const char *name, error *err)
{
    char hash[SHA256_HEX_BYTES];
    buf text;
    int rc = sha256_hex(module, hash);

    buf_init(&text, 4096);
    rc = rc ? rc : buf_printf(&text, "#define RUNTIME_NAME \"ubiq:%s@%.16s\"\n", name, hash);
    rc = rc ? rc : file_write_atomic(path, buf_slice(&text), 0644, err);
    buf_deinit(&text);
    return rc;
}

int main(int argc, char **argv)
{
    error err = {0};
    wasm_module raw;
    wasm_limits table, memory;
    buf bytes, input, out;
    uint32_t base;
    char *problem = NULL;

    if (argc < 6) {
        fprintf(stderr, "usage: snapshot RAW.wasm OUTPUT.wasm OUTPUT.h NAME PRELUDE...\n");
        return 2;
    }
    buf_init(&bytes, SIZE_MAX);
    buf_init(&input, SIZE_MAX);
    buf_init(&out, SIZE_MAX);
    must(file_read(argv[1], &bytes, &err), argv[1], &err);
    must(wasm_module_parse(&raw, buf_slice(&bytes), &err), argv[1], &err);
    read_limits(&raw, WASM_SECTION_TABLE, 1, &table);
    read_limits(&raw, WASM_SECTION_MEMORY, 0, &memory);
    base = (uint32_t)table.min;
    must(buf_append(&input, &base, sizeof base), "input", NULL);
    for (int i = 5; i < argc; i++)
        must(put_prelude(&input, argv[i], &err), argv[i], &err);

    ExtismPlugin *plugin = extism_plugin_new(bytes.data, bytes.len, NULL, 0, true, &problem);
    if (!plugin) {
        fprintf(stderr, "snapshot: %s: %s\n", argv[1], problem);
        return 1;
    }
    call(plugin, "init", buf_slice(&input));
    call(plugin, "dump", slice_of(NULL, 0));
    must(put_module(&out, &raw, table,
                    slice_of(extism_plugin_output_data(plugin),
                             (size_t)extism_plugin_output_length(plugin))),
         "the module", NULL);
    must(file_write_atomic(argv[2], buf_slice(&out), 0644, &err), argv[2], &err);
    must(put_header(argv[3], buf_slice(&out), argv[4], &err), argv[3], &err);
    extism_plugin_free(plugin);
    buf_deinit(&out);
    buf_deinit(&input);
    buf_deinit(&bytes);
    return 0;
}
