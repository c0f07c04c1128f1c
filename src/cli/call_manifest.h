#ifndef UBIQ_CLI_CALL_MANIFEST_H
#define UBIQ_CLI_CALL_MANIFEST_H

#include "base/buf.h"
#include "cli/call_options.h"
#include "extism/manifest.h"

/* The manifest that `ubiq call` makes a plug-in from. */
typedef struct call_manifest {
    manifest base; /* what --manifest read, and on top of it the flags */
    buf json;      /* the whole of it; may name modules by their address in `base` */
} call_manifest;

/* Makes the manifest that the options ask for. The caller ends `out` with call_manifest_deinit,
 * whatever is returned. With a text for the user: E_NOT_FOUND or E_IO for a file that cannot be
 * read, E_INVALID for a manifest or a flag's value that is not what it must be, E_NO_MEMORY. */
int call_manifest_make(const call_options *o, call_manifest *out, error *err) MUST_CHECK;

void call_manifest_deinit(call_manifest *m);

#endif
