#ifndef UBIQ_IMPORTS_H
#define UBIQ_IMPORTS_H

/**
 * @file imports.h
 * What a function takes from its host, as it is. The other headers make it comfortable; mix both as
 * you like.
 */

#include <stddef.h>
#include <stdint.h>

/** Makes a function callable from outside under this name. */
#ifndef UBIQ_EXPORT
#define UBIQ_EXPORT(name) __attribute__((export_name(name)))
#endif

/** Takes a function from the host. Tests that run outside of WebAssembly define both as nothing. */
#ifndef UBIQ_IMPORT
#define UBIQ_IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#endif

/** What begins a function of these headers that is compiled once and not into each of its callers,
 * which keeps modules small and builds quick. */
#define UBIQ_FUNCTION static __attribute__((noinline, unused))

#ifdef __cplusplus
extern "C" {
#endif

/** A block of the host's memory, by the offset of its first byte; 0 is no block. */
typedef uint64_t ubiq_block;

/**
 * What a host function of Ubiquitous gives back: what its description says when it is 0 or more, and
 * one of enum ubiq_code when it is negative. A block that is given back is the function's to free;
 * block 0 is the block of no bytes.
 */
typedef int64_t ubiq_result;

/** What a negative result means. ubiq_error_text says it in words. */
enum ubiq_code {
    UBIQ_NOT_FOUND = -1,   /**< there is no such key, path, function or field */
    UBIQ_DENIED = -2,      /**< the function's permissions in ubiq.toml do not cover it */
    UBIQ_INVALID = -3,     /**< an argument is not what it must be */
    UBIQ_TOO_LARGE = -4,   /**< a key, a value or a file is larger than the project allows */
    UBIQ_OVER_QUOTA = -5,  /**< the project has used up what it may store or ask for */
    UBIQ_CONFLICT = -6,    /**< what is stored is not of the kind that was expected */
    UBIQ_TIMEOUT = -7,     /**< it took too long */
    UBIQ_UNAVAILABLE = -8, /**< the service cannot do it now */
    UBIQ_BUSY = -9         /**< too much is asked for at once; try again later */
};

/** How grave a line of the log is. */
enum ubiq_level {
    UBIQ_LOG_TRACE = 0,
    UBIQ_LOG_DEBUG = 1,
    UBIQ_LOG_INFO = 2,
    UBIQ_LOG_WARN = 3,
    UBIQ_LOG_ERROR = 4
};

/**
 * @name The imports of an Extism host
 * What is said to be taken must not be used or freed by the function any more.
 * @{
 */

/** A new block of `size` bytes, all 0; 0 when there is no memory, or `size` is 0. */
UBIQ_IMPORT("extism:host/env", "alloc") ubiq_block extism_alloc(uint64_t size);
/** Frees a block. */
UBIQ_IMPORT("extism:host/env", "free") void extism_free(ubiq_block block);
/** The size of a block; 0 where none begins. */
UBIQ_IMPORT("extism:host/env", "length") uint64_t extism_length(ubiq_block block);
/** A byte of the host's memory. */
UBIQ_IMPORT("extism:host/env", "load_u8") uint32_t extism_load_u8(uint64_t at);
/** Eight bytes of the host's memory, the first of them lowest. */
UBIQ_IMPORT("extism:host/env", "load_u64") uint64_t extism_load_u64(uint64_t at);
/** Writes a byte of the host's memory. */
UBIQ_IMPORT("extism:host/env", "store_u8") void extism_store_u8(uint64_t at, uint32_t byte);
/** Writes eight bytes of the host's memory, the lowest first. */
UBIQ_IMPORT("extism:host/env", "store_u64") void extism_store_u64(uint64_t at, uint64_t bytes);
/** Where in the host's memory the input begins. */
UBIQ_IMPORT("extism:host/env", "input_offset") uint64_t extism_input_offset(void);
/** The size of the input. */
UBIQ_IMPORT("extism:host/env", "input_length") uint64_t extism_input_length(void);
/** A byte of the input. */
UBIQ_IMPORT("extism:host/env", "input_load_u8") uint32_t extism_input_load_u8(uint64_t offset);
/** Eight bytes of the input, the first of them lowest. */
UBIQ_IMPORT("extism:host/env", "input_load_u64") uint64_t extism_input_load_u64(uint64_t offset);
/** Makes `size` bytes from `at` the output. */
UBIQ_IMPORT("extism:host/env", "output_set") void extism_output_set(uint64_t at, uint64_t size);
/** Makes a block the text of the error with which the call ends; takes it. */
UBIQ_IMPORT("extism:host/env", "error_set") void extism_error_set(ubiq_block text);
/** A new block with the value of a configuration key, or 0; takes the key. */
UBIQ_IMPORT("extism:host/env", "config_get") ubiq_block extism_config_get(ubiq_block key);
/** A new block with the value of a variable, or 0; takes the key. */
UBIQ_IMPORT("extism:host/env", "var_get") ubiq_block extism_var_get(ubiq_block key);
/** Sets a variable, or removes it when the value is 0; takes both. */
UBIQ_IMPORT("extism:host/env", "var_set") void extism_var_set(ubiq_block key, ubiq_block value);
/** Sends an HTTP request, {"url", "method", "headers"} as JSON, with a body or 0; takes both. A new
 * block with the response's body, or 0. */
UBIQ_IMPORT("extism:host/env", "http_request")
ubiq_block extism_http_request(ubiq_block request, ubiq_block body);
/** The status of the last response. */
UBIQ_IMPORT("extism:host/env", "http_status_code") uint32_t extism_http_status_code(void);
/** A new block with the headers of the last response as a JSON object, or 0. */
UBIQ_IMPORT("extism:host/env", "http_headers") ubiq_block extism_http_headers(void);
/** Writes a line into the log; takes the text. */
UBIQ_IMPORT("extism:host/env", "log_trace") void extism_log_trace(ubiq_block text);
/** @copydoc extism_log_trace */
UBIQ_IMPORT("extism:host/env", "log_debug") void extism_log_debug(ubiq_block text);
/** @copydoc extism_log_trace */
UBIQ_IMPORT("extism:host/env", "log_info") void extism_log_info(ubiq_block text);
/** @copydoc extism_log_trace */
UBIQ_IMPORT("extism:host/env", "log_warn") void extism_log_warn(ubiq_block text);
/** @copydoc extism_log_trace */
UBIQ_IMPORT("extism:host/env", "log_error") void extism_log_error(ubiq_block text);
/** The lowest level that is logged: 0 trace, 1 debug, 2 info, 3 warn, 4 error. */
UBIQ_IMPORT("extism:host/env", "get_log_level") int32_t extism_get_log_level(void);

/** How many bytes the blocks take up, freed ones and what is between them included. */
UBIQ_IMPORT("extism:host/env", "memory_bytes") uint64_t extism_memory_bytes(void);

/** @} */

/**
 * @name The imports of Ubiquitous
 * Blocks that are passed stay the function's, to free or to use again. Other Extism hosts do not
 * have these; what a function does not use is not imported.
 * @{
 */

/** A new block with the value of a key, or a code. */
UBIQ_IMPORT("extism:host/user", "ubiq_kv_get") ubiq_result ubiq_host_kv_get(ubiq_block key);
/** Sets a key, for so many milliseconds or, with 0, for ever. 0 once it is on disk, or a code. */
UBIQ_IMPORT("extism:host/user", "ubiq_kv_set")
ubiq_result ubiq_host_kv_set(ubiq_block key, ubiq_block value, int64_t ttl_ms);
/** Sets a key that is not there. 1 set, 0 there already, or a code. */
UBIQ_IMPORT("extism:host/user", "ubiq_kv_set_if_absent")
ubiq_result ubiq_host_kv_set_if_absent(ubiq_block key, ubiq_block value, int64_t ttl_ms);
/** Sets a key that has the value `expected`. 1 set, 0 it was something else, or a code. */
UBIQ_IMPORT("extism:host/user", "ubiq_kv_compare_and_set")
ubiq_result ubiq_host_kv_compare_and_set(ubiq_block key, ubiq_block expected, ubiq_block value,
                                         int64_t ttl_ms);
/** Adds to a decimal number. A new block with the new number, decimal, or a code. */
UBIQ_IMPORT("extism:host/user", "ubiq_kv_increment")
ubiq_result ubiq_host_kv_increment(ubiq_block key, int64_t delta);
/** Deletes a key. 1 deleted, 0 was not there, or a code. */
UBIQ_IMPORT("extism:host/user", "ubiq_kv_delete") ubiq_result ubiq_host_kv_delete(ubiq_block key);
/** A new block with {"keys": [...], "next": key or null}, in byte order, or a code. */
UBIQ_IMPORT("extism:host/user", "ubiq_kv_list")
ubiq_result ubiq_host_kv_list(ubiq_block prefix, ubiq_block after, int64_t limit);
/** A new block with what is stored at a path, or a code. */
UBIQ_IMPORT("extism:host/user", "ubiq_storage_read")
ubiq_result ubiq_host_storage_read(ubiq_block path);
/** Stores bytes at a path. 0 once they are on disk, or a code. */
UBIQ_IMPORT("extism:host/user", "ubiq_storage_write")
ubiq_result ubiq_host_storage_write(ubiq_block path, ubiq_block data);
/** Deletes what is stored at a path. 1 deleted, 0 was not there, or a code. */
UBIQ_IMPORT("extism:host/user", "ubiq_storage_delete")
ubiq_result ubiq_host_storage_delete(ubiq_block path);
/** A new block with {"path", "size", "type", "modified"}, or a code. */
UBIQ_IMPORT("extism:host/user", "ubiq_storage_stat")
ubiq_result ubiq_host_storage_stat(ubiq_block path);
/** A new block with {"items": [as stat], "next": path or null}, in byte order, or a code. */
UBIQ_IMPORT("extism:host/user", "ubiq_storage_list")
ubiq_result ubiq_host_storage_list(ubiq_block prefix, ubiq_block after, int64_t limit);
/** Emits an event. A new block with its id, once it is on disk, or a code. */
UBIQ_IMPORT("extism:host/user", "ubiq_events_emit")
ubiq_result ubiq_host_events_emit(ubiq_block topic, ubiq_block payload);
/** Calls another function of the project. A new block with its output, or a code. */
UBIQ_IMPORT("extism:host/user", "ubiq_invoke")
ubiq_result ubiq_host_invoke(ubiq_block function, ubiq_block payload);
/** A new block with {"id", "trigger", "method", "path", "url", "route", "params", "query", "headers"}. */
UBIQ_IMPORT("extism:host/user", "ubiq_request") ubiq_result ubiq_host_request(void);
/** Sets the status of the response. 0, or a code. */
UBIQ_IMPORT("extism:host/user", "ubiq_response_status")
ubiq_result ubiq_host_response_status(int32_t status);
/** Sets a header of the response. 0, or a code. */
UBIQ_IMPORT("extism:host/user", "ubiq_response_header")
ubiq_result ubiq_host_response_header(ubiq_block name, ubiq_block value);
/** Writes a line into the log; attributes are a JSON object, or 0. 0, or a code. */
UBIQ_IMPORT("extism:host/user", "ubiq_log")
ubiq_result ubiq_host_log(int32_t level, ubiq_block message, ubiq_block attributes);
/** Sets an attribute of the invocation's trace. 0, or a code. */
UBIQ_IMPORT("extism:host/user", "ubiq_trace_attribute")
ubiq_result ubiq_host_trace_attribute(ubiq_block key, ubiq_block value);
/** Notes an event in the invocation's trace; attributes are a JSON object, or 0. 0, or a code. */
UBIQ_IMPORT("extism:host/user", "ubiq_trace_event")
ubiq_result ubiq_host_trace_event(ubiq_block name, ubiq_block attributes);
/** A new block with {"code", "message"} of the last negative result, or 0. */
UBIQ_IMPORT("extism:host/user", "ubiq_error") ubiq_result ubiq_host_error(void);

/** @} */

#ifdef __cplusplus
}
#endif

#endif
