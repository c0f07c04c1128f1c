#ifndef UBIQ_TESTS_HTTP_CASE_H
#define UBIQ_TESTS_HTTP_CASE_H

#include "extism/http.h"
#include "http_server.h"

/* A request of a test and what came of it. Failures are cmocka's. */

typedef struct http_case {
    http_options options; /* all hosts allowed, 1 MiB of response, 20 seconds */
    strmap headers;
    char *url;
    int rc;
    http_response response;
    error err;
} http_case;

extern http_server *case_server; /* on 127.0.0.1 */
extern http_server *case_other;  /* on 127.0.0.2 */

/* Group set-up and tear-down for cmocka: the servers. */
int case_start(void **state);
int case_stop(void **state);

/* A request that has not been made yet; the caller ends it with case_end or case_fails. */
http_case *case_make(const char *method, const char *host, uint16_t port, const char *path);

/* The same for a path of case_server. */
http_case *case_local(const char *method, const char *path);

/* A path that makes a server answer with these bytes in the way `kind` says, as in "/raw/". The
 * caller frees it. */
char *case_path(const char *kind, const char *bytes, size_t len);

/* A GET of such a path. */
http_case *case_serve(const char *kind, const char *bytes, size_t len);

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define SERVE(kind, bytes) case_serve(kind, bytes, sizeof(bytes) - 1)
#define RAW(bytes) SERVE("/raw/", bytes)

/* A request of what redirects to `location`. */
http_case *case_redirect(const char *method, int status, const char *location);

void case_header(http_case *x, const char *name, const char *value);

/* Makes the request; the outcome, which is also in x->rc. */
int case_run(http_case *x);

/* Makes the request, which must fail like this, and ends it. */
void case_fails(http_case *x, int rc, const char *text);

/* What the response must have; `value` NULL: no such header. */
void case_has_body(const http_case *x, const char *expected);
void case_has_header(const http_case *x, const char *name, const char *value);

/* Whether the text is somewhere in the body of the response, which must be there. */
bool case_body_has(const http_case *x, const char *text);

void case_end(http_case *x);

#endif
