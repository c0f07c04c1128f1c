#include "extism/kernel_memory.h"

#define HEADER (sizeof(struct kernel_block))

struct kernel_root *kernel_memory_root(kernel_memory m)
{
    return m.size >= KERNEL_PAGE ? (struct kernel_root *)(void *)m.base : NULL;
}

void kernel_memory_init(kernel_memory m, uint64_t pages)
{
    struct kernel_root *r = kernel_memory_root(m);
    *r = (struct kernel_root){
        .position = KERNEL_HEAP,
        .length = KERNEL_PAGE,
        .dirty = KERNEL_HEAP,
        .pages_left = pages,
    };
}

void kernel_memory_set_input(kernel_memory m, uint64_t offset, uint64_t len)
{
    struct kernel_root *r = kernel_memory_root(m);
    r->input_offset = offset;
    r->input_length = len;
    r->input_words = len < 8 ? 0 : len - 7;
}

void kernel_memory_reset(kernel_memory m)
{
    struct kernel_root *r = kernel_memory_root(m);
    r->position = KERNEL_HEAP;
    r->error = 0;
    kernel_memory_set_input(m, 0, 0);
    r->output_offset = 0;
    r->output_length = 0;
}

static uint64_t rounded(uint64_t n)
{
    return (n + KERNEL_ALIGN - 1) & ~(uint64_t)(KERNEL_ALIGN - 1);
}

bool kernel_memory_missing(kernel_memory m, uint64_t n, uint64_t *pages, bool *denied)
{
    struct kernel_root *r = kernel_memory_root(m);

    *pages = 0;
    *denied = false;
    if (n == 0 || n > UINT32_MAX - KERNEL_PAGE)
        return false;
    uint64_t end = r->position + HEADER + rounded(n);
    if (end > UINT32_MAX)
        return false;
    uint64_t charged = end > r->length ? (end - r->length + KERNEL_PAGE - 1) / KERNEL_PAGE : 0;
    if (r->pages_left != KERNEL_UNLIMITED_PAGES && charged > r->pages_left) {
        *denied = true;
        return false;
    }
    uint64_t length = r->length + charged * KERNEL_PAGE;
    *pages = length > m.size ? (length - m.size) / KERNEL_PAGE : 0;
    return true;
}

uint64_t kernel_memory_alloc(kernel_memory m, uint64_t n)
{
    struct kernel_root *r = kernel_memory_root(m);
    uint64_t pages, end, data;
    bool denied;

    if (!kernel_memory_missing(m, n, &pages, &denied) || pages > 0)
        return 0;
    end = r->position + HEADER + rounded(n);
    data = r->position + HEADER;
    if (end > r->length) {
        uint64_t charged = (end - r->length + KERNEL_PAGE - 1) / KERNEL_PAGE;
        if (r->pages_left != KERNEL_UNLIMITED_PAGES)
            r->pages_left -= charged;
        r->length += charged * KERNEL_PAGE;
    }
    if (data < r->dirty)
        memset(m.base + data, 0, (size_t)((end < r->dirty ? end : r->dirty) - data));
    if (end > r->dirty)
        r->dirty = end;
    *(struct kernel_block *)(void *)(m.base + r->position) = (struct kernel_block){
        .tag = KERNEL_BLOCK_ACTIVE,
        .size = (uint32_t)rounded(n),
        .used = (uint32_t)n,
    };
    r->position = end;
    return data;
}

static struct kernel_block *find_block(kernel_memory m, uint64_t offset)
{
    struct kernel_root *r = kernel_memory_root(m);
    if (offset < KERNEL_HEAP + HEADER || offset >= r->position || offset >= m.size ||
        offset % KERNEL_ALIGN)
        return NULL;
    struct kernel_block *b = (struct kernel_block *)(void *)(m.base + offset - HEADER);
    return b->tag == KERNEL_BLOCK_ACTIVE ? b : NULL;
}

void kernel_memory_free(kernel_memory m, uint64_t offset)
{
    struct kernel_block *b = find_block(m, offset);
    if (!b)
        return;
    b->tag = KERNEL_BLOCK_FREE;
    if (offset == kernel_memory_root(m)->input_offset)
        kernel_memory_set_input(m, offset, 0);
}

slice kernel_memory_view(kernel_memory m, uint64_t offset, uint64_t len)
{
    if (offset >= m.size)
        return slice_of(NULL, 0);
    return slice_of(m.base + offset, (size_t)(len > m.size - offset ? m.size - offset : len));
}

uint64_t kernel_memory_length(kernel_memory m, uint64_t offset)
{
    struct kernel_block *b = find_block(m, offset);
    if (!b)
        return 0;
    uint64_t room = kernel_memory_root(m)->position - offset;
    return kernel_memory_view(m, offset, b->used < room ? b->used : room).len;
}
