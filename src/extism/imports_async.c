#include "extism/call.h"
#include "extism/imports_internal.h"

#include <stdlib.h>

/* One call of an embedder's function that may wait; the engine frees it with its continuation. */
struct pending {
    host_wait wait; /* first: a host_wait leads to its pending call */
    wasmtime_val_t *results;
    wasm_trap_t **trap;
    bool suspended; /* and not finished yet */
    ExtismVal outputs[];
};

static ExtismVal to_extism(const wasmtime_val_t *v)
{
    switch (v->kind) {
    case WASMTIME_I32:
        return (ExtismVal){.t = ExtismValType_I32, .v.i32 = v->of.i32};
    case WASMTIME_I64:
        return (ExtismVal){.t = ExtismValType_I64, .v.i64 = v->of.i64};
    case WASMTIME_F32:
        return (ExtismVal){.t = ExtismValType_F32, .v.f32 = v->of.f32};
    default:
        return (ExtismVal){.t = ExtismValType_F64, .v.f64 = v->of.f64};
    }
}

static wasmtime_val_t from_extism(const ExtismVal *v)
{
    switch (v->t) {
    case ExtismValType_I32:
        return (wasmtime_val_t){.kind = WASMTIME_I32, .of.i32 = v->v.i32};
    case ExtismValType_I64:
        return (wasmtime_val_t){.kind = WASMTIME_I64, .of.i64 = v->v.i64};
    case ExtismValType_F32:
        return (wasmtime_val_t){.kind = WASMTIME_F32, .of.f32 = v->v.f32};
    default:
        return (wasmtime_val_t){.kind = WASMTIME_F64, .of.f64 = v->v.f64};
    }
}

/* Asked by the engine whenever the call is polled. */
static bool is_done(void *env)
{
    struct pending *p = env;

    if (p->suspended)
        return false;
    for (size_t i = 0; i < p->wait.n_outputs; i++)
        p->results[i] = from_extism(&p->wait.outputs[i]);
    return true;
}

static void pending_free(void *env)
{
    struct pending *p = env;
    if (p->suspended && p->wait.cancel)
        p->wait.cancel(p->wait.state);
    free(p);
}

void host_wait_finish(host_wait *wait)
{
    struct pending *p = (struct pending *)(void *)wait;
    p->suspended = false;
    if (wait->failure)
        *p->trap = imports_trap_text(wait->failure);
    call_wake(wait->caller);
}

bool imports_done_at_once(void *unused)
{
    (void)unused;
    return true;
}

void imports_call_async(void *env, wasmtime_caller_t *caller, const wasmtime_val_t *args,
                        size_t n_args, wasmtime_val_t *results, size_t n_results,
                        wasm_trap_t **trap, wasmtime_async_continuation_t *continuation)
{
    const host_function *f = env;
    instance *i = instance_of_caller(caller);
    struct pending *p = calloc(1, sizeof *p + (n_args + n_results) * sizeof p->outputs[0]);

    if (!p || instance_state(i)->preparing) {
        *trap = imports_trap("%s", p ? IMPORTS_TOO_EARLY : "out of memory");
        free(p);
        *continuation = (wasmtime_async_continuation_t){.callback = imports_done_at_once};
        return;
    }
    p->wait = (host_wait){.caller = i, .outputs = p->outputs, .n_outputs = n_results};
    p->results = results;
    p->trap = trap;
    *continuation =
        (wasmtime_async_continuation_t){.callback = is_done, .env = p, .finalizer = pending_free};
    for (size_t k = 0; k < n_results; k++)
        p->outputs[k].t = f->outputs[k];
    for (size_t k = 0; k < n_args; k++)
        p->outputs[n_results + k] = to_extism(&args[k]);
    /* Set first, since finishing clears them. */
    p->suspended = true;
    instance_state(i)->waiting = true;
    if (f->start(i, p->outputs + n_results, n_args, &p->wait, f->user_data)) {
        p->suspended = false;
        instance_state(i)->waiting = false;
        if (p->wait.failure)
            *trap = imports_trap_text(p->wait.failure);
    }
}
