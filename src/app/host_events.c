#include "app/host_internal.h"

#include "app/limits.h"

#include <stdlib.h>

/* Functions that set off others: ubiq_events_emit and ubiq_invoke. */

static bool emit(host_call *h)
{
    events_emission *o;
    slice topic, payload;

    if (!host_bytes(h, 0, &topic) || !host_bytes(h, 1, &payload) ||
        !host_may(h, PERMISSION_EVENTS_EMIT, "events:emit:", topic))
        return true;
    o = host_operation_create(h, sizeof *o, LIMIT_HOST_RESULT_BYTES);
    if (!o)
        return true;
    o->topic = topic;
    o->payload = payload;
    o->source = h->context->function->name;
    o->hops = h->context->hops;
    return host_operation_submitted(o, events_emit(app_events(h->context->app), o), true);
}

/* An invoked function that a guest waits for. */
struct invoked {
    host_wait *wait;
    context *context;
    void *handle;
};

static void on_answer(void *arg, const context_answer *a)
{
    struct invoked *i = arg;
    host_wait *wait = i->wait;

    if (a->code == SERVICE_OK)
        host_return_bytes(wait, a->output);
    else
        host_fail(wait, i->context, a->code, "%.*s", (int)a->text.len, (const char *)a->text.data);
    free(i);
    host_wait_finish(wait);
}

static void on_cancel(void *arg)
{
    struct invoked *i = arg;

    i->context->host->cancel(i->handle);
    free(i);
}

static bool invoke(host_call *h)
{
    context *c = h->context;
    context_answer refused = {0};
    slice name, payload;
    struct invoked *i;
    function *f;

    if (!host_bytes(h, 0, &name) || !host_bytes(h, 1, &payload) ||
        !host_may(h, PERMISSION_INVOKE, "invoke:", name))
        return true;
    f = app_function(c->app, name);
    if (!f)
        return host_fail(h->wait, c, SERVICE_NOT_FOUND, "there is no function \"%.*s\"",
                         host_shown(name), (const char *)name.data);
    if (c->depth + 1 > LIMIT_INVOKE_DEPTH)
        return host_fail(h->wait, c, SERVICE_OVER_QUOTA,
                         "functions invoke one another more than %d deep", LIMIT_INVOKE_DEPTH);
    if (!context_count_invocation(c))
        return host_fail(h->wait, c, SERVICE_OVER_QUOTA,
                         "more than %d functions are invoked on behalf of one", LIMIT_INVOCATIONS);
    if (!(i = malloc(sizeof *i))) {
        h->wait->failure = "out of memory";
        return true;
    }
    *i = (struct invoked){.wait = h->wait, .context = c};
    i->handle = c->host->invoke(c, f, payload, on_answer, i, &refused);
    if (!i->handle) {
        free(i);
        return host_fail(h->wait, c, refused.code, "%.*s", (int)refused.text.len,
                         (const char *)refused.text.data);
    }
    h->wait->cancel = on_cancel;
    h->wait->state = i;
    return false;
}

const host_definition host_events[] = {
    {"ubiq_events_emit", emit, 2, 0},
    {"ubiq_invoke", invoke, 2, 0},
};
const size_t host_events_count = sizeof host_events / sizeof *host_events;
