#include "host.h"

#include <stdlib.h>
#include <string.h>

uint32_t host_table_base;
uint32_t host_bound;

static const char *const params[] = {
#define HOST_TYPES(name, types) types,
    HOST_FUNCTIONS(HOST_TYPES)
#undef HOST_TYPES
};

unsigned host_params(enum host_function f)
{
    return (unsigned)strlen(params[f]);
}

int64_t host_call(enum host_function f, const int64_t *a)
{
    /* A function pointer is an index into the table. */
    uintptr_t at = host_table_base + f;
    const char *types = params[f];

    if (types[0] == 'i' && types[1])
        return ((int64_t(*)(int32_t, int64_t, int64_t))at)((int32_t)a[0], a[1], a[2]);
    if (types[0] == 'i')
        return ((int64_t(*)(int32_t))at)((int32_t)a[0]);
    switch (strlen(types)) {
    case 0:
        return ((int64_t(*)(void))at)();
    case 1:
        return ((int64_t(*)(int64_t))at)(a[0]);
    case 2:
        return ((int64_t(*)(int64_t, int64_t))at)(a[0], a[1]);
    case 3:
        return ((int64_t(*)(int64_t, int64_t, int64_t))at)(a[0], a[1], a[2]);
    default:
        return ((int64_t(*)(int64_t, int64_t, int64_t, int64_t))at)(a[0], a[1], a[2], a[3]);
    }
}

void host_call_own(uint32_t number, int64_t values[HOST_OWN_PARAMS_MAX])
{
    uintptr_t at = host_table_base + HOST_OWN;

    ((void (*)(uint32_t, int64_t *))at)(number, values);
}

uint64_t host_put(const void *data, size_t size)
{
    const uint8_t *from = data;
    uint64_t block = extism_alloc(size);
    size_t at = 0;

    for (; block && at + 8 <= size; at += 8) {
        uint64_t word;
        memcpy(&word, from + at, sizeof word);
        extism_store_u64(block + at, word);
    }
    for (; block && at < size; at++)
        extism_store_u8(block + at, from[at]);
    return block;
}

void host_get(uint64_t block, void *out, size_t size)
{
    uint8_t *to = out;
    size_t at = 0;

    for (; at + 8 <= size; at += 8) {
        uint64_t word = extism_load_u64(block + at);
        memcpy(to + at, &word, sizeof word);
    }
    for (; at < size; at++)
        to[at] = (uint8_t)extism_load_u8(block + at);
}

uint8_t *host_input(size_t *size)
{
    size_t n = (size_t)extism_input_length(), at = 0;
    uint8_t *to = malloc(n + 1);

    *size = n;
    for (; to && at + 8 <= n; at += 8) {
        uint64_t word = extism_input_load_u64(at);
        memcpy(to + at, &word, sizeof word);
    }
    for (; to && at < n; at++)
        to[at] = (uint8_t)extism_input_load_u8(at);
    if (to)
        to[n] = 0;
    return to;
}

void host_output(const void *data, size_t size)
{
    extism_output_set(size ? host_put(data, size) : 0, size);
}

void host_error(const char *text, size_t size)
{
    extism_error_set(host_put(text, size));
}
