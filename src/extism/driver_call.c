#include "extism/driver_internal.h"

#include "base/clock.h"
#include "extism/compiled_plugin_internal.h"
#include "extism/outcome.h"
#include "extism/pending.h"

#include <stdlib.h>

void driver_call_unref(ExtismCall *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) > 1)
        return;
    compiled_plugin_unref(c->code);
    free(c->function);
    buf_deinit(&c->input);
    free(c->output);
    error_deinit(&c->err);
    free(c);
}

/* Takes what the guest has left, for after its instance. */
static void take_result(ExtismCall *c)
{
    slice output = call_output(c->call);
    const error *e = call_error(c->call);

    c->outcome.code = call_code(c->call);
    if (e)
        error_set(&c->err, e->code, "%s", error_text(e));
    if (output.len == 0)
        return;
    c->output = malloc(output.len);
    if (!c->output) {
        c->outcome.code = -1;
        error_set(&c->err, E_NO_MEMORY, "out of memory for the output");
        return;
    }
    memcpy(c->output, output.data, output.len);
    c->outcome.output = slice_of(c->output, output.len);
}

/* Its outcome stands in `outcome` and `err`. */
static void finish(ExtismCall *c)
{
    driver *d = c->driver;

    call_destroy(c->call);
    c->call = NULL;
    if (c->at) {
        *c->at = c->next;
        if (c->next)
            c->next->at = c->at;
        c->at = NULL;
    }
    c->outcome.error = c->err.code ? error_text(&c->err) : NULL;
    atomic_fetch_sub(&d->load, 1);
    atomic_store(&c->done, true);
    if (c->options.done)
        c->options.done(c, c->options.arg);
    driver_call_unref(c);
}

static void unqueue(ExtismCall *c)
{
    driver *d = c->driver;
    ExtismCall **at = &d->ready;

    if (!c->queued)
        return;
    while (*at != c)
        at = &(*at)->next_ready;
    *at = c->next_ready;
    if (!*at)
        d->ready_end = at;
    d->ready_count--;
    c->queued = false;
}

void driver_call_give_up(ExtismCall *c)
{
    unqueue(c);
    c->outcome.code = OUTCOME_TRAPPED;
    error_set(&c->err, E_TIMEOUT, "timeout");
    finish(c);
}

static void on_wake(call *inner, void *arg)
{
    (void)inner;
    driver_queue(arg);
}

static uint64_t deadline_of(const ExtismCall *c)
{
    const manifest *m = &c->code->manifest;
    uint64_t ms = c->options.timeout_ms ? c->options.timeout_ms : m->timeout_ms;

    if (!c->options.timeout_ms && !m->has_timeout_ms)
        return UINT64_MAX;
    return clock_ns() + (ms < UINT32_MAX ? ms : UINT32_MAX) * 1000000u;
}

void driver_call_begin(ExtismCall *c)
{
    driver *d = c->driver;
    call_options options = {
        .function = c->function,
        .input = buf_slice(&c->input),
        .wall_ms = c->options.timeout_ms,
        .host_context = c->options.host_context,
        .wake = on_wake,
        .arg = c,
    };

    if (atomic_load(&c->cancelled)) {
        driver_call_give_up(c);
        return;
    }
    c->late_ns = deadline_of(c);
    if (call_start(&c->call, c->code, &options, &c->err) != 0) {
        finish(c);
        return;
    }
    buf_deinit(&c->input);
    if (c->late_ns < d->next_late_ns)
        d->next_late_ns = c->late_ns;
    c->next = d->calls;
    c->at = &d->calls;
    if (c->next)
        c->next->at = &c->next;
    d->calls = c;
    driver_queue(c);
}

bool driver_call_step(ExtismCall *c)
{
    switch (call_poll(c->call)) {
    case CALL_DONE:
        take_result(c);
        finish(c);
        return false;
    case CALL_READY:
        driver_queue(c);
        return true;
    default:
        pending_run(&c->driver->box);
        return false;
    }
}
