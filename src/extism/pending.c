#include "extism/pending.h"

#include "base/clock.h"
#include "extism/instance.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* How often a thread that waits for a function looks whether its call was cancelled. */
#define LOOK_NS 10000000u

/* The user data of an asynchronous function. */
struct async_function {
    ExtismStartFunctionType start;
    void *user_data;
    void (*free_user_data)(void *);
};

struct ExtismPending {
    mail mail;       /* first: the mail leads to it */
    mailbox *box;    /* NULL: a thread waits for `finish` below */
    host_wait *wait; /* NULL: the call is gone; the thread of the call only */
    ExtismFinishFunctionType finish;
    void *arg;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool finished;
    bool gone;
};

/* A call of a host function that waits until its fiber has been left. */
struct deferred {
    host_wait *wait;
    const host_function *function;
    size_t n_inputs;
    ExtismVal inputs[];
};

static _Thread_local struct deferred *deferred;

static void free_pending(ExtismPending *p)
{
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->changed);
    free(p);
}

static void finish_gone(ExtismPending *p)
{
    p->finish(NULL, NULL, 0, p->arg);
    free_pending(p);
}

/* --- On a thread that waits --- */

/* Waits until it is finished. False when the call's time is over first. */
static bool await(ExtismPending *p, plugin_state *s)
{
    pthread_mutex_lock(&p->lock);
    while (!p->finished) {
        uint64_t now = clock_ns(), until = now + LOOK_NS;
        if (atomic_load(&s->cancelled) || (s->has_deadline && now >= s->deadline_ns))
            break;
        if (s->has_deadline && s->deadline_ns < until)
            until = s->deadline_ns;
        struct timespec at = {.tv_sec = (time_t)(until / 1000000000u),
                              .tv_nsec = (long)(until % 1000000000u)};
        pthread_cond_timedwait(&p->changed, &p->lock, &at);
    }
    bool finished = p->finished;
    p->gone = !finished;
    pthread_mutex_unlock(&p->lock);
    return finished;
}

static ExtismPending *make_pending(void)
{
    ExtismPending *p = calloc(1, sizeof *p);
    pthread_condattr_t attr;

    if (!p)
        return NULL;
    pthread_mutex_init(&p->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&p->changed, &attr);
    pthread_condattr_destroy(&attr);
    return p;
}

/* An asynchronous function called by extism_plugin_call. */
static void call_and_wait(ExtismCurrentPlugin *plugin, const ExtismVal *inputs, ExtismSize n_inputs,
                          ExtismVal *outputs, ExtismSize n_outputs, void *data)
{
    const struct async_function *f = data;
    plugin_state *s = instance_state((instance *)plugin);
    ExtismPending *p = make_pending();

    if (!p) {
        plugin_state_fail(s, slice_str("out of memory"));
        return;
    }
    f->start(plugin, inputs, n_inputs, p, f->user_data);
    if (!await(p, s)) {
        s->interrupted = true;
        plugin_state_fail(s, slice_str("timeout"));
        return;
    }
    p->finish(plugin, outputs, n_outputs, p->arg);
    free_pending(p);
}

/* --- On a fiber --- */

static void on_gone(void *state)
{
    ExtismPending *p = state;
    p->wait = NULL;
}

static void end_wait(host_wait *wait)
{
    char *owned;

    wait->failure = plugin_state_take_failure(instance_state(wait->caller), &owned);
    host_wait_finish(wait);
    free(owned);
}

static void open_finished(mail *m)
{
    ExtismPending *p = (ExtismPending *)(void *)m;

    if (!p->wait) {
        finish_gone(p);
        return;
    }
    p->finish((ExtismCurrentPlugin *)p->wait->caller, p->wait->outputs, p->wait->n_outputs, p->arg);
    end_wait(p->wait);
    free_pending(p);
}

static void start_async(const struct deferred *d, mailbox *box)
{
    const struct async_function *f = d->function->user_data;
    ExtismPending *p = make_pending();

    if (!p) {
        d->wait->failure = "out of memory";
        host_wait_finish(d->wait);
        return;
    }
    p->box = box;
    p->wait = d->wait;
    p->wait->cancel = on_gone;
    p->wait->state = p;
    f->start((ExtismCurrentPlugin *)d->wait->caller, d->n_inputs ? d->inputs : NULL, d->n_inputs, p,
             f->user_data);
}

void pending_run(mailbox *box)
{
    struct deferred *d = deferred;
    host_wait *wait;

    if (!d)
        return;
    deferred = NULL;
    wait = d->wait;
    if (d->function->call == call_and_wait) {
        start_async(d, box);
    } else {
        d->function->call((ExtismCurrentPlugin *)wait->caller, d->n_inputs ? d->inputs : NULL,
                          d->n_inputs, wait->n_outputs ? wait->outputs : NULL, wait->n_outputs,
                          d->function->user_data);
        end_wait(wait);
    }
    free(d);
}

static bool defer(instance *caller, const ExtismVal *inputs, size_t n_inputs, host_wait *wait,
                  void *user_data)
{
    struct deferred *d = malloc(sizeof *d + n_inputs * sizeof *inputs);

    (void)caller;
    if (!d) {
        wait->failure = "out of memory";
        return true;
    }
    *d = (struct deferred){.wait = wait, .function = user_data, .n_inputs = n_inputs};
    if (n_inputs)
        memcpy(d->inputs, inputs, n_inputs * sizeof *inputs);
    deferred = d;
    return false;
}

static void unref_function(void *f)
{
    host_function_unref(f);
}

int pending_defer(host_function **f, error *err)
{
    host_function *inner = *f, *outer;
    int rc = host_function_create(&outer, inner->name, inner->inputs, inner->n_inputs,
                                  inner->outputs, inner->n_outputs, err);

    rc = rc ? rc : host_function_set_namespace(outer, inner->name_space, err);
    if (rc != 0) {
        host_function_unref(outer);
        return rc;
    }
    outer->start = defer;
    outer->user_data = inner;
    outer->free_user_data = unref_function;
    *f = outer;
    return 0;
}

/* --- Any thread --- */

static void free_async(void *data)
{
    struct async_function *a = data;
    if (a->free_user_data && a->user_data)
        a->free_user_data(a->user_data);
    free(a);
}

int pending_set_start(host_function *f, ExtismStartFunctionType start, void *user_data,
                      void (*free_user_data)(void *), error *err)
{
    struct async_function *a = malloc(sizeof *a);

    if (!a)
        return error_set(err, E_NO_MEMORY, "out of memory for host function %s", f->name);
    *a = (struct async_function){start, user_data, free_user_data};
    f->call = call_and_wait;
    f->user_data = a;
    f->free_user_data = free_async;
    return 0;
}

void pending_finish(ExtismPending *p, ExtismFinishFunctionType finish, void *arg)
{
    p->finish = finish;
    p->arg = arg;
    if (p->box) {
        p->mail.open = open_finished;
        mailbox_post(p->box, &p->mail);
        return;
    }
    pthread_mutex_lock(&p->lock);
    bool gone = p->gone;
    p->finished = true;
    pthread_cond_signal(&p->changed);
    pthread_mutex_unlock(&p->lock);
    if (gone)
        finish_gone(p);
}
