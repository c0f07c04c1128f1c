#include "extism/memory_image.h"

#include "extism/memory_pages.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE MEMORY_PAGE
#define NO_PAGE UINT32_MAX

struct memory_image {
    size_t size;
    uint32_t *slot; /* of each page: its place in `pages`, or NO_PAGE for zeros */
    uint8_t *pages;
};

/* Reading a page has mapped it; every page that is mapped makes each later scan longer. */
static void unmap_zeros(const memory_image *image, uint8_t *base)
{
    size_t count = image->size / PAGE, first = 0;
    for (size_t i = 0; i <= count; i++) {
        if (i < count && image->slot[i] == NO_PAGE)
            continue;
        if (i > first)
            madvise(base + first * PAGE, (i - first) * PAGE, MADV_DONTNEED);
        first = i + 1;
    }
}

int memory_image_create(memory_image **out, uint8_t *base, size_t size, error *err)
{
    static const uint8_t zeros[PAGE];
    size_t count = size / PAGE, used = 0;
    memory_image *image = NULL;
    int rc = 0;

    *out = NULL;
    memory_pages_open();
    for (size_t i = 0; i < count; i++)
        used += memcmp(base + i * PAGE, zeros, PAGE) != 0;
    if (!(image = calloc(1, sizeof *image)) ||
        !(image->slot = calloc(count + 1, sizeof *image->slot)) ||
        !(image->pages = malloc(used * PAGE + 1))) {
        rc = error_set(err, E_NO_MEMORY, "out of memory for the image of a guest's memory");
        goto done;
    }
    image->size = size;
    used = 0;
    for (size_t i = 0; i < count; i++) {
        bool zero = memcmp(base + i * PAGE, zeros, PAGE) == 0;
        image->slot[i] = zero ? NO_PAGE : (uint32_t)used;
        if (!zero)
            memcpy(image->pages + PAGE * used++, base + i * PAGE, PAGE);
    }
    unmap_zeros(image, base);
    *out = image;
    image = NULL;
done:
    memory_image_destroy(image);
    return rc;
}

static void restore_pages(const memory_image *image, uint8_t *base, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        if (image->slot[i] == NO_PAGE)
            memset(base + i * PAGE, 0, PAGE);
        else
            memcpy(base + i * PAGE, image->pages + (size_t)image->slot[i] * PAGE, PAGE);
    }
}

struct restoring {
    const memory_image *image;
    uint8_t *base;
};

static void restore_run(void *arg, size_t first, size_t end)
{
    const struct restoring *r = arg;
    restore_pages(r->image, r->base, first, end);
}

bool memory_image_restore(const memory_image *image, uint8_t *base, size_t size, size_t max_bytes)
{
    struct restoring r = {.image = image, .base = base};
    return size == 0 || memory_pages_written(base, size, max_bytes / PAGE, restore_run, &r);
}

size_t memory_image_size(const memory_image *image)
{
    return image->size;
}

void memory_image_destroy(memory_image *image)
{
    if (!image)
        return;
    free(image->slot);
    free(image->pages);
    free(image);
}

#define LINE 64u /* bytes; as many lines a page as a word has bits */

/* What differs in one page: a bit for each line, and where the lines lie. */
struct page_patch {
    uint64_t lines;
    uint32_t page;
    uint32_t first_line;
};

struct memory_patch {
    struct page_patch *pages;
    uint8_t *lines;
    uint32_t page_count;
    uint32_t line_count;
};

struct comparing {
    const memory_image *image;
    const uint8_t *base;
    memory_patch *patch;
    size_t page_room;
    size_t line_room;
    bool failed;
};

/* Makes room for one more page. */
static bool reserve(struct comparing *c)
{
    memory_patch *p = c->patch;

    if (p->page_count == c->page_room) {
        size_t room = c->page_room ? 2 * c->page_room : 16;
        void *pages = realloc(p->pages, room * sizeof *p->pages);
        if (!pages)
            return false;
        p->pages = pages;
        c->page_room = room;
    }
    if (p->line_count + PAGE / LINE > c->line_room) {
        size_t room = 2 * c->line_room + PAGE / LINE;
        void *lines = realloc(p->lines, room * LINE);
        if (!lines)
            return false;
        p->lines = lines;
        c->line_room = room;
    }
    return true;
}

static void compare_page(struct comparing *c, size_t page)
{
    static const uint8_t zeros[PAGE];
    uint32_t slot = c->image->slot[page];
    const uint8_t *then = slot == NO_PAGE ? zeros : c->image->pages + (size_t)slot * PAGE;
    const uint8_t *now = c->base + page * PAGE;
    memory_patch *p = c->patch;

    if (memcmp(then, now, PAGE) == 0)
        return;
    if (!reserve(c)) {
        c->failed = true;
        return;
    }
    struct page_patch *out = &p->pages[p->page_count++];
    *out = (struct page_patch){.page = (uint32_t)page, .first_line = p->line_count};
    for (uint32_t line = 0; line < PAGE / LINE; line++) {
        if (memcmp(then + line * LINE, now + line * LINE, LINE) == 0)
            continue;
        out->lines |= 1ull << line;
        memcpy(p->lines + (size_t)p->line_count++ * LINE, now + line * LINE, LINE);
    }
}

static void compare_run(void *arg, size_t first, size_t end)
{
    struct comparing *c = arg;
    for (size_t i = first; i < end && !c->failed; i++)
        compare_page(c, i);
}

/* Gives back what growing left over. */
static void trim_patch(memory_patch *p)
{
    void *pages = realloc(p->pages, p->page_count * sizeof *p->pages + 1);
    void *lines = realloc(p->lines, (size_t)p->line_count * LINE + 1);

    p->pages = pages ? pages : p->pages;
    p->lines = lines ? lines : p->lines;
}

int memory_patch_create(memory_patch **out, const memory_image *image, uint8_t *base, size_t size,
                        size_t max_bytes, error *err)
{
    struct comparing c = {.image = image, .base = base};
    int rc = 0;

    *out = NULL;
    if (!(c.patch = calloc(1, sizeof *c.patch)))
        return error_set(err, E_NO_MEMORY, "out of memory for the image of a guest's memory");
    if (max_bytes == SIZE_MAX && !memory_pages_tell())
        compare_run(&c, 0, size / PAGE);
    else if (size > 0 && !memory_pages_written(base, size, max_bytes / PAGE, compare_run, &c))
        rc = error_set(err, E_TOO_LARGE, "too much of the guest's memory was written");
    if (rc == 0 && c.failed)
        rc = error_set(err, E_NO_MEMORY, "out of memory for the image of a guest's memory");
    if (rc == 0) {
        trim_patch(c.patch);
        *out = c.patch;
        c.patch = NULL;
    }
    memory_patch_destroy(c.patch);
    return rc;
}

void memory_patch_apply(const memory_patch *p, uint8_t *base)
{
    for (uint32_t i = 0; i < p->page_count; i++) {
        const struct page_patch *page = &p->pages[i];
        const uint8_t *line = p->lines + (size_t)page->first_line * LINE;
        for (uint64_t left = page->lines; left; left &= left - 1, line += LINE)
            memcpy(base + (size_t)page->page * PAGE + (size_t)__builtin_ctzll(left) * LINE, line,
                   LINE);
    }
}

bool memory_patch_is_empty(const memory_patch *p)
{
    return p->page_count == 0;
}

void memory_patch_destroy(memory_patch *p)
{
    if (!p)
        return;
    free(p->pages);
    free(p->lines);
    free(p);
}
