#ifndef UBIQ_APP_ROUTES_H
#define UBIQ_APP_ROUTES_H

#include "app/function.h"
#include "base/buf.h"

/* Which function answers which path. Immutable once it is built: any number of threads may look
 * something up. */
typedef struct routes routes;

/* Makes a table of the functions, which are borrowed. E_INVALID when two have the same route, or
 * one has a route that the server keeps for itself or that is none. */
int routes_create(routes **out, function *functions, size_t count, error *err) MUST_CHECK;

/* The function of a path without its query, or NULL. A slash at the end does not count, and percent
 * escapes are undone. */
function *routes_find(const routes *r, slice path);

/* Frees it. Takes NULL. */
void routes_destroy(routes *r);

/* Appends the route that belongs to a function's name: "index" stands for its directory. */
int routes_of_name(const char *name, buf *out) MUST_CHECK;

#endif
