#ifndef UBIQ_BUILD_JAVASCRIPT_H
#define UBIQ_BUILD_JAVASCRIPT_H

#include "base/buf.h"
#include "base/error.h"
#include "build/host_interface.h"

/* Builds a JavaScript function: source to a module of WebAssembly, by the runtime that will execute it
 * (app/runtimes.h), run in this process. */

typedef struct javascript_source {
    const char *file; /* its name in error messages */
    slice text;
    slice lines; /* where its lines come from, as source_lines.h has it; empty: its own */
    const host_interface *host; /* functions of the host that it declares; NULL: none */
    bool portable; /* for any Extism host; nothing of the platform unless it imports "ubiq" */
} javascript_source;

typedef struct javascript_problem {
    unsigned line; /* 0: unknown */
    unsigned column;
    bool needs_bundling; /* it imports another file or package */
} javascript_problem;

/* Appends the function's module to `out`. E_INVALID: the source cannot be used; `problem` says where in the
 * text, and the error's text what. Any thread. */
int javascript_build(buf *out, const javascript_source *source, javascript_problem *problem,
                     error *err) MUST_CHECK;

#endif
