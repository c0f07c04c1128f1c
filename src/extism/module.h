#ifndef UBIQ_EXTISM_MODULE_H
#define UBIQ_EXTISM_MODULE_H

#include "base/slice.h"
#include "extism/engine_internal.h"
#include "extism/memory_image.h"
#include "extism/module_interface.h"
#include "extism/wasm_link.h"

#include <pthread.h>
#include <stdatomic.h>

/* A guest's module, linked for its host (wasm_link.h) and compiled for an engine. Immutable: one may
 * be used by any number of threads. */

typedef struct module {
    wasmtime_module_t *wasm;
    enum engine_kind engine;
    uint32_t memory_count; /* memories it defines */
    bool has_start;
    uint32_t told_pages;   /* as in linked_module */
    uint32_t slack_pages;
    bool recyclable;
    bool resets;           /* it has mutable globals, */
    bool saves_globals;    /* which the host can save, */
    uint32_t global_count; /* so many */
    uint64_t min_pages;    /* initial pages of the memories it defines, as the guest sees them */
    module_interface interface;

    atomic_int refs;
    pthread_mutex_t lock;  /* for what stands below */
    memory_image **images; /* of its memories as they are made; NULL until the first instance was */
    struct module *moved;  /* the same on ENGINE_ON_DEMAND, once that was needed */
} module;

typedef struct module_options {
    enum link_mode mode;
    uint32_t slack_pages; /* as in link_options */
    bool slack_with_wasi;
    bool fuel;
    bool use_cache; /* look for compiled code on disk, and leave it there */
} module_options;

/* Compiles a module from bytes or from WebAssembly text, or takes its code from the cache. One
 * reference. E_INVALID: not a module; the text is the engine's, causes
 * included. */
int module_create(module **out, slice source, const module_options *options, error *err) MUST_CHECK;

/* The same code on another kind of engine that runs the same instructions (not ENGINE_FUEL). One
 * reference; on ENGINE_ON_DEMAND it is the same one each time. */
int module_move(module **out, module *from, enum engine_kind kind, error *err) MUST_CHECK;

/* The image of memory `n` of those it defines, taken of `base`, in which no code has run yet, if there is
 * none so far. A view, valid as long as `m`. */
int module_memory_image(module *m, uint32_t n, uint8_t *base, size_t size, const memory_image **out,
                        error *err) MUST_CHECK;

/* Adds a reference; returns `m`. */
module *module_ref(module *m);

/* The kernel as a module of its own, for plug-ins of several modules; shared, never destroyed. */
int module_kernel(enum engine_kind kind, module **out, error *err) MUST_CHECK;

/* Takes a reference away; the last one frees it. Takes NULL. Instances made from it live on. */
void module_unref(module *m);

#endif
