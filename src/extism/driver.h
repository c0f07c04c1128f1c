#ifndef UBIQ_EXTISM_DRIVER_H
#define UBIQ_EXTISM_DRIVER_H

#include "extism/compiled_plugin.h"
#include "extism_ext.h"

/* Threads that drive the calls of extism_ext.h: each has a queue of calls that may go on and polls
 * them in turn, sends their HTTP through a curl multi handle, and sleeps in that handle otherwise.
 * They are started when they are needed and stay. A forked child starts its own. All functions may
 * be called from any thread. */

/* HTTP for plug-ins that driver_start is given. */
extern const http_driver driver_http;

typedef struct driver_options {
    const char *function; /* copied, as is the input */
    slice input;
    void *host_context;
    uint64_t timeout_ms;     /* 0: the manifest's, if any */
    ExtismCallDoneType done; /* or NULL */
    void *arg;
} driver_options;

/* What a call came to. */
typedef struct driver_outcome {
    int32_t code;
    slice output;
    const char *error; /* NULL when it went well */
} driver_outcome;

/* Starts a call; options->done is called once from now on. E_INVALID when `code` is not for fibers,
 * E_NO_MEMORY when there is no memory or no thread. */
int driver_start(ExtismCall **out, compiled_plugin *code, const driver_options *options,
                 error *err) MUST_CHECK;

bool driver_is_done(const ExtismCall *c);

/* Its outcome once it is done, a view until it is released; before, a failure. */
const driver_outcome *driver_result(const ExtismCall *c);

/* Stops it, unless it is done. */
void driver_cancel(ExtismCall *c);

/* Cancels it and lets go of it. Takes NULL. */
void driver_release(ExtismCall *c);

#endif
