#ifndef UBIQ_SERVER_JWT_H
#define UBIQ_SERVER_JWT_H

#include "app/config.h"
#include "server/response.h"

/* [middleware.jwt]: requests must have a JSON Web Token (RFC 7519) of the configured issuer, as
 * Authorization: Bearer. The algorithm is the configured one and never chosen by the token; nothing
 * that the token says of keys is looked at; no claim is read before its signature is found good. */
typedef struct jwt jwt;

/* Takes the key from `c`, or reads it from its file in the directory `project`. E_INVALID for a key
 * that does not go with the algorithm or is too weak for it; E_NOT_FOUND, E_IO for its file;
 * E_NO_MEMORY. */
int jwt_create(jwt **out, const config_jwt *c, const char *project, error *err) MUST_CHECK;

/* Checks a token at a time in seconds since 1970, and appends its claims, a JSON object. E_DENIED
 * when it is not valid: the text says why and may be sent to the client; `claims` is unchanged then.
 * Otherwise as buf_append. Any thread. */
int jwt_verify(const jwt *j, slice token, uint64_t now_s, buf *claims, error *err) MUST_CHECK;

/* The same for the token in header lines. When there is none that is valid, false, and `r` is the
 * refusal: 401 (RFC 6750). Any thread. */
bool jwt_admit(const jwt *j, slice headers, uint64_t now_s, buf *claims, response *r,
               const char *invocation);

/* Frees it. Takes NULL. */
void jwt_destroy(jwt *j);

#endif
