#include "extism/compiled_plugin_internal.h"
#include "extism/imports.h"

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

int compiled_plugin_link(compiled_plugin *c, error *err)
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
