#include "base/utf8.h"

#include <stdio.h>

/* How many bytes of the broken character at `s` belong together: those that could begin a whole one.
 * 0 when more bytes could make it whole. */
static size_t broken_length(slice s)
{
    for (size_t n = 1; n < 4; n++) {
        /* Whether some continuation makes the first n bytes a prefix of a character. */
        bool could_go_on = false;
        for (unsigned next = 0x80; next < 0xc0 && !could_go_on; next++) {
            uint8_t tail[4] = {0, 0x80, 0x80, 0x80};
            memcpy(tail, s.data, n);
            if (n < 4)
                tail[n] = (uint8_t)next;
            for (size_t len = n + 1; len <= 4 && !could_go_on; len++)
                could_go_on = slice_utf8_prefix(slice_of(tail, len)) == len;
        }
        if (!could_go_on)
            return n > 1 ? n - 1 : 1;
        if (n == s.len)
            return 0;
    }
    return 3;
}

void utf8_describe(slice s, char *out, size_t size)
{
    size_t good = slice_utf8_prefix(s);
    size_t bad = broken_length(slice_of(s.data + good, s.len - good));
    if (bad)
        snprintf(out, size, "invalid utf-8 sequence of %zu bytes from index %zu", bad, good);
    else
        snprintf(out, size, "incomplete utf-8 byte sequence from index %zu", good);
}
