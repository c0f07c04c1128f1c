#ifndef EXTISM_EXT_H
#define EXTISM_EXT_H

/* What extism.h cannot say: an error out of a host function, host functions that take their time,
 * and calls that hold no thread while they wait. Upstream's library has none of this.
 *
 * Threads, strings and lengths are as extism.h has them.
 *
 * Calls of this header (ExtismCall) each run in a fresh instance, in one of a few threads that the
 * library starts when they are first needed, one a processor. A thread has any number of calls
 * under way: one that waits, for a host function made with extism_function_new_async or for HTTP,
 * holds no thread, and one that computes gives way to the others every few milliseconds. Functions
 * of the host run in those threads, on their ordinary stack, one at a time: one that blocks holds
 * up the other calls of its thread. */

#include "extism.h"

/* What extism_plugin_call_result returns in a thread with too little stack. */
#define EXTISM_STACK_TOO_SMALL INT32_MIN

/* A call of a function in a fresh instance. */
typedef struct ExtismCall ExtismCall;

/* A call of an asynchronous host function that has not finished. */
typedef struct ExtismPending ExtismPending;

/* Begins what an asynchronous host function does, and returns soon. `inputs` are gone when it
 * returns, `plugin` too. It must see to it that extism_pending_finish is called for `pending`,
 * once, now or later. Runs in the thread of the call. */
typedef void (*ExtismStartFunctionType)(ExtismCurrentPlugin *plugin, const ExtismVal *inputs,
                                        ExtismSize n_inputs, ExtismPending *pending, void *data);

/* Ends what an asynchronous host function did: fills in `outputs`, whose types are set, or calls
 * extism_current_plugin_fail. Runs in the thread of the call, where the functions of
 * extism_current_plugin_* may be used. `plugin` is NULL when the call has ended meanwhile: then there
 * are no outputs and it frees what `arg` holds, in any thread. */
typedef void (*ExtismFinishFunctionType)(ExtismCurrentPlugin *plugin, ExtismVal *outputs,
                                         ExtismSize n_outputs, void *arg);

/* Told that a call is done, in the thread that ran it. It may read the result and free the call, and
 * must not block. */
typedef void (*ExtismCallDoneType)(ExtismCall *call, void *arg);

/* What a call on a plug-in came to; views that are valid until the plug-in is used again. */
typedef struct {
    const uint8_t *output; /* as extism_plugin_output_data; NULL when the call failed */
    ExtismSize output_length;
    const char *error; /* as extism_plugin_error */
} ExtismResult;

#ifdef __cplusplus
extern "C" {
#endif

/* --- Calls on a plug-in ------------------------------------------------------------------------ */

/* Does what extism_plugin_call_with_host_context does, with two differences. It tells what came of it at
 * once, for hosts to which each call of a C function is dear; a call that returns another number than 0
 * has failed. And it never leaves the thread's stack, which host functions in a managed language need:
 * where there is less than 768 KiB of it left it does nothing and returns EXTISM_STACK_TOO_SMALL. */
int32_t extism_plugin_call_result(ExtismPlugin *plugin, const char *func_name, const uint8_t *data,
                                  ExtismSize data_len, void *host_context, ExtismResult *result);

/* --- Host functions ---------------------------------------------------------------------------- */

/* For a host function: ends the guest's call when the host function returns. The call then fails, and
 * its error has `length` bytes of `text` in it (copied; up to the first NUL). The last of several
 * texts counts; outputs do not. */
void extism_current_plugin_fail(ExtismCurrentPlugin *plugin, const char *text, ExtismSize length);

/* Makes a host function that may take its time; all but `start` is as in extism_function_new. A call
 * of extism_plugin_call waits for it, at most until its deadline or until it is cancelled; an
 * ExtismCall holds no thread meanwhile. */
ExtismFunction *extism_function_new_async(const char *name, const ExtismValType *inputs,
                                          ExtismSize n_inputs, const ExtismValType *outputs,
                                          ExtismSize n_outputs, ExtismStartFunctionType start,
                                          void *user_data, void (*free_user_data)(void *));

/* Lets `pending`, which is gone then, finish: `finish` is called once with `arg`, in the thread of the
 * call, later or before this returns. Any thread. Takes NULL. */
void extism_pending_finish(ExtismPending *pending, ExtismFinishFunctionType finish, void *arg);

/* --- Calls that hold no thread ----------------------------------------------------------------- */

/* Makes modules and functions ready for extism_call_start. `fuel_limit`, unless NULL, is a bound as
 * in extism_plugin_new_with_fuel_limit, all else is as in extism_compiled_plugin_new. No ExtismPlugin
 * can be made of the result. A guest that goes past the end of its memory, within 1 MiB of it, itself or
 * by a function of WASI's, may find zeros there, or what this call has written, in place of a trap. */
ExtismCompiledPlugin *extism_compiled_plugin_new_async(const uint8_t *wasm, ExtismSize wasm_size,
                                                       const ExtismFunction **functions,
                                                       ExtismSize n_functions, bool with_wasi,
                                                       const uint64_t *fuel_limit, char **errmsg);

/* Starts a call of the exported function `func_name` with `data_len` bytes of input, which are copied
 * as the name is. Any thread.
 *
 * `compiled` is of extism_compiled_plugin_new_async and may be freed at once.
 * `host_context` is what extism_current_plugin_host_context returns; it must live until the call is
 * done.
 * `timeout_ms`, unless 0, takes the place of the manifest's: the call then fails with "timeout".
 * `done` (or NULL) is called exactly once, with `arg`, whatever becomes of the call; possibly before
 * this returns.
 *
 * Returns the call, which ends with extism_call_free; what is wrong with it is its result. NULL, and
 * `done` is not called, when `compiled` or `func_name` is not what it must be, or there is no memory
 * or no thread. */
ExtismCall *extism_call_start(const ExtismCompiledPlugin *compiled, const char *func_name,
                              const uint8_t *data, ExtismSize data_len, void *host_context,
                              uint64_t timeout_ms, ExtismCallDoneType done, void *arg);

/* 1 when it is done, else 0. The functions for its result may be used then. */
int32_t extism_call_is_done(const ExtismCall *call);

/* What extism_plugin_call would return; -1 before it is done. */
int32_t extism_call_code(const ExtismCall *call);

/* The length of its output. */
ExtismSize extism_call_output_length(const ExtismCall *call);

/* Its output, extism_call_output_length bytes without a NUL, valid until the call is freed. */
const uint8_t *extism_call_output_data(const ExtismCall *call);

/* Its error, or NULL when it went well. Valid until the call is freed. */
const char *extism_call_error(const ExtismCall *call);

/* Stops it: unless it is done before, it fails with "timeout". Any thread. Takes NULL. */
void extism_call_cancel(ExtismCall *call);

/* Frees the handle; a call that is not done is cancelled. Any thread. Takes NULL. */
void extism_call_free(ExtismCall *call);

#ifdef __cplusplus
}
#endif

#endif
