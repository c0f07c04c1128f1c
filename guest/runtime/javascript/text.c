#include "text.h"

#include <stdlib.h>
#include <string.h>

/* How many bytes from `p` on are one character of valid UTF-8; 0 for none, and then in `bad` how many are
 * the longest beginning of one, which one U+FFFD stands for. */
static size_t character(const uint8_t *p, size_t left, size_t *bad)
{
    uint8_t low = 0x80, high = 0xbf;
    size_t need;

    *bad = 1;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        need = 1;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        need = 2;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        need = 3;
    else
        return 0;
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xed)
        high = 0x9f;
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4)
        high = 0x8f;
    for (size_t i = 1; i <= need; i++, low = 0x80, high = 0xbf) {
        if (i >= left || p[i] < low || p[i] > high) {
            *bad = i;
            return 0;
        }
    }
    return need + 1;
}

/* How many bytes from `at` on are valid. */
static size_t valid_run(const uint8_t *data, size_t size, size_t at)
{
    size_t begin = at, bad;

    while (at < size) {
        if (data[at] < 0x80) {
            at++;
            continue;
        }
        size_t n = character(data + at, size - at, &bad);
        if (n == 0)
            break;
        at += n;
    }
    return at - begin;
}

/* A copy, freed with free(), in which U+FFFD stands for what is not valid. */
static char *mend(const uint8_t *data, size_t size, size_t *out_size)
{
    char *out = malloc(size * 3 + 1);
    size_t n = 0, bad;

    for (size_t at = 0; out && at < size;) {
        size_t run = valid_run(data, size, at);
        memcpy(out + n, data + at, run);
        n += run;
        at += run;
        if (at == size)
            break;
        character(data + at, size - at, &bad);
        memcpy(out + n, "\xef\xbf\xbd", 3);
        n += 3;
        at += bad;
    }
    *out_size = n;
    return out;
}

JSValue text_decode(JSContext *ctx, const uint8_t *data, size_t size, unsigned flags)
{
    if (!(flags & TEXT_KEEP_BOM) && size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0) {
        data += 3;
        size -= 3;
    }
    if (valid_run(data, size, 0) == size)
        return JS_NewStringLen(ctx, (const char *)data, size);
    if (flags & TEXT_FATAL)
        return JS_UNDEFINED;
    char *mended = mend(data, size, &size);
    JSValue v = mended ? JS_NewStringLen(ctx, mended, size) : JS_ThrowOutOfMemory(ctx);
    free(mended);
    return v;
}

JSValue text_encode(JSContext *ctx, const char *text, size_t size)
{
    const uint8_t *data = (const uint8_t *)text;
    if (valid_run(data, size, 0) == size)
        return JS_NewUint8ArrayCopy(ctx, data, size);
    /* What is not valid is a surrogate, of three bytes, that has no partner. */
    uint8_t *copy = malloc(size + 1);
    if (!copy)
        return JS_ThrowOutOfMemory(ctx);
    memcpy(copy, data, size);
    for (size_t at = 0; (at += valid_run(copy, size, at)) + 3 <= size; at += 3)
        memcpy(copy + at, "\xef\xbf\xbd", 3);
    JSValue v = JS_NewUint8ArrayCopy(ctx, copy, size);
    free(copy);
    return v;
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

JSValue text_base64_encode(JSContext *ctx, const uint8_t *data, size_t size)
{
    size_t n = 0;
    char *out = malloc((size + 2) / 3 * 4 + 1);

    if (!out)
        return JS_ThrowOutOfMemory(ctx);
    for (size_t at = 0; at < size; at += 3) {
        size_t left = size - at;
        uint32_t three = (uint32_t)data[at] << 16 | (left > 1 ? (uint32_t)data[at + 1] << 8 : 0) |
                         (left > 2 ? data[at + 2] : 0);
        out[n++] = digits[three >> 18];
        out[n++] = digits[three >> 12 & 63];
        out[n++] = left > 1 ? digits[three >> 6 & 63] : '=';
        out[n++] = left > 2 ? digits[three & 63] : '=';
    }
    JSValue v = JS_NewStringLen(ctx, out, n);
    free(out);
    return v;
}

JSValue text_base64_decode(JSContext *ctx, const char *text, size_t size)
{
    uint8_t *out = malloc(size + 1);
    size_t n = 0, count = 0, padding = 0;
    uint32_t bits = 0;
    JSValue v = JS_UNDEFINED;

    if (!out)
        return JS_ThrowOutOfMemory(ctx);
    for (size_t at = 0; at < size; at++) {
        const char *digit;
        if (memchr(" \t\n\f\r", text[at], 5))
            continue;
        if (text[at] == '=') {
            padding++;
            continue;
        }
        if (padding || !(digit = memchr(digits, text[at], 64)))
            goto done;
        bits = bits << 6 | (uint32_t)(digit - digits);
        if (++count % 4 == 0) {
            out[n++] = (uint8_t)(bits >> 16);
            out[n++] = (uint8_t)(bits >> 8);
            out[n++] = (uint8_t)bits;
        }
    }
    if (count % 4 == 1 || (padding && (padding > 2 || (count + padding) % 4 != 0)))
        goto done;
    if (count % 4 > 1)
        out[n++] = (uint8_t)(bits >> (count % 4 == 2 ? 4 : 10));
    if (count % 4 == 3)
        out[n++] = (uint8_t)(bits >> 2);
    v = JS_NewUint8ArrayCopy(ctx, out, n);
done:
    free(out);
    return v;
}
