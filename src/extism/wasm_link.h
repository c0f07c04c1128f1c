#ifndef UBIQ_EXTISM_WASM_LINK_H
#define UBIQ_EXTISM_WASM_LINK_H

#include "base/buf.h"

/* Prepares a guest's module for its host, by rewriting its bytes.
 *
 * - LINK_MERGED puts the kernel into the module itself: one instance with two memories, in place of
 *   two instances, and calls to the kernel are calls within the module. For plug-ins of one module.
 * - LINK_IMPORTED leaves the kernel's functions imports, for plug-ins of several modules, which
 *   share one kernel instance.
 *
 * In both, growth of the guest's memories is charged to the instance's allowance of pages
 * (kernel/layout.h), the start function becomes an export that the host calls once the kernel is
 * set up, and an added function puts all globals back to their first values, so that an instance
 * can be made as new without being made anew.
 *
 * The module must have been validated by the engine before: what the guest's code may name was
 * decided there, before the kernel's memory stood beside its own. */

enum link_mode { LINK_MERGED, LINK_IMPORTED };

/* Names of the added exports. No module can have them by accident; one that has is refused. */
#define LINK_EXPORT_KERNEL_MEMORY "\x01ubiq:kernel"
#define LINK_EXPORT_START "\x01ubiq:start" /* () -> (), only where there was a start function */
#define LINK_EXPORT_RESET "\x01ubiq:reset" /* () -> () */
#define LINK_EXPORT_MEMORY "\x01ubiq:memory:" /* and the number of a memory the module defines */
#define LINK_EXPORT_GLOBAL "\x01ubiq:global:" /* and the number among those that the host can save */
#define LINK_IMPORT_OPEN "\x01ubiq:open" /* (i32 first, i32 end) of pages; only with slack, last import */
#define LINK_IMPORT_CHARGE "\x01ubiq:charge"  /* (i64) -> (i64), of the kernel; LINK_IMPORTED only */

typedef struct link_options {
    enum link_mode mode;
    slice kernel;         /* the kernel's module, for LINK_MERGED */
    /* LINK_MERGED: pages that the guest's memory has beyond what it is told. It is the host's to protect
     * them, so that an access traps; growing into them moves a number, calls LINK_IMPORT_OPEN
     * and leaves the memory's size as it is, so that the instance can be restored. Guests that have
     * atomics, data that may lie behind the memory's end or not exactly one plain memory get none. */
    uint32_t slack_pages;
    /* Whether those that import WASI get some too. Its functions trust the memory's size, so the host must
     * not protect the slack then. */
    bool slack_with_wasi;
} link_options;

typedef struct linked_module {
    buf wasm;
    uint32_t memory_count; /* memories that the module defines, without the kernel's */
    bool has_start;
    uint32_t told_pages;   /* what the memory with slack says of its size, */
    uint32_t slack_pages;  /* and how many more it has; 0: no slack */
    bool recyclable;       /* all that code changes is memories (up to growth) and globals */
    bool resets;           /* there are mutable globals */
    bool saves_globals;    /* all of them are numbers, and exported: */
    uint32_t global_count;
} linked_module;

/* Whether the kernel provides this import of extism:host/env. */
bool wasm_link_is_kernel_function(slice name);

/* Mutable globals of a module that the host can save and put back. */
#define LINK_SAVED_GLOBALS 16

/* Links. The caller ends `out` with linked_module_deinit. E_INVALID: the text says why. */
int wasm_link(linked_module *out, slice module, const link_options *options, error *err) MUST_CHECK;

/* Frees the content. Takes an all-zero one. */
void linked_module_deinit(linked_module *m);

#endif
