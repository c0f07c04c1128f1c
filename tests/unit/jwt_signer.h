#ifndef TESTS_JWT_SIGNER_H
#define TESTS_JWT_SIGNER_H

#include <openssl/evp.h>

#include "base/buf.h"

/* Makes tokens for tests. All of these fail the test when they cannot. */

/* header.claims.signature: the texts in base64url, signed with HMAC and SHA-256. The caller frees
 * it. */
char *jwt_sign_hs256(const char *header, const char *claims, const char *secret);

/* The same with a private key, of RSA or of the curve P-256. */
char *jwt_sign(const char *header, const char *claims, EVP_PKEY *key);

/* The public part of a key in PEM. The caller frees it. */
char *jwt_public_pem(EVP_PKEY *key);

/* The public keys of JSON Web Keys, from their members in base64url. The caller frees them. */
EVP_PKEY *jwt_rsa_key(const char *n, const char *e);
EVP_PKEY *jwt_p256_key(const char *x, const char *y);

#endif
