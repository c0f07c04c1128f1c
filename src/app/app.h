#ifndef UBIQ_APP_APP_H
#define UBIQ_APP_APP_H

#include "app/public.h"
#include "app/routes.h"

/* A project: its configuration, its functions and their routes. Constant once it is open, but for
 * the state of each function. */
typedef struct app app;

/* Opens the project in directory `path` for an environment (config_read): reads ubiq.toml, if there is
 * one, and lists functions/, middleware/ and public/. Of the functions' code only the names of what it
 * exports are looked at. E_INVALID when something is wrong with it: `found`, which may be NULL, has all
 * of it, the error the first. E_NOT_FOUND, E_IO, E_NO_MEMORY. */
int app_open(app **out, const char *path, const char *environment, problems *found,
             error *err) MUST_CHECK;

/* What ubiq.toml says and the defaults; borrowed. */
const config *app_config(const app *a);

/* The functions in byte order of their names; borrowed. */
function *app_functions(app *a, size_t *count);

/* The function that answers a path (without its query), or NULL; see routes.h. Any thread. */
function *app_find(const app *a, slice path, route_match *match);

/* What stands in public/; borrowed. */
const public_index *app_public(const app *a);

/* Frees it, code included. Takes NULL. */
void app_close(app *a);

#endif
