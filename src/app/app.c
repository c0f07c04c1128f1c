#include "app/app.h"

#include "app/app_check.h"
#include "app/discovery.h"
#include "app/limits.h"
#include "app/route_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct app {
    char *path;
    config config;
    function *functions;
    size_t count;
    uint64_t *wall_ms; /* those there are */
    unsigned wall_count;
    routes *routes;
    public_index *public_index;
    services services;
    bool uses_services;
    events *events;
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
    f->content_type = c->content_type;
    c->content_type = NULL;
    f->config = c->config;
    c->config = (strmap){0};
    f->limits = c->limits;
    f->reuse = c->reuse;
}

/* Reads the permissions, and what of [env] they let the function read. */
static void take_permissions(app *a, function *f, const config_function *c, const char *toml,
                             problems *found)
{
    error err = {0};

    if (c->permissions.count == 0)
        return;
    a->uses_services = true;
    if (permissions_create(&f->permissions, c->permissions.item, c->permissions.count, &err))
        problems_add(found, toml, c->permissions.line[0], "functions.\"%s\".permissions: %s", c->name,
                     error_text(&err));
    error_deinit(&err);
    for (size_t i = 0; i < a->config.env.count; i++) {
        const strmap_entry *e = &a->config.env.entry[i];
        slice name = slice_of(e->key, e->key_len);

        if (permissions_allow(f->permissions, PERMISSION_CONFIG_READ, name) &&
            !strmap_get(&f->config, name, NULL) &&
            strmap_set(&f->config, name, slice_of(e->value, e->value_len)))
            found->no_memory = true;
    }
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
    f->index = a->count - 1;
    f->limits = a->config.limits;
    if (c) {
        apply_config(f, c);
        take_permissions(a, f, c, toml, found);
    }
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

static int count_wall_times(app *a, error *err)
{
    a->wall_ms = calloc(a->count + 1, sizeof *a->wall_ms);
    if (!a->wall_ms)
        return error_set(err, E_NO_MEMORY, "out of memory for %zu functions", a->count);
    for (size_t i = 0; i < a->count; i++) {
        function *f = &a->functions[i];

        while (f->wall_kind < a->wall_count && a->wall_ms[f->wall_kind] != f->limits.wall_ms)
            f->wall_kind++;
        if (f->wall_kind == a->wall_count)
            a->wall_ms[a->wall_count++] = f->limits.wall_ms;
    }
    return 0;
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
    rc = problems_conclude(found, err);
    return rc ? rc : count_wall_times(a, err);
}

int app_open(app **out, const char *path, const char *environment, problems *found, error *err)
{
    problems own = {0};
    char *toml = NULL;
    app *a = NULL;
    int rc;

    *out = NULL;
    if (!(a = calloc(1, sizeof *a)) || !(a->path = strdup(path)) ||
        asprintf(&toml, "%s/ubiq.toml", path) < 0) {
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

static int compare_function(const void *name, const void *of)
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
    return bsearch(&name, a->functions, a->count, sizeof *a->functions, compare_function);
}

const config_function *app_function_config(const app *a, const function *f)
{
    for (size_t i = 0; i < a->config.function_count; i++) {
        if (strcmp(a->config.functions[i].name, f->name) == 0)
            return &a->config.functions[i];
    }
    return NULL;
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
        most = a->functions[i].limits.request_bytes > most ? a->functions[i].limits.request_bytes : most;
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

bool app_has_triggers(const app *a)
{
    return a->config.trigger_count > 0;
}

int app_open_services(app *a, error *err)
{
    if (!a->uses_services && !app_has_triggers(a))
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
