#ifndef UBIQ_JSON_H
#define UBIQ_JSON_H

/**
 * @file json.h
 * Looking things up in JSON that lies in the host's memory: the input, a request, what a list gave.
 * Nothing is copied but what is asked for, and nothing is allocated:
 *
 *     char city[64];
 *     ubiq_view address;
 *
 *     if (ubiq_json_member(ubiq_input(), "address", &address))
 *         ubiq_json_member_text(address, "city", city, sizeof city);
 *
 * It finds its way through any bytes, but what is not JSON it does not always refuse: it is a look-up
 * and no validator.
 */

#include "block.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A walk through the elements of a JSON array or the members of an object. */
typedef struct ubiq_json_walk {
    uint64_t at;        /**< where in the host's memory it stands */
    uint64_t end;       /**< where the value that is walked through ends */
    uint64_t loaded_at; /**< what the window shows */
    size_t loaded;
    char close;  /**< the bracket that ends the walk; 0 when it has ended */
    int is_next; /**< whether a comma must come before the next value */
    uint8_t window[32];
} ubiq_json_walk;

/** @cond: what the functions below are made of; they take a walk for a place in a text. */

static inline ubiq_json_walk ubiq_json_at_(ubiq_view text)
{
    ubiq_json_walk w;

    w.at = w.loaded_at = text.at;
    w.end = text.at + text.size;
    w.loaded = 0;
    w.close = 0;
    w.is_next = 0;
    return w;
}

/* The byte there, or -1 at the end. */
UBIQ_FUNCTION int ubiq_json_peek_(ubiq_json_walk *w)
{
    ubiq_view rest;

    if (w->at >= w->end)
        return -1;
    if (w->at - w->loaded_at >= w->loaded) {
        rest.at = w->loaded_at = w->at;
        rest.size = (size_t)(w->end - w->at);
        w->loaded = ubiq_view_read(rest, 0, w->window, sizeof w->window);
    }
    return w->window[w->at - w->loaded_at];
}

static inline int ubiq_json_take_(ubiq_json_walk *w)
{
    int c = ubiq_json_peek_(w);

    w->at += c >= 0;
    return c;
}

/* The byte that is not white space, which is not taken. */
static inline int ubiq_json_word_(ubiq_json_walk *w)
{
    int c;

    while ((c = ubiq_json_peek_(w)) == ' ' || c == '\t' || c == '\n' || c == '\r')
        w->at++;
    return c;
}

/* Behind the quote that begins a string, to behind the one that ends it. */
UBIQ_FUNCTION int ubiq_json_skip_string_(ubiq_json_walk *w)
{
    int c;

    while ((c = ubiq_json_take_(w)) >= 0 && c != '"') {
        if (c == '\\')
            w->at++;
    }
    return c == '"';
}

/* Past one value; 0 when there is none, or it does not end. */
UBIQ_FUNCTION int ubiq_json_skip_(ubiq_json_walk *w)
{
    uint64_t begin;
    size_t depth = 0;
    int c = ubiq_json_word_(w);

    if (c != '"' && c != '{' && c != '[') {
        begin = w->at;
        while ((c = ubiq_json_peek_(w)) > ' ' && c != ',' && c != ']' && c != '}' && c != ':')
            w->at++;
        return w->at > begin;
    }
    do {
        c = ubiq_json_take_(w);
        if (c == '{' || c == '[')
            depth++;
        else if (c == '}' || c == ']')
            depth--;
        else if (c < 0 || (c == '"' && !ubiq_json_skip_string_(w)))
            return 0;
    } while (depth > 0);
    return 1;
}

/* The four hexadecimal digits of an escape, or -1. */
static inline int32_t ubiq_json_hex_(ubiq_json_walk *w)
{
    int32_t value = 0;

    for (int i = 0; i < 4; i++) {
        int c = ubiq_json_take_(w);

        if (c >= '0' && c <= '9')
            value = value * 16 + (c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            value = value * 16 + ((c | 32) - 'a' + 10);
        else
            return -1;
    }
    return value;
}

/* Behind "\u": the character that it and, of a pair, its other half stand for; U+FFFD for a half that
 * stands alone, -1 for what is no escape. */
UBIQ_FUNCTION int32_t ubiq_json_unicode_(ubiq_json_walk *w)
{
    int32_t high = ubiq_json_hex_(w), low;
    ubiq_json_walk back;

    if (high < 0xd800 || high > 0xdfff)
        return high;
    back = *w;
    if (high <= 0xdbff && ubiq_json_take_(w) == '\\' && ubiq_json_take_(w) == 'u' &&
        (low = ubiq_json_hex_(w)) >= 0xdc00 && low <= 0xdfff)
        return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    *w = back;
    return 0xfffd;
}

static inline int ubiq_json_utf8_(int32_t c, uint8_t out[4])
{
    if (c < 0)
        return -1;
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xc0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xe0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 63));
        out[2] = (uint8_t)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 63));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 63));
    out[3] = (uint8_t)(0x80 | (c & 63));
    return 4;
}

/* The next bytes of a string, unescaped: how many, 0 at its end, -1 when it is broken. */
UBIQ_FUNCTION int ubiq_json_piece_(ubiq_json_walk *w, uint8_t out[4])
{
    int c = ubiq_json_take_(w);

    if (c < 0 || c == '"')
        return c < 0 ? -1 : 0;
    if (c == '\\') {
        c = ubiq_json_take_(w);
        if (c == 'u')
            return ubiq_json_utf8_(ubiq_json_unicode_(w), out);
        c = c == 'n'   ? '\n'
            : c == 't' ? '\t'
            : c == 'r' ? '\r'
            : c == 'b' ? '\b'
            : c == 'f' ? '\f'
                       : c;
        if (c < 0)
            return -1;
    }
    out[0] = (uint8_t)c;
    return 1;
}

static inline uint8_t ubiq_json_lower_(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* Whether a string has this text; with `any_case`, letters of ASCII may differ in their case. */
UBIQ_FUNCTION int ubiq_json_is_(ubiq_view string, const char *text, int any_case)
{
    ubiq_json_walk w = ubiq_json_at_(string);
    uint8_t piece[4];
    int n = ubiq_json_take_(&w) == '"' ? 1 : -1;

    while (n > 0 && (n = ubiq_json_piece_(&w, piece)) > 0) {
        for (int i = 0; i < n; i++, text++) {
            uint8_t a = piece[i], b = (uint8_t)*text;

            if (b == 0 || (a != b && (!any_case || ubiq_json_lower_(a) != ubiq_json_lower_(b))))
                return 0;
        }
    }
    return n == 0 && *text == '\0';
}

/** @endcond */

/** Begins a walk through an array or an object; one through anything else ends at once. */
UBIQ_FUNCTION ubiq_json_walk ubiq_json_walk_of(ubiq_view value)
{
    ubiq_json_walk w = ubiq_json_at_(value);
    int c = ubiq_json_word_(&w);

    w.at += c >= 0;
    w.close = c == '{' ? '}' : c == '[' ? ']' : '\0';
    return w;
}

/**
 * Steps to the next element or member.
 * @param name gets the string, quotes included, that names a member; a view of no bytes in an array.
 *        May be NULL.
 * @param value gets the value as it stands in the text
 * @return 1, or 0 at the end and where the text is broken
 */
UBIQ_FUNCTION int ubiq_json_next(ubiq_json_walk *w, ubiq_view *name, ubiq_view *value)
{
    ubiq_view key;
    int c = w->close ? ubiq_json_word_(w) : -1;

    key.at = 0;
    key.size = 0;
    if (c >= 0 && w->is_next && c != w->close) {
        w->at++;
        c = c == ',' ? ubiq_json_word_(w) : -1;
    }
    if (c >= 0 && c != w->close && w->close == '}') {
        key.at = w->at;
        c = c == '"' && ubiq_json_skip_(w) ? c : -1;
        key.size = (size_t)(w->at - key.at);
        c = c >= 0 && ubiq_json_word_(w) == ':' ? ':' : -1;
        w->at++;
        if (c >= 0)
            c = ubiq_json_word_(w);
    }
    value->at = w->at;
    if (c < 0 || c == w->close || !ubiq_json_skip_(w)) {
        w->close = '\0';
        return 0;
    }
    value->size = (size_t)(w->at - value->at);
    w->is_next = 1;
    if (name)
        *name = key;
    return 1;
}

/** Finds an object's first member of this name. Gives back 1, or 0 when there is none. */
UBIQ_FUNCTION int ubiq_json_member(ubiq_view object, const char *name, ubiq_view *value)
{
    ubiq_json_walk w = ubiq_json_walk_of(object);
    ubiq_view key, found;

    while (w.close == '}' && ubiq_json_next(&w, &key, &found)) {
        if (ubiq_json_is_(key, name, 0)) {
            *value = found;
            return 1;
        }
    }
    return 0;
}

/** As ubiq_json_member, with no difference between the cases of ASCII letters, as in the names of
 * headers. */
UBIQ_FUNCTION int ubiq_json_member_any_case(ubiq_view object, const char *name, ubiq_view *value)
{
    ubiq_json_walk w = ubiq_json_walk_of(object);
    ubiq_view key, found;

    while (w.close == '}' && ubiq_json_next(&w, &key, &found)) {
        if (ubiq_json_is_(key, name, 1)) {
            *value = found;
            return 1;
        }
    }
    return 0;
}

/** Whether a value is a string with this text. */
static inline int ubiq_json_equal(ubiq_view value, const char *text)
{
    return ubiq_json_is_(value, text, 0);
}

/**
 * Copies a value as a text: of a string what it stands for, of anything else its JSON. Up to
 * `size` - 1 bytes and a NUL, which is there whenever `size` is more than 0.
 * @return the length of the whole text; UBIQ_NOT_FOUND for null, of which there is no text,
 *         UBIQ_INVALID for a broken string
 */
UBIQ_FUNCTION ptrdiff_t ubiq_json_text(ubiq_view value, char *to, size_t size)
{
    ubiq_json_walk w = ubiq_json_at_(value);
    uint8_t piece[4];
    size_t length = 0;
    int n;

    if (ubiq_json_peek_(&w) != '"') {
        if (ubiq_json_peek_(&w) != 'n')
            return ubiq_view_text(value, to, size);
        if (size > 0)
            to[0] = '\0';
        return (ptrdiff_t)UBIQ_NOT_FOUND;
    }
    w.at++;
    while ((n = ubiq_json_piece_(&w, piece)) > 0) {
        for (int i = 0; i < n; i++, length++) {
            if (length + 1 < size)
                to[length] = (char)piece[i];
        }
    }
    if (size > 0)
        to[length < size ? length : size - 1] = '\0';
    return n < 0 ? (ptrdiff_t)UBIQ_INVALID : (ptrdiff_t)length;
}

/** Copies the member of an object as ubiq_json_text does it. UBIQ_NOT_FOUND when there is none. */
UBIQ_FUNCTION ptrdiff_t ubiq_json_member_text(ubiq_view object, const char *name, char *to,
                                              size_t size)
{
    ubiq_view value;

    if (size > 0)
        to[0] = '\0';
    return ubiq_json_member(object, name, &value) ? ubiq_json_text(value, to, size)
                                                  : (ptrdiff_t)UBIQ_NOT_FOUND;
}

/** Reads a whole number without fraction and exponent. 1, or 0 when the value is none, or too large;
 * `number` is unchanged then. */
UBIQ_FUNCTION int ubiq_json_int(ubiq_view value, int64_t *number)
{
    ubiq_json_walk w = ubiq_json_at_(value);
    int negative = ubiq_json_peek_(&w) == '-', c;
    uint64_t most = (uint64_t)INT64_MAX + (negative ? 1 : 0), sum = 0;

    w.at += negative ? 1 : 0;
    if (w.at == w.end)
        return 0;
    while ((c = ubiq_json_take_(&w)) >= 0) {
        if (c < '0' || c > '9' || sum > (most - (uint64_t)(c - '0')) / 10)
            return 0;
        sum = sum * 10 + (uint64_t)(c - '0');
    }
    *number = negative ? (int64_t)(0 - sum) : (int64_t)sum;
    return 1;
}

#ifdef __cplusplus
}
#endif

#endif
