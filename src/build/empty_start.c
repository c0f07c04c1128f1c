#include "build/empty_start.h"

#include "extism/wasm_code.h"
#include "extism/wasm_module.h"

#define START "__wasm_call_ctors"

struct export_entry {
    slice name;
    uint8_t kind;
    uint32_t index;
    slice raw; /* the whole entry */
};

static struct export_entry read_export(wasm_reader *r)
{
    const uint8_t *begin = r->at;
    struct export_entry e = {.name = wasm_read_name(r)};

    e.kind = wasm_read_byte(r);
    e.index = wasm_read_u32(r);
    e.raw = slice_of(begin, (size_t)(r->at - begin));
    return e;
}

static bool is_start(const struct export_entry *e)
{
    return e->kind == WASM_KIND_FUNC && slice_equal_str(e->name, START);
}

/* Whether a defined function has no locals and no code. */
static bool is_empty(const wasm_module *m, uint32_t index)
{
    static const uint8_t nothing[] = {0x00, 0x0b};
    wasm_reader r = wasm_reader_of(m->section[WASM_SECTION_CODE]);
    uint32_t count = wasm_read_u32(&r);
    slice body = {0};

    if (index < m->imported[WASM_KIND_FUNC] || index - m->imported[WASM_KIND_FUNC] >= count)
        return false;
    for (uint32_t i = 0; i <= index - m->imported[WASM_KIND_FUNC] && !r.failed; i++)
        body = wasm_read_name(&r);
    return !r.failed && slice_equal(body, slice_of(nothing, sizeof nothing));
}

/* Whether the module exports an empty function of that name. */
static bool has_empty_start(const wasm_module *m)
{
    wasm_reader r = wasm_reader_of(m->section[WASM_SECTION_EXPORT]);
    uint32_t count = wasm_read_u32(&r);

    for (uint32_t i = 0; i < count && !r.failed; i++) {
        struct export_entry e = read_export(&r);

        if (!r.failed && is_start(&e))
            return is_empty(m, e.index);
    }
    return false;
}

/* Appends the export section without that one. */
static int put_exports(slice section, buf *out)
{
    wasm_reader r = wasm_reader_of(section);
    uint32_t count = wasm_read_u32(&r);
    buf content;
    int rc;

    buf_init(&content, section.len);
    rc = wasm_write_uint(&content, count - 1);
    for (uint32_t i = 0; rc == 0 && i < count; i++) {
        struct export_entry e = read_export(&r);

        if (!is_start(&e))
            rc = buf_append(&content, e.raw.data, e.raw.len);
    }
    rc = rc ? rc : buf_append_byte(out, WASM_SECTION_EXPORT);
    rc = rc ? rc : wasm_write_uint(out, content.len);
    rc = rc ? rc : buf_append(out, content.data, content.len);
    buf_deinit(&content);
    return rc;
}

static int put_module(slice module, const wasm_module *m, buf *out)
{
    wasm_reader r = wasm_reader_of(module);
    slice head = wasm_read_bytes(&r, 8); /* the magic number and the version */
    int rc = buf_append(out, head.data, head.len);

    while (rc == 0 && wasm_reader_more(&r)) {
        const uint8_t *begin = r.at;
        uint8_t id = wasm_read_byte(&r);

        (void)wasm_read_name(&r); /* its content */
        rc = id == WASM_SECTION_EXPORT ? put_exports(m->section[id], out)
                                       : buf_append(out, begin, (size_t)(r.at - begin));
    }
    return rc;
}

int empty_start_drop(slice module, buf *out, error *err)
{
    wasm_module m;
    int rc = wasm_module_parse(&m, module, err);

    if (rc)
        return rc;
    rc = has_empty_start(&m) ? put_module(module, &m, out)
                             : buf_append(out, module.data, module.len);
    return rc ? error_set(err, rc, "a module of %zu bytes: %s", module.len, error_code_name(rc))
              : 0;
}
