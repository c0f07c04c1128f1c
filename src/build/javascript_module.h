#ifndef UBIQ_BUILD_JAVASCRIPT_MODULE_H
#define UBIQ_BUILD_JAVASCRIPT_MODULE_H

#include "base/buf.h"
#include "base/error.h"
#include "build/host_interface.h"

/* Writes the module of a JavaScript function: its compiled code in a passive data segment, an export for
 * each of the source's, and imports from the runtime, which has the memory and the interpreter. */

typedef struct javascript_code {
    slice blob;           /* what the runtime's `load` takes */
    const slice *exports; /* names, in the blob's order */
    size_t export_count;
    uint32_t
        host_functions; /* a bit for each of the platform's functions that it may call, in the order of
                                guest/runtime/javascript/host.h */
    const host_interface *own; /* functions of the host besides; NULL: none */
} javascript_code;

/* Appends the module to `out`. `runtime` is the name it imports the runtime by. E_INVALID for an export
 * that a module cannot have, E_TOO_LARGE and E_NO_MEMORY. */
int javascript_module_write(buf *out, const javascript_code *code, const char *runtime,
                            error *err) MUST_CHECK;

/* An export that runs the top level ahead of all calls, for hosts that know it. */
#define JAVASCRIPT_EXPORT_PREPARE "ubiq_prepare"

/* A module whose export `compile` is the runtime's. */
int javascript_module_write_compiler(buf *out, const char *runtime, error *err) MUST_CHECK;

#endif
