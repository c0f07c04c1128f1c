/* The C API's extension: a thin translation of driver.h and pending.h. */

#include "extism_ext.h"

#include "base/stack.h"
#include "extism/driver.h"
#include "extism/extism_internal.h"
#include "extism/instance.h"
#include "extism/limits.h"
#include "extism/pending.h"
#include "extism/plugin.h"

#include <stdlib.h>

EXPORT void extism_current_plugin_fail(ExtismCurrentPlugin *p, const char *text, ExtismSize length)
{
    if (p)
        plugin_state_fail(instance_state((instance *)p), slice_of(text, text ? (size_t)length : 0));
}

EXPORT int32_t extism_plugin_call_result(ExtismPlugin *p, const char *func_name,
                                         const uint8_t *data, ExtismSize data_len,
                                         void *host_context, ExtismResult *result)
{
    int32_t code;

    *result = (ExtismResult){0};
    if (!stack_suffices(LIMIT_GUEST_STACK + LIMIT_HOST_STACK))
        return EXTISM_STACK_TOO_SMALL;
    code = extism_plugin_call_with_host_context(p, func_name, data, data_len, host_context);
    if (code == 0) {
        slice output = plugin_output((plugin *)p);
        result->output = output.data;
        result->output_length = output.len;
    }
    result->error = extism_plugin_error(p);
    return code;
}

EXPORT ExtismFunction *extism_function_new_async(const char *name, const ExtismValType *inputs,
                                                 ExtismSize n_inputs, const ExtismValType *outputs,
                                                 ExtismSize n_outputs,
                                                 ExtismStartFunctionType start, void *user_data,
                                                 void (*free_user_data)(void *))
{
    ExtismFunction *f = calloc(1, sizeof *f);

    if (f && start &&
        host_function_create(&f->function, name, inputs, (size_t)n_inputs, outputs,
                             (size_t)n_outputs, NULL) == 0 &&
        pending_set_start(f->function, start, user_data, free_user_data, NULL) == 0)
        return f;
    if (f)
        host_function_unref(f->function);
    free(f);
    return NULL;
}

EXPORT void extism_pending_finish(ExtismPending *pending, ExtismFinishFunctionType finish,
                                  void *arg)
{
    if (pending)
        pending_finish(pending, finish, arg);
}

EXPORT ExtismCompiledPlugin *
extism_compiled_plugin_new_async(const uint8_t *wasm, ExtismSize wasm_size,
                                 const ExtismFunction **functions, ExtismSize n_functions,
                                 bool with_wasi, const uint64_t *fuel_limit, char **errmsg)
{
    compiled_options options = {
        .wasi = with_wasi,
        .has_fuel = fuel_limit != NULL,
        .fuel = fuel_limit ? *fuel_limit : 0,
        .http = &driver_http,
    };
    return (ExtismCompiledPlugin *)extism_compile(wasm, wasm_size, functions, n_functions, options,
                                                  errmsg);
}

EXPORT ExtismCall *extism_call_start(const ExtismCompiledPlugin *compiled, const char *func_name,
                                     const uint8_t *data, ExtismSize data_len, void *host_context,
                                     uint64_t timeout_ms, ExtismCallDoneType done, void *arg)
{
    compiled_plugin *code = (compiled_plugin *)(uintptr_t)compiled;
    driver_options options = {
        .function = func_name,
        .input = slice_of(data, (size_t)data_len),
        .host_context = host_context,
        .timeout_ms = timeout_ms,
        .done = done,
        .arg = arg,
    };
    ExtismCall *call = NULL;

    if (!code || !func_name || (!data && data_len > 0) ||
        driver_start(&call, code, &options, NULL) != 0)
        return NULL;
    return call;
}

EXPORT int32_t extism_call_is_done(const ExtismCall *call)
{
    return call && driver_is_done(call);
}

EXPORT int32_t extism_call_code(const ExtismCall *call)
{
    return call ? driver_result(call)->code : -1;
}

EXPORT ExtismSize extism_call_output_length(const ExtismCall *call)
{
    return call ? driver_result(call)->output.len : 0;
}

EXPORT const uint8_t *extism_call_output_data(const ExtismCall *call)
{
    return call ? driver_result(call)->output.data : NULL;
}

EXPORT const char *extism_call_error(const ExtismCall *call)
{
    return call ? driver_result(call)->error : NULL;
}

EXPORT void extism_call_cancel(ExtismCall *call)
{
    if (call)
        driver_cancel(call);
}

EXPORT void extism_call_free(ExtismCall *call)
{
    driver_release(call);
}
