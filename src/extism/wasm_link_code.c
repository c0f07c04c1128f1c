#include "extism/limits.h"
#include "extism/wasm_link_internal.h"

wasm_code_map wasm_link_guest_map(const linker *l)
{
    return (wasm_code_map){
        .func = l->func,
        .func_count = l->guest.imported[WASM_KIND_FUNC] + l->guest.func_count,
        .grow = l->grow,
        .size_global = l->size_global,
        .memory_count = l->memory_count,
        .check_write = l->slack ? wasm_link_added_func(l, l->memory_count + 1) : 0,
        .inlined = l->inlined,
        .inline_memory = l->memory_count,
        .check_copy = l->slack ? wasm_link_added_func(l, l->memory_count + 2) : 0,
    };
}

static int put_body(linker *l, const buf *body)
{
    int rc = wasm_write_uint(&l->scratch, body->len);
    return rc ? rc : buf_append(&l->scratch, body->data, body->len);
}

int wasm_link_put_bodies(linker *l, const wasm_module *m, const wasm_signature *types,
                         const wasm_code_map *map, wasm_code_facts *facts, buf *body)
{
    wasm_reader r = wasm_reader_of(m->section[WASM_SECTION_CODE]);
    wasm_reader of = wasm_reader_of(m->section[WASM_SECTION_FUNCTION]);
    uint32_t count = wasm_reader_more(&r) ? wasm_read_u32(&r) : 0;

    if (count > 0)
        wasm_read_u32(&of);
    for (uint32_t i = 0; i < count; i++) {
        slice bytes = wasm_read_name(&r);
        wasm_reader code = wasm_reader_of(bytes);
        uint32_t type = wasm_read_u32(&of);
        if (of.failed || type >= m->type_count)
            return wasm_link_not_understood(l, "function");
        buf_clear(body);
        int rc = wasm_code_rewrite_body(&code, map, wasm_count_types(types[type].params), facts, body,
                                        l->err);
        if (rc != 0)
            return rc;
        if (put_body(l, body) != 0)
            return wasm_link_no_memory(l);
    }
    return 0;
}

/* The stand-in for memory.grow: charges the pages, then grows. */
static int grow_body(linker *l, uint32_t memory, buf *body)
{
    bool is_64 = l->memory[memory].limits.flags & WASM_LIMITS_64;
    int rc = buf_append(body, "\x00\x20\x00", 3); /* no locals; local.get 0 */
    if (!is_64)
        rc = rc ? rc : buf_append_byte(body, 0xad); /* i64.extend_i32_u */
    rc = rc ? rc : buf_append_byte(body, 0x10);     /* call */
    rc = rc ? rc : wasm_write_uint(body, l->charge);
    rc = rc ? rc : buf_append(body, "\x1a\x20\x00\x40", 4); /* drop; local.get 0; memory.grow */
    rc = rc ? rc : wasm_write_uint(body, memory);
    return rc ? rc : buf_append_byte(body, 0x0b);
}

static int op_index(buf *body, uint8_t op, uint64_t index)
{
    int rc = buf_append_byte(body, op);
    return rc ? rc : wasm_write_uint(body, index);
}

/* The stand-in where there is slack: the told size moves, and the memory only when that does not
 * fit any more. Local 1 holds the new told size as i64.
 *
 *   size1 = charge(delta) + told
 *   if size1 > 65536: return -1
 *   if size1 > memory.size: if memory.grow(size1 - memory.size) == -1: return -1
 *   open(told, size1)
 *   old = told; told = size1; return old */
static int slack_grow_body(linker *l, uint32_t memory, buf *body)
{
    uint32_t told = l->size_global[memory];
    int rc = buf_append(body, "\x01\x01\x7e\x20\x00\xad", 6); /* local i64; get 0; extend */
    rc = rc ? rc : op_index(body, 0x10, l->charge);
    rc = rc ? rc : op_index(body, 0x23, told);
    rc = rc ? rc : buf_append(body, "\xad\x7c\x22\x01", 4); /* extend; i64.add; local.tee 1 */
    rc = rc ? rc : buf_append(body, "\x42\x80\x80\x04\x56", 5);         /* 65536; i64.gt_u */
    rc = rc ? rc : buf_append(body, "\x04\x40\x41\x7f\x0f\x0b\x20\x01", 8); /* if; return -1; end */
    rc = rc ? rc : op_index(body, 0x3f, memory);
    rc = rc ? rc : buf_append(body, "\xad\x56\x04\x40\x20\x01", 6); /* extend; i64.gt_u; if; get 1 */
    rc = rc ? rc : op_index(body, 0x3f, memory);
    rc = rc ? rc : buf_append(body, "\xad\x7d\xa7", 3); /* extend; i64.sub; i32.wrap_i64 */
    rc = rc ? rc : op_index(body, 0x40, memory);
    rc = rc ? rc : buf_append(body, "\x41\x7f\x46\x04\x40", 5); /* -1; i32.eq; if */
    rc = rc ? rc : buf_append(body, "\x41\x7f\x0f\x0b\x0b", 5); /* return -1; end; end */
    rc = rc ? rc : op_index(body, 0x23, told);
    rc = rc ? rc : buf_append(body, "\x20\x01\xa7", 3); /* local.get 1; i32.wrap_i64 */
    rc = rc ? rc : op_index(body, 0x10, l->open);
    rc = rc ? rc : op_index(body, 0x23, told);
    rc = rc ? rc : buf_append(body, "\x20\x01\xa7", 3); /* local.get 1; i32.wrap_i64 */
    rc = rc ? rc : op_index(body, 0x24, told);
    return rc ? rc : buf_append_byte(body, 0x0b);
}

/* Traps as the engine does when local `start` + local 2 is beyond the told size. */
static int check_range(linker *l, uint8_t start, buf *body)
{
    int rc = op_index(body, 0x20, start);
    rc = rc ? rc : buf_append(body, "\xad\x20\x02\xad\x7c", 5); /* extend; get 2; extend; add */
    rc = rc ? rc : op_index(body, 0x23, l->size_global[0]);
    rc = rc ? rc : buf_append(body, "\xad\x42\x10\x86\x56\x04\x40", 7); /* << 16; gt_u; if */
    /* i32.const -1; i32.load; drop; end: no memory reaches that far */
    return rc ? rc : buf_append(body, "\x41\x7f\x28\x00\x00\x1a\x0b", 7);
}

static int check_body(linker *l, bool copy, buf *body)
{
    int rc = buf_append_byte(body, 0); /* no locals */
    rc = rc ? rc : check_range(l, 0, body);
    if (copy)
        rc = rc ? rc : check_range(l, 1, body);
    return rc ? rc : buf_append(body, "\x20\x00\x20\x01\x20\x02\x0b", 7);
}

static int added_bodies(linker *l, buf *body)
{
    int rc = 0;
    for (uint32_t i = 0; i < l->memory_count && rc == 0; i++) {
        buf_clear(body);
        rc = l->size_global[i] == WASM_KEEP ? grow_body(l, i, body) : slack_grow_body(l, i, body);
        rc = rc ? rc : put_body(l, body);
    }
    buf_clear(body);
    rc = rc ? rc : buf_append_byte(body, 0); /* no locals */
    rc = rc ? rc : buf_append(body, l->resets.data, l->resets.len);
    rc = rc ? rc : buf_append_byte(body, 0x0b);
    rc = rc ? rc : put_body(l, body);
    for (int copy = 0; l->slack && copy < 2 && rc == 0; copy++) {
        buf_clear(body);
        rc = check_body(l, copy, body);
        rc = rc ? rc : put_body(l, body);
    }
    return rc ? wasm_link_no_memory(l) : 0;
}

int wasm_link_put_code(linker *l)
{
    wasm_code_map guest = wasm_link_guest_map(l);
    wasm_code_map kernel = {
        .func = l->kernel_func,
        .func_count = l->kernel.func_count,
        .type = l->kernel_type,
        .type_count = l->kernel.type_count,
        .memory_base = l->memory_count,
    };
    wasm_code_facts unused = {0};
    buf body;
    int rc;

    buf_init(&body, LIMIT_MODULE_BYTES);
    rc = wasm_write_uint(&l->scratch, (uint64_t)l->guest.func_count + l->kernel.func_count +
                                          wasm_link_added_func_count(l));
    rc = rc ? rc : wasm_link_put_bodies(l, &l->guest, l->types, &guest, &unused, &body);
    rc = rc ? rc : wasm_link_put_bodies(l, &l->kernel, l->kernel_types, &kernel, &unused, &body);
    rc = rc ? rc : added_bodies(l, &body);
    rc = rc ? rc : wasm_link_put_section(l, WASM_SECTION_CODE);
    buf_deinit(&body);
    return rc;
}
