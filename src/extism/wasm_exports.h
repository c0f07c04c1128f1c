#ifndef UBIQ_EXTISM_WASM_EXPORTS_H
#define UBIQ_EXTISM_WASM_EXPORTS_H

#include "base/error.h"
#include "base/slice.h"

/* Calls `take` with the name of each function that the module in a file exports. Of the file little more
 * is read than the export section, however large it is, and nothing is validated but that. The name is
 * only lent. E_NOT_FOUND, E_IO; E_INVALID for what is not a core module in the binary format. */
int wasm_exports_of_file(const char *path, void (*take)(void *arg, slice name), void *arg,
                         error *err) MUST_CHECK;

#endif
