/* The C API: a thin translation of plugin.h and compiled_plugin.h, in upstream's words. The functions
 * that return a boolean are in extism_booleans.c. */

#include "extism/extism_internal.h"

#include "extism/instance.h"
#include "extism/log.h"
#include "extism/pending.h"
#include "extism/plugin.h"

#include <stdio.h>
#include <stdlib.h>

/* What upstream's errors begin with. extism_plugin_new says the first of every failure, whatever it was
 * that failed. */
#define COMPILE_FAILED "Unable to compile Extism plugin: "
#define CREATE_FAILED "Unable to create Extism plugin: "

static void tell(char **errmsg, const char *prefix, error *err)
{
    const char *cause = engine_root_cause(error_text(err));
    if (errmsg && asprintf(errmsg, "%s%s", prefix, cause) < 0)
        *errmsg = NULL;
    error_deinit(err);
}

EXPORT void extism_plugin_new_error_free(char *err)
{
    free(err);
}

/* Takes the functions out of their handles; `*out` is an array for the caller to free with its
 * references. */
static int take_functions(const ExtismFunction **functions, ExtismSize n, host_function ***out,
                          size_t *count, char **errmsg)
{
    const char *problem = NULL;

    *count = 0;
    *out = NULL;
    if (!functions || n == 0)
        return 0;
    if (n > SIZE_MAX / sizeof **out || !(*out = calloc((size_t)n, sizeof **out)))
        problem = "out of memory";
    for (ExtismSize i = 0; i < n && !problem; i++) {
        ExtismFunction *f = (ExtismFunction *)(uintptr_t)functions[i];
        if (!f) {
            problem = "Cannot pass null pointer";
        } else if (!f->function) {
            problem = "Function cannot be registered with multiple different Plugins";
        } else {
            (*out)[(*count)++] = f->function;
            f->function = NULL;
        }
    }
    if (problem && errmsg)
        *errmsg = strdup(problem);
    return problem ? E_INVALID : 0;
}

/* On fibers, the functions wait until the fiber has been left. */
static int defer_functions(const compiled_options *options, error *err)
{
    int rc = 0;
    for (size_t i = 0; options->http && i < options->function_count && rc == 0; i++)
        rc = pending_defer(&options->functions[i], err);
    return rc;
}

compiled_plugin *extism_compile(const uint8_t *wasm, ExtismSize wasm_size,
                                const ExtismFunction **functions, ExtismSize n_functions,
                                compiled_options options, char **errmsg)
{
    compiled_plugin *compiled = NULL;
    error err = {0};

    if (take_functions(functions, n_functions, &options.functions, &options.function_count, errmsg) == 0) {
        int rc = !wasm && wasm_size > 0 ? error_set(&err, E_INVALID, "the module's bytes are NULL")
                                        : defer_functions(&options, &err);
        rc = rc ? rc
                : compiled_plugin_create(&compiled, slice_of(wasm, wasm ? (size_t)wasm_size : 0),
                                         &options, &err);
        if (rc != 0)
            tell(errmsg, COMPILE_FAILED, &err);
    }
    for (size_t i = 0; i < options.function_count; i++)
        host_function_unref(options.functions[i]);
    free(options.functions);
    return compiled;
}

/* For calls of plug-ins. */
static compiled_plugin *compile(const uint8_t *wasm, ExtismSize wasm_size,
                                const ExtismFunction **functions, ExtismSize n_functions,
                                bool with_wasi, const uint64_t *fuel, char **errmsg)
{
    compiled_options options = {.wasi = with_wasi, .has_fuel = fuel != NULL, .fuel = fuel ? *fuel : 0};
    return extism_compile(wasm, wasm_size, functions, n_functions, options, errmsg);
}

EXPORT ExtismCompiledPlugin *extism_compiled_plugin_new(const uint8_t *wasm, ExtismSize wasm_size,
                                                        const ExtismFunction **functions,
                                                        ExtismSize n_functions, bool with_wasi,
                                                        char **errmsg)
{
    return (ExtismCompiledPlugin *)compile(wasm, wasm_size, functions, n_functions, with_wasi, NULL,
                                           errmsg);
}

EXPORT ExtismCompiledPlugin *extism_compiled_plugin_new_with_fuel_limit(
    const uint8_t *wasm, ExtismSize wasm_size, const ExtismFunction **functions,
    ExtismSize n_functions, bool with_wasi, uint64_t fuel_limit, char **errmsg)
{
    return (ExtismCompiledPlugin *)compile(wasm, wasm_size, functions, n_functions, with_wasi,
                                           &fuel_limit, errmsg);
}

EXPORT void extism_compiled_plugin_free(ExtismCompiledPlugin *compiled)
{
    compiled_plugin_unref((compiled_plugin *)compiled);
}

static ExtismPlugin *create(compiled_plugin *compiled, const char *prefix, char **errmsg)
{
    plugin *p = NULL;
    error err = {0};
    if (plugin_create(&p, compiled, &err) != 0)
        tell(errmsg, prefix, &err);
    return (ExtismPlugin *)p;
}

EXPORT ExtismPlugin *extism_plugin_new_from_compiled(const ExtismCompiledPlugin *compiled,
                                                     char **errmsg)
{
    compiled_plugin *code = (compiled_plugin *)(uintptr_t)compiled;

    if (code && !code->options.http)
        return create(code, CREATE_FAILED, errmsg);
    if (errmsg)
        *errmsg = strdup(code ? CREATE_FAILED "it was compiled for extism_call_start"
                              : CREATE_FAILED "the compiled plug-in is NULL");
    return NULL;
}

/* Makes a plug-in of what was compiled only for it. */
static ExtismPlugin *create_only(compiled_plugin *compiled, const char *prefix, char **errmsg)
{
    ExtismPlugin *p = compiled ? create(compiled, prefix, errmsg) : NULL;
    compiled_plugin_unref(compiled);
    return p;
}

EXPORT ExtismPlugin *extism_plugin_new(const uint8_t *wasm, ExtismSize wasm_size,
                                       const ExtismFunction **functions, ExtismSize n_functions,
                                       bool with_wasi, char **errmsg)
{
    return create_only(compile(wasm, wasm_size, functions, n_functions, with_wasi, NULL, errmsg),
                       COMPILE_FAILED, errmsg);
}

EXPORT ExtismPlugin *extism_plugin_new_with_fuel_limit(const uint8_t *wasm, ExtismSize wasm_size,
                                                       const ExtismFunction **functions,
                                                       ExtismSize n_functions, bool with_wasi,
                                                       uint64_t fuel_limit, char **errmsg)
{
    return create_only(compile(wasm, wasm_size, functions, n_functions, with_wasi, &fuel_limit, errmsg),
                       CREATE_FAILED, errmsg);
}

EXPORT void extism_plugin_free(ExtismPlugin *p)
{
    plugin_destroy((plugin *)p);
}

EXPORT int32_t extism_plugin_call_with_host_context(ExtismPlugin *p, const char *func_name,
                                                    const uint8_t *data, ExtismSize data_len,
                                                    void *host_context)
{
    if (!p)
        return -1;
    return plugin_call((plugin *)p, func_name, slice_of(data, (size_t)data_len), host_context);
}

EXPORT int32_t extism_plugin_call(ExtismPlugin *p, const char *func_name, const uint8_t *data,
                                  ExtismSize data_len)
{
    return extism_plugin_call_with_host_context(p, func_name, data, data_len, NULL);
}

EXPORT const char *extism_plugin_error(ExtismPlugin *p)
{
    return p ? plugin_error((plugin *)p) : NULL;
}

EXPORT const char *extism_error(ExtismPlugin *p)
{
    return extism_plugin_error(p);
}

EXPORT ExtismSize extism_plugin_output_length(ExtismPlugin *p)
{
    return p ? plugin_output((plugin *)p).len : 0;
}

EXPORT const uint8_t *extism_plugin_output_data(ExtismPlugin *p)
{
    return p ? plugin_output((plugin *)p).data : NULL;
}

EXPORT void extism_plugin_allow_http_response_headers(ExtismPlugin *p)
{
    if (p)
        plugin_allow_http_response_headers((plugin *)p);
}

EXPORT const uint8_t *extism_plugin_id(ExtismPlugin *p)
{
    return p ? plugin_id((plugin *)p) : NULL;
}

EXPORT const ExtismCancelHandle *extism_plugin_cancel_handle(const ExtismPlugin *p)
{
    return (const ExtismCancelHandle *)p;
}

EXPORT ExtismFunction *extism_function_new(const char *name, const ExtismValType *inputs,
                                           ExtismSize n_inputs, const ExtismValType *outputs,
                                           ExtismSize n_outputs, ExtismFunctionType func,
                                           void *user_data, void (*free_user_data)(void *))
{
    ExtismFunction *f = calloc(1, sizeof *f);

    if (!f || !func ||
        host_function_create(&f->function, name, inputs, (size_t)n_inputs, outputs, (size_t)n_outputs,
                             NULL) != 0) {
        free(f);
        return NULL;
    }
    f->function->call = func;
    f->function->user_data = user_data;
    f->function->free_user_data = free_user_data;
    return f;
}

EXPORT void extism_function_set_namespace(ExtismFunction *f, const char *namespace_)
{
    /* Without memory for the name the function stays where it is; the API has no way to say so. */
    if (f && f->function && namespace_ && host_function_set_namespace(f->function, namespace_, NULL) != 0)
        log_printf(LOG_ERROR, "sdk", NULL, "out of memory for the namespace %s", namespace_);
}

EXPORT void extism_function_free(ExtismFunction *f)
{
    if (!f)
        return;
    host_function_unref(f->function);
    free(f);
}

EXPORT void *extism_current_plugin_host_context(ExtismCurrentPlugin *p)
{
    return p ? instance_state((instance *)p)->host_context : NULL;
}

EXPORT uint8_t *extism_current_plugin_memory(ExtismCurrentPlugin *p)
{
    return p ? instance_kernel((instance *)p).base : NULL;
}

EXPORT ExtismMemoryHandle extism_current_plugin_memory_alloc(ExtismCurrentPlugin *p, ExtismSize n)
{
    uint64_t offset = 0;
    if (!p || n == 0 || instance_alloc((instance *)p, n, &offset, NULL) != 0)
        return 0;
    return offset;
}

EXPORT ExtismSize extism_current_plugin_memory_length(ExtismCurrentPlugin *p,
                                                      ExtismMemoryHandle handle)
{
    return p && handle ? kernel_memory_length(instance_kernel((instance *)p), handle) : 0;
}

EXPORT void extism_current_plugin_memory_free(ExtismCurrentPlugin *p, ExtismMemoryHandle handle)
{
    if (p && handle)
        kernel_memory_free(instance_kernel((instance *)p), handle);
}

EXPORT void extism_log_drain(ExtismLogDrainFunctionType handler)
{
    if (handler)
        log_drain(handler);
}

EXPORT const char *extism_version(void)
{
    return "1.41.0";
}
