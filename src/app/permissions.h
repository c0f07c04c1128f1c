#ifndef UBIQ_APP_PERMISSIONS_H
#define UBIQ_APP_PERMISSIONS_H

#include "base/error.h"
#include "base/slice.h"

/* What a function may do: the strings of `permissions` in ubiq.toml, each an allowance; what none of
 * them allows is denied. In a pattern '*' stands for any run of bytes, and there are no other
 * wildcards; a pattern matches the whole subject. */
typedef struct permissions permissions;

enum permission {
    PERMISSION_KV_READ,       /* "kv:read:user:*" */
    PERMISSION_KV_WRITE,      /* "kv:write:*" */
    PERMISSION_STORAGE_READ,  /* "storage:read:images/*" */
    PERMISSION_STORAGE_WRITE, /* "storage:write:images/*" */
    PERMISSION_EVENTS_EMIT,   /* "events:emit:order.*" */
    PERMISSION_INVOKE,        /* "invoke:resize" */
    PERMISSION_CONFIG_READ    /* "config:read:API_KEY" */
};

/* How an outbound request is allowed. */
enum http_permission {
    HTTP_DENIED,
    HTTP_ALLOWED, /* to addresses that are public */
    HTTP_BY_NAME  /* to any address: the pattern names the host in full, without a '*' in it */
};

/* Reads `count` strings. E_INVALID for one that is none: the text says which, and what was meant. */
int permissions_create(permissions **out, char *const *text, size_t count, error *err) MUST_CHECK;

/* Whether it may. Any thread. NULL permissions allow nothing. */
bool permissions_allow(const permissions *p, enum permission kind, slice subject);

/* Whether it may send a request: "http:get:api.example.com/v1/*", "http:*:localhost:9000/*". A method
 * is in lower case or '*'. A host has its port behind it unless it is the scheme's own; '*' as a
 * whole host is any host at its scheme's own port, "*.example.com" the names under it. `host` is in
 * lower case without a port, an IPv6 address in brackets. The path has no query. */
enum http_permission permissions_allow_http(const permissions *p, slice method, slice scheme, slice host,
                                            uint16_t port, slice path);

/* Frees it. Takes NULL. */
void permissions_destroy(permissions *p);

#endif
