#include "server/compression.h"

#include "base/http_text.h"
#include "server/limits.h"

#include <stdlib.h>
#include <strings.h>

struct compression {
    uint64_t min_bytes;
    char **type; /* "text/html", or "text/" for all of it */
    size_t types;
};

/* "application/json", or "text/" and a star. */
static bool is_media_type(slice type)
{
    const uint8_t *slash = type.len ? memchr(type.data, '/', type.len) : NULL;
    size_t len = slash ? (size_t)(slash - type.data) : 0;

    return slash && http_is_token(slice_of(type.data, len)) &&
           http_is_token(slice_of(slash + 1, type.len - len - 1)) &&
           !memchr(type.data, '*', len);
}

static int add_type(compression *c, const char *type, error *err)
{
    char *copy;
    char *slash;

    if (!is_media_type(slice_str(type)))
        return error_set(err, E_INVALID,
                         "middleware.compression: types: \"%s\" is not a media type, as "
                         "\"text/html\" or \"text/*\" are",
                         type);
    copy = strdup(type);
    if (!copy)
        return error_set(err, E_NO_MEMORY, "middleware.compression");
    slash = strchr(copy, '/');
    if (strcmp(slash, "/*") == 0)
        slash[1] = '\0';
    c->type[c->types++] = copy;
    return 0;
}

int compression_create(compression **out, const config_compression *from, error *err)
{
    compression *c = calloc(1, sizeof *c);
    int rc = 0;

    *out = NULL;
    if (!c || !(c->type = calloc(from->types.count + 1, sizeof *c->type))) {
        rc = error_set(err, E_NO_MEMORY, "middleware.compression");
        goto done;
    }
    c->min_bytes = from->min_bytes;
    for (size_t i = 0; i < from->types.count && rc == 0; i++)
        rc = add_type(c, from->types.item[i], err);
    if (rc)
        goto done;
    *out = c;
    c = NULL;
done:
    compression_destroy(c);
    return rc;
}

void compression_destroy(compression *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->types; i++)
        free(c->type[i]);
    free(c->type);
    free(c);
}

/* The media type without its parameters. */
static slice media_type(slice content_type)
{
    size_t len = 0;

    while (len < content_type.len && content_type.data[len] != ';' &&
           content_type.data[len] != ' ' && content_type.data[len] != '\t')
        len++;
    return slice_of(content_type.data, len);
}

static bool takes_type(const compression *c, slice type)
{
    for (size_t i = 0; i < c->types; i++) {
        slice known = slice_str(c->type[i]);
        bool whole = known.data[known.len - 1] != '/';

        if (type.len >= known.len && (!whole || type.len == known.len) &&
            strncasecmp((const char *)type.data, (const char *)known.data, known.len) == 0)
            return true;
    }
    return false;
}

/* Whether somebody has said that nobody is to change the body on its way. */
static bool must_not_change(slice headers)
{
    header_list directives = headers_list(headers, slice_str("cache-control"));
    slice directive;

    while (header_list_next(&directives, &directive)) {
        if (headers_name_equal(directive, slice_str("no-transform")))
            return true;
    }
    return false;
}

/* Whether an answer of this kind is compressed for those who want it. */
static bool is_eligible(const compression *c, const response *r)
{
    slice headers = buf_slice(&r->headers);
    slice value;

    /* A part of a body (206) is a part of what was not compressed. */
    if (r->status < 200 || r->status == 204 || r->status == 205 || r->status == 206 ||
        r->status == 304)
        return false;
    if (r->body.len == 0 || r->body.len < c->min_bytes || r->body.len > LIMIT_COMPRESSED_BYTES)
        return false;
    return headers_find(headers, slice_str("content-encoding"), &value) == 0 &&
           headers_find(headers, slice_str("content-range"), &value) == 0 &&
           headers_find(headers, slice_str("content-type"), &value) == 1 &&
           takes_type(c, media_type(value)) && !must_not_change(headers);
}

/* The same bytes would have to come each time for a strong entity tag: it is made a weak one. */
static int weaken_tag(buf *headers)
{
    slice tag;
    buf weak;
    int rc;

    if (headers_find(buf_slice(headers), slice_str("etag"), &tag) == 0 ||
        (tag.len >= 2 && memcmp(tag.data, "W/", 2) == 0))
        return 0;
    buf_init(&weak, tag.len + 2);
    rc = buf_append_str(&weak, "W/");
    rc = rc ? rc : buf_append(&weak, tag.data, tag.len);
    rc = rc ? rc : headers_set(headers, slice_str("ETag"), buf_slice(&weak));
    buf_deinit(&weak);
    return rc;
}

int compression_apply(const compression *c, compressor *with, slice request, response *r)
{
    enum coding coding;
    slice name;
    buf body;
    int rc;

    if (!is_eligible(c, r))
        return 0;
    /* Also when it is not compressed: a cache must not give this answer to everybody. */
    rc = headers_add(&r->headers, slice_str("Vary"), slice_str("Accept-Encoding"));
    coding = accept_encoding_choose(request);
    if (rc || coding == CODING_IDENTITY)
        return rc;
    /* What does not become shorter is not worth the client's time. */
    buf_init(&body, r->body.len - 1);
    if (compressor_run(with, coding, r->body, &body) != 0)
        goto done;
    name = slice_str(coding == CODING_ZSTD ? "zstd" : "gzip");
    rc = weaken_tag(&r->headers);
    rc = rc ? rc : headers_put(&r->headers, slice_str("Content-Encoding"), name);
    if (rc == 0)
        response_take_body(r, &body);
done:
    buf_deinit(&body);
    return rc;
}
