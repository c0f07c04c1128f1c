#ifndef UBIQ_BASE_SLICE_H
#define UBIQ_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A borrowed run of bytes. `data` may be NULL when `len` is 0. Not NUL-terminated. */
typedef struct slice {
    const uint8_t *data;
    size_t len;
} slice;

static inline slice slice_of(const void *data, size_t len)
{
    slice s;

    s.data = (const uint8_t *)data;
    s.len = len;
    return s;
}

/* The bytes of a C string without its NUL; the empty slice for NULL. */
static inline slice slice_str(const char *text)
{
    return slice_of(text, text ? strlen(text) : 0);
}

static inline bool slice_equal(slice a, slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool slice_equal_str(slice a, const char *text)
{
    return slice_equal(a, slice_str(text));
}

/* Whether the bytes are UTF-8 as Unicode 15 table 3-7 has it: no overlong forms, no surrogates. */
bool slice_is_utf8(slice s);

/* How many bytes from the start are whole UTF-8 characters: `s.len` when all are. */
size_t slice_utf8_prefix(slice s);

/* The line and column of an offset, from 1; the column is in bytes. */
void slice_position(slice text, size_t at, size_t *line, size_t *column);

/* A hash for tables in memory; not one to withstand whoever chooses what goes into a table. */
static inline uint64_t slice_hash(slice s, uint64_t seed)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ seed;

    for (size_t i = 0; i < s.len; i++)
        h = (h ^ s.data[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 32;
}

/* The nearest of `count` words to a misspelt one, for "did you mean": at most two letters wrong,
 * missing or too many. NULL when none is near. The words are at most 63 bytes long. */
const char *slice_nearest(slice word, const char *const *known, size_t count);

#endif
