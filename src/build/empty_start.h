#ifndef UBIQ_BUILD_EMPTY_START_H
#define UBIQ_BUILD_EMPTY_START_H

#include "base/buf.h"

/* Appends a module to `out` as wasm-ld made it, without the export __wasm_call_ctors when that function
 * does nothing: a host calls it before each call of a fresh instance, and most modules in C have nothing
 * to be constructed. E_INVALID for what is no module, E_NO_MEMORY. */
int empty_start_drop(slice module, buf *out, error *err) MUST_CHECK;

#endif
