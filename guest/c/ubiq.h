#ifndef UBIQ_H
#define UBIQ_H

/**
 * @file ubiq.h
 * Functions for Ubiquitous, and plug-ins for any Extism host, in C and C++.
 *
 * A function is an export without parameters that returns 0 when it went well. It reads its input,
 * does its work, and sets its output:
 *
 *     #include "ubiq.h"
 *
 *     UBIQ_EXPORT("handle") int32_t handle(void)
 *     {
 *         char name[64];
 *         size_t size = ubiq_input_read(0, name, sizeof name);
 *
 *         ubiq_output(name, size);
 *         return 0;
 *     }
 *
 * Nothing but clang is needed, no libc:
 *
 *     clang --target=wasm32 -O2 -nostdlib -fno-builtin -mbulk-memory -Wl,--no-entry \
 *         -I guest/c hello.c -o hello.wasm
 *
 * Host and function have a memory each. What they exchange lies in blocks of the host's memory,
 * which the function reads and writes through imports, eight bytes at a time; the functions below
 * that begin with ubiq_ do that. Names that begin with extism_ are the imports as they are.
 */

#include <stddef.h>
#include <stdint.h>

/** Makes a function callable from outside under this name. */
#define UBIQ_EXPORT(name) __attribute__((export_name(name)))

/** Takes a function from the host. */
#define UBIQ_IMPORT(module, name) __attribute__((import_module(module), import_name(name)))

#ifdef __cplusplus
extern "C" {
#endif

/** A block of the host's memory, by the offset of its first byte; 0 is no block. */
typedef uint64_t ubiq_block;

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

/** @} */

/** The length of a text that ends with a NUL, without it. */
static inline size_t ubiq_text_size(const char *text)
{
    size_t size = 0;

    while (text[size] != '\0')
        size++;
    return size;
}

/** The size of the input in bytes. */
static inline size_t ubiq_input_size(void)
{
    return (size_t)extism_input_length();
}

/**
 * Copies a part of the input.
 * @param offset where in the input the part begins
 * @param to room for it
 * @param size the size of that room; at most so much is copied
 * @return how many bytes were copied; 0 when `offset` is at the end of the input or behind it
 */
static inline size_t ubiq_input_read(size_t offset, void *to, size_t size)
{
    uint8_t *bytes = (uint8_t *)to;
    size_t length = ubiq_input_size();
    size_t i = 0;

    if (offset >= length)
        return 0;
    if (size > length - offset)
        size = length - offset;
    for (; size - i >= 8; i += 8) {
        uint64_t eight = extism_input_load_u64(offset + i);

        __builtin_memcpy(bytes + i, &eight, 8);
    }
    for (; i < size; i++)
        bytes[i] = (uint8_t)extism_input_load_u8(offset + i);
    return size;
}

/**
 * Copies a part of a block. As ubiq_input_read, for the block in place of the input.
 */
static inline size_t ubiq_block_read(ubiq_block block, size_t offset, void *to, size_t size)
{
    uint8_t *bytes = (uint8_t *)to;
    size_t length = (size_t)extism_length(block);
    size_t i = 0;

    if (offset >= length)
        return 0;
    if (size > length - offset)
        size = length - offset;
    for (; size - i >= 8; i += 8) {
        uint64_t eight = extism_load_u64(block + offset + i);

        __builtin_memcpy(bytes + i, &eight, 8);
    }
    for (; i < size; i++)
        bytes[i] = (uint8_t)extism_load_u8(block + offset + i);
    return size;
}

/**
 * Writes a part of a block, all of which must lie in the block.
 * @param offset where in the block the part begins
 * @param data the bytes to write, `size` of them
 */
static inline void ubiq_block_write(ubiq_block block, size_t offset, const void *data, size_t size)
{
    const uint8_t *bytes = (const uint8_t *)data;
    size_t i = 0;

    for (; size - i >= 8; i += 8) {
        uint64_t eight;

        __builtin_memcpy(&eight, bytes + i, 8);
        extism_store_u64(block + offset + i, eight);
    }
    for (; i < size; i++)
        extism_store_u8(block + offset + i, bytes[i]);
}

/** A new block of `size` bytes, all 0; 0 when `size` is 0. Without memory for it, the call ends. */
static inline ubiq_block ubiq_block_new(size_t size)
{
    ubiq_block block = extism_alloc(size);

    if (block == 0 && size > 0)
        __builtin_trap();
    return block;
}

/** A new block with a copy of `size` bytes, as ubiq_block_new makes it. */
static inline ubiq_block ubiq_block_of(const void *data, size_t size)
{
    ubiq_block block = ubiq_block_new(size);

    ubiq_block_write(block, 0, data, size);
    return block;
}

/** A new block with a copy of a text, without its NUL. */
static inline ubiq_block ubiq_block_of_text(const char *text)
{
    return ubiq_block_of(text, ubiq_text_size(text));
}

/** Copies a block as ubiq_config_get and ubiq_var_get do it, and frees it. */
static inline ptrdiff_t ubiq_block_take(ubiq_block block, void *to, size_t size)
{
    size_t length = (size_t)extism_length(block);

    if (block == 0)
        return -1;
    ubiq_block_read(block, 0, to, size);
    extism_free(block);
    return (ptrdiff_t)length;
}

/** Makes a copy of these bytes the output; no bytes leave it as it is, which is empty at first. */
static inline void ubiq_output(const void *data, size_t size)
{
    extism_output_set(ubiq_block_of(data, size), size);
}

/** Makes a text, without its NUL, the output. */
static inline void ubiq_output_text(const char *text)
{
    ubiq_output(text, ubiq_text_size(text));
}

/**
 * Sets the text of the error with which the call ends.
 * @return 1, so that a function ends with `return ubiq_fail("not a number");`
 */
static inline int32_t ubiq_fail(const char *text)
{
    extism_error_set(ubiq_block_of_text(text));
    return 1;
}

/**
 * Copies the value of a configuration key, without a NUL behind it.
 * @param key a text that is not empty
 * @param to room for the value
 * @param size the size of that room; at most so much is copied
 * @return the length of the whole value, or -1 when there is no such key
 */
static inline ptrdiff_t ubiq_config_get(const char *key, void *to, size_t size)
{
    return ubiq_block_take(extism_config_get(ubiq_block_of_text(key)), to, size);
}

/**
 * Copies the value of a variable. As ubiq_config_get. Variables last as long as the instance: where
 * every call has one of its own, they are there for that call only.
 */
static inline ptrdiff_t ubiq_var_get(const char *key, void *to, size_t size)
{
    return ubiq_block_take(extism_var_get(ubiq_block_of_text(key)), to, size);
}

/** Sets a variable; no bytes remove it. */
static inline void ubiq_var_set(const char *key, const void *data, size_t size)
{
    extism_var_set(ubiq_block_of_text(key), ubiq_block_of(data, size));
}

#ifdef __cplusplus
}
#endif

#endif
