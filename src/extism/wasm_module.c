#include "extism/wasm_module.h"

#include "extism/wasm_code.h"

#include <stdlib.h>

enum { TYPE_FUNC = 0x60, TYPE_STRUCT = 0x5f, TYPE_ARRAY = 0x5e, TYPE_SUB = 0x50, TYPE_SUB_FINAL = 0x4f,
       TYPE_REC = 0x4e };

void wasm_read_limits(wasm_reader *r, wasm_limits *out)
{
    *out = (wasm_limits){.flags = wasm_read_byte(r), .page_size_log2 = 16};
    out->min = wasm_read_uint(r, 64);
    if (out->flags & WASM_LIMITS_HAS_MAX)
        out->max = wasm_read_uint(r, 64);
    if (out->flags & WASM_LIMITS_PAGE_SIZE)
        out->page_size_log2 = wasm_read_u32(r);
}

void wasm_read_import(wasm_reader *r, wasm_import *out)
{
    const uint8_t *start = r->at;
    wasm_limits limits;

    *out = (wasm_import){0};
    out->module = wasm_read_name(r);
    out->name = wasm_read_name(r);
    out->kind = (enum wasm_extern_kind)wasm_read_byte(r);
    switch (out->kind) {
    case WASM_KIND_FUNC:
        out->type = wasm_read_u32(r);
        break;
    case WASM_KIND_TABLE:
        wasm_skip_valtype(r);
        wasm_read_limits(r, &limits);
        break;
    case WASM_KIND_MEMORY:
        wasm_read_limits(r, &limits);
        break;
    case WASM_KIND_GLOBAL:
        wasm_skip_valtype(r);
        wasm_read_byte(r);
        break;
    case WASM_KIND_TAG:
        wasm_read_byte(r);
        wasm_read_u32(r);
        break;
    default:
        wasm_reader_fail(r);
    }
    if (!r->failed)
        out->raw = slice_of(start, (size_t)(r->at - start));
}

static void skip_fields(wasm_reader *r, uint32_t count)
{
    while (count-- > 0 && !r->failed) {
        wasm_skip_valtype(r); /* packed types are one byte too */
        wasm_read_byte(r);
    }
}

/* One composite type; for a function its parameters and results. */
static void read_type(wasm_reader *r, wasm_signature *out)
{
    uint8_t kind = wasm_read_byte(r);
    if (kind == TYPE_SUB || kind == TYPE_SUB_FINAL) {
        for (uint32_t n = wasm_read_u32(r); n > 0 && !r->failed; n--)
            wasm_skip_leb(r);
        kind = wasm_read_byte(r);
    }
    if (kind == TYPE_STRUCT) {
        skip_fields(r, wasm_read_u32(r));
    } else if (kind == TYPE_ARRAY) {
        skip_fields(r, 1);
    } else if (kind == TYPE_FUNC) {
        for (int part = 0; part < 2; part++) {
            const uint8_t *start = r->at;
            for (uint32_t n = wasm_read_u32(r); n > 0 && !r->failed; n--)
                wasm_skip_valtype(r);
            *(part ? &out->results : &out->params) = slice_of(start, (size_t)(r->at - start));
        }
    } else {
        wasm_reader_fail(r);
    }
}

/* Walks all types and returns how many there are; `out` takes them, or is NULL. */
static uint32_t walk_types(wasm_reader *r, wasm_signature *out)
{
    uint32_t count = 0;
    for (uint32_t n = wasm_read_u32(r); n > 0 && !r->failed; n--) {
        uint32_t group = 1;
        if (wasm_reader_more(r) && *r->at == TYPE_REC) {
            r->at++;
            group = wasm_read_u32(r);
        }
        for (; group > 0 && !r->failed; group--) {
            wasm_signature type = {{0}, {0}};
            read_type(r, &type);
            if (out)
                out[count] = type;
            count++;
        }
    }
    return count;
}

int wasm_module_list_types(const wasm_module *m, wasm_signature **out, error *err)
{
    wasm_reader r = wasm_reader_of(m->section[WASM_SECTION_TYPE]);

    *out = calloc((size_t)m->type_count + 1, sizeof **out);
    if (!*out)
        return error_set(err, E_NO_MEMORY, "out of memory while loading a module");
    if (m->type_count)
        walk_types(&r, *out);
    return 0;
}

uint32_t wasm_count_types(slice vector)
{
    wasm_reader r = wasm_reader_of(vector);
    return vector.len ? wasm_read_u32(&r) : 0;
}

static uint32_t section_count(slice section)
{
    wasm_reader r = wasm_reader_of(section);
    return section.len ? wasm_read_u32(&r) : 0;
}

static int count_indices(wasm_module *m, error *err)
{
    wasm_reader types = wasm_reader_of(m->section[WASM_SECTION_TYPE]);
    wasm_reader imports = wasm_reader_of(m->section[WASM_SECTION_IMPORT]);

    if (m->section[WASM_SECTION_TYPE].len)
        m->type_count = walk_types(&types, NULL);
    if (m->section[WASM_SECTION_IMPORT].len)
        m->import_count = wasm_read_u32(&imports);
    for (uint32_t i = 0; i < m->import_count && !imports.failed; i++) {
        wasm_import import;
        wasm_read_import(&imports, &import);
        if (!imports.failed)
            m->imported[import.kind]++;
    }
    if (types.failed || imports.failed)
        return error_set(err, E_INVALID, "the module's types or imports are not understood");
    m->func_count = section_count(m->section[WASM_SECTION_FUNCTION]);
    m->memory_count = section_count(m->section[WASM_SECTION_MEMORY]);
    m->global_count = section_count(m->section[WASM_SECTION_GLOBAL]);
    return 0;
}

int wasm_module_parse(wasm_module *out, slice bytes, error *err)
{
    static const uint8_t preamble[8] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    wasm_reader r = wasm_reader_of(bytes);

    *out = (wasm_module){0};
    if (!slice_equal(wasm_read_bytes(&r, sizeof preamble), slice_of(preamble, sizeof preamble)))
        return error_set(err, E_INVALID, "not a core WebAssembly module of version 1");
    while (wasm_reader_more(&r)) {
        uint8_t id = wasm_read_byte(&r);
        slice content = wasm_read_name(&r);
        if (r.failed || id >= WASM_SECTION_COUNT)
            return error_set(err, E_INVALID, "a section of the module is not understood");
        if (id != WASM_SECTION_CUSTOM) {
            out->section[id] = content;
            continue;
        }
        wasm_reader custom = wasm_reader_of(content);
        if (slice_equal_str(wasm_read_name(&custom), "name"))
            out->names = slice_of(custom.at, (size_t)(custom.end - custom.at));
    }
    return count_indices(out, err);
}
