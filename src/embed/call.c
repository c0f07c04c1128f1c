#include "embed/embed_internal.h"

#include "server/limits.h"
#include "server/worker.h"

#include <stdlib.h>

/* It has a reference for its worker until it has ended, one for a handle, one for who waits, and
 * one for mail that is on its way. */
struct ubiq_call {
    local local; /* the first member */
    atomic_int refs;
    ubiq_project *project;
    const char *problem; /* why it is not begun, or NULL; static */
    mail mail;           /* that it is to be cancelled, or that it is not begun */
    ubiq_done_fn done;   /* or NULL: somebody waits */
    void *user;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t change;
    bool cancelling;
    bool ended;
    ubiq_result *result; /* for who waits */
    char data[];         /* what is asked */
};

static ubiq_call *of_mail(mail *m)
{
    return (ubiq_call *)(void *)((char *)m - offsetof(ubiq_call, mail));
}

static void unref(ubiq_call *c)
{
    if (atomic_fetch_sub(&c->refs, 1) > 1)
        return;
    pthread_cond_destroy(&c->change);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* Hands the result over. The project may be gone afterwards. */
static void end(ubiq_call *c, ubiq_result *r)
{
    ubiq_project *p = c->project;

    pthread_mutex_lock(&c->lock);
    c->ended = true;
    if (!c->done)
        c->result = r;
    pthread_cond_signal(&c->change);
    pthread_mutex_unlock(&c->lock);
    if (c->done) {
        callback_begin();
        c->done(c->user, r);
        callback_end();
    }
    unref(c);
    project_leave(p);
}

static void on_done(local *l, const local_outcome *o)
{
    end((ubiq_call *)(void *)l, result_of_outcome(o));
}

static void on_refused(mail *m)
{
    ubiq_call *c = of_mail(m);

    end(c, result_of_error(UBIQ_INVALID, c->problem));
}

/* --- Making one --- */

static ubiq_call *create(ubiq_project *p, size_t data_len, uint64_t timeout_ms, ubiq_done_fn done,
                         void *user)
{
    ubiq_call *c = calloc(1, sizeof *c + data_len + 1);

    if (!c)
        return NULL;
    atomic_init(&c->refs, 1);
    c->project = p;
    c->done = done;
    c->user = user;
    c->local.done = on_done;
    /* No function and no request lives for so long. */
    c->local.timeout_ms = timeout_ms < LIMIT_EXCHANGE_MS ? timeout_ms : 0;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->change, NULL);
    return c;
}

/* A call of a function. Of one that is waited for, the input stays where it is. */
static ubiq_call *create_invoke(ubiq_project *p, const char *name, slice input, uint64_t timeout_ms,
                                ubiq_done_fn done, void *user)
{
    size_t name_len = strlen(name);
    ubiq_call *c = create(p, name_len + (done ? input.len : 0), timeout_ms, done, user);

    if (!c)
        return NULL;
    memcpy(c->data, name, name_len);
    c->local.name = slice_of(c->data, name_len);
    c->local.input = input;
    if (done && input.len) {
        memcpy(c->data + name_len, input.data, input.len);
        c->local.input.data = (const uint8_t *)c->data + name_len;
    }
    return c;
}

static ubiq_call *create_request(ubiq_project *p, const ubiq_request *r, uint64_t timeout_ms,
                                 ubiq_done_fn done, void *user)
{
    const char *problem = NULL;
    ubiq_call *c = NULL;
    buf bytes;

    buf_init(&bytes, SIZE_MAX);
    if (request_write(r, &bytes, &problem) == 0 || problem)
        c = create(p, bytes.len, timeout_ms, done, user);
    if (c) {
        memcpy(c->data, bytes.data ? (const char *)bytes.data : "", bytes.len);
        c->local.request = slice_of(c->data, bytes.len);
        c->problem = problem;
    }
    buf_deinit(&bytes);
    return c;
}

/* --- Running one --- */

/* Begins it; false when the project takes no more. */
static bool send_off(ubiq_call *c)
{
    worker *w = server_next_worker(c->project->server);

    if (!project_enter(c->project))
        return false;
    c->mail.open = on_refused;
    if (c->problem)
        mailbox_post(&w->mailbox, &c->mail);
    else
        local_send(&c->local, w);
    return true;
}

/* Runs a call and waits for it; `c` may be NULL, as there was no memory. */
static int run(ubiq_call *c, ubiq_result **result)
{
    *result = NULL;
    if (!c)
        return UBIQ_NO_MEMORY;
    atomic_fetch_add(&c->refs, 1);
    if (send_off(c)) {
        pthread_mutex_lock(&c->lock);
        while (!c->ended)
            pthread_cond_wait(&c->change, &c->lock);
        *result = c->result;
        pthread_mutex_unlock(&c->lock);
    } else {
        *result = result_of_error(UBIQ_STOPPED, "the project has been stopped");
        unref(c);
    }
    unref(c);
    return ubiq_result_code(*result);
}

/* Begins a call, as run. */
static int begin(ubiq_call *c, ubiq_call **handle)
{
    if (handle)
        *handle = NULL;
    if (!c)
        return UBIQ_NO_MEMORY;
    if (handle)
        atomic_fetch_add(&c->refs, 1);
    if (send_off(c)) {
        if (handle)
            *handle = c;
        return UBIQ_OK;
    }
    if (handle)
        unref(c);
    unref(c);
    return UBIQ_STOPPED;
}

static int refuse_to_wait(ubiq_result **result)
{
    *result =
        result_of_error(UBIQ_INVALID, "a callback may not wait for a call: begin an asynchronous "
                                      "one");
    return ubiq_result_code(*result);
}

EXPORT int ubiq_project_invoke(ubiq_project *p, const char *name, const void *input,
                               size_t input_len, uint64_t timeout_ms, ubiq_result **result)
{
    if (callback_runs())
        return refuse_to_wait(result);
    return run(create_invoke(p, name, slice_of(input, input_len), timeout_ms, NULL, NULL), result);
}

EXPORT int ubiq_project_invoke_async(ubiq_project *p, const char *name, const void *input,
                                     size_t input_len, uint64_t timeout_ms, ubiq_done_fn done,
                                     void *user, ubiq_call **handle)
{
    return begin(create_invoke(p, name, slice_of(input, input_len), timeout_ms, done, user),
                 handle);
}

EXPORT int ubiq_project_request(ubiq_project *p, const ubiq_request *r, uint64_t timeout_ms,
                                ubiq_result **result)
{
    if (callback_runs())
        return refuse_to_wait(result);
    return run(create_request(p, r, timeout_ms, NULL, NULL), result);
}

EXPORT int ubiq_project_request_async(ubiq_project *p, const ubiq_request *r, uint64_t timeout_ms,
                                      ubiq_done_fn done, void *user, ubiq_call **handle)
{
    return begin(create_request(p, r, timeout_ms, done, user), handle);
}

/* --- Ending one --- */

static void on_cancel(mail *m)
{
    ubiq_call *c = of_mail(m);

    local_give_up(&c->local, LOCAL_CANCELLED, "the call was cancelled");
    unref(c);
}

EXPORT void ubiq_call_cancel(ubiq_call *c)
{
    pthread_mutex_lock(&c->lock);
    /* As long as it has not ended its worker is there, and its project. */
    if (!c->ended && !c->cancelling && !c->problem) {
        c->cancelling = true;
        atomic_fetch_add(&c->refs, 1);
        c->mail.open = on_cancel;
        mailbox_post(&c->local.worker->mailbox, &c->mail);
    }
    pthread_mutex_unlock(&c->lock);
}

EXPORT void ubiq_call_free(ubiq_call *c)
{
    if (c)
        unref(c);
}
