#ifndef UBIQ_EXTISM_INSTANCE_H
#define UBIQ_EXTISM_INSTANCE_H

#include "extism/compiled_plugin_internal.h"
#include "extism/kernel_memory.h"
#include "extism/plugin_state.h"

/* A running copy of a plug-in: the modules' instances in a store of their own, and the kernel's
 * memory. One thread at a time.
 *
 * A fresh one is either made or taken from those that have been used and put back: its memories and
 * globals are then restored to what they were before any of the guest's code ran, so that nothing of
 * one use can be seen in the next. */

/* ExtismCurrentPlugin of the C API. */
typedef struct instance instance;

#define INSTANCE_RESULTS 4

/* Gets a fresh instance for `state`, which must outlive its use. No code of the guest has run in it
 * yet. E_BUSY when the host is out of room for more; E_TRAP or E_INVALID with the engine's text. */
int instance_acquire(instance **out, compiled_plugin *code, plugin_state *state, error *err) MUST_CHECK;

/* Gives it back: it is restored for the next user or destroyed. Takes NULL. */
void instance_release(instance *i);

/* Destroys all that wait to be used again. */
void instance_destroy_idle(compiled_plugin *code);

/* The plug-in's state, of the caller in a host function. */
plugin_state *instance_state(instance *i);

/* What it is an instance of; borrowed. */
const compiled_plugin *instance_code(const instance *i);

/* The engine's view of the store. */
wasmtime_context_t *instance_context(instance *i);

/* The instance whose code calls the host. */
instance *instance_of_caller(wasmtime_caller_t *caller);

/* The kernel's memory as it is now. */
kernel_memory instance_kernel(instance *i);

/* Allocates `n` > 0 bytes in the kernel's memory, which grows if it must. E_TOO_LARGE "oom" over the
 * allowance. */
int instance_alloc(instance *i, uint64_t n, uint64_t *offset, error *err) MUST_CHECK;

/* Allocates and copies; an empty `s` gives offset 0. */
int instance_alloc_bytes(instance *i, slice s, uint64_t *offset, error *err) MUST_CHECK;

/* Whether a growth over the allowance was refused since the instance was made. */
bool instance_out_of_memory(instance *i);

/* A function that has to run before the guest's functions may be called: its start function, or the
 * start-up of its language's runtime. Its arguments are i32 zeros. */
struct instance_initializer {
    wasmtime_func_t func;
    bool unfit;      /* it has not the signature that it must have */
    uint32_t params; /* 0 or 2 */
    uint32_t results; /* at most INSTANCE_RESULTS */
    const char *context; /* what upstream calls it in errors; "" for the start function */
};

/* Whether there are any that have not run. */
bool instance_has_initializers(const instance *i);

/* The next one that has not run; NULL when all have. A view. */
const struct instance_initializer *instance_next_initializer(instance *i);

/* Whether the plug-in's COMPILED_PREPARE is to be run in it, once the initializers have. */
bool instance_wants_preparing(const instance *i);

/* Makes one in which only initializers have run what it is to be behind the preparation, if that has been done
 * in another one since. False when that cannot be, and the instance must not be used. */
bool instance_catch_up(instance *i);

/* It was, and gave 0: from now on instances of the plug-in begin as this one is now, if that can be saved. */
void instance_keep_prepared(instance *i);

/* It was, and gave something else or failed: it is not to be run again, and this instance must not be used. */
void instance_refuse_preparing(instance *i);

/* The exported function, found once and remembered. False when the main module has none. */
bool instance_find_function(instance *i, const struct module_export *e, wasmtime_func_t *out);

/* Calls a function with `params` i32 zeros (at most 2) and waits for its end; its `results`, at most
 * INSTANCE_RESULTS, are left in raw[]. On this thread's stack if there is enough of it, else on a fiber. */
int instance_call(instance *i, const wasmtime_func_t *f, uint32_t params, uint32_t results,
                  wasmtime_val_raw_t *raw, error *err) MUST_CHECK;

/* Makes pages `first` up to `end` of the main memory usable, as far as they are slack. False when the
 * system refuses. */
bool instance_open_slack(instance *i, uint32_t first, uint32_t end);

/* Gives WASI a state of its own with the manifest's paths. */
int instance_set_wasi(instance *i, error *err) MUST_CHECK;

/* Closes what WASI has opened for it, and the manifest's paths. False when that cannot be, and the instance
 * must be destroyed. */
bool instance_end_wasi(instance *i);

/* Gives memory that a call has used back to the system, but for the `keep_count` ranges (pairs of
 * offset and length in the kernel's memory). Cheap when the call used little. */
void instance_trim(instance *i, const uint64_t (*keep)[2], size_t keep_count);

/* Marks it as not to be used again once it is released. */
void instance_spoil(instance *i);

/* Folds how a call ended into `err` and frees both: E_TRAP for a trap, E_INVALID for any other
 * failure, 0 for none; remembers an exit status. */
int instance_failure(instance *i, wasmtime_error_t *e, wasm_trap_t *trap, error *err);

/* The exit status, when the last failure of a call was the guest's own exit; else false. */
bool instance_exit_status(const instance *i, int *status);

#endif
