#include "app/url_path.h"

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that the escape at `at` stands for, or -1. */
static int escaped(slice path, size_t at)
{
    int high = path.len - at > 2 ? hex_value(path.data[at + 1]) : -1;
    int low = path.len - at > 2 ? hex_value(path.data[at + 2]) : -1;

    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

bool url_path_plain(slice path, uint8_t *room, slice *plain)
{
    size_t len = 0;

    if (!path.len || !memchr(path.data, '%', path.len)) {
        *plain = path;
        return slice_is_utf8(path);
    }
    for (size_t i = 0; i < path.len; i++) {
        int c = path.data[i];

        if (c == '%') {
            c = escaped(path, i);
            if (c <= 0 || c == '/')
                return false;
            i += 2;
        }
        room[len++] = (uint8_t)c;
    }
    *plain = slice_of(room, len);
    return slice_is_utf8(*plain);
}
