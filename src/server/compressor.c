#include "server/compressor.h"

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/* What takes a worker's time is paid by all its clients: these are the levels beyond which a little
 * less to send costs much more time. */
#define GZIP_LEVEL 2
#define ZSTD_LEVEL 3
#define GZIP_WINDOW (15 + 16) /* the largest, and gzip's frame rather than zlib's */
#define GZIP_MEMORY 8

struct compressor {
    bool has_gzip;
    z_stream gzip;
    ZSTD_CCtx *zstd;
};

int compressor_create(compressor **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : E_NO_MEMORY;
}

void compressor_destroy(compressor *c)
{
    if (!c)
        return;
    if (c->has_gzip)
        deflateEnd(&c->gzip);
    ZSTD_freeCCtx(c->zstd);
    free(c);
}

static int prepare_gzip(compressor *c)
{
    if (c->has_gzip)
        return deflateReset(&c->gzip) == Z_OK ? 0 : E_INTERNAL;
    if (deflateInit2(&c->gzip, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return E_NO_MEMORY;
    c->has_gzip = true;
    return 0;
}

static int run_gzip(compressor *c, slice data, buf *out)
{
    size_t room = out->max - out->len;
    int rc = prepare_gzip(c);

    if (rc)
        return rc;
    if (room > deflateBound(&c->gzip, data.len))
        room = deflateBound(&c->gzip, data.len);
    if (data.len > UINT32_MAX || room > UINT32_MAX)
        return E_TOO_LARGE;
    rc = buf_reserve(out, room);
    if (rc)
        return rc;
    c->gzip.next_in = (Bytef *)(uintptr_t)data.data;
    c->gzip.avail_in = (uInt)data.len;
    c->gzip.next_out = out->data + out->len;
    c->gzip.avail_out = (uInt)room;
    if (deflate(&c->gzip, Z_FINISH) != Z_STREAM_END)
        return E_TOO_LARGE;
    out->len += room - c->gzip.avail_out;
    return 0;
}

static int run_zstd(compressor *c, slice data, buf *out)
{
    size_t room = out->max - out->len;
    size_t bound = ZSTD_compressBound(data.len);
    size_t len;
    int rc;

    if (!c->zstd && !(c->zstd = ZSTD_createCCtx()))
        return E_NO_MEMORY;
    room = room < bound ? room : bound;
    rc = buf_reserve(out, room);
    if (rc)
        return rc;
    len = ZSTD_compressCCtx(c->zstd, out->data + out->len, room, data.data, data.len, ZSTD_LEVEL);
    switch (ZSTD_getErrorCode(len)) {
    case ZSTD_error_no_error:
        out->len += len;
        return 0;
    case ZSTD_error_dstSize_tooSmall:
        return E_TOO_LARGE;
    case ZSTD_error_memory_allocation:
        return E_NO_MEMORY;
    default:
        return E_INTERNAL;
    }
}

int compressor_run(compressor *c, enum coding coding, slice data, buf *out)
{
    return coding == CODING_ZSTD ? run_zstd(c, data, out) : run_gzip(c, data, out);
}
