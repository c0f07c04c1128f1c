#include "app/host_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SHOWN 256

struct host_operation {
    host_wait *wait; /* NULL: the guest has gone */
    context *context;
    bool bytes;
    max_align_t made[]; /* the service's struct */
};

static void *of_operation(host_operation *o)
{
    return o->made;
}

static host_operation *operation_of(void *made)
{
    return (host_operation *)(void *)((char *)made - offsetof(host_operation, made));
}

bool host_bytes(host_call *h, unsigned n, slice *out)
{
    uint64_t handle = (uint64_t)h->inputs[n].v.i64;

    if (host_function_block(h->caller, handle, out))
        return true;
    host_fail(h->wait, h->context, SERVICE_INVALID,
              "argument %u is %" PRIu64 ", which is no block of memory", n + 1, handle);
    return false;
}

int host_shown(slice text)
{
    return (int)slice_utf8_prefix(slice_of(text.data, text.len < SHOWN ? text.len : SHOWN));
}

bool host_return(host_wait *wait, int64_t number)
{
    wait->outputs[0].v.i64 = number;
    return true;
}

bool host_return_bytes(host_wait *wait, slice bytes)
{
    if (!host_function_return(wait->caller, bytes, &wait->outputs[0].v.i64))
        wait->failure = "oom";
    return true;
}

bool host_fail(host_wait *wait, context *c, enum service_code code, const char *format, ...)
{
    va_list args;

    c->code = code;
    va_start(args, format);
    error_setv(&c->err, E_INVALID, format, args);
    va_end(args);
    return host_return(wait, code);
}

bool host_deny(host_wait *wait, context *c, const char *needed, slice subject)
{
    int shown = host_shown(subject);

    host_fail(wait, c, SERVICE_DENIED, "the function may not do this: it would need the permission "
              "\"%s%.*s\"", needed, shown, shown ? (const char *)subject.data : "");
    context_log(c, CONTEXT_WARN, "denied: it would need the permission \"%s%.*s\"", needed, shown,
                shown ? (const char *)subject.data : "");
    return true;
}

bool host_may(host_call *h, enum permission kind, const char *name, slice subject)
{
    if (permissions_allow(h->context->function->permissions, kind, subject))
        return true;
    host_deny(h->wait, h->context, name, subject);
    return false;
}

/* The guest's call ends before the service has answered. */
static void abandon(void *state)
{
    host_operation *o = state;
    operation *op = of_operation(o);

    o->wait = NULL;
    op->abandoned = true;
}

static void destroy(host_operation *o)
{
    operation_deinit(of_operation(o));
    free(o);
}

static void give_result(host_operation *o)
{
    operation *op = of_operation(o);

    if (op->code != SERVICE_OK)
        host_fail(o->wait, o->context, op->code, "%s", error_text(&op->err));
    else if (o->bytes)
        host_return_bytes(o->wait, buf_slice(&op->result));
    else
        host_return(o->wait, op->number);
}

static void on_done(operation *op)
{
    host_operation *o = operation_of(op);
    host_wait *wait = o->wait;

    if (wait)
        give_result(o);
    destroy(o);
    if (wait)
        host_wait_finish(wait);
}

void *host_operation_create(host_call *h, size_t size, size_t max_result)
{
    host_operation *o = calloc(1, sizeof *o + size);
    operation *op;

    if (!o) {
        h->wait->failure = "out of memory";
        return NULL;
    }
    o->wait = h->wait;
    o->context = h->context;
    op = of_operation(o);
    op->home = h->context->home;
    op->done = on_done;
    buf_init(&op->result, max_result);
    return op;
}

bool host_operation_submitted(void *made, bool done, bool bytes)
{
    host_operation *o = operation_of(made);

    o->bytes = bytes;
    if (done) {
        give_result(o);
        destroy(o);
        return true;
    }
    o->wait->cancel = abandon;
    o->wait->state = o;
    return false;
}

static bool start(struct instance *caller, const ExtismVal *inputs, size_t n_inputs, host_wait *wait,
                  void *user_data)
{
    const host_definition *d = user_data;
    host_call h = {
        .caller = caller,
        .context = host_function_context(caller),
        .inputs = inputs,
        .wait = wait,
    };

    (void)n_inputs;
    return d->body(&h);
}

static int define(host_functions *out, const host_definition *d, error *err)
{
    static const ExtismValType result = ExtismValType_I64;
    ExtismValType inputs[HOST_INPUTS_MAX];
    host_function *f = NULL;
    int rc;

    for (unsigned i = 0; i < d->inputs; i++)
        inputs[i] = i + 1 == d->i32 ? ExtismValType_I32 : ExtismValType_I64;
    rc = host_function_create(&f, d->name, inputs, d->inputs, &result, 1, err);
    if (rc)
        return rc;
    f->start = start;
    f->user_data = (void *)(uintptr_t)d;
    out->item[out->count++] = f;
    return 0;
}

int host_functions_init(host_functions *out, error *err)
{
    const struct {
        const host_definition *first;
        size_t count;
    } parts[] = {
        {host_kv, host_kv_count},
        {host_storage, host_storage_count},
        {host_events, host_events_count},
        {host_request, host_request_count},
    };
    size_t total = 0;
    int rc = 0;

    for (size_t p = 0; p < sizeof parts / sizeof *parts; p++)
        total += parts[p].count;
    *out = (host_functions){.item = calloc(total, sizeof *out->item)};
    if (!out->item)
        return error_set(err, E_NO_MEMORY, "out of memory for host functions");
    for (size_t p = 0; p < sizeof parts / sizeof *parts && rc == 0; p++) {
        for (size_t i = 0; i < parts[p].count && rc == 0; i++)
            rc = define(out, &parts[p].first[i], err);
    }
    if (rc)
        host_functions_deinit(out);
    return rc;
}

void host_functions_deinit(host_functions *f)
{
    for (size_t i = 0; i < f->count; i++)
        host_function_unref(f->item[i]);
    free(f->item);
    *f = (host_functions){0};
}
