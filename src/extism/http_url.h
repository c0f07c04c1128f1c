#ifndef UBIQ_EXTISM_HTTP_URL_H
#define UBIQ_EXTISM_HTTP_URL_H

#include "base/buf.h"

/* A URL taken apart, so that the host that is checked is the host that is reached: what is asked
 * for is put together again from these parts and never from the text they came from. */
typedef struct http_url {
    bool https;
    char *host;     /* as http_host_normalize leaves it; "" when there is none */
    uint16_t port;  /* 80 or 443 when none is written */
    char *user;     /* escapes undone; NULL when the URL has no user information */
    char *password; /* likewise; "" when there is only a user */
    char *target;   /* path and query as written, from "/" on, without the fragment */
    char *refusal;  /* why no request can be made to it although it is a URL, or NULL */
} http_url;

/* Takes `text` apart. On success the caller ends `out` with http_url_deinit. E_INVALID "Invalid
 * URL: <reason>", with upstream's reasons, for what is not an absolute URL. What is one but cannot
 * be asked for (another scheme than http and https, a host that is not ASCII, a character that
 * must be escaped) is a success with `refusal` set, since upstream checks the host before that. */
int http_url_parse(http_url *out, slice text, error *err) MUST_CHECK;

/* Appends scheme, host, port and target, without user information. */
int http_url_print(const http_url *url, buf *out) MUST_CHECK;

/* Appends the absolute URL that `location`, absolute or relative, means at `base`. E_IO
 * "protocol: location header is malformed: ..." when it means none. */
int http_url_resolve(const http_url *base, const char *location, buf *out, error *err) MUST_CHECK;

/* Frees the content. Takes an all-zero one. */
void http_url_deinit(http_url *url);

#endif
