#include "server/chunked.h"

#include "server/limits.h"

#include <stdbool.h>
#include <string.h>

enum {
    SIZE,
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_START, /* of a line */
    TRAILER,
    TRAILER_LF,
    LAST_LF
};

#define SIZE_DIGITS_MAX 15

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A byte of a chunk's size or of what ends it; false when it has no place there. */
static bool take_size(chunked *c, uint8_t byte)
{
    int digit = hex_value(byte);

    if (digit >= 0) {
        c->left = c->left << 4 | (uint64_t)digit;
        return ++c->digits <= SIZE_DIGITS_MAX;
    }
    if (c->digits == 0)
        return false;
    c->digits = 0;
    if (byte == '\r')
        c->state = SIZE_LF;
    else if (byte == ';' || byte == ' ' || byte == '\t')
        c->state = EXTENSION;
    else
        return false;
    return true;
}

/* A byte of an extension or a trailer, which are passed over. */
static bool take_extra(chunked *c, uint8_t byte, uint8_t after)
{
    if (byte == '\r') {
        c->state = after;
        return true;
    }
    return (byte >= ' ' || byte == '\t') && byte != 0x7f && ++c->extra <= LIMIT_CHUNK_EXTRA_BYTES;
}

/* A byte that is none of the data's; false when it has no place there. */
static bool take_byte(chunked *c, uint8_t byte, bool *done)
{
    switch (c->state) {
    case SIZE:
        return take_size(c, byte);
    case EXTENSION:
        return take_extra(c, byte, SIZE_LF);
    case SIZE_LF:
        c->state = c->left ? DATA : TRAILER_START;
        return byte == '\n';
    case DATA_CR:
        c->state = DATA_LF;
        return byte == '\r';
    case DATA_LF:
        c->state = SIZE;
        return byte == '\n';
    case TRAILER_START:
        c->state = TRAILER;
        return take_extra(c, byte, LAST_LF);
    case TRAILER:
        return take_extra(c, byte, TRAILER_LF);
    case TRAILER_LF:
        c->state = TRAILER_START;
        return byte == '\n';
    default:
        *done = byte == '\n';
        return *done;
    }
}

enum chunked_result chunked_decode(chunked *c, uint8_t *data, size_t len, size_t *decoded,
                                   size_t *used)
{
    bool done = false;

    *decoded = 0;
    *used = 0;
    while (*used < len) {
        if (c->state == DATA) {
            size_t n = c->left < len - *used ? (size_t)c->left : len - *used;

            memmove(data + *decoded, data + *used, n);
            *decoded += n;
            *used += n;
            c->left -= n;
            if (c->left == 0)
                c->state = DATA_CR;
            continue;
        }
        if (!take_byte(c, data[(*used)++], &done))
            return CHUNKED_MALFORMED;
        if (done)
            return CHUNKED_DONE;
    }
    return CHUNKED_MORE;
}
