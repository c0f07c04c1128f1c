#include "server/exchange.h"

#include "server/function_host.h"
#include "server/limits.h"
#include "server/reply.h"
#include "server/worker.h"

#include <stdio.h>
#include <stdlib.h>

#define ALLOW_BYTES 1024

static exchange *of_invocation(invocation *v)
{
    return (exchange *)(void *)((char *)v - offsetof(exchange, invocation));
}

static void answer_health(connection *c)
{
    bool get = slice_equal_str(c->exchange.request.method, "GET");

    if (!get && !slice_equal_str(c->exchange.request.method, "HEAD")) {
        reply_error(c, 405, "Allow: GET, HEAD\r\n", "method_not_allowed",
                    slice_str("/healthz takes GET"));
        return;
    }
    if (c->worker->draining)
        reply_error(c, 503, RETRY_AFTER, "draining", slice_str("the server is stopping"));
    else
        reply_send(c, &(reply){.status = 200,
                               .type = "text/plain; charset=utf-8",
                               .body = slice_str("ok\n")});
}

/* Lists what the function takes; its length was limited when the project was opened. */
static void refuse_method(connection *c, const function *f)
{
    char allow[ALLOW_BYTES];
    size_t len = (size_t)snprintf(allow, sizeof allow, "Allow: ");

    for (size_t i = 0; i < f->methods.count && len < sizeof allow; i++)
        len += (size_t)snprintf(allow + len, sizeof allow - len, "%s%s", i > 0 ? ", " : "",
                                f->methods.item[i]);
    if (len < sizeof allow)
        len += (size_t)snprintf(allow + len, sizeof allow - len, "\r\n");
    reply_error(c, 405, len < sizeof allow ? allow : NULL, "method_not_allowed",
                slice_str("the function does not take this method"));
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

static void on_done(invocation *v, const invocation_result *r)
{
    exchange *x = of_invocation(v);
    connection *c = connection_of_exchange(x);
    const context *ctx = &v->context;

    x->request.trace = buf_slice(&ctx->trace);
    if (r->code)
        reply_error(c, r->status, r->status == 503 ? RETRY_AFTER : NULL, r->code, r->text);
    else
        reply_send(c, &(reply){
                          .status = ctx->status ? ctx->status : 200,
                          .type = ctx->has_type ? NULL : type_of(x->function, r->output),
                          .headers = buf_slice(&ctx->headers),
                          .body = r->output,
                      });
    if (!x->begins && !c->closed && c->in.len)
        worker_queue(c->worker, NULL, &c->task);
}

static void call_function(connection *c, function *f, slice body)
{
    exchange *x = &c->exchange;
    invocation *v = &x->invocation;

    *v = (invocation){.worker = c->worker, .function = f, .done = on_done};
    x->function = f;
    context_init(&v->context);
    v->context.host = &http_host;
    v->context.app = c->worker->shared->app;
    v->context.home = &c->worker->mailbox;
    context_set_function(&v->context, f);
    v->context.id = x->request.id;
    v->context.started_ns = x->request.started_ns;
    c->state = CONNECTION_CALL;
    x->begins = true;
    invocation_begin(v, body);
    x->begins = false;
    if (c->closed || c->state != CONNECTION_CALL)
        return;
    timers_set(&c->worker->timers, &c->timer, TIMER_CALL, x->request.started_ns);
    if (!exchange_hold(x))
        connection_close(c);
}

void exchange_begin(connection *c, slice body)
{
    request *q = &c->exchange.request;
    function *f;

    if (slice_equal_str(q->path, "/healthz")) {
        answer_health(c);
        return;
    }
    worker_next_id(c->worker, q->id);
    f = app_find(c->worker->shared->app, q->path);
    if (!f)
        reply_error(c, 404, NULL, "not_found", slice_str("no function has this route"));
    else if (!function_takes(f, q->method))
        refuse_method(c, f);
    else
        call_function(c, f, body);
}

void exchange_cancel(connection *c)
{
    invocation_cancel(&c->exchange.invocation);
}

/* Lets a view into `from` point to the same place in its copy `to`. */
static void move_view(slice *view, slice from, const uint8_t *to)
{
    if (view->len && view->data >= from.data && view->data < from.data + from.len)
        view->data = to + (view->data - from.data);
}

bool exchange_hold(exchange *x)
{
    request *q = &x->request;
    slice from = q->head;

    if (x->held)
        return true;
    x->held = malloc(from.len + 1);
    if (!x->held)
        return false;
    if (from.len)
        memcpy(x->held, from.data, from.len);
    move_view(&q->method, from, x->held);
    move_view(&q->target, from, x->held);
    move_view(&q->path, from, x->held);
    q->head = slice_of(x->held, from.len);
    return true;
}

void exchange_deinit(exchange *x)
{
    context_deinit(&x->invocation.context);
    free(x->held);
    x->held = NULL;
}
