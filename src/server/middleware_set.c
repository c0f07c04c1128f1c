#include "server/limits.h"
#include "server/middleware_internal.h"

#include <stdlib.h>

static const char prefix[] = "middleware/"; /* of those that are functions */

static const char *const built_in[] = {
    [MIDDLEWARE_CORS] = "cors",
    [MIDDLEWARE_RATE_LIMIT] = "rate_limit",
    [MIDDLEWARE_API_KEY] = "api_key",
    [MIDDLEWARE_JWT] = "jwt",
    [MIDDLEWARE_REQUEST_ID] = "request_id",
    [MIDDLEWARE_COMPRESSION] = "compression",
};

int middleware_set_create(middleware_set **out, const config_middleware *c, const char *project,
                          error *err)
{
    middleware_set *s = calloc(1, sizeof *s);

    *out = s;
    if (!s)
        return error_set(err, E_NO_MEMORY, "middleware");
    s->config = c;
    s->project = project;
    return 0;
}

void middleware_set_destroy(middleware_set *s)
{
    if (!s)
        return;
    cors_destroy(s->cors);
    rate_limit_destroy(s->rate_limit);
    api_key_destroy(s->api_key);
    jwt_destroy(s->jwt);
    compression_destroy(s->compression);
    free(s);
}

/* Makes a built-in one, unless another chain has it already. */
static int want(middleware_set *s, enum middleware_kind kind, error *err)
{
    const config_middleware *c = s->config;

    switch (kind) {
    case MIDDLEWARE_CORS:
        return s->cors ? 0 : cors_create(&s->cors, &c->cors, err);
    case MIDDLEWARE_RATE_LIMIT:
        return s->rate_limit ? 0 : rate_limit_create(&s->rate_limit, &c->rate_limit, err);
    case MIDDLEWARE_API_KEY:
        return s->api_key ? 0 : api_key_create(&s->api_key, &c->api_key, err);
    case MIDDLEWARE_JWT:
        return s->jwt ? 0 : jwt_create(&s->jwt, &c->jwt, s->project, err);
    case MIDDLEWARE_COMPRESSION:
        return s->compression ? 0 : compression_create(&s->compression, &c->compression, err);
    case MIDDLEWARE_REQUEST_ID:
    case MIDDLEWARE_FUNCTION:
        break;
    }
    return 0;
}

static int add_function(middleware_step *step, const middleware_options *o, const char *name,
                        error *err)
{
    step->kind = MIDDLEWARE_FUNCTION;
    step->function = o->find(o->arg, slice_str(name));
    if (!step->function)
        return error_set(err, E_NOT_FOUND, "middleware: use: there is no function \"%s\"", name);
    step->name = strdup(name + sizeof prefix - 1);
    return step->name ? 0 : error_set(err, E_NO_MEMORY, "middleware");
}

static int add_step(middleware *m, middleware_set *s, const middleware_options *o, const char *name,
                    error *err)
{
    middleware_step *step = &m->step[m->count++];

    if (strncmp(name, prefix, sizeof prefix - 1) == 0)
        return add_function(step, o, name, err);
    for (size_t i = 0; i < sizeof built_in / sizeof *built_in; i++) {
        if (strcmp(name, built_in[i]) == 0) {
            step->kind = (enum middleware_kind)i;
            return want(s, step->kind, err);
        }
    }
    return error_set(err, E_INVALID,
                     "middleware: use: \"%s\" is neither built in nor a function in middleware/",
                     name);
}

static int check_use(const config_list *use, error *err)
{
    if (use->count > LIMIT_MIDDLEWARE)
        return error_set(err, E_INVALID, "middleware: use: there are more than %d",
                         LIMIT_MIDDLEWARE);
    for (size_t i = 0; i < use->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(use->item[i], use->item[j]) == 0)
                return error_set(err, E_INVALID, "middleware: use: \"%s\" comes twice",
                                 use->item[i]);
        }
    }
    return 0;
}

int middleware_create(middleware **out, middleware_set *s, const middleware_options *o, error *err)
{
    middleware *m = NULL;
    int rc = check_use(o->use, err);

    *out = NULL;
    if (rc || o->use->count == 0)
        return rc;
    m = calloc(1, sizeof *m + o->use->count * sizeof *m->step);
    if (!m)
        return error_set(err, E_NO_MEMORY, "middleware");
    m->set = s;
    m->route = o->route;
    m->methods = o->methods;
    while (m->count < o->use->count) {
        rc = add_step(m, s, o, o->use->item[m->count], err);
        if (rc)
            goto done;
    }
    *out = m;
    m = NULL;
done:
    middleware_destroy(m);
    return rc;
}

void middleware_destroy(middleware *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->count; i++)
        free(m->step[i].name);
    free(m);
}
