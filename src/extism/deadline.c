#include "extism/deadline.h"

#include "base/clock.h"
#include "extism/engine.h"

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool running; /* the thread is there */
static deadline *first;

/* How long after a tick that its call did not see yet (it was in a host function) the next follows. */
#define REPEAT_NS 1000000u

static uint64_t earliest(void)
{
    uint64_t at = UINT64_MAX;
    for (const deadline *d = first; d; d = d->next)
        at = d->at_ns < at ? d->at_ns : at;
    return at;
}

static void *watch(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&lock);
    for (;;) {
        uint64_t at = earliest(), now = clock_ns();
        if (at == UINT64_MAX) {
            pthread_cond_wait(&changed, &lock);
            continue;
        }
        if (at <= now) {
            engine_tick();
            at = now + REPEAT_NS;
        }
        struct timespec until = {.tv_sec = (time_t)(at / 1000000000u),
                                 .tv_nsec = (long)(at % 1000000000u)};
        pthread_cond_timedwait(&changed, &lock, &until);
    }
    return NULL;
}

static void init_changed(void)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attr);
    pthread_condattr_destroy(&attr);
}

/* A forked child has no such thread, and none of the calls it watched. The condition would go on
 * counting the thread that waited in the parent. */
static void forget_in_child(void)
{
    pthread_mutex_init(&lock, NULL);
    init_changed();
    running = false;
    first = NULL;
}

static void set_up(void)
{
    init_changed();
    pthread_atfork(NULL, NULL, forget_in_child);
}

static void start_thread(void)
{
    pthread_attr_t attr;
    pthread_t thread;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    running = pthread_create(&thread, &attr, watch, NULL) == 0;
    pthread_attr_destroy(&attr);
}

bool deadline_start(deadline *d, uint64_t at_ns)
{
    pthread_once(&once, set_up);
    pthread_mutex_lock(&lock);
    if (!running)
        start_thread();
    bool watched = running;
    if (watched) {
        bool sooner = at_ns < earliest();
        *d = (deadline){.at_ns = at_ns, .next = first};
        if (first)
            first->prev = d;
        first = d;
        if (sooner)
            pthread_cond_signal(&changed);
    }
    pthread_mutex_unlock(&lock);
    return watched;
}

void deadline_stop(deadline *d)
{
    pthread_mutex_lock(&lock);
    if (d->prev)
        d->prev->next = d->next;
    else
        first = d->next;
    if (d->next)
        d->next->prev = d->prev;
    pthread_mutex_unlock(&lock);
}
