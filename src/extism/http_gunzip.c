#include "extism/http_gunzip.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#define STEP_BYTES 16384
#define GZIP_ONLY (16 + MAX_WBITS)

struct http_gunzip {
    z_stream stream;
    bool open;   /* inflateInit2 succeeded */
    bool at_end; /* a member is complete */
};

int http_gunzip_create(http_gunzip **out, error *err)
{
    http_gunzip *g = calloc(1, sizeof *g);

    *out = NULL;
    if (g)
        g->open = inflateInit2(&g->stream, GZIP_ONLY) == Z_OK;
    if (!g || !g->open) {
        http_gunzip_destroy(g);
        return error_set(err, E_NO_MEMORY, "gzip decompression failed: out of memory");
    }
    *out = g;
    return 0;
}

static int fail(const http_gunzip *g, error *err)
{
    return error_set(err, E_IO, "gzip decompression failed: %s",
                     g->stream.msg ? g->stream.msg : "unexpected end of file");
}

/* Unpacks into the room that `out` has, or into one byte more to see whether that would do. */
static int inflate_step(http_gunzip *g, buf *out, error *err)
{
    size_t room = out->max - out->len;
    uint8_t extra;
    size_t step;
    int rc;

    if (room > STEP_BYTES)
        room = STEP_BYTES;
    rc = buf_reserve(out, room);
    if (rc)
        return error_set(err, rc, "gzip decompression failed: out of memory");
    step = room > 0 ? room : 1;
    g->stream.next_out = room > 0 ? out->data + out->len : &extra;
    g->stream.avail_out = (uInt)step;
    rc = inflate(&g->stream, Z_NO_FLUSH);
    step -= g->stream.avail_out;
    if (room == 0 && step > 0)
        return E_TOO_LARGE;
    out->len += step;
    g->at_end = rc == Z_STREAM_END;
    if (rc == Z_MEM_ERROR)
        return error_set(err, E_NO_MEMORY, "gzip decompression failed: out of memory");
    return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR ? 0 : fail(g, err);
}

/* All that inflate can give for the input that it has. */
static int inflate_all(http_gunzip *g, buf *out, error *err)
{
    int rc;

    do {
        /* A body may be several members, one after the other. */
        if (g->at_end && inflateReset(&g->stream) != Z_OK)
            return fail(g, err);
        rc = inflate_step(g, out, err);
        if (rc)
            return rc;
    } while (g->stream.avail_in > 0 || (g->stream.avail_out == 0 && !g->at_end));
    return 0;
}

int http_gunzip_write(http_gunzip *g, slice piece, buf *out, error *err)
{
    while (piece.len > 0) {
        size_t take = piece.len < UINT_MAX ? piece.len : UINT_MAX;
        int rc;

        g->stream.next_in = (Bytef *)(uintptr_t)piece.data;
        g->stream.avail_in = (uInt)take;
        rc = inflate_all(g, out, err);
        if (rc)
            return rc;
        piece = slice_of(piece.data + take, piece.len - take);
    }
    return 0;
}

int http_gunzip_finish(http_gunzip *g, error *err)
{
    return g->at_end ? 0 : fail(g, err);
}

void http_gunzip_destroy(http_gunzip *g)
{
    if (g && g->open)
        inflateEnd(&g->stream);
    free(g);
}
