#include "app/app.h"

#include "app/app_check.h"
#include "app/discovery.h"
#include "app/limits.h"
#include "app/route_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct app {
    config config;
    function *functions;
    size_t count;
    routes *routes;
    public_index *public_index;
};

/* The route that ubiq.toml gives, or else that of the name. The former is right already, and so is a
 * name. */
static int set_route(function *f, const char *pattern, error *err)
{
    buf route;
    int rc = 0;

    if (f->is_middleware)
        return 0;
    buf_init(&route, 2 * LIMIT_ROUTE_BYTES);
    rc = pattern ? route_of_pattern(pattern, &route, err) : route_of_name(f->name, &route, err);
    if (rc == 0 && !(f->route = buf_take_str(&route)))
        rc = error_set(err, E_NO_MEMORY, "out of memory for a route");
    buf_deinit(&route);
    return rc;
}

/* Moves what ubiq.toml says about a function to it. */
static void apply_config(function *f, config_function *c)
{
    f->entry = c->entry;
    c->entry = NULL;
    f->methods = c->methods;
    c->methods = (config_list){0};
    f->allowed_hosts = c->allowed_hosts;
    c->allowed_hosts = (config_list){0};
    f->content_type = c->content_type;
    c->content_type = NULL;
    f->config = c->config;
    c->config = (strmap){0};
}

static int compare_name(const void *name, const void *of)
{
    return strcmp(name, ((const config_function *)of)->name);
}

/* What ubiq.toml says about the function of a name, or NULL. */
static config_function *find_config(config *c, const char *name)
{
    if (c->function_count == 0)
        return NULL;
    return bsearch(name, c->functions, c->function_count, sizeof *c->functions, compare_name);
}

static int take_function(app *a, discovered *d, const char *toml, problems *found, error *err)
{
    function *f = &a->functions[a->count++];
    config_function *c = find_config(&a->config, d->name);
    int rc;

    atomic_init(&f->state, FUNCTION_LISTED);
    f->name = d->name;
    f->source = d->source;
    f->path = d->path;
    f->is_middleware = d->is_middleware;
    *d = (discovered){0};
    rc = set_route(f, c ? c->route : NULL, err);
    if (c)
        apply_config(f, c);
    return rc ? rc : function_read_methods(f, toml, found, err);
}

static int take_functions(app *a, discovery *files, const char *toml, problems *found, error *err)
{
    int rc = 0;

    a->functions = calloc(files->count + 1, sizeof *a->functions);
    if (!a->functions)
        return error_set(err, E_NO_MEMORY, "out of memory for %zu functions", files->count);
    for (size_t i = 0; i < files->count && rc == 0; i++)
        rc = take_function(a, &files->item[i], toml, found, err);
    return rc;
}

/* Reads all that makes up the project. */
static int read_project(app *a, const char *path, const char *toml, const char *environment,
                        problems *found, error *err)
{
    discovery files = {0};
    int rc = discover(&files, path, found, err);

    rc = rc ? rc : config_read(&a->config, path, environment, found, err);
    rc = rc ? rc : take_functions(a, &files, toml, found, err);
    rc = rc ? rc : routes_create(&a->routes, a->functions, a->count, found, err);
    rc = rc ? rc : public_create(&a->public_index, path, found, err);
    discovery_deinit(&files);
    if (rc)
        return rc;
    app_check(&(app_parts){.toml = toml,
                           .config = &a->config,
                           .functions = a->functions,
                           .count = a->count,
                           .routes = a->routes,
                           .public_index = a->public_index},
              found);
    problems_sort(found);
    return problems_conclude(found, err);
}

int app_open(app **out, const char *path, const char *environment, problems *found, error *err)
{
    problems own = {0};
    char *toml = NULL;
    app *a = NULL;
    int rc;

    *out = NULL;
    if (!(a = calloc(1, sizeof *a)) || asprintf(&toml, "%s/ubiq.toml", path) < 0) {
        toml = NULL;
        rc = error_set(err, E_NO_MEMORY, "out of memory for a project");
        goto done;
    }
    rc = read_project(a, path, toml, environment, found ? found : &own, err);
    if (rc)
        goto done;
    *out = a;
    a = NULL;
done:
    problems_deinit(&own);
    free(toml);
    app_close(a);
    return rc;
}

const config *app_config(const app *a)
{
    return &a->config;
}

function *app_functions(app *a, size_t *count)
{
    *count = a->count;
    return a->functions;
}

function *app_find(const app *a, slice path, route_match *match)
{
    return routes_find(a->routes, path, match);
}

const public_index *app_public(const app *a)
{
    return a->public_index;
}

void app_close(app *a)
{
    if (!a)
        return;
    routes_destroy(a->routes);
    public_destroy(a->public_index);
    for (size_t i = 0; i < a->count; i++)
        function_deinit(&a->functions[i]);
    free(a->functions);
    config_deinit(&a->config);
    free(a);
}
