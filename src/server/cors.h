#ifndef UBIQ_SERVER_CORS_H
#define UBIQ_SERVER_CORS_H

#include "app/config.h"
#include "server/response.h"

/* [middleware.cors]: which other origins' scripts may read answers (the Fetch standard, section 3.2,
 * CORS protocol). It tells browsers; it keeps nobody out who is none. */
typedef struct cors cors;

/* E_INVALID for an origin that no browser could have and for credentials together with any origin;
 * E_NO_MEMORY. */
int cors_create(cors **out, const config_cors *c, error *err) MUST_CHECK;

/* Whether a request only asks if another one may be made. */
bool cors_is_preflight(slice method, slice headers);

/* Makes `r` the answer to a preflight, but for what cors_put_headers puts: 204, or 403 to an origin
 * that is not allowed. `methods` are those that the route takes; none stands for all. As headers_put. Any thread. */
int cors_answer(const cors *c, slice headers, const config_list *methods, response *r,
                const char *invocation) MUST_CHECK;

/* Sets in the headers of an answer what allows its origin to read it, if it may, and takes out what
 * else is there of that kind. `request` are the request's header lines. As headers_set. Any thread. */
int cors_put_headers(const cors *c, slice request, buf *headers) MUST_CHECK;

/* Frees it. Takes NULL. */
void cors_destroy(cors *c);

#endif
