#include "extism/shared_linker.h"

#include "extism/imports.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct shared_linker {
    size_t refs;
    wasmtime_linker_t *linker;
    enum engine_kind engine;
    bool wasi;
    const http_driver *http; /* NULL: it is not shared */
    host_function **functions;
    size_t function_count;
    shared_linker *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static shared_linker *all; /* those that are shared */

/* Only a platform's: what an embedder makes of the C API mostly has functions of its own. */
static bool is_shared(const compiled_plugin *c)
{
    return c->options.http != NULL;
}

static bool fits(const shared_linker *l, const compiled_plugin *c)
{
    return l->engine == c->engine && l->wasi == c->uses_wasi && l->http == c->options.http &&
           l->function_count == c->options.function_count &&
           memcmp(l->functions, c->options.functions, l->function_count * sizeof *l->functions) ==
               0;
}

static void destroy(shared_linker *l)
{
    if (l->linker)
        wasmtime_linker_delete(l->linker);
    for (size_t i = 0; i < l->function_count; i++)
        host_function_unref(l->functions[i]);
    free(l->functions);
    free(l);
}

static int make(shared_linker **out, compiled_plugin *c, error *err)
{
    shared_linker *l = calloc(1, sizeof *l);
    wasm_engine_t *engine;
    int rc = engine_get(c->engine, &engine, err);

    if (rc == 0 &&
        (!l || !(l->functions = calloc(c->options.function_count + 1, sizeof *l->functions))))
        rc = error_set(err, E_NO_MEMORY, "out of memory while loading a plug-in");
    if (rc == 0) {
        l->refs = 1;
        l->engine = c->engine;
        l->wasi = c->uses_wasi;
        l->http = c->options.http;
        for (size_t i = 0; i < c->options.function_count; i++)
            l->functions[l->function_count++] = host_function_ref(c->options.functions[i]);
        c->linker = l->linker = wasmtime_linker_new(engine);
        wasmtime_linker_allow_shadowing(l->linker, true);
        rc = imports_define(c, err);
    }
    if (rc == 0) {
        *out = l;
        return 0;
    }
    c->linker = NULL;
    if (l)
        destroy(l);
    return rc;
}

int shared_linker_get(shared_linker **out, compiled_plugin *c, error *err)
{
    shared_linker *l;
    int rc = 0;

    *out = NULL;
    if (!is_shared(c))
        return make(out, c, err);
    pthread_mutex_lock(&lock);
    for (l = all; l && !fits(l, c);)
        l = l->next;
    if (l) {
        l->refs++;
        c->linker = l->linker;
        *out = l;
    } else if ((rc = make(out, c, err)) == 0) {
        (*out)->next = all;
        all = *out;
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

void shared_linker_unref(shared_linker *l)
{
    bool last;

    if (!l)
        return;
    pthread_mutex_lock(&lock);
    last = --l->refs == 0;
    for (shared_linker **at = &all; last && *at; at = &(*at)->next) {
        if (*at == l) {
            *at = l->next;
            break;
        }
    }
    pthread_mutex_unlock(&lock);
    if (last)
        destroy(l);
}
