#ifndef UBIQ_EXTISM_WASM_CODE_H
#define UBIQ_EXTISM_WASM_CODE_H

#include "base/buf.h"
#include "extism/wasm_reader.h"

/* Rewrites WebAssembly code: every instruction of the specification (3.0 with threads) is walked,
 * those that name functions are renumbered, memory growth is redirected, all else is copied as it
 * stands. The code must have been validated before; what is not understood is E_INVALID. */

#define WASM_KEEP UINT32_MAX

typedef struct wasm_code_map {
    const uint32_t *func;        /* new number of each function, */
    uint32_t func_count;
    const uint32_t *type;        /* new number of each type, or NULL: as they are */
    uint32_t type_count;
    uint32_t memory_base;        /* added to every memory index */
    const uint32_t *grow;        /* function that stands in for memory.grow of each memory, */
    const uint32_t *size_global; /* and the global that stands in for memory.size (32-bit); WASM_KEEP:
                                    none. Both NULL: memory instructions are kept. */
    uint32_t memory_count;
    /* Functions (i32, i32, i32) -> (i32, i32, i32) called before memory.fill and memory.init, and before
     * memory.copy, with their operands, which they give back. 0: none; function 0 never is one. */
    uint32_t check_write;
    uint32_t check_copy;
    /* What calls of each function become (enum wasm_inline), or NULL; bodies get two more locals. */
    const uint8_t *inlined;
    uint32_t inline_memory; /* the kernel's */
} wasm_code_map;

/* What the walk found out about the code. */
typedef struct wasm_code_facts {
    /* It changes what cannot be put back from outside between two calls: tables, dropped segments,
     * objects of the garbage-collected heap. */
    bool mutates_hidden_state;
    bool has_atomics;
} wasm_code_facts;

/* Copies one function body (local declarations and code, without its length) from `r` up to its
 * end to `out`. `params` is how many parameters the function has. */
int wasm_code_rewrite_body(wasm_reader *r, const wasm_code_map *map, uint32_t params,
                           wasm_code_facts *facts, buf *out, error *err) MUST_CHECK;

/* Copies one constant expression, its `end` included. `plain` (or NULL) tells whether it makes no
 * object of the garbage-collected heap. */
int wasm_code_rewrite_const(wasm_reader *r, const wasm_code_map *map, bool *plain, buf *out,
                            error *err) MUST_CHECK;

/* Passes over a value type. */
void wasm_skip_valtype(wasm_reader *r);

/* Appends an unsigned LEB128 number. */
int wasm_write_uint(buf *out, uint64_t value) MUST_CHECK;

/* Appends a signed one. */
int wasm_write_sint(buf *out, int64_t value) MUST_CHECK;

#endif
