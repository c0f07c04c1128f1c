#ifndef UBIQ_EXTISM_WASM_INLINE_H
#define UBIQ_EXTISM_WASM_INLINE_H

#include "base/buf.h"

/* Instructions in place of calls to the kernel's functions that move a byte or eight: a guest calls
 * them once for each eight bytes of its input and output, and the call is most of what they cost. They
 * do what the functions of the same names in kernel/kernel.c do. */
enum wasm_inline {
    INLINE_NONE,
    INLINE_LOAD_U8,
    INLINE_LOAD_U64,
    INLINE_STORE_U8,
    INLINE_STORE_U64,
    INLINE_INPUT_LOAD_U8,
    INLINE_INPUT_LOAD_U64
};

/* Which one stands for the kernel's function of this name. */
enum wasm_inline wasm_inline_of(slice name);

/* Appends the instructions. `memory` is the kernel's; `scratch` and the local behind it are i64 and
 * free to use. */
int wasm_inline_put(enum wasm_inline function, uint32_t memory, uint32_t scratch, buf *out) MUST_CHECK;

#endif
