#include "extism/manifest.h"

#include "base/json.h"
#include "base/toml.h"
#include "extism/limits.h"
#include "extism/manifest_fields.h"

#include <stdio.h>
#include <stdlib.h>

#define REFUSED "Unknown manifest format"

/* Reads the JSON text into `out`, which is empty on failure. `located` says whether it is what the
 * user wrote, so that its lines mean something to him. */
static int read_json(manifest *out, slice text, bool located, error *err)
{
    char where[64] = "";
    record_reader r;
    size_t line;
    size_t column;
    int rc;

    record_init(&r, text);
    rc = manifest_read_fields(&r, out);
    if (rc == 0)
        goto done;
    manifest_deinit(out);
    if (rc == E_NO_MEMORY) {
        error_set(err, rc, "%s", error_code_name(rc));
        goto done;
    }
    if (located) {
        slice_position(text, r.json.at, &line, &column);
        snprintf(where, sizeof where, " (line %zu, column %zu)", line, column);
    }
    error_set(err, rc, REFUSED ": %s%s%s%s", r.path, r.path[0] ? ": " : "", error_text(&r.err),
              where);
done:
    record_deinit(&r);
    return rc;
}

static int read_toml(manifest *out, slice text, error *err)
{
    error why = {0};
    buf json;
    int rc;

    /* Escaping makes a byte six at the most; names and punctuation stand in both texts. */
    buf_init(&json, text.len * 6 + 64);
    rc = toml_to_json(text, &json, NULL, &why);
    if (rc == 0)
        rc = read_json(out, buf_slice(&json), false, err);
    else if (rc == E_INVALID)
        error_set(err, rc, REFUSED ": not JSON, and as TOML: %s", error_text(&why));
    else
        error_set(err, rc, "%s", error_text(&why));
    buf_deinit(&json);
    error_deinit(&why);
    return rc;
}

int manifest_parse(manifest *out, slice text, error *err)
{
    json_reader start = {.text = text};
    enum json_kind first = json_peek(&start);
    int rc;

    *out = (manifest){0};
    if (text.len > LIMIT_MANIFEST_BYTES)
        return error_set(err, E_TOO_LARGE, REFUSED ": larger than %lu bytes", LIMIT_MANIFEST_BYTES);
    if (!slice_is_utf8(text))
        return error_set(err, E_INVALID, REFUSED ": not UTF-8 from byte %zu on",
                         slice_utf8_prefix(text));
    /* No TOML text begins with a brace; with a bracket, both can begin. */
    if (first == JSON_OBJECT)
        return read_json(out, text, true, err);
    rc = read_toml(out, text, err);
    if (rc == E_INVALID && first == JSON_ARRAY && read_json(out, text, true, NULL) == 0) {
        error_deinit(err);
        return 0;
    }
    return rc;
}

/* A copy of a text that may be NULL; false when memory runs out. */
static bool copy_text(char **out, const char *text)
{
    *out = text ? strdup(text) : NULL;
    return *out || !text;
}

static bool copy_hosts(manifest *out, const manifest *from)
{
    out->has_allowed_hosts = from->has_allowed_hosts;
    if (from->allowed_hosts_count == 0)
        return true;
    out->allowed_hosts = calloc(from->allowed_hosts_count, sizeof *out->allowed_hosts);
    if (!out->allowed_hosts)
        return false;
    out->allowed_hosts_count = from->allowed_hosts_count;
    for (size_t i = 0; i < from->allowed_hosts_count; i++) {
        if (!copy_text(&out->allowed_hosts[i], from->allowed_hosts[i]))
            return false;
    }
    return true;
}

static bool copy_paths(manifest *out, const manifest *from)
{
    if (from->allowed_paths_count == 0)
        return true;
    out->allowed_paths = calloc(from->allowed_paths_count, sizeof *out->allowed_paths);
    if (!out->allowed_paths)
        return false;
    out->allowed_paths_count = from->allowed_paths_count;
    for (size_t i = 0; i < from->allowed_paths_count; i++) {
        const manifest_path *p = &from->allowed_paths[i];

        out->allowed_paths[i].read_only = p->read_only;
        if (!copy_text(&out->allowed_paths[i].host, p->host) ||
            !copy_text(&out->allowed_paths[i].guest, p->guest))
            return false;
    }
    return true;
}

int manifest_copy_settings(manifest *out, const manifest *from)
{
    *out = (manifest){
        .has_max_pages = from->has_max_pages,
        .max_pages = from->max_pages,
        .has_max_http_response_bytes = from->has_max_http_response_bytes,
        .max_http_response_bytes = from->max_http_response_bytes,
        .has_max_var_bytes = from->has_max_var_bytes,
        .max_var_bytes = from->max_var_bytes,
        .has_timeout_ms = from->has_timeout_ms,
        .timeout_ms = from->timeout_ms,
    };
    if (strmap_copy(&out->config, &from->config) || !copy_hosts(out, from) ||
        !copy_paths(out, from)) {
        manifest_deinit(out);
        return E_NO_MEMORY;
    }
    return 0;
}

static void wasm_deinit(manifest_wasm *w)
{
    free(w->path);
    free(w->data);
    free(w->url);
    free(w->method);
    strmap_deinit(&w->headers);
    free(w->name);
    free(w->hash);
}

void manifest_deinit(manifest *m)
{
    for (size_t i = 0; i < m->wasm_count; i++)
        wasm_deinit(&m->wasm[i]);
    free(m->wasm);
    strmap_deinit(&m->config);
    for (size_t i = 0; i < m->allowed_hosts_count; i++)
        free(m->allowed_hosts[i]);
    free(m->allowed_hosts);
    for (size_t i = 0; i < m->allowed_paths_count; i++) {
        free(m->allowed_paths[i].host);
        free(m->allowed_paths[i].guest);
    }
    free(m->allowed_paths);
    *m = (manifest){0};
}
