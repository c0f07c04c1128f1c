#include "server/error_log.h"
#include "server/exchange_internal.h"
#include "server/function_host.h"
#include "server/limits.h"
#include "server/worker.h"

#include <time.h>

static middleware_request facts_of(const connection *c)
{
    const request *q = &c->exchange.request;

    return (middleware_request){
        .method = q->method,
        .headers = headers_of(q->head),
        .address = slice_of(c->address, c->address_len),
        .id = q->id,
        .now_ns = q->started_ns,
        .now_s = (uint64_t)time(NULL),
    };
}

static void log_problem(const connection *c, const char *who, const error *err)
{
    error_log_write(c->worker->shared->errors, who, c->exchange.request.id,
                    slice_str(error_text(err)));
}

static void step(connection *c, enum middleware_next next);

/* A function of the project that is middleware has had its say. */
static void on_middleware_done(invocation *v, const invocation_result *r)
{
    exchange *x = exchange_of(v);
    connection *c = connection_of_exchange(x);
    const middleware_request q = facts_of(c);
    const char *who = middleware_function(&x->run)->name;
    enum middleware_next next;
    error err = {0};

    context_deinit(&v->context);
    if (r->code) {
        exchange_fail(x, r->status, r->code, r->text);
        exchange_send_back(c);
        return;
    }
    next = x->goes_back ? middleware_resume_after(&x->run, &q, c->worker->compressor, r->output,
                                                  &x->answer, &err)
                        : middleware_resume_before(&x->run, &q, r->output, &x->answer, &err);
    if (err.code)
        log_problem(c, who, &err);
    error_deinit(&err);
    step(c, next);
}

static void call_middleware(connection *c)
{
    exchange *x = &c->exchange;
    buf request_json, input;
    int rc;

    buf_init(&request_json, LIMIT_REQUEST_JSON_BYTES);
    buf_init(&input, SIZE_MAX);
    rc = http_host.describe(&x->invocation.context, &request_json);
    if (rc == 0)
        rc = x->goes_back ? middleware_put_after(&input, buf_slice(&request_json), &x->answer)
                          : middleware_put_before(&input, buf_slice(&request_json), x->body);
    if (rc) {
        exchange_fail(x, 503, "busy", slice_str("out of memory"));
        exchange_send_back(c);
    } else {
        context_deinit(&x->invocation.context);
        exchange_call(c, middleware_function(&x->run),
                      x->goes_back ? INVOCATION_AFTER : INVOCATION_BEFORE, buf_slice(&input),
                      on_middleware_done);
    }
    buf_deinit(&request_json);
    buf_deinit(&input);
}

static void call_next(task *t)
{
    exchange *x = (exchange *)(void *)((char *)t - offsetof(exchange, next_call));

    call_middleware(connection_of_exchange(x));
}

/* The first is called at once. Each further one has its turn when the one before it has gone with its
 * instance and its input, so that a long chain takes no more memory than a short one. */
static void call_or_queue(connection *c)
{
    exchange *x = &c->exchange;

    if (x->goes_back && response_keep_body(&x->answer) != 0) {
        exchange_fail(x, 503, "busy", slice_str("out of memory"));
        exchange_send_back(c);
    } else if (x->has_called) {
        x->next_call.run = call_next;
        c->state = CONNECTION_CALL;
        worker_queue(c->worker, NULL, &x->next_call);
    } else {
        x->has_called = true;
        call_middleware(c);
    }
}

static void step(connection *c, enum middleware_next next)
{
    switch (next) {
    case MIDDLEWARE_CALL:
        call_or_queue(c);
        return;
    case MIDDLEWARE_ANSWER:
        exchange_send_back(c);
        return;
    case MIDDLEWARE_GO_ON:
        if (c->exchange.goes_back)
            exchange_send_answer(c);
        else
            exchange_act(c);
        return;
    }
}

void exchange_send_back(connection *c)
{
    const middleware_request q = facts_of(c);
    exchange *x = &c->exchange;

    x->goes_back = true;
    step(c, middleware_after(&x->run, &q, c->worker->compressor, &x->answer));
}

void exchange_begin_middleware(connection *c, const middleware *chain)
{
    const middleware_request q = facts_of(c);
    exchange *x = &c->exchange;

    response_init(&x->answer);
    middleware_begin(&x->run, chain);
    step(c, middleware_before(&x->run, &q, &x->answer));
}
