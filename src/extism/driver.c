#include "extism/driver_internal.h"

#include "base/clock.h"
#include "extism/compiled_plugin_internal.h"
#include "extism/engine.h"
#include "extism/limits.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define SLICE_NS 5000000u /* how long a call computes while others wait */
#define SLEEP_NS 500000u  /* in which no call that computes gives up its turn */
#define IDLE_MS 60000     /* a sleep without anything to wait for */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for the two below */
static driver *drivers[LIMIT_DRIVERS];
static size_t driver_count;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local driver *current;

driver *driver_current(void)
{
    return current;
}

static void wake(void *arg)
{
    curl_multi_wakeup(((driver *)arg)->multi);
}

void driver_queue(ExtismCall *c)
{
    driver *d = c->driver;

    if (c->queued)
        return;
    c->queued = true;
    d->ready_count++;
    c->next_ready = NULL;
    *d->ready_end = c;
    d->ready_end = &c->next_ready;
}

static ExtismCall *take_ready(driver *d)
{
    ExtismCall *c = d->ready;

    if (c) {
        d->ready = c->next_ready;
        if (!d->ready)
            d->ready_end = &d->ready;
        d->ready_count--;
        c->queued = false;
    }
    return c;
}

/* Ends the calls whose time is over; those that compute notice themselves. */
static void end_late(driver *d, uint64_t now)
{
    ExtismCall *next;

    if (now < d->next_late_ns)
        return;
    d->next_late_ns = UINT64_MAX;
    for (ExtismCall *c = d->calls; c; c = next) {
        next = c->next;
        if (c->late_ns <= now)
            driver_call_give_up(c);
        else if (c->late_ns < d->next_late_ns)
            d->next_late_ns = c->late_ns;
    }
}

/* A slice stays registered until it is over, however many calls run within it, since to begin one
 * wakes the thread that watches. */
static void begin_slice(driver *d, uint64_t now)
{
    if (!d->slicing)
        d->slicing = deadline_start(&d->slice, now + SLICE_NS);
}

static void end_slice(driver *d, uint64_t now)
{
    if (d->slicing && now >= d->slice.at_ns) {
        deadline_stop(&d->slice);
        d->slicing = false;
    }
}

/* Gives each call that may go on its turn. True when all of them gave it up at once: they sleep in
 * WASI, which asks again and again whether the time has come. */
static bool run_ready(driver *d)
{
    uint64_t began = clock_ns(), now = began;
    size_t count = d->ready_count;
    bool idle = count > 0;

    for (size_t i = 0; i < count; i++) {
        ExtismCall *c = take_ready(d);

        begin_slice(d, now);
        idle = driver_call_step(c) && idle; /* it may be gone afterwards */
        now = clock_ns();
        end_slice(d, now);
    }
    return idle && now - began < SLEEP_NS;
}

static int sleep_ms(const driver *d, uint64_t now)
{
    uint64_t until = d->next_late_ns;

    if (d->slicing && d->slice.at_ns < until)
        until = d->slice.at_ns;
    if (until <= now)
        return 0;
    uint64_t ms = (until - now) / 1000000u + 1;
    return ms < IDLE_MS ? (int)ms : IDLE_MS;
}

static void *run(void *arg)
{
    driver *d = arg;

    current = d;
    for (;;) {
        mailbox_open_all(&d->box);
        driver_http_step(d);
        bool asleep = run_ready(d);
        uint64_t now = clock_ns();
        end_late(d, now);
        end_slice(d, now);
        if (asleep)
            curl_multi_poll(d->multi, NULL, 0, 1, NULL);
        else if (d->ready_count == 0 && !d->failed)
            curl_multi_poll(d->multi, NULL, 0, sleep_ms(d, now), NULL);
    }
    return NULL;
}

static driver *make_driver(void)
{
    driver *d = calloc(1, sizeof *d);
    pthread_attr_t attr;
    pthread_t thread;

    if (!d || !(d->multi = curl_multi_init())) {
        free(d);
        return NULL;
    }
    mailbox_init(&d->box, wake, d);
    d->ready_end = &d->ready;
    d->next_late_ns = UINT64_MAX;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attr, run, d) != 0) {
        curl_multi_cleanup(d->multi);
        free(d);
        d = NULL;
    }
    pthread_attr_destroy(&attr);
    return d;
}

/* A forked child has no such threads, and none of their calls. */
static void forget_in_child(void)
{
    pthread_mutex_init(&lock, NULL);
    driver_count = 0;
}

static void set_up(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    pthread_atfork(NULL, NULL, forget_in_child);
}

/* The one with the fewest calls; a new one when all have some and there may be more. */
static driver *choose_driver(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t most = cores < 1 ? 1 : cores < LIMIT_DRIVERS ? (size_t)cores : LIMIT_DRIVERS;
    driver *best = NULL;

    pthread_once(&once, set_up);
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < driver_count; i++) {
        if (!best || atomic_load(&drivers[i]->load) < atomic_load(&best->load))
            best = drivers[i];
    }
    if (driver_count < most && (!best || atomic_load(&best->load) > 0)) {
        driver *d = make_driver();
        if (d)
            best = drivers[driver_count++] = d;
    }
    if (best)
        atomic_fetch_add(&best->load, 1);
    pthread_mutex_unlock(&lock);
    return best;
}

static void open_start(mail *m)
{
    driver_call_begin((ExtismCall *)(void *)((char *)m - offsetof(ExtismCall, start)));
}

static void open_cancel(mail *m)
{
    ExtismCall *c = (ExtismCall *)(void *)((char *)m - offsetof(ExtismCall, cancel));

    if (!atomic_load(&c->done))
        driver_call_give_up(c);
    driver_call_unref(c);
}

int driver_start(ExtismCall **out, compiled_plugin *code, const driver_options *o, error *err)
{
    ExtismCall *c;
    int rc = E_NO_MEMORY;

    *out = NULL;
    if (code->options.http != &driver_http)
        return error_set(err, E_INVALID, "the plug-in was not compiled for extism_call_start");
    if (!(c = calloc(1, sizeof *c)))
        goto done;
    atomic_init(&c->refs, 1);
    c->code = compiled_plugin_ref(code);
    c->options = *o;
    c->outcome.code = -1;
    buf_init(&c->input, SIZE_MAX);
    if (!(c->function = strdup(o->function)) ||
        buf_append(&c->input, o->input.data, o->input.len) != 0 || !(c->driver = choose_driver()))
        goto done;
    c->start.open = open_start;
    c->cancel.open = open_cancel;
    atomic_store(&c->refs, 2);
    *out = c;
    mailbox_post(&c->driver->box, &c->start);
    return 0;
done:
    driver_call_unref(c);
    return error_set(err, rc, "out of memory or of threads for a call");
}

bool driver_is_done(const ExtismCall *c)
{
    return atomic_load(&c->done);
}

const driver_outcome *driver_result(const ExtismCall *c)
{
    static const driver_outcome not_yet = {.code = -1, .error = "the call is not done"};
    return atomic_load(&c->done) ? &c->outcome : &not_yet;
}

void driver_cancel(ExtismCall *c)
{
    if (atomic_load(&c->done) || atomic_exchange(&c->cancelled, true))
        return;
    atomic_fetch_add(&c->refs, 1);
    mailbox_post(&c->driver->box, &c->cancel);
    engine_tick();
}

void driver_release(ExtismCall *c)
{
    if (!c)
        return;
    driver_cancel(c);
    driver_call_unref(c);
}
