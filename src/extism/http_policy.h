#ifndef UBIQ_EXTISM_HTTP_POLICY_H
#define UBIQ_EXTISM_HTTP_POLICY_H

#include "base/error.h"
#include "base/slice.h"

enum http_asking {
    HTTP_ASK_REQUEST,  /* for a request that a guest makes */
    HTTP_ASK_REDIRECT, /* for where an answer sends it on to */
    HTTP_ASK_SITE,     /* for what its Host header names, besides */
    HTTP_ASK_ADDRESS   /* for `address`, which is not public and which `host` was found at */
};

/* What is asked for: views, valid until the answer is given. */
typedef struct http_target {
    enum http_asking asking;
    slice method; /* in lower case */
    slice scheme; /* "http" or "https" */
    slice host;   /* as http_host_normalize leaves it */
    uint16_t port;
    slice path; /* as it goes to the server, without the query */
    slice address;
} http_target;

/* Who decides what a guest may ask of other servers. Called in the thread that drives the request, with
 * the host context of the guest's call: 0, or an error that the guest's call ends with. A refused
 * address is no error as long as the host has another one. */
typedef int (*http_policy)(void *host_context, const http_target *target, error *err);

#endif
