#include "extism/call.h"

#include "base/clock.h"
#include "extism/instance.h"
#include "extism/outcome.h"

#include <stdlib.h>

struct call {
    plugin_state state; /* first: an instance leads to its call through it */
    compiled_plugin
        *code; /* a reference: the instance may be of its spare, which does not keep it */
    instance *instance;
    const struct module_export *function;
    wasmtime_func_t func; /* at work; the engine reads it while the future lives */
    wasmtime_call_future_t *future;
    wasmtime_val_t args[2]; /* hs_init's; the only function with any */
    wasmtime_val_t result[INSTANCE_RESULTS];
    wasm_trap_t *trap;
    wasmtime_error_t *error;
    const char *context; /* of an initializer that runs; NULL: the function itself does */
    bool preparing;      /* or COMPILED_PREPARE */
    buf input;
    bool has_input; /* it is in the kernel */
    outcome outcome;
    struct error err;
    bool done;
    void (*wake)(call *c, void *arg);
    void *arg;
};

/* Puts the input into the kernel, which is emptied of what start-up functions left there. */
static int set_input(call *c, slice input, error *err)
{
    uint64_t offset;
    int rc;

    kernel_memory_reset(instance_kernel(c->instance));
    rc = instance_alloc_bytes(c->instance, input, &offset, err);
    if (rc == 0)
        kernel_memory_set_input(instance_kernel(c->instance), offset, input.len);
    return rc;
}

/* Keeps the input until the start-up functions are through, or puts it where it belongs if there are
 * none. */
static int take_input(call *c, slice input, error *err)
{
    int rc;

    buf_init(&c->input, SIZE_MAX);
    c->has_input =
        !instance_has_initializers(c->instance) && !instance_wants_preparing(c->instance);
    if (c->has_input)
        return set_input(c, input, err);
    rc = buf_append(&c->input, input.data, input.len);
    return rc ? error_set(err, rc, "out of memory for a call") : 0;
}

/* Sets up the function itself. */
static int main_function(call *c)
{
    int rc = c->has_input ? 0 : set_input(c, buf_slice(&c->input), &c->err);

    c->has_input = true;
    buf_deinit(&c->input);
    if (rc == 0 && !instance_find_function(c->instance, c->function, &c->func))
        rc = error_set(&c->err, E_NOT_FOUND, "Function not found");
    return rc;
}

/* Begins the next function: a start-up function, the preparation, then the one that was asked for. */
static int next_function(call *c)
{
    const struct instance_initializer *f = instance_next_initializer(c->instance);
    uint32_t params = f ? f->params : 0, results = f ? f->results : c->function->results;
    int rc = 0;

    c->context = f ? f->context : NULL;
    c->preparing = !f && instance_wants_preparing(c->instance) &&
                   instance_find_function(c->instance, c->code->prepare, &c->func);
    /* What start-up functions leave behind is kept as well. */
    c->state.preparing = c->preparing || (f && instance_wants_preparing(c->instance));
    if (f) {
        c->func = f->func;
        c->args[0] = c->args[1] = (wasmtime_val_t){.kind = WASMTIME_I32};
        if (f->unfit)
            rc = error_set(&c->err, E_INVALID, "%s: its parameters are not (i32, i32)", f->context);
    } else if (c->preparing) {
        results = 1;
    } else if (!instance_catch_up(c->instance)) {
        instance_spoil(c->instance);
        rc = error_set(&c->err, E_NO_MEMORY, "an instance could not be made ready");
    } else {
        rc = main_function(c);
    }
    if (rc == 0)
        c->future = wasmtime_func_call_async(instance_context(c->instance), &c->func, c->args,
                                             params, c->result, results, &c->trap, &c->error);
    return rc;
}

/* Takes over the options, but for the input. */
static int take_options(call *c, const call_options *o, error *err)
{
    const manifest *m = &c->code->manifest;
    const struct module_export *e =
        module_interface_find(&compiled_plugin_main(c->code)->interface, slice_str(o->function));
    uint64_t ms = o->wall_ms ? o->wall_ms : m->timeout_ms;
    int rc = outcome_check_function(e, o->function, err);

    if (rc != 0)
        return rc;
    c->function = e;
    c->wake = o->wake;
    c->arg = o->arg;
    ms = ms < UINT32_MAX ? ms : UINT32_MAX;
    c->state.host_context = o->host_context;
    c->state.has_deadline = o->wall_ms || m->has_timeout_ms;
    c->state.deadline_ns = clock_ns() + ms * 1000000u;
    return 0;
}

int call_start(call **out, compiled_plugin *code, const call_options *o, error *err)
{
    call *c = NULL;
    int rc;

    *out = NULL;
    if (code->link_error.code != 0)
        return error_set(err, code->link_error.code, "%s", error_text(&code->link_error));
    if (!(c = calloc(1, sizeof *c)))
        return error_set(err, E_NO_MEMORY, "out of memory for a call");
    c->code = compiled_plugin_ref(code);
    plugin_state_init(&c->state, &code->manifest);
    c->state.yields = true;
    c->state.keep_http_headers = true;
    rc = take_options(c, o, err);
    rc = rc ? rc : instance_acquire(&c->instance, code, &c->state, err);
    if (rc == 0 && code->options.has_fuel)
        rc = engine_error(
            err, E_INTERNAL,
            wasmtime_context_set_fuel(instance_context(c->instance), code->options.fuel), NULL);
    rc = rc ? rc : take_input(c, o->input, err);
    if (rc == 0) {
        *out = c;
        c = NULL;
    }
    call_destroy(c);
    return rc;
}

int call_start_again(call *c, const call_options *o, error *err)
{
    int rc = take_options(c, o, err);

    c->done = false;
    c->state.interrupted = false;
    c->outcome = (outcome){0};
    error_deinit(&c->err);
    return rc ? rc : take_input(c, o->input, err);
}

static void finish(call *c, int failed)
{
    wasmtime_val_raw_t raw = {0};

    if (failed == 0 && c->result[0].kind == WASMTIME_I32)
        raw.i32 = c->result[0].of.i32;
    if (c->context && failed != 0) {
        if (c->state.interrupted)
            error_set(&c->err, E_TIMEOUT, "timeout");
        else if (*c->context)
            error_prefix(&c->err, "%s", c->context);
        c->outcome.code = -1;
    } else {
        outcome_read(&c->outcome, c->instance, c->function, failed, raw, &c->err);
    }
    /* Requests that the guest has not waited for are judged by whom it served. */
    http_calls_destroy(c->state.http_calls);
    c->state.http_calls = NULL;
    c->done = true;
}

/* Behind the preparation, or a start-up function before it that failed: goes on in the instance, or in
 * another one if it is of no use. */
static int end_preparation(call *c, int failed)
{
    int rc = 0;

    if (failed == 0 && c->result[0].of.i32 == 0) {
        instance_keep_prepared(c->instance);
        return 0;
    }
    if (c->state.interrupted)
        return error_set(&c->err, E_TIMEOUT, "timeout");
    error_deinit(&c->err);
    c->err = (struct error){0};
    instance_refuse_preparing(c->instance);
    instance_release(c->instance);
    rc = instance_acquire(&c->instance, c->code, &c->state, &c->err);
    return rc;
}

/* References among the results live until they are let go. */
static void drop_results(call *c)
{
    for (size_t i = 0; i < INSTANCE_RESULTS; i++) {
        wasmtime_val_unroot(&c->result[i]);
        c->result[i] = (wasmtime_val_t){.kind = WASMTIME_I32};
    }
}

enum call_status call_poll(call *c)
{
    for (;;) {
        int rc = 0;
        if (!c->future && (rc = next_function(c)) != 0) {
            c->outcome.code = -1;
            c->done = true;
            return CALL_DONE;
        }
        if (!wasmtime_call_future_poll(c->future))
            return c->state.waiting ? CALL_WAITING : CALL_READY;
        wasmtime_call_future_delete(c->future);
        c->future = NULL;
        rc = instance_failure(c->instance, c->error, c->trap, &c->err);
        c->error = NULL;
        c->trap = NULL;
        if (c->preparing || (c->state.preparing && rc != 0)) {
            if ((rc = end_preparation(c, rc)) != 0) {
                c->outcome.code = -1;
                c->done = true;
            }
        } else if (rc != 0 || !c->context) {
            finish(c, rc);
        }
        drop_results(c);
        if (!c->done)
            continue;
        return CALL_DONE;
    }
}

int32_t call_code(const call *c)
{
    return c->outcome.code;
}

slice call_output(const call *c)
{
    if (!c->instance)
        return slice_of(NULL, 0);
    return kernel_memory_view(instance_kernel(c->instance), c->outcome.output_offset,
                              c->outcome.output_length);
}

const error *call_error(const call *c)
{
    return c->err.code ? &c->err : NULL;
}

slice call_guest_error(const call *c)
{
    if (!c->instance)
        return slice_of(NULL, 0);
    kernel_memory k = instance_kernel(c->instance);
    uint64_t offset = c->outcome.error_offset;
    return kernel_memory_view(k, offset, offset ? kernel_memory_length(k, offset) : 0);
}

bool call_is_late(const call *c)
{
    return c->state.has_deadline && clock_ns() >= c->state.deadline_ns;
}

void call_wake(instance *caller)
{
    call *c = (call *)(void *)instance_state(caller);
    c->state.waiting = false;
    c->wake(c, c->arg);
}

void call_destroy(call *c)
{
    if (!c)
        return;
    if (c->future) {
        /* Unwinds the guest where it stands; its instance has seen enough. */
        wasmtime_call_future_delete(c->future);
        instance_spoil(c->instance);
    }
    instance_release(c->instance);
    plugin_state_deinit(&c->state);
    compiled_plugin_unref(c->code);
    buf_deinit(&c->input);
    error_deinit(&c->err);
    free(c);
}
