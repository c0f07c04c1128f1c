#include "extism/manifest_fields.h"

#include "base/hash.h"
#include "extism/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

/* The fields of one module. */

static int read_path(record_reader *r, void *wasm)
{
    return record_text(r, &((manifest_wasm *)wasm)->path);
}

static int read_url(record_reader *r, void *wasm)
{
    return record_text(r, &((manifest_wasm *)wasm)->url);
}

static int read_headers(record_reader *r, void *wasm)
{
    return record_map(r, &((manifest_wasm *)wasm)->headers);
}

static int read_method(record_reader *r, void *wasm)
{
    return record_optional_text(r, &((manifest_wasm *)wasm)->method);
}

static int read_name(record_reader *r, void *wasm)
{
    return record_optional_text(r, &((manifest_wasm *)wasm)->name);
}

static int read_hash(record_reader *r, void *wasm)
{
    return record_optional_text(r, &((manifest_wasm *)wasm)->hash);
}

typedef struct span {
    uint64_t ptr;
    uint64_t len;
} span;

static int read_ptr(record_reader *r, void *into)
{
    return json_uint(&r->json, UINTPTR_MAX, &((span *)into)->ptr, &r->err);
}

static int read_len(record_reader *r, void *into)
{
    return json_uint(&r->json, LIMIT_MODULE_BYTES, &((span *)into)->len, &r->err);
}

/* Copies memory of this very process. The kernel does it, so that a wrong address is an error and
 * not a crash; where a sandbox forbids the call, the address is taken on trust. */
static bool copy_memory(uint8_t *to, const span *from)
{
    const void *address = (const void *)(uintptr_t)from->ptr;
    struct iovec local = {.iov_base = to, .iov_len = from->len};
    struct iovec remote = {.iov_base = (void *)(uintptr_t)from->ptr, .iov_len = from->len};
    ssize_t got = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);

    if (got < 0 && (errno == ENOSYS || errno == EPERM)) {
        memcpy(to, address, from->len);
        return true;
    }
    return got >= 0 && (size_t)got == from->len;
}

static int read_data_by_address(record_reader *r, manifest_wasm *w)
{
    static const record_shape fields = {
        .fields = {{"ptr", read_ptr}, {"len", read_len}}, .count = 2, .optional_from = 2};
    span from = {0};
    unsigned seen;
    int rc = record_object(r, &fields, &from, &seen);

    if (rc)
        return rc;
    if (seen != 3)
        return error_set(&r->err, E_INVALID, "ptr and len must both be there");
    if (from.len == 0)
        return 0;
    w->data = malloc(from.len);
    if (!w->data)
        return record_no_memory(r);
    w->data_len = from.len;
    if (!copy_memory(w->data, &from))
        return error_set(&r->err, E_INVALID, "no memory of this process is at that address");
    return 0;
}

static int read_data(record_reader *r, void *wasm)
{
    manifest_wasm *w = wasm;
    buf bytes;
    int rc;

    switch (json_peek(&r->json)) {
    case JSON_STRING:
        break;
    case JSON_OBJECT:
    case JSON_ARRAY:
        return read_data_by_address(r, w);
    default:
        return error_set(&r->err, E_INVALID, "expected a base64 string, or ptr and len");
    }
    buf_clear(&r->text);
    rc = json_string(&r->json, &r->text, &r->err);
    if (rc)
        return rc;
    buf_init(&bytes, r->text.len);
    rc = base64_decode(buf_slice(&r->text), &bytes);
    if (rc == E_INVALID)
        error_set(&r->err, rc, "not base64 (the standard alphabet, with padding)");
    else if (rc)
        record_no_memory(r);
    if (rc) {
        buf_deinit(&bytes);
        return rc;
    }
    w->data = bytes.data;
    w->data_len = bytes.len;
    return 0;
}

enum { HAS_PATH = 1, HAS_DATA = 2, HAS_URL = 4, HAS_HEADERS = 8, HAS_METHOD = 16 };

/* In the order of the bits above. */
static const record_shape wasm_shape = {
    .fields = {{"path", read_path},
               {"data", read_data},
               {"url", read_url},
               {"headers", read_headers},
               {"method", read_method},
               {"name", read_name},
               {"hash", read_hash}},
    .count = 7,
    .only_object = true,
};

static int read_wasm_entry(record_reader *r, manifest_wasm *w)
{
    unsigned seen;
    int rc = record_object(r, &wasm_shape, w, &seen);

    if (rc)
        return rc;
    switch (seen & (HAS_PATH | HAS_DATA | HAS_URL)) {
    case HAS_PATH:
        w->kind = MANIFEST_WASM_FILE;
        break;
    case HAS_DATA:
        w->kind = MANIFEST_WASM_DATA;
        break;
    case HAS_URL:
        w->kind = MANIFEST_WASM_URL;
        return 0;
    default:
        return error_set(&r->err, E_INVALID, "must have exactly one of path, data and url");
    }
    if (seen & (HAS_HEADERS | HAS_METHOD))
        return error_set(&r->err, E_INVALID, "headers and method go with url only");
    return 0;
}

static int read_wasm(record_reader *r, void *into)
{
    manifest *m = into;
    size_t path_len = r->path_len;
    int rc = json_enter(&r->json, JSON_ARRAY, &r->err);

    if (rc)
        return rc;
    for (size_t i = 0; (rc = json_next(&r->json, JSON_ARRAY, i, &r->err)) > 0; i++) {
        manifest_wasm *wasm = record_make_room(m->wasm, m->wasm_count, sizeof *wasm);

        if (!wasm)
            return record_no_memory(r);
        m->wasm = wasm;
        m->wasm[m->wasm_count++] = (manifest_wasm){0};
        record_enter_element(r, i);
        rc = read_wasm_entry(r, &m->wasm[i]);
        if (rc)
            return rc;
        record_leave(r, path_len);
    }
    return rc;
}

/* The other fields of a manifest. */

static int read_max_pages(record_reader *r, void *into)
{
    manifest *m = into;
    uint64_t pages = 0;
    int rc = record_optional_uint(r, UINT32_MAX, &m->has_max_pages, &pages);

    m->max_pages = (uint32_t)pages;
    return rc;
}

static int read_max_http(record_reader *r, void *into)
{
    manifest *m = into;

    return record_optional_uint(r, UINT64_MAX, &m->has_max_http_response_bytes,
                                &m->max_http_response_bytes);
}

static int read_max_var(record_reader *r, void *into)
{
    manifest *m = into;

    return record_optional_uint(r, UINT64_MAX, &m->has_max_var_bytes, &m->max_var_bytes);
}

static int read_memory(record_reader *r, void *into)
{
    static const record_shape fields = {.fields = {{"max_pages", read_max_pages},
                                                   {"max_http_response_bytes", read_max_http},
                                                   {"max_var_bytes", read_max_var}},
                                        .count = 3,
                                        .optional_from = 1};
    unsigned seen;

    return record_object(r, &fields, into, &seen);
}

static int read_config(record_reader *r, void *into)
{
    return record_map(r, &((manifest *)into)->config);
}

static int read_allowed_hosts(record_reader *r, void *into)
{
    manifest *m = into;
    size_t path_len = r->path_len;
    int rc;

    if (record_at_null(r))
        return json_null(&r->json, &r->err);
    m->has_allowed_hosts = true;
    rc = json_enter(&r->json, JSON_ARRAY, &r->err);
    if (rc)
        return rc;
    for (size_t i = 0; (rc = json_next(&r->json, JSON_ARRAY, i, &r->err)) > 0; i++) {
        char **hosts = record_make_room(m->allowed_hosts, i, sizeof *hosts);

        if (!hosts)
            return record_no_memory(r);
        m->allowed_hosts = hosts;
        record_enter_element(r, i);
        rc = record_text(r, &hosts[i]);
        if (rc)
            return rc;
        m->allowed_hosts_count++;
        record_leave(r, path_len);
    }
    return rc;
}

/* Makes "ro:/data" -> "/mnt" a path. */
static int add_path(record_reader *r, manifest *m, const strmap_entry *e)
{
    manifest_path *p = &m->allowed_paths[m->allowed_paths_count];
    const char *host = (const char *)e->key;
    const char *guest = (const char *)e->value;

    if (strlen(host) != e->key_len || strlen(guest) != e->value_len)
        return error_set(&r->err, E_INVALID, "must not contain a NUL");
    m->allowed_paths_count++;
    p->read_only = strncmp(host, "ro:", 3) == 0;
    p->host = strdup(p->read_only ? host + 3 : host);
    p->guest = strdup(guest);
    return p->host && p->guest ? 0 : record_no_memory(r);
}

static int read_allowed_paths(record_reader *r, void *into)
{
    manifest *m = into;
    strmap map = {0};
    int rc;

    if (record_at_null(r))
        return json_null(&r->json, &r->err);
    rc = record_map(r, &map);
    if (rc || map.count == 0)
        goto done;
    m->allowed_paths = calloc(map.count, sizeof *m->allowed_paths);
    if (!m->allowed_paths)
        rc = record_no_memory(r);
    for (size_t i = 0; i < map.count && rc == 0; i++)
        rc = add_path(r, m, &map.entry[i]);
done:
    strmap_deinit(&map);
    return rc;
}

static int read_timeout(record_reader *r, void *into)
{
    manifest *m = into;

    return record_optional_uint(r, UINT64_MAX, &m->has_timeout_ms, &m->timeout_ms);
}

int manifest_read_fields(record_reader *r, manifest *out)
{
    static const record_shape fields = {.fields = {{"wasm", read_wasm},
                                                   {"memory", read_memory},
                                                   {"config", read_config},
                                                   {"allowed_hosts", read_allowed_hosts},
                                                   {"allowed_paths", read_allowed_paths},
                                                   {"timeout_ms", read_timeout}},
                                        .count = 6};
    unsigned seen;
    int rc = record_object(r, &fields, out, &seen);

    return rc ? rc : json_end(&r->json, &r->err);
}
