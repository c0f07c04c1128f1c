#ifndef UBIQ_EXTISM_HTTP_H
#define UBIQ_EXTISM_HTTP_H

#include "base/buf.h"
#include "base/strmap.h"
#include "extism/http_policy.h"

/* Outbound HTTP for plug-ins (`http_request`) and for modules named by URL, through libcurl. A
 * request is prepared, performed (here, blocking, or by whoever drives a curl multi handle of its
 * own), and finished. Any thread; one thread at a time for one request.
 *
 * It does what upstream's client (ureq) does: HTTP/1.1; at most 10 redirects; gzip announced and
 * undone unless the guest says what it accepts (it is undone then too); Authorization and Cookie
 * not passed on by a redirect; a redirected method becomes GET unless it is HEAD or the status 307
 * or 308, which POST, PUT, PATCH and DELETE do not follow; a proxy taken from the environment.
 * Unlike there, every redirect's host is checked too, and so is a Host header.
 *
 * Under a policy, no proxy is used, and the policy is asked for each URL, for a Host header and for each
 * address that is not public before it is connected to. */

typedef struct http_request http_request;

typedef struct http_options {
    slice url;
    const char *method;    /* any case; NULL: GET */
    const strmap *headers; /* or NULL */
    slice body;            /* copied; of no bytes: no body */
    uint64_t max_response; /* bytes of body */
    bool has_timeout;
    uint64_t timeout_ms;              /* for the whole exchange, redirects included */
    const char *const *allowed_hosts; /* checked for the first URL and every redirect; */
    size_t allowed_hosts_count;
    bool any_host;        /* true: no check (a module's URL in a manifest) */
    http_policy policy;   /* in place of allowed_hosts, or NULL */
    void *policy_context; /* must outlive the request */
} http_options;

typedef struct http_response {
    uint16_t status;
    strmap headers; /* lower-case names; of a repeated one the last stands, as in upstream */
    buf body;
} http_response;

/* Checks the URL, the method, the headers and the host. E_INVALID "Invalid URL: ...", E_DENIED
 * "HTTP request to <url> is not allowed", E_TIMEOUT when the time is 0. The clock of the timeout
 * starts. `options` and what it points to are not needed any more afterwards. The caller ends
 * `*out` with http_request_destroy. */
int http_request_prepare(http_request **out, const http_options *options, error *err) MUST_CHECK;

/* The CURL easy handle (borrowed), for a multi handle of the caller's. */
void *http_request_easy(http_request *r);

/* Runs the request to its end in this thread, redirects included: 0 or a CURLcode, for
 * http_request_finish. */
int http_request_perform(http_request *r);

/* For who drives a multi handle: to be asked each time the easy handle is done, with its CURLcode,
 * once it is removed from the multi handle. True: the easy handle is set up for another exchange, with
 * where a redirect leads or over another connection; add it again. False: call http_request_finish. */
bool http_request_again(http_request *r, int curl_code);

/* Whether the exchange failed because the process had no file descriptor left for a connection. */
bool http_request_lacks_descriptor(const http_request *r);

/* Sets the easy handle up for the same exchange, which has not begun, or has failed in a way that may
 * pass; add it again. False when its time is over: call http_request_finish. */
bool http_request_retry(http_request *r);

/* Turns the outcome into a response (an answer with any status is one) or an error: E_TIMEOUT
 * "timeout", E_TOO_LARGE "HTTP response exceeds the configured maximum number of bytes: N",
 * E_DENIED for a redirect to a host that is not allowed, what the policy said, E_BUSY when the process
 * has no file descriptor left for a connection, E_IO otherwise. The caller ends `out`
 * with http_response_deinit. */
int http_request_finish(http_request *r, int curl_code, http_response *out, error *err) MUST_CHECK;

/* Frees it. Takes NULL. Must not be in a multi handle any more. */
void http_request_destroy(http_request *r);

/* Frees the content. Takes an all-zero one. */
void http_response_deinit(http_response *r);

/* Whether `host` matches one of the patterns: `*` any run, `?` one character, `[a-z]` `[!a]` sets,
 * as Rust's glob crate has them; a pattern that is not one matches only itself. Unlike upstream, a
 * pattern also matches what it is letter by letter, or `[::1]` could not be allowed. */
bool http_host_allowed(slice host, const char *const *patterns, size_t count);

#endif
