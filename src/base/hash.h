#ifndef UBIQ_BASE_HASH_H
#define UBIQ_BASE_HASH_H

#include "base/buf.h"

#define SHA256_BYTES 32
#define SHA256_HEX_BYTES 65 /* with the NUL */

/* The SHA-256 of `data`, through OpenSSL. E_INTERNAL when OpenSSL cannot (no memory, or a
 * configuration that lacks the algorithm); `out` is not to be compared with anything then. */
int sha256(slice data, uint8_t out[SHA256_BYTES]) MUST_CHECK;

/* The same in lower-case hexadecimal, NUL-terminated; the empty string on failure. */
int sha256_hex(slice data, char out[SHA256_HEX_BYTES]) MUST_CHECK;

/* Appends the bytes that standard base64 `text` stands for: RFC 4648 section 4, padding required,
 * no white space, unused bits 0. E_INVALID when it is not that; otherwise as buf_reserve. Nothing
 * is appended on failure. */
int base64_decode(slice text, buf *out) MUST_CHECK;

/* The same for base64url (RFC 4648 section 5) without padding, as in JSON Web Signatures. */
int base64url_decode(slice text, buf *out) MUST_CHECK;

/* Appends standard base64 with padding. As buf_append. */
int base64_encode(slice data, buf *out) MUST_CHECK;

#endif
