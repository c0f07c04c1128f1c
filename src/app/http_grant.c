#include "app/http_grant.h"

#include <stdio.h>

static int len(slice s)
{
    return (int)s.len;
}

static const char *text(slice s)
{
    return s.len ? (const char *)s.data : "";
}

/* Says that the target, whose host was found at `target->address` if that is not empty, needs a
 * permission, and which. */
static int deny(const http_grant *g, const http_target *target, error *err)
{
    bool own = target->port == (slice_equal_str(target->scheme, "https") ? 443 : 80);
    bool at_address = target->asking == HTTP_ASK_ADDRESS;
    char port[8] = "";

    if (!own)
        snprintf(port, sizeof port, ":%u", target->port);
    return error_set(
        err, E_DENIED,
        "HTTP request to %.*s://%.*s%s%.*s is not allowed: %s%.*s%sadd \"http:%.*s:%.*s%s/*\" to "
        "the permissions of [functions.\"%s\"] in ubiq.toml",
        len(target->scheme), text(target->scheme), len(target->host), text(target->host), port,
        len(target->path), text(target->path), at_address ? "the host is at " : "",
        len(target->address), text(target->address),
        at_address ? ", which is not a public address, so that its name must be allowed in full: "
                   : "",
        len(target->method), text(target->method), len(target->host), text(target->host), port,
        g->function);
}

int http_grant_check(http_grant *g, const http_target *target, error *err)
{
    enum http_permission needed = target->asking == HTTP_ASK_ADDRESS ? HTTP_BY_NAME : HTTP_ALLOWED;

    if (permissions_allow_http(g->permissions, target->method, target->scheme, target->host,
                               target->port, target->path) < needed)
        return deny(g, target, err);
    if (target->asking != HTTP_ASK_REQUEST)
        return 0;
    if (g->requests >= g->requests_max)
        return error_set(err, E_TOO_LARGE,
                         "the function has made the %u HTTP requests that one invocation may make: "
                         "http_requests in [limits] of ubiq.toml",
                         g->requests_max);
    g->requests++;
    return 0;
}
