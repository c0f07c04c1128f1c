#ifndef UBIQ_SERVER_QUERY_H
#define UBIQ_SERVER_QUERY_H

#include "base/buf.h"
#include "base/strmap.h"

/* The query of a request's target: what follows the '?', as forms write it
 * (application/x-www-form-urlencoded). */

/* The query of a target, without the '?'; empty when there is none. */
slice query_of(slice target);

/* Reads names and values: '+' is a space, percent escapes are undone. Of a name that comes again the first
 * value stands, as with URLSearchParams.get. `into` is empty; what it holds is the caller's also on
 * failure. E_NO_MEMORY. */
int query_read(slice query, strmap *into) MUST_CHECK;

/* Appends it as a JSON object of texts; bytes that are not UTF-8 become U+FFFD. As buf_append. */
int query_put_json(buf *out, slice query) MUST_CHECK;

#endif
