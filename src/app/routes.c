#include "app/routes.h"

#include "app/limits.h"

#include <stdlib.h>
#include <string.h>

/* Open addressing; at most half of the places are taken. */
struct routes {
    size_t mask;
    function *place[];
};

static uint64_t hash(slice s)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < s.len; i++)
        h = (h ^ s.data[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 32;
}

/* Where this route stands, or the free place where it belongs. */
static size_t place_of(const routes *r, slice route)
{
    size_t at = hash(route) & r->mask;

    while (r->place[at] && !slice_equal_str(route, r->place[at]->route))
        at = (at + 1) & r->mask;
    return at;
}

int routes_of_name(const char *name, buf *out)
{
    size_t len = strlen(name);
    int rc;

    if (strcmp(name, "index") == 0)
        len = 0;
    else if (len > 6 && strcmp(name + len - 6, "/index") == 0)
        len -= 6;
    rc = buf_append_byte(out, '/');
    return rc ? rc : buf_append(out, name, len);
}

static int check_route(const function *f, error *err)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "-_.~/";
    size_t len = strlen(f->route);

    if (f->route[0] != '/' || f->route[strspn(f->route, allowed)] || strstr(f->route, "//") ||
        len > LIMIT_ROUTE_BYTES || (len > 1 && f->route[len - 1] == '/'))
        return error_set(err, E_INVALID,
                         "function \"%s\": \"%s\" is not a route: it begins with a slash and ends "
                         "with none, and has only letters, digits, '-', '_', '.', '~' and single "
                         "slashes in it",
                         f->name, f->route);
    if (strcmp(f->route, "/healthz") == 0)
        return error_set(err, E_INVALID, "function \"%s\": the route /healthz is the server's own",
                         f->name);
    return 0;
}

int routes_create(routes **out, function *functions, size_t count, error *err)
{
    size_t places = 16;
    routes *r;
    int rc = 0;

    *out = NULL;
    while (places < count * 2)
        places *= 2;
    r = calloc(1, sizeof *r + places * sizeof *r->place);
    if (!r)
        return error_set(err, E_NO_MEMORY, "out of memory for %zu routes", count);
    r->mask = places - 1;
    for (size_t i = 0; i < count && rc == 0; i++) {
        function *f = &functions[i];
        function **place = &r->place[place_of(r, slice_str(f->route))];

        rc = check_route(f, err);
        if (rc == 0 && *place)
            rc = error_set(err, E_INVALID, "functions \"%s\" and \"%s\" have the same route %s",
                           (*place)->name, f->name, f->route);
        *place = f;
    }
    if (rc == 0) {
        *out = r;
        r = NULL;
    }
    routes_destroy(r);
    return rc;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False for what no route can be. */
static bool unescape(slice path, uint8_t out[LIMIT_ROUTE_BYTES], size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < path.len; i++) {
        uint8_t c = path.data[i];

        if (c == '%') {
            int high = path.len - i > 2 ? hex_value(path.data[i + 1]) : -1;
            int low = path.len - i > 2 ? hex_value(path.data[i + 2]) : -1;

            /* An escaped slash is a letter of a name, and no name has one. */
            if (high < 0 || low < 0 || (c = (uint8_t)(high << 4 | low)) == '/')
                return false;
            i += 2;
        }
        if (*len == LIMIT_ROUTE_BYTES)
            return false;
        out[(*len)++] = c;
    }
    return true;
}

function *routes_find(const routes *r, slice path)
{
    uint8_t plain[LIMIT_ROUTE_BYTES];
    size_t len;

    if (path.len > 1 && path.data[path.len - 1] == '/')
        path.len--;
    if (path.len && memchr(path.data, '%', path.len)) {
        if (!unescape(path, plain, &len))
            return NULL;
        path = slice_of(plain, len);
    }
    return r->place[place_of(r, path)];
}

void routes_destroy(routes *r)
{
    free(r);
}
