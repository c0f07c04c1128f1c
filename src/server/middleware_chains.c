#include "server/middleware_chains.h"

#include <stdlib.h>

struct middleware_chains {
    middleware_set *set;
    middleware **of_function; /* by function.index */
    size_t count;
    middleware *otherwise;
};

static function *find_function(void *a, slice name)
{
    return app_function(a, name);
}

static int make(middleware_chains *m, app *a, const function *f, middleware **out, error *err)
{
    static const config_list none;
    const middleware_options options = {
        .use = app_middleware(a, f),
        .route = f ? f->route : "",
        .methods = f ? &f->methods : &none,
        .find = find_function,
        .arg = a,
    };

    return middleware_create(out, m->set, &options, err);
}

int middleware_chains_create(middleware_chains **out, app *a, error *err)
{
    middleware_chains *m = calloc(1, sizeof *m);
    const function *f;
    int rc;

    *out = NULL;
    if (!m)
        return error_set(err, E_NO_MEMORY, "out of memory for middleware");
    f = app_functions(a, &m->count);
    m->of_function = calloc(m->count + 1, sizeof *m->of_function);
    rc = m->of_function ? 0 : error_set(err, E_NO_MEMORY, "out of memory for middleware");
    rc = rc ? rc : middleware_set_create(&m->set, &app_config(a)->middleware, app_path(a), err);
    rc = rc ? rc : make(m, a, NULL, &m->otherwise, err);
    for (size_t i = 0; i < m->count && rc == 0; i++)
        rc = f[i].route ? make(m, a, &f[i], &m->of_function[i], err) : 0;
    if (rc == 0) {
        *out = m;
        m = NULL;
    }
    middleware_chains_destroy(m);
    return rc;
}

void middleware_chains_destroy(middleware_chains *m)
{
    if (!m)
        return;
    for (size_t i = 0; m->of_function && i < m->count; i++)
        middleware_destroy(m->of_function[i]);
    middleware_destroy(m->otherwise);
    middleware_set_destroy(m->set);
    free(m->of_function);
    free(m);
}

const middleware *middleware_chains_of(const middleware_chains *m, const function *f)
{
    return f ? m->of_function[f->index] : m->otherwise;
}
