#include "server/invocation.h"

#include "base/clock.h"
#include "server/error_log.h"
#include "server/limits.h"
#include "server/reply.h"
#include "server/worker.h"

static void stop_awaiting_code(connection *c)
{
    if (c->awaits_code)
        atomic_fetch_sub(&c->worker->awaiting_code, 1);
    c->awaits_code = false;
}

/* The request has been dealt with, but for the answer. */
static void leave(connection *c)
{
    c->worker->calls--;
    stop_awaiting_code(c);
    c->function = NULL;
    c->call = NULL;
}

static void refuse_busy(connection *c, const char *message)
{
    reply_error(c, 503, RETRY_AFTER, "busy", slice_str(message));
}

/* What the engine says goes to the log; to the client only what the function itself said. */
static void answer_failure(connection *c, const function *f, const error *err, slice said)
{
    slice text = slice_str(err ? error_text(err) : "");

    switch (err ? err->code : 0) {
    case E_BUSY:
    case E_NO_MEMORY:
        error_log_write(c->worker->shared->errors, f->name, c->request.id, text);
        refuse_busy(c, "there is no room for another call");
        return;
    case E_TIMEOUT:
        error_log_write(c->worker->shared->errors, f->name, c->request.id,
                        slice_str("it ran longer than it may"));
        reply_error(c, 504, NULL, "timeout", slice_str("the function ran longer than it may"));
        return;
    default:
        break;
    }
    error_log_write(c->worker->shared->errors, f->name, c->request.id, text);
    if (said.len && slice_is_utf8(said))
        reply_error(c, 500, NULL, "function_error", said);
    else if (err && err->code == E_TOO_LARGE)
        reply_error(c, 500, NULL, "out_of_memory",
                    slice_str("the function needed more memory than it may have"));
    else
        reply_error(c, 500, NULL, "function_failed",
                    slice_str("the function failed; the server's log says more"));
}

static const char *type_of(const function *f, slice output)
{
    if (output.len == 0)
        return NULL;
    if (f->content_type)
        return f->content_type;
    if (!slice_is_utf8(output))
        return "application/octet-stream";
    if (output.data[0] == '{' || output.data[0] == '[')
        return "application/json";
    return "text/plain; charset=utf-8";
}

static void answer_output(connection *c, const function *f, slice output)
{
    if (output.len <= c->worker->shared->response_bytes) {
        reply_send(c, &(reply){.status = 200, .type = type_of(f, output), .body = output});
        return;
    }
    error_log_write(c->worker->shared->errors, f->name, c->request.id,
                    slice_str("its output is larger than it may be"));
    reply_error(c, 500, NULL, "response_too_large",
                slice_str("the function's output is larger than it may be"));
}

/* The call is done. It lives until its output is written. */
static void finish(connection *c)
{
    const function *f = c->function;
    call *done = c->call;
    const error *err = call_error(done);
    error code = {0};

    leave(c);
    if (!err && call_code(done) != 0) {
        error_set(&code, E_TRAP, "it returned %d", (int)call_code(done));
        err = &code;
    }
    if (err)
        answer_failure(c, f, err, call_guest_error(done));
    else
        answer_output(c, f, call_output(done));
    error_deinit(&code);
    call_destroy(done);
}

/* Remembers whether the function's calls are done in one turn. */
static void note_turn(function *f, bool is_long)
{
    if (atomic_load_explicit(&f->is_long, memory_order_relaxed) != is_long)
        atomic_store_explicit(&f->is_long, is_long, memory_order_relaxed);
}

static void give_turn(connection *c)
{
    ticker_busy(c->worker->shared->ticker, c->worker->ticker_slot);
    switch (call_poll(c->call)) {
    case CALL_DONE:
        if (!c->took_turns)
            note_turn(c->function, false);
        finish(c);
        return;
    case CALL_READY:
        c->took_turns = true;
        note_turn(c->function, true);
        worker_queue(c->worker, c);
        return;
    case CALL_WAITING:
        return;
    }
}

static void on_wake(call *woken, void *arg)
{
    connection *c = arg;

    (void)woken;
    worker_queue(c->worker, c);
}

/* Starts the function, whose code is there, and gives it its first turn. */
static void start(connection *c, slice body)
{
    const function *f = c->function;
    const call_options options = {
        .function = f->export,
        .input = body,
        .wall_ms = c->worker->shared->wall_ms,
        .host_context = c,
        .wake = on_wake,
        .arg = c,
    };
    error err = {0};

    if (call_start(&c->call, f->code, &options, &err)) {
        leave(c);
        answer_failure(c, f, &err, slice_of(NULL, 0));
        error_deinit(&err);
        return;
    }
    c->state = CONNECTION_CALL;
    c->took_turns = false;
    /* A call runs at once, unless it is likely to keep short ones waiting. */
    if (atomic_load_explicit(&f->is_long, memory_order_relaxed))
        worker_queue(c->worker, c);
    else
        give_turn(c);
}

/* Goes on once the function's code has been looked at. */
static void start_if_loaded(connection *c, slice body)
{
    switch (function_state_of(c->function)) {
    case FUNCTION_LISTED:
        return;
    case FUNCTION_BROKEN:
        leave(c);
        reply_error(c, 500, NULL, "function_broken",
                    slice_str("the function's code cannot be used; the server's log says why"));
        return;
    case FUNCTION_READY:
        stop_awaiting_code(c);
        start(c, body);
        return;
    }
}

static void wait_for_code(connection *c, slice body)
{
    worker *w = c->worker;

    if (!connection_hold(c, body)) {
        leave(c);
        refuse_busy(c, "there is no room for another call");
        return;
    }
    c->state = CONNECTION_CALL;
    timers_set(&w->timers, &c->timer, TIMER_CALL, c->request.started_ns);
    /* The loader publishes the code and then looks who waits: one of us sees the other. */
    c->awaits_code = true;
    atomic_fetch_add(&w->awaiting_code, 1);
    if (function_state_of(c->function) == FUNCTION_LISTED)
        loader_want(w->shared->loader, c->function);
    start_if_loaded(c, c->body);
}

void invocation_begin(connection *c, function *f, slice body)
{
    worker *w = c->worker;

    if (w->calls >= LIMIT_CALLS) {
        refuse_busy(c, "the server is busy");
        return;
    }
    w->calls++;
    c->function = f;
    if (function_state_of(f) != FUNCTION_READY) {
        wait_for_code(c, body);
        return;
    }
    start(c, body);
    if (c->state == CONNECTION_CALL && !c->held) {
        timers_set(&w->timers, &c->timer, TIMER_CALL, c->request.started_ns);
        if (!connection_hold(c, slice_of(NULL, 0))) {
            invocation_cancel(c);
            connection_close(c);
        }
    }
}

void invocation_run(connection *c)
{
    if (c->call)
        give_turn(c);
    else
        start_if_loaded(c, c->body);
}

void invocation_expire(connection *c)
{
    const function *f = c->function;
    bool loading = !c->call;

    invocation_cancel(c);
    if (loading) {
        refuse_busy(c, "the function's code is still being loaded");
        return;
    }
    error_log_write(c->worker->shared->errors, f->name, c->request.id,
                    slice_str("it took longer than it may"));
    reply_error(c, 504, NULL, "timeout", slice_str("the function took longer than it may"));
}

void invocation_cancel(connection *c)
{
    call *running = c->call;

    if (!c->function)
        return;
    leave(c);
    call_destroy(running);
}
