#include "server/invocation.h"

#include "base/clock.h"
#include "server/error_log.h"
#include "server/limits.h"
#include "server/worker.h"

#include <stdlib.h>

static invocation *of_task(task *t)
{
    return (invocation *)(void *)((char *)t - offsetof(invocation, task));
}

invocation *invocation_of(timer *t)
{
    return (invocation *)(void *)((char *)t - offsetof(invocation, timer));
}

static void write_error(const invocation *v, const char *text)
{
    error_log_write(v->worker->shared->errors, v->function->name, v->context.id, slice_str(text));
}

static void count(const invocation *v, bool failed)
{
    function_counters *c = &v->worker->function_counters[v->function->index];

    counter_add(&c->calls, 1);
    counter_add(&c->failures, failed);
    counter_add(&c->cpu_ns, v->cpu_ns);
    counter_add(&c->wall_ns, clock_ns() - v->begun_ns);
}

/* Takes it out of everything that it is in. Its call, if there is one, lives on. */
static void leave(invocation *v)
{
    v->worker->calls--;
    v->worker->function_counters[v->function->index].in_flight--;
    v->worker->call_bytes -= v->input_len;
    counter_add(&v->worker->counters.calls, (uint64_t)-1);
    if (v->waits_for_code)
        atomic_fetch_sub(&v->worker->awaiting_code, 1);
    v->waits_for_code = false;
    task_remove(&v->task);
    timers_clear(&v->timer);
    free(v->body);
    v->body = NULL;
}

/* Tells how it ended. Its call is done, and lives until it has told. */
static void end(invocation *v, const invocation_result *r)
{
    worker *w = v->worker;
    const function *f = v->function;
    call *c = v->call;

    count(v, r->code != NULL);
    leave(v);
    v->function = NULL;
    v->call = NULL;
    v->done(v, r);
    /* `v` may be gone, or at work for the next one. */
    if (f->reuse && c && !r->code)
        kept_calls_put(&w->kept, f, c, clock_ns());
    else
        call_destroy(c);
}

/* Gives it up, wherever it stands, and tells why. */
static void fail(invocation *v, int status, const char *code, const char *text)
{
    const invocation_result r = {.status = status, .code = code, .text = slice_str(text)};

    count(v, true);
    invocation_cancel(v);
    v->done(v, &r);
}

/* What the engine says goes to the log; to whoever asked only what the function itself said. */
static void fail_with(invocation *v, const error *err, slice said)
{
    switch (err->code) {
    case E_BUSY:
    case E_NO_MEMORY:
        write_error(v, error_text(err));
        fail(v, 503, "busy", "there is no room for another call");
        return;
    case E_TIMEOUT:
        invocation_expire(v);
        return;
    default:
        break;
    }
    write_error(v, error_text(err));
    if (said.len && slice_is_utf8(said))
        end(v, &(invocation_result){.status = 500, .code = "function_error", .text = said});
    else if (err->code == E_TOO_LARGE)
        fail(v, 500, "out_of_memory", "the function needed more memory than it may have");
    else
        fail(v, 500, "function_failed",
             "the function failed; the server's log says more");
}

/* The call is done. */
static void conclude(invocation *v)
{
    const error *err = call_error(v->call);
    slice output;
    error code = {0};

    if (!err && call_code(v->call) != 0) {
        error_set(&code, E_TRAP, "it returned %d", (int)call_code(v->call));
        err = &code;
    }
    output = call_output(v->call);
    if (err) {
        fail_with(v, err, call_guest_error(v->call));
    } else if (output.len > v->function->limits.response_bytes) {
        write_error(v, "its output is larger than it may be");
        fail(v, 500, "response_too_large",
             "the function's output is larger than it may be");
    } else {
        end(v, &(invocation_result){.status = 200, .output = output});
    }
    error_deinit(&code);
}

/* Remembers whether the function's calls are done in one turn. */
static void note_turn(function *f, bool is_long)
{
    if (atomic_load_explicit(&f->is_long, memory_order_relaxed) != is_long)
        atomic_store_explicit(&f->is_long, is_long, memory_order_relaxed);
}

/* The clock by which a turn's CPU time is taken. The thread's own costs a system call, which short
 * turns are spared: for those the difference is whether others used the processor meanwhile. */
static uint64_t turn_clock(const invocation *v)
{
    return v->took_turns ? clock_thread_cpu_ns() : clock_ns();
}

static void give_turn(invocation *v)
{
    uint64_t before = turn_clock(v);
    enum call_status status;

    ticker_busy(v->worker->shared->ticker, v->worker->ticker_slot);
    status = call_poll(v->call);
    v->cpu_ns += turn_clock(v) - before;
    if (status == CALL_DONE) {
        if (!v->took_turns)
            note_turn(v->function, false);
        conclude(v);
        return;
    }
    if (v->cpu_ns > v->function->limits.cpu_ms * 1000000) {
        write_error(v, "it used more CPU time than it may");
        fail(v, 504, "timeout", "the function used more CPU time than it may");
        return;
    }
    if (status == CALL_READY) {
        v->took_turns = true;
        note_turn(v->function, true);
        worker_queue(v->worker, v->function, &v->task);
    }
}

static void on_wake(call *woken, void *arg)
{
    invocation *v = arg;

    (void)woken;
    worker_queue(v->worker, v->function, &v->task);
}

/* The export to call, or NULL. */
static const char *export_of(const invocation *v)
{
    const function *f = v->function;

    switch (v->part) {
    case INVOCATION_BEFORE:
        return f->has_before ? "before" : NULL;
    case INVOCATION_AFTER:
        return f->has_after ? "after" : NULL;
    case INVOCATION_HANDLER:
        break;
    }
    return function_export(f, v->method);
}

/* Starts the function, whose code is there, and gives it its first turn. */
static void start(invocation *v, slice body)
{
    const function *f = v->function;
    const call_options options = {
        .function = export_of(v),
        .input = body,
        .wall_ms = f->limits.wall_ms,
        .host_context = &v->context,
        .wake = on_wake,
        .arg = v,
    };
    error err = {0};
    int rc;

    if (!options.function && v->part != INVOCATION_HANDLER) {
        end(v, &(invocation_result){.status = 200});
        return;
    }
    if (!options.function) {
        fail(v, 500, "function_failed", "the function can be called by requests only");
        return;
    }
    v->call = f->reuse ? kept_calls_take(&v->worker->kept, f) : NULL;
    rc = v->call ? call_start_again(v->call, &options, &err)
                 : call_start(&v->call, f->code, &options, &err);
    if (rc) {
        fail_with(v, &err, slice_of(NULL, 0));
        error_deinit(&err);
        return;
    }
    /* A call runs at once, unless it is likely to keep short ones waiting. */
    if (atomic_load_explicit(&f->is_long, memory_order_relaxed))
        worker_queue(v->worker, v->function, &v->task);
    else
        give_turn(v);
}

/* Goes on once the function's code has been looked at. */
static void start_if_loaded(invocation *v, slice body)
{
    switch (function_state_of(v->function)) {
    case FUNCTION_LISTED:
        return;
    case FUNCTION_BROKEN:
        fail(v, 500, "function_broken",
             "the function's code cannot be used; the server's log says why");
        return;
    case FUNCTION_READY:
        if (v->waits_for_code)
            atomic_fetch_sub(&v->worker->awaiting_code, 1);
        v->waits_for_code = false;
        start(v, body);
        return;
    }
}

/* Keeps the input of a call that does not begin at once. False when it has failed. */
static bool keep_body(invocation *v, slice body)
{
    v->body = malloc(body.len + 1);
    if (!v->body) {
        fail(v, 503, "busy", "there is no room for another call");
        return false;
    }
    if (body.len)
        memcpy(v->body, body.data, body.len);
    v->body_len = body.len;
    return true;
}

static void wait_for_code(invocation *v, slice body)
{
    worker *w = v->worker;

    if (!keep_body(v, body))
        return;
    /* The loader publishes the code and then looks who waits: one of us sees the other. */
    v->waits_for_code = true;
    atomic_fetch_add(&w->awaiting_code, 1);
    if (function_state_of(v->function) != FUNCTION_LISTED) {
        worker_queue(w, v->function, &v->task);
        return;
    }
    task_append(&w->waiting_for_code, &v->task);
    loader_want(w->shared->loader, v->function);
    if (function_state_of(v->function) != FUNCTION_LISTED) {
        task_remove(&v->task);
        worker_queue(w, v->function, &v->task);
    }
}

static void run(task *t)
{
    invocation *v = of_task(t);

    if (v->call)
        give_turn(v);
    else
        start_if_loaded(v, slice_of(v->body, v->body_len));
}

void invocation_begin(invocation *v, slice body)
{
    worker *w = v->worker;
    const function *f = v->function;
    size_t *in_flight = &w->function_counters[f->index].in_flight;

    v->task.run = run;
    v->begun_ns = clock_ns();
    v->input_len = body.len;
    w->calls++;
    ++*in_flight;
    w->call_bytes += body.len;
    counter_add(&w->counters.calls, 1);
    if (w->calls > LIMIT_CALLS || (w->call_bytes > LIMIT_CALL_BYTES && w->calls > 1)) {
        fail(v, 503, "busy", "the server is busy");
        return;
    }
    if (*in_flight > LIMIT_FUNCTION_CALLS) {
        fail(v, 503, "busy", "the function has as many calls as it may have at once");
        return;
    }
    timers_set(&w->call_timers, &v->timer, f->wall_kind, v->begun_ns);
    if (function_state_of(f) != FUNCTION_READY)
        wait_for_code(v, body);
    else if (worker_has_time_for(w, f))
        start(v, body);
    else if (keep_body(v, body))
        worker_queue(w, f, &v->task);
}

void invocation_expire(invocation *v)
{
    if (!v->call) {
        fail(v, 503, "busy",
             v->waits_for_code ? "the function's code is still being loaded" : "the server is busy");
        return;
    }
    write_error(v, "it took longer than it may");
    fail(v, 504, "timeout", "the function took longer than it may");
}

void invocation_cancel(invocation *v)
{
    call *c = v->call;

    if (!v->function)
        return;
    leave(v);
    v->function = NULL;
    v->call = NULL;
    call_destroy(c);
}

void invocation_resume_waiting(worker *w)
{
    task *t = w->waiting_for_code.next;

    while (t != &w->waiting_for_code) {
        invocation *v = of_task(t);

        t = t->next;
        if (function_state_of(v->function) != FUNCTION_LISTED) {
            task_remove(&v->task);
            worker_queue(w, v->function, &v->task);
        }
    }
}
