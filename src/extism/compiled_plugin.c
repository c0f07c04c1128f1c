#include "extism/compiled_plugin_internal.h"

#include "extism/instance.h"
#include "extism/limits.h"
#include "extism/shared_linker.h"

#include <stdlib.h>

/* Whether an instance can be made as new after a call. */
static bool can_recycle(const compiled_plugin *c)
{
    for (size_t i = 0; i < c->member_count; i++) {
        const module *m = c->members[i].mod;
        if (!m->recyclable || m->min_pages > LIMIT_IMAGE_PAGES)
            return false;
    }
    return true;
}

/* One that leaves behind only what the host can save: memories and numbers. */
static bool can_prepare(const compiled_plugin *c)
{
    if (!c->recyclable || !c->options.http || !c->prepare || c->prepare->kind != WASM_KIND_FUNC ||
        c->prepare->params != 0 || c->prepare->results != 1 || c->prepare->result != WASM_I32_TYPE)
        return false;
    for (size_t i = 0; i < c->member_count; i++) {
        if (!c->members[i].mod->saves_globals)
            return false;
    }
    return true;
}

void compiled_plugin_decide(compiled_plugin *c)
{
    c->recyclable = can_recycle(c);
    c->prepare =
        module_interface_find(&compiled_plugin_main(c)->interface, slice_str(COMPILED_PREPARE));
    atomic_init(&c->prepare_stage, can_prepare(c) ? PREPARE_WANTED : PREPARE_NONE);
}

int compiled_plugin_add_patches(struct compiled_member *m, error *err)
{
    m->begun = calloc((size_t)m->mod->memory_count + 1, sizeof *m->begun);
    m->prepared = calloc((size_t)m->mod->memory_count + 1, sizeof *m->prepared);
    m->globals = calloc((size_t)m->mod->global_count + 1, sizeof *m->globals);
    if (!m->begun || !m->prepared || !m->globals)
        return error_set(err, E_NO_MEMORY, "out of memory while loading a module");
    return 0;
}

static void member_deinit(struct compiled_member *m)
{
    for (uint32_t k = 0; m->mod && k < m->mod->memory_count; k++) {
        memory_patch_destroy(m->begun ? m->begun[k] : NULL);
        memory_patch_destroy(m->prepared ? m->prepared[k] : NULL);
    }
    free(m->begun);
    free(m->prepared);
    free(m->globals);
    free(m->name);
    module_unref(m->mod);
}

static bool is_entry(const struct module_export *e)
{
    static const char *const others[] = {"_initialize", "__wasm_call_ctors", "hs_init", "hs_exit",
                                         COMPILED_PREPARE};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (slice_equal_str(e->name, others[i]))
            return false;
    }
    return e->kind == WASM_KIND_FUNC && e->params == 0 && e->results <= 1;
}

/* Chooses between the main module's functions once, for compiled_plugin_entry. */
static int find_entry(compiled_plugin *c, error *err)
{
    const module *m = compiled_plugin_main(c);
    const struct module_export *only = NULL;
    size_t count = 0;

    for (size_t i = 0; i < m->interface.export_count; i++) {
        if (is_entry(&m->interface.exports[i])) {
            only = &m->interface.exports[i];
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
    const struct module_export *e =
        module_interface_find(&compiled_plugin_main(c)->interface, slice_str(preferred));
    return e && is_entry(e) ? preferred : c->entry_name;
}

const error *compiled_plugin_problem(const compiled_plugin *c)
{
    return c->link_error.code ? &c->link_error : NULL;
}

static int copy_options(compiled_plugin *c, const compiled_options *o, error *err)
{
    c->options = *o;
    c->options.functions = calloc(o->function_count + 1, sizeof *c->options.functions);
    c->options.function_count = 0;
    c->options.libraries = NULL;
    c->options.library_count = 0;
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
    rc = rc ? rc : compiled_plugin_load(c, source, options, err);
    rc = rc ? rc : compiled_plugin_agree_on_engine(c, err);
    if (rc == 0) {
        /* What is wrong from here on is wrong with a plug-in and not with its modules, and is told
         * when one is made. */
        if (compiled_plugin_order(c, &c->link_error) == 0 &&
            compiled_plugin_link(c, &c->link_error) == 0)
            error_deinit(&c->link_error);
        compiled_plugin_decide(c);
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
    if ((rc = copy_options(s, &c->options, err)) != 0)
        goto done;
    if ((rc = manifest_copy_settings(&s->manifest, &c->manifest)) != 0) {
        error_set(err, rc, "out of memory while loading a plug-in");
        goto done;
    }
    for (size_t i = 0; i < c->member_count && rc == 0; i++) {
        struct compiled_member *m = &s->members[s->member_count++];
        m->name = strdup(c->members[i].name);
        if (!m->name)
            rc = error_set(err, E_NO_MEMORY, "out of memory while loading a plug-in");
        rc = rc ? rc : module_move(&m->mod, c->members[i].mod, ENGINE_ON_DEMAND, err);
        rc = rc ? rc : compiled_plugin_add_patches(m, err);
    }
    rc = rc ? rc : compiled_plugin_link(s, err);
    if (rc == 0) {
        compiled_plugin_decide(s);
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
    shared_linker_unref(c->shared_linker);
    for (size_t i = 0; i < c->member_count; i++)
        member_deinit(&c->members[i]);
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
