#ifndef UBIQ_SERVER_RATE_LIMIT_H
#define UBIQ_SERVER_RATE_LIMIT_H

#include "app/config.h"
#include "server/headers.h"

/* [middleware.rate_limit]: a token bucket for each client, header value or route. A bucket that is
 * full is as good as none, so only the others take room; there are LIMIT_RATE_BUCKETS of them, and
 * when a new one finds no room, that one goes which would have been full soonest. All functions are
 * for any thread. */
typedef struct rate_limit rate_limit;

/* Whom a request is counted for. */
typedef struct rate_subject {
    slice headers;
    slice address; /* of the client: 4 or 16 bytes in network order */
    slice route;
} rate_subject;

/* What came of it. */
typedef struct rate_verdict {
    bool allowed;
    uint64_t left;     /* requests that would be allowed now */
    uint64_t reset_ms; /* until the bucket is full */
    uint64_t retry_ms; /* until a request will be allowed, if this one is not */
} rate_verdict;

/* E_INVALID for a rate that cannot be kept; E_NO_MEMORY, E_INTERNAL. */
int rate_limit_create(rate_limit **out, const config_rate_limit *c, error *err) MUST_CHECK;

/* Takes a token for a request at `now_ns` (clock_ns), if there is one. */
rate_verdict rate_limit_take(rate_limit *l, const rate_subject *s, uint64_t now_ns);

/* Sets RateLimit-Limit, -Remaining and -Reset, and Retry-After for a refusal. As headers_set. */
int rate_limit_put_headers(const rate_limit *l, const rate_verdict *v, buf *headers) MUST_CHECK;

/* Frees it. Takes NULL. */
void rate_limit_destroy(rate_limit *l);

#endif
