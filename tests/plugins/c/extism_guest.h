#ifndef EXTISM_GUEST_H
#define EXTISM_GUEST_H

#include <stddef.h>
#include <stdint.h>

/* What a plug-in imports from its host, as C declarations, and a few helpers over it. A handle is
 * an offset in the host's memory, 0 for none; the guest's own memory is another. */

typedef uint64_t handle;

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))
#define ENV(name) extern IMPORT("extism:host/env", name)

ENV("alloc") handle extism_alloc(uint64_t n);
ENV("free") void extism_free(handle h);
ENV("length") uint64_t extism_length(handle h);
ENV("load_u8") uint32_t extism_load_u8(handle h);
ENV("load_u64") uint64_t extism_load_u64(handle h);
ENV("store_u8") void extism_store_u8(handle h, uint32_t byte);
ENV("store_u64") void extism_store_u64(handle h, uint64_t word);
ENV("input_length") uint64_t extism_input_length(void);
ENV("input_load_u8") uint32_t extism_input_load_u8(uint64_t offset);
ENV("input_load_u64") uint64_t extism_input_load_u64(uint64_t offset);
ENV("output_set") void extism_output_set(handle h, uint64_t n);
ENV("error_set") void extism_error_set(handle h);
ENV("config_get") handle extism_config_get(handle key);
ENV("var_get") handle extism_var_get(handle key);
ENV("var_set") void extism_var_set(handle key, handle value);
ENV("http_request") handle extism_http_request(handle request, handle body);
ENV("http_status_code") uint32_t extism_http_status_code(void);
ENV("http_headers") handle extism_http_headers(void);
ENV("log_debug") void extism_log_debug(handle text);
ENV("log_info") void extism_log_info(handle text);
ENV("log_warn") void extism_log_warn(handle text);
ENV("log_error") void extism_log_error(handle text);
ENV("get_log_level") int32_t extism_get_log_level(void);

static inline size_t text_length(const char *s)
{
    size_t n = 0;

    while (s[n] != '\0')
        n++;
    return n;
}

/* Copies bytes of the guest into a new block. */
static inline handle block_of(const void *data, size_t n)
{
    const unsigned char *bytes = data;
    handle h = extism_alloc(n);
    size_t i = 0;

    for (; i + 8 <= n; i += 8) {
        uint64_t word;

        __builtin_memcpy(&word, bytes + i, 8);
        extism_store_u64(h + i, word);
    }
    for (; i < n; i++)
        extism_store_u8(h + i, bytes[i]);
    return h;
}

static inline handle block_of_text(const char *s)
{
    return block_of(s, text_length(s));
}

/* Copies a block, at most `size` bytes of it, into the guest: how many. */
static inline size_t read_block(handle h, void *into, size_t size)
{
    unsigned char *bytes = into;
    uint64_t n = extism_length(h);
    size_t i;

    if (n > size)
        n = size;
    for (i = 0; i < n; i++)
        bytes[i] = (unsigned char)extism_load_u8(h + i);
    return i;
}

static inline size_t read_input(void *into, size_t size)
{
    unsigned char *bytes = into;
    uint64_t n = extism_input_length();
    size_t i;

    if (n > size)
        n = size;
    for (i = 0; i < n; i++)
        bytes[i] = (unsigned char)extism_input_load_u8(i);
    return i;
}

static inline void output(const void *data, size_t n)
{
    extism_output_set(block_of(data, n), n);
}

static inline void output_block(handle h)
{
    extism_output_set(h, extism_length(h));
}

static inline int fail(const char *text)
{
    extism_error_set(block_of_text(text));
    return 1;
}

#endif
