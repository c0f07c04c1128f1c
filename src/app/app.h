#ifndef UBIQ_APP_APP_H
#define UBIQ_APP_APP_H

#include "app/public.h"
#include "app/routes.h"
#include "app/services.h"

/* A project: its configuration, its functions and their routes. Constant once it is open, but for
 * the state of each function. */
typedef struct app app;

/* Opens the project in directory `path` for an environment (config_read): reads ubiq.toml, if there is
 * one, and lists functions/, middleware/ and public/. Of the functions' code only the names of what it
 * exports are looked at. E_INVALID when something is wrong with it; the error says what first.
 * E_NOT_FOUND, E_IO, E_NO_MEMORY. */
int app_open(app **out, const char *path, const char *environment, error *err) MUST_CHECK;

/* The same to look at a project only, not to serve it: what is wrong is added to `found`, and the app is
 * what of it is right. */
int app_inspect(app **out, const char *path, const char *environment, problems *found,
                error *err) MUST_CHECK;

/* What ubiq.toml says and the defaults; borrowed. */
const config *app_config(const app *a);

/* The functions in byte order of their names; borrowed. */
function *app_functions(app *a, size_t *count);

/* The function of a name, or NULL. Any thread. */
function *app_function(const app *a, slice name);

/* The middleware of a function, or with NULL that of what no function answers. Borrowed. */
const config_list *app_middleware(const app *a, const function *f);

/* What ubiq.toml says about a function, or NULL. Borrowed. */
const config_function *app_function_config(const app *a, const function *f);

/* The directory of the project, as it was given. Borrowed. */
const char *app_path(const app *a);

/* The wall times of all functions in milliseconds, each once: function.wall_kind is the number of one.
 * Borrowed. */
const uint64_t *app_wall_times(const app *a, unsigned *count);

/* The most that any function takes as a request's body, and gives as its response's. */
uint64_t app_most_request_bytes(const app *a);
uint64_t app_most_response_bytes(const app *a);

/* Opens the services, if any function may use one or is triggered by one. Before the first call. */
int app_open_services(app *a, error *err) MUST_CHECK;

/* Closes them, once nothing runs that uses them; what is being written is done first. */
void app_close_services(app *a);

/* The services; their members are NULL where no function may use them. Borrowed. */
const services *app_services(const app *a);

/* Where events are emitted; set by whoever delivers them, NULL without triggers. Before the first
 * call. */
void app_set_events(app *a, events *e);
events *app_events(const app *a);

/* The function that answers a path (without its query), or NULL; see routes.h. Any thread. */
function *app_find(const app *a, slice path, route_match *match);

/* What stands in public/; borrowed. */
const public_index *app_public(const app *a);

/* Frees it, code included. Takes NULL. */
void app_close(app *a);

#endif
