#include "cli/call_manifest.h"

#include "base/file.h"
#include "base/json.h"
#include "extism/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Writes JSON; after the first failure it does nothing more. */
typedef struct writer {
    buf *out;
    error *err;
    int rc;
} writer;

static void put(writer *w, const char *text)
{
    if (w->rc == 0 && (w->rc = buf_append_str(w->out, text)) != 0)
        error_set(w->err, w->rc, "%s", error_code_name(w->rc));
}

static void put_number(writer *w, const char *before, uint64_t number)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, number);
    put(w, before);
    put(w, text);
}

static void put_string(writer *w, const char *before, slice text)
{
    put(w, before);
    if (w->rc)
        return;
    if (!slice_is_utf8(text))
        w->rc = error_set(w->err, E_INVALID, "\"%.*s\" is not UTF-8", (int)text.len, text.data);
    else if ((w->rc = json_put_string(w->out, text)) != 0)
        error_set(w->err, w->rc, "%s", error_code_name(w->rc));
}

static void put_map(writer *w, const char *before, const strmap *map)
{
    put(w, before);
    for (size_t i = 0; i < map->count; i++) {
        const strmap_entry *e = &map->entry[i];

        put_string(w, i ? "," : "{", slice_of(e->key, e->key_len));
        put_string(w, ":", slice_of(e->value, e->value_len));
    }
    put(w, map->count ? "}" : "{}");
}

static bool is_url(const char *file)
{
    return strncmp(file, "http://", 7) == 0 || strncmp(file, "https://", 8) == 0;
}

/* The members of an entry that say where the module is. A path that cannot be read is told here
 * and now, in the system's words. */
static void put_place(writer *w, const char *file)
{
    if (w->rc == 0 && !is_url(file) && access(file, R_OK) != 0)
        w->rc = error_set(w->err, errno == ENOENT ? E_NOT_FOUND : E_IO, "%s: %s", file,
                          strerror(errno));
    put_string(w, is_url(file) ? "{\"url\":" : "{\"path\":", slice_str(file));
}

/* A module of --link: NAME=PATH, or a path alone, whose last part without its ending is the name. */
static void put_link(writer *w, const char *text)
{
    const char *file = strchr(text, '=');
    const char *name = text;
    size_t name_len;

    if (file) {
        name_len = (size_t)(file++ - text);
    } else {
        const char *slash = strrchr(text, '/');
        const char *dot;

        file = text;
        name = slash ? slash + 1 : text;
        dot = strrchr(name, '.');
        name_len = dot ? (size_t)(dot - name) : strlen(name);
    }
    put_place(w, file);
    put_string(w, ",\"name\":", slice_of(name, name_len));
    put(w, "}");
}

/* A module of the manifest that was read. What stood there as base64 is named by its address. */
static void put_module(writer *w, const manifest_wasm *m)
{
    switch (m->kind) {
    case MANIFEST_WASM_FILE:
        put_string(w, "{\"path\":", slice_str(m->path));
        break;
    case MANIFEST_WASM_DATA:
        put_number(w, "{\"data\":{\"ptr\":", (uintptr_t)m->data);
        put_number(w, ",\"len\":", m->data_len);
        put(w, "}");
        break;
    case MANIFEST_WASM_URL:
        put_string(w, "{\"url\":", slice_str(m->url));
        put_map(w, ",\"headers\":", &m->headers);
        if (m->method)
            put_string(w, ",\"method\":", slice_str(m->method));
        break;
    }
    if (m->name)
        put_string(w, ",\"name\":", slice_str(m->name));
    if (m->hash)
        put_string(w, ",\"hash\":", slice_str(m->hash));
    put(w, "}");
}

static void put_modules(writer *w, const call_options *o, const manifest *base)
{
    size_t count = 0;

    put(w, "{\"wasm\":[");
    for (size_t i = 0; i < o->links.count; i++) {
        put(w, count++ ? "," : "");
        put_link(w, o->links.item[i]);
    }
    for (size_t i = 0; i < base->wasm_count; i++) {
        put(w, count++ ? "," : "");
        put_module(w, &base->wasm[i]);
    }
    if (!o->is_manifest) {
        put(w, count ? "," : "");
        put_place(w, o->file);
        put(w, "}");
    }
    put(w, "]");
}

static void put_hosts(writer *w, const call_list *more, const manifest *base)
{
    size_t count = 0;

    put(w, ",\"allowed_hosts\":[");
    for (size_t i = 0; i < base->allowed_hosts_count; i++)
        put_string(w, count++ ? "," : "", slice_str(base->allowed_hosts[i]));
    for (size_t i = 0; i < more->count; i++)
        put_string(w, count++ ? "," : "", slice_str(more->item[i]));
    put(w, "]");
}

/* HOST, HOST:GUEST or ro:HOST:GUEST. A directory of the name "ro" can be given too, as ro:GUEST. */
static int add_path(strmap *paths, const char *text)
{
    bool read_only = strncmp(text, "ro:", 3) == 0 && strchr(text + 3, ':');
    const char *colon = strchr(read_only ? text + 3 : text, ':');

    if (!colon)
        return strmap_set(paths, slice_str(text), slice_str(text));
    return strmap_set(paths, slice_of(text, (size_t)(colon - text)), slice_str(colon + 1));
}

static int add_base_path(strmap *paths, const manifest_path *p)
{
    char *key = NULL;
    int rc;

    if (asprintf(&key, "%s%s", p->read_only ? "ro:" : "", p->host) < 0)
        return E_NO_MEMORY;
    rc = strmap_set(paths, slice_str(key), slice_str(p->guest));
    free(key);
    return rc;
}

static void put_paths(writer *w, const call_list *more, const manifest *base)
{
    strmap paths = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < base->allowed_paths_count; i++)
        rc = add_base_path(&paths, &base->allowed_paths[i]);
    for (size_t i = 0; rc == 0 && i < more->count; i++)
        rc = add_path(&paths, more->item[i]);
    if (rc && w->rc == 0)
        w->rc = error_set(w->err, rc, "%s", error_code_name(rc));
    put_map(w, ",\"allowed_paths\":", &paths);
    strmap_deinit(&paths);
}

static void put_limits(writer *w, const manifest *m)
{
    const char *comma = "";

    put(w, ",\"memory\":{");
    if (m->has_max_pages) {
        put_number(w, "\"max_pages\":", m->max_pages);
        comma = ",";
    }
    if (m->has_max_http_response_bytes) {
        put(w, comma);
        put_number(w, "\"max_http_response_bytes\":", m->max_http_response_bytes);
        comma = ",";
    }
    if (m->has_max_var_bytes) {
        put(w, comma);
        put_number(w, "\"max_var_bytes\":", m->max_var_bytes);
    }
    put(w, "}");
    if (m->has_timeout_ms)
        put_number(w, ",\"timeout_ms\":", m->timeout_ms);
}

static int read_base(const char *path, manifest *out, error *err)
{
    buf text;
    int rc;

    buf_init(&text, LIMIT_MANIFEST_BYTES);
    rc = file_read(path, &text, err);
    if (rc == 0) {
        rc = manifest_parse(out, buf_slice(&text), err);
        if (rc)
            error_prefix(err, "%s", path);
    }
    buf_deinit(&text);
    return rc;
}

/* Puts over the manifest what the flags set. */
static int set_over(const call_options *o, manifest *m, error *err)
{
    for (size_t i = 0; i < o->config.count; i++) {
        const strmap_entry *e = &o->config.entry[i];

        if (strmap_set(&m->config, slice_of(e->key, e->key_len), slice_of(e->value, e->value_len)))
            return error_set(err, E_NO_MEMORY, "out of memory");
    }
    if (o->memory_pages > 0) {
        m->has_max_pages = true;
        m->max_pages = o->memory_pages;
    }
    if (o->http_response_max >= 0) {
        m->has_max_http_response_bytes = true;
        m->max_http_response_bytes = (uint64_t)o->http_response_max;
    }
    if (o->var_max >= 0) {
        m->has_max_var_bytes = true;
        m->max_var_bytes = (uint64_t)o->var_max;
    }
    if (o->timeout_ms > 0) {
        m->has_timeout_ms = true;
        m->timeout_ms = o->timeout_ms;
    }
    return 0;
}

int call_manifest_make(const call_options *o, call_manifest *out, error *err)
{
    writer w = {.out = &out->json, .err = err};
    int rc;

    *out = (call_manifest){0};
    buf_init(&out->json, LIMIT_MANIFEST_BYTES);
    rc = o->is_manifest ? read_base(o->file, &out->base, err) : 0;
    if (rc == 0)
        rc = set_over(o, &out->base, err);
    if (rc)
        return rc;
    put_modules(&w, o, &out->base);
    put_hosts(&w, &o->hosts, &out->base);
    put_paths(&w, &o->paths, &out->base);
    put_map(&w, ",\"config\":", &out->base.config);
    put_limits(&w, &out->base);
    put(&w, "}");
    return w.rc;
}

void call_manifest_deinit(call_manifest *m)
{
    manifest_deinit(&m->base);
    buf_deinit(&m->json);
}
