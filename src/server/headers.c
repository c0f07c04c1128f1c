#include "server/headers.h"

#include "base/http_text.h"
#include "base/json.h"

#include <strings.h>

bool headers_name_equal(slice a, slice b)
{
    return a.len == b.len &&
           (a.len == 0 || strncasecmp((const char *)a.data, (const char *)b.data, a.len) == 0);
}

slice headers_of(slice head)
{
    const uint8_t *end = head.len ? memmem(head.data, head.len, "\r\n", 2) : NULL;
    size_t start = end ? (size_t)(end - head.data) + 2 : 0;

    /* The empty line behind the last header stays outside. */
    if (!end || head.len - start < 2)
        return slice_of(NULL, 0);
    return slice_of(head.data + start, head.len - start - 2);
}

bool headers_next(slice *lines, header_line *out)
{
    const uint8_t *end = lines->len ? memmem(lines->data, lines->len, "\r\n", 2) : NULL;
    size_t len = end ? (size_t)(end - lines->data) : 0;
    size_t colon = 0;

    while (colon < len && http_is_token_char(lines->data[colon]))
        colon++;
    if (colon == 0 || colon == len || lines->data[colon] != ':') {
        *lines = slice_of(NULL, 0);
        return false;
    }
    out->name = slice_of(lines->data, colon);
    out->value = http_trim(slice_of(lines->data + colon + 1, len - colon - 1));
    *lines = slice_of(end + 2, lines->len - len - 2);
    return true;
}

int headers_find(slice lines, slice name, slice *value)
{
    int count = 0;
    header_line h;

    *value = slice_of(NULL, 0);
    while (count < 2 && headers_next(&lines, &h)) {
        if (!headers_name_equal(h.name, name))
            continue;
        if (count++ == 0)
            *value = h.value;
    }
    return count;
}

header_list headers_list(slice lines, slice name)
{
    return (header_list){.lines = lines, .name = name};
}

/* Takes what stands before the next comma. */
static slice take_element(slice *rest)
{
    bool quoted = false;
    size_t len = 0;
    slice element;

    while (len < rest->len && (quoted || rest->data[len] != ',')) {
        quoted ^= rest->data[len] == '"';
        len++;
    }
    element = http_trim(slice_of(rest->data, len));
    if (len < rest->len)
        len++;
    *rest = slice_of(rest->data + len, rest->len - len);
    return element;
}

bool header_list_next(header_list *l, slice *element)
{
    header_line h;

    for (;;) {
        while (l->rest.len) {
            *element = take_element(&l->rest);
            if (element->len)
                return true;
        }
        do {
            if (!headers_next(&l->lines, &h))
                return false;
        } while (!headers_name_equal(h.name, l->name));
        l->rest = h.value;
    }
}

/* Appends a name in lower case as JSON; a token has nothing to escape. */
static int put_json_name(buf *out, slice name)
{
    int rc = buf_reserve(out, name.len + 3);

    if (rc)
        return rc;
    out->data[out->len++] = '"';
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];

        out->data[out->len++] = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
    }
    out->data[out->len++] = '"';
    out->data[out->len++] = ':';
    return 0;
}

static int append_latin1(buf *out, slice text)
{
    int rc = 0;

    for (size_t i = 0; i < text.len && rc == 0; i++) {
        uint8_t c = text.data[i];
        const uint8_t two[] = {(uint8_t)(0xc0 | c >> 6), (uint8_t)(0x80 | (c & 0x3f))};

        rc = c < 0x80 ? buf_append_byte(out, c) : buf_append(out, two, sizeof two);
    }
    return rc;
}

static int put_json_value(buf *out, slice value)
{
    buf utf8;
    int rc;

    if (slice_is_utf8(value))
        return json_put_string(out, value);
    buf_init(&utf8, 2 * value.len);
    rc = append_latin1(&utf8, value);
    rc = rc ? rc : json_put_string(out, buf_slice(&utf8));
    buf_deinit(&utf8);
    return rc;
}

/* Appends the values of all lines of a name, of which `first` is one and the others are in `rest`. */
static int put_json_array(buf *out, const header_line *first, slice rest)
{
    int rc = buf_append_byte(out, '[');
    header_line h;

    rc = rc ? rc : put_json_value(out, first->value);
    while (rc == 0 && headers_next(&rest, &h)) {
        if (!headers_name_equal(h.name, first->name))
            continue;
        rc = buf_append_byte(out, ',');
        rc = rc ? rc : put_json_value(out, h.value);
    }
    return rc ? rc : buf_append_byte(out, ']');
}

/* The same as one text. */
static int put_json_joined(buf *out, const header_line *first, slice rest, const char *between)
{
    header_line h;
    buf joined;
    int rc;

    /* What stands between two values is shorter than what a line has besides its value. */
    buf_init(&joined, first->value.len + rest.len);
    rc = buf_append(&joined, first->value.data, first->value.len);
    while (rc == 0 && headers_next(&rest, &h)) {
        if (!headers_name_equal(h.name, first->name))
            continue;
        rc = buf_append_str(&joined, between);
        rc = rc ? rc : buf_append(&joined, h.value.data, h.value.len);
    }
    rc = rc ? rc : put_json_value(out, buf_slice(&joined));
    buf_deinit(&joined);
    return rc;
}

static int put_json_values(buf *out, const header_line *first, slice rest)
{
    if (headers_name_equal(first->name, slice_str("set-cookie")))
        return put_json_array(out, first, rest);
    if (headers_name_equal(first->name, slice_str("cookie")))
        return put_json_joined(out, first, rest, "; ");
    return put_json_joined(out, first, rest, ", ");
}

int headers_put_json(buf *out, slice lines)
{
    slice rest = lines;
    int rc = buf_append_byte(out, '{');
    bool first = true;
    header_line h;

    while (rc == 0 && headers_next(&rest, &h)) {
        slice before = slice_of(lines.data, (size_t)(h.name.data - lines.data));
        slice earlier;

        if (headers_find(before, h.name, &earlier))
            continue;
        if (!first)
            rc = buf_append_byte(out, ',');
        first = false;
        rc = rc ? rc : put_json_name(out, h.name);
        rc = rc ? rc : put_json_values(out, &h, rest);
    }
    return rc ? rc : buf_append_byte(out, '}');
}

static bool is_value(slice value)
{
    return http_is_field_value(value) && http_trim(value).len == value.len;
}

int headers_put(buf *lines, slice name, slice value)
{
    int rc;

    if (!http_is_token(name) || !is_value(value))
        return E_INVALID;
    /* All of it or nothing: what is there must end with a whole line. */
    rc = buf_reserve(lines, name.len + value.len + 4);
    if (rc)
        return rc;
    rc = buf_append(lines, name.data, name.len);
    rc = rc ? rc : buf_append(lines, ": ", 2);
    rc = rc ? rc : buf_append(lines, value.data, value.len);
    return rc ? rc : buf_append(lines, "\r\n", 2);
}

int headers_set(buf *lines, slice name, slice value)
{
    int rc;

    if (!http_is_token(name) || !is_value(value))
        return E_INVALID;
    rc = buf_reserve(lines, name.len + value.len + 4);
    if (rc)
        return rc;
    headers_remove(lines, name);
    return headers_put(lines, name, value);
}

void headers_remove(buf *lines, slice name)
{
    slice rest = buf_slice(lines);
    size_t kept = 0;
    header_line h;

    while (rest.len) {
        const uint8_t *line = rest.data;
        size_t len;

        if (!headers_next(&rest, &h))
            break;
        len = (size_t)(lines->data + lines->len - line) - rest.len;
        if (headers_name_equal(h.name, name))
            continue;
        memmove(lines->data + kept, line, len);
        kept += len;
    }
    lines->len = kept;
}

int headers_add(buf *lines, slice name, slice element)
{
    header_list there = headers_list(buf_slice(lines), name);
    slice one;

    while (header_list_next(&there, &one)) {
        if (headers_name_equal(one, element) || slice_equal_str(one, "*"))
            return 0;
    }
    return headers_put(lines, name, element);
}
