#include "build/javascript_module.h"

#include "build/javascript_own.h"
#include "extism/wasm_code.h"
#include "extism/wasm_module.h"

#include <stdlib.h>
#include <string.h>

#define HOST_MODULE JAVASCRIPT_OWN_MODULE "user"

/* The platform's functions as guest/runtime/javascript/host.h has them: i is i32, I is i64, all give an
 * i64. */
static const struct host_import {
    const char *name;
    const char *params;
} host_imports[] = {
    {"ubiq_kv_get", "I"},
    {"ubiq_kv_set", "III"},
    {"ubiq_kv_set_if_absent", "III"},
    {"ubiq_kv_compare_and_set", "IIII"},
    {"ubiq_kv_increment", "II"},
    {"ubiq_kv_delete", "I"},
    {"ubiq_kv_list", "III"},
    {"ubiq_storage_read", "I"},
    {"ubiq_storage_write", "II"},
    {"ubiq_storage_delete", "I"},
    {"ubiq_storage_stat", "I"},
    {"ubiq_storage_list", "III"},
    {"ubiq_events_emit", "II"},
    {"ubiq_invoke", "II"},
    {"ubiq_request", ""},
    {"ubiq_response_status", "i"},
    {"ubiq_response_header", "II"},
    {"ubiq_log", "iII"},
    {"ubiq_trace_attribute", "II"},
    {"ubiq_trace_event", "II"},
    {"ubiq_error", ""},
    {"ubiq_http_start", "II"},
    {"ubiq_http_wait", "I"},
    {"ubiq_http_head", "I"},
    {"ubiq_http_body", "I"},
};

#define HOST_IMPORTS (sizeof host_imports / sizeof host_imports[0])

/* The types of the module: those of the host's functions by their parameters, then our own. */
static const char *const host_types[] = {"", "I", "II", "III", "IIII", "i", "iII"};

#define HOST_TYPES (sizeof host_types / sizeof host_types[0])

enum { TYPE_BEGIN = HOST_TYPES, TYPE_I32_TO_I32, TYPE_ENTRY, TYPE_COUNT };

/* Where the code declares functions of its own, the type of what calls them, and then theirs. */
enum { TYPE_DISPATCH = TYPE_COUNT, TYPE_OWN };

/* Functions in the order of their numbers: the runtime's, the platform's, those that the code declares, then
 * our own. */
enum { FUNC_BEGIN, FUNC_LOAD, FUNC_INVOKE, RUNTIME_FUNCS };

typedef struct writer {
    buf *out;
    buf section;
    const javascript_code *code;
    const char *runtime;
    uint32_t host_count;
    uint32_t own_count;
    int rc;
} writer;

static void put(writer *w, const void *bytes, size_t size)
{
    w->rc = w->rc ? w->rc : buf_append(&w->section, bytes, size);
}

static void put_byte(writer *w, unsigned byte)
{
    w->rc = w->rc ? w->rc : buf_append_byte(&w->section, (uint8_t)byte);
}

static void put_uint(writer *w, uint64_t value)
{
    w->rc = w->rc ? w->rc : wasm_write_uint(&w->section, value);
}

static void put_name(writer *w, slice name)
{
    put_uint(w, name.len);
    put(w, name.data, name.len);
}

static void end_section(writer *w, enum wasm_section id)
{
    int rc = w->rc;

    rc = rc ? rc : buf_append_byte(w->out, (uint8_t)id);
    rc = rc ? rc : wasm_write_uint(w->out, w->section.len);
    rc = rc ? rc : buf_append(w->out, w->section.data, w->section.len);
    buf_clear(&w->section);
    w->rc = rc;
}

static bool uses(const writer *w, size_t host)
{
    return w->code->host_functions >> host & 1;
}

static void put_types(writer *w)
{
    put_uint(w, TYPE_COUNT + (w->own_count ? 1 + w->own_count : 0));
    for (size_t i = 0; i < HOST_TYPES; i++) {
        put_byte(w, 0x60);
        put_uint(w, strlen(host_types[i]));
        for (const char *p = host_types[i]; *p; p++)
            put_byte(w, *p == 'i' ? 0x7f : 0x7e);
        put(w, "\1\x7e", 2);
    }
    put(w, "\x60\2\x7f\x7f\1\x7f", 6); /* TYPE_BEGIN */
    put(w, "\x60\1\x7f\1\x7f", 5);     /* TYPE_I32_TO_I32 */
    put(w, "\x60\0\1\x7f", 4);         /* TYPE_ENTRY */
    if (w->own_count)
        put(w, "\x60\2\x7f\x7f\0", 5); /* TYPE_DISPATCH */
    for (uint32_t i = 0; i < w->own_count; i++)
        w->rc = w->rc ? w->rc : javascript_own_type(&w->section, &w->code->own->item[i]);
    end_section(w, WASM_SECTION_TYPE);
}

static void put_import(writer *w, const char *from, const char *name, enum wasm_extern_kind kind)
{
    put_name(w, slice_str(from));
    put_name(w, slice_str(name));
    put_byte(w, kind);
}

static void put_func_import(writer *w, const char *from, const char *name, unsigned type)
{
    put_import(w, from, name, WASM_KIND_FUNC);
    put_uint(w, type);
}

static unsigned host_type(const char *params)
{
    unsigned i = 0;
    while (strcmp(host_types[i], params) != 0)
        i++;
    return i;
}

static void put_imports(writer *w)
{
    bool has_table = w->host_count || w->own_count;

    put_uint(w, RUNTIME_FUNCS + w->host_count + w->own_count + (has_table ? 3 : 1));
    put_func_import(w, w->runtime, "begin", TYPE_BEGIN);
    put_func_import(w, w->runtime, "load", TYPE_I32_TO_I32);
    put_func_import(w, w->runtime, "invoke", TYPE_I32_TO_I32);
    for (size_t i = 0; i < HOST_IMPORTS; i++) {
        if (uses(w, i))
            put_func_import(w, HOST_MODULE, host_imports[i].name,
                            host_type(host_imports[i].params));
    }
    for (uint32_t i = 0; i < w->own_count; i++) {
        w->rc = w->rc ? w->rc : javascript_own_import(&w->section, &w->code->own->item[i]);
        put_byte(w, WASM_KIND_FUNC);
        put_uint(w, TYPE_OWN + i);
    }
    put_import(w, w->runtime, "memory", WASM_KIND_MEMORY);
    put(w, "\0\1", 2); /* no maximum, at least one page */
    if (has_table) {
        put_import(w, w->runtime, "__indirect_function_table", WASM_KIND_TABLE);
        put(w, "\x70\0\1", 3);
        put_import(w, w->runtime, "host_base", WASM_KIND_GLOBAL);
        put(w, "\x7f\0", 2);
    }
    end_section(w, WASM_SECTION_IMPORT);
}

/* Our own functions: one that loads, then an entry for each export, then the one that prepares, and one that
 * calls what the code declares, if it does. */
static uint32_t own_func(const writer *w, uint32_t n)
{
    return RUNTIME_FUNCS + w->host_count + w->own_count + n;
}

static void put_functions(writer *w)
{
    put_uint(w, w->code->export_count + 2 + (w->own_count > 0));
    put_uint(w, TYPE_I32_TO_I32);
    for (size_t i = 0; i < w->code->export_count + 1; i++)
        put_uint(w, TYPE_ENTRY);
    if (w->own_count)
        put_uint(w, TYPE_DISPATCH);
    end_section(w, WASM_SECTION_FUNCTION);
}

static bool exports(const writer *w, const char *name)
{
    for (size_t i = 0; i < w->code->export_count; i++) {
        if (slice_equal_str(w->code->exports[i], name))
            return true;
    }
    return false;
}

/* `default` is "handle" too, the name by which the platform looks for a function. */
static void put_exports(writer *w)
{
    bool alias = exports(w, "default") && !exports(w, "handle");

    put_uint(w, w->code->export_count + 1 + alias);
    for (uint32_t i = 0; i < w->code->export_count; i++) {
        put_name(w, w->code->exports[i]);
        put_byte(w, WASM_KIND_FUNC);
        put_uint(w, own_func(w, 1 + i));
        if (!alias || !slice_equal_str(w->code->exports[i], "default"))
            continue;
        put_name(w, slice_str("handle"));
        put_byte(w, WASM_KIND_FUNC);
        put_uint(w, own_func(w, 1 + i));
    }
    put_name(w, slice_str(JAVASCRIPT_EXPORT_PREPARE));
    put_byte(w, WASM_KIND_FUNC);
    put_uint(w, own_func(w, 1 + (uint32_t)w->code->export_count));
    end_section(w, WASM_SECTION_EXPORT);
}

static void put_reference(writer *w, uint32_t func)
{
    put_byte(w, 0xd2); /* ref.func */
    put_uint(w, func);
    put_byte(w, 0x0b);
}

/* Puts the platform's functions into the runtime's table, from its host_base on; null where it has none.
 * Behind them is what calls those that the code declares. */
static void put_elements(writer *w)
{
    uint32_t func = RUNTIME_FUNCS;

    if (!w->host_count && !w->own_count)
        return;
    put(w, "\1\4\x23\0\x0b", 5); /* one, active, of expressions, at global 0 */
    put_uint(w, HOST_IMPORTS + (w->own_count > 0));
    for (size_t i = 0; i < HOST_IMPORTS; i++) {
        if (uses(w, i))
            put_reference(w, func++);
        else
            put(w, "\xd0\x70\x0b", 3); /* ref.null func */
    }
    if (w->own_count)
        put_reference(w, own_func(w, 2 + (uint32_t)w->code->export_count));
    end_section(w, WASM_SECTION_ELEMENT);
}

static void put_body(writer *w, const buf *body)
{
    put_uint(w, body->len);
    put(w, body->data, body->len);
}

/* (param $ahead) (local $to): 0 once the code is loaded. */
static int load_body(buf *b, const javascript_code *code)
{
    int rc = buf_append(b, "\1\1\x7f\x41", 4); /* one local, i32; i32.const */
    rc = rc ? rc : wasm_write_sint(b, (int64_t)code->blob.len);
    rc = rc ? rc : buf_append_byte(b, 0x41);
    rc = rc ? rc : wasm_write_sint(b, (int32_t)code->host_functions);
    rc = rc ? rc : buf_append(b, "\x10\0\x22\1\x04\x7f", 6); /* call begin; local.tee 1; if i32 */
    rc = rc ? rc : buf_append(b, "\x20\1\x41\0\x41", 5);     /* to, from 0, size */
    rc = rc ? rc : wasm_write_sint(b, (int64_t)code->blob.len);
    rc = rc ? rc : buf_append(b, "\xfc\x08\0\0", 4);         /* memory.init 0 */
    rc = rc ? rc : buf_append(b, "\x20\0\x10\1", 4);         /* load(ahead) */
    return rc ? rc : buf_append(b, "\x05\x41\0\x0b\x0b", 5); /* else 0 end end */
}

/* Loads, and then invokes export `n`; or what loading failed with. */
static int entry_body(buf *b, uint32_t load, uint32_t n)
{
    int rc = buf_append(b, "\0\x41\0\x10", 4); /* i32.const 0; call */
    rc = rc ? rc : wasm_write_uint(b, load);
    rc = rc ? rc : buf_append(b, "\x04\x7f\x41\1\x05\x41", 6); /* if i32 1 else i32.const */
    rc = rc ? rc : wasm_write_sint(b, n);
    return rc ? rc : buf_append(b, "\x10\2\x0b\x0b", 4); /* call invoke; end end */
}

static int prepare_body(buf *b, uint32_t load)
{
    int rc = buf_append(b, "\0\x41\1\x10", 4); /* i32.const 1; call */
    rc = rc ? rc : wasm_write_uint(b, load);
    return rc ? rc : buf_append_byte(b, 0x0b);
}

static void put_code(writer *w)
{
    uint32_t load = own_func(w, 0);
    buf body;

    buf_init(&body, SIZE_MAX);
    put_uint(w, w->code->export_count + 2 + (w->own_count > 0));
    w->rc = w->rc ? w->rc : load_body(&body, w->code);
    put_body(w, &body);
    for (uint32_t i = 0; i < w->code->export_count; i++) {
        buf_clear(&body);
        w->rc = w->rc ? w->rc : entry_body(&body, load, i);
        put_body(w, &body);
    }
    buf_clear(&body);
    w->rc = w->rc ? w->rc : prepare_body(&body, load);
    put_body(w, &body);
    if (w->own_count) {
        buf_clear(&body);
        w->rc = w->rc ? w->rc
                      : javascript_own_dispatch(&body, w->code->own, RUNTIME_FUNCS + w->host_count);
        put_body(w, &body);
    }
    buf_deinit(&body);
    end_section(w, WASM_SECTION_CODE);
}

static int check_exports(const javascript_code *code, error *err)
{
    if (code->export_count == 0)
        return error_set(err, E_INVALID,
                         "it exports no function: export default, export function GET, "
                         "or module.exports");
    for (size_t i = 0; i < code->export_count; i++) {
        slice name = code->exports[i];
        if (!slice_is_utf8(name) || slice_equal_str(name, JAVASCRIPT_EXPORT_PREPARE))
            return error_set(err, E_INVALID, "an export cannot be called \"%.*s\"", (int)name.len,
                             (const char *)name.data);
    }
    return 0;
}

static int finish(writer *w, error *err)
{
    int rc = w->rc;

    buf_deinit(&w->section);
    return rc ? error_set(err, rc, "out of memory while writing a function's module") : 0;
}

int javascript_module_write(buf *out, const javascript_code *code, const char *runtime, error *err)
{
    writer w = {.out = out, .code = code, .runtime = runtime};

    w.own_count = code->own ? (uint32_t)code->own->count : 0;
    int rc = check_exports(code, err);

    if (rc != 0)
        return rc;
    for (size_t i = 0; i < HOST_IMPORTS; i++)
        w.host_count += uses(&w, i);
    buf_init(&w.section, SIZE_MAX);
    w.rc = buf_append(out, "\0asm\1\0\0\0", 8);
    put_types(&w);
    put_imports(&w);
    put_functions(&w);
    put_exports(&w);
    put_elements(&w);
    put_byte(&w, 1);
    end_section(&w, WASM_SECTION_DATA_COUNT);
    put_code(&w);
    put(&w, "\1\1", 2); /* one, passive */
    put_name(&w, code->blob);
    end_section(&w, WASM_SECTION_DATA);
    return finish(&w, err);
}

int javascript_module_write_compiler(buf *out, const char *runtime, error *err)
{
    writer w = {.out = out, .runtime = runtime};

    buf_init(&w.section, SIZE_MAX);
    w.rc = buf_append(out, "\0asm\1\0\0\0", 8);
    put(&w, "\1\x60\0\1\x7f", 5);
    end_section(&w, WASM_SECTION_TYPE);
    put_uint(&w, 1);
    put_func_import(&w, runtime, "compile", 0);
    end_section(&w, WASM_SECTION_IMPORT);
    put_uint(&w, 1);
    put_name(&w, slice_str("compile"));
    put(&w, "\0\0", 2);
    end_section(&w, WASM_SECTION_EXPORT);
    return finish(&w, err);
}
