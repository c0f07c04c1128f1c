/* The Extism kernel: the memory that a guest and its host share, its allocator, and the functions
 * of the namespace `extism:host/env` that need nothing but that memory. Compiled to WebAssembly
 * without a libc; the host links it into each plug-in (see wasm_link.h).
 *
 * Behaviour follows upstream's kernel: offsets that are not valid read as 0 and are not written.
 * Unlike upstream's, `reset` takes constant time: bytes are cleared when they are handed out again. */

#include "layout.h"

#define EXPORT(name) __attribute__((export_name(name)))

static struct kernel_root *root(void)
{
    /* Address 0 is the root's; the compiler must not take it for a null pointer. */
    uint32_t address = 0;
    __asm__("" : "+r"(address));
    return (struct kernel_root *)address;
}

static uint64_t memory_end(void)
{
    return (uint64_t)__builtin_wasm_memory_size(0) * KERNEL_PAGE;
}

static void set_input(uint64_t p, uint64_t len)
{
    struct kernel_root *r = root();
    r->input_offset = p;
    r->input_length = len;
    r->input_words = len < 8 ? 0 : len - 7;
}

static struct kernel_block *block_at(uint64_t address)
{
    return (struct kernel_block *)(uint32_t)address;
}

/* Takes pages from the instance's allowance. Its own export: growth of the guest's memories is
 * charged here too. Trapping is what makes an exceeded limit an error of the call and not a NULL
 * that the guest may handle. */
EXPORT("\x01ubiq:charge") uint64_t charge(uint64_t pages)
{
    struct kernel_root *r = root();
    if (r->pages_left == KERNEL_UNLIMITED_PAGES)
        return pages;
    if (pages > r->pages_left) {
        r->out_of_memory = 1;
        __builtin_trap();
    }
    r->pages_left -= pages;
    return pages;
}

/* The block whose bytes begin at `p`, or 0. */
static struct kernel_block *find_block(uint64_t p)
{
    struct kernel_root *r = root();
    if (p < KERNEL_HEAP + sizeof(struct kernel_block) || p >= r->position || p % KERNEL_ALIGN)
        return 0;
    struct kernel_block *b = block_at(p - sizeof *b);
    return b->tag == KERNEL_BLOCK_ACTIVE ? b : 0;
}

/* A freed block of at least `size` bytes, which then belongs to the caller, or 0. */
static struct kernel_block *reuse_block(uint32_t size)
{
    struct kernel_root *r = root();
    uint64_t at = KERNEL_HEAP;
    while (at + sizeof(struct kernel_block) <= r->position) {
        struct kernel_block *b = block_at(at);
        if (b->tag == KERNEL_BLOCK_FREE && b->size >= size &&
            at + sizeof *b + size <= r->position) /* the guest may have changed the header */
            return b;
        at += sizeof *b + b->size;
    }
    return 0;
}

/* Makes the allocator's space reach `end`, an address. */
static int ensure(uint64_t end)
{
    struct kernel_root *r = root();
    if (end <= r->length)
        return 1;
    uint64_t pages = (end - r->length + KERNEL_PAGE - 1) / KERNEL_PAGE;
    charge(pages);
    uint64_t length = r->length + pages * KERNEL_PAGE;
    if (length > memory_end()) {
        uint64_t missing = (length - memory_end()) / KERNEL_PAGE;
        if (__builtin_wasm_memory_grow(0, (uint32_t)missing) == (uint32_t)-1)
            return 0;
    }
    r->length = length;
    return 1;
}

EXPORT("alloc") uint64_t alloc(uint64_t n)
{
    struct kernel_root *r = root();
    if (n == 0 || n > UINT32_MAX - KERNEL_PAGE)
        return 0;
    uint32_t size = (uint32_t)(n + KERNEL_ALIGN - 1) & ~(KERNEL_ALIGN - 1);
    uint64_t end = r->position + sizeof(struct kernel_block) + size;
    struct kernel_block *b;

    if (end > r->length && (b = reuse_block(size))) {
        b->tag = KERNEL_BLOCK_ACTIVE;
        b->used = (uint32_t)n;
        return (uint64_t)(uint32_t)(b + 1);
    }
    if (end > UINT32_MAX || !ensure(end))
        return 0;
    b = block_at(r->position);
    uint64_t data = (uint64_t)(uint32_t)(b + 1);
    if (data < r->dirty)
        __builtin_memset(b + 1, 0, (uint32_t)((end < r->dirty ? end : r->dirty) - data));
    if (end > r->dirty)
        r->dirty = end;
    b->tag = KERNEL_BLOCK_ACTIVE;
    b->size = size;
    b->used = (uint32_t)n;
    r->position = end;
    return data;
}

EXPORT("free") void free_block(uint64_t p)
{
    struct kernel_block *b = find_block(p);
    if (!b)
        return;
    b->tag = KERNEL_BLOCK_FREE;
    if (p == root()->input_offset)
        set_input(p, 0);
}

EXPORT("length") uint64_t length(uint64_t p)
{
    struct kernel_block *b = find_block(p);
    return b ? b->used : 0;
}

EXPORT("length_unsafe") uint64_t length_unsafe(uint64_t p)
{
    return length(p);
}

static int readable(uint64_t p, uint64_t size)
{
    return p >= KERNEL_HEAP && p <= memory_end() - size;
}

EXPORT("load_u8") uint32_t load_u8(uint64_t p)
{
    return readable(p, 1) ? *(uint8_t *)(uint32_t)p : 0;
}

EXPORT("load_u64") uint64_t load_u64(uint64_t p)
{
    return readable(p, 8) ? *(uint64_t *)(uint32_t)p : 0;
}

/* Guests may write anywhere behind the root, so writes outside of blocks are remembered. */
static int writable(uint64_t p, uint64_t size)
{
    if (!readable(p, size))
        return 0;
    if (p + size > root()->dirty)
        root()->dirty = p + size;
    return 1;
}

EXPORT("store_u8") void store_u8(uint64_t p, uint32_t x)
{
    if (writable(p, 1))
        *(uint8_t *)(uint32_t)p = (uint8_t)x;
}

EXPORT("store_u64") void store_u64(uint64_t p, uint64_t x)
{
    if (writable(p, 8))
        *(uint64_t *)(uint32_t)p = x;
}

EXPORT("input_load_u8") uint32_t input_load_u8(uint64_t offset)
{
    struct kernel_root *r = root();
    return offset < r->input_length ? *(uint8_t *)(uint32_t)(r->input_offset + offset) : 0;
}

EXPORT("input_load_u64") uint64_t input_load_u64(uint64_t offset)
{
    struct kernel_root *r = root();
    if (offset >= r->input_words)
        return 0;
    return *(uint64_t *)(uint32_t)(r->input_offset + offset);
}

/* Whether p .. p+len lies in the allocator's space; as upstream, an empty range must have the byte
 * before it inside too. */
static int in_heap(uint64_t p, uint64_t len)
{
    uint64_t last = p + len - 1;
    return p >= KERNEL_HEAP && p < root()->length && last >= KERNEL_HEAP && last < root()->length &&
           len <= root()->length;
}

EXPORT("input_set") void input_set(uint64_t p, uint64_t len)
{
    if (!in_heap(p, len))
        return;
    set_input(p, len);
}

EXPORT("output_set") void output_set(uint64_t p, uint64_t len)
{
    if (!in_heap(p, len))
        return;
    root()->output_offset = p;
    root()->output_length = len;
}

EXPORT("input_length") uint64_t input_length(void)
{
    return root()->input_length;
}

EXPORT("input_offset") uint64_t input_offset(void)
{
    return root()->input_offset;
}

EXPORT("output_length") uint64_t output_length(void)
{
    return root()->output_length;
}

EXPORT("output_offset") uint64_t output_offset(void)
{
    return root()->output_offset;
}

EXPORT("error_set") void error_set(uint64_t p)
{
    if (p == 0 || (p >= KERNEL_HEAP && p < root()->length))
        root()->error = p;
}

EXPORT("error_get") uint64_t error_get(void)
{
    return root()->error;
}

EXPORT("memory_bytes") uint64_t memory_bytes(void)
{
    return root()->length;
}

EXPORT("reset") void reset(void)
{
    struct kernel_root *r = root();
    r->position = KERNEL_HEAP;
    r->error = 0;
    set_input(0, 0);
    r->output_offset = 0;
    r->output_length = 0;
}
