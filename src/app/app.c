#include "app/app.h"

#include "app/discovery.h"
#include "app/routes.h"

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
    services services;
    bool uses_services;
    events *events;
};

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

/* Moves what ubiq.toml says about functions to the functions. */
static void apply_config(app *a, const char *toml, problems *found)
{
    for (size_t i = 0; i < a->config.function_count; i++) {
        config_function *c = &a->config.functions[i];
        function *f = app_function(a, slice_str(c->name));

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
        f->content_type = c->content_type;
        c->content_type = NULL;
        f->config = c->config;
        c->config = (strmap){0};
        f->limits = c->limits;
        f->reuse = c->reuse;
        take_permissions(a, f, c, toml, found);
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

        f->index = i;
        f->limits = a->config.limits;

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

int app_open(app **out, const char *path, const char *environment, problems *found, error *err)
{
    problems own = {0};
    discovery files = {0};
    char *toml = NULL;
    app *a = NULL;
    int rc;

    *out = NULL;
    found = found ? found : &own;
    if (!(a = calloc(1, sizeof *a)) || !(a->path = strdup(path)) ||
        asprintf(&toml, "%s/ubiq.toml", path) < 0) {
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
    rc = rc ? rc : count_wall_times(a, err);
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

function *app_find(const app *a, slice path)
{
    return routes_find(a->routes, path);
}

void app_close(app *a)
{
    if (!a)
        return;
    services_close(&a->services);
    routes_destroy(a->routes);
    for (size_t i = 0; i < a->count; i++)
        function_deinit(&a->functions[i]);
    free(a->functions);
    free(a->wall_ms);
    free(a->path);
    config_deinit(&a->config);
    free(a);
}
