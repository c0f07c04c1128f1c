#ifndef UBIQ_EXTISM_MODULE_H
#define UBIQ_EXTISM_MODULE_H

#include "base/slice.h"
#include "extism/engine_internal.h"
#include "extism/module_interface.h"
#include "extism/wasm_link.h"

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
    uint64_t min_pages;    /* initial pages of the memories it defines, as the guest sees them */
    module_interface interface;
} module;

typedef struct module_options {
    enum link_mode mode;
    uint32_t slack_pages;
    bool fuel;
    bool use_cache; /* look for compiled code on disk, and leave it there */
} module_options;

/* Compiles a module from bytes or from WebAssembly text, or takes its code from the cache. The caller
 * ends `*out` with module_destroy. E_INVALID: not a module; the text is the engine's, causes
 * included. */
int module_create(module **out, slice source, const module_options *options, error *err) MUST_CHECK;

/* The same code on another kind of engine that runs the same instructions (not ENGINE_FUEL). */
int module_move(module **out, const module *from, enum engine_kind kind, error *err) MUST_CHECK;

/* The kernel as a module of its own, for plug-ins of several modules; shared, never destroyed. */
int module_kernel(enum engine_kind kind, module **out, error *err) MUST_CHECK;

/* Frees it. Takes NULL. Instances made from it live on. */
void module_destroy(module *m);

#endif
