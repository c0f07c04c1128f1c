#ifndef UBIQ_BASE_HASH_H
#define UBIQ_BASE_HASH_H

#include "base/buf.h"

#define SHA256_BYTES 32
#define SHA256_HEX_BYTES 65 /* with the NUL */

/* The SHA-256 of `data`, through OpenSSL. */
void sha256(slice data, uint8_t out[SHA256_BYTES]);

/* The same in lower-case hexadecimal, NUL-terminated. */
void sha256_hex(slice data, char out[SHA256_HEX_BYTES]);

/* Appends the bytes that standard base64 (RFC 4648 section 4, padding required, no white space)
 * `text` stands for. E_INVALID when it is not that. */
int base64_decode(slice text, buf *out) MUST_CHECK;

#endif
