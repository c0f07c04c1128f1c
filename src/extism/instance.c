#include "extism/instance_internal.h"

#include "base/clock.h"
#include "base/stack.h"
#include "extism/engine_signals.h"
#include "extism/imports.h"
#include "extism/limits.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define ENV_MODULE "extism:host/env"

/* Runs at every epoch that passes while guest code runs. */
static wasmtime_error_t *on_epoch(const wasmtime_context_t *context, void *data, uint64_t *delta,
                                  wasmtime_update_deadline_kind_t *kind)
{
    instance *i = data;
    plugin_state *s = i->state;

    (void)context;
    *delta = 1;
    *kind = s && s->yields ? WASMTIME_UPDATE_DEADLINE_YIELD : WASMTIME_UPDATE_DEADLINE_CONTINUE;
    if (!s || (!atomic_load_explicit(&s->cancelled, memory_order_relaxed) &&
               (!s->has_deadline || clock_ns() < s->deadline_ns)))
        return NULL;
    s->interrupted = true;
    return wasmtime_error_new("timeout");
}

/* Waits for a future that does not suspend. */
static void finish_future(wasmtime_call_future_t *future)
{
    while (!wasmtime_call_future_poll(future))
        ;
    wasmtime_call_future_delete(future);
}

static int instantiate(instance *i, size_t member, const wasmtime_linker_t *linker, error *err)
{
    const compiled_plugin *c = i->code;
    wasmtime_instance_t *out = &i->members[member].instance;
    wasm_trap_t *trap = NULL;
    wasmtime_error_t *e = NULL;
    int rc;

    if (!c->options.http)
        e = c->merged ? wasmtime_instance_pre_instantiate(c->pre, i->context, out, &trap)
                      : wasmtime_linker_instantiate(linker, i->context, c->members[member].mod->wasm,
                                                    out, &trap);
    else
        finish_future(c->merged
                          ? wasmtime_instance_pre_instantiate_async(c->pre, i->context, out, &trap, &e)
                          : wasmtime_linker_instantiate_async(linker, i->context,
                                                              c->members[member].mod->wasm, out,
                                                              &trap, &e));
    rc = engine_error(err, trap ? E_TRAP : E_INVALID, e, trap);
    /* No memory, or no more mappings. */
    if (rc == E_INVALID && err && strstr(error_text(err), "os error 12"))
        rc = err->code = E_BUSY;
    return rc;
}

static bool get_export(const instance *i, size_t member, const char *name, wasmtime_extern_kind_t kind,
                       wasmtime_extern_t *out)
{
    return wasmtime_instance_export_get(i->context, &i->members[member].instance, name, strlen(name),
                                        out) &&
           out->kind == kind;
}

static int find_globals(instance *i, size_t member, error *err)
{
    wasmtime_extern_t item;

    for (uint32_t k = 0; k < i->code->members[member].mod->global_count; k++) {
        char name[64];
        snprintf(name, sizeof name, "%s%u", LINK_EXPORT_GLOBAL, k);
        if (!get_export(i, member, name, WASMTIME_EXTERN_GLOBAL, &item))
            return error_set(err, E_INTERNAL, "a linked module lacks its global");
        i->members[member].globals[k] = item.of.global;
    }
    return 0;
}

/* Finds what restoring needs, and takes the images of the memories if this is the module's first
 * instance: before the members behind it are made, which may write to its memories. */
static int inspect_member(instance *i, size_t member, error *err)
{
    struct compiled_member *m = &i->code->members[member];
    struct member_instance *own = &i->members[member];
    wasmtime_extern_t item;
    int rc = 0;

    if (!get_export(i, member, LINK_EXPORT_RESET, WASMTIME_EXTERN_FUNC, &item))
        return error_set(err, E_INTERNAL, "a linked module lacks its reset function");
    own->reset = item.of.func;
    for (uint32_t k = 0; k < m->mod->memory_count && rc == 0; k++) {
        char name[64];
        snprintf(name, sizeof name, "%s%u", LINK_EXPORT_MEMORY, k);
        if (!get_export(i, member, name, WASMTIME_EXTERN_MEMORY, &item))
            return error_set(err, E_INTERNAL, "a linked module lacks its memory");
        own->memories[k] = item.of.memory;
        const memory_image *image;
        if (i->code->recyclable)
            rc = module_memory_image(m->mod, k, wasmtime_memory_data(i->context, &item.of.memory),
                                     wasmtime_memory_data_size(i->context, &item.of.memory), &image,
                                     err);
    }
    return rc ? rc : find_globals(i, member, err);
}

/* Adds a function of () -> (). */
static void add_initializer(instance *i, const wasmtime_extern_t *item, const char *context)
{
    i->initializers[i->initializer_count++] =
        (struct instance_initializer){.func = item->of.func, .context = context};
}

static bool plain_function(const module *m, const char *name)
{
    const struct module_export *e = module_interface_find(&m->interface, slice_str(name));
    return e && e->kind == WASM_KIND_FUNC && e->params == 0 && e->results == 0;
}

/* Haskell's own start-up takes an argument count and vector; it is given two zeros. */
static void add_hs_init(instance *i, const module *m, const wasmtime_extern_t *item)
{
    const struct module_export *e = module_interface_find(&m->interface, slice_str("hs_init"));
    i->initializers[i->initializer_count++] = (struct instance_initializer){
        .func = item->of.func,
        .unfit = e->params != 2 || !e->only_i32,
        .params = 2,
        .results = e->results,
        .context = "failed to initialize Haskell using hs_init",
    };
}

/* The start-up functions of language runtimes, by upstream's rules. */
static void list_main_initializers(instance *i, size_t member)
{
    const module *m = i->code->members[member].mod;
    bool initialize = plain_function(m, "_initialize");
    wasmtime_extern_t item;

    if (get_export(i, member, "hs_init", WASMTIME_EXTERN_FUNC, &item)) {
        wasmtime_extern_t reactor;
        if (initialize && get_export(i, member, "_initialize", WASMTIME_EXTERN_FUNC, &reactor))
            add_initializer(i, &reactor, "failed to initialize Haskell reactor runtime");
        add_hs_init(i, m, &item);
    } else if (get_export(i, member, "__wasm_call_ctors", WASMTIME_EXTERN_FUNC, &item)) {
        if (plain_function(m, "__wasm_call_ctors"))
            add_initializer(i, &item, "failed to initialize wasi runtime");
    } else if (initialize && get_export(i, member, "_initialize", WASMTIME_EXTERN_FUNC, &item)) {
        add_initializer(i, &item, "failed to initialize wasi runtime");
    }
}

static void list_initializers(instance *i, size_t member)
{
    const module *m = i->code->members[member].mod;
    wasmtime_extern_t item;

    if (m->has_start && get_export(i, member, LINK_EXPORT_START, WASMTIME_EXTERN_FUNC, &item))
        add_initializer(i, &item, "");
    if (member == i->code->main)
        list_main_initializers(i, member);
    else if (plain_function(m, "_initialize") &&
             get_export(i, member, "_initialize", WASMTIME_EXTERN_FUNC, &item))
        add_initializer(i, &item, "");
}

/* Upstream refuses a main module whose own memories begin over the limit. */
static int check_initial_pages(const compiled_plugin *c, error *err)
{
    if (c->manifest.has_max_pages && compiled_plugin_main(c)->min_pages > c->manifest.max_pages)
        return error_set(err, E_TOO_LARGE, "oom");
    return 0;
}

static int make_merged(instance *i, error *err)
{
    wasmtime_extern_t item;
    int rc = instantiate(i, 0, NULL, err);

    if (rc == 0 && !get_export(i, 0, LINK_EXPORT_KERNEL_MEMORY, WASMTIME_EXTERN_MEMORY, &item))
        rc = error_set(err, E_INTERNAL, "a linked module lacks the kernel's memory");
    if (rc == 0)
        i->kernel = item.of.memory;
    return rc ? rc : inspect_member(i, 0, err);
}

static int define_instance(instance *i, wasmtime_linker_t *linker, const char *name,
                           const wasmtime_instance_t *made, error *err)
{
    return engine_error(err, E_INVALID,
                        wasmtime_linker_define_instance(linker, i->context, name, strlen(name), made),
                        NULL);
}

/* The kernel first, then each module, each seeing the exports of those before it. */
static int make_linked(instance *i, error *err)
{
    wasmtime_linker_t *linker = wasmtime_linker_clone(i->code->linker);
    wasmtime_instance_t kernel;
    wasmtime_extern_t item;
    wasm_trap_t *trap = NULL;
    int rc;

    rc = engine_error(err, E_INTERNAL,
                      wasmtime_instance_new(i->context, i->code->kernel->wasm, NULL, 0, &kernel, &trap),
                      trap);
    if (rc != 0)
        goto done;
    wasmtime_instance_export_get(i->context, &kernel, "memory", 6, &item);
    i->kernel = item.of.memory;
    /* The embedder's functions stand in front of the kernel's. */
    rc = define_instance(i, linker, ENV_MODULE, &kernel, err);
    for (size_t k = 0; k < i->code->options.function_count && rc == 0; k++)
        rc = imports_define_function(linker, i->code->options.functions[k], err);
    for (size_t m = 0; m < i->code->member_count && rc == 0; m++) {
        rc = instantiate(i, m, linker, err);
        rc = rc ? rc : inspect_member(i, m, err);
        if (rc == 0 && m != i->code->main)
            rc = define_instance(i, linker, i->code->members[m].name, &i->members[m].instance, err);
    }
done:
    wasmtime_linker_delete(linker);
    return rc;
}

static int allocate(instance **out, compiled_plugin *code, error *err)
{
    size_t memories = 0, globals = 0;
    instance *i = calloc(1, sizeof *i);

    for (size_t m = 0; m < code->member_count; m++) {
        memories += code->members[m].mod->memory_count;
        globals += code->members[m].mod->global_count;
    }
    if (i) {
        i->code = code;
        i->members = calloc(code->member_count, sizeof *i->members);
        i->all_memories = calloc(memories + 1, sizeof *i->all_memories);
        i->all_globals = calloc(globals + 1, sizeof *i->all_globals);
        i->initializers = calloc(2 * code->member_count + 2, sizeof *i->initializers);
        i->functions = calloc(compiled_plugin_main(code)->interface.export_count + 1, sizeof *i->functions);
    }
    *out = i;
    if (!i || !i->members || !i->all_memories || !i->all_globals || !i->initializers || !i->functions)
        return error_set(err, E_NO_MEMORY, "out of memory for an instance");
    memories = globals = 0;
    for (size_t m = 0; m < code->member_count; m++) {
        i->members[m].memories = i->all_memories + memories;
        i->members[m].globals = i->all_globals + globals;
        memories += code->members[m].mod->memory_count;
        globals += code->members[m].mod->global_count;
    }
    return 0;
}

void instance_destroy(instance *i)
{
    if (!i)
        return;
    /* The engine takes its slot back as it gave it, or not at all: if the system refuses to open the
     * slack, the store is given up with the slot. */
    if (i->store && (!i->slack_closed || instance_open_slack(i, i->open_pages, UINT32_MAX)))
        wasmtime_store_delete(i->store);
    if (i->unpooled)
        engine_give_room();
    free(i->members);
    free(i->all_memories);
    free(i->all_globals);
    free(i->initializers);
    free(i->functions);
    free(i);
}

/* Bounds what does not ask the kernel for its pages: tables, and the heap of objects, which must not
 * get larger than all memories of the instance may be together. */
static void limit_store(instance *i)
{
    const compiled_plugin *c = i->code;
    uint64_t pages = KERNEL_INITIAL_PAGES, most = INT64_MAX / KERNEL_PAGE;
    int64_t bytes = -1;

    for (size_t m = 0; m < c->member_count && pages < most; m++)
        pages += c->members[m].mod->slack_pages +
                 (c->members[m].mod->min_pages < most ? c->members[m].mod->min_pages : most);
    if (c->manifest.has_max_pages && pages < most && c->manifest.max_pages < most - pages)
        bytes = (int64_t)((pages + c->manifest.max_pages) * KERNEL_PAGE);
    wasmtime_store_limiter(i->store, bytes, LIMIT_TABLE_ELEMENTS, -1, -1, -1);
}

/* Calls of a host may be many at once: those without slots are counted. */
static int take_room(instance *i, error *err)
{
    if (!i->code->options.http || i->code->engine == ENGINE_POOLED)
        return 0;
    i->unpooled = engine_take_room();
    return i->unpooled ? 0
                       : error_set(err, E_BUSY,
                                   "the system's vm.max_map_count has no room for another call");
}

int instance_make(instance **out, compiled_plugin *code, error *err)
{
    wasm_engine_t *engine;
    instance *i = NULL;
    int rc;

    *out = NULL;
    engine_signals_keep_alternate_stack();
    rc = check_initial_pages(code, err);
    rc = rc ? rc : engine_get(code->engine, &engine, err);
    rc = rc ? rc : allocate(&i, code, err);
    rc = rc ? rc : take_room(i, err);
    if (rc != 0)
        goto done;
    i->store = wasmtime_store_new(engine, i, NULL);
    limit_store(i);
    i->context = wasmtime_store_context(i->store);
    wasmtime_context_set_epoch_deadline(i->context, 1);
    wasmtime_store_epoch_deadline_callback(i->store, on_epoch, i, NULL);
    if (code->options.has_fuel)
        rc = engine_error(err, E_INTERNAL, wasmtime_context_set_fuel(i->context, code->options.fuel),
                          NULL);
    rc = rc ? rc : code->merged ? make_merged(i, err) : make_linked(i, err);
    if (rc == 0 && !code->merged && code->recyclable)
        rc = instance_note_begun(i, err);
    for (size_t m = 0; m < code->member_count && rc == 0; m++)
        list_initializers(i, m);
    if (rc == 0 && compiled_plugin_main(code)->slack_pages) {
        i->open_pages = instance_slack_end(i);
        if (!instance_close_slack(i))
            rc = error_set(err, E_NO_MEMORY, "out of memory for an instance");
    }
    if (rc == 0) {
        instance_prepare_kernel(i);
        *out = i;
        i = NULL;
    }
done:
    instance_destroy(i);
    return rc;
}

plugin_state *instance_state(instance *i)
{
    return i->state;
}

const compiled_plugin *instance_code(const instance *i)
{
    return i->code;
}

wasmtime_context_t *instance_context(instance *i)
{
    return i->context;
}

instance *instance_of_caller(wasmtime_caller_t *caller)
{
    return wasmtime_context_get_data(wasmtime_caller_context(caller));
}

kernel_memory instance_kernel(instance *i)
{
    return (kernel_memory){
        .base = wasmtime_memory_data(i->context, &i->kernel),
        .size = wasmtime_memory_data_size(i->context, &i->kernel),
    };
}

int instance_alloc(instance *i, uint64_t n, uint64_t *offset, error *err)
{
    kernel_memory k = instance_kernel(i);
    uint64_t pages, before;
    bool denied;

    *offset = 0;
    if (!kernel_memory_missing(k, n, &pages, &denied)) {
        if (denied)
            kernel_memory_root(k)->out_of_memory = 1;
        return error_set(err, E_TOO_LARGE, denied ? "oom" : "out of memory");
    }
    if (pages > 0) {
        wasmtime_error_t *e = wasmtime_memory_grow(i->context, &i->kernel, pages, &before);
        if (e) {
            wasmtime_error_delete(e);
            return error_set(err, E_NO_MEMORY, "out of memory");
        }
    }
    *offset = kernel_memory_alloc(instance_kernel(i), n);
    return *offset ? 0 : error_set(err, E_NO_MEMORY, "out of memory");
}

int instance_alloc_bytes(instance *i, slice s, uint64_t *offset, error *err)
{
    *offset = 0;
    if (s.len == 0)
        return 0;
    int rc = instance_alloc(i, s.len, offset, err);
    if (rc == 0)
        memcpy(instance_kernel(i).base + *offset, s.data, s.len);
    return rc;
}

bool instance_out_of_memory(instance *i)
{
    return kernel_memory_root(instance_kernel(i))->out_of_memory != 0;
}

bool instance_has_initializers(const instance *i)
{
    return i->initialized < i->initializer_count;
}

const struct instance_initializer *instance_next_initializer(instance *i)
{
    return i->initialized < i->initializer_count ? &i->initializers[i->initialized++] : NULL;
}

bool instance_find_function(instance *i, const struct module_export *e, wasmtime_func_t *out)
{
    /* By number, since `e` may be of the plug-in whose spare this is an instance of. */
    wasmtime_func_t *known = &i->functions[e->number];
    wasmtime_extern_t item;

    if (known->store_id == 0) {
        if (!wasmtime_instance_export_get(i->context, &i->members[i->code->main].instance,
                                          (const char *)e->name.data, e->name.len, &item) ||
            item.kind != WASMTIME_EXTERN_FUNC)
            return false;
        *known = item.of.func;
    }
    *out = *known;
    return true;
}

int instance_failure(instance *i, wasmtime_error_t *e, wasm_trap_t *trap, error *err)
{
    wasmtime_trap_code_t unused;
    /* An exception that nobody caught comes as a trap too, but without a code. */
    int code = trap && wasmtime_trap_code(trap, &unused) ? E_TRAP : E_INVALID;

    if (e && wasmtime_error_exit_status(e, &i->exit_status))
        i->exited = true;
    return engine_error(err, code, e, trap);
}

/* Calls on a fiber. Nothing may suspend: host functions of an instance that is called this way do not
 * wait, or it is one of the functions that were added, which call none. */
static int call_on_fiber(instance *i, const wasmtime_func_t *f, uint32_t params, uint32_t results,
                         wasmtime_val_raw_t *raw, error *err)
{
    const wasmtime_val_t args[2] = {{.kind = WASMTIME_I32}, {.kind = WASMTIME_I32}};
    wasmtime_val_t values[INSTANCE_RESULTS];
    wasm_trap_t *trap = NULL;
    wasmtime_error_t *e = NULL;

    finish_future(wasmtime_func_call_async(i->context, f, args, params, values, results, &trap, &e));
    for (uint32_t k = 0; k < results && !e && !trap; k++) {
        if (values[k].kind == WASMTIME_I32)
            raw[k].i32 = values[k].of.i32;
        wasmtime_val_unroot(&values[k]);
    }
    return instance_failure(i, e, trap, err);
}

int instance_call(instance *i, const wasmtime_func_t *f, uint32_t params, uint32_t results,
                  wasmtime_val_raw_t *raw, error *err)
{
    wasmtime_val_raw_t values[INSTANCE_RESULTS] = {{0}};
    uint32_t count = params > results ? params : results;
    wasm_trap_t *trap = NULL;
    wasmtime_error_t *e;

    engine_signals_keep_alternate_stack();
    i->exited = false;
    if (i->code->options.http || !stack_suffices(LIMIT_GUEST_STACK + LIMIT_HOST_STACK))
        return call_on_fiber(i, f, params, results, raw, err);
    e = wasmtime_func_call_unchecked(i->context, f, values, count, &trap);
    if (results > 0)
        memcpy(raw, values, results * sizeof *raw);
    return instance_failure(i, e, trap, err);
}

int instance_set_wasi(instance *i, error *err)
{
    const manifest *m = &i->code->manifest;
    wasi_config_t *config;

    if (!i->code->needs_wasi_state)
        return 0;
    config = wasi_config_new();
    if (getenv("EXTISM_ENABLE_WASI_OUTPUT")) {
        wasi_config_inherit_stdout(config);
        wasi_config_inherit_stderr(config);
    }
    for (size_t k = 0; k < m->allowed_paths_count; k++) {
        const manifest_path *p = &m->allowed_paths[k];
        if (!wasi_config_preopen_dir(config, p->host, p->guest, !p->read_only)) {
            wasi_config_delete(config);
            return error_set(err, E_IO, "allowed path %s cannot be opened", p->host);
        }
    }
    return engine_error(err, E_IO, wasmtime_context_set_wasi(i->context, config), NULL);
}

bool instance_end_wasi(instance *i)
{
    if (!i->code->needs_wasi_state || i->code->manifest.allowed_paths_count == 0)
        return true;
    return engine_error(NULL, E_IO, wasmtime_context_set_wasi(i->context, wasi_config_new()), NULL) ==
           0;
}

void instance_spoil(instance *i)
{
    i->spoiled = true;
}

bool instance_exit_status(const instance *i, int *status)
{
    *status = i->exit_status;
    return i->exited;
}
