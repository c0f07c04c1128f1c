#ifndef UBIQ_APP_APP_CHECK_H
#define UBIQ_APP_APP_CHECK_H

#include "app/public.h"
#include "app/routes.h"

/* Whether the parts of a project fit together: what ubiq.toml says, its functions, and its files. */
typedef struct app_parts {
    const char *toml; /* the file, for problems */
    const config *config;
    const function *functions; /* in byte order of their names */
    size_t count;
    const routes *routes;
    const public_index *public_index;
} app_parts;

/* Adds what does not fit to `found`: names of functions and middleware that there are not, middleware
 * that lacks its settings, public files with the path of a function. */
void app_check(const app_parts *p, problems *found);

#endif
