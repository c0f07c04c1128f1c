#include "extism/module_interface.h"

#include "extism/limits.h"
#include "extism/wasm_code.h"
#include "extism/wasm_module.h"

#include <stdlib.h>

/* The description: the number of imports, then of each its two names, kind and type; the number of
 * exports, then of each its name, kind, numbers of parameters and results, and type of the result.
 * Numbers and lengths are LEB128. */

static int put_text(buf *out, slice s)
{
    int rc = wasm_write_uint(out, s.len);
    return rc ? rc : buf_append(out, s.data, s.len);
}

/* One value type, as the engine prints it. */
static int print_valtype(buf *out, wasm_reader *r)
{
    static const char *const numeric[] = {"v128", "f64", "f32", "i64", "i32"};
    uint8_t type = wasm_read_byte(r);
    if (type >= 0x7b && type <= 0x7f)
        return buf_append_str(out, numeric[type - 0x7b]);
    if (type == 0x70)
        return buf_append_str(out, "(ref null func)");
    if (type == 0x6f)
        return buf_append_str(out, "(ref null extern)");
    if (type == 0x63 || type == 0x64)
        wasm_skip_leb(r);
    return buf_append_str(out, "ref");
}

static int print_function(buf *out, const wasm_signature *type)
{
    const slice lists[2] = {type->params, type->results};
    int rc = buf_append_str(out, "(type (func");

    for (int part = 0; part < 2; part++) {
        wasm_reader r = wasm_reader_of(lists[part]);
        uint32_t count = lists[part].len ? wasm_read_u32(&r) : 0;
        for (uint32_t i = 0; i < count && rc == 0; i++) {
            rc = buf_append_str(out, i > 0 ? " " : part ? " (result " : " (param ");
            rc = rc ? rc : print_valtype(out, &r);
        }
        if (count > 0)
            rc = rc ? rc : buf_append_byte(out, ')');
    }
    return rc ? rc : buf_append_str(out, "))");
}

static int print_import_type(buf *out, const wasm_signature *types, const wasm_import *import)
{
    wasm_reader r = wasm_reader_of(import->raw);

    wasm_read_name(&r);
    wasm_read_name(&r);
    wasm_read_byte(&r);
    switch (import->kind) {
    case WASM_KIND_FUNC:
        return print_function(out, &types[import->type]);
    case WASM_KIND_TAG:
        wasm_read_byte(&r);
        return print_function(out, &types[wasm_read_u32(&r)]);
    case WASM_KIND_GLOBAL:
    case WASM_KIND_TABLE:
        return print_valtype(out, &r);
    case WASM_KIND_MEMORY:
        return 0;
    }
    return 0;
}

static int describe_imports(const wasm_module *m, const wasm_signature *types, buf *out)
{
    wasm_reader r = wasm_reader_of(m->section[WASM_SECTION_IMPORT]);
    buf type;
    int rc = wasm_write_uint(out, m->import_count);

    buf_init(&type, LIMIT_MODULE_BYTES);
    if (m->import_count)
        wasm_read_u32(&r);
    for (uint32_t i = 0; i < m->import_count && rc == 0; i++) {
        wasm_import import;
        wasm_read_import(&r, &import);
        buf_clear(&type);
        rc = print_import_type(&type, types, &import);
        rc = rc ? rc : put_text(out, import.module);
        rc = rc ? rc : put_text(out, import.name);
        rc = rc ? rc : buf_append_byte(out, (uint8_t)import.kind);
        rc = rc ? rc : put_text(out, buf_slice(&type));
    }
    buf_deinit(&type);
    return rc;
}

/* The type of each function, imported ones first; the caller frees it. */
static uint32_t *list_function_types(const wasm_module *m)
{
    wasm_reader imports = wasm_reader_of(m->section[WASM_SECTION_IMPORT]);
    wasm_reader own = wasm_reader_of(m->section[WASM_SECTION_FUNCTION]);
    uint32_t *types = calloc((size_t)m->imported[WASM_KIND_FUNC] + m->func_count + 1, sizeof *types);
    size_t count = 0;

    if (!types)
        return NULL;
    if (m->import_count)
        wasm_read_u32(&imports);
    for (uint32_t i = 0; i < m->import_count; i++) {
        wasm_import import;
        wasm_read_import(&imports, &import);
        if (import.kind == WASM_KIND_FUNC)
            types[count++] = import.type;
    }
    if (m->func_count)
        wasm_read_u32(&own);
    for (uint32_t i = 0; i < m->func_count; i++)
        types[count++] = wasm_read_u32(&own);
    return types;
}

static int describe_function(const wasm_signature *type, buf *out)
{
    const slice lists[2] = {type->params, type->results};
    uint32_t counts[2] = {0};
    uint8_t first = 0;
    bool only_i32 = true;
    int rc = 0;

    for (int part = 0; part < 2; part++) {
        wasm_reader r = wasm_reader_of(lists[part]);
        counts[part] = lists[part].len ? wasm_read_u32(&r) : 0;
        for (const uint8_t *p = r.at; part == 0 && p < r.end; p++)
            only_i32 = only_i32 && *p == WASM_I32_TYPE;
        first = counts[part] ? wasm_read_byte(&r) : 0;
        rc = rc ? rc : wasm_write_uint(out, counts[part]);
    }
    rc = rc ? rc : buf_append_byte(out, only_i32 && counts[1] <= 4);
    return rc ? rc : buf_append_byte(out, first);
}

static int describe_exports(const wasm_module *m, const wasm_signature *types, buf *out)
{
    wasm_reader r = wasm_reader_of(m->section[WASM_SECTION_EXPORT]);
    uint32_t count = m->section[WASM_SECTION_EXPORT].len ? wasm_read_u32(&r) : 0, own = 0;
    uint32_t *of = list_function_types(m);
    buf list;
    int rc = of ? 0 : E_NO_MEMORY;

    buf_init(&list, LIMIT_MODULE_BYTES);
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        slice name = wasm_read_name(&r);
        uint8_t kind = wasm_read_byte(&r);
        uint32_t index = wasm_read_u32(&r);
        if (name.len > 0 && name.data[0] == '\x01')
            continue;
        own++;
        rc = put_text(&list, name);
        rc = rc ? rc : buf_append_byte(&list, kind);
        if (kind == WASM_KIND_FUNC)
            rc = rc ? rc : describe_function(&types[of[index]], &list);
    }
    rc = rc ? rc : wasm_write_uint(out, own);
    rc = rc ? rc : buf_append(out, list.data, list.len);
    buf_deinit(&list);
    free(of);
    return rc;
}

static int compare_exports(const void *a, const void *b)
{
    const slice *x = &((const struct module_export *)a)->name;
    const slice *y = &((const struct module_export *)b)->name;
    int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

static struct module_export read_export(wasm_reader *r, size_t number)
{
    struct module_export e = {.name = wasm_read_name(r), .number = number};
    e.kind = (enum wasm_extern_kind)wasm_read_byte(r);
    if (e.kind == WASM_KIND_FUNC) {
        e.params = wasm_read_u32(r);
        e.results = wasm_read_u32(r);
        e.only_i32 = wasm_read_byte(r);
        e.result = wasm_read_byte(r);
    }
    return e;
}

static int index_text(module_interface *m, error *err)
{
    wasm_reader r = wasm_reader_of(buf_slice(&m->text));
    size_t imports = wasm_read_u32(&r);

    if (imports > m->text.len || !(m->imports = calloc(imports + 1, sizeof *m->imports)))
        return error_set(err, E_NO_MEMORY, "out of memory while loading a module");
    for (; m->import_count < imports; m->import_count++) {
        struct module_import *i = &m->imports[m->import_count];
        i->module = wasm_read_name(&r);
        i->name = wasm_read_name(&r);
        i->kind = (enum wasm_extern_kind)wasm_read_byte(&r);
        i->type = wasm_read_name(&r);
    }
    size_t exports = wasm_read_u32(&r);
    if (exports > m->text.len || !(m->exports = calloc(exports + 1, sizeof *m->exports)))
        return error_set(err, E_NO_MEMORY, "out of memory while loading a module");
    for (; m->export_count < exports; m->export_count++)
        m->exports[m->export_count] = read_export(&r, m->export_count);
    if (r.failed || wasm_reader_more(&r))
        return error_set(err, E_INVALID, "a module's description is damaged");
    qsort(m->exports, m->export_count, sizeof *m->exports, compare_exports);
    return 0;
}

int module_interface_create(module_interface *out, slice linked, error *err)
{
    wasm_signature *types = NULL;
    wasm_module m;
    int rc = wasm_module_parse(&m, linked, err);

    *out = (module_interface){0};
    rc = rc ? rc : wasm_module_list_types(&m, &types, err);
    if (rc != 0)
        return rc;
    buf_init(&out->text, LIMIT_MODULE_BYTES);
    if (describe_imports(&m, types, &out->text) != 0 || describe_exports(&m, types, &out->text) != 0)
        rc = error_set(err, E_NO_MEMORY, "out of memory while loading a module");
    rc = rc ? rc : index_text(out, err);
    free(types);
    if (rc != 0)
        module_interface_deinit(out);
    return rc;
}

int module_interface_read(module_interface *out, slice text, error *err)
{
    int rc;

    *out = (module_interface){0};
    buf_init(&out->text, LIMIT_MODULE_BYTES);
    rc = buf_append(&out->text, text.data, text.len);
    rc = rc ? error_set(err, rc, "out of memory while loading a module") : index_text(out, err);
    if (rc != 0)
        module_interface_deinit(out);
    return rc;
}

const struct module_export *module_interface_find(const module_interface *m, slice name)
{
    struct module_export key = {.name = name};
    if (m->export_count == 0 || name.len == 0)
        return NULL;
    return bsearch(&key, m->exports, m->export_count, sizeof key, compare_exports);
}

void module_interface_deinit(module_interface *m)
{
    buf_deinit(&m->text);
    free(m->imports);
    free(m->exports);
    *m = (module_interface){0};
}
