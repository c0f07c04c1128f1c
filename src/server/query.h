#ifndef UBIQ_SERVER_QUERY_H
#define UBIQ_SERVER_QUERY_H

#include "base/buf.h"

/* The query of a request's target: what follows the '?', as forms write it
 * (application/x-www-form-urlencoded). */

/* The query of a target, without the '?'; empty when there is none. */
slice query_of(slice target);

/* Appends it as a JSON object of texts: '+' is a space, percent escapes are undone, bytes that are not
 * UTF-8 become U+FFFD. Of a name that comes again the first value stands, as with
 * URLSearchParams.get. As buf_append. */
int query_put_json(buf *out, slice query) MUST_CHECK;

#endif
