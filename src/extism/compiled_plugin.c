#include "extism/compiled_plugin_internal.h"

#include "base/file.h"
#include "base/hash.h"
#include "extism/http.h"
#include "extism/imports.h"
#include "extism/instance.h"
#include "extism/limits.h"
#include "extism/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define ENV_MODULE "extism:host/env"
#define WASI_MODULE "wasi_snapshot_preview1"
#define MAIN "main"

/* --- the modules' bytes -------------------------------------------------------------------------- */

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
        .fuel = c->options.has_fuel,
        .use_cache = true,
    };
    struct compiled_member *m = &c->members[c->member_count];
    int rc;

    for (size_t i = 0; i < c->member_count; i++) {
        if (strcmp(c->members[i].name, name) == 0)
            return error_set(err, E_INVALID,
                             "Duplicate module name found in Extism manifest: %s", name);
    }
    if (!(m->name = strdup(name)))
        return error_set(err, E_NO_MEMORY, "out of memory while loading a module");
    rc = module_create(&m->mod, bytes, &options, err);
    if (rc != 0) {
        free(m->name);
        m->name = NULL;
        return rc;
    }
    if (!(m->images = calloc((size_t)m->mod->memory_count + 1, sizeof(memory_image *))))
        rc = error_set(err, E_NO_MEMORY, "out of memory while loading a module");
    c->member_count++;
    return rc;
}

static bool has_member(const compiled_plugin *c, const char *name)
{
    for (size_t i = 0; i < c->member_count; i++) {
        if (strcmp(c->members[i].name, name) == 0)
            return true;
    }
    return false;
}

static int load_manifest(compiled_plugin *c, const manifest *m, error *err)
{
    int rc = manifest_copy_settings(&c->manifest, m);

    if (rc != 0)
        return error_set(err, rc, "out of memory while loading a manifest");
    if (m->wasm_count == 0)
        return error_set(err, E_INVALID, "No wasm files specified in Extism manifest");
    if (!(c->members = calloc(m->wasm_count, sizeof *c->members)))
        return error_set(err, E_NO_MEMORY, "out of memory while loading a manifest");
    c->merged = m->wasm_count == 1 && !overrides_kernel(&c->options);
    for (size_t i = 0; i < m->wasm_count && rc == 0; i++) {
        const manifest_wasm *w = &m->wasm[i];
        const char *name = w->name ? w->name : MAIN;
        buf bytes;
        /* The last module is the main one when no other is. */
        if (m->wasm_count == 1 || (i == m->wasm_count - 1 && !has_member(c, MAIN)))
            name = MAIN;
        buf_init(&bytes, LIMIT_MODULE_BYTES);
        rc = read_module(w, &bytes, err);
        rc = rc ? rc : check_hash(w, buf_slice(&bytes), err);
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

static int load_source(compiled_plugin *c, slice source, error *err)
{
    manifest m = {0};
    int rc;

    if (is_module(source)) {
        if (!(c->members = calloc(1, sizeof *c->members)))
            return error_set(err, E_NO_MEMORY, "out of memory while loading a module");
        c->merged = !overrides_kernel(&c->options);
        return add_member(c, MAIN, source, err);
    }
    rc = manifest_parse(&m, source, err);
    rc = rc ? rc : load_manifest(c, &m, err);
    manifest_deinit(&m);
    return rc;
}

/* --- linking -------------------------------------------------------------------------------------- */

/* Moves member `i` in front of `*done`, after those that it imports from. */
static int place_member(compiled_plugin *c, size_t i, size_t *done, unsigned depth, error *err)
{
    const char *name = c->members[i].name;
    module *mod = c->members[i].mod;

    if (depth > c->member_count)
        return error_set(err, E_INVALID, "modules import from each other in a circle: %s", name);
    for (size_t k = 0; k < mod->import_count; k++) {
        for (size_t j = *done; j < c->member_count; j++) {
            if (c->members[j].mod == mod ||
                !slice_equal_str(mod->imports[k].module, c->members[j].name))
                continue;
            int rc = place_member(c, j, done, depth + 1, err);
            if (rc != 0)
                return rc;
            break;
        }
    }
    for (i = *done; c->members[i].mod != mod; i++)
        ;
    struct compiled_member moved = c->members[i];
    memmove(&c->members[*done + 1], &c->members[*done], (i - *done) * sizeof moved);
    c->members[(*done)++] = moved;
    return 0;
}

static int compare_members(const void *a, const void *b)
{
    return strcmp(((const struct compiled_member *)a)->name,
                  ((const struct compiled_member *)b)->name);
}

static int order_members(compiled_plugin *c, error *err)
{
    size_t done = 0;
    int rc = 0;

    qsort(c->members, c->member_count, sizeof *c->members, compare_members);
    while (done < c->member_count && rc == 0)
        rc = place_member(c, done, &done, 0, err);
    for (size_t i = 0; i < c->member_count; i++) {
        if (strcmp(c->members[i].name, MAIN) == 0)
            c->main = i;
    }
    return rc;
}

/* All modules of a plug-in run on one engine. */
static int agree_on_engine(compiled_plugin *c, error *err)
{
    c->engine = c->members[0].mod->engine;
    for (size_t i = 1; i < c->member_count; i++) {
        if (c->members[i].mod->engine != c->engine)
            c->engine = ENGINE_ON_DEMAND;
    }
    for (size_t i = 0; i < c->member_count; i++) {
        module *moved;
        if (c->members[i].mod->engine == c->engine)
            continue;
        int rc = module_move(&moved, c->members[i].mod, c->engine, err);
        if (rc != 0)
            return rc;
        module_destroy(c->members[i].mod);
        c->members[i].mod = moved;
    }
    return 0;
}

/* "(type (func (param i64) (result i64)))" and the like, as the engine prints types. */
static void print_import_type(const struct module_import *import, char *out, size_t size)
{
    static const char *const names[] = {[WASM_I32] = "i32", [WASM_I64] = "i64", [WASM_F32] = "f32",
                                        [WASM_F64] = "f64"};
    size_t n = 0;
    if (import->kind != WASM_EXTERN_FUNC) {
        out[0] = '\0';
        return;
    }
    const wasm_functype_t *f = wasm_externtype_as_functype_const(import->type);
    const wasm_valtype_vec_t *lists[] = {wasm_functype_params(f), wasm_functype_results(f)};
    n += (size_t)snprintf(out, size, "(type (func");
    for (int part = 0; part < 2; part++) {
        for (size_t i = 0; i < lists[part]->size && n + 32 < size; i++) {
            wasm_valkind_t kind = wasm_valtype_kind(lists[part]->data[i]);
            n += (size_t)snprintf(out + n, size - n, "%s %s",
                                  i > 0 ? "" : (part ? " (result" : " (param"),
                                  kind < sizeof names / sizeof names[0] ? names[kind] : "ref");
        }
        if (lists[part]->size)
            n += (size_t)snprintf(out + n, size - n, ")");
    }
    snprintf(out + n, size - n, "))");
}

static const char *kind_name(wasm_externkind_t kind)
{
    switch (kind) {
    case WASM_EXTERN_FUNC:
        return "function";
    case WASM_EXTERN_GLOBAL:
        return "global";
    case WASM_EXTERN_TABLE:
        return "table";
    case WASM_EXTERN_MEMORY:
        return "memory";
    default:
        return "tag";
    }
}

static bool embedder_provides(const compiled_plugin *c, const struct module_import *import)
{
    for (size_t i = 0; i < c->options.function_count; i++) {
        if (slice_equal_str(import->module, c->options.functions[i]->name_space) &&
            slice_equal_str(import->name, c->options.functions[i]->name))
            return true;
    }
    return false;
}

/* What a module may import from extism:host/env. */
static int check_env_import(const compiled_plugin *c, const struct module_import *import, error *err)
{
    char type[512];
    bool known = wasm_link_is_kernel_function(import->name) || imports_is_env_function(import->name) ||
                 embedder_provides(c, import) || slice_equal_str(import->name, "memory") ||
                 slice_equal_str(import->name, c->merged ? LINK_IMPORT_OPEN : LINK_IMPORT_CHARGE);

    if (known && import->kind != WASM_EXTERN_FUNC)
        return error_set(err, E_INVALID,
                         "linked modules cannot access non-function exports of extism kernel");
    if (known)
        return 0;
    print_import_type(import, type, sizeof type);
    return error_set(err, E_INVALID,
                     "Invalid %s import from extism:host/env: %.*s %s\n\n"
                     "Note: This may indicate that the PDK that was used to build this plugin has "
                     "additional features that aren't available in this version of the SDK, try "
                     "updating the SDK to the latest version.",
                     kind_name(import->kind), (int)import->name.len,
                     (const char *)import->name.data, type);
}

static int check_imports(compiled_plugin *c, error *err)
{
    for (size_t i = 0; i < c->member_count; i++) {
        const module *m = c->members[i].mod;
        for (size_t k = 0; k < m->import_count; k++) {
            if (slice_equal_str(m->imports[k].module, WASI_MODULE))
                c->uses_wasi = c->options.wasi;
            if (!slice_equal_str(m->imports[k].module, ENV_MODULE))
                continue;
            int rc = check_env_import(c, &m->imports[k], err);
            if (rc != 0)
                return rc;
        }
    }
    return 0;
}

static int link(compiled_plugin *c, error *err)
{
    wasm_engine_t *engine;
    int rc = engine_get(c->engine, &engine, err);

    rc = rc ? rc : check_imports(c, err);
    if (rc != 0)
        return rc;
    c->linker = wasmtime_linker_new(engine);
    wasmtime_linker_allow_shadowing(c->linker, true);
    rc = imports_define(c, err);
    if (rc == 0 && c->merged)
        rc = engine_error(err, E_INVALID,
                          wasmtime_linker_instantiate_pre(c->linker, c->members[0].mod->wasm, &c->pre),
                          NULL);
    if (rc == 0 && !c->merged)
        rc = module_kernel(c->engine, &c->kernel, err);
    return rc;
}

static bool can_recycle(const compiled_plugin *c)
{
    for (size_t i = 0; i < c->member_count; i++) {
        if (!c->members[i].mod->recyclable)
            return false;
    }
    return true;
}

static bool is_entry(const struct module_export *e)
{
    static const char *const others[] = {"_initialize", "__wasm_call_ctors", "hs_init", "hs_exit"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (slice_equal_str(e->name, others[i]))
            return false;
    }
    return e->kind == WASM_EXTERN_FUNC && e->params == 0 && e->results <= 1;
}

/* Chooses between the main module's functions once, for compiled_plugin_entry. */
static int find_entry(compiled_plugin *c, error *err)
{
    const module *m = compiled_plugin_main(c);
    const struct module_export *only = NULL;
    size_t count = 0;

    for (size_t i = 0; i < m->export_count; i++) {
        if (is_entry(&m->exports[i])) {
            only = &m->exports[i];
            count++;
        }
    }
    if (count != 1)
        return 0;
    c->entry_name = strndup((const char *)only->name.data, only->name.len);
    return c->entry_name ? 0 : error_set(err, E_NO_MEMORY, "out of memory while loading a plug-in");
}

const char *compiled_plugin_entry(const compiled_plugin *c, const char *preferred)
{
    const struct module_export *e = module_find_export(compiled_plugin_main(c), slice_str(preferred));
    return e && is_entry(e) ? preferred : c->entry_name;
}

const error *compiled_plugin_problem(const compiled_plugin *c)
{
    return c->link_error.code ? &c->link_error : NULL;
}

/* --- life ----------------------------------------------------------------------------------------- */

static int copy_options(compiled_plugin *c, const compiled_options *o, error *err)
{
    c->options = *o;
    c->options.functions = calloc(o->function_count + 1, sizeof *c->options.functions);
    c->options.function_count = 0;
    if (!c->options.functions)
        return error_set(err, E_NO_MEMORY, "out of memory while loading a plug-in");
    for (size_t i = 0; i < o->function_count; i++)
        c->options.functions[c->options.function_count++] = host_function_ref(o->functions[i]);
    return 0;
}

static compiled_plugin *alloc_plugin(void)
{
    compiled_plugin *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    atomic_init(&c->refs, 1);
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

int compiled_plugin_create(compiled_plugin **out, slice source, const compiled_options *options,
                           error *err)
{
    compiled_plugin *c = alloc_plugin();
    int rc;

    *out = NULL;
    if (!c)
        return error_set(err, E_NO_MEMORY, "out of memory while loading a plug-in");
    rc = copy_options(c, options, err);
    rc = rc ? rc : load_source(c, source, err);
    rc = rc ? rc : agree_on_engine(c, err);
    if (rc == 0) {
        /* What is wrong from here on is wrong with a plug-in and not with its modules, and is told
         * when one is made. */
        if (order_members(c, &c->link_error) == 0)
            link(c, &c->link_error);
        c->recyclable = can_recycle(c);
        rc = find_entry(c, err);
    }
    if (rc == 0) {
        *out = c;
        c = NULL;
    }
    compiled_plugin_unref(c);
    return rc;
}

int compiled_plugin_spare(compiled_plugin *c, compiled_plugin **out, error *err)
{
    compiled_plugin *s = NULL;
    int rc = 0;

    *out = NULL;
    pthread_mutex_lock(&c->lock);
    if (c->spare)
        goto done;
    if (!(s = alloc_plugin()) || !(s->members = calloc(c->member_count, sizeof *s->members))) {
        rc = error_set(err, E_NO_MEMORY, "out of memory while loading a plug-in");
        goto done;
    }
    s->merged = c->merged;
    s->main = c->main;
    s->engine = ENGINE_ON_DEMAND;
    if ((rc = copy_options(s, &c->options, err)) != 0 ||
        (rc = manifest_copy_settings(&s->manifest, &c->manifest)) != 0)
        goto done;
    for (size_t i = 0; i < c->member_count && rc == 0; i++) {
        struct compiled_member *m = &s->members[s->member_count++];
        m->name = strdup(c->members[i].name);
        m->images = calloc((size_t)c->members[i].mod->memory_count + 1, sizeof *m->images);
        if (!m->name || !m->images)
            rc = error_set(err, E_NO_MEMORY, "out of memory while loading a plug-in");
        else
            rc = module_move(&m->mod, c->members[i].mod, ENGINE_ON_DEMAND, err);
    }
    rc = rc ? rc : link(s, err);
    if (rc == 0) {
        s->recyclable = can_recycle(s);
        c->spare = s;
        s = NULL;
    }
done:
    *out = c->spare;
    pthread_mutex_unlock(&c->lock);
    compiled_plugin_unref(s);
    return rc;
}

compiled_plugin *compiled_plugin_ref(compiled_plugin *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void compiled_plugin_unref(compiled_plugin *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) > 1)
        return;
    instance_destroy_idle(c);
    compiled_plugin_unref(c->spare);
    if (c->pre)
        wasmtime_instance_pre_delete(c->pre);
    if (c->linker)
        wasmtime_linker_delete(c->linker);
    for (size_t i = 0; i < c->member_count; i++) {
        struct compiled_member *m = &c->members[i];
        for (uint32_t k = 0; m->images && m->mod && k < m->mod->memory_count; k++)
            memory_image_destroy(m->images[k]);
        free(m->images);
        free(m->name);
        module_destroy(m->mod);
    }
    free(c->members);
    for (size_t i = 0; i < c->options.function_count; i++)
        host_function_unref(c->options.functions[i]);
    free(c->options.functions);
    manifest_deinit(&c->manifest);
    error_deinit(&c->link_error);
    free(c->entry_name);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
