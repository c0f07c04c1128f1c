#include "platform.h"

#include "app/runtimes.h"

#include "fail.h"

#include <stddef.h>

static void *start_http(struct http_request *request, void (*done)(void *, int), void *arg)
{
    (void)request, (void)done, (void)arg;
    fail("a plug-in that is measured made an HTTP request");
}

static void cancel_http(void *started)
{
    (void)started;
}

compiled_plugin *platform_compile(slice wasm, bool wasi, const char *host_function_name,
                                  host_function_start start)
{
    static const http_driver http = {.start = start_http, .cancel = cancel_http};
    static const ExtismValType handle[] = {ExtismValType_I64};
    host_function *f;
    compiled_options options = {.functions = &f, .function_count = 1, .wasi = wasi, .http = &http};
    compiled_plugin *code;
    error err = {0};

    if (runtime_libraries(&options.libraries, &options.library_count, &err) != 0)
        fail("%s", error_text(&err));
    if (host_function_create(&f, host_function_name, handle, 1, handle, 1, &err) != 0)
        fail("%s", error_text(&err));
    f->start = start;
    if (compiled_plugin_create(&code, wasm, &options, &err) != 0)
        fail("%s", error_text(&err));
    if (compiled_plugin_problem(code))
        fail("%s", error_text(compiled_plugin_problem(code)));
    host_function_unref(f);
    return code;
}

/* A call that is polled until it is done needs no waking. */
static void do_not_wake(call *c, void *arg)
{
    (void)c, (void)arg;
}

call *platform_call(compiled_plugin *code, const char *function, slice input,
                    enum call_status *status)
{
    call_options options = {.function = function, .input = input, .wake = do_not_wake};
    error err = {0};
    call *c;

    if (call_start(&c, code, &options, &err) != 0)
        fail("%s", error_text(&err));
    do
        *status = call_poll(c);
    while (*status == CALL_READY);
    if (*status == CALL_DONE && call_error(c))
        fail("%s", error_text(call_error(c)));
    return c;
}
