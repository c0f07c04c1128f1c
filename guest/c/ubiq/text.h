#ifndef UBIQ_TEXT_H
#define UBIQ_TEXT_H

/**
 * @file text.h
 * Putting texts together, without a C library:
 *
 *     char key[80];
 *     ubiq_text t = ubiq_text_in(key, sizeof key);
 *
 *     ubiq_put(&t, "link:");
 *     ubiq_put_number(&t, 17);
 *     if (!ubiq_text_fits(&t))
 *         return ubiq_fail("the key is too long");
 */

#include "block.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A text that grows in a room of fixed size. What does not fit is left out but counted. */
typedef struct ubiq_text {
    char *to;         /**< the room, or NULL: nothing is written */
    ubiq_block block; /**< the room when it is a block, else 0 */
    size_t size;      /**< of the room */
    size_t length;    /**< of the text, were there room enough */
} ubiq_text;

/** An empty text in `size` bytes of the function's memory. A NUL always stands behind what fits. */
static inline ubiq_text ubiq_text_in(char *to, size_t size)
{
    ubiq_text t;

    t.to = to;
    t.block = 0;
    t.size = size;
    t.length = 0;
    if (size > 0)
        to[0] = '\0';
    return t;
}

/** An empty text in a block, which gets no NUL; with block 0 it is only counted. */
static inline ubiq_text ubiq_text_in_block(ubiq_block block)
{
    ubiq_text t;

    t.to = NULL;
    t.block = block;
    t.size = (size_t)extism_length(block);
    t.length = 0;
    return t;
}

/** Whether all of the text, and its NUL in the function's memory, had room. */
static inline int ubiq_text_fits(const ubiq_text *t)
{
    return t->to ? t->length < t->size : t->length <= t->size;
}

/** Appends bytes. */
UBIQ_FUNCTION void ubiq_put_bytes(ubiq_text *t, const void *data, size_t size)
{
    size_t room = t->to && t->size > 0 ? t->size - 1 : t->size;
    size_t fits = t->length >= room ? 0 : room - t->length;

    if (fits > size)
        fits = size;
    if (t->block != 0 && fits > 0) {
        ubiq_block_write(t->block, t->length, data, fits);
    } else if (t->to && t->length < t->size) {
        for (size_t i = 0; i < fits; i++)
            t->to[t->length + i] = ((const char *)data)[i];
        t->to[t->length + fits] = '\0';
    }
    t->length += size;
}

/** Appends a text. */
static inline void ubiq_put(ubiq_text *t, const char *text)
{
    ubiq_put_bytes(t, text, ubiq_text_size(text));
}

/** Appends a character. */
static inline void ubiq_put_char(ubiq_text *t, char c)
{
    ubiq_put_bytes(t, &c, 1);
}

/** Appends a whole number in decimal. */
UBIQ_FUNCTION void ubiq_put_number(ubiq_text *t, int64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

    do
        digits[--at] = (char)('0' + left % 10);
    while ((left /= 10) > 0);
    if (number < 0)
        ubiq_put_char(t, '-');
    ubiq_put_bytes(t, digits + at, sizeof digits - at);
}

/** Appends a JSON string: the bytes, which should be UTF-8, in quotes and escaped. */
UBIQ_FUNCTION void ubiq_put_json_bytes(ubiq_text *t, const void *data, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    const uint8_t *bytes = (const uint8_t *)data;
    size_t plain = 0;

    ubiq_put_char(t, '"');
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = bytes[i];

        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        ubiq_put_bytes(t, bytes + plain, i - plain);
        plain = i + 1;
        ubiq_put_char(t, '\\');
        if (byte >= 0x20) {
            ubiq_put_char(t, (char)byte);
        } else {
            ubiq_put(t, "u00");
            ubiq_put_char(t, hex[byte >> 4]);
            ubiq_put_char(t, hex[byte & 15]);
        }
    }
    ubiq_put_bytes(t, bytes + plain, size - plain);
    ubiq_put_char(t, '"');
}

/** Appends a text as a JSON string, as ubiq_put_json_bytes does it. */
static inline void ubiq_put_json(ubiq_text *t, const char *text)
{
    ubiq_put_json_bytes(t, text, ubiq_text_size(text));
}

/** Makes what fitted of a text the output. */
static inline void ubiq_output_of(const ubiq_text *t)
{
    size_t room = t->to && t->size > 0 ? t->size - 1 : t->size;
    size_t size = t->length < room ? t->length : room;

    if (t->block != 0)
        extism_output_set(t->block, size);
    else
        ubiq_output(t->to, size);
}

/** Whether two texts are the same. */
UBIQ_FUNCTION int ubiq_text_equal(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

#ifdef __cplusplus
}
#endif

#endif
