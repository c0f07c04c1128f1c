#ifndef UBIQ_EXTISM_COMPILED_PLUGIN_H
#define UBIQ_EXTISM_COMPILED_PLUGIN_H

#include "base/slice.h"
#include "extism/host_function.h"
#include "extism/http_policy.h"
#include "extism/library.h"
#include "extism/log.h"

/* Modules, manifest and host functions of a plug-in, with all that is resolved once and not once a
 * call. Shared by any number of threads and instances. */
typedef struct compiled_plugin compiled_plugin;

struct http_request;

/* How a host drives requests of plug-ins on an event loop of its own, instead of blocking. */
typedef struct http_driver {
    /* Starts `request` in the current thread's loop; `done(arg, curl_code)` is called in the same
     * thread when it has ended, never before start returns. Returns what cancel takes; NULL when there
     * is no memory, and `done` is not called then. */
    void *(*start)(struct http_request *request, void (*done)(void *arg, int curl_code), void *arg);
    void (*cancel)(void *started); /* `done` will not be called any more */
} http_driver;

typedef struct compiled_options {
    host_function **functions; /* each gets a reference */
    size_t function_count;
    library *const *libraries; /* what modules may import from besides each other; used while it loads */
    size_t library_count;
    bool wasi;
    bool has_fuel;
    uint64_t fuel;
    /* For the platform: calls run on fibers, and HTTP goes through this driver. NULL: calls run on the
     * caller's stack. */
    const http_driver *http;
    http_policy http_policy; /* in place of the manifest's allowed_hosts; or NULL */
    /* Takes what guests log, up to log_most, in place of the library's log; or NULL. */
    void (*log)(void *host_context, enum log_level level, slice text);
    enum log_level log_most;
} compiled_options;

/* Loads from what extism_plugin_new takes as `wasm`. One reference. E_INVALID, E_IO: the text says
 * why, with the engine's causes. */
int compiled_plugin_create(compiled_plugin **out, slice source, const compiled_options *options,
                           error *err) MUST_CHECK;

/* Adds a reference; returns `c`. */
compiled_plugin *compiled_plugin_ref(compiled_plugin *c);

/* Takes one away; the last one frees everything, idle instances included. Takes NULL. */
void compiled_plugin_unref(compiled_plugin *c);

/* The only function that the main module exports, or the one named `preferred` if there is that;
 * NULL when there is neither. Functions that cannot be called and start-up functions do not count.
 * A view, valid as long as `c`, NUL-terminated. */
const char *compiled_plugin_entry(const compiled_plugin *c, const char *preferred);

/* Why no instance can be made of it (an import that nobody provides, say), or NULL. */
const error *compiled_plugin_problem(const compiled_plugin *c);

#endif
