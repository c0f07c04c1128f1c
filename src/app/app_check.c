#include "app/app_check.h"

#include "app/limits.h"
#include "services/cron.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const builtin[] = {"cors", "rate_limit", "api_key",
                                      "jwt",  "request_id", "compression"};

#define BUILTIN (sizeof builtin / sizeof *builtin)

static int compare_name(const void *name, const void *of)
{
    return strcmp(name, ((const function *)of)->name);
}

static const function *find(const app_parts *p, const char *name)
{
    return p->count ? bsearch(name, p->functions, p->count, sizeof *p->functions, compare_name)
                    : NULL;
}

/* The function, or the one in middleware/, whose name is nearest to one that there is not, or NULL. */
static const char *nearest_function(const app_parts *p, const char *name, bool in_middleware)
{
    const char **names = calloc(p->count + 1, sizeof *names);
    const char *nearest = NULL;
    size_t count = 0;

    for (size_t i = 0; names && i < p->count; i++) {
        if (!in_middleware || p->functions[i].is_middleware)
            names[count++] = p->functions[i].name;
    }
    if (names)
        nearest = slice_nearest(slice_str(name), names, count);
    free(names);
    return nearest;
}

static void unknown(const app_parts *p, unsigned line, const char *where, const char *what,
                    const char *name, const char *nearest, problems *found)
{
    problems_add(found, p->toml, line, "%s: there is no %s \"%s\"%s%s%s", where, what, name,
                 nearest ? ", did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
}

static void check_functions(const app_parts *p, problems *found)
{
    for (size_t i = 0; i < p->config->function_count; i++) {
        const config_function *c = &p->config->functions[i];

        if (!find(p, c->name))
            unknown(p, c->line, "functions", "function", c->name,
                    nearest_function(p, c->name, false), found);
    }
}

/* Cron lines, each once. */
static void check_cron(const app_parts *p, problems *found)
{
    const config *c = p->config;
    const char *before = "";
    error err = {0};

    for (size_t i = 0; i < c->trigger_count; i++) {
        const config_trigger *t = &c->triggers[i];
        cron *line = NULL;

        if (!t->is_cron || strcmp(t->pattern, before) == 0)
            continue;
        before = t->pattern;
        if (cron_create(&line, t->pattern, c->time_zone, &err))
            problems_add(found, p->toml, t->line, "triggers.\"%s\": %s", t->pattern,
                         error_text(&err));
        cron_destroy(line);
    }
    error_deinit(&err);
}

static void check_triggers(const app_parts *p, problems *found)
{
    check_cron(p, found);
    for (size_t i = 0; i < p->config->trigger_count; i++) {
        const config_trigger *t = &p->config->triggers[i];
        const function *f = find(p, t->function);

        if (!f)
            unknown(p, t->line, "triggers", "function", t->function,
                    nearest_function(p, t->function, false), found);
        else if (f->only_requests)
            problems_add(found, p->toml, t->line,
                         "triggers: %s exports neither \"handle\" nor \"POST\", which events call",
                         f->source);
    }
}

/* Of the words that can stand in a list of middleware. */
static const char *nearest_middleware(const app_parts *p, const char *name)
{
    const char *nearest = slice_nearest(slice_str(name), builtin, BUILTIN);

    return nearest ? nearest : nearest_function(p, name, true);
}

static void check_use(const app_parts *p, const config_list *use, const char *where,
                      problems *found)
{
    const config_middleware *m = &p->config->middleware;

    for (size_t i = 0; i < use->count; i++) {
        const char *name = use->item[i];
        const function *f = find(p, name);
        size_t n = 0;

        while (n < BUILTIN && strcmp(name, builtin[n]) != 0)
            n++;
        if (n == BUILTIN && (!f || !f->is_middleware))
            unknown(p, use->line[i], where, "middleware", name, nearest_middleware(p, name), found);
        else if (strcmp(name, "jwt") == 0 && !m->jwt.algorithm)
            problems_add(found, p->toml, use->line[i],
                         "%s: jwt needs [middleware.jwt] with algorithm and secret or public_key",
                         where);
        else if (strcmp(name, "api_key") == 0 && m->api_key.keys.count == 0)
            problems_add(found, p->toml, use->line[i],
                         "%s: api_key needs [middleware.api_key] with keys", where);
    }
}

static void check_middleware(const app_parts *p, problems *found)
{
    check_use(p, &p->config->middleware.use, "middleware.use", found);
    for (size_t i = 0; i < p->config->function_count; i++) {
        char where[128];

        snprintf(where, sizeof where, "functions.\"%.80s\".middleware",
                 p->config->functions[i].name);
        check_use(p, &p->config->functions[i].middleware, where, found);
    }
}

/* Functions that are named in full; a pattern may be for those that come. */
static void check_permissions(const app_parts *p, problems *found)
{
    static const char invoke[] = "invoke:";

    for (size_t i = 0; i < p->config->function_count; i++) {
        const config_function *c = &p->config->functions[i];

        for (size_t k = 0; k < c->permissions.count; k++) {
            const char *text = c->permissions.item[k], *name = text + sizeof invoke - 1;
            char where[128];

            /* What is no permission is told elsewhere. */
            if (strncmp(text, invoke, sizeof invoke - 1) != 0 || !*name || strchr(name, '*') ||
                strlen(text) > LIMIT_PERMISSION_BYTES || find(p, name))
                continue;
            snprintf(where, sizeof where, "functions.\"%.80s\".permissions", c->name);
            unknown(p, c->permissions.line[k], where, "function", name,
                    nearest_function(p, name, false), found);
        }
    }
}

/* A function with the same path goes first, so the file would never be seen. */
static void check_public(const app_parts *p, problems *found)
{
    size_t count;
    const public_file *file = public_files(p->public_index, &count);

    for (size_t i = 0; i < count; i++) {
        const function *f = routes_find_static(p->routes, slice_str(file[i].url));

        if (strcmp(file[i].url, "/healthz") == 0)
            problems_add(found, file[i].source, 0, "the path /healthz is the server's own");
        if (f && file[i].path)
            problems_add(found, file[i].source, 0,
                         "its path %s is the route of %s, so it would never be served", file[i].url,
                         f->source);
    }
}

void app_check(const app_parts *p, problems *found)
{
    check_functions(p, found);
    check_triggers(p, found);
    check_middleware(p, found);
    check_permissions(p, found);
    check_public(p, found);
}
