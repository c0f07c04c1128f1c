#include "base/file.h"
#include "base/hash.h"
#include "extism/compiled_plugin_internal.h"
#include "extism/http.h"
#include "extism/limits.h"
#include "extism/wasm_module.h"

#include <errno.h>
#include <stdlib.h>

#define ENV_MODULE "extism:host/env"

static int fetch_url(const manifest_wasm *w, buf *out, error *err)
{
    http_options options = {
        .url = slice_str(w->url),
        .method = w->method,
        .headers = &w->headers,
        .max_response = LIMIT_MODULE_BYTES,
        .any_host = true,
    };
    http_request *request = NULL;
    http_response response = {0};
    int rc = http_request_prepare(&request, &options, err);

    if (rc == 0)
        rc = http_request_finish(request, http_request_perform(request), &response, err);
    if (rc == 0 && response.status >= 400)
        rc = error_set(err, E_IO, "http status: %u", response.status);
    if (rc == 0 && buf_append(out, response.body.data, response.body.len) != 0)
        rc = error_set(err, E_TOO_LARGE, "the module at %s is too large", w->url);
    http_response_deinit(&response);
    http_request_destroy(request);
    return rc;
}

/* The words upstream's Rust has for these. */
static const char *io_word(int rc, int number)
{
    if (rc == E_NOT_FOUND)
        return "entity not found";
    if (number == ENOTDIR)
        return "not a directory";
    if (number == EACCES)
        return "permission denied";
    if (number == EISDIR)
        return "is a directory";
    return "could not be read";
}

static int read_module(const manifest_wasm *w, buf *out, error *err)
{
    int rc = 0;
    switch (w->kind) {
    case MANIFEST_WASM_FILE:
        errno = 0;
        rc = file_read(w->path, out, NULL);
        if (rc != 0)
            return error_set(err, rc, "Unable to load Wasm file \"%s\": %s", w->path,
                             io_word(rc, errno));
        return 0;
    case MANIFEST_WASM_DATA:
        rc = buf_append(out, w->data, w->data_len);
        return rc ? error_set(err, rc, "the module is too large") : 0;
    case MANIFEST_WASM_URL:
        return fetch_url(w, out, err);
    }
    return error_set(err, E_INTERNAL, "a module of no kind");
}

static int check_hash(const manifest_wasm *w, slice bytes, error *err)
{
    char found[SHA256_HEX_BYTES];
    if (!w->hash)
        return 0;
    if (sha256_hex(bytes, found) != 0)
        return error_set(err, E_INTERNAL, "SHA-256 is not available");
    if (strcmp(found, w->hash) == 0)
        return 0;
    return error_set(err, E_INVALID, "Hash mismatch, found %s but expected %s", found, w->hash);
}

/* Whether an embedder's function takes the place of one of the kernel's, which then must stay an
 * import. */
static bool overrides_kernel(const compiled_options *o)
{
    for (size_t i = 0; i < o->function_count; i++) {
        if (strcmp(o->functions[i]->name_space, ENV_MODULE) == 0 &&
            wasm_link_is_kernel_function(slice_str(o->functions[i]->name)))
            return true;
    }
    return false;
}

static int add_member(compiled_plugin *c, const char *name, slice bytes, error *err)
{
    module_options options = {
        .mode = c->merged ? LINK_MERGED : LINK_IMPORTED,
        .slack_pages = SLACK_PAGES,
        .slack_with_wasi = c->merged && c->options.http,
        .fuel = c->options.has_fuel,
        .use_cache = true,
    };
    struct compiled_member *m = &c->members[c->member_count];
    int rc;

    for (size_t i = 0; i <= c->member_count; i++) {
        const char *taken = i < c->member_count ? c->members[i].name : ENV_MODULE;
        if (strcmp(taken, name) == 0)
            return error_set(err, E_INVALID, "Duplicate module name found in Extism manifest: %s",
                             name);
    }
    if (!(m->name = strdup(name)))
        return error_set(err, E_NO_MEMORY, "out of memory while loading a module");
    rc = module_create(&m->mod, bytes, &options, err);
    if (rc != 0) {
        free(m->name);
        m->name = NULL;
        return rc;
    }
    c->member_count++;
    return compiled_plugin_add_patches(m, err);
}

static bool has_member(const compiled_plugin *c, const char *name)
{
    for (size_t i = 0; i <= c->member_count; i++) {
        const char *taken = i < c->member_count ? c->members[i].name : ENV_MODULE;
        if (strcmp(taken, name) == 0)
            return true;
    }
    return false;
}

static library *find_library(const compiled_options *o, slice name)
{
    for (size_t i = 0; i < o->library_count; i++) {
        if (slice_equal_str(name, library_name(o->libraries[i])))
            return o->libraries[i];
    }
    return NULL;
}

/* Whether a module imports from a library, so that it is not the plug-in's only one. */
static bool uses_library(const compiled_options *o, slice bytes)
{
    wasm_module parsed;
    wasm_import import;

    if (o->library_count == 0 || wasm_module_parse(&parsed, bytes, NULL) != 0 ||
        parsed.import_count == 0)
        return false;
    wasm_reader r = wasm_reader_of(parsed.section[WASM_SECTION_IMPORT]);
    wasm_read_u32(&r);
    for (uint32_t i = 0; i < parsed.import_count; i++) {
        wasm_read_import(&r, &import);
        if (find_library(o, import.module))
            return true;
    }
    return false;
}

static int add_library(compiled_plugin *c, library *l, error *err)
{
    struct compiled_member *m = &c->members[c->member_count];
    int rc;

    if (c->options.has_fuel)
        return error_set(err, E_INVALID, "%s cannot be used with a fuel limit", library_name(l));
    if (!(m->name = strdup(library_name(l))))
        return error_set(err, E_NO_MEMORY, "out of memory while loading a module");
    c->member_count++;
    rc = library_module(l, &m->mod, err);
    return rc ? rc : compiled_plugin_add_patches(m, err);
}

/* Adds those that the modules import from, and that are not among them. */
static int add_libraries(compiled_plugin *c, const compiled_options *o, error *err)
{
    int rc = 0;

    for (size_t i = 0; i < c->member_count && o->library_count > 0; i++) {
        const module_interface *m = &c->members[i].mod->interface;
        for (size_t k = 0; k < m->import_count && rc == 0; k++) {
            library *l = find_library(o, m->imports[k].module);
            if (l && !has_member(c, library_name(l)))
                rc = add_library(c, l, err);
        }
    }
    return rc;
}

static int load_manifest(compiled_plugin *c, const manifest *m, const compiled_options *o,
                         error *err)
{
    int rc = manifest_copy_settings(&c->manifest, m);

    if (rc != 0)
        return error_set(err, rc, "out of memory while loading a manifest");
    if (m->wasm_count == 0)
        return error_set(err, E_INVALID, "No wasm files specified in Extism manifest");
    if (!(c->members = calloc(m->wasm_count + o->library_count, sizeof *c->members)))
        return error_set(err, E_NO_MEMORY, "out of memory while loading a manifest");
    c->merged = m->wasm_count == 1 && !overrides_kernel(&c->options);
    for (size_t i = 0; i < m->wasm_count && rc == 0; i++) {
        const manifest_wasm *w = &m->wasm[i];
        const char *name = w->name ? w->name : COMPILED_MAIN;
        buf bytes;
        /* The last module is the main one when no other is. */
        if (m->wasm_count == 1 || (i == m->wasm_count - 1 && !has_member(c, COMPILED_MAIN)))
            name = COMPILED_MAIN;
        buf_init(&bytes, LIMIT_MODULE_BYTES);
        rc = read_module(w, &bytes, err);
        rc = rc ? rc : check_hash(w, buf_slice(&bytes), err);
        c->merged = c->merged && rc == 0 && !uses_library(o, buf_slice(&bytes));
        rc = rc ? rc : add_member(c, name, buf_slice(&bytes), err);
        buf_deinit(&bytes);
    }
    return rc;
}

/* Binary or text, as opposed to a manifest; upstream's rules. */
static bool is_module(slice s)
{
    static const uint8_t magic[4] = {0, 'a', 's', 'm'};
    if (s.len >= 4 && memcmp(s.data, magic, 4) == 0)
        return true;
    if (!slice_is_utf8(s))
        return true; /* the engine says what is wrong with it */
    size_t at = 0;
    while (at < s.len && memchr(" \t\r\n\f\v", s.data[at], 6))
        at++;
    if (s.len - at >= 2 && (memcmp(s.data + at, ";;", 2) == 0 || memcmp(s.data + at, "(;", 2) == 0))
        return true;
    if (s.len - at <= 2 || s.data[0] != '(')
        return false;
    at++;
    while (at < s.len && memchr(" \t\r\n\f\v", s.data[at], 6))
        at++;
    return s.len - at >= 6 && memcmp(s.data + at, "module", 6) == 0;
}

int compiled_plugin_load(compiled_plugin *c, slice source, const compiled_options *o, error *err)
{
    manifest m = {0};
    int rc;

    if (is_module(source)) {
        if (!(c->members = calloc(1 + o->library_count, sizeof *c->members)))
            return error_set(err, E_NO_MEMORY, "out of memory while loading a module");
        c->merged = !overrides_kernel(&c->options) && !uses_library(o, source);
        rc = add_member(c, COMPILED_MAIN, source, err);
        return rc ? rc : add_libraries(c, o, err);
    }
    rc = manifest_parse(&m, source, err);
    rc = rc ? rc : load_manifest(c, &m, o, err);
    rc = rc ? rc : add_libraries(c, o, err);
    manifest_deinit(&m);
    return rc;
}
