#include "server/exchange.h"

#include "server/function_host.h"
#include "server/limits.h"
#include "server/reply.h"
#include "server/static.h"
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

/* Answers with the methods that there are: to OPTIONS, or to a method that is none of them. */
static void answer_methods(connection *c, const function *f, bool asked)
{
    buf allow;
    int rc;

    buf_init(&allow, LIMIT_RESPONSE_HEAD_BYTES);
    rc = buf_append_str(&allow, "Allow: ");
    rc = rc ? rc : function_put_allow(f, &allow);
    rc = rc ? rc : buf_append_str(&allow, "\r\n");
    if (rc)
        reply_error(c, 503, RETRY_AFTER, "busy", slice_str("out of memory"));
    else if (asked)
        reply_send(c, &(reply){.status = 204, .headers = buf_slice(&allow)});
    else
        reply_error_with(c, 405, buf_slice(&allow), "method_not_allowed",
                         slice_str("the function does not take this method"));
    buf_deinit(&allow);
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
        worker_queue(c->worker, &c->task);
}

static void call_function(connection *c, function *f, slice body)
{
    exchange *x = &c->exchange;
    invocation *v = &x->invocation;

    *v = (invocation){
        .worker = c->worker,
        .function = f,
        .method = x->request.method,
        .done = on_done,
    };
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

/* Lets a view into `from` point to the same place in its copy `to`. */
static void move_view(slice *view, slice from, const uint8_t *to)
{
    if (view->len && view->data >= from.data && view->data < from.data + from.len)
        view->data = to + (view->data - from.data);
}

/* Keeps the parameters of the path. False when memory runs out. */
static bool keep_match(exchange *x, const route_match *found)
{
    const slice plain = slice_of(found->plain, sizeof found->plain);

    if (found->count == 0)
        return true;
    x->match = malloc(sizeof *x->match);
    if (!x->match)
        return false;
    *x->match = *found;
    for (size_t i = 0; i < found->count; i++)
        move_view(&x->match->param[i].value, plain, x->match->plain);
    return true;
}

void exchange_begin(connection *c, slice body)
{
    request *q = &c->exchange.request;
    route_match match;
    function *f;

    if (slice_equal_str(q->path, "/healthz")) {
        answer_health(c);
        return;
    }
    worker_next_id(c->worker, q->id);
    f = app_find(c->worker->shared->app, q->path, &match);
    /* A file is as good as a route without parameters. */
    if ((!f || match.count > 0) && static_serve(c))
        return;
    if (!f)
        reply_error(c, 404, NULL, "not_found", slice_str("no function has this route"));
    else if (!function_takes(f, q->method))
        answer_methods(c, f, slice_equal_str(q->method, "OPTIONS"));
    else if (body.len > f->limits.request_bytes)
        reply_error(c, 413, NULL, "too_large", slice_str("the request's body is larger than it may be"));
    else if (!keep_match(&c->exchange, &match))
        reply_error(c, 503, RETRY_AFTER, "busy", slice_str("out of memory"));
    else
        call_function(c, f, body);
}

void exchange_cancel(connection *c)
{
    invocation_cancel(&c->exchange.invocation);
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
    for (size_t i = 0; x->match && i < x->match->count; i++)
        move_view(&x->match->param[i].value, from, x->held);
    move_view(&x->invocation.method, from, x->held);
    q->head = slice_of(x->held, from.len);
    return true;
}

void exchange_deinit(exchange *x)
{
    context_deinit(&x->invocation.context);
    free(x->match);
    free(x->held);
    x->match = NULL;
    x->held = NULL;
}
