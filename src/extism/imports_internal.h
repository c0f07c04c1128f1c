#ifndef UBIQ_EXTISM_IMPORTS_INTERNAL_H
#define UBIQ_EXTISM_IMPORTS_INTERNAL_H

#include "base/buf.h"
#include "extism/instance.h"

/* What imports.c and imports_http.c share. */

/* What a guest is told that asks for something that is not the same for all calls while it runs for all
 * of them. */
#define IMPORTS_TOO_EARLY "the host's functions cannot be called before the first call"

/* A trap with this text, for the engine, which takes it over. */
wasm_trap_t *imports_trap(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A trap with all of a text, as imports_trap has it. */
wasm_trap_t *imports_trap_text(const char *text);

/* The same from an error, which is emptied. */
wasm_trap_t *imports_trap_error(error *err);

/* The bytes of the block at `offset`; 0 is the empty block. False when there is no such block. The
 * view is valid until the guest or an allocation runs. */
bool imports_block(instance *i, uint64_t offset, slice *out);

/* Copies bytes into a new block; its offset, 0 for no bytes, in `*out`. */
wasm_trap_t *imports_return_bytes(instance *i, slice bytes, int64_t *out);

/* A continuation's callback for what has ended already. */
bool imports_done_at_once(void *unused);

/* http_request, http_status_code and http_headers. */
wasm_trap_t *imports_http_request(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw,
                                  size_t n);
wasm_trap_t *imports_http_status_code(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw,
                                      size_t n);
wasm_trap_t *imports_http_headers(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw,
                                  size_t n);

/* A function of the embedder's that may suspend the call; env is the host_function. */
void imports_call_async(void *env, wasmtime_caller_t *caller, const wasmtime_val_t *args,
                        size_t n_args, wasmtime_val_t *results, size_t n_results,
                        wasm_trap_t **trap, wasmtime_async_continuation_t *continuation);

/* Turns the guest's two blocks into a request that is ready to go; both are freed. */
int imports_http_prepare(instance *i, uint64_t request_offset, uint64_t body_offset,
                         struct http_request **out, error *err) MUST_CHECK;

/* What a policy denies is for the eyes of who runs the host too, whatever becomes of the call: logs `err` if
 * `rc` is that. */
void imports_http_log_denial(instance *i, int rc, const error *err);

/* Appends headers as a JSON object. As buf_append. */
int imports_put_headers(const strmap *headers, buf *out) MUST_CHECK;

/* ubiq_http_start, ubiq_http_wait, ubiq_http_head and ubiq_http_body (docs/host-functions.md): requests that
 * run beside each other, for the same hosts as the next one. */
wasm_trap_t *imports_http_start(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw,
                                size_t n);
void imports_http_wait(void *env, wasmtime_caller_t *caller, const wasmtime_val_t *args,
                       size_t n_args, wasmtime_val_t *results, size_t n_results, wasm_trap_t **trap,
                       wasmtime_async_continuation_t *continuation);
wasm_trap_t *imports_http_head(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw,
                               size_t n);
wasm_trap_t *imports_http_body(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw,
                               size_t n);

/* http_request for a plug-in whose host drives HTTP on its own loop; env is the http_driver. */
void imports_http_request_async(void *env, wasmtime_caller_t *caller, const wasmtime_val_t *args,
                                size_t n_args, wasmtime_val_t *results, size_t n_results,
                                wasm_trap_t **trap, wasmtime_async_continuation_t *continuation);

/* Types from their letters: I is i64, all else i32. */
void imports_fill_types(wasm_valtype_vec_t *out, const char *types);

/* Defines the functions of WASI that calls on fibers get from us, in front of the engine's own. */
int imports_define_wasi(compiled_plugin *c, error *err) MUST_CHECK;

#endif
