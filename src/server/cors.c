#include "server/cors.h"

#include "app/limits.h"
#include "base/http_text.h"
#include "server/cors_origin.h"

#include <stdio.h>
#include <stdlib.h>

#define LIST_BYTES LIMIT_RESPONSE_HEAD_BYTES /* of methods or headers */
#define SECONDS_BYTES 24

struct cors {
    bool any; /* origin is allowed */
    bool credentials;
    cors_origin *origin;
    size_t origins;
    char *methods; /* these three as lists, or NULL */
    char *headers;
    char *expose;
    char max_age[SECONDS_BYTES];
};

static int read_origins(cors *c, const config_list *origins, error *err)
{
    int rc = 0;

    c->origin = calloc(origins->count + 1, sizeof *c->origin);
    if (!c->origin)
        return error_set(err, E_NO_MEMORY, "middleware.cors");
    for (size_t i = 0; i < origins->count && rc == 0; i++) {
        if (strcmp(origins->item[i], "*") == 0)
            c->any = true;
        else
            rc = cors_origin_read(&c->origin[c->origins++], origins->item[i], err);
    }
    if (rc == 0 && c->any && c->credentials)
        return error_set(err, E_INVALID,
                         "middleware.cors: with credentials = true, origins must name them; \"*\" "
                         "would let every site act for its visitors");
    return rc;
}

static int put_element(buf *list, slice element)
{
    int rc = list->len ? buf_append_str(list, ", ") : 0;

    return rc ? rc : buf_append(list, element.data, element.len);
}

/* Joins a list of tokens; NULL when there are none. */
static int join(char **out, const config_list *from, const char *key, error *err)
{
    buf list;
    int rc = 0;

    if (from->count == 0)
        return 0;
    buf_init(&list, LIST_BYTES);
    for (size_t i = 0; i < from->count && rc == 0; i++) {
        if (!http_is_token(slice_str(from->item[i])))
            rc = error_set(err, E_INVALID, "middleware.cors: %s: \"%s\" is not a name", key,
                           from->item[i]);
        else if ((rc = put_element(&list, slice_str(from->item[i]))) != 0)
            error_set(err, rc, "middleware.cors: %s: %s", key, error_code_name(rc));
    }
    if (rc == 0 && !(*out = buf_take_str(&list)))
        rc = error_set(err, E_NO_MEMORY, "middleware.cors");
    buf_deinit(&list);
    return rc;
}

int cors_create(cors **out, const config_cors *from, error *err)
{
    cors *c = calloc(1, sizeof *c);
    int rc;

    *out = NULL;
    if (!c)
        return error_set(err, E_NO_MEMORY, "middleware.cors");
    c->credentials = from->credentials;
    snprintf(c->max_age, sizeof c->max_age, "%llu", (unsigned long long)(from->max_age_ms / 1000));
    rc = read_origins(c, &from->origins, err);
    rc = rc ? rc : join(&c->methods, &from->methods, "methods", err);
    rc = rc ? rc : join(&c->headers, &from->headers, "headers", err);
    rc = rc ? rc : join(&c->expose, &from->expose, "expose", err);
    if (rc == 0) {
        *out = c;
        c = NULL;
    }
    cors_destroy(c);
    return rc;
}

void cors_destroy(cors *c)
{
    if (!c)
        return;
    for (size_t i = 0; c->origin && i < c->origins; i++)
        free(c->origin[i].text);
    free(c->origin);
    free(c->methods);
    free(c->headers);
    free(c->expose);
    free(c);
}

/* The request's origin if it is one of those that are named; empty otherwise. */
static slice named_origin(const cors *c, slice headers)
{
    slice origin;

    if (headers_find(headers, slice_str("origin"), &origin) != 1)
        return slice_of(NULL, 0);
    for (size_t i = 0; i < c->origins; i++) {
        if (cors_origin_matches(&c->origin[i], origin))
            return origin;
    }
    return slice_of(NULL, 0);
}

bool cors_is_preflight(slice method, slice headers)
{
    slice value;

    return slice_equal_str(method, "OPTIONS") &&
           headers_find(headers, slice_str("origin"), &value) == 1 &&
           headers_find(headers, slice_str("access-control-request-method"), &value) == 1;
}

static int put(buf *headers, const char *name, slice value)
{
    return headers_set(headers, slice_str(name), value);
}

/* Those that are configured, or those of the route, or, if that takes all, the one asked for. */
static int put_methods(const cors *c, slice request, const config_list *methods, buf *headers)
{
    static const char name[] = "Access-Control-Allow-Methods";
    slice asked;
    buf list;
    int rc = 0;

    if (c->methods)
        return put(headers, name, slice_str(c->methods));
    if (methods->count == 0) {
        (void)headers_find(request, slice_str("access-control-request-method"), &asked);
        return http_is_token(asked) ? put(headers, name, asked) : 0;
    }
    buf_init(&list, LIST_BYTES);
    for (size_t i = 0; i < methods->count && rc == 0; i++)
        rc = put_element(&list, slice_str(methods->item[i]));
    rc = rc ? rc : put(headers, name, buf_slice(&list));
    buf_deinit(&list);
    return rc;
}

/* Those that are configured, or those asked for. */
static int put_request_headers(const cors *c, slice request, buf *headers)
{
    static const char name[] = "Access-Control-Allow-Headers";
    header_list asked = headers_list(request, slice_str("access-control-request-headers"));
    slice element;
    buf list;
    int rc = 0;

    if (c->headers)
        return put(headers, name, slice_str(c->headers));
    buf_init(&list, LIST_BYTES);
    while (rc == 0 && header_list_next(&asked, &element)) {
        if (http_is_token(element))
            rc = put_element(&list, element);
    }
    if (rc == 0 && list.len)
        rc = put(headers, name, buf_slice(&list));
    buf_deinit(&list);
    return rc;
}

int cors_answer(const cors *c, slice headers, const config_list *methods, response *r,
                const char *invocation)
{
    slice vary = slice_str("Vary");
    int rc;

    if (!c->any && named_origin(c, headers).len == 0) {
        response_set_error(r, 403, "origin_not_allowed",
                           slice_str("origins in [middleware.cors] do not have this origin"),
                           invocation);
        return 0;
    }
    r->status = 204;
    rc = put_methods(c, headers, methods, &r->headers);
    rc = rc ? rc : put_request_headers(c, headers, &r->headers);
    rc = rc ? rc : put(&r->headers, "Access-Control-Max-Age", slice_str(c->max_age));
    rc = rc ? rc : headers_add(&r->headers, vary, slice_str("Access-Control-Request-Method"));
    return rc ? rc : headers_add(&r->headers, vary, slice_str("Access-Control-Request-Headers"));
}

int cors_put_headers(const cors *c, slice request, buf *headers)
{
    static const char allow_origin[] = "Access-Control-Allow-Origin";
    static const char allow_credentials[] = "Access-Control-Allow-Credentials";
    static const char expose[] = "Access-Control-Expose-Headers";
    slice origin = c->any ? slice_str("*") : named_origin(c, request);
    int rc = c->any ? 0 : headers_add(headers, slice_str("Vary"), slice_str("Origin"));

    if (rc)
        return rc;
    /* What a function says of it does not count beside what is configured. */
    headers_remove(headers, slice_str(allow_origin));
    headers_remove(headers, slice_str(allow_credentials));
    if (origin.len == 0)
        return 0;
    rc = put(headers, allow_origin, origin);
    if (rc == 0 && c->credentials)
        rc = put(headers, allow_credentials, slice_str("true"));
    if (rc == 0 && c->expose)
        rc = put(headers, expose, slice_str(c->expose));
    return rc;
}
