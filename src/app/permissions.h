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
    PERMISSION_STORAGE_READ,  /* "storage:read:*.png" */
    PERMISSION_STORAGE_WRITE, /* "storage:write:*.png" */
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

/* Whether anything at all of this kind is allowed. */
bool permissions_any(const permissions *p, enum permission kind);

/* Whether it may send a request. The permission is "http:METHOD:HOST[:PORT]PATH". METHOD is in lower
 * case or '*'. Without PORT it is for the scheme's own port, with '*' for any. HOST is a name, an
 * IPv4 or IPv6 address, '*' for any, or "*.example.com" for the names under that one. PATH begins
 * with a slash, and is a pattern; a request whose path has "." or ".." in it, however they are
 * escaped, needs a permission for all paths.
 *
 * `method` and `scheme` are in lower case, `host` is as http_host_normalize leaves it, and `path` as it
 * goes to the server but without the query. */
enum http_permission permissions_allow_http(const permissions *p, slice method, slice scheme,
                                            slice host, uint16_t port, slice path);

/* Frees it. Takes NULL. */
void permissions_destroy(permissions *p);

#endif
