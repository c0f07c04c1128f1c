#include "app/http_rule.h"

#include "app/limits.h"
#include "extism/http_host.h"

#include <stdlib.h>

#define METHODS 8

static const char *const methods[METHODS] = {"get",    "head",    "post",  "put",
                                             "delete", "options", "trace", "patch"};

static slice slice_from(slice s, size_t from)
{
    return slice_of(s.data + from, s.len - from);
}

/* Where the first of two bytes stands; the length when neither is there. */
static size_t find(slice s, uint8_t a, uint8_t b)
{
    size_t i = 0;

    while (i < s.len && s.data[i] != a && s.data[i] != b)
        i++;
    return i;
}

static int read_method(http_rule *r, slice text, error *err)
{
    const char *nearest;

    if (slice_equal_str(text, "*"))
        return 0;
    for (size_t i = 0; i < METHODS; i++) {
        if (slice_equal_str(text, methods[i])) {
            r->method = methods[i];
            return 0;
        }
    }
    nearest = slice_nearest(text, methods, METHODS);
    return error_set(err, E_INVALID, "\"%.*s\" is not a method in lower case or \"*\"%s%s%s",
                     (int)text.len, (const char *)text.data, nearest ? ", did you mean \"" : "",
                     nearest ? nearest : "", nearest ? "\"?" : "");
}

/* Of "*.example.com" the part behind the '*'. */
static int read_subdomains(http_rule *r, slice text, error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    char *host = strndup((const char *)text.data, text.len);

    if (!host)
        return error_set(err, E_NO_MEMORY, "a permission");
    for (char *c = host; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c);
    r->host = host;
    r->host_len = text.len;
    r->subdomains = true;
    if (text.len < 2 || host[0] != '.' || host[1] == '.' || strspn(host, allowed) != text.len)
        return error_set(err, E_INVALID,
                         "in a host '*' stands alone or as in \"*.example.com\", and not as in "
                         "\"*%.*s\"",
                         (int)text.len, (const char *)text.data);
    return 0;
}

static int read_whole_host(http_rule *r, slice text, error *err)
{
    const char *problem;
    buf host;
    int rc = 0;

    buf_init(&host, LIMIT_PERMISSION_BYTES);
    problem = http_host_normalize(text, &host);
    for (size_t i = 0; i < host.len && !problem; i++)
        problem = host.data[i] > '~' ? "write it in ASCII, as in \"xn--bcher-kva.example\"" : NULL;
    if (problem && !*problem)
        rc = error_set(err, E_NO_MEMORY, "a permission");
    else if (problem)
        rc = error_set(err, E_INVALID, "\"%.*s\" is not a host: %s", (int)text.len,
                       (const char *)text.data, problem);
    r->host_len = host.len;
    r->host = rc ? NULL : buf_take_str(&host);
    buf_deinit(&host);
    if (rc == 0 && !r->host)
        rc = error_set(err, E_NO_MEMORY, "a permission");
    return rc;
}

static int read_host(http_rule *r, slice text, error *err)
{
    if (text.len == 0)
        return error_set(err, E_INVALID, "it names no host");
    if (slice_equal_str(text, "*"))
        return 0;
    if (text.data[0] == '*')
        return read_subdomains(r, slice_from(text, 1), err);
    if (memchr(text.data, '*', text.len))
        return error_set(err, E_INVALID,
                         "in a host '*' stands alone or as in \"*.example.com\", and not as in "
                         "\"%.*s\"",
                         (int)text.len, (const char *)text.data);
    return read_whole_host(r, text, err);
}

static int read_port(http_rule *r, slice text, error *err)
{
    uint32_t port = 0;

    r->any_port = slice_equal_str(text, "*");
    if (r->any_port)
        return 0;
    if (text.len == 0)
        return error_set(
            err, E_INVALID,
            "there is nothing behind the colon: a host stands there without \"http://\", "
            "and with a port where it has one");
    for (size_t i = 0; i < text.len && port <= UINT16_MAX; i++) {
        bool digit = text.data[i] >= '0' && text.data[i] <= '9';

        port = digit ? port * 10 + (uint32_t)(text.data[i] - '0') : UINT32_MAX;
    }
    if (port == 0 || port > UINT16_MAX)
        return error_set(err, E_INVALID, "\"%.*s\" is neither a port from 1 to 65535 nor '*'",
                         (int)text.len, (const char *)text.data);
    r->port = (uint16_t)port;
    return 0;
}

/* HOST, HOST:PORT or [IPv6]:PORT. */
static int read_authority(http_rule *r, slice text, error *err)
{
    size_t host = text.len > 0 && text.data[0] == '[' ? find(text, ']', ']') : 0;
    int rc;

    host += find(slice_from(text, host), ':', ':');
    rc = read_host(r, slice_of(text.data, host), err);
    if (rc == 0 && host < text.len)
        rc = read_port(r, slice_from(text, host + 1), err);
    return rc;
}

int http_rule_read(http_rule *out, slice text, error *err)
{
    size_t method = find(text, ':', ':');
    http_rule r = {0};
    slice place;
    size_t path;
    int rc;

    if (method == text.len)
        return error_set(err, E_INVALID,
                         "it has no host: a permission for HTTP is \"http:METHOD:HOST/PATH\"");
    rc = read_method(&r, slice_of(text.data, method), err);
    place = slice_from(text, method + 1);
    path = find(place, '/', '/');
    if (rc == 0 && path == place.len)
        rc = error_set(err, E_INVALID, "it has no path: \"/*\" behind the host is all of them");
    if (rc == 0)
        rc = read_authority(&r, slice_of(place.data, path), err);
    r.path = pattern_of(slice_from(place, path));
    r.any_path = slice_equal_str(r.path.text, "/*");
    if (rc == 0)
        *out = r;
    else
        http_rule_deinit(&r);
    return rc;
}

/* The byte at `i`, an escaped dot, slash or backslash as what it stands for; its length in `*len`. */
static uint8_t unescaped(slice s, size_t i, size_t *len)
{
    static const char escapes[3][4] = {"%2e", "%2f", "%5c"};

    *len = 1;
    for (size_t e = 0; s.data[i] == '%' && s.len - i >= 3 && e < 3; e++) {
        if (s.data[i + 1] == (uint8_t)escapes[e][1] && (s.data[i + 2] | 0x20) == escapes[e][2]) {
            *len = 3;
            return (uint8_t) "./\\"[e];
        }
    }
    return s.data[i];
}

/* Whether some server could read "." or ".." in the path, and so another place than it seems to
 * name: written with escapes, between backslashes, or with parameters behind it. */
static bool may_lead_elsewhere(slice path)
{
    bool dots = false; /* the segment has dots alone so far */
    size_t count = 0;
    size_t len;

    for (size_t i = 0; i < path.len; i += len) {
        uint8_t c = unescaped(path, i, &len);

        if (c == '/' || c == '\\' || c == ';') {
            if (dots && count > 0)
                return true;
            dots = c != ';';
            count = 0;
        } else {
            dots = dots && c == '.' && ++count <= 2;
        }
    }
    return dots && count > 0;
}

static bool host_matches(const http_rule *r, slice host)
{
    size_t over;

    if (!r->subdomains)
        return slice_equal(slice_of(r->host, r->host_len), host);
    if (host.len <= r->host_len)
        return false;
    over = host.len - r->host_len;
    return slice_equal(slice_of(r->host, r->host_len), slice_from(host, over));
}

enum http_permission http_rule_allows(const http_rule *r, slice method, slice scheme, slice host,
                                      uint16_t port, slice path)
{
    uint16_t own = slice_equal_str(scheme, "https") ? 443 : 80;

    if ((r->method && !slice_equal_str(method, r->method)) ||
        (!r->any_port && port != (r->port ? r->port : own)) || (r->host && !host_matches(r, host)))
        return HTTP_DENIED;
    if (!r->any_path && (!pattern_matches(&r->path, path) || may_lead_elsewhere(path)))
        return HTTP_DENIED;
    return r->host && !r->subdomains ? HTTP_BY_NAME : HTTP_ALLOWED;
}

void http_rule_deinit(http_rule *r)
{
    free(r->host);
    *r = (http_rule){0};
}
