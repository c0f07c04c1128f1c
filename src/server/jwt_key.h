#ifndef UBIQ_SERVER_JWT_KEY_H
#define UBIQ_SERVER_JWT_KEY_H

#include "app/config.h"
#include "base/slice.h"

/* The key of [middleware.jwt], and the one algorithm it is for. */
typedef struct jwt_key jwt_key;

/* As jwt_create. */
int jwt_key_create(jwt_key **out, const config_jwt *c, const char *project, error *err) MUST_CHECK;

/* The algorithm's name in a token. Static. */
const char *jwt_key_algorithm(const jwt_key *k);

/* Whether `signature` is the key's for `data`, in the form of RFC 7518. Any thread. */
bool jwt_key_verify(const jwt_key *k, slice data, slice signature);

/* Frees it. Takes NULL. */
void jwt_key_destroy(jwt_key *k);

#endif
