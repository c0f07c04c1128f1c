#ifndef UBIQ_EXTISM_HTTP_EASY_H
#define UBIQ_EXTISM_HTTP_EASY_H

#include <curl/curl.h>

/* Easy handles of libcurl, which is initialised on first use. Each thread keeps the handle that it
 * used last, and with it the connections that are still open, for its next request. */

/* A handle with default settings, or NULL when libcurl or memory fails. The caller owns it and ends
 * it with http_easy_give. */
CURL *http_easy_take(void);

/* Keeps the handle for this thread, or frees it. Takes NULL. */
void http_easy_give(CURL *easy);

#endif
