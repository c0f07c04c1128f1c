#include "app/app_internal.h"

#include <stdlib.h>
#include <string.h>

int app_inspect(app **out, const char *path, const char *environment, problems *found, error *err)
{
    app *a = calloc(1, sizeof *a);
    int rc;

    *out = NULL;
    if (!a || !(a->path = strdup(path)))
        rc = error_set(err, E_NO_MEMORY, "out of memory for a project");
    else
        rc = app_read(a, environment, found, err);
    if (rc == 0 && found->no_memory)
        rc = problems_conclude(found, err);
    if (rc == 0) {
        *out = a;
        a = NULL;
    }
    app_close(a);
    return rc;
}

int app_open(app **out, const char *path, const char *environment, error *err)
{
    problems found = {0};
    int rc = app_inspect(out, path, environment, &found, err);

    rc = rc ? rc : problems_conclude(&found, err);
    if (rc) {
        app_close(*out);
        *out = NULL;
    }
    problems_deinit(&found);
    return rc;
}

static int compare_name(const void *name, const void *of)
{
    slice key = *(const slice *)name;
    const char *other = ((const function *)of)->name;
    size_t len = strlen(other);
    int order = memcmp(key.data, other, key.len < len ? key.len : len);

    return order ? order : (key.len > len) - (key.len < len);
}

function *app_function(const app *a, slice name)
{
    if (name.len == 0 || a->count == 0)
        return NULL;
    return bsearch(&name, a->functions, a->count, sizeof *a->functions, compare_name);
}

static int compare_config(const void *name, const void *of)
{
    return strcmp(name, ((const config_function *)of)->name);
}

const config_function *app_function_config(const app *a, const function *f)
{
    const config *c = &a->config;

    if (c->function_count == 0)
        return NULL;
    return bsearch(f->name, c->functions, c->function_count, sizeof *c->functions, compare_config);
}

const config_list *app_middleware(const app *a, const function *f)
{
    const config_function *own = f ? app_function_config(a, f) : NULL;

    return own && own->middleware.given ? &own->middleware : &a->config.middleware.use;
}

const char *app_path(const app *a)
{
    return a->path;
}

const uint64_t *app_wall_times(const app *a, unsigned *count)
{
    *count = a->wall_count;
    return a->wall_ms;
}

uint64_t app_most_request_bytes(const app *a)
{
    uint64_t most = a->config.limits.request_bytes;

    for (size_t i = 0; i < a->count; i++)
        most = a->functions[i].limits.request_bytes > most ? a->functions[i].limits.request_bytes
                                                           : most;
    return most;
}

uint64_t app_most_response_bytes(const app *a)
{
    uint64_t most = a->config.limits.response_bytes;

    for (size_t i = 0; i < a->count; i++)
        most = a->functions[i].limits.response_bytes > most ? a->functions[i].limits.response_bytes
                                                            : most;
    return most;
}

int app_open_services(app *a, error *err)
{
    if (!a->uses_services && a->config.trigger_count == 0)
        return 0;
    return services_open(&a->services, a->path, &a->config, err);
}

const services *app_services(const app *a)
{
    return &a->services;
}

void app_close_services(app *a)
{
    services_close(&a->services);
}

void app_set_events(app *a, events *e)
{
    a->events = e;
}

events *app_events(const app *a)
{
    return a->events;
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
    services_close(&a->services);
    routes_destroy(a->routes);
    public_destroy(a->public_index);
    for (size_t i = 0; i < a->count; i++)
        function_deinit(&a->functions[i]);
    free(a->functions);
    free(a->wall_ms);
    free(a->path);
    config_deinit(&a->config);
    free(a);
}
