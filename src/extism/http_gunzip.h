#ifndef UBIQ_EXTISM_HTTP_GUNZIP_H
#define UBIQ_EXTISM_HTTP_GUNZIP_H

#include "base/buf.h"

/* Undoes gzip of a body that arrives in pieces. libcurl's own decoder is not used since it also
 * undoes, or fails on, encodings that the guest expects to see as they are. */
typedef struct http_gunzip http_gunzip;

/* The caller ends `*out` with http_gunzip_destroy. */
int http_gunzip_create(http_gunzip **out, error *err) MUST_CHECK;

/* Appends to `out` what the next piece unpacks to. E_IO "gzip decompression failed: ...",
 * E_TOO_LARGE (without a text) when `out` would exceed its maximum, E_NO_MEMORY. */
int http_gunzip_write(http_gunzip *g, slice piece, buf *out, error *err) MUST_CHECK;

/* E_IO when the last piece was not the end. */
int http_gunzip_finish(http_gunzip *g, error *err) MUST_CHECK;

/* Frees it. Takes NULL. */
void http_gunzip_destroy(http_gunzip *g);

#endif
