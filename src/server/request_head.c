#include "server/request_head.h"

#include "base/http_text.h"
#include "server/limits.h"

#include <strings.h>

#define BAD_REQUEST 400
#define TARGET_TOO_LONG 414
#define HEAD_TOO_LARGE 431
#define NOT_IMPLEMENTED 501
#define VERSION_NOT_SUPPORTED 505

/* What the headers say, besides what goes to the caller. */
struct facts {
    bool has_host;
    bool has_length;
    bool close;
    bool keep_alive;
};

/* The first line of `*rest`, without its end; `*rest` goes on behind it. Every line has an end. */
static slice next_line(slice *rest)
{
    const uint8_t *end = memmem(rest->data, rest->len, "\r\n", 2);
    slice line = slice_of(rest->data, (size_t)(end - rest->data));

    *rest = slice_of(end + 2, rest->len - line.len - 2);
    return line;
}

static int read_path(request_head *h)
{
    slice t = h->target;
    const uint8_t *query;

    for (size_t i = 0; i < t.len; i++) {
        if (t.data[i] <= ' ' || t.data[i] == 0x7f || t.data[i] == '#')
            return BAD_REQUEST;
    }
    if (slice_equal_str(t, "*")) {
        h->path = t;
        return slice_equal_str(h->method, "OPTIONS") ? 0 : BAD_REQUEST;
    }
    if (t.len > 7 && (strncasecmp((const char *)t.data, "http://", 7) == 0)) {
        /* The absolute form; the host is no concern of ours. */
        t = slice_of(t.data + 7, t.len - 7);
        while (t.len && t.data[0] != '/' && t.data[0] != '?') {
            t.data++;
            t.len--;
        }
        if (t.len == 0 || t.data[0] == '?')
            t = slice_str("/");
    }
    if (t.len == 0 || t.data[0] != '/')
        return slice_equal_str(h->method, "CONNECT") ? NOT_IMPLEMENTED : BAD_REQUEST;
    query = memchr(t.data, '?', t.len);
    h->path = query ? slice_of(t.data, (size_t)(query - t.data)) : t;
    return 0;
}

static int read_version(request_head *h, slice version)
{
    if (version.len != 8 || memcmp(version.data, "HTTP/", 5) != 0 || version.data[6] != '.' ||
        version.data[5] < '0' || version.data[5] > '9' || version.data[7] < '0' ||
        version.data[7] > '9')
        return BAD_REQUEST;
    if (version.data[5] != '1')
        return VERSION_NOT_SUPPORTED;
    h->http_1_0 = version.data[7] == '0';
    return 0;
}

/* METHOD SP TARGET SP VERSION */
static int read_request_line(request_head *h, slice line)
{
    size_t at = 0, start;
    int status;

    while (at < line.len && http_is_token_char(line.data[at]))
        at++;
    if (at == 0 || at > LIMIT_METHOD_BYTES || at == line.len || line.data[at] != ' ')
        return BAD_REQUEST;
    h->method = slice_of(line.data, at);
    start = ++at;
    while (at < line.len && line.data[at] != ' ')
        at++;
    h->target = slice_of(line.data + start, at - start);
    if (at == line.len)
        return BAD_REQUEST;
    if (h->target.len > LIMIT_TARGET_BYTES)
        return TARGET_TOO_LONG;
    status = read_version(h, slice_of(line.data + at + 1, line.len - at - 1));
    return status ? status : read_path(h);
}

static int read_content_length(request_head *h, struct facts *f, slice value)
{
    uint64_t n = 0;

    /* A number longer than any body there can be is as good as the longest. */
    if (value.len == 0 || value.len > 18)
        return BAD_REQUEST;
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return BAD_REQUEST;
        n = n * 10 + (uint64_t)(value.data[i] - '0');
    }
    if (f->has_length)
        return BAD_REQUEST;
    f->has_length = true;
    h->content_length = n;
    return 0;
}

static int read_connection(struct facts *f, slice value)
{
    while (value.len) {
        const uint8_t *comma = memchr(value.data, ',', value.len);
        size_t len = comma ? (size_t)(comma - value.data) : value.len;
        slice option = http_trim(slice_of(value.data, len));

        if (http_is_word(option, "close"))
            f->close = true;
        else if (http_is_word(option, "keep-alive"))
            f->keep_alive = true;
        value = comma ? slice_of(comma + 1, value.len - len - 1) : slice_of(NULL, 0);
    }
    return 0;
}

static int take_header(request_head *h, struct facts *f, slice name, slice value)
{
    switch (name.len) {
    case 4:
        if (!http_is_word(name, "host"))
            return 0;
        if (f->has_host)
            return BAD_REQUEST;
        f->has_host = true;
        return 0;
    case 6:
        if (http_is_word(name, "expect") && http_is_word(value, "100-continue"))
            h->expects_continue = true;
        return 0;
    case 10:
        return http_is_word(name, "connection") ? read_connection(f, value) : 0;
    case 14:
        return http_is_word(name, "content-length") ? read_content_length(h, f, value) : 0;
    case 17:
        if (!http_is_word(name, "transfer-encoding"))
            return 0;
        if (h->chunked)
            return BAD_REQUEST;
        if (!http_is_word(value, "chunked"))
            return NOT_IMPLEMENTED;
        h->chunked = true;
        return 0;
    default:
        return 0;
    }
}

static int read_header(request_head *h, struct facts *f, slice line)
{
    size_t colon = 0;
    slice value;

    while (colon < line.len && http_is_token_char(line.data[colon]))
        colon++;
    if (colon == 0 || colon == line.len || line.data[colon] != ':')
        return BAD_REQUEST;
    value = http_trim(slice_of(line.data + colon + 1, line.len - colon - 1));
    if (!http_is_field_value(value))
        return BAD_REQUEST;
    return take_header(h, f, slice_of(line.data, colon), value);
}

/* What contradicts itself is refused. */
static int conclude(request_head *h, const struct facts *f)
{
    if (!f->has_host && !h->http_1_0)
        return BAD_REQUEST;
    if (h->chunked && (f->has_length || h->http_1_0))
        return BAD_REQUEST;
    h->keep_alive = !f->close && (!h->http_1_0 || f->keep_alive);
    h->expects_continue = h->expects_continue && !h->http_1_0;
    return 0;
}

/* There is no end of a head yet. Says so, unless it is plain that none will come. */
static int judge_start(slice data)
{
    const uint8_t *line_end = data.len ? memchr(data.data, '\n', data.len) : NULL;

    if (data.len && !http_is_token_char(data.data[0]))
        return BAD_REQUEST;
    if (line_end && (line_end == data.data || line_end[-1] != '\r'))
        return BAD_REQUEST;
    if (data.len < LIMIT_HEAD_BYTES)
        return HEAD_INCOMPLETE;
    return line_end ? HEAD_TOO_LARGE : TARGET_TOO_LONG;
}

int request_head_read(request_head *out, slice data)
{
    const uint8_t *end = data.len ? memmem(data.data, data.len, "\r\n\r\n", 4) : NULL;
    struct facts facts = {0};
    size_t headers = 0;
    slice rest;
    int status;

    *out = (request_head){0};
    if (!end)
        return judge_start(data);
    out->length = (size_t)(end - data.data) + 4;
    if (out->length > LIMIT_HEAD_BYTES)
        return HEAD_TOO_LARGE;
    rest = slice_of(data.data, out->length - 2);
    status = read_request_line(out, next_line(&rest));
    while (status == 0 && rest.len > 0) {
        if (++headers > LIMIT_HEADERS)
            return HEAD_TOO_LARGE;
        status = read_header(out, &facts, next_line(&rest));
    }
    return status ? status : conclude(out, &facts);
}
