#ifndef UBIQ_EXTISM_ENGINE_INTERNAL_H
#define UBIQ_EXTISM_ENGINE_INTERNAL_H

#include "base/error.h"
#include "extism/engine.h"

#include <wasm.h>
#include <wasmtime.h>

/* The process's WebAssembly engines. Each is made when it is first asked for and lives as long as
 * the process; modules of one kind of engine do not run on another. All functions may be called
 * from any thread. */

enum engine_kind {
    ENGINE_POOLED,    /* instances in slots that were set aside: the fast one */
    ENGINE_ON_DEMAND, /* for modules that do not fit a slot, and when the slots are used up */
    ENGINE_FUEL,      /* on demand, and the code counts its instructions */
    /* To compile with and not to run: on the calling thread alone. A forked child needs them, since the
     * threads that compile for the others are not there any more, and would be waited for for ever. */
    ENGINE_COMPILER,
    ENGINE_COMPILER_FUEL,
    ENGINE_KINDS
};

/* The engine, borrowed. E_NO_MEMORY when the address space is refused: only ENGINE_POOLED can. */
int engine_get(enum engine_kind kind, wasm_engine_t **out, error *err) MUST_CHECK;

/* How many slots the pooled engine gets, or has. */
uint32_t engine_slots(void);

/* Makes room for an instance without a slot, among all calls that a host has at once: false when the
 * system's limit of mappings has none. engine_give_room takes it back. */
bool engine_take_room(void);
void engine_give_room(void);

/* The engine to validate or compile with what is to run on `kind`: that one, or in a forked child one
 * that needs no threads. */
enum engine_kind engine_compiler(enum engine_kind kind);

/* Tells compiled code of one version and configuration from another's; part of the cache's paths. */
const char *engine_fingerprint(void);

/* Folds Wasmtime's two channels into `err` with `code`, and frees both. The text is Wasmtime's, causes
 * included; E_NO_MEMORY when there is no memory for it. Returns 0 when both are NULL. */
int engine_error(error *err, int code, wasmtime_error_t *error_or_null, wasm_trap_t *trap_or_null);

/* The innermost cause of an error text of Wasmtime's ("a\n\nCaused by:\n    b" gives "b"): a pointer
 * into `text`. */
const char *engine_root_cause(const char *text);

#endif
