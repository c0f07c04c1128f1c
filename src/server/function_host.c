#include "server/function_host.h"

#include "base/json.h"
#include "server/error_log.h"
#include "server/event_run.h"
#include "server/exchange.h"
#include "server/headers.h"
#include "server/query.h"
#include "server/worker.h"

#include <stdlib.h>

static invocation *of_context(const context *c)
{
    return (invocation *)(void *)((char *)(uintptr_t)c - offsetof(invocation, context));
}

/* --- ubiq_request --- */

static int put_member(buf *out, const char *name, slice value)
{
    int rc = buf_printf(out, ",\"%s\":", name);

    return rc ? rc : json_put_bytes(out, value);
}

static int put_params(const exchange *x, buf *out)
{
    int rc = buf_append_str(out, ",\"params\":{");

    for (size_t i = 0; x->match && i < x->match->count && rc == 0; i++) {
        if (i > 0)
            rc = buf_append_byte(out, ',');
        rc = rc ? rc : json_put_bytes(out, x->match->param[i].name);
        rc = rc ? rc : buf_append_byte(out, ':');
        rc = rc ? rc : json_put_bytes(out, x->match->param[i].value);
    }
    return rc ? rc : buf_append_byte(out, '}');
}

static int describe_http(const context *c, buf *out)
{
    const exchange *x = (const exchange *)(void *)((char *)of_context(c) - offsetof(exchange, invocation));
    const request *q = &x->request;
    int rc = buf_printf(out, "{\"id\":\"%s\",\"trigger\":\"http\"", q->id);

    rc = rc ? rc : put_member(out, "method", q->method);
    rc = rc ? rc : put_member(out, "path", q->path);
    rc = rc ? rc : put_member(out, "url", q->target);
    rc = rc ? rc : put_member(out, "route", slice_str(x->function ? x->function->route : ""));
    rc = rc ? rc : put_params(x, out);
    rc = rc ? rc : buf_append_str(out, ",\"query\":");
    rc = rc ? rc : query_put_json(out, query_of(q->target));
    rc = rc ? rc : buf_append_str(out, ",\"headers\":");
    rc = rc ? rc : headers_put_json(out, headers_of(q->head));
    if (rc == 0 && x->run.chain)
        rc = middleware_put_facts(&x->run, out);
    return rc ? rc : buf_append_byte(out, '}');
}

static int describe_other(const context *c, const char *cause, buf *out)
{
    return buf_printf(out,
                      "{\"id\":\"%s\",\"trigger\":\"%s\",\"method\":\"\",\"path\":\"\",\"url\":\"\","
                      "\"route\":\"\",\"params\":{},\"query\":{},\"headers\":{}}",
                      c->id, cause);
}

static int describe_event(const context *c, buf *out)
{
    return describe_other(c, event_run_is_cron(of_context(c)) ? "cron" : "event", out);
}

static int describe_invoked(const context *c, buf *out)
{
    return describe_other(c, "invoke", out);
}

/* --- ubiq_invoke --- */

/* A function that another one waits for. */
struct invoked {
    invocation invocation;
    invocation *by;
    void (*done)(void *arg, const context_answer *answer);
    void *arg;
    char id[INVOCATION_ID_BYTES];
    uint64_t counted_ns; /* of its CPU time, as part of its invoker's turn */
    bool begins;
    bool ended;            /* while it began: what follows waits for its turn, */
    task task;             /* in which the answer is given */
    enum service_code code;
    buf text;
};

static enum service_code code_of(const invocation_result *r)
{
    switch (r->code ? r->status : 200) {
    case 200:
        return SERVICE_OK;
    case 503:
        return SERVICE_BUSY;
    case 504:
        return SERVICE_TIMEOUT;
    default:
        return SERVICE_UNAVAILABLE;
    }
}

static void destroy(struct invoked *i)
{
    task_remove(&i->task);
    invocation_cancel(&i->invocation);
    context_deinit(&i->invocation.context);
    buf_deinit(&i->text);
    free(i);
}

static void answer(struct invoked *i, enum service_code code, slice text)
{
    const context_answer a = {.code = code, .text = text, .output = text};

    i->done(i->arg, &a);
}

static void answer_later(task *t)
{
    struct invoked *i = (struct invoked *)(void *)((char *)t - offsetof(struct invoked, task));

    answer(i, i->code, buf_slice(&i->text));
    destroy(i);
}

static void on_invoked_done(invocation *v, const invocation_result *r)
{
    struct invoked *i = (struct invoked *)(void *)v;
    slice text = r->code ? r->text : r->output;

    if (!i->begins) {
        i->by->cpu_ns += v->cpu_ns - i->counted_ns;
        answer(i, code_of(r), text);
        destroy(i);
        return;
    }
    i->code = code_of(r);
    if (buf_append(&i->text, text.data, text.len) != 0)
        i->code = SERVICE_UNAVAILABLE;
    i->ended = true;
}

static void *invoke(context *c, function *f, slice payload,
                    void (*done)(void *arg, const context_answer *answer), void *arg,
                    context_answer *refused)
{
    worker *w = of_context(c)->worker;
    struct invoked *i;

    if (payload.len > f->limits.request_bytes) {
        *refused = (context_answer){.code = SERVICE_TOO_LARGE,
                                    .text = slice_str("the payload is larger than the function takes")};
        return NULL;
    }
    if (!(i = calloc(1, sizeof *i))) {
        *refused = (context_answer){.code = SERVICE_BUSY, .text = slice_str("out of memory")};
        return NULL;
    }
    *i = (struct invoked){
        .invocation = {.worker = w, .function = f, .done = on_invoked_done},
        .by = of_context(c),
        .done = done,
        .arg = arg,
        .begins = true,
        .task.run = answer_later,
    };
    buf_init(&i->text, SIZE_MAX);
    worker_next_id(w, i->id);
    context_init(&i->invocation.context);
    context_inherit(&i->invocation.context, c);
    context_set_function(&i->invocation.context, f);
    i->invocation.context.host = &invoke_host;
    i->invocation.context.id = i->id;
    invocation_begin(&i->invocation, payload);
    i->begins = false;
    i->counted_ns = i->invocation.cpu_ns;
    if (i->ended)
        worker_queue(w, NULL, &i->task);
    return i;
}

static void cancel(void *invoked)
{
    destroy(invoked);
}

/* --- ubiq_log --- */

static void write_log(const context *c, int level, slice text, slice attributes)
{
    error_log_write_line(of_context(c)->worker->shared->errors, (enum error_log_level)level,
                         c->function->name, c->id, text, attributes);
}

const context_host http_host = {describe_http, invoke, cancel, write_log};
const context_host event_host = {describe_event, invoke, cancel, write_log};
const context_host invoke_host = {describe_invoked, invoke, cancel, write_log};
