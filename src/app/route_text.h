#ifndef UBIQ_APP_ROUTE_TEXT_H
#define UBIQ_APP_ROUTE_TEXT_H

#include "base/buf.h"

/* Routes as texts. In ubiq.toml and in the names of files a parameter is written "[id]", and
 * "[...rest]" for all that is left of a path; kept and shown they are ":id" and "*rest". */

/* Appends the route that ubiq.toml gives: "/people/:id" for "/people/[id]". E_INVALID for what is no
 * route; E_NO_MEMORY. */
int route_of_pattern(const char *pattern, buf *out, error *err) MUST_CHECK;

/* Appends the route that belongs to a function's name: "/users/:id" for "users/[id]"; "index" stands
 * for its directory. Errors likewise. */
int route_of_name(const char *name, buf *out, error *err) MUST_CHECK;

enum route_segment_kind { SEGMENT_TEXT, SEGMENT_PARAM, SEGMENT_REST };

typedef struct route_segment {
    enum route_segment_kind kind;
    slice text; /* or the parameter's name */
} route_segment;

/* Takes the first segment off a route that is kept. False at its end. */
bool route_next(slice *rest, route_segment *out);

/* Whether a route that is kept has parameters. */
bool route_has_params(const char *route);

#endif
