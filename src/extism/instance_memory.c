#include "extism/instance_internal.h"
#include "extism/limits.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Changes the protection of pages `first` up to `end` of the main memory. */
static bool protect(instance *i, uint32_t first, uint32_t end, int protection)
{
    uint8_t *base = wasmtime_memory_data(i->context, &i->members[i->code->main].memories[0]);
    return mprotect(base + (size_t)first * KERNEL_PAGE, (size_t)(end - first) * KERNEL_PAGE,
                    protection) == 0;
}

uint32_t instance_slack_end(const instance *i)
{
    const module *m = compiled_plugin_main(i->code);
    return m->told_pages + m->slack_pages;
}

bool instance_open_slack(instance *i, uint32_t first, uint32_t end)
{
    end = end < instance_slack_end(i) ? end : instance_slack_end(i);
    if (first < i->open_pages)
        first = i->open_pages;
    if (first >= end)
        return true;
    if (!protect(i, first, end, PROT_READ | PROT_WRITE))
        return false;
    i->open_pages = end;
    return true;
}

/* Makes the slack unusable, but for what the guest was told from the start. Not so for the platform:
 * changing the protection at each call costs as much as the rest of it, and interrupts every other
 * core. There the slack stays open from an instance's first use to its last, so that a guest which
 * reads past its memory's end finds zeros, and always the same ones. */
bool instance_close_slack(instance *i)
{
    const module *m = compiled_plugin_main(i->code);
    uint32_t end = i->open_pages;
    if (m->slack_pages == 0 || end == m->told_pages || i->code->options.http)
        return true;
    i->open_pages = m->told_pages;
    i->slack_closed = true;
    return protect(i, m->told_pages, end, PROT_NONE);
}

void instance_prepare_kernel(instance *i)
{
    const manifest *m = &i->code->manifest;
    kernel_memory_init(instance_kernel(i), m->has_max_pages ? m->max_pages : KERNEL_UNLIMITED_PAGES);
}

bool instance_restore(instance *i)
{
    compiled_plugin *c = i->code;
    kernel_memory k = instance_kernel(i);
    uint64_t dirty = kernel_memory_root(k)->dirty;

    if (k.size != (size_t)KERNEL_INITIAL_PAGES * KERNEL_PAGE || dirty > k.size)
        return false;
    for (size_t m = 0; m < c->member_count; m++) {
        struct compiled_member *cm = &c->members[m];
        for (uint32_t n = 0; n < cm->mod->memory_count; n++) {
            wasmtime_memory_t *memory = &i->members[m].memories[n];
            size_t size = memory_image_size(cm->images[n]);
            if (wasmtime_memory_data_size(i->context, memory) != size)
                return false;
            if (cm->mod->slack_pages)
                size = (size_t)i->open_pages * KERNEL_PAGE;
            if (!memory_image_restore(cm->images[n], wasmtime_memory_data(i->context, memory), size,
                                      LIMIT_RESET_BYTES))
                return false;
        }
    }
    if (!instance_close_slack(i))
        return false;
    memset(k.base, 0, (size_t)dirty);
    instance_prepare_kernel(i);
    for (size_t m = 0; m < c->member_count; m++) {
        if (instance_call(i, &i->members[m].reset, 0, 0, NULL, NULL) != 0)
            return false;
    }
    i->initialized = 0;
    i->exited = false;
    return true;
}

static int compare_ranges(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (x[0] > y[0]) - (x[0] < y[0]);
}

void instance_trim(instance *i, const uint64_t (*keep)[2], size_t keep_count)
{
    kernel_memory k = instance_kernel(i);
    uint64_t ranges[4][2], at = KERNEL_PAGE, page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t end = kernel_memory_root(k)->position;

    if (end < LIMIT_KERNEL_RESIDENT || end > k.size || keep_count > 4)
        return;
    memcpy(ranges, keep, keep_count * sizeof *keep);
    qsort(ranges, keep_count, sizeof *ranges, compare_ranges);
    for (size_t n = 0; n <= keep_count; n++) {
        uint64_t stop = n < keep_count && ranges[n][0] < end ? ranges[n][0] / page * page : end / page * page;
        if (stop > at)
            madvise(k.base + at, (size_t)(stop - at), MADV_DONTNEED);
        if (n < keep_count && ranges[n][0] < end) {
            uint64_t behind = (ranges[n][0] + ranges[n][1] + page - 1) / page * page;
            at = behind > at ? behind : at;
        }
    }
}
