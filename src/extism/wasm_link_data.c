#include "extism/limits.h"
#include "extism/wasm_link_internal.h"

enum { PASSIVE = 1, HAS_MEMORY = 2, I32_CONST = 0x41, I32_ADD = 0x6a, END = 0x0b };

/* One data segment, with an offset that is a plain constant if it is active. */
struct segment {
    uint32_t flags;
    uint32_t memory;
    uint32_t offset;
    slice bytes;
};

/* The operand of i32.const. */
static uint32_t read_i32(wasm_reader *r)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;

    do {
        byte = wasm_read_byte(r);
        value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80 && shift < 35);
    return (uint32_t)(byte & 0x40 ? value | UINT64_MAX << shift : value);
}

/* False when its offset is anything else. */
static bool read_segment(wasm_reader *r, struct segment *out)
{
    *out = (struct segment){.flags = wasm_read_u32(r)};
    if (out->flags & HAS_MEMORY)
        out->memory = wasm_read_u32(r);
    if (!(out->flags & PASSIVE)) {
        if (wasm_read_byte(r) != I32_CONST)
            return false;
        out->offset = read_i32(r);
        if (wasm_read_byte(r) != END)
            return false;
    }
    out->bytes = wasm_read_name(r);
    return !r->failed;
}

/* Looks at all segments; false when one has an offset that is not a plain constant. `*end` is where the
 * active ones end, `*size` their bytes. */
static bool survey(const linker *l, uint64_t *end, uint64_t *size)
{
    wasm_reader r = wasm_reader_of(l->guest.section[WASM_SECTION_DATA]);

    *end = *size = 0;
    for (uint32_t n = wasm_reader_more(&r) ? wasm_read_u32(&r) : 0; n > 0 && !r.failed; n--) {
        struct segment s;

        if (!read_segment(&r, &s))
            return false;
        if (s.flags & PASSIVE)
            continue;
        *size += s.bytes.len;
        if (*end < (uint64_t)s.offset + s.bytes.len)
            *end = (uint64_t)s.offset + s.bytes.len;
    }
    return !r.failed;
}

bool wasm_link_data_fits(const linker *l)
{
    uint64_t end, size;

    return survey(l, &end, &size) && end <= l->memory[0].limits.min << 16;
}

/* The same segment, with an offset that the engine does not see through. */
static int put_segment(buf *out, const struct segment *s)
{
    static const uint8_t and_nothing[] = {I32_CONST, 0, I32_ADD, END};
    int rc = wasm_write_uint(out, s->flags);

    if (s->flags & HAS_MEMORY)
        rc = rc ? rc : wasm_write_uint(out, s->memory);
    if (!(s->flags & PASSIVE)) {
        rc = rc ? rc : buf_append_byte(out, I32_CONST);
        rc = rc ? rc : wasm_write_sint(out, (int32_t)s->offset);
        rc = rc ? rc : buf_append(out, and_nothing, sizeof and_nothing);
    }
    rc = rc ? rc : wasm_write_uint(out, s->bytes.len);
    return rc ? rc : buf_append(out, s->bytes.data, s->bytes.len);
}

int wasm_link_put_data(linker *l)
{
    slice section = l->guest.section[WASM_SECTION_DATA];
    wasm_reader r = wasm_reader_of(section);
    uint64_t end, size;
    int rc;

    if (section.len == 0)
        return 0;
    if (!survey(l, &end, &size) || size > LIMIT_COPIED_DATA) {
        rc = buf_append(&l->scratch, section.data, section.len);
    } else {
        uint32_t count = wasm_read_u32(&r);

        rc = wasm_write_uint(&l->scratch, count);
        for (uint32_t i = 0; i < count && rc == 0; i++) {
            struct segment s;

            read_segment(&r, &s);
            rc = put_segment(&l->scratch, &s);
        }
    }
    return rc ? wasm_link_no_memory(l) : wasm_link_put_section(l, WASM_SECTION_DATA);
}
