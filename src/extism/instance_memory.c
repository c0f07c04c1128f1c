#include "extism/instance_internal.h"
#include "extism/limits.h"

#include <pthread.h>
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
    kernel_memory_init(instance_kernel(i),
                       m->has_max_pages ? m->max_pages : KERNEL_UNLIMITED_PAGES);
}

/* What a memory is to be patched with. */
static const memory_patch *patch_of(const instance *i, size_t m, uint32_t n, bool prepared)
{
    const struct compiled_member *cm = &i->code->members[m];
    return prepared ? cm->prepared[n] : cm->begun[n];
}

static bool restore_memory(instance *i, size_t m, uint32_t n, bool prepared)
{
    module *mod = i->code->members[m].mod;
    wasmtime_memory_t *memory = &i->members[m].memories[n];
    const memory_patch *patch = patch_of(i, m, n, prepared);
    const memory_image *image = mod->images[n];
    uint8_t *base = wasmtime_memory_data(i->context, memory);
    size_t size = memory_image_size(image);

    if (wasmtime_memory_data_size(i->context, memory) != size)
        return false;
    if (mod->slack_pages)
        size = (size_t)i->open_pages * KERNEL_PAGE;
    if (!memory_image_restore(image, base, size, LIMIT_RESET_BYTES))
        return false;
    if (patch)
        memory_patch_apply(patch, base);
    return true;
}

static bool restore_memories(instance *i, bool prepared)
{
    for (size_t m = 0; m < i->code->member_count; m++) {
        for (uint32_t n = 0; n < i->code->members[m].mod->memory_count; n++) {
            if (!restore_memory(i, m, n, prepared))
                return false;
        }
    }
    return true;
}

static bool restore_globals(instance *i, bool prepared)
{
    for (size_t m = 0; m < i->code->member_count; m++) {
        const struct compiled_member *cm = &i->code->members[m];
        if (!cm->mod->resets)
            continue;
        if (!prepared && instance_call(i, &i->members[m].reset, 0, 0, NULL, NULL) != 0)
            return false;
        for (uint32_t k = 0; prepared && k < cm->mod->global_count; k++) {
            wasmtime_error_t *e =
                wasmtime_global_set(i->context, &i->members[m].globals[k], &cm->globals[k]);
            if (engine_error(NULL, E_INTERNAL, e, NULL) != 0)
                return false;
        }
    }
    return true;
}

static bool is_prepared(const compiled_plugin *c)
{
    return atomic_load_explicit(&c->prepare_stage, memory_order_acquire) == PREPARE_DONE;
}

bool instance_restore(instance *i)
{
    kernel_memory k = instance_kernel(i);
    uint64_t dirty = kernel_memory_root(k)->dirty;
    bool prepared = is_prepared(i->code);

    if (k.size != (size_t)KERNEL_INITIAL_PAGES * KERNEL_PAGE || dirty > k.size ||
        !restore_memories(i, prepared) || !instance_close_slack(i))
        return false;
    memset(k.base, 0, (size_t)dirty);
    instance_prepare_kernel(i);
    if (!restore_globals(i, prepared))
        return false;
    i->prepared = prepared;
    i->initialized = prepared ? i->initializer_count : 0;
    i->exited = false;
    return true;
}

bool instance_catch_up(instance *i)
{
    if (i->prepared || !is_prepared(i->code))
        return true;
    i->prepared = true;
    i->initialized = i->initializer_count;
    return restore_memories(i, true) && restore_globals(i, true);
}

int instance_note_begun(instance *i, error *err)
{
    compiled_plugin *c = i->code;
    int rc = 0;

    pthread_mutex_lock(&c->lock);
    for (size_t m = 0; m < c->member_count && !c->begun_known; m++) {
        for (uint32_t n = 0; n < c->members[m].mod->memory_count && rc == 0; n++) {
            wasmtime_memory_t *memory = &i->members[m].memories[n];
            memory_patch *patch = NULL;
            rc = memory_patch_create(&patch, c->members[m].mod->images[n],
                                     wasmtime_memory_data(i->context, memory),
                                     wasmtime_memory_data_size(i->context, memory), SIZE_MAX, err);
            if (rc == 0 && memory_patch_is_empty(patch)) {
                memory_patch_destroy(patch);
                patch = NULL;
            }
            c->members[m].begun[n] = patch;
        }
    }
    c->begun_known = rc == 0;
    pthread_mutex_unlock(&c->lock);
    return rc;
}

bool instance_wants_preparing(const instance *i)
{
    return !i->prepared &&
           atomic_load_explicit(&i->code->prepare_stage, memory_order_acquire) == PREPARE_WANTED;
}

/* Saves the memories and globals of one member. */
static int save_member(instance *i, size_t m)
{
    struct compiled_member *cm = &i->code->members[m];
    int rc = 0;

    for (uint32_t n = 0; n < cm->mod->memory_count && rc == 0; n++) {
        wasmtime_memory_t *memory = &i->members[m].memories[n];
        size_t size = wasmtime_memory_data_size(i->context, memory);
        if (size != memory_image_size(cm->mod->images[n]))
            return E_TOO_LARGE;
        if (cm->mod->slack_pages)
            size = (size_t)i->open_pages * KERNEL_PAGE;
        rc = memory_patch_create(&cm->prepared[n], cm->mod->images[n],
                                 wasmtime_memory_data(i->context, memory), size, LIMIT_RESET_BYTES,
                                 NULL);
    }
    for (uint32_t k = 0; k < cm->mod->global_count; k++)
        wasmtime_global_get(i->context, &i->members[m].globals[k], &cm->globals[k]);
    return rc;
}

void instance_keep_prepared(instance *i)
{
    compiled_plugin *c = i->code;
    int rc = 0;

    pthread_mutex_lock(&c->lock);
    if (instance_wants_preparing(i)) {
        for (size_t m = 0; m < c->member_count && rc == 0; m++)
            rc = save_member(i, m);
        atomic_store_explicit(&c->prepare_stage, rc ? PREPARE_REFUSED : PREPARE_DONE,
                              memory_order_release);
    }
    pthread_mutex_unlock(&c->lock);
    /* Whichever instance was saved, this one is behind its own preparation. */
    i->prepared = true;
}

void instance_refuse_preparing(instance *i)
{
    int wanted = PREPARE_WANTED;

    instance_spoil(i);
    atomic_compare_exchange_strong(&i->code->prepare_stage, &wanted, PREPARE_REFUSED);
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
        uint64_t stop =
            n < keep_count && ranges[n][0] < end ? ranges[n][0] / page * page : end / page * page;
        if (stop > at)
            madvise(k.base + at, (size_t)(stop - at), MADV_DONTNEED);
        if (n < keep_count && ranges[n][0] < end) {
            uint64_t behind = (ranges[n][0] + ranges[n][1] + page - 1) / page * page;
            at = behind > at ? behind : at;
        }
    }
}
