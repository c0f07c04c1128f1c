#include "extism/compiled_plugin_internal.h"
#include "extism/imports.h"
#include "extism/shared_linker.h"

#include <stdio.h>
#include <stdlib.h>

#define ENV_MODULE "extism:host/env"
#define WASI_MODULE "wasi_snapshot_preview1"

/* Moves member `i` in front of `*done`, after those that it imports from. */
static int place_member(compiled_plugin *c, size_t i, size_t *done, unsigned depth, error *err)
{
    const char *name = c->members[i].name;
    module *mod = c->members[i].mod;

    if (depth > c->member_count)
        return error_set(err, E_INVALID, "modules import from each other in a circle: %s", name);
    for (size_t k = 0; k < mod->interface.import_count; k++) {
        for (size_t j = *done; j < c->member_count; j++) {
            if (c->members[j].mod == mod ||
                !slice_equal_str(mod->interface.imports[k].module, c->members[j].name))
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

int compiled_plugin_order(compiled_plugin *c, error *err)
{
    size_t done = 0;
    int rc = 0;

    qsort(c->members, c->member_count, sizeof *c->members, compare_members);
    while (done < c->member_count && rc == 0)
        rc = place_member(c, done, &done, 0, err);
    for (size_t i = 0; i < c->member_count; i++) {
        if (strcmp(c->members[i].name, COMPILED_MAIN) == 0)
            c->main = i;
    }
    return rc;
}

/* All modules of a plug-in run on one engine. */
int compiled_plugin_agree_on_engine(compiled_plugin *c, error *err)
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
        module_unref(c->members[i].mod);
        c->members[i].mod = moved;
    }
    return 0;
}

static const char *kind_name(enum wasm_extern_kind kind)
{
    switch (kind) {
    case WASM_KIND_FUNC:
        return "function";
    case WASM_KIND_GLOBAL:
        return "global";
    case WASM_KIND_TABLE:
        return "table";
    case WASM_KIND_MEMORY:
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
static int check_env_import(const compiled_plugin *c, const struct module_import *import,
                            error *err)
{
    bool known = wasm_link_is_kernel_function(import->name) ||
                 imports_is_env_function(import->name) || embedder_provides(c, import) ||
                 slice_equal_str(import->name, "memory") ||
                 slice_equal_str(import->name, "extism_context") ||
                 slice_equal_str(import->name, c->merged ? LINK_IMPORT_OPEN : LINK_IMPORT_CHARGE);

    if (known && import->kind != WASM_KIND_FUNC)
        return error_set(err, E_INVALID,
                         "linked modules cannot access non-function exports of extism kernel");
    if (known)
        return 0;
    return error_set(err, E_INVALID,
                     "Invalid %s import from extism:host/env: %.*s %.*s\n\n"
                     "Note: This may indicate that the PDK that was used to build this plugin has "
                     "additional features that aren't available in this version of the SDK, try "
                     "updating the SDK to the latest version.",
                     kind_name(import->kind), (int)import->name.len,
                     (const char *)import->name.data, (int)import->type.len,
                     (const char *)import->type.data);
}

/* A function that was built for another version of its language's runtime. */
static int check_runtime(const compiled_plugin *c, const struct module_import *import, error *err)
{
    static const char prefix[] = "ubiq:";
    slice from = import->module;

    if (from.len < sizeof prefix || memcmp(from.data, prefix, sizeof prefix - 1) != 0)
        return 0;
    for (size_t i = 0; i < c->member_count; i++) {
        if (slice_equal_str(from, c->members[i].name))
            return 0;
    }
    return error_set(err, E_INVALID,
                     "it was built for the runtime %.*s, which is not here: build it again, or "
                     "with --manifest for programs that have no runtimes",
                     (int)from.len, (const char *)from.data);
}

static int check_imports(compiled_plugin *c, error *err)
{
    for (size_t i = 0; i < c->member_count; i++) {
        const module *m = c->members[i].mod;
        for (size_t k = 0; k < m->interface.import_count; k++) {
            if (slice_equal_str(m->interface.imports[k].module, WASI_MODULE)) {
                c->uses_wasi = c->options.wasi;
                c->needs_wasi_state |=
                    c->options.wasi && !imports_is_stateless_wasi(c, &m->interface.imports[k]);
            }
            int rc = slice_equal_str(m->interface.imports[k].module, ENV_MODULE)
                         ? check_env_import(c, &m->interface.imports[k], err)
                         : check_runtime(c, &m->interface.imports[k], err);
            if (rc != 0)
                return rc;
        }
    }
    return 0;
}

int compiled_plugin_link(compiled_plugin *c, error *err)
{
    int rc = check_imports(c, err);

    rc = rc ? rc : shared_linker_get(&c->shared_linker, c, err);
    if (rc == 0 && c->merged)
        rc = engine_error(
            err, E_INVALID,
            wasmtime_linker_instantiate_pre(c->linker, c->members[0].mod->wasm, &c->pre), NULL);
    if (rc == 0 && !c->merged)
        rc = module_kernel(c->engine, &c->kernel, err);
    return rc;
}
