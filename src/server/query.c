#include "server/query.h"

#include "base/json.h"

slice query_of(slice target)
{
    const uint8_t *mark = target.len ? memchr(target.data, '?', target.len) : NULL;

    return mark ? slice_of(mark + 1, target.len - (size_t)(mark + 1 - target.data))
                : slice_of(NULL, 0);
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int unescape(slice text, buf *out)
{
    int rc = 0;

    buf_clear(out);
    for (size_t i = 0; i < text.len && rc == 0; i++) {
        uint8_t c = text.data[i];
        int high = c == '%' && text.len - i > 2 ? hex_digit(text.data[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text.data[i + 2]) : -1;

        if (low >= 0) {
            c = (uint8_t)(high << 4 | low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        rc = buf_append_byte(out, c);
    }
    return rc;
}

/* Takes the first part, up to `mark`, off `*rest`. */
static slice take_part(slice *rest, char mark)
{
    const uint8_t *end = rest->len ? memchr(rest->data, mark, rest->len) : NULL;
    slice part = slice_of(rest->data, end ? (size_t)(end - rest->data) : rest->len);

    *rest = end ? slice_of(end + 1, rest->len - part.len - 1) : slice_of(NULL, 0);
    return part;
}

int query_read(slice query, strmap *into)
{
    buf name, value;
    int rc = 0;

    buf_init(&name, query.len);
    buf_init(&value, query.len);
    while (query.len && rc == 0) {
        slice rest = take_part(&query, '&');

        if (rest.len == 0)
            continue;
        rc = unescape(take_part(&rest, '='), &name);
        rc = rc ? rc : unescape(rest, &value);
        if (rc == 0 && !strmap_get(into, buf_slice(&name), NULL))
            rc = strmap_set(into, buf_slice(&name), buf_slice(&value));
    }
    buf_deinit(&name);
    buf_deinit(&value);
    return rc;
}

int query_put_json(buf *out, slice query)
{
    strmap pairs = {0};
    int rc = query_read(query, &pairs);

    rc = rc ? rc : buf_append_byte(out, '{');
    for (size_t i = 0; i < pairs.count && rc == 0; i++) {
        const strmap_entry *e = &pairs.entry[i];

        if (i > 0)
            rc = buf_append_byte(out, ',');
        rc = rc ? rc : json_put_bytes(out, slice_of(e->key, e->key_len));
        rc = rc ? rc : buf_append_byte(out, ':');
        rc = rc ? rc : json_put_bytes(out, slice_of(e->value, e->value_len));
    }
    strmap_deinit(&pairs);
    return rc ? rc : buf_append_byte(out, '}');
}
