#include "app/route_text.h"

#include "app/limits.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* Whether the text has only these characters in it, and at least one. */
static bool has_only(slice text, const char *characters)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!text.data[i] || !strchr(characters, text.data[i]))
            return false;
    }
    return text.len > 0;
}

static int no_memory(error *err)
{
    return error_set(err, E_NO_MEMORY, "out of memory for a route");
}

static int put(buf *out, char mark, slice name, error *err)
{
    int rc = mark ? buf_append_byte(out, (uint8_t)mark) : 0;

    rc = rc ? rc : buf_append(out, name.data, name.len);
    return rc ? no_memory(err) : 0;
}

/* "[id]" or "[...rest]" */
static int put_param(slice text, bool is_last, buf *out, error *err)
{
    bool is_rest = text.len > 5 && memcmp(text.data, "[...", 4) == 0;
    size_t before = is_rest ? 4 : 1;
    slice name = slice_of(text.data + before, text.len > before ? text.len - before - 1 : 0);

    if (text.data[text.len - 1] != ']' || !has_only(name, LETTERS DIGITS "_") ||
        strchr(DIGITS, name.data[0]))
        return error_set(
            err, E_INVALID,
            "\"%.*s\" is no parameter, such as [id] or [...rest]: its name has letters, "
            "digits and '_' in it and begins with no digit",
            (int)text.len, (const char *)text.data);
    if (is_rest && !is_last)
        return error_set(err, E_INVALID,
                         "\"%.*s\" stands for all that is left, so nothing can follow",
                         (int)text.len, (const char *)text.data);
    return put(out, is_rest ? '*' : ':', name, err);
}

static int put_segment(slice text, bool is_last, buf *out, error *err)
{
    if (text.len && text.data[0] == '[')
        return put_param(text, is_last, out, err);
    if (!has_only(text, LETTERS DIGITS "-_.~") || slice_equal_str(text, ".") ||
        slice_equal_str(text, ".."))
        return error_set(
            err, E_INVALID,
            "\"%.*s\" is no part of a route: it has letters, digits, '-', '_', '.' and "
            "'~' in it, or is a parameter, such as [id]",
            (int)text.len, (const char *)text.data);
    return put(out, 0, text, err);
}

/* A parameter's name must tell which one it is. */
static int check_params(slice route, error *err)
{
    slice name[LIMIT_ROUTE_PARAMS];
    size_t count = 0;
    route_segment s;

    while (route_next(&route, &s)) {
        if (s.kind == SEGMENT_TEXT)
            continue;
        if (count == LIMIT_ROUTE_PARAMS)
            return error_set(err, E_INVALID, "it has more than %d parameters", LIMIT_ROUTE_PARAMS);
        for (size_t i = 0; i < count; i++) {
            if (slice_equal(name[i], s.text))
                return error_set(err, E_INVALID, "two parameters are called \"%.*s\"",
                                 (int)s.text.len, (const char *)s.text.data);
        }
        name[count++] = s.text;
    }
    return 0;
}

/* Appends the route of the segments in `text`, between which slashes stand. */
static int convert(slice text, buf *out, error *err)
{
    size_t start = out->len;
    int rc = 0;

    if (text.len == 0)
        return buf_append_byte(out, '/') ? no_memory(err) : 0;
    while (rc == 0 && text.data) {
        const uint8_t *slash = memchr(text.data, '/', text.len);
        size_t len = slash ? (size_t)(slash - text.data) : text.len;

        rc = buf_append_byte(out, '/') ? no_memory(err) : 0;
        rc = rc ? rc : put_segment(slice_of(text.data, len), !slash, out, err);
        text = slash ? slice_of(slash + 1, text.len - len - 1) : slice_of(NULL, 0);
    }
    if (rc == 0 && out->len - start > LIMIT_ROUTE_BYTES)
        rc = error_set(err, E_INVALID, "it is longer than %d bytes", LIMIT_ROUTE_BYTES);
    return rc ? rc : check_params(slice_of(out->data + start, out->len - start), err);
}

int route_of_pattern(const char *pattern, buf *out, error *err)
{
    size_t len = strlen(pattern);
    int rc;

    if (pattern[0] != '/' || (len > 1 && pattern[len - 1] == '/'))
        return error_set(err, E_INVALID,
                         "\"%s\" is not a route: it begins with a slash and ends with none",
                         pattern);
    rc = convert(slice_of(pattern + 1, len - 1), out, err);
    return rc ? error_prefix(err, "\"%s\" is not a route", pattern) : 0;
}

int route_of_name(const char *name, buf *out, error *err)
{
    size_t len = strlen(name);

    if (strchr(name, '~'))
        return error_set(err, E_INVALID, "a function's name has no '~' in it");
    if (strcmp(name, "index") == 0)
        len = 0;
    else if (len > 6 && strcmp(name + len - 6, "/index") == 0)
        len -= 6;
    return convert(slice_of(name, len), out, err);
}

bool route_next(slice *rest, route_segment *out)
{
    const uint8_t *slash;
    slice text = *rest;

    if (text.len < 2)
        return false;
    text = slice_of(text.data + 1, text.len - 1);
    slash = memchr(text.data, '/', text.len);
    if (slash) {
        *rest = slice_of(slash, (size_t)(text.data + text.len - slash));
        text.len = (size_t)(slash - text.data);
    } else {
        *rest = slice_of(NULL, 0);
    }
    out->kind = text.data[0] == ':'   ? SEGMENT_PARAM
                : text.data[0] == '*' ? SEGMENT_REST
                                      : SEGMENT_TEXT;
    if (out->kind != SEGMENT_TEXT)
        text = slice_of(text.data + 1, text.len - 1);
    out->text = text;
    return true;
}

bool route_has_params(const char *route)
{
    return strpbrk(route, ":*") != NULL;
}
