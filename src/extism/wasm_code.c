#include "extism/wasm_code.h"

#include "extism/wasm_inline.h"

enum {
    OP_BLOCK = 0x02,
    OP_LOOP = 0x03,
    OP_IF = 0x04,
    OP_THROW = 0x08,
    OP_THROW_REF = 0x0a,
    OP_END = 0x0b,
    OP_BR_TABLE = 0x0e,
    OP_CALL = 0x10,
    OP_CALL_INDIRECT = 0x11,
    OP_RETURN_CALL = 0x12,
    OP_RETURN_CALL_INDIRECT = 0x13,
    OP_SELECT_TYPED = 0x1c,
    OP_TRY_TABLE = 0x1f,
    OP_TABLE_SET = 0x26,
    OP_LOAD_FIRST = 0x28,
    OP_STORE_LAST = 0x3e,
    OP_MEMORY_SIZE = 0x3f,
    OP_MEMORY_GROW = 0x40,
    OP_I32_CONST = 0x41,
    OP_I64_CONST = 0x42,
    OP_F32_CONST = 0x43,
    OP_F64_CONST = 0x44,
    OP_REF_NULL = 0xd0,
    OP_REF_FUNC = 0xd2,
    OP_PREFIX_GC = 0xfb,
    OP_PREFIX_MISC = 0xfc,
    OP_PREFIX_VECTOR = 0xfd,
    OP_PREFIX_ATOMIC = 0xfe,
};

enum { TYPE_REF_NULL = 0x63, TYPE_REF = 0x64 };

#define MEMARG_HAS_MEMORY 0x40u

/* What a call becomes is many times as long: a hostile body full of calls would take the compiler
 * gigabytes. */
#define MAX_INLINED 1000

/* One walk over a body: what is read, what is written, and from where on bytes still have to be
 * copied. */
typedef struct rewriter {
    wasm_reader *r;
    const uint8_t *uncopied;
    const wasm_code_map *map;
    wasm_code_facts *facts;
    buf *out;
    uint32_t scratch; /* the first of the two locals that were added */
    uint32_t inlined; /* calls that were, in this body */
    int rc;
} rewriter;

int wasm_write_uint(buf *out, uint64_t value)
{
    int rc = 0;
    do {
        uint8_t byte = value & 0x7f;
        value >>= 7;
        rc = buf_append_byte(out, (uint8_t)(byte | (value ? 0x80 : 0)));
    } while (rc == 0 && value);
    return rc;
}

int wasm_write_sint(buf *out, int64_t value)
{
    for (;;) {
        uint8_t byte = (uint8_t)(value & 0x7f);
        value >>= 7; /* arithmetic on every compiler we build with */
        bool last = (value == 0 && !(byte & 0x40)) || (value == -1 && (byte & 0x40));
        int rc = buf_append_byte(out, (uint8_t)(byte | (last ? 0 : 0x80)));
        if (rc != 0 || last)
            return rc;
    }
}

void wasm_skip_valtype(wasm_reader *r)
{
    uint8_t byte = wasm_read_byte(r);
    if (byte == TYPE_REF_NULL || byte == TYPE_REF)
        wasm_skip_leb(r);
}

/* Copies what was read since the last flush, up to `until`. */
static void flush(rewriter *w, const uint8_t *until)
{
    if (w->rc == 0 && !w->r->failed)
        w->rc = buf_append(w->out, w->uncopied, (size_t)(until - w->uncopied));
    w->uncopied = w->r->at;
}

static void put_byte(rewriter *w, uint8_t byte)
{
    if (w->rc == 0)
        w->rc = buf_append_byte(w->out, byte);
}

static void put_uint(rewriter *w, uint64_t value)
{
    if (w->rc == 0)
        w->rc = wasm_write_uint(w->out, value);
}

/* Replaces the index that follows by its new number. */
static void renumber(rewriter *w, const uint32_t *map, uint32_t count)
{
    const uint8_t *before = w->r->at;
    uint32_t index = wasm_read_u32(w->r);
    if (!map)
        return;
    if (index >= count) {
        wasm_reader_fail(w->r);
        return;
    }
    flush(w, before);
    put_uint(w, map[index]);
}

/* A call, or what stands in its place. */
static void call(rewriter *w, const uint8_t *start)
{
    const uint8_t *operand = w->r->at;
    uint32_t func = wasm_read_u32(w->r);

    if (w->map->inlined && func < w->map->func_count && w->map->inlined[func] != INLINE_NONE &&
        w->inlined < MAX_INLINED) {
        w->inlined++;
        flush(w, start);
        w->rc = w->rc ? w->rc
                      : wasm_inline_put((enum wasm_inline)w->map->inlined[func],
                                        w->map->inline_memory, w->scratch, w->out);
        return;
    }
    w->r->at = operand;
    renumber(w, w->map->func, w->map->func_count);
}

static void memory_index(rewriter *w)
{
    const uint8_t *before = w->r->at;
    uint32_t index = wasm_read_u32(w->r);
    if (w->map->memory_base == 0)
        return;
    flush(w, before);
    put_uint(w, (uint64_t)index + w->map->memory_base);
}

static void memarg(rewriter *w)
{
    const uint8_t *before = w->r->at;
    uint32_t align = wasm_read_u32(w->r);
    uint32_t memory = align & MEMARG_HAS_MEMORY ? wasm_read_u32(w->r) : 0;
    const uint8_t *behind = w->r->at;
    wasm_skip_leb(w->r);
    if (w->map->memory_base == 0)
        return;
    flush(w, before);
    w->uncopied = behind;
    put_uint(w, align | MEMARG_HAS_MEMORY);
    put_uint(w, (uint64_t)memory + w->map->memory_base);
}

static void block_type(rewriter *w)
{
    const uint8_t *before = w->r->at;
    uint8_t byte = wasm_read_byte(w->r);
    if (byte == TYPE_REF_NULL || byte == TYPE_REF) {
        wasm_skip_leb(w->r);
        return;
    }
    if (byte & 0x40 && byte < 0x80)
        return; /* a negative number of one byte: a value type or none */
    w->r->at = before;
    if (w->map->type)
        renumber(w, w->map->type, w->map->type_count);
    else
        wasm_skip_leb(w->r);
}

static void label_vector(rewriter *w)
{
    uint32_t count = wasm_read_u32(w->r);
    for (uint32_t i = 0; i <= count && !w->r->failed; i++) /* one more: the default */
        wasm_skip_leb(w->r);
}

static void catch_clauses(rewriter *w)
{
    uint32_t count = wasm_read_u32(w->r);
    for (uint32_t i = 0; i < count && !w->r->failed; i++) {
        uint8_t kind = wasm_read_byte(w->r);
        if (kind <= 1)
            wasm_skip_leb(w->r); /* a tag */
        wasm_skip_leb(w->r);
    }
}

static void memory_size_or_grow(rewriter *w, uint8_t op, const uint8_t *start)
{
    uint32_t memory = wasm_read_u32(w->r);
    const uint32_t *stand_in = op == OP_MEMORY_GROW ? w->map->grow : w->map->size_global;
    if (w->map->memory_base) {
        flush(w, start);
        put_byte(w, op);
        put_uint(w, (uint64_t)memory + w->map->memory_base);
        return;
    }
    if (!stand_in)
        return;
    if (memory >= w->map->memory_count) {
        wasm_reader_fail(w->r);
        return;
    }
    if (stand_in[memory] == WASM_KEEP)
        return;
    flush(w, start);
    put_byte(w, op == OP_MEMORY_GROW ? OP_CALL : 0x23 /* global.get */);
    put_uint(w, stand_in[memory]);
}

static void skip_lebs(rewriter *w, unsigned count)
{
    while (count--)
        wasm_skip_leb(w->r);
}

static void gc_instruction(rewriter *w)
{
    static const uint8_t immediates[] = {
        [0x00] = 1, 1, 2, 2, 2, 2, 1, 1, 2, 2, 2, 1, 1, 1, 1, 0, 1, 2, 2, 2,
        [0x14] = 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0,
    };
    uint32_t op = wasm_read_u32(w->r);
    w->facts->mutates_hidden_state = true;
    if (op == 0x18 || op == 0x19) { /* br_on_cast: flags, label, two heap types */
        wasm_read_byte(w->r);
        skip_lebs(w, 3);
    } else if (op < sizeof immediates) {
        skip_lebs(w, immediates[op]);
    } else {
        wasm_reader_fail(w->r);
    }
}

/* Puts a call in front of the instruction that began at `start`. */
static void call_before(rewriter *w, const uint8_t *start, uint32_t func)
{
    if (!func)
        return;
    flush(w, start);
    put_byte(w, OP_CALL);
    put_uint(w, func);
    w->uncopied = start;
}

static void misc_instruction(rewriter *w, const uint8_t *start)
{
    uint32_t op = wasm_read_u32(w->r);
    if (op == 0x08 || op == 0x0b)
        call_before(w, start, w->map->check_write);
    else if (op == 0x0a)
        call_before(w, start, w->map->check_copy);
    switch (op) {
    case 0x08: /* memory.init */
        wasm_skip_leb(w->r);
        memory_index(w);
        break;
    case 0x0a: /* memory.copy */
        memory_index(w);
        memory_index(w);
        break;
    case 0x0b: /* memory.fill */
        memory_index(w);
        break;
    case 0x09: /* data.drop */
    case 0x0d: /* elem.drop */
    case 0x0f: /* table.grow */
    case 0x11: /* table.fill */
        w->facts->mutates_hidden_state = true;
        wasm_skip_leb(w->r);
        break;
    case 0x0c: /* table.init */
    case 0x0e: /* table.copy */
        w->facts->mutates_hidden_state = true;
        skip_lebs(w, 2);
        break;
    case 0x10: /* table.size */
        wasm_skip_leb(w->r);
        break;
    default: /* 0x00..0x07 saturating conversions, 0x13..0x16 wide arithmetic: no immediates */
        if (op > 0x07 && (op < 0x13 || op > 0x16))
            wasm_reader_fail(w->r);
    }
}

static void vector_instruction(rewriter *w)
{
    uint32_t op = wasm_read_u32(w->r);
    if (op <= 0x0b || op == 0x5c || op == 0x5d) {
        memarg(w);
    } else if (op == 0x0c || op == 0x0d) { /* v128.const, i8x16.shuffle */
        wasm_read_bytes(w->r, 16);
    } else if (op >= 0x15 && op <= 0x22) { /* lanes */
        wasm_read_byte(w->r);
    } else if (op >= 0x54 && op <= 0x5b) { /* load and store of a lane */
        memarg(w);
        wasm_read_byte(w->r);
    } else if (op > 0x113) {
        wasm_reader_fail(w->r);
    }
}

static void atomic_instruction(rewriter *w)
{
    uint32_t op = wasm_read_u32(w->r);
    w->facts->has_atomics = true;
    if (op == 0x03) /* atomic.fence */
        wasm_read_byte(w->r);
    else if (op <= 0x02 || (op >= 0x10 && op <= 0x4e))
        memarg(w);
    else
        wasm_reader_fail(w->r);
}

/* Instructions of one byte beyond those that instruction() names. */
static void plain_instruction(rewriter *w, uint8_t op)
{
    if (op <= 0x01 || op == 0x05 || op == 0x0f || op == 0x1a || op == 0x1b ||
        (op >= 0x45 && op <= 0xc4) || op == 0xd1 || op == 0xd3 || op == 0xd4)
        return;
    /* br, br_if, call_ref, return_call_ref, local.*, global.*, table.get, br_on_null,
     * br_on_non_null: one index that keeps its meaning */
    if (op == 0x0c || op == 0x0d || op == 0x14 || op == 0x15 || (op >= 0x20 && op <= 0x25) ||
        op == 0xd5 || op == 0xd6)
        wasm_skip_leb(w->r);
    else
        wasm_reader_fail(w->r);
}

/* Walks one instruction; the depth of blocks changes by what is returned. */
static int instruction(rewriter *w)
{
    const uint8_t *start = w->r->at;
    uint8_t op = wasm_read_byte(w->r);

    if (op >= OP_LOAD_FIRST && op <= OP_STORE_LAST) {
        memarg(w);
        return 0;
    }
    switch (op) {
    case OP_BLOCK:
    case OP_LOOP:
    case OP_IF:
        block_type(w);
        return 1;
    case OP_TRY_TABLE:
        w->facts->mutates_hidden_state = true;
        block_type(w);
        catch_clauses(w);
        return 1;
    case OP_END:
        return -1;
    case OP_THROW:
    case OP_TABLE_SET:
        w->facts->mutates_hidden_state = true;
        wasm_skip_leb(w->r);
        return 0;
    case OP_THROW_REF:
        w->facts->mutates_hidden_state = true;
        return 0;
    case OP_BR_TABLE:
        label_vector(w);
        return 0;
    case OP_CALL:
        call(w, start);
        return 0;
    case OP_RETURN_CALL:
    case OP_REF_FUNC:
        renumber(w, w->map->func, w->map->func_count);
        return 0;
    case OP_CALL_INDIRECT:
    case OP_RETURN_CALL_INDIRECT:
        renumber(w, w->map->type, w->map->type_count);
        wasm_skip_leb(w->r);
        return 0;
    case OP_SELECT_TYPED:
        for (uint32_t n = wasm_read_u32(w->r); n > 0 && !w->r->failed; n--)
            wasm_skip_valtype(w->r);
        return 0;
    case OP_MEMORY_SIZE:
    case OP_MEMORY_GROW:
        memory_size_or_grow(w, op, start);
        return 0;
    case OP_I32_CONST:
    case OP_I64_CONST:
    case OP_REF_NULL:
        wasm_skip_leb(w->r);
        return 0;
    case OP_F32_CONST:
        wasm_read_bytes(w->r, 4);
        return 0;
    case OP_F64_CONST:
        wasm_read_bytes(w->r, 8);
        return 0;
    case OP_PREFIX_GC:
        gc_instruction(w);
        return 0;
    case OP_PREFIX_MISC:
        misc_instruction(w, start);
        return 0;
    case OP_PREFIX_VECTOR:
        vector_instruction(w);
        return 0;
    case OP_PREFIX_ATOMIC:
        atomic_instruction(w);
        return 0;
    default:
        plain_instruction(w, op);
        return 0;
    }
}

/* Walks up to and over the `end` that closes the expression. */
static int expression(rewriter *w, error *err)
{
    size_t depth = 1;
    while (depth > 0 && w->rc == 0 && !w->r->failed)
        depth += (size_t)(ptrdiff_t)instruction(w);
    flush(w, w->r->at);
    if (w->r->failed)
        return error_set(err, E_INVALID, "code holds an instruction that is not known");
    if (w->rc != 0)
        return error_set(err, w->rc, "code cannot be linked: %s", error_code_name(w->rc));
    return 0;
}

/* Passes over the declarations of locals, and adds two of i64 where calls are inlined. */
static void declarations(rewriter *w, uint32_t params)
{
    uint64_t locals = params;
    uint32_t groups = wasm_read_u32(w->r);
    const uint8_t *first = w->r->at;

    for (uint32_t i = 0; i < groups && !w->r->failed; i++) {
        locals += wasm_read_u32(w->r);
        wasm_skip_valtype(w->r);
    }
    if (!w->map->inlined || w->r->failed)
        return;
    w->uncopied = first;
    put_uint(w, (uint64_t)groups + 1);
    flush(w, w->r->at);
    put_uint(w, 2);
    put_byte(w, 0x7e /* i64 */);
    w->scratch = (uint32_t)locals;
}

int wasm_code_rewrite_body(wasm_reader *r, const wasm_code_map *map, uint32_t params,
                           wasm_code_facts *facts, buf *out, error *err)
{
    rewriter w = {.r = r, .uncopied = r->at, .map = map, .facts = facts, .out = out};
    declarations(&w, params);
    return expression(&w, err);
}

int wasm_code_rewrite_const(wasm_reader *r, const wasm_code_map *map, bool *plain, buf *out,
                            error *err)
{
    wasm_code_facts facts = {0};
    rewriter w = {.r = r, .uncopied = r->at, .map = map, .facts = &facts, .out = out};
    int rc = expression(&w, err);
    if (plain)
        *plain = !facts.mutates_hidden_state;
    return rc;
}
