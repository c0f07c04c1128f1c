#ifndef UBIQ_TESTS_GUEST_C_HOST_H
#define UBIQ_TESTS_GUEST_C_HOST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The SDK for C in guest/c, compiled for the tests' machine, with the host played by this file. */

#define UBIQ_IMPORT(module, name)
#define UBIQ_EXPORT(name)
/* GCC inlines the copying of short texts, and then doubts the loops that it does not enter. */
#pragma GCC diagnostic ignored "-Warray-bounds"
#include "../../guest/c/ubiq.h"

#define HOST_BYTES 65536
#define HEADER 8 /* in front of each block: its size, 0 when it was freed */

static uint8_t host_memory[HOST_BYTES];
static size_t host_end;
static int host_blocks; /* that are not freed */
static char asked[512]; /* what the host was asked for last */
static const char *answer;
static ubiq_result code; /* is given back in place of the answer when it is negative */
static uint64_t output_at, output_size, error_block;
static uint64_t input_size;

uint64_t extism_alloc(uint64_t size)
{
    size_t block = host_end + HEADER;

    if (size == 0)
        return 0;
    memcpy(host_memory + host_end, &size, HEADER);
    memset(host_memory + block, 0, size);
    host_end = (block + size + 7) & ~(size_t)7;
    assert_true(host_end < HOST_BYTES);
    host_blocks++;
    return block;
}

void extism_free(uint64_t block)
{
    assert_int_not_equal(extism_length(block), 0);
    memset(host_memory + block - HEADER, 0, HEADER);
    host_blocks--;
}

uint64_t extism_length(uint64_t block)
{
    uint64_t size = 0;

    if (block != 0)
        memcpy(&size, host_memory + block - HEADER, HEADER);
    return size;
}

uint32_t extism_load_u8(uint64_t at)
{
    return host_memory[at];
}

uint64_t extism_load_u64(uint64_t at)
{
    uint64_t eight;

    memcpy(&eight, host_memory + at, 8);
    return eight;
}

void extism_store_u8(uint64_t at, uint32_t byte)
{
    host_memory[at] = (uint8_t)byte;
}

void extism_store_u64(uint64_t at, uint64_t bytes)
{
    memcpy(host_memory + at, &bytes, 8);
}

uint64_t extism_input_offset(void)
{
    return HEADER;
}

uint64_t extism_input_length(void)
{
    return input_size;
}

uint32_t extism_input_load_u8(uint64_t offset)
{
    return host_memory[HEADER + offset];
}

uint64_t extism_input_load_u64(uint64_t offset)
{
    return extism_load_u64(HEADER + offset);
}

void extism_output_set(uint64_t at, uint64_t size)
{
    output_at = at;
    output_size = size;
}

void extism_error_set(ubiq_block text)
{
    error_block = text;
}

/* The text of a block, "-" for block 0. */
static const char *text_of(ubiq_block block)
{
    static char texts[4][256];
    static int n;
    char *text = texts[n++ % 4];

    snprintf(text, sizeof texts[0], "%.*s", block ? (int)extism_length(block) : 1,
             block ? (const char *)host_memory + block : "-");
    return text;
}

static ubiq_result answered(void)
{
    return code < 0 ? code : (ubiq_result)ubiq_block_of(answer, strlen(answer));
}

#define ASKED(...) (void)snprintf(asked, sizeof asked, __VA_ARGS__)

ubiq_block extism_config_get(ubiq_block key)
{
    ASKED("config %s", text_of(key));
    extism_free(key);
    return answer ? (ubiq_block)answered() : 0;
}

ubiq_block extism_var_get(ubiq_block key)
{
    ASKED("var %s", text_of(key));
    extism_free(key);
    return answer ? (ubiq_block)answered() : 0;
}

void extism_var_set(ubiq_block key, ubiq_block value)
{
    ASKED("var_set %s %s", text_of(key), text_of(value));
    extism_free(key);
    if (value)
        extism_free(value);
}

ubiq_block extism_http_request(ubiq_block request, ubiq_block body)
{
    ASKED("%s %s", text_of(request), text_of(body));
    extism_free(request);
    if (body)
        extism_free(body);
    return (ubiq_block)answered();
}

uint32_t extism_http_status_code(void)
{
    return 201;
}

ubiq_block extism_http_headers(void)
{
    return ubiq_block_of_text("{\"content-type\":\"text/plain\"}");
}

void extism_log_debug(ubiq_block text)
{
    ASKED("debug %s", text_of(text));
    extism_free(text);
}

void extism_log_info(ubiq_block text)
{
    ASKED("info %s", text_of(text));
    extism_free(text);
}

void extism_log_warn(ubiq_block text)
{
    ASKED("warn %s", text_of(text));
    extism_free(text);
}

void extism_log_error(ubiq_block text)
{
    ASKED("error %s", text_of(text));
    extism_free(text);
}

ubiq_result ubiq_host_kv_get(ubiq_block key)
{
    ASKED("get %s", text_of(key));
    return answered();
}

ubiq_result ubiq_host_kv_set(ubiq_block key, ubiq_block value, int64_t ttl_ms)
{
    ASKED("set %s %s %d", text_of(key), text_of(value), (int)ttl_ms);
    return code;
}

ubiq_result ubiq_host_kv_set_if_absent(ubiq_block key, ubiq_block value, int64_t ttl_ms)
{
    ASKED("absent %s %s %d", text_of(key), text_of(value), (int)ttl_ms);
    return code;
}

ubiq_result ubiq_host_kv_compare_and_set(ubiq_block key, ubiq_block expected, ubiq_block value,
                                         int64_t ttl_ms)
{
    ASKED("cas %s %s %s %d", text_of(key), text_of(expected), text_of(value), (int)ttl_ms);
    return code;
}

ubiq_result ubiq_host_kv_increment(ubiq_block key, int64_t delta)
{
    ASKED("increment %s %d", text_of(key), (int)delta);
    return answered();
}

ubiq_result ubiq_host_kv_delete(ubiq_block key)
{
    ASKED("delete %s", text_of(key));
    return code;
}

ubiq_result ubiq_host_kv_list(ubiq_block prefix, ubiq_block after, int64_t limit)
{
    ASKED("list %s %s %d", text_of(prefix), text_of(after), (int)limit);
    return answered();
}

ubiq_result ubiq_host_storage_read(ubiq_block path)
{
    ASKED("read %s", text_of(path));
    return answered();
}

ubiq_result ubiq_host_storage_write(ubiq_block path, ubiq_block data)
{
    ASKED("write %s %s", text_of(path), text_of(data));
    return code;
}

ubiq_result ubiq_host_storage_delete(ubiq_block path)
{
    ASKED("remove %s", text_of(path));
    return code;
}

ubiq_result ubiq_host_storage_stat(ubiq_block path)
{
    ASKED("stat %s", text_of(path));
    return answered();
}

ubiq_result ubiq_host_storage_list(ubiq_block prefix, ubiq_block after, int64_t limit)
{
    ASKED("files %s %s %d", text_of(prefix), text_of(after), (int)limit);
    return answered();
}

ubiq_result ubiq_host_events_emit(ubiq_block topic, ubiq_block payload)
{
    ASKED("emit %s %s", text_of(topic), text_of(payload));
    return answered();
}

ubiq_result ubiq_host_invoke(ubiq_block function, ubiq_block payload)
{
    ASKED("invoke %s %s", text_of(function), text_of(payload));
    return answered();
}

ubiq_result ubiq_host_request(void)
{
    return answered();
}

ubiq_result ubiq_host_response_status(int32_t status)
{
    ASKED("status %d", status);
    return code;
}

ubiq_result ubiq_host_response_header(ubiq_block name, ubiq_block value)
{
    ASKED("header %s %s", text_of(name), text_of(value));
    return code;
}

ubiq_result ubiq_host_log(int32_t level, ubiq_block message, ubiq_block attributes)
{
    ASKED("log %d %s %s", level, text_of(message), text_of(attributes));
    return code;
}

ubiq_result ubiq_host_trace_attribute(ubiq_block key, ubiq_block value)
{
    ASKED("attribute %s %s", text_of(key), text_of(value));
    return code;
}

ubiq_result ubiq_host_trace_event(ubiq_block name, ubiq_block attributes)
{
    ASKED("event %s %s", text_of(name), text_of(attributes));
    return code;
}

ubiq_result ubiq_host_error(void)
{
    return code < 0 ? (ubiq_result)ubiq_block_of_text("{\"code\":-2,\"message\":\"no \\\"kv\\\"\"}")
                    : 0;
}

static void set_input(const char *text)
{
    memset(host_memory, 0, sizeof host_memory);
    input_size = strlen(text);
    memcpy(host_memory + HEADER, text, input_size);
    memcpy(host_memory, &input_size, HEADER);
    host_end = (HEADER + input_size + 7) & ~(size_t)7;
    host_blocks = 0;
    output_at = output_size = error_block = 0;
}

static int set_up(void **state)
{
    (void)state;
    set_input("");
    asked[0] = '\0';
    answer = "";
    code = 0;
    return 0;
}

/* What was asked for, and that nothing was left behind. */
#define ASSERT_ASKED(text)                                                                         \
    do {                                                                                           \
        assert_string_equal(asked, text);                                                          \
        assert_int_equal(host_blocks, 0);                                                          \
    } while (0)

#endif
