#include "extism/imports.h"

#include "base/utf8.h"
#include "extism/imports_internal.h"
#include "extism/limits.h"
#include "extism/log.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define ENV_MODULE "extism:host/env"

/* What upstream counts for a variable besides its bytes: a String and a Vec. */
#define VAR_OVERHEAD 48u

/* Arguments and results of a host function that fit without an allocation. */
#define FEW_VALUES 16

wasm_trap_t *imports_trap(const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    return wasmtime_trap_new(text, len);
}

wasm_trap_t *imports_trap_text(const char *text)
{
    return wasmtime_trap_new(text, strlen(text));
}

wasm_trap_t *imports_trap_error(error *err)
{
    wasm_trap_t *trap = imports_trap_text(error_text(err));
    error_deinit(err);
    return trap;
}

bool imports_block(instance *i, uint64_t offset, slice *out)
{
    kernel_memory k = instance_kernel(i);
    uint64_t len = offset ? kernel_memory_length(k, offset) : 0;

    *out = len ? kernel_memory_view(k, offset, len) : slice_of(k.base, 0);
    return offset == 0 || len > 0;
}

wasm_trap_t *imports_return_bytes(instance *i, slice bytes, int64_t *out)
{
    error err = {0};
    uint64_t offset;

    if (instance_alloc_bytes(i, bytes, &offset, &err) != 0)
        return imports_trap_error(&err);
    *out = (int64_t)offset;
    return NULL;
}

static void free_block(instance *i, uint64_t offset)
{
    if (offset)
        kernel_memory_free(instance_kernel(i), offset);
}

/* A block that must be text. */
static wasm_trap_t *read_key(instance *i, uint64_t offset, const char *what, slice *out)
{
    char problem[UTF8_PROBLEM_BYTES];

    if (!imports_block(i, offset, out))
        return imports_trap("invalid handle offset for %s: %" PRIu64, what, offset);
    if (!slice_is_utf8(*out)) {
        utf8_describe(*out, problem, sizeof problem);
        return imports_trap("%s", problem);
    }
    return NULL;
}

static wasm_trap_t *look_up(instance *i, const strmap *map, const char *what,
                            wasmtime_val_raw_t *raw)
{
    uint64_t offset = (uint64_t)raw[0].i64;
    slice key, value;
    wasm_trap_t *trap = read_key(i, offset, what, &key);

    if (trap)
        return trap;
    bool found = strmap_get(map, key, &value);
    free_block(i, offset);
    raw[0].i64 = 0;
    return found ? imports_return_bytes(i, value, &raw[0].i64) : NULL;
}

static wasm_trap_t *config_get(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw,
                               size_t n)
{
    instance *i = instance_of_caller(caller);
    const plugin_state *s = instance_state(i);
    (void)env, (void)n;
    return look_up(i, s->has_config ? &s->config : &s->manifest->config, "config key", raw);
}

static wasm_trap_t *var_get(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw, size_t n)
{
    instance *i = instance_of_caller(caller);
    (void)env, (void)n;
    if (instance_state(i)->preparing)
        return imports_trap(IMPORTS_TOO_EARLY);
    return look_up(i, &instance_state(i)->vars, "var key", raw);
}

static uint64_t vars_size(const strmap *vars)
{
    uint64_t size = 0;
    for (size_t i = 0; i < vars->count; i++)
        size += vars->entry[i].key_len + vars->entry[i].value_len + VAR_OVERHEAD;
    return size;
}

static wasm_trap_t *var_set(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw, size_t n)
{
    instance *i = instance_of_caller(caller);
    plugin_state *s = instance_state(i);
    uint64_t key_offset = (uint64_t)raw[0].i64, value_offset = (uint64_t)raw[1].i64;
    uint64_t max = s->manifest->has_max_var_bytes ? s->manifest->max_var_bytes : LIMIT_VAR_BYTES;
    slice key, value;
    wasm_trap_t *trap;

    (void)env, (void)n;
    if (s->preparing)
        return imports_trap(IMPORTS_TOO_EARLY);
    if (s->manifest->has_max_var_bytes && max == 0)
        return imports_trap("Vars are disabled by this host");
    if ((trap = read_key(i, key_offset, "var key", &key)) != NULL)
        return trap;
    if (value_offset == 0) {
        strmap_remove(&s->vars, key);
        free_block(i, key_offset);
        return NULL;
    }
    if (!imports_block(i, value_offset, &value))
        return imports_trap("invalid handle offset for var value: %" PRIu64, value_offset);
    if (vars_size(&s->vars) + VAR_OVERHEAD + key.len + value.len > max)
        return imports_trap("Variable store is full");
    if (strmap_set(&s->vars, key, value) != 0)
        return imports_trap("out of memory");
    free_block(i, value_offset);
    free_block(i, key_offset);
    return NULL;
}

/* The most talkative level that is written for this guest. */
static enum log_level most_level(const instance *i)
{
    const compiled_options *o = &instance_code(i)->options;

    return o->log ? o->log_most : log_level();
}

static void put_log(instance *i, enum log_level level, slice text)
{
    const compiled_options *o = &instance_code(i)->options;

    if (o->log)
        o->log(instance_state(i)->host_context, level, text);
    else
        log_write(level, "pdk", plugin_state_id_text(instance_state(i)), text);
}

/* env is the level. */
static wasm_trap_t *write_log(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw,
                              size_t n)
{
    enum log_level level = (enum log_level)(uintptr_t)env;
    instance *i = instance_of_caller(caller);
    uint64_t offset = (uint64_t)raw[0].i64;
    char problem[UTF8_PROBLEM_BYTES], complaint[UTF8_PROBLEM_BYTES + 64];
    slice text;

    (void)n;
    if (level > most_level(i)) {
        free_block(i, offset);
        return NULL;
    }
    if (!imports_block(i, offset, &text))
        return imports_trap("invalid handle offset for log message: %" PRIu64, offset);
    if (slice_is_utf8(text)) {
        put_log(i, level, text);
    } else {
        utf8_describe(text, problem, sizeof problem);
        snprintf(complaint, sizeof complaint, "unable to log message: Err(%s)", problem);
        put_log(i, LOG_ERROR, slice_str(complaint));
    }
    free_block(i, offset);
    return NULL;
}

static wasm_trap_t *get_log_level(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw,
                                  size_t n)
{
    enum log_level level = most_level(instance_of_caller(caller));

    (void)env, (void)n;
    raw[0].i32 = level == LOG_OFF ? INT32_MAX : (int32_t)LOG_TRACE - (int32_t)level;
    return NULL;
}

/* The guest's memory has grown into its slack. */
static wasm_trap_t *open_slack(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw,
                               size_t n)
{
    (void)env, (void)n;
    if (instance_open_slack(instance_of_caller(caller), (uint32_t)raw[0].i32, (uint32_t)raw[1].i32))
        return NULL;
    return imports_trap("out of memory");
}

struct env_function {
    const char *name;
    const char *params; /* I is i64, i is i32 */
    const char *results;
    wasmtime_func_unchecked_callback_t call;
    uintptr_t env;
};

static const struct env_function env_functions[] = {
    {"config_get", "I", "I", config_get, 0},
    {"var_get", "I", "I", var_get, 0},
    {"var_set", "II", "", var_set, 0},
    {"http_request", "II", "I", imports_http_request, 0},
    {"http_status_code", "", "i", imports_http_status_code, 0},
    {"http_headers", "", "I", imports_http_headers, 0},
    {"log_error", "I", "", write_log, LOG_ERROR},
    {"log_warn", "I", "", write_log, LOG_WARN},
    {"log_info", "I", "", write_log, LOG_INFO},
    {"log_debug", "I", "", write_log, LOG_DEBUG},
    {"log_trace", "I", "", write_log, LOG_TRACE},
    {"get_log_level", "", "i", get_log_level, 0},
    {LINK_IMPORT_OPEN, "ii", "", open_slack, 0},
};

#define ENV_FUNCTIONS (sizeof env_functions / sizeof env_functions[0])

bool imports_is_env_function(slice name)
{
    for (size_t i = 0; i < ENV_FUNCTIONS; i++) {
        if (slice_equal_str(name, env_functions[i].name))
            return env_functions[i].call != open_slack;
    }
    return false;
}

void imports_fill_types(wasm_valtype_vec_t *out, const char *types)
{
    size_t n = strlen(types);
    wasm_valtype_vec_new_uninitialized(out, n);
    for (size_t i = 0; i < n; i++)
        out->data[i] = wasm_valtype_new(types[i] == 'I' ? WASM_I64 : WASM_I32);
}

static int define_env(compiled_plugin *c, const struct env_function *f, error *err)
{
    wasm_valtype_vec_t params, results;
    wasmtime_error_t *e;
    size_t len = strlen(f->name);

    imports_fill_types(&params, f->params);
    imports_fill_types(&results, f->results);
    wasm_functype_t *type = wasm_functype_new(&params, &results);
    if (c->options.http && f->call == imports_http_request)
        e = wasmtime_linker_define_async_func(c->linker, ENV_MODULE, strlen(ENV_MODULE), f->name,
                                              len, type, imports_http_request_async,
                                              (void *)(uintptr_t)c->options.http, NULL);
    else
        e = wasmtime_linker_define_func_unchecked(c->linker, ENV_MODULE, strlen(ENV_MODULE),
                                                  f->name, len, type, f->call, (void *)f->env,
                                                  NULL);
    wasm_functype_delete(type);
    return engine_error(err, E_INTERNAL, e, NULL);
}

static void fill_host_types(wasm_valtype_vec_t *out, const ExtismValType *types, size_t n)
{
    static const wasm_valkind_t kinds[] = {WASM_I32, WASM_I64, WASM_F32, WASM_F64};
    wasm_valtype_vec_new_uninitialized(out, n);
    for (size_t i = 0; i < n; i++)
        out->data[i] = wasm_valtype_new(kinds[types[i]]);
}

static wasm_functype_t *host_function_type(const host_function *f)
{
    wasm_valtype_vec_t params, results;
    fill_host_types(&params, f->inputs, f->n_inputs);
    fill_host_types(&results, f->outputs, f->n_outputs);
    return wasm_functype_new(&params, &results);
}

static ExtismVal to_extism(ExtismValType type, const wasmtime_val_raw_t *raw)
{
    ExtismVal v = {.t = type};
    switch (type) {
    case ExtismValType_I32:
        v.v.i32 = raw->i32;
        break;
    case ExtismValType_I64:
        v.v.i64 = raw->i64;
        break;
    case ExtismValType_F32:
        memcpy(&v.v.f32, &raw->f32, sizeof v.v.f32);
        break;
    default:
        memcpy(&v.v.f64, &raw->f64, sizeof v.v.f64);
    }
    return v;
}

static void from_extism(const ExtismVal *v, ExtismValType type, wasmtime_val_raw_t *raw)
{
    switch (type) {
    case ExtismValType_I32:
        raw->i32 = v->v.i32;
        break;
    case ExtismValType_I64:
        raw->i64 = v->v.i64;
        break;
    case ExtismValType_F32:
        memcpy(&raw->f32, &v->v.f32, sizeof v->v.f32);
        break;
    default:
        memcpy(&raw->f64, &v->v.f64, sizeof v->v.f64);
    }
}

static const char *type_name(ExtismValType type)
{
    static const char *const names[] = {"i32", "i64", "f32", "f64"};
    return type <= ExtismValType_F64 ? names[type] : "another type";
}

/* What the host function that has just returned ends the call with, if it does. */
static wasm_trap_t *host_failure(instance *i)
{
    char *owned;
    const char *text = plugin_state_take_failure(instance_state(i), &owned);
    wasm_trap_t *trap = text ? imports_trap_text(text) : NULL;

    free(owned);
    return trap;
}

static wasm_trap_t *call_host(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw, size_t n)
{
    const host_function *f = env;
    ExtismVal few[FEW_VALUES], *values = few;
    size_t count = f->n_inputs + f->n_outputs;

    (void)n;
    if (instance_state(instance_of_caller(caller))->preparing)
        return imports_trap(IMPORTS_TOO_EARLY);
    if (count > FEW_VALUES && !(values = calloc(count, sizeof *values)))
        return imports_trap("out of memory");
    for (size_t k = 0; k < f->n_inputs; k++)
        values[k] = to_extism(f->inputs[k], &raw[k]);
    ExtismVal *outputs = values + f->n_inputs;
    for (size_t k = 0; k < f->n_outputs; k++)
        outputs[k] = (ExtismVal){.t = f->outputs[k]};
    instance *i = instance_of_caller(caller);
    f->call((ExtismCurrentPlugin *)i, f->n_inputs ? values : NULL, f->n_inputs,
            f->n_outputs ? outputs : NULL, f->n_outputs, f->user_data);
    wasm_trap_t *trap = host_failure(i);
    for (size_t k = 0; k < f->n_outputs && !trap; k++) {
        if (outputs[k].t != f->outputs[k])
            trap = imports_trap("function attempted to return an incompatible value: type mismatch: "
                                "expected %s, found %s",
                                type_name(f->outputs[k]), type_name(outputs[k].t));
        from_extism(&outputs[k], f->outputs[k], &raw[k]);
    }
    if (values != few)
        free(values);
    return trap;
}

static void unref_function(void *env)
{
    host_function_unref(env);
}

int imports_define_function(wasmtime_linker_t *linker, host_function *f, error *err)
{
    wasm_functype_t *type = host_function_type(f);
    size_t module_len = strlen(f->name_space), len = strlen(f->name);
    wasmtime_error_t *e =
        f->start ? wasmtime_linker_define_async_func(linker, f->name_space, module_len, f->name,
                                                     len, type, imports_call_async,
                                                     host_function_ref(f), unref_function)
                 : wasmtime_linker_define_func_unchecked(linker, f->name_space, module_len, f->name,
                                                         len, type, call_host, host_function_ref(f),
                                                         unref_function);
    wasm_functype_delete(type);
    return engine_error(err, E_INTERNAL, e, NULL);
}

/* Requests beside each other, for hosts that drive them on a loop. */
static int define_http_calls(compiled_plugin *c, error *err)
{
    static const char from[] = "extism:host/user";
    static const struct {
        const char *name;
        const char *params;
        wasmtime_func_unchecked_callback_t call; /* NULL: imports_http_wait */
    } functions[] = {
        {"ubiq_http_start", "II", imports_http_start},
        {"ubiq_http_wait", "I", NULL},
        {"ubiq_http_head", "I", imports_http_head},
        {"ubiq_http_body", "I", imports_http_body},
    };
    wasmtime_error_t *e = NULL;

    for (size_t i = 0; i < sizeof functions / sizeof functions[0] && !e; i++) {
        wasm_valtype_vec_t params, results;
        size_t len = strlen(functions[i].name);
        imports_fill_types(&params, functions[i].params);
        imports_fill_types(&results, "I");
        wasm_functype_t *type = wasm_functype_new(&params, &results);
        e = functions[i].call
                ? wasmtime_linker_define_func_unchecked(c->linker, from, sizeof from - 1,
                                                        functions[i].name, len, type,
                                                        functions[i].call, NULL, NULL)
                : wasmtime_linker_define_async_func(c->linker, from, sizeof from - 1,
                                                    functions[i].name, len, type, imports_http_wait,
                                                    NULL, NULL);
        wasm_functype_delete(type);
    }
    return engine_error(err, E_INTERNAL, e, NULL);
}

int imports_define(compiled_plugin *c, error *err)
{
    int rc = 0;
    for (size_t i = 0; i < ENV_FUNCTIONS && rc == 0; i++)
        rc = define_env(c, &env_functions[i], err);
    if (rc == 0 && c->uses_wasi)
        rc = engine_error(err, E_INTERNAL, wasmtime_linker_define_wasi(c->linker), NULL);
    if (rc == 0 && c->uses_wasi && c->options.http)
        rc = imports_define_wasi(c, err);
    if (rc == 0 && c->options.http)
        rc = define_http_calls(c, err);
    for (size_t i = 0; i < c->options.function_count && rc == 0; i++)
        rc = imports_define_function(c->linker, c->options.functions[i], err);
    return rc;
}
