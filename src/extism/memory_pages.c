#include "extism/memory_pages.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PAGE MEMORY_PAGE

/* From linux/fs.h of 6.7, which Debian 12's headers do not have yet. */
struct page_region {
    uint64_t start;
    uint64_t end;
    uint64_t categories;
};

struct pm_scan_arg {
    uint64_t size;
    uint64_t flags;
    uint64_t start;
    uint64_t end;
    uint64_t walk_end;
    uint64_t vec;
    uint64_t vec_len;
    uint64_t max_pages;
    uint64_t category_inverted;
    uint64_t category_mask;
    uint64_t category_anyof_mask;
    uint64_t return_mask;
};

#define PAGEMAP_SCAN_IOCTL _IOWR('f', 16, struct pm_scan_arg)
#define PAGE_IS_FILE (1u << 2)
#define PAGE_IS_PRESENT (1u << 3)
#define PAGE_IS_SWAPPED (1u << 4)
#define PAGE_IS_PFNZERO (1u << 5)

/* The older interface: one 64-bit word a page. */
#define PAGEMAP_PRESENT (1ull << 63)
#define PAGEMAP_SWAPPED (1ull << 62)
#define PAGEMAP_FILE_OR_SHARED (1ull << 61)

#define REGIONS 64

static pthread_once_t pagemap_once = PTHREAD_ONCE_INIT;
static atomic_int pagemap_fd = -1;
static atomic_bool scan_unknown; /* the kernel is older than the ioctl */

/* The file shows the memory of the process that opened it. */
static void reopen_in_child(void)
{
    int old = atomic_load(&pagemap_fd);
    atomic_store(&pagemap_fd, open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
    if (old >= 0)
        close(old);
}

static void open_pagemap(void)
{
    atomic_store(&pagemap_fd, open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
    pthread_atfork(NULL, NULL, reopen_in_child);
}

void memory_pages_open(void)
{
    pthread_once(&pagemap_once, open_pagemap);
}

struct visitor {
    void (*visit)(void *arg, size_t first, size_t end);
    void *arg;
};

/* Private pages that were written are neither the file's nor the page of zeros any more. */
static bool visit_by_scan(uint8_t *base, size_t size, int fd, size_t max_pages,
                          const struct visitor *v)
{
    struct page_region regions[REGIONS];
    struct pm_scan_arg arg = {
        .size = sizeof arg,
        .start = (uint64_t)(uintptr_t)base,
        .end = (uint64_t)(uintptr_t)base + size,
        .vec = (uint64_t)(uintptr_t)regions,
        .vec_len = REGIONS,
        .category_inverted = PAGE_IS_FILE | PAGE_IS_PFNZERO,
        .category_mask = PAGE_IS_FILE | PAGE_IS_PFNZERO,
        .category_anyof_mask = PAGE_IS_PRESENT | PAGE_IS_SWAPPED,
        .return_mask = PAGE_IS_PRESENT,
    };
    size_t pages = 0;

    while (arg.start < arg.end) {
        long n = ioctl(fd, PAGEMAP_SCAN_IOCTL, &arg);
        if (n < 0) {
            if (errno == ENOTTY || errno == EINVAL)
                atomic_store(&scan_unknown, true);
            return false;
        }
        for (long i = 0; i < n; i++) {
            size_t first = (size_t)(regions[i].start - (uint64_t)(uintptr_t)base) / PAGE;
            size_t end = (size_t)(regions[i].end - (uint64_t)(uintptr_t)base) / PAGE;
            pages += end - first;
            if (pages > max_pages)
                return false;
            v->visit(v->arg, first, end);
        }
        if (arg.walk_end <= arg.start)
            return false;
        arg.start = arg.walk_end;
    }
    return true;
}

static bool visit_by_pagemap(uint8_t *base, size_t size, int fd, size_t max_pages,
                             const struct visitor *v)
{
    uint64_t words[512];
    size_t count = size / PAGE, pages = 0;

    for (size_t at = 0; at < count; at += sizeof words / sizeof words[0]) {
        size_t n = count - at < sizeof words / sizeof words[0] ? count - at
                                                               : sizeof words / sizeof words[0];
        off_t offset = (off_t)(((uintptr_t)base / PAGE + at) * sizeof words[0]);
        if (pread(fd, words, n * sizeof words[0], offset) != (ssize_t)(n * sizeof words[0]))
            return false;
        for (size_t i = 0; i < n; i++) {
            bool written = (words[i] & (PAGEMAP_PRESENT | PAGEMAP_SWAPPED)) &&
                           !(words[i] & PAGEMAP_FILE_OR_SHARED);
            if (!written)
                continue;
            if (++pages > max_pages)
                return false;
            v->visit(v->arg, at + i, at + i + 1);
        }
    }
    return true;
}

bool memory_pages_tell(void)
{
    return atomic_load_explicit(&pagemap_fd, memory_order_relaxed) >= 0 &&
           sysconf(_SC_PAGESIZE) == PAGE;
}

bool memory_pages_written(uint8_t *base, size_t size, size_t max_pages,
                          void (*visit)(void *arg, size_t first, size_t end), void *arg)
{
    const struct visitor v = {.visit = visit, .arg = arg};
    int fd = atomic_load_explicit(&pagemap_fd, memory_order_relaxed);

    if (!memory_pages_tell())
        return false;
    if (!atomic_load_explicit(&scan_unknown, memory_order_relaxed)) {
        if (visit_by_scan(base, size, fd, max_pages, &v))
            return true;
        if (!atomic_load_explicit(&scan_unknown, memory_order_relaxed))
            return false;
    }
    return visit_by_pagemap(base, size, fd, max_pages, &v);
}
