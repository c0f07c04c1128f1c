#ifndef UBIQ_SERVER_COMPRESSOR_H
#define UBIQ_SERVER_COMPRESSOR_H

#include "base/buf.h"
#include "server/accept_encoding.h"

/* What a thread compresses with: zlib's and zstd's state, kept from one body to the next, since
 * making it costs as much as compressing a small body. Not shared between threads. */
typedef struct compressor compressor;

/* Nothing is allocated for the libraries before it is first used. E_NO_MEMORY. */
int compressor_create(compressor **out) MUST_CHECK;

/* Appends the whole of `data` in a coding that is not identity. E_TOO_LARGE when it does not fit into
 * out's maximum, E_NO_MEMORY, E_INTERNAL. */
int compressor_run(compressor *c, enum coding coding, slice data, buf *out) MUST_CHECK;

/* Frees it. Takes NULL. */
void compressor_destroy(compressor *c);

#endif
