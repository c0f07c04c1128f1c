#include "extism/plugin.h"

#include "base/clock.h"
#include "base/record.h"
#include "base/utf8.h"
#include "extism/deadline.h"
#include "extism/instance.h"
#include "extism/log.h"
#include "extism/outcome.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct plugin {
    compiled_plugin *code;
    plugin_state state;
    instance *instance;   /* NULL until the first call */
    pthread_mutex_t lock; /* tells when its own thread comes again */
    atomic_bool running;
    bool needs_reset;     /* a command ran to its end: the next call gets a new instance */
    outcome last;
    error err;            /* of the last call */
    char *guest_error;    /* what the guest set, copied for plugin_error */
};

/* Upstream opens the manifest's directories when a plug-in is made, whether a module needs them or not. */
static int check_paths(const compiled_plugin *c, error *err)
{
    for (size_t i = 0; c->options.wasi && i < c->manifest.allowed_paths_count; i++) {
        int fd = open(c->manifest.allowed_paths[i].host, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            return error_set(err, E_IO, "allowed path %s cannot be opened: %s (os error %d)",
                             c->manifest.allowed_paths[i].host, strerror(errno), errno);
        close(fd);
    }
    return 0;
}

int plugin_create(plugin **out, compiled_plugin *code, error *err)
{
    pthread_mutexattr_t attr;
    plugin *p = NULL;
    int rc;

    *out = NULL;
    if (code->link_error.code != 0)
        return error_set(err, code->link_error.code, "%s", error_text(&code->link_error));
    if (!(p = calloc(1, sizeof *p)))
        return error_set(err, E_NO_MEMORY, "out of memory for a plug-in");
    p->code = compiled_plugin_ref(code);
    plugin_state_init(&p->state, &code->manifest);
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&p->lock, &attr);
    pthread_mutexattr_destroy(&attr);
    atomic_init(&p->running, false);
    rc = check_paths(code, err);
    /* Modules that are linked by name are linked now, so that it is told now when they do not fit. */
    if (rc == 0 && !code->merged)
        rc = instance_acquire(&p->instance, code, &p->state, err);
    if (rc == 0) {
        plugin_state_id(&p->state);
        log_printf(LOG_DEBUG, "plugin", NULL, "%s created", p->state.id_text);
        *out = p;
        p = NULL;
    }
    plugin_destroy(p);
    return rc;
}

void plugin_destroy(plugin *p)
{
    if (!p)
        return;
    instance_release(p->instance);
    plugin_state_deinit(&p->state);
    compiled_plugin_unref(p->code);
    pthread_mutex_destroy(&p->lock);
    error_deinit(&p->err);
    free(p->guest_error);
    free(p);
}

static void forget_error(plugin *p)
{
    error_deinit(&p->err);
    free(p->guest_error);
    p->guest_error = NULL;
    p->last.error_offset = 0;
}

/* Says in front of an error's innermost cause what was being done. */
static void wrap_error(error *err, const char *context)
{
    error both = {0};
    error_set(&both, err->code, "%s\n\nCaused by:\n    %s", context,
              engine_root_cause(error_text(err)));
    error_deinit(err);
    *err = both;
}

/* The start-up functions that have not run yet. */
static int initialize(plugin *p, error *err)
{
    const struct instance_initializer *f;
    int rc = 0;

    while (rc == 0 && (f = instance_next_initializer(p->instance)) != NULL) {
        wasmtime_val_raw_t raw[INSTANCE_RESULTS] = {{0}};
        rc = f->unfit ? error_set(err, E_INVALID, "its parameters are not (i32, i32)")
                      : instance_call(p->instance, &f->func, f->params, f->results, raw, err);
        if (rc != 0 && *f->context) {
            wrap_error(err, f->context);
        } else if (rc != 0) {
            /* What did not start is no instance: the next call begins anew. */
            instance_spoil(p->instance);
            instance_release(p->instance);
            p->instance = NULL;
        }
    }
    return rc;
}

static int set_input(plugin *p, slice input, error *err)
{
    uint64_t offset;
    int rc;

    kernel_memory_reset(instance_kernel(p->instance));
    rc = instance_alloc_bytes(p->instance, input, &offset, err);
    if (rc != 0)
        wrap_error(err, "failed to allocate extism memory");
    if (rc == 0)
        kernel_memory_set_input(instance_kernel(p->instance), offset, offset ? input.len : 0);
    return rc;
}

static int prepare(plugin *p, slice input, error *err)
{
    int rc = 0;

    if (p->needs_reset) {
        instance_release(p->instance);
        p->instance = NULL;
        p->needs_reset = false;
        strmap_deinit(&p->state.vars);
    }
    if (!p->instance)
        rc = instance_acquire(&p->instance, p->code, &p->state, err);
    if (rc == 0 && p->code->options.has_fuel)
        rc = engine_error(err, E_INTERNAL,
                          wasmtime_context_set_fuel(instance_context(p->instance),
                                                    p->code->options.fuel),
                          NULL);
    rc = rc ? rc : initialize(p, err);
    return rc ? rc : set_input(p, input, err);
}

static void log_line(plugin *p, const char *name, const char *what, slice text)
{
    buf line;
    buf_init(&line, SIZE_MAX);
    if (buf_printf(&line, "call to %s %s: ", name, what) == 0 &&
        buf_append(&line, text.data, text.len) == 0)
        log_write(LOG_ERROR, "plugin", plugin_state_id_text(&p->state), buf_slice(&line));
    buf_deinit(&line);
}

/* What upstream writes to the log about a call that failed. */
static void log_failure(plugin *p, const char *name)
{
    int status;

    if (!p->err.text || log_level() < LOG_ERROR)
        return;
    if (p->last.error_length)
        log_line(p, name, "returned with error message",
                 kernel_memory_view(instance_kernel(p->instance), p->last.error_offset,
                                    p->last.error_length));
    else if (p->state.interrupted || instance_out_of_memory(p->instance) ||
             instance_exit_status(p->instance, &status))
        return;
    log_line(p, name, "encountered an error", slice_str(error_text(&p->err)));
}

static int32_t call_locked(plugin *p, const char *name, slice input)
{
    const struct module_export *e;
    wasmtime_val_raw_t raw[1] = {{0}};
    wasmtime_func_t f;
    int rc = prepare(p, input, &p->err);

    p->last = (outcome){.code = -1};
    if (rc != 0) {
        if (p->state.interrupted)
            error_set(&p->err, E_TIMEOUT, "timeout");
        return -1;
    }
    e = module_interface_find(&compiled_plugin_main(p->code)->interface, slice_str(name));
    if (outcome_check_function(e, name, &p->err) != 0) {
        if (e && e->params > 0)
            log_failure(p, name);
        return -1;
    }
    if (!instance_find_function(p->instance, e, &f)) {
        error_set(&p->err, E_NOT_FOUND, "Function not found: %s", name);
        return -1;
    }
    rc = instance_call(p->instance, &f, 0, e->results, raw, &p->err);
    p->needs_reset = strcmp(name, "_start") == 0;
    outcome_read(&p->last, p->instance, e, rc, raw[0], &p->err);
    log_failure(p, name);
    const uint64_t keep[2][2] = {{p->last.output_offset, p->last.output_length},
                                 {p->last.error_offset, p->last.error_length}};
    instance_trim(p->instance, keep, 2);
    return p->last.code;
}

static int check_arguments(plugin *p, const char *name, slice input)
{
    char problem[UTF8_PROBLEM_BYTES];

    if (!name)
        return error_set(&p->err, E_INVALID, "the function's name is NULL");
    if (!input.data && input.len > 0)
        return error_set(&p->err, E_INVALID, "the input is NULL, but its length is %zu", input.len);
    if (slice_is_utf8(slice_str(name)))
        return 0;
    utf8_describe(slice_str(name), problem, sizeof problem);
    return error_set(&p->err, E_INVALID, "%s", problem);
}

int32_t plugin_call(plugin *p, const char *name, slice input, void *host_context)
{
    const manifest *m = p->state.manifest;
    deadline d;
    bool watched = false;
    int32_t code = -1;

    if (pthread_mutex_lock(&p->lock) == EDEADLK)
        return -1; /* a host function calls the plug-in that called it */
    forget_error(p);
    p->last = (outcome){.code = -1};
    p->state.host_context = host_context;
    p->state.interrupted = false;
    p->state.has_deadline = m->has_timeout_ms;
    atomic_store(&p->state.cancelled, false);
    if (m->has_timeout_ms) {
        uint64_t ms = m->timeout_ms < UINT32_MAX ? m->timeout_ms : UINT32_MAX;
        p->state.deadline_ns = clock_ns() + ms * 1000000u;
        watched = deadline_start(&d, p->state.deadline_ns);
    }
    atomic_store(&p->running, true);
    if (m->has_timeout_ms && !watched)
        error_set(&p->err, E_NO_MEMORY, "there is no thread to watch the call's time");
    else if (check_arguments(p, name, input) == 0)
        code = call_locked(p, name, input);
    atomic_store(&p->running, false);
    if (watched)
        deadline_stop(&d);
    p->state.has_deadline = false;
    p->state.host_context = NULL;
    pthread_mutex_unlock(&p->lock);
    return code;
}

slice plugin_output(plugin *p)
{
    if (!p->instance)
        return slice_of("", 0);
    kernel_memory k = instance_kernel(p->instance);
    slice s = kernel_memory_view(k, p->last.output_offset, p->last.output_length);
    return s.data ? s : slice_of(k.base, 0);
}

/* What the guest set stands, even where the call ended otherwise. */
const char *plugin_error(plugin *p)
{
    if (p->last.error_offset == 0 || !p->instance)
        return p->err.code ? error_text(&p->err) : NULL;
    if (!p->guest_error) {
        kernel_memory k = instance_kernel(p->instance);
        slice text = kernel_memory_view(k, p->last.error_offset, p->last.error_length);
        if (!(p->guest_error = malloc(text.len + 1)))
            return error_code_name(E_NO_MEMORY);
        memcpy(p->guest_error, text.data, text.len);
        p->guest_error[text.len] = '\0';
    }
    return p->guest_error;
}

static void clear_after_query(plugin *p)
{
    error_deinit(&p->err);
    if (p->instance)
        kernel_memory_root(instance_kernel(p->instance))->error = 0;
}

bool plugin_function_exists(plugin *p, const char *name)
{
    const struct module_export *e;

    if (!slice_is_utf8(slice_str(name)))
        return false;
    clear_after_query(p);
    e = module_interface_find(&compiled_plugin_main(p->code)->interface, slice_str(name));
    return e && e->kind == WASM_KIND_FUNC && e->params == 0 &&
           (e->results == 0 || (e->results == 1 && e->result == WASM_I32_TYPE));
}

/* The configuration becomes the plug-in's own with its first change. */
static int own_config(plugin *p)
{
    if (p->state.has_config)
        return 0;
    int rc = strmap_copy(&p->state.config, &p->state.manifest->config);
    p->state.has_config = rc == 0;
    return rc;
}

/* Reads `{"key": "value" or null}` and applies it to `config`. */
static int apply_config(slice json, strmap *config)
{
    json_reader r = {.text = json};
    buf key, value;
    int rc = slice_is_utf8(json) ? json_enter(&r, JSON_OBJECT, NULL) : E_INVALID;

    buf_init(&key, json.len + 1);
    buf_init(&value, json.len + 1);
    for (size_t i = 0; rc == 0; i++) {
        buf_clear(&key);
        buf_clear(&value);
        rc = json_next(&r, JSON_OBJECT, i, NULL);
        if (rc <= 0)
            break;
        rc = json_name(&r, &key, NULL);
        if (rc == 0 && json_peek(&r) == JSON_NULL) {
            rc = json_null(&r, NULL);
            strmap_remove(config, buf_slice(&key));
        } else if (rc == 0) {
            rc = json_string(&r, &value, NULL);
            rc = rc ? rc : strmap_set(config, buf_slice(&key), buf_slice(&value));
        }
    }
    rc = rc ? rc : json_end(&r, NULL);
    buf_deinit(&key);
    buf_deinit(&value);
    return rc;
}

bool plugin_config(plugin *p, slice json)
{
    strmap changed = {0};
    bool done = own_config(p) == 0 && strmap_copy(&changed, &p->state.config) == 0 &&
                apply_config(json, &changed) == 0;

    if (done) {
        strmap old = p->state.config;
        p->state.config = changed;
        changed = old;
        clear_after_query(p);
    }
    strmap_deinit(&changed);
    return done;
}

void plugin_allow_http_response_headers(plugin *p)
{
    p->state.keep_http_headers = true;
}

bool plugin_reset(plugin *p)
{
    if (p->instance)
        kernel_memory_reset(instance_kernel(p->instance));
    p->last.error_length = 0;
    free(p->guest_error);
    p->guest_error = NULL;
    return true;
}

const uint8_t *plugin_id(const plugin *p)
{
    return p->state.id;
}

void plugin_cancel(plugin *p)
{
    if (!atomic_load(&p->running))
        return;
    atomic_store(&p->state.cancelled, true);
    engine_tick();
}
