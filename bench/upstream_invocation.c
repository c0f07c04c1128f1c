#include "server/invocation.h"

#include "fail.h"
#include "library.h"

#include "base/file.h"
#include "server/reply.h"

#include <stdlib.h>

/* Stands in for the server's invocation.c: calls a function through upstream's library as one would
 * with that library, on a plug-in that the thread keeps from request to request. */

#define MAX_FUNCTIONS 16
#define MAX_MODULE (64UL * 1024 * 1024)

struct kept {
    const function *function;
    ExtismPlugin *plugin;
};

static const library *upstream(void)
{
    static _Thread_local library lib;

    if (!lib.name) {
        const char *path = getenv("UPSTREAM_EXTISM_LIB");

        if (!path)
            fail("UPSTREAM_EXTISM_LIB is not set");
        library_open(&lib, "upstream", path);
    }
    return &lib;
}

static ExtismPlugin *make_plugin(const function *f)
{
    ExtismCompiledPlugin *code;
    ExtismPlugin *plugin;
    error err = {0};
    buf wasm;

    buf_init(&wasm, MAX_MODULE);
    if (file_read(f->path, &wasm, &err) != 0)
        fail("%s", error_text(&err));
    code = library_compile(upstream(), wasm.data, wasm.len, true);
    plugin = library_plugin(upstream(), code);
    upstream()->compiled_plugin_free(code);
    buf_deinit(&wasm);
    return plugin;
}

static ExtismPlugin *kept_plugin(const function *f)
{
    static _Thread_local struct kept kept[MAX_FUNCTIONS];
    size_t i = 0;

    while (i < MAX_FUNCTIONS && kept[i].function && kept[i].function != f)
        i++;
    if (i == MAX_FUNCTIONS)
        fail("there are more than %d functions", MAX_FUNCTIONS);
    if (!kept[i].function)
        kept[i] = (struct kept){f, make_plugin(f)};
    return kept[i].plugin;
}

void invocation_begin(connection *c, function *f, slice body)
{
    const library *lib = upstream();
    ExtismPlugin *p;

    /* The server's loader finds out what to call in it. */
    if (function_state_of(f) != FUNCTION_READY) {
        reply_error(c, 503, NULL, "busy", slice_str("the function is still being loaded"));
        return;
    }
    p = kept_plugin(f);
    if (lib->plugin_call(p, f->export, body.data, body.len) != 0) {
        reply_error(c, 500, NULL, "function_failed", slice_str(lib->plugin_error(p)));
        return;
    }
    reply_send(c, &(reply){
                      .status = 200,
                      .type = "application/json",
                      .body = slice_of(lib->plugin_output_data(p), lib->plugin_output_length(p)),
                  });
}

/* A call is over when invocation_begin returns, so there is nothing left for these. */

void invocation_run(connection *c)
{
    (void)c;
}

void invocation_expire(connection *c)
{
    (void)c;
}

void invocation_cancel(connection *c)
{
    (void)c;
}
