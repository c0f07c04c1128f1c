#ifndef UBIQ_SERVER_COMPRESSION_H
#define UBIQ_SERVER_COMPRESSION_H

#include "app/config.h"
#include "server/compressor.h"
#include "server/response.h"

/* [middleware.compression]: bodies are sent in gzip or zstd to clients that take it. */
typedef struct compression compression;

/* E_INVALID for what is no media type, E_NO_MEMORY. */
int compression_create(compression **out, const config_compression *c, error *err) MUST_CHECK;

/* Compresses the body of an answer to a request with these header lines, if the client takes it and
 * it is worth while, and says so in its headers; also for HEAD, whose headers are those of GET. When
 * it cannot, the body stays as it is. As headers_put. Any thread; `with` belongs to it. */
int compression_apply(const compression *c, compressor *with, slice request,
                      response *r) MUST_CHECK;

/* Frees it. Takes NULL. */
void compression_destroy(compression *c);

#endif
