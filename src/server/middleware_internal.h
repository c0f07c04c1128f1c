#ifndef UBIQ_SERVER_MIDDLEWARE_INTERNAL_H
#define UBIQ_SERVER_MIDDLEWARE_INTERNAL_H

#include "server/compression.h"
#include "server/cors.h"
#include "server/jwt.h"
#include "server/middleware.h"

/* What making a chain and going through it share. */

enum middleware_kind {
    MIDDLEWARE_CORS,
    MIDDLEWARE_RATE_LIMIT,
    MIDDLEWARE_API_KEY,
    MIDDLEWARE_JWT,
    MIDDLEWARE_REQUEST_ID,
    MIDDLEWARE_COMPRESSION,
    MIDDLEWARE_FUNCTION
};

typedef struct middleware_step {
    enum middleware_kind kind;
    function *function; /* of MIDDLEWARE_FUNCTION */
    char *name;         /* likewise: "audit"; owned */
} middleware_step;

/* NULL for those that no chain uses. */
struct middleware_set {
    const config_middleware *config;
    const char *project;
    cors *cors;
    rate_limit *rate_limit;
    api_key *api_key;
    jwt *jwt;
    compression *compression;
};

struct middleware {
    const middleware_set *set;
    const char *route;
    const config_list *methods;
    size_t count;
    middleware_step step[];
};

#endif
