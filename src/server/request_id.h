#ifndef UBIQ_SERVER_REQUEST_ID_H
#define UBIQ_SERVER_REQUEST_ID_H

#include "server/headers.h"
#include "server/limits.h"

/* Middleware "request_id": a request keeps the X-Request-Id that it came with, so that it can be
 * followed from one service to the next. */

#define REQUEST_ID_HEADER "X-Request-Id"
#define REQUEST_ID_BYTES (LIMIT_REQUEST_ID_BYTES + 1) /* with the NUL */

/* The id in the header lines, if there is exactly one and it is of letters, digits and -._~+/=:@
 * only, so that it may stand in any log or query; otherwise `own`, which is shorter than
 * REQUEST_ID_BYTES. */
void request_id_take(slice headers, const char *own, char out[REQUEST_ID_BYTES]);

#endif
