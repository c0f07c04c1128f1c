#include "server/conditional.h"

#include "server/headers.h"

#include <stdio.h>

void http_date(char out[HTTP_DATE_BYTES], time_t when)
{
    struct tm utc;

    /* Without a locale set, names of days and months are the English ones. */
    if (!gmtime_r(&when, &utc) ||
        strftime(out, HTTP_DATE_BYTES, "%a, %d %b %Y %H:%M:%S GMT", &utc) == 0)
        out[0] = '\0';
}

/* Reads a date in the form that everybody sends. */
static bool read_date(slice text, time_t *out)
{
    char copy[HTTP_DATE_BYTES];
    struct tm utc = {0};
    const char *end;

    if (text.len == 0 || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    end = strptime(copy, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    if (!end || *end)
        return false;
    *out = timegm(&utc);
    return true;
}

bool conditional_has(slice lines, const version *v)
{
    header_list tags = headers_list(lines, slice_str("if-none-match"));
    bool any = false;
    slice value;
    time_t since;

    while (header_list_next(&tags, &value)) {
        any = true;
        if (slice_equal_str(value, "*"))
            return true;
        /* A proxy may have made it a weak one; for reading that is as good. */
        if (value.len > 2 && memcmp(value.data, "W/", 2) == 0)
            value = slice_of(value.data + 2, value.len - 2);
        if (slice_equal_str(value, v->etag))
            return true;
    }
    return !any && headers_find(lines, slice_str("if-modified-since"), &value) == 1 &&
           read_date(value, &since) && v->modified <= since;
}

/* A number of at most 18 digits at the start of `*text`, which goes on behind it. */
static bool take_number(slice *text, uint64_t *out)
{
    size_t digits = 0;

    *out = 0;
    while (digits < text->len && text->data[digits] >= '0' && text->data[digits] <= '9') {
        *out = *out * 10 + (uint64_t)(text->data[digits] - '0');
        if (++digits > 18)
            return false;
    }
    *text = slice_of(text->data + digits, text->len - digits);
    return digits > 0;
}

/* Whether If-Range, if there is one, names this version. */
static bool range_holds(slice lines, const version *v)
{
    char date[HTTP_DATE_BYTES];
    slice value;

    if (headers_find(lines, slice_str("if-range"), &value) == 0)
        return true;
    http_date(date, v->modified);
    return slice_equal_str(value, v->etag) || slice_equal_str(value, date);
}

enum range_result conditional_range(slice lines, const version *v, uint64_t size, uint64_t *start,
                                    uint64_t *length)
{
    uint64_t first = 0, last = UINT64_MAX;
    bool has_first, has_last;
    slice text;

    if (headers_find(lines, slice_str("range"), &text) != 1 || text.len < 6 ||
        memcmp(text.data, "bytes=", 6) != 0 || !range_holds(lines, v))
        return RANGE_NONE;
    text = slice_of(text.data + 6, text.len - 6);
    has_first = take_number(&text, &first);
    if (text.len == 0 || text.data[0] != '-')
        return RANGE_NONE;
    text = slice_of(text.data + 1, text.len - 1);
    has_last = take_number(&text, &last);
    if (text.len > 0 || (!has_first && !has_last) || (has_first && has_last && last < first))
        return RANGE_NONE;
    if (!has_first) {
        /* The last so many bytes. */
        if (last == 0 || size == 0)
            return RANGE_UNSATISFIABLE;
        *start = last < size ? size - last : 0;
        *length = size - *start;
        return RANGE_PART;
    }
    if (first >= size)
        return RANGE_UNSATISFIABLE;
    *start = first;
    *length = has_last && last < size ? last - first + 1 : size - first;
    return RANGE_PART;
}
