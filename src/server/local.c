#include "server/local.h"

#include "base/clock.h"
#include "server/function_host.h"
#include "server/input.h"
#include "server/limits.h"
#include "server/worker.h"

#include <event2/event.h>
#include <stdlib.h>

static void finish(local *l, const local_outcome *o)
{
    if (l->has_timeout)
        event_del(&l->timeout);
    l->ended = true;
    buf answer = l->answer;
    l->answer = (buf){0};
    l->done(l, o);
    buf_deinit(&answer);
}

static void refuse(local *l, enum local_end end, const char *text)
{
    finish(l, &(local_outcome){.end = end, .text = slice_str(text), .id = l->id});
}

/* --- A function --- */

static enum local_end end_of(const invocation *v, const invocation_result *r)
{
    if (!r->code)
        return LOCAL_OK;
    if (v->worker->stopping)
        return LOCAL_STOPPED;
    return r->status == 503 ? LOCAL_BUSY : r->status == 504 ? LOCAL_TIMEOUT : LOCAL_FAILED;
}

static void on_done(invocation *v, const invocation_result *r)
{
    local *l = (local *)(void *)((char *)v - offsetof(local, invocation));
    const local_outcome o = {
        .end = end_of(v, r), .text = r->text, .output = r->output, .id = l->id};

    context_deinit(&v->context);
    finish(l, &o);
}

static void call_function(local *l)
{
    worker *w = l->worker;
    function *f = app_function(w->shared->app, l->name);
    context *c = &l->invocation.context;

    if (!f) {
        refuse(l, LOCAL_NOT_FOUND, "the project has no function of this name");
        return;
    }
    if (l->input.len > f->limits.request_bytes) {
        refuse(l, LOCAL_TOO_LARGE, "the input is larger than the function takes");
        return;
    }
    worker_next_id(w, l->id);
    l->invocation = (invocation){.worker = w, .function = f, .done = on_done};
    context_init(c);
    c->host = &invoke_host;
    c->app = w->shared->app;
    c->home = &w->mailbox;
    context_set_function(c, f);
    c->started_ns = clock_ns();
    c->id = l->id;
    invocation_begin(&l->invocation, l->input);
}

/* --- A request --- */

static void answer(local *l)
{
    slice all = buf_slice(&l->answer), head = slice_of(all.data, l->head_len);
    const uint8_t *line_end = l->head_len ? memchr(head.data, '\n', head.len) : NULL;

    if (!line_end) {
        refuse(l, l->worker->stopping ? LOCAL_STOPPED : LOCAL_BUSY,
               l->worker->stopping ? "the server was stopped" : "out of memory");
        return;
    }
    size_t line = (size_t)(line_end + 1 - head.data), body = head.len + 2;
    finish(l, &(local_outcome){
                  .status = atoi((const char *)head.data + sizeof "HTTP/1.1 " - 1),
                  .headers = slice_of(head.data + line, head.len - line),
                  .output = slice_of(all.data + body, all.len - body),
                  .id = l->id,
              });
}

static void ask(local *l)
{
    worker *w = l->worker;
    connection *c = w->connections < LIMIT_CONNECTIONS ? connection_create_local(w, l) : NULL;

    if (!c) {
        refuse(l, LOCAL_BUSY, "the server is busy");
        return;
    }
    l->connection = c;
    buf_init(&l->answer, SIZE_MAX);
    /* Its bytes are needed until this returns, whenever it is answered. */
    l->begins = true;
    input_take(c, (uint8_t *)(uintptr_t)l->request.data, l->request.len);
    l->begins = false;
    if (!l->connection)
        answer(l);
}

bool local_take(local *l, const struct iovec *part, size_t count)
{
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++)
        rc = buf_append(&l->answer, part[i].iov_base, part[i].iov_len);
    l->head_len = rc ? 0 : part[0].iov_len + part[1].iov_len;
    return rc == 0;
}

void local_closed(local *l)
{
    memcpy(l->id, l->connection->exchange.request.id, sizeof l->id);
    l->connection = NULL;
    if (!l->begins && !l->ended)
        answer(l);
}

/* --- Both --- */

void local_give_up(local *l, enum local_end end, const char *text)
{
    if (l->ended)
        return;
    l->ended = true;
    if (l->connection)
        connection_close(l->connection);
    if (invocation_is_running(&l->invocation)) {
        invocation_cancel(&l->invocation);
        context_deinit(&l->invocation.context);
    }
    refuse(l, end, text);
}

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    local_give_up(arg, LOCAL_TIMEOUT, "it took longer than its caller gave it");
}

static void begin(mail *m)
{
    local *l = (local *)(void *)((char *)m - offsetof(local, mail));
    worker *w = l->worker;

    if (w->draining || w->stopping) {
        refuse(l, LOCAL_STOPPED, "the server was stopped");
        return;
    }
    if (l->timeout_ms) {
        const struct timeval time = {.tv_sec = (time_t)(l->timeout_ms / 1000),
                                     .tv_usec = (suseconds_t)(l->timeout_ms % 1000 * 1000)};

        evtimer_assign(&l->timeout, w->base, on_timeout, l);
        l->has_timeout = evtimer_add(&l->timeout, &time) == 0;
    }
    worker_watch(w);
    if (l->request.len)
        ask(l);
    else
        call_function(l);
}

void local_send(local *l, worker *w)
{
    l->worker = w;
    l->mail.open = begin;
    mailbox_post(&w->mailbox, &l->mail);
}
