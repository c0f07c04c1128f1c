#ifndef UBIQ_APP_ROUTES_H
#define UBIQ_APP_ROUTES_H

#include "app/function.h"
#include "app/limits.h"
#include "app/problems.h"

/* Which function answers which path. Immutable once it is built: any number of threads may look
 * something up. */
typedef struct routes routes;

typedef struct route_param {
    slice name; /* valid as long as the routes */
    slice value;
} route_param;

/* What a path was found to be. The values of the parameters are in the order of the route, have no
 * percent escapes, are UTF-8 without a NUL, and no slash is in them but where the path has one, in the
 * value of [...rest]. They are views into the path, or into `plain`. */
typedef struct route_match {
    size_t count;
    route_param param[LIMIT_ROUTE_PARAMS];
    uint8_t plain[LIMIT_PATH_BYTES];
} route_match;

/* Makes a table of those functions that have a route. They are borrowed. Routes that two of them have,
 * two names for the parameter at the same place, and a route that the server keeps for itself are added
 * to `found`. E_NO_MEMORY. */
int routes_create(routes **out, function *functions, size_t count, problems *found,
                  error *err) MUST_CHECK;

/* The function of a path without its query, or NULL. A slash at the end does not count. Segment by
 * segment, a text goes before a parameter and that before [...rest]. */
function *routes_find(const routes *r, slice path, route_match *match);

/* The function whose route is this path, without parameters and escapes, or NULL. */
function *routes_find_static(const routes *r, slice path);

/* Frees it. Takes NULL. */
void routes_destroy(routes *r);

#endif
