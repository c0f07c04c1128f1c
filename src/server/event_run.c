#include "server/event_run.h"

#include "base/clock.h"
#include "server/function_host.h"
#include "server/worker.h"

#include <stdlib.h>

struct event_run {
    invocation invocation;
    worker *worker;
    events *events;
    delivery *delivery;
    mail mail;
    char id[INVOCATION_ID_BYTES];
};

static struct event_run *of_invocation(const invocation *v)
{
    return (struct event_run *)(void *)((char *)(uintptr_t)v - offsetof(struct event_run, invocation));
}

bool event_run_is_cron(const invocation *v)
{
    return of_invocation(v)->delivery->is_cron;
}

static void on_done(invocation *v, const invocation_result *r)
{
    struct event_run *run = of_invocation(v);
    char *problem = r->code ? strndup((const char *)r->text.data, r->text.len) : NULL;

    /* A server that is busy, or stops, is not the function's failure. */
    if (r->code && (r->status == 503 || run->worker->stopping))
        events_postpone(run->events, run->delivery);
    else
        events_delivered(run->events, run->delivery, r->code && !problem ? r->code : problem);
    free(problem);
    context_deinit(&v->context);
    free(run);
}

static void begin(mail *m)
{
    struct event_run *run = (struct event_run *)(void *)((char *)m - offsetof(struct event_run, mail));
    worker *w = run->worker;
    delivery *d = run->delivery;
    function *f = app_function(w->shared->app, slice_str(d->function));
    context *c = &run->invocation.context;

    if (w->draining || w->stopping || !f) {
        /* Whoever serves the project next has another look. */
        if (w->draining || w->stopping)
            events_postpone(run->events, d);
        else
            events_delivered(run->events, d, "there is no function of this name");
        free(run);
        return;
    }
    run->invocation = (invocation){.worker = w, .function = f, .done = on_done};
    worker_next_id(w, run->id);
    context_init(c);
    c->host = &event_host;
    c->app = w->shared->app;
    c->home = &w->mailbox;
    context_set_function(c, f);
    c->started_ns = clock_ns();
    c->id = run->id;
    c->hops = d->hops + 1;
    worker_watch(w);
    invocation_begin(&run->invocation, d->input);
}

void event_run_send(worker *w, events *e, delivery *d)
{
    struct event_run *run = calloc(1, sizeof *run);

    if (!run) {
        events_postpone(e, d);
        return;
    }
    run->worker = w;
    run->events = e;
    run->delivery = d;
    run->mail.open = begin;
    mailbox_post(&w->mailbox, &run->mail);
}
