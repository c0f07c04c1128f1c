#ifndef EXTISM_H
#define EXTISM_H

/* The C API of an Extism host: load WebAssembly plug-ins and call their functions.
 *
 * This header is compatible, symbol by symbol, with the one of upstream's libextism 1.41.0; what a
 * program does with that library it can do with this one. Where upstream's library would crash on
 * a NULL pointer or on data that is not what it must be, this one returns an error.
 *
 * Threads. Different plug-ins may be used by different threads at the same time. One plug-in
 * serves one thread at a time: a call that meets another call on the same plug-in waits for it.
 * Only extism_plugin_cancel may be called for a plug-in while it runs.
 *
 * Strings are UTF-8 and end with a NUL unless a length is given. Lengths are in bytes. */

#include <stdbool.h>
#include <stdint.h>

#define EXTISM_FUNCTION(N)                                                                         \
    extern void N(ExtismCurrentPlugin *, const ExtismVal *, ExtismSize, ExtismVal *, ExtismSize,   \
                  void *)

/* The code that a successful call returns, unless the plug-in's function returns one itself. */
#define EXTISM_SUCCESS 0

/* A type of WebAssembly values. Functions of a plug-in and its host exchange the four numeric ones. */
typedef enum {
    ExtismValType_I32,
    ExtismValType_I64,
    ExtismValType_F32,
    ExtismValType_F64,
    ExtismValType_V128,
    ExtismValType_FuncRef,
    ExtismValType_ExternRef,
} ExtismValType;

/* An argument that is a handle of a block of memory. */
#define ExtismValType_PTR ExtismValType_I64

/* A loaded plug-in: its modules, its state, the result of the last call. */
typedef struct ExtismPlugin ExtismPlugin;

/* A plug-in while one of its functions runs; what a host function sees of its caller. Valid only
 * until that host function returns. */
typedef struct ExtismCurrentPlugin ExtismCurrentPlugin;

/* Modules and host functions made ready once, from which any number of plug-ins can be made. */
typedef struct ExtismCompiledPlugin ExtismCompiledPlugin;

/* A function of the host that plug-ins can import. */
typedef struct ExtismFunction ExtismFunction;

/* What stops a running call from another thread. */
typedef struct ExtismCancelHandle ExtismCancelHandle;

/* A block of memory that host and plug-in share, by its offset; 0 is no block. */
typedef uint64_t ExtismMemoryHandle;

/* A number of bytes or of elements. */
typedef uint64_t ExtismSize;

typedef union {
    int32_t i32;
    int64_t i64;
    float f32;
    double f64;
} ExtismValUnion;

/* A value and its type. */
typedef struct {
    ExtismValType t;
    ExtismValUnion v;
} ExtismVal;

/* A host function. `inputs` holds the arguments in order; `outputs` has room for the results, their
 * types set, their values 0 (NULL when there are none). `data` is what extism_function_new was
 * given. It runs in the thread of the call, and must not call the plug-in that called it. */
typedef void (*ExtismFunctionType)(ExtismCurrentPlugin *plugin, const ExtismVal *inputs,
                                   ExtismSize n_inputs, ExtismVal *outputs, ExtismSize n_outputs,
                                   void *data);

/* Takes one line of the log, `size` bytes with a NUL behind them; both are the library's. */
typedef void (*ExtismLogDrainFunctionType)(const char *data, ExtismSize size);

#ifdef __cplusplus
extern "C" {
#endif

/* --- Making plug-ins --------------------------------------------------------------------------- */

/* Makes a plug-in.
 *
 * `wasm`: a module (binary or text) or a manifest (JSON or TOML), `wasm_size` bytes, not kept.
 * `functions`: `n_functions` host functions. Each belongs to the plug-in from now on, whether or not
 * this call succeeds, and cannot be given to another one; its handle must still be freed with
 * extism_function_free. May be NULL.
 * `with_wasi`: whether the modules may import WASI preview 1.
 *
 * Returns the plug-in, which ends with extism_plugin_free, or NULL with a text in `*errmsg` (unless
 * `errmsg` is NULL) that ends with extism_plugin_new_error_free. */
ExtismPlugin *extism_plugin_new(const uint8_t *wasm, ExtismSize wasm_size,
                                const ExtismFunction **functions, ExtismSize n_functions,
                                bool with_wasi, char **errmsg);

/* As extism_plugin_new, with an upper bound for what each call may compute, in units of about one
 * WebAssembly instruction. A call that needs more fails with "plugin ran out of fuel". */
ExtismPlugin *extism_plugin_new_with_fuel_limit(const uint8_t *wasm, ExtismSize wasm_size,
                                                const ExtismFunction **functions,
                                                ExtismSize n_functions, bool with_wasi,
                                                uint64_t fuel_limit, char **errmsg);

/* Makes modules and functions ready without making a plug-in. Arguments and errors as in
 * extism_plugin_new. The result may be used by any number of threads at once. */
ExtismCompiledPlugin *extism_compiled_plugin_new(const uint8_t *wasm, ExtismSize wasm_size,
                                                 const ExtismFunction **functions,
                                                 ExtismSize n_functions, bool with_wasi,
                                                 char **errmsg);

/* As extism_compiled_plugin_new, with a bound as in extism_plugin_new_with_fuel_limit. */
ExtismCompiledPlugin *extism_compiled_plugin_new_with_fuel_limit(
    const uint8_t *wasm, ExtismSize wasm_size, const ExtismFunction **functions,
    ExtismSize n_functions, bool with_wasi, uint64_t fuel_limit, char **errmsg);

/* Makes a plug-in with a state of its own from compiled modules; cheap. Errors as in
 * extism_plugin_new. `compiled` may be freed before the plug-in. */
ExtismPlugin *extism_plugin_new_from_compiled(const ExtismCompiledPlugin *compiled, char **errmsg);

/* Frees what a function above left in `*errmsg`. Takes NULL. */
void extism_plugin_new_error_free(char *err);

/* Frees a plug-in; none of its functions may be running. Takes NULL. */
void extism_plugin_free(ExtismPlugin *plugin);

/* Frees compiled modules; plug-ins made from them live on. Takes NULL. */
void extism_compiled_plugin_free(ExtismCompiledPlugin *plugin);

/* --- Calling plug-ins -------------------------------------------------------------------------- */

/* Calls the exported function `func_name` with `data_len` bytes of input (`data` may be NULL when
 * that is 0; it is not kept).
 *
 * Returns 0 or what the function returns; otherwise -1, the code of a WASI exit, or 134 for a trap.
 * What went wrong is told by extism_plugin_error. Output and error of the call before are gone. */
int32_t extism_plugin_call(ExtismPlugin *plugin, const char *func_name, const uint8_t *data,
                           ExtismSize data_len);

/* As extism_plugin_call; host functions get `host_context` from
 * extism_current_plugin_host_context during this call. */
int32_t extism_plugin_call_with_host_context(ExtismPlugin *plugin, const char *func_name,
                                             const uint8_t *data, ExtismSize data_len,
                                             void *host_context);

/* The error of the last call, or NULL. The text is the plug-in's and valid until it is used again. */
const char *extism_plugin_error(ExtismPlugin *plugin);

/* The same under its old name. */
const char *extism_error(ExtismPlugin *plugin);

/* The length of the last call's output. */
ExtismSize extism_plugin_output_length(ExtismPlugin *plugin);

/* The last call's output, extism_plugin_output_length bytes, without a NUL. It is the plug-in's and
 * valid until it is called, reset or freed. */
const uint8_t *extism_plugin_output_data(ExtismPlugin *plugin);

/* Whether the main module exports a function of this name that can be called: without parameters,
 * with no result or one of type i32. Forgets the last call's error. */
bool extism_plugin_function_exists(ExtismPlugin *plugin, const char *func_name);

/* Changes the plug-in's configuration: `json` is an object of `json_size` bytes whose strings are
 * set and whose nulls remove their key. False when it is not such an object; nothing is changed
 * then. Forgets the last call's error. */
bool extism_plugin_config(ExtismPlugin *plugin, const uint8_t *json, ExtismSize json_size);

/* Keeps the headers of HTTP responses from now on, for plug-ins that ask for them. */
void extism_plugin_allow_http_response_headers(ExtismPlugin *plugin);

/* Forgets all memory blocks, output and error. The modules' own state stays. */
bool extism_plugin_reset(ExtismPlugin *plugin);

/* The plug-in's id: 16 bytes, a UUID of version 4, the plug-in's own. */
const uint8_t *extism_plugin_id(ExtismPlugin *plugin);

/* What extism_plugin_cancel takes; lives as long as the plug-in. */
const ExtismCancelHandle *extism_plugin_cancel_handle(const ExtismPlugin *plugin);

/* Stops the call that is running, which then fails with "timeout"; nothing happens when none is.
 * Any thread. Returns whether the request was passed on. */
bool extism_plugin_cancel(const ExtismCancelHandle *handle);

/* --- Host functions ---------------------------------------------------------------------------- */

/* Makes a host function for imports of the namespace "extism:host/user".
 *
 * `inputs`, `outputs`: types of its parameters and results, NULL when there are none; not kept.
 * `user_data`: passed to `func`; must live until `free_user_data` (or NULL) is called for it, once
 * the last plug-in that uses the function, and this handle, are freed. Not called for NULL.
 *
 * Returns NULL when `name` is not UTF-8, or a type is not a numeric one. Ends with
 * extism_function_free. */
ExtismFunction *extism_function_new(const char *name, const ExtismValType *inputs,
                                    ExtismSize n_inputs, const ExtismValType *outputs,
                                    ExtismSize n_outputs, ExtismFunctionType func, void *user_data,
                                    void (*free_user_data)(void *));

/* Sets another namespace; without effect once the function was given to a plug-in. */
void extism_function_set_namespace(ExtismFunction *ptr, const char *namespace_);

/* Frees the handle. Takes NULL. */
void extism_function_free(ExtismFunction *f);

/* What this call was given as host context, or NULL. */
void *extism_current_plugin_host_context(ExtismCurrentPlugin *plugin);

/* The start of the memory that handles are offsets into. Valid until the plug-in runs or allocates
 * again. */
uint8_t *extism_current_plugin_memory(ExtismCurrentPlugin *plugin);

/* Allocates `n` bytes of zeros; 0 when that fails or `n` is 0. */
ExtismMemoryHandle extism_current_plugin_memory_alloc(ExtismCurrentPlugin *plugin, ExtismSize n);

/* The length of a block, 0 when there is none at `handle`. */
ExtismSize extism_current_plugin_memory_length(ExtismCurrentPlugin *plugin,
                                               ExtismMemoryHandle handle);

/* Frees a block; what is none is passed over. */
void extism_current_plugin_memory_free(ExtismCurrentPlugin *plugin, ExtismMemoryHandle handle);

/* --- Log and version --------------------------------------------------------------------------- */

/* Sends the log of the whole process to a file: a path, "stdout", "stderr" or "-" (NULL: stderr).
 * `log_level`: error, warn, info, debug or trace, or a filter such as "extism=debug" (NULL: error).
 * False when that cannot be, among others because a log was set up before. */
bool extism_log_file(const char *filename, const char *log_level);

/* Keeps the log's lines until extism_log_drain takes them. Otherwise as extism_log_file. */
bool extism_log_custom(const char *log_level);

/* Calls `handler` for each line kept since the last time. */
void extism_log_drain(ExtismLogDrainFunctionType handler);

/* The version of upstream's library whose behaviour this one has: "1.41.0". */
const char *extism_version(void);

#ifdef __cplusplus
}
#endif

#endif
