#include "extism/http_head.h"

#include "base/http_text.h"

#include <stdio.h>
#include <stdlib.h>

#define FIELDS_MAX 128
#define BYTES_MAX (64 * 1024)

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static slice trim(slice s)
{
    while (s.len > 0 && is_space(s.data[s.len - 1]))
        s.len--;
    while (s.len > 0 && is_space(s.data[0]))
        s = slice_of(s.data + 1, s.len - 1);
    return s;
}

static bool is_ascii(slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] > 0x7e)
            return false;
    }
    return true;
}

/* libcurl has checked the line; only the number is of interest. */
static int begin(http_head *h, slice line, error *err)
{
    const uint8_t *space = memchr(line.data, ' ', line.len);
    unsigned status = 0;

    http_head_deinit(h);
    for (size_t i = 1; space && i <= 3 && space + i < line.data + line.len; i++) {
        if (space[i] < '0' || space[i] > '9')
            break;
        status = status * 10 + (space[i] - '0');
    }
    if (status < 100)
        return error_set(err, E_IO, "protocol: http parse fail: invalid response status");
    h->status = (uint16_t)status;
    return 0;
}

static int remember(char **where, slice value)
{
    char *text = strndup((const char *)value.data, value.len);

    if (!text)
        return E_NO_MEMORY;
    free(*where);
    *where = text;
    return 0;
}

/* The fields that decide how the answer is handled. `name` is in lower case. */
static int note_special(http_head *h, const char *name, slice value, error *err)
{
    int rc = 0;

    if (strcmp(name, "location") == 0) {
        rc = remember(&h->location, value);
    } else if (strcmp(name, "content-length") == 0) {
        if (h->length && !slice_equal_str(value, h->length))
            return error_set(err, E_IO, "protocol: conflicting content-length headers");
        rc = remember(&h->length, value);
    } else if (strcmp(name, "content-encoding") == 0) {
        h->encodings++;
    }
    return rc ? error_set(err, rc, "HTTP response headers") : 0;
}

static int add_field(http_head *h, slice name, slice value, error *err)
{
    char *lower = strndup((const char *)name.data, name.len);
    int rc;

    if (!lower)
        return error_set(err, E_NO_MEMORY, "HTTP response headers");
    for (size_t i = 0; i < name.len; i++) {
        if (lower[i] >= 'A' && lower[i] <= 'Z')
            lower[i] |= 0x20;
    }
    rc = note_special(h, lower, value, err);
    if (rc == 0 && is_ascii(value) && strmap_set(&h->fields, slice_str(lower), value))
        rc = error_set(err, E_NO_MEMORY, "HTTP response headers");
    free(lower);
    return rc;
}

static int parse_field(http_head *h, slice line, error *err)
{
    const uint8_t *colon = memchr(line.data, ':', line.len);
    size_t name_len = colon ? (size_t)(colon - line.data) : 0;
    slice value;

    if (!colon || !http_is_token(slice_of(line.data, name_len)))
        return error_set(err, E_IO, "protocol: http parse fail: invalid header name");
    value = trim(slice_of(colon + 1, line.len - name_len - 1));
    if (!http_is_field_value(value))
        return error_set(err, E_IO, "protocol: http parse fail: invalid header value");
    return add_field(h, slice_of(line.data, name_len), value, err);
}

int http_head_add(http_head *h, slice line, error *err)
{
    bool is_status = line.len >= 5 && memcmp(line.data, "HTTP/", 5) == 0;
    int rc = 0;

    if (h->complete)
        return 0;
    if (is_status)
        rc = begin(h, line, err);
    if (rc)
        return rc;
    if (line.len > BYTES_MAX - h->bytes)
        return error_set(err, E_TOO_LARGE, "response header is too big: %zu > %d",
                         h->bytes + line.len, BYTES_MAX);
    h->bytes += line.len;
    if (is_status)
        return 0;
    if (trim(line).len == 0) {
        h->complete = h->status >= 200 || h->status == 101;
        return 0;
    }
    if (++h->lines > FIELDS_MAX)
        return error_set(err, E_IO, "protocol: http parse resulted in too many headers");
    return parse_field(h, line, err);
}

bool http_head_is_redirect(const http_head *h)
{
    return h->status >= 300 && h->status < 400 && h->status != 304;
}

bool http_head_is_gzip(const http_head *h)
{
    slice encoding;

    return h->encodings == 1 && strmap_get(&h->fields, slice_str("content-encoding"), &encoding) &&
           slice_equal_str(encoding, "gzip");
}

void http_head_deinit(http_head *h)
{
    strmap_deinit(&h->fields);
    free(h->location);
    free(h->length);
    *h = (http_head){0};
}
