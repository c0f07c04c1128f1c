#include "extism/http_fields.h"

#include "base/buf.h"
#include "base/http_text.h"

#include <stdlib.h>

#define FIELDS_MAX 1024
#define FIELDS_BYTES_MAX (128 * 1024)

static char lower_case(uint8_t c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* Appends a line of libcurl's form; `line` ends in a NUL. */
static int append_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (!longer)
        return E_NO_MEMORY;
    *list = longer;
    return 0;
}

/* Appends "name: value". What has no value must be written "name;", or libcurl drops it. */
static int append_field(struct curl_slist **list, slice name, slice value)
{
    char *line = NULL;
    int len = asprintf(&line, "%.*s%s%.*s", (int)name.len, (const char *)name.data,
                       value.len ? ": " : ";", (int)value.len, (const char *)value.data);
    int rc;

    if (len < 0)
        return E_NO_MEMORY;
    for (size_t i = 0; i < name.len; i++)
        line[i] = lower_case(name.data[i]);
    rc = append_line(list, line);
    free(line);
    return rc;
}

static int check_length(slice value, size_t body_len, error *err)
{
    uint64_t length = 0;

    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9' || length > UINT32_MAX * 10ULL)
            return error_set(err, E_INVALID, "protocol: content-length header not a number");
        length = length * 10 + (value.data[i] - '0');
    }
    if (value.len == 0)
        return error_set(err, E_INVALID, "protocol: content-length header not a number");
    if (length < body_len)
        return error_set(err, E_INVALID,
                         "protocol: attempt to write larger body than content-length");
    if (length > body_len)
        return error_set(err, E_INVALID,
                         "protocol: attempt to write smaller body than content-length");
    return 0;
}

/* The fields that say where the body ends are libcurl's to write. `*handled` becomes true for them:
 * checked, and not for the list. */
static int check_framing(slice name, slice value, size_t body_len, bool *handled, error *err)
{
    *handled = true;
    if (http_is_word(name, "content-length"))
        return check_length(value, body_len, err);
    if (http_is_word(name, "transfer-encoding")) {
        if (http_is_word(value, "chunked"))
            return 0;
        return error_set(err, E_INVALID, "protocol: the only transfer-encoding is chunked");
    }
    *handled = false;
    return 0;
}

static int check_field(const strmap_entry *e, size_t *bytes, error *err)
{
    if (!http_is_token(slice_of(e->key, e->key_len)))
        return error_set(err, E_INVALID, "invalid HTTP header name");
    if (!http_is_field_value(slice_of(e->value, e->value_len)))
        return error_set(err, E_INVALID, "failed to parse header value");
    if (e->key_len > FIELDS_BYTES_MAX - *bytes ||
        e->value_len > FIELDS_BYTES_MAX - *bytes - e->key_len)
        return error_set(err, E_TOO_LARGE, "more than %d bytes of HTTP headers", FIELDS_BYTES_MAX);
    *bytes += e->key_len + e->value_len;
    return 0;
}

static int append_given(struct curl_slist **list, const strmap *headers, size_t body_len,
                        slice *host, error *err)
{
    size_t bytes = 0;

    if (headers->count > FIELDS_MAX)
        return error_set(err, E_TOO_LARGE, "more than %d HTTP headers", FIELDS_MAX);
    for (size_t i = 0; i < headers->count; i++) {
        const strmap_entry *e = &headers->entry[i];
        slice name = slice_of(e->key, e->key_len);
        slice value = slice_of(e->value, e->value_len);
        bool handled;
        int rc = check_field(e, &bytes, err);

        if (rc == 0)
            rc = check_framing(name, value, body_len, &handled, err);
        if (rc)
            return rc;
        if (http_is_word(name, "host")) {
            if (host->data)
                return error_set(err, E_INVALID, "protocol: more than one host header");
            *host = value;
        }
        if (!handled && append_field(list, name, value))
            return error_set(err, E_NO_MEMORY, "HTTP headers");
    }
    return 0;
}

static bool is_given(const struct curl_slist *list, const char *name)
{
    size_t len = strlen(name);

    for (; list; list = list->next) {
        if (strncmp(list->data, name, len) == 0 &&
            (list->data[len] == ':' || list->data[len] == ';'))
            return true;
    }
    return false;
}

int http_fields_build(struct curl_slist **out, const strmap *headers, size_t body_len, slice *host,
                      error *err)
{
    /* "name:" keeps libcurl from adding a field of its own. */
    static const struct {
        const char *name;
        const char *line;
    } defaults[] = {
        {"accept-encoding", "accept-encoding: gzip"},
        {"content-type", "content-type:"},
        {"expect", "expect:"},
    };
    struct curl_slist *list = NULL;
    int rc = 0;

    *out = NULL;
    *host = (slice){0};
    if (headers)
        rc = append_given(&list, headers, body_len, host, err);
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults && rc == 0; i++) {
        if (!is_given(list, defaults[i].name) && append_line(&list, defaults[i].line))
            rc = error_set(err, E_NO_MEMORY, "HTTP headers");
    }
    if (rc) {
        curl_slist_free_all(list);
        return rc;
    }
    *out = list;
    return 0;
}

static bool is_dropped(const struct curl_slist *field, bool same_host)
{
    const struct curl_slist alone = {.data = field->data};

    return is_given(&alone, "authorization") || is_given(&alone, "cookie") ||
           (!same_host && is_given(&alone, "host"));
}

int http_fields_redirect(struct curl_slist **list, bool same_host)
{
    struct curl_slist *kept = NULL;

    for (const struct curl_slist *field = *list; field; field = field->next) {
        if (!is_dropped(field, same_host) && append_line(&kept, field->data)) {
            curl_slist_free_all(kept);
            return E_NO_MEMORY;
        }
    }
    curl_slist_free_all(*list);
    *list = kept;
    return 0;
}
