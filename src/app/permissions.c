#include "app/permissions.h"

#include "app/http_rule.h"
#include "app/limits.h"
#include "base/record.h"

#include <stdlib.h>

#define KINDS (PERMISSION_CONFIG_READ + 1)

/* In the order of enum permission. */
static const char *const kinds[KINDS] = {
    "kv:read", "kv:write", "storage:read", "storage:write", "events:emit", "invoke", "config:read",
};

typedef struct pattern_list {
    pattern *item;
    size_t count;
} pattern_list;

/* Immutable. */
struct permissions {
    char **text; /* copies, which the patterns look into */
    size_t count;
    pattern_list allowed[KINDS];
    http_rule *http;
    size_t http_count;
};

/* Whether `text` is `name` and a colon, and what stands behind it. */
static bool split(slice text, const char *name, slice *rest)
{
    size_t len = strlen(name);

    if (text.len <= len || text.data[len] != ':' || memcmp(text.data, name, len) != 0)
        return false;
    *rest = slice_of(text.data + len + 1, text.len - len - 1);
    return true;
}

/* The first `parts` parts of a permission, without the colon behind them. */
static slice first_parts(slice text, unsigned parts)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == ':' && --parts == 0)
            return slice_of(text.data, i);
    }
    return text;
}

static int refuse(slice text, error *err)
{
    static const char *const single[] = {"invoke", "http"};
    slice word = first_parts(text, 2);
    const char *nearest = slice_nearest(word, kinds, KINDS);

    if (!nearest) {
        word = first_parts(text, 1);
        nearest = slice_nearest(word, single, sizeof single / sizeof *single);
    }
    if (nearest && slice_equal_str(word, nearest))
        return error_set(err, E_INVALID, "it does not say of what: \"%s:*\" is all of it", nearest);
    if (nearest)
        return error_set(err, E_INVALID, "there is no such permission, did you mean \"%s%.*s\"?",
                         nearest, (int)(text.len - word.len), (const char *)text.data + word.len);
    return error_set(err, E_INVALID,
                     "there is no such permission; there are kv:read, kv:write, storage:read, "
                     "storage:write, events:emit, invoke, config:read and http");
}

static int add_pattern(pattern_list *list, slice text, error *err)
{
    pattern *more;

    if (text.len == 0)
        return error_set(err, E_INVALID, "it does not say of what: \"*\" is all of it");
    more = record_make_room(list->item, list->count, sizeof *more);
    if (!more)
        return error_set(err, E_NO_MEMORY, "a permission");
    list->item = more;
    more[list->count++] = pattern_of(text);
    return 0;
}

static int add_http(permissions *p, slice text, error *err)
{
    http_rule *more = record_make_room(p->http, p->http_count, sizeof *more);
    int rc;

    if (!more)
        return error_set(err, E_NO_MEMORY, "a permission");
    p->http = more;
    rc = http_rule_read(&more[p->http_count], text, err);
    if (rc == 0)
        p->http_count++;
    return rc;
}

static int add(permissions *p, slice text, error *err)
{
    slice rest;

    if (text.len > LIMIT_PERMISSION_BYTES)
        return error_set(err, E_INVALID, "a permission has at most %d bytes",
                         LIMIT_PERMISSION_BYTES);
    for (size_t kind = 0; kind < KINDS; kind++) {
        if (split(text, kinds[kind], &rest))
            return add_pattern(&p->allowed[kind], rest, err);
    }
    if (split(text, "http", &rest))
        return add_http(p, rest, err);
    return refuse(text, err);
}

/* How much of a permission an error shows. */
static size_t shown_bytes(slice text)
{
    return slice_utf8_prefix(slice_of(text.data, text.len < 200 ? text.len : 200));
}

int permissions_create(permissions **out, char *const *text, size_t count, error *err)
{
    permissions *p = NULL;
    int rc = 0;

    *out = NULL;
    if (count > LIMIT_PERMISSIONS)
        return error_set(err, E_INVALID, "a function has at most %d permissions",
                         LIMIT_PERMISSIONS);
    p = calloc(1, sizeof *p);
    if (!p || !(p->text = calloc(count ? count : 1, sizeof *p->text))) {
        rc = error_set(err, E_NO_MEMORY, "permissions");
        goto done;
    }
    for (; p->count < count; p->count++) {
        char *copy = strdup(text[p->count]);

        p->text[p->count] = copy;
        rc = copy ? add(p, slice_str(copy), err) : error_set(err, E_NO_MEMORY, "permissions");
        if (rc) {
            error_prefix(err, "\"%.*s\"", (int)shown_bytes(slice_str(copy)), text[p->count]);
            free(copy);
            goto done;
        }
    }
    *out = p;
    p = NULL;
done:
    permissions_destroy(p);
    return rc;
}

bool permissions_allow(const permissions *p, enum permission kind, slice subject)
{
    const pattern_list *list;

    if (!p)
        return false;
    list = &p->allowed[kind];
    for (size_t i = 0; i < list->count; i++) {
        if (pattern_matches(&list->item[i], subject))
            return true;
    }
    return false;
}

bool permissions_any(const permissions *p, enum permission kind)
{
    return p && p->allowed[kind].count > 0;
}

enum http_permission permissions_allow_http(const permissions *p, slice method, slice scheme,
                                            slice host, uint16_t port, slice path)
{
    enum http_permission best = HTTP_DENIED;

    for (size_t i = 0; p && i < p->http_count && best != HTTP_BY_NAME; i++) {
        enum http_permission said = http_rule_allows(&p->http[i], method, scheme, host, port, path);

        if (said > best)
            best = said;
    }
    return best;
}

void permissions_destroy(permissions *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        free(p->text[i]);
    free(p->text);
    for (size_t kind = 0; kind < KINDS; kind++)
        free(p->allowed[kind].item);
    for (size_t i = 0; i < p->http_count; i++)
        http_rule_deinit(&p->http[i]);
    free(p->http);
    free(p);
}
