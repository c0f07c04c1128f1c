#include "base/hash.h"

#include <openssl/evp.h>

int sha256(slice data, uint8_t out[SHA256_BYTES])
{
    const void *bytes = data.len ? (const void *)data.data : "";

    return EVP_Digest(bytes, data.len, out, NULL, EVP_sha256(), NULL) == 1 ? 0 : E_INTERNAL;
}

int sha256_hex(slice data, char out[SHA256_HEX_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[SHA256_BYTES];
    int rc = sha256(data, digest);

    out[0] = '\0';
    if (rc)
        return rc;
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[2 * SHA256_BYTES] = '\0';
    return 0;
}

/* What each letter from ' ' to DEL stands for in base64; 64 for those that are none. */
static const uint8_t base64_values[96] = {
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 64, 64, 63, 52, 53, 54, 55, 56, 57, 58, 59,
    60, 61, 64, 64, 64, 64, 64, 64, 64, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 64, 64, 26, 27, 28, 29, 30, 31, 32,
    33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64,
};

static unsigned base64_value(uint8_t c)
{
    return c >= 32 && c < 128 ? base64_values[c - 32] : 64;
}

static unsigned base64url_value(uint8_t c)
{
    switch (c) {
    case '-':
        return 62;
    case '_':
        return 63;
    case '+':
    case '/':
        return 64;
    default:
        return base64_value(c);
    }
}

/* Decodes `letters` (2 to 4) of a group of four; the count of bytes, 0 when it is not base64. */
static size_t base64_group(unsigned (*value_of)(uint8_t c), const uint8_t *in, size_t letters,
                           uint8_t out[3])
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        unsigned value = i < letters ? value_of(in[i]) : 0;

        if (value > 63)
            return 0;
        bits = bits << 6 | value;
    }
    if (letters < 4 && (bits & (letters == 3 ? 0xffU : 0xffffU)))
        return 0;
    out[0] = (uint8_t)(bits >> 16);
    out[1] = (uint8_t)(bits >> 8);
    out[2] = (uint8_t)bits;
    return letters - 1;
}

/* Decodes `letters` letters, of which no single one is left over after groups of four. */
static int base64_letters(unsigned (*value_of)(uint8_t c), const uint8_t *in, size_t letters,
                          buf *out)
{
    size_t start = out->len;
    uint8_t bytes[3];
    int rc = buf_reserve(out, letters / 4 * 3 + (letters % 4 ? letters % 4 - 1 : 0));

    if (rc)
        return rc;
    for (size_t at = 0; at < letters; at += 4) {
        size_t left = letters - at;
        size_t count = base64_group(value_of, in + at, left < 4 ? left : 4, bytes);

        if (count == 0) {
            out->len = start;
            return E_INVALID;
        }
        memcpy(out->data + out->len, bytes, count);
        out->len += count;
    }
    return 0;
}

int base64_decode(slice text, buf *out)
{
    size_t padding = 0;

    if (text.len == 0)
        return 0;
    if (text.len % 4 != 0)
        return E_INVALID;
    if (text.data[text.len - 1] == '=')
        padding = text.data[text.len - 2] == '=' ? 2 : 1;
    return base64_letters(base64_value, text.data, text.len - padding, out);
}

int base64url_decode(slice text, buf *out)
{
    if (text.len == 0)
        return 0;
    return text.len % 4 == 1 ? E_INVALID
                             : base64_letters(base64url_value, text.data, text.len, out);
}

int base64_encode(slice data, buf *out)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    int rc = data.len / 3 < SIZE_MAX / 8 ? buf_reserve(out, (data.len + 2) / 3 * 4) : E_TOO_LARGE;

    if (rc)
        return rc;
    for (size_t at = 0; at < data.len; at += 3) {
        size_t count = data.len - at < 3 ? data.len - at : 3;
        uint32_t bits = 0;

        for (size_t i = 0; i < 3; i++)
            bits = bits << 8 | (i < count ? data.data[at + i] : 0U);
        for (size_t i = 0; i < 4; i++)
            out->data[out->len++] =
                i <= count ? (uint8_t)letters[bits >> (18 - 6 * i) & 63] : (uint8_t)'=';
    }
    return 0;
}
