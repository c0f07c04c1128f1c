#include "extism/wasm_inline.h"

#include "extism/kernel/layout.h"
#include "extism/wasm_code.h"

#include <stddef.h>

enum {
    OP_IF = 0x04,
    OP_ELSE = 0x05,
    OP_END = 0x0b,
    OP_LOCAL_GET = 0x20,
    OP_LOCAL_SET = 0x21,
    OP_LOCAL_TEE = 0x22,
    OP_I64_LOAD = 0x29,
    OP_I32_LOAD8_U = 0x2d,
    OP_I64_STORE = 0x37,
    OP_I32_STORE8 = 0x3a,
    OP_MEMORY_SIZE = 0x3f,
    OP_I32_CONST = 0x41,
    OP_I64_CONST = 0x42,
    OP_I64_LT_U = 0x54,
    OP_I64_GT_U = 0x56,
    OP_I64_ADD = 0x7c,
    OP_I64_SUB = 0x7d,
    OP_I64_SHL = 0x86,
    OP_I32_WRAP_I64 = 0xa7,
    OP_I64_EXTEND_I32_U = 0xad,
    TYPE_NONE = 0x40,
    TYPE_I32 = 0x7f,
    TYPE_I64 = 0x7e,
    MEMARG_HAS_MEMORY = 0x40
};

/* What is written, and where; an error sticks. */
typedef struct emitter {
    buf *out;
    uint32_t memory;
    uint32_t scratch;
    int rc;
} emitter;

static void op(emitter *e, uint8_t opcode)
{
    e->rc = e->rc ? e->rc : buf_append_byte(e->out, opcode);
}

static void op_index(emitter *e, uint8_t opcode, uint64_t index)
{
    op(e, opcode);
    e->rc = e->rc ? e->rc : wasm_write_uint(e->out, index);
}

static void i64_const(emitter *e, int64_t value)
{
    op(e, OP_I64_CONST);
    e->rc = e->rc ? e->rc : wasm_write_sint(e->out, value);
}

/* A load or store of the kernel's memory, of any alignment. */
static void access(emitter *e, uint8_t opcode, uint64_t offset)
{
    op_index(e, opcode, MEMARG_HAS_MEMORY);
    e->rc = e->rc ? e->rc : wasm_write_uint(e->out, e->memory);
    e->rc = e->rc ? e->rc : wasm_write_uint(e->out, offset);
}

static void load_root(emitter *e, size_t field)
{
    op(e, OP_I32_CONST);
    op(e, 0);
    access(e, OP_I64_LOAD, field);
}

/* Leaves whether `size` bytes at the address in the first local may be read: behind the root and
 * within the memory, in one comparison of unsigned numbers. */
static void put_readable(emitter *e, int64_t size)
{
    op_index(e, OP_LOCAL_GET, e->scratch);
    i64_const(e, KERNEL_HEAP);
    op(e, OP_I64_SUB);
    op_index(e, OP_MEMORY_SIZE, e->memory);
    op(e, OP_I64_EXTEND_I32_U);
    i64_const(e, 16);
    op(e, OP_I64_SHL);
    i64_const(e, KERNEL_HEAP + size - 1);
    op(e, OP_I64_SUB);
    op(e, OP_I64_LT_U);
}

static void put_address(emitter *e)
{
    op_index(e, OP_LOCAL_GET, e->scratch);
    op(e, OP_I32_WRAP_I64);
}

static void put_load(emitter *e, bool wide)
{
    op_index(e, OP_LOCAL_SET, e->scratch);
    put_readable(e, wide ? 8 : 1);
    op_index(e, OP_IF, wide ? TYPE_I64 : TYPE_I32);
    put_address(e);
    access(e, wide ? OP_I64_LOAD : OP_I32_LOAD8_U, 0);
    op(e, OP_ELSE);
    op(e, wide ? OP_I64_CONST : OP_I32_CONST);
    op(e, 0);
    op(e, OP_END);
}

static void put_store(emitter *e, bool wide)
{
    int64_t size = wide ? 8 : 1;

    if (!wide)
        op(e, OP_I64_EXTEND_I32_U);
    op_index(e, OP_LOCAL_SET, e->scratch + 1);
    op_index(e, OP_LOCAL_SET, e->scratch);
    put_readable(e, size);
    op_index(e, OP_IF, TYPE_NONE);
    /* As the kernel's `writable`: remember how far was written. */
    op_index(e, OP_LOCAL_GET, e->scratch);
    i64_const(e, size);
    op(e, OP_I64_ADD);
    load_root(e, offsetof(struct kernel_root, dirty));
    op(e, OP_I64_GT_U);
    op_index(e, OP_IF, TYPE_NONE);
    op(e, OP_I32_CONST);
    op(e, 0);
    op_index(e, OP_LOCAL_GET, e->scratch);
    i64_const(e, size);
    op(e, OP_I64_ADD);
    access(e, OP_I64_STORE, offsetof(struct kernel_root, dirty));
    op(e, OP_END);
    put_address(e);
    op_index(e, OP_LOCAL_GET, e->scratch + 1);
    if (!wide)
        op(e, OP_I32_WRAP_I64);
    access(e, wide ? OP_I64_STORE : OP_I32_STORE8, 0);
    op(e, OP_END);
}

static void put_input_load(emitter *e, bool wide)
{
    op_index(e, OP_LOCAL_TEE, e->scratch);
    load_root(e, wide ? offsetof(struct kernel_root, input_words)
                      : offsetof(struct kernel_root, input_length));
    op(e, OP_I64_LT_U);
    op_index(e, OP_IF, wide ? TYPE_I64 : TYPE_I32);
    op_index(e, OP_LOCAL_GET, e->scratch);
    load_root(e, offsetof(struct kernel_root, input_offset));
    op(e, OP_I64_ADD);
    op(e, OP_I32_WRAP_I64);
    access(e, wide ? OP_I64_LOAD : OP_I32_LOAD8_U, 0);
    op(e, OP_ELSE);
    op(e, wide ? OP_I64_CONST : OP_I32_CONST);
    op(e, 0);
    op(e, OP_END);
}

enum wasm_inline wasm_inline_of(slice name)
{
    static const char *const names[] = {
        [INLINE_NONE] = "",
        [INLINE_LOAD_U8] = "load_u8",
        [INLINE_LOAD_U64] = "load_u64",
        [INLINE_STORE_U8] = "store_u8",
        [INLINE_STORE_U64] = "store_u64",
        [INLINE_INPUT_LOAD_U8] = "input_load_u8",
        [INLINE_INPUT_LOAD_U64] = "input_load_u64",
    };
    for (int i = INLINE_LOAD_U8; i <= INLINE_INPUT_LOAD_U64; i++) {
        if (slice_equal_str(name, names[i]))
            return (enum wasm_inline)i;
    }
    return INLINE_NONE;
}

int wasm_inline_put(enum wasm_inline function, uint32_t memory, uint32_t scratch, buf *out)
{
    emitter e = {.out = out, .memory = memory, .scratch = scratch};

    switch (function) {
    case INLINE_NONE:
        break;
    case INLINE_LOAD_U8:
    case INLINE_LOAD_U64:
        put_load(&e, function == INLINE_LOAD_U64);
        break;
    case INLINE_STORE_U8:
    case INLINE_STORE_U64:
        put_store(&e, function == INLINE_STORE_U64);
        break;
    case INLINE_INPUT_LOAD_U8:
    case INLINE_INPUT_LOAD_U64:
        put_input_load(&e, function == INLINE_INPUT_LOAD_U64);
        break;
    }
    return e.rc;
}
