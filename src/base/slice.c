#include "base/slice.h"

#define WORD_MAX 63
#define NEAR 2

/* The length of the UTF-8 character at `p`, of which `left` bytes are there; 0 when it is none. */
static size_t utf8_char(const uint8_t *p, size_t left)
{
    uint8_t low = 0x80; /* the bounds of the second byte: table 3-7 */
    uint8_t high = 0xbf;
    size_t len;

    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (left < len)
        return 0;
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xed)
        high = 0x9f;
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4)
        high = 0x8f;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return len;
}

size_t slice_utf8_prefix(slice s)
{
    size_t at = 0;

    while (at < s.len) {
        uint64_t eight;
        size_t len;

        /* Most text is ASCII: eight bytes at a time. */
        while (s.len - at >= sizeof eight) {
            memcpy(&eight, s.data + at, sizeof eight);
            if (eight & UINT64_C(0x8080808080808080))
                break;
            at += sizeof eight;
        }
        if (at == s.len)
            break;
        len = utf8_char(s.data + at, s.len - at);
        if (len == 0)
            break;
        at += len;
    }
    return at;
}

bool slice_is_utf8(slice s)
{
    return slice_utf8_prefix(s) == s.len;
}

void slice_position(slice text, size_t at, size_t *line, size_t *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < at && i < text.len; i++) {
        ++*column;
        if (text.data[i] == '\n') {
            ++*line;
            *column = 1;
        }
    }
}

/* Levenshtein's distance, with one row of the table kept. */
static size_t distance(slice a, slice b)
{
    size_t row[WORD_MAX + 1];

    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 0; i < a.len; i++) {
        size_t diagonal = row[0];

        row[0] = i + 1;
        for (size_t j = 0; j < b.len; j++) {
            size_t cost = diagonal + (a.data[i] != b.data[j]);

            diagonal = row[j + 1];
            if (cost > diagonal + 1)
                cost = diagonal + 1;
            if (cost > row[j] + 1)
                cost = row[j] + 1;
            row[j + 1] = cost;
        }
    }
    return row[b.len];
}

const char *slice_nearest(slice word, const char *const *known, size_t count)
{
    const char *nearest = NULL;
    size_t least = NEAR + 1;

    if (word.len > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        slice candidate = slice_str(known[i]);
        size_t d;

        if (candidate.len > WORD_MAX)
            continue;
        d = distance(word, candidate);
        /* A short word that shares nothing with the candidate is not near it. */
        if (d < least && d < candidate.len) {
            least = d;
            nearest = known[i];
        }
    }
    return nearest;
}
