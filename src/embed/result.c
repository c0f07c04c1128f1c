#include "embed/embed_internal.h"

#include "server/headers.h"

#include <stdlib.h>

struct ubiq_result {
    int code;
    int status;
    char *error;
    char *output;
    size_t output_len;
    char id[INVOCATION_ID_BYTES];
    char *headers; /* name, NUL, value, NUL, and so on */
    const char **name;
    const char **value;
    size_t header_count;
};

static const int codes[] = {
    [LOCAL_OK] = UBIQ_OK,
    [LOCAL_NOT_FOUND] = UBIQ_NOT_FOUND,
    [LOCAL_TOO_LARGE] = UBIQ_TOO_LARGE,
    [LOCAL_FAILED] = UBIQ_FAILED,
    [LOCAL_BUSY] = UBIQ_BUSY,
    [LOCAL_TIMEOUT] = UBIQ_TIMEOUT,
    [LOCAL_CANCELLED] = UBIQ_CANCELLED,
    [LOCAL_STOPPED] = UBIQ_STOPPED,
};

/* A copy with a NUL behind it. */
static char *copy(slice s)
{
    char *text = malloc(s.len + 1);

    if (!text)
        return NULL;
    if (s.len)
        memcpy(text, s.data, s.len);
    text[s.len] = '\0';
    return text;
}

ubiq_result *result_of_error(int code, const char *text)
{
    ubiq_result *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->code = code;
    r->error = strdup(text);
    r->output = calloc(1, 1);
    if (r->error && r->output)
        return r;
    ubiq_result_free(r);
    return NULL;
}

static size_t count_lines(slice lines)
{
    header_line line;
    size_t n = 0;

    while (headers_next(&lines, &line))
        n++;
    return n;
}

/* Whether it is about the connection that a request did not have. */
static bool is_about_connection(slice name)
{
    return headers_name_equal(name, slice_str("Connection"));
}

/* Puts a NUL behind `s`, which has more of its line behind it; its text. */
static const char *end_text(char *text, slice from, slice s)
{
    char *start = text + (s.data - from.data);

    start[s.len] = '\0';
    return start;
}

static bool take_headers(ubiq_result *r, slice lines)
{
    const size_t count = count_lines(lines);
    slice rest = lines;
    header_line line;

    r->headers = copy(lines);
    r->name = calloc(count + 1, sizeof *r->name);
    r->value = calloc(count + 1, sizeof *r->value);
    if (!r->headers || !r->name || !r->value)
        return false;
    while (headers_next(&rest, &line)) {
        if (is_about_connection(line.name))
            continue;
        r->name[r->header_count] = end_text(r->headers, lines, line.name);
        r->value[r->header_count] = end_text(r->headers, lines, line.value);
        r->header_count++;
    }
    return true;
}

ubiq_result *result_of_outcome(const local_outcome *o)
{
    ubiq_result *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->code = codes[o->end];
    r->status = o->status;
    memcpy(r->id, o->id, strlen(o->id) + 1);
    r->error = copy(o->text);
    r->output = copy(o->output);
    r->output_len = o->output.len;
    if (r->error && r->output && take_headers(r, o->headers))
        return r;
    ubiq_result_free(r);
    return NULL;
}

EXPORT int ubiq_result_code(const ubiq_result *r)
{
    return r ? r->code : UBIQ_NO_MEMORY;
}

EXPORT const char *ubiq_result_error(const ubiq_result *r)
{
    return r ? r->error : "out of memory";
}

EXPORT const void *ubiq_result_output(const ubiq_result *r, size_t *len)
{
    *len = r ? r->output_len : 0;
    return r ? r->output : "";
}

EXPORT const char *ubiq_result_invocation(const ubiq_result *r)
{
    return r ? r->id : "";
}

EXPORT int ubiq_result_status(const ubiq_result *r)
{
    return r ? r->status : 0;
}

EXPORT size_t ubiq_result_header_count(const ubiq_result *r)
{
    return r ? r->header_count : 0;
}

EXPORT const char *ubiq_result_header_name(const ubiq_result *r, size_t i)
{
    return r && i < r->header_count ? r->name[i] : "";
}

EXPORT const char *ubiq_result_header_value(const ubiq_result *r, size_t i)
{
    return r && i < r->header_count ? r->value[i] : "";
}

EXPORT void ubiq_result_free(ubiq_result *r)
{
    if (!r)
        return;
    free(r->error);
    free(r->output);
    free(r->headers);
    free(r->name);
    free(r->value);
    free(r);
}
