#include "app/app.h"

#include "app/discovery.h"
#include "app/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct app {
    config config;
    function *functions;
    size_t count;
    routes *routes;
};

static function *find_by_name(app *a, const char *name)
{
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->functions[i].name, name) == 0)
            return &a->functions[i];
    }
    return NULL;
}

/* ubiq.toml speaks of a function that is not there. */
static void unknown_function(const app *a, const char *toml, unsigned line, const char *where,
                             const char *name, problems *found)
{
    const char **names = calloc(a->count + 1, sizeof *names);
    const char *nearest = NULL;

    for (size_t i = 0; names && i < a->count; i++)
        names[i] = a->functions[i].name;
    if (names)
        nearest = slice_nearest(slice_str(name), names, a->count);
    problems_add(found, toml, line, "%s.\"%s\": there is no such function%s%s%s", where, name,
                 nearest ? ", did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
    free(names);
}

/* Moves what ubiq.toml says about functions to the functions. */
static void apply_config(app *a, const char *toml, problems *found)
{
    for (size_t i = 0; i < a->config.function_count; i++) {
        config_function *c = &a->config.functions[i];
        function *f = find_by_name(a, c->name);

        if (!f) {
            unknown_function(a, toml, c->line, "functions", c->name, found);
            continue;
        }
        f->entry = c->entry;
        c->entry = NULL;
        if (c->route) {
            free(f->route);
            f->route = c->route;
            c->route = NULL;
        }
        f->methods = c->methods;
        c->methods = (config_list){0};
        f->allowed_hosts = c->allowed_hosts;
        c->allowed_hosts = (config_list){0};
        f->content_type = c->content_type;
        c->content_type = NULL;
        f->config = c->config;
        c->config = (strmap){0};
    }
}

static int take_functions(app *a, discovery *found, error *err)
{
    int rc = 0;

    a->functions = calloc(found->count + 1, sizeof *a->functions);
    if (!a->functions)
        return error_set(err, E_NO_MEMORY, "out of memory for %zu functions", found->count);
    for (size_t i = 0; i < found->count && rc == 0; i++) {
        function *f = &a->functions[a->count++];
        buf route;

        atomic_init(&f->state, FUNCTION_LISTED);
        f->name = found->item[i].name;
        f->path = found->item[i].path;
        found->item[i] = (discovered){0};
        buf_init(&route, SIZE_MAX);
        if (routes_of_name(f->name, &route) || !(f->route = buf_take_str(&route)))
            rc = error_set(err, E_NO_MEMORY, "out of memory for %zu functions", found->count);
        buf_deinit(&route);
    }
    return rc;
}

int app_open(app **out, const char *path, const char *environment, problems *found, error *err)
{
    problems own = {0};
    discovery files = {0};
    char *toml = NULL;
    app *a = NULL;
    int rc;

    *out = NULL;
    found = found ? found : &own;
    if (!(a = calloc(1, sizeof *a)) || asprintf(&toml, "%s/ubiq.toml", path) < 0) {
        toml = NULL;
        rc = error_set(err, E_NO_MEMORY, "out of memory for a project");
        goto done;
    }
    rc = discover(&files, path, err);
    rc = rc ? rc : config_read(&a->config, path, environment, found, err);
    rc = rc ? rc : take_functions(a, &files, err);
    if (rc)
        goto done;
    apply_config(a, toml, found);
    rc = problems_conclude(found, err);
    rc = rc ? rc : routes_create(&a->routes, a->functions, a->count, err);
    if (rc)
        goto done;
    *out = a;
    a = NULL;
done:
    problems_deinit(&own);
    discovery_deinit(&files);
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

function *app_find(const app *a, slice path)
{
    return routes_find(a->routes, path);
}

void app_close(app *a)
{
    if (!a)
        return;
    routes_destroy(a->routes);
    for (size_t i = 0; i < a->count; i++)
        function_deinit(&a->functions[i]);
    free(a->functions);
    config_deinit(&a->config);
    free(a);
}
