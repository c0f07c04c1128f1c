#include "build/javascript_own.h"

#include "extism/wasm_code.h"

#include <string.h>

/* How WebAssembly has the types: their code, and the instructions that read and write them. */
static const struct value_type {
    char letter;
    uint8_t code;
    uint8_t load;
    uint8_t store;
    uint8_t alignment;
} types[] = {
    {'i', 0x7f, 0x28, 0x36, 2},
    {'I', 0x7e, 0x29, 0x37, 3},
    {'f', 0x7d, 0x2a, 0x38, 2},
    {'F', 0x7c, 0x2b, 0x39, 3},
};

static const struct value_type *type_of(char letter)
{
    size_t i = 0;

    while (types[i].letter != letter)
        i++;
    return &types[i];
}

int javascript_own_type(buf *out, const declared_function *f)
{
    int rc = buf_append_byte(out, 0x60);

    rc = rc ? rc : wasm_write_uint(out, strlen(f->params));
    for (const char *p = f->params; rc == 0 && *p; p++)
        rc = buf_append_byte(out, type_of(*p)->code);
    rc = rc ? rc : buf_append_byte(out, f->result != 0);
    return rc || !f->result ? rc : buf_append_byte(out, type_of(f->result)->code);
}

int javascript_own_import(buf *out, const declared_function *f)
{
    int rc = wasm_write_uint(out, strlen(JAVASCRIPT_OWN_MODULE) + f->module.len);

    rc = rc ? rc : buf_append_str(out, JAVASCRIPT_OWN_MODULE);
    rc = rc ? rc : buf_append(out, f->module.data, f->module.len);
    rc = rc ? rc : wasm_write_uint(out, f->name.len);
    return rc ? rc : buf_append(out, f->name.data, f->name.len);
}

static int put_access(buf *out, uint8_t instruction, uint8_t alignment, size_t offset)
{
    int rc = buf_append_byte(out, instruction);

    rc = rc ? rc : buf_append_byte(out, alignment);
    return rc ? rc : wasm_write_uint(out, offset);
}

/* if (number == n) { *at = f(at[0], at[8], ...); return; } */
static int put_case(buf *out, const declared_function *f, uint32_t n, uint32_t func)
{
    int rc = buf_append(out, "\x20\0\x41", 3); /* local.get number; i32.const */

    rc = rc ? rc : wasm_write_sint(out, n);
    rc = rc ? rc : buf_append(out, "\x46\x04\x40", 3); /* i32.eq; if */
    if (f->result)
        rc = rc ? rc : buf_append(out, "\x20\1", 2);
    for (size_t i = 0; f->params[i]; i++) {
        const struct value_type *t = type_of(f->params[i]);
        rc = rc ? rc : buf_append(out, "\x20\1", 2); /* local.get at */
        rc = rc ? rc : put_access(out, t->load, t->alignment, 8 * i);
    }
    rc = rc ? rc : buf_append_byte(out, 0x10); /* call */
    rc = rc ? rc : wasm_write_uint(out, func);
    if (f->result)
        rc = rc ? rc : put_access(out, type_of(f->result)->store, type_of(f->result)->alignment, 0);
    return rc ? rc : buf_append(out, "\x0f\x0b", 2); /* return; end */
}

int javascript_own_dispatch(buf *out, const host_interface *own, uint32_t first)
{
    int rc = buf_append_byte(out, 0); /* no locals */

    for (uint32_t i = 0; rc == 0 && i < own->count; i++)
        rc = put_case(out, &own->item[i], i, first + i);
    return rc ? rc : buf_append(out, "\0\x0b", 2); /* unreachable; end */
}
