#ifndef UBIQ_EXTISM_CALL_H
#define UBIQ_EXTISM_CALL_H

#include "extism/compiled_plugin.h"

struct instance;

/* A call of a function in a fresh instance, on a fiber: it can wait for a host function, and let
 * others run, without holding the thread. All functions of one call belong to the thread that
 * started it. For plug-ins that were compiled with a compiled_options.http driver. */
typedef struct call call;

/* A main module may export "ubiq_prepare", () -> i32. It is run once, in the first call's instance, before
 * that gets its input: what it leaves in memories and globals, all instances begin with from then on. It is for
 * what is the same for all calls, a language's start-up and a function's top level: the host's functions
 * cannot be called, but for the configuration, nor WASI's for time and chance; nor can they by the start-up
 * functions that run before it, whose effects are kept too. When it returns something else than 0, or any
 * of this fails, that counts for nothing and instances begin as ever. */

enum call_status {
    CALL_DONE,   /* call_output and call_error tell how */
    CALL_READY,  /* it has used up its turn: poll it again after others */
    CALL_WAITING /* a host function is at work: poll it after `wake` */
};

typedef struct call_options {
    const char *function;
    slice input;          /* copied */
    uint64_t wall_ms;     /* over which it is stopped with "timeout"; 0: the manifest's, if any */
    void *host_context;
    void (*wake)(call *c, void *arg); /* called in the call's thread when it may go on */
    void *arg;
} call_options;

/* Starts a call; nothing of the guest runs before call_poll. E_NOT_FOUND and E_INVALID for a function
 * that cannot be called; otherwise as instance_acquire. */
int call_start(call **out, compiled_plugin *code, const call_options *options, error *err) MUST_CHECK;

/* Starts another call in the instance of one that is done, as it was left: for functions that want to
 * keep what they have in memory. As call_start; on failure the call is to be destroyed. */
int call_start_again(call *c, const call_options *options, error *err) MUST_CHECK;

/* Runs it until it is done, has used up its turn or waits. Not to be called again once it is done. */
enum call_status call_poll(call *c);

/* Of a call that is done: what it returned (0 unless the function says otherwise; as
 * extism_plugin_call). */
int32_t call_code(const call *c);

/* Its output, a view until the call is destroyed. */
slice call_output(const call *c);

/* Its error, or NULL when it went well. */
const error *call_error(const call *c);

/* The error text that the guest itself set, or nothing: the part of call_error that is not the
 * engine's. A view until the call is destroyed; any bytes. */
slice call_guest_error(const call *c);

/* Whether it has run longer than it may; for callers that let it wait. */
bool call_is_late(const call *c);

/* Ends it, wherever it stands, and gives its instance back. Takes NULL. */
void call_destroy(call *c);

/* For host functions: the wait of this caller is over. */
void call_wake(struct instance *caller);

#endif
