#ifndef UBIQ_EXTISM_HTTP_FIELDS_H
#define UBIQ_EXTISM_HTTP_FIELDS_H

#include "base/error.h"
#include "base/slice.h"
#include "base/strmap.h"

#include <curl/curl.h>

/* The header fields of a request as libcurl takes them. */

/* Makes libcurl's list of `headers` (NULL: none), names in lower case, and of what upstream's
 * client adds where they do not say otherwise. Whatever could end a line early or describe another
 * body than the one that is sent is refused with E_INVALID: a name that is not a token, a control
 * character in a value, a Content-Length other than `body_len`, a Transfer-Encoding other than
 * chunked, two Hosts. E_TOO_LARGE over 1024 fields or 128 KiB. `*host` becomes the value of the
 * Host field, a view into `headers`, with NULL data when there is none. The caller frees `*out`
 * with curl_slist_free_all. */
int http_fields_build(struct curl_slist **out, const strmap *headers, size_t body_len, slice *host,
                      error *err) MUST_CHECK;

/* Takes the fields out of the list that are not for another server: Authorization and Cookie, as
 * upstream's client does on every redirect, and Host unless `same_host`. E_NO_MEMORY leaves the
 * list as it was. */
int http_fields_redirect(struct curl_slist **list, bool same_host) MUST_CHECK;

#endif
