#ifndef UBIQ_EXTISM_HTTP_INTERNAL_H
#define UBIQ_EXTISM_HTTP_INTERNAL_H

#include "extism/http.h"
#include "extism/http_gunzip.h"
#include "extism/http_head.h"
#include "extism/http_url.h"

#include <curl/curl.h>

/* What http.c, which decides what is asked for, http_exchange.c, which asks libcurl for it, and
 * http_connect.c, which judges connections, have in common. */

#define HTTP_METHOD_BYTES 16
#define HTTP_NS_PER_MS 1000000u

struct http_request {
    CURL *easy;
    char curl_error[CURL_ERROR_SIZE];
    http_url url;
    char method[HTTP_METHOD_BYTES]; /* in upper case */
    struct curl_slist *fields;
    buf body;
    char **allowed_hosts;
    size_t allowed_hosts_count;
    bool any_host;
    http_policy policy;
    void *policy_context;
    char *
        site; /* under a policy: the host that a Host header names in place of the URL's, or NULL */
    uint16_t site_port;
    uint64_t max_response;
    uint64_t deadline_ns; /* UINT64_MAX: none */
    unsigned redirects;
    http_head head;
    buf response;
    uint64_t skipped;    /* bytes of a redirect's body */
    http_gunzip *gunzip; /* NULL when the body is not packed, or has not begun */
    error failure;       /* found by a callback or on a redirect; it outranks curl's code */
    error obstacle; /* why an address could not be used: the reason if there is no connection */
    bool opened;    /* a connection for this exchange */
    bool unfit;     /* the connection that curl had kept may not be used */
    bool fresh;     /* to be done over a new one */
};

static inline bool http_method_is(const http_request *r, const char *method)
{
    return strcmp(r->method, method) == 0;
}

/* Asks the policy, which there is. `address` is for HTTP_ASK_ADDRESS. */
int http_ask(const http_request *r, enum http_asking asking, slice address, error *err) MUST_CHECK;

/* Puts the connections of the request under its policy, if it has one: http_connect.c. */
int http_connect_init(http_request *r, error *err) MUST_CHECK;

/* Gives the easy handle the settings that hold for all exchanges of the request. */
int http_exchange_init(http_request *r, error *err) MUST_CHECK;

/* Makes the handle ready for the next exchange: r->url, r->method, r->fields, r->body. The answer
 * of the one before is forgotten. */
int http_exchange_begin(http_request *r, error *err) MUST_CHECK;

/* Whether the answer came to its end. */
bool http_exchange_has_answer(const http_request *r, int curl_code);

/* Says in upstream's words what it means that there is no answer; returns the error's code. */
int http_exchange_explain(const http_request *r, int curl_code, error *err);

#endif
