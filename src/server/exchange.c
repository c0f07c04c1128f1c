#include "server/exchange_internal.h"

#include "server/function_host.h"
#include "server/limits.h"
#include "server/reply.h"
#include "server/static.h"
#include "server/worker.h"

#include <stdlib.h>
#include <unistd.h>

exchange *exchange_of(invocation *v)
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

/* What is answered where no function is called: to OPTIONS the methods that there are, else an
 * error. */
static int make_refusal(const exchange *x, response *a)
{
    const request *q = &x->request;
    const function *f = x->function;
    buf allow;
    int rc;

    if (!f || function_takes(f, q->method)) {
        response_set_error(a, f ? 413 : 404, f ? "too_large" : "not_found",
                           slice_str(f ? "the request's body is larger than it may be"
                                       : "no function has this route"),
                           q->id);
        return 0;
    }
    if (slice_equal_str(q->method, "OPTIONS"))
        a->status = 204;
    else
        response_set_error(a, 405, "method_not_allowed",
                           slice_str("the function does not take this method"), q->id);
    buf_init(&allow, LIMIT_RESPONSE_HEAD_BYTES);
    rc = function_put_allow(f, &allow);
    rc = rc ? rc : headers_put(&a->headers, slice_str("Allow"), buf_slice(&allow));
    buf_deinit(&allow);
    return rc;
}

static const char *type_of(const function *f, slice output)
{
    if (output.len == 0)
        return NULL;
    return f->content_type ? f->content_type : response_type_of(output);
}

/* The request is answered, and its connection may be gone on with. */
static void go_on(connection *c)
{
    if (!c->exchange.begins && !c->closed && c->in.len)
        worker_queue(c->worker, NULL, &c->task);
}

/* Answers with what a function gave, as no middleware wants to see it. */
static void answer_at_once(connection *c, const invocation_result *r)
{
    exchange *x = &c->exchange;
    const context *ctx = &x->invocation.context;

    if (r->code)
        reply_error(c, r->status, r->status == 503 ? RETRY_AFTER : NULL, r->code, r->text);
    else
        reply_send(c, &(reply){
                          .status = ctx->status ? ctx->status : 200,
                          .type = ctx->has_type ? NULL : type_of(x->function, r->output),
                          .headers = buf_slice(&ctx->headers),
                          .body = r->output,
                      });
    go_on(c);
}

static void drop_file(exchange *x)
{
    if (x->file.fd >= 0)
        close(x->file.fd);
    x->file.fd = -1;
}

void exchange_send_answer(connection *c)
{
    exchange *x = &c->exchange;
    const reply r = {
        .status = x->answer.status,
        .headers = buf_slice(&x->answer.headers),
        .body = x->answer.body,
    };
    const static_file file = x->file;

    /* Middleware may have put something in its place. */
    if (x->is_public && r.body.len)
        drop_file(x);
    if (x->is_public && x->file.fd >= 0) {
        x->file.fd = -1;
        reply_send_file(c, &r, file.fd, file.start, file.length);
    } else {
        reply_send(c, &r);
    }
    go_on(c);
}

void exchange_fail(exchange *x, int status, const char *code, slice text)
{
    response_set_error(&x->answer, status, code, text, x->request.id);
    if (status == 503 && headers_put(&x->answer.headers, slice_str("Retry-After"), slice_str("1")))
        buf_clear(&x->answer.headers);
}

/* Makes what a function gave the answer. Its output stays where it is for now. */
static void take_result(exchange *x, const invocation_result *r)
{
    const context *ctx = &x->invocation.context;
    response *a = &x->answer;
    const char *type;
    int rc;

    if (r->code) {
        exchange_fail(x, r->status, r->code, r->text);
        return;
    }
    a->status = ctx->status ? ctx->status : 200;
    a->body = r->output;
    type = ctx->has_type ? NULL : type_of(x->function, r->output);
    rc = buf_append(&a->headers, ctx->headers.data, ctx->headers.len);
    if (rc == 0 && type)
        rc = headers_put(&a->headers, slice_str("Content-Type"), slice_str(type));
    if (rc)
        exchange_fail(x, 503, "busy", slice_str("out of memory"));
}

static void on_function_done(invocation *v, const invocation_result *r)
{
    exchange *x = exchange_of(v);
    connection *c = connection_of_exchange(x);

    x->request.trace = buf_slice(&v->context.trace);
    if (!x->run.chain) {
        answer_at_once(c, r);
        return;
    }
    x->trace = v->context.trace;
    v->context.trace = (buf){0};
    take_result(x, r);
    exchange_send_back(c);
}

void exchange_call(connection *c, function *f, enum invocation_part part, slice input,
                   void (*done)(invocation *v, const invocation_result *r))
{
    exchange *x = &c->exchange;
    invocation *v = &x->invocation;

    *v = (invocation){
        .worker = c->worker,
        .function = f,
        .part = part,
        .method = x->request.method,
        .done = done,
    };
    context_init(&v->context);
    v->context.host = &http_host;
    v->context.app = c->worker->shared->app;
    v->context.home = &c->worker->mailbox;
    context_set_function(&v->context, f);
    v->context.id = x->request.id;
    v->context.started_ns = x->request.started_ns;
    c->state = CONNECTION_CALL;
    invocation_begin(v, input);
}

static void call_function(connection *c)
{
    slice body = c->exchange.body;

    /* Nobody needs it any more once it has been handed over. */
    c->exchange.body = slice_of(NULL, 0);
    exchange_call(c, c->exchange.function, INVOCATION_HANDLER, body, on_function_done);
}

/* Answers with a public file, or says why no function is called. */
static void answer_itself(connection *c)
{
    exchange *x = &c->exchange;
    int rc;

    if (!x->run.chain)
        response_init(&x->answer);
    if (!x->is_public)
        rc = make_refusal(x, &x->answer);
    else
        rc = static_answer(c, &x->answer, &x->file);
    if (rc) {
        drop_file(x);
        exchange_fail(x, 503, "busy", slice_str("out of memory"));
    }
    if (x->run.chain) {
        exchange_send_back(c);
        return;
    }
    exchange_send_answer(c);
    response_deinit(&x->answer);
}

/* Calls the function, or says why not. */
void exchange_act(connection *c)
{
    exchange *x = &c->exchange;

    if (x->function && function_takes(x->function, x->request.method) &&
        x->body.len <= x->function->limits.request_bytes)
        call_function(c);
    else
        answer_itself(c);
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
    exchange *x = &c->exchange;
    request *q = &x->request;
    const middleware *chain;
    route_match match;

    if (slice_equal_str(q->path, "/healthz")) {
        answer_health(c);
        return;
    }
    worker_next_id(c->worker, q->id);
    x->body = body;
    x->function = app_find(c->worker->shared->app, q->path, &match);
    x->begins = true;
    x->file.fd = -1;
    /* A file is as good as a route without parameters. */
    x->is_public = (!x->function || match.count > 0) &&
                   public_find(app_public(c->worker->shared->app), q->path);
    if (x->is_public)
        x->function = NULL;
    chain = middleware_chains_of(c->worker->shared->middleware, x->function);
    if (x->function && !keep_match(x, &match))
        reply_error(c, 503, RETRY_AFTER, "busy", slice_str("out of memory"));
    else if (chain)
        exchange_begin_middleware(c, chain);
    else
        exchange_act(c);
    x->begins = false;
    if (c->closed || c->state != CONNECTION_CALL)
        return;
    timers_set(&c->worker->timers, &c->timer, TIMER_CALL, q->started_ns);
    if (!exchange_hold(x))
        connection_close(c);
}

void exchange_cancel(connection *c)
{
    task_remove(&c->exchange.next_call);
    invocation_cancel(&c->exchange.invocation);
}

bool exchange_hold(exchange *x)
{
    request *q = &x->request;
    slice from = q->head;

    if (x->held)
        return true;
    x->held = malloc(from.len + x->body.len + 1);
    if (!x->held)
        return false;
    if (from.len)
        memcpy(x->held, from.data, from.len);
    if (x->body.len)
        memcpy(x->held + from.len, x->body.data, x->body.len);
    x->body = slice_of(x->held + from.len, x->body.len);
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
    if (x->run.chain) {
        middleware_end(&x->run);
        response_deinit(&x->answer);
        buf_deinit(&x->trace);
    }
    if (x->is_public)
        drop_file(x);
    x->is_public = false;
    x->run.chain = NULL;
    x->goes_back = false;
    x->has_called = false;
    free(x->match);
    free(x->held);
    x->match = NULL;
    x->held = NULL;
}
