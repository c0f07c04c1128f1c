#ifndef UBIQ_SERVER_MIDDLEWARE_CHAINS_H
#define UBIQ_SERVER_MIDDLEWARE_CHAINS_H

#include "app/app.h"
#include "server/middleware.h"

/* The middleware of a whole project: of each function that has a route, and of what no function answers.
 * Constant once it is made. */
typedef struct middleware_chains middleware_chains;

/* Makes it. The project outlives it. As middleware_create. */
int middleware_chains_create(middleware_chains **out, app *a, error *err) MUST_CHECK;

/* Frees it. Takes NULL. */
void middleware_chains_destroy(middleware_chains *m);

/* The middleware of a function, or, for NULL, of what no function answers. NULL when there is none. */
const middleware *middleware_chains_of(const middleware_chains *m, const function *f);

#endif
