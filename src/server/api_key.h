#ifndef UBIQ_SERVER_API_KEY_H
#define UBIQ_SERVER_API_KEY_H

#include "app/config.h"
#include "server/response.h"

/* [middleware.api_key]: requests must have one of the keys in a header. */
typedef struct api_key api_key;

#define API_KEY_ID_BYTES 17 /* with the NUL */

/* E_INVALID for keys that can be no header's value and for none at all; E_NO_MEMORY, E_INTERNAL. */
int api_key_create(api_key **out, const config_api_key *c, error *err) MUST_CHECK;

/* Whether the header lines have one of the keys; `id` then tells which: the first 16 hexadecimal
 * digits of its SHA-256. How long it takes tells nothing of the keys. Any thread. */
bool api_key_check(const api_key *k, slice headers, char id[API_KEY_ID_BYTES]);

/* Adds to the headers of an answer that it depends on the key, for caches. As headers_put. Any
 * thread. */
int api_key_put_headers(const api_key *k, buf *headers) MUST_CHECK;

/* Makes `r` the refusal: 401. Any thread. */
void api_key_refuse(const api_key *k, response *r, const char *invocation);

/* Frees it. Takes NULL. */
void api_key_destroy(api_key *k);

#endif
