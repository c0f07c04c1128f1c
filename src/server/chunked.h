#ifndef UBIQ_SERVER_CHUNKED_H
#define UBIQ_SERVER_CHUNKED_H

#include <stddef.h>
#include <stdint.h>

/* Takes the chunked transfer coding off a request's body, piece by piece and in place. An all-zero
 * one is at the start of a body. */
typedef struct chunked {
    uint64_t left;  /* of the chunk */
    size_t extra;   /* bytes of extensions and trailers so far */
    uint8_t digits; /* of the chunk's size so far */
    uint8_t state;
} chunked;

enum chunked_result { CHUNKED_MORE, CHUNKED_DONE, CHUNKED_MALFORMED };

/* Decodes `len` bytes at `data`. Afterwards `*decoded` bytes of the body stand at `data`, and
 * `*used` says how many of the coded bytes are dealt with: all of them, unless the body has ended.
 */
enum chunked_result chunked_decode(chunked *c, uint8_t *data, size_t len, size_t *decoded,
                                   size_t *used);

#endif
