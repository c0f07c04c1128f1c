#ifndef UBIQ_BUILD_MANIFEST_H
#define UBIQ_BUILD_MANIFEST_H

#include "base/error.h"

/* Writes the Extism manifest of a module, <name>.json beside <name>.wasm, and, unless it is there, the runtime
 * that it needs into `directory`. `runtime` is as runtime_of has it; NULL: it needs none. Paths in it are
 * absolute. E_IO, E_NO_MEMORY. */
int manifest_write(const char *module, const char *runtime, const char *directory,
                   error *err) MUST_CHECK;

#endif
