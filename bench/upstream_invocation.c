#include "server/invocation.h"

#include "fail.h"
#include "library.h"

#include "base/file.h"

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

static void answer(invocation *v, int status, const char *code, slice text, slice output)
{
    const invocation_result r = {.status = status, .code = code, .text = text, .output = output};

    v->function = NULL;
    v->done(v, &r);
}

void invocation_begin(invocation *v, slice body)
{
    const library *lib = upstream();
    const function *f = v->function;
    slice none = slice_of(NULL, 0);
    ExtismPlugin *p;

    /* The server's loader finds out what to call in it. */
    if (function_state_of(f) != FUNCTION_READY) {
        answer(v, 503, "busy", slice_str("the function is still being loaded"), none);
        return;
    }
    p = kept_plugin(f);
    if (lib->plugin_call(p, f->export, body.data, body.len) != 0)
        answer(v, 500, "function_failed", slice_str(lib->plugin_error(p)), none);
    else
        answer(v, 200, NULL, none,
               slice_of(lib->plugin_output_data(p), lib->plugin_output_length(p)));
}

/* A call is over when invocation_begin returns, so there is nothing left for these. */

invocation *invocation_of(timer *t)
{
    return (invocation *)(void *)((char *)t - offsetof(invocation, timer));
}

void invocation_expire(invocation *v)
{
    (void)v;
}

void invocation_cancel(invocation *v)
{
    (void)v;
}

void invocation_resume_waiting(struct worker *w)
{
    (void)w;
}
