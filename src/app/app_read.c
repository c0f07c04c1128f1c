#include "app/app_check.h"
#include "app/app_internal.h"
#include "app/discovery.h"
#include "app/limits.h"
#include "app/route_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The route that ubiq.toml gives, or else that of the name. The former is right already, and so is a
 * name. */
static int set_route(function *f, const char *pattern, error *err)
{
    buf route;
    int rc;

    if (f->is_middleware || (pattern && strcmp(pattern, ROUTE_NONE) == 0))
        return 0;
    buf_init(&route, 2 * LIMIT_ROUTE_BYTES);
    rc = pattern ? route_of_pattern(pattern, &route, err) : route_of_name(f->name, &route, err);
    if (rc == 0 && !(f->route = buf_take_str(&route)))
        rc = error_set(err, E_NO_MEMORY, "out of memory for a route");
    buf_deinit(&route);
    return rc;
}

/* Finds out which of the permissions are none. */
static void blame_permissions(const config_function *c, const char *toml, problems *found)
{
    for (size_t i = 0; i < c->permissions.count; i++) {
        permissions *one = NULL;
        error err = {0};

        if (permissions_create(&one, &c->permissions.item[i], 1, &err) == E_INVALID)
            problems_add(found, toml, c->permissions.line[i], "functions.\"%s\".permissions: %s",
                         c->name, error_text(&err));
        permissions_destroy(one);
        error_deinit(&err);
    }
}

/* Reads the permissions, and what of [env] they let the function read. */
static int take_permissions(app *a, function *f, const config_function *c, const char *toml,
                            problems *found, error *err)
{
    error why = {0};
    int rc;

    if (c->permissions.count == 0)
        return 0;
    a->uses_services = true;
    rc = permissions_create(&f->permissions, c->permissions.item, c->permissions.count, &why);
    if (rc == E_INVALID) {
        size_t before = found->count + found->more;

        blame_permissions(c, toml, found);
        if (found->count + found->more == before)
            problems_add(found, toml, c->line, "functions.\"%s\".permissions: %s", c->name,
                         error_text(&why));
        rc = 0;
    } else if (rc) {
        error_set(err, rc, "%s", error_text(&why));
    }
    error_deinit(&why);
    for (size_t i = 0; i < a->config.env.count && rc == 0; i++) {
        const strmap_entry *e = &a->config.env.entry[i];
        slice name = slice_of(e->key, e->key_len);

        if (permissions_allow(f->permissions, PERMISSION_CONFIG_READ, name) &&
            !strmap_get(&f->config, name, NULL) &&
            strmap_set(&f->config, name, slice_of(e->value, e->value_len)))
            rc = error_set(err, E_NO_MEMORY, "out of memory for a function's configuration");
    }
    return rc;
}

/* Moves what ubiq.toml says about a function to it. */
static int apply_config(app *a, function *f, config_function *c, const char *toml, problems *found,
                        error *err)
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
    return take_permissions(a, f, c, toml, found, err);
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
    config_function *c = find_config(&a->config, d->name);
    function *f = &a->functions[a->count];
    int rc;

    f->index = a->count++;
    f->limits = a->config.limits;
    atomic_init(&f->state, FUNCTION_LISTED);
    f->name = d->name;
    f->source = d->source;
    f->path = d->path;
    f->is_middleware = d->is_middleware;
    f->is_built = d->is_built;
    *d = (discovered){0};
    rc = set_route(f, c ? c->route : NULL, err);
    if (rc == 0 && c)
        rc = apply_config(a, f, c, toml, found, err);
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

int app_read(app *a, const char *environment, problems *found, error *err)
{
    discovery files = {0};
    char *toml;
    int rc;

    if (asprintf(&toml, "%s/ubiq.toml", a->path) < 0)
        return error_set(err, E_NO_MEMORY, "out of memory for a project");
    rc = discover(&files, a->path, found, err);
    rc = rc ? rc : config_read(&a->config, a->path, environment, found, err);
    rc = rc ? rc : take_functions(a, &files, toml, found, err);
    rc = rc ? rc : count_wall_times(a, err);
    rc = rc ? rc : routes_create(&a->routes, a->functions, a->count, found, err);
    rc = rc ? rc : public_create(&a->public_index, a->path, found, err);
    if (rc == 0)
        app_check(&(app_parts){.toml = toml,
                               .config = &a->config,
                               .functions = a->functions,
                               .count = a->count,
                               .routes = a->routes,
                               .public_index = a->public_index},
                  found);
    problems_sort(found);
    discovery_deinit(&files);
    free(toml);
    return rc;
}
