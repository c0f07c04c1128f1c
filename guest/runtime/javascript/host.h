#ifndef UBIQ_JS_HOST_H
#define UBIQ_JS_HOST_H

#include <stddef.h>
#include <stdint.h>

/* The host, seen from the runtime: Extism's imports, and the platform's functions, which the function's
 * module imports and hands over in the runtime's table. */

#define HOST_IMPORT(name) __attribute__((import_module("extism:host/env"), import_name(name)))

HOST_IMPORT("alloc") uint64_t extism_alloc(uint64_t size);
HOST_IMPORT("free") void extism_free(uint64_t block);
HOST_IMPORT("length") uint64_t extism_length(uint64_t block);
HOST_IMPORT("load_u8") uint32_t extism_load_u8(uint64_t at);
HOST_IMPORT("load_u64") uint64_t extism_load_u64(uint64_t at);
HOST_IMPORT("store_u8") void extism_store_u8(uint64_t at, uint32_t byte);
HOST_IMPORT("store_u64") void extism_store_u64(uint64_t at, uint64_t bytes);
HOST_IMPORT("input_length") uint64_t extism_input_length(void);
HOST_IMPORT("input_load_u8") uint32_t extism_input_load_u8(uint64_t at);
HOST_IMPORT("input_load_u64") uint64_t extism_input_load_u64(uint64_t at);
HOST_IMPORT("output_set") void extism_output_set(uint64_t at, uint64_t size);
HOST_IMPORT("error_set") void extism_error_set(uint64_t text);
HOST_IMPORT("config_get") uint64_t extism_config_get(uint64_t key);
HOST_IMPORT("var_get") uint64_t extism_var_get(uint64_t key);
HOST_IMPORT("var_set") void extism_var_set(uint64_t key, uint64_t value);
HOST_IMPORT("http_request") uint64_t extism_http_request(uint64_t request, uint64_t body);
HOST_IMPORT("http_status_code") int32_t extism_http_status_code(void);
HOST_IMPORT("http_headers") uint64_t extism_http_headers(void);
HOST_IMPORT("log_trace") void extism_log_trace(uint64_t text);
HOST_IMPORT("log_debug") void extism_log_debug(uint64_t text);
HOST_IMPORT("log_info") void extism_log_info(uint64_t text);
HOST_IMPORT("log_warn") void extism_log_warn(uint64_t text);
HOST_IMPORT("log_error") void extism_log_error(uint64_t text);

/* The platform's functions in the order of the runtime's table; src/build/javascript_module.c has the same
 * list. What stands behind the name are its parameters: I is i64, i is i32. All return i64. */
#define HOST_FUNCTIONS(X)                                                                          \
    X(kv_get, "I")                                                                                 \
    X(kv_set, "III")                                                                               \
    X(kv_set_if_absent, "III")                                                                     \
    X(kv_compare_and_set, "IIII")                                                                  \
    X(kv_increment, "II")                                                                          \
    X(kv_delete, "I")                                                                              \
    X(kv_list, "III")                                                                              \
    X(storage_read, "I")                                                                           \
    X(storage_write, "II")                                                                         \
    X(storage_delete, "I")                                                                         \
    X(storage_stat, "I")                                                                           \
    X(storage_list, "III")                                                                         \
    X(events_emit, "II")                                                                           \
    X(invoke, "II")                                                                                \
    X(request, "")                                                                                 \
    X(response_status, "i")                                                                        \
    X(response_header, "II")                                                                       \
    X(log, "iII")                                                                                  \
    X(trace_attribute, "II")                                                                       \
    X(trace_event, "II")                                                                           \
    X(error, "")                                                                                   \
    X(http_start, "II")                                                                            \
    X(http_wait, "I")                                                                              \
    X(http_head, "I")                                                                              \
    X(http_body, "I")

enum host_function {
#define HOST_ENUM(name, params) HOST_##name,
    HOST_FUNCTIONS(HOST_ENUM)
#undef HOST_ENUM
        HOST_FUNCTION_COUNT
};

/* Behind them stands what calls the functions that the source declares; LIMIT_BUILD_HOST_PARAMS of
 * src/build/limits.h says how many arguments they have. */
#define HOST_OWN HOST_FUNCTION_COUNT
#define HOST_OWN_PARAMS_MAX 5

#define HOST_PARAMS_MAX 4

/* Where in the table the platform's functions begin. Set once, when the runtime is built. */
extern uint32_t host_table_base;

/* A bit for each of them that the function's module has handed over. */
extern uint32_t host_bound;

/* Calls one that is bound with as many arguments as it has parameters. */
int64_t host_call(enum host_function f, const int64_t *args);

/* Calls a function that the source declares, by its number; the bits of the arguments stand in `values`, and
 * those of the result are put into the first. */
void host_call_own(uint32_t number, int64_t values[HOST_OWN_PARAMS_MAX]);

/* How many parameters it has. */
unsigned host_params(enum host_function f);

/* A new block of the host's memory with these bytes; 0 for none at all. */
uint64_t host_put(const void *data, size_t size);

/* Copies a block's bytes, of which there are `size`. */
void host_get(uint64_t block, void *out, size_t size);

/* The whole input; the caller frees it. NULL when there is no memory. */
uint8_t *host_input(size_t *size);

/* Makes these bytes the output, and these the text of the call's error. */
void host_output(const void *data, size_t size);
void host_error(const char *text, size_t size);

#endif
