#include "server/ticker.h"

#include "extism/engine.h"
#include "server/limits.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define IDLE_TICKS 20 /* without a busy worker, before it goes to sleep */
#define TRIM_TICKS (1000 / TICK_MS)

struct ticker {
    pthread_t thread;
    ticker_slot *const *slots;
    size_t count;
    atomic_bool asleep;
    atomic_bool stopping;
    pthread_mutex_t lock;
    pthread_cond_t wake;
};

static bool any_busy(const ticker *t)
{
    for (size_t i = 0; i < t->count; i++) {
        if (atomic_load(&t->slots[i]->busy))
            return true;
    }
    return false;
}

bool ticker_sleeps(const ticker *t)
{
    return atomic_load(&t->asleep);
}

void ticker_wake(ticker *t)
{
    pthread_mutex_lock(&t->lock);
    pthread_cond_signal(&t->wake);
    pthread_mutex_unlock(&t->lock);
}

/* A worker sets its slot and then looks whether the ticker sleeps; the ticker says that it sleeps
 * and then looks at the slots. So one of the two sees the other. */
static void sleep_until_busy(ticker *t)
{
    bool trims = true;

    pthread_mutex_lock(&t->lock);
    atomic_store(&t->asleep, true);
    while (!any_busy(t) && !atomic_load(&t->stopping)) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec++;
        if (!trims)
            pthread_cond_wait(&t->wake, &t->lock);
        else if (pthread_cond_timedwait(&t->wake, &t->lock, &until) == ETIMEDOUT)
            trims = engine_trim();
    }
    atomic_store(&t->asleep, false);
    pthread_mutex_unlock(&t->lock);
}

static void *run(void *arg)
{
    const struct timespec period = {.tv_nsec = TICK_MS * 1000000L};
    ticker *t = arg;
    unsigned idle = 0, since_trim = 0;

    while (!atomic_load(&t->stopping)) {
        nanosleep(&period, NULL);
        if (++since_trim >= TRIM_TICKS) {
            engine_trim();
            since_trim = 0;
        }
        if (any_busy(t)) {
            engine_tick();
            idle = 0;
        } else if (++idle >= IDLE_TICKS) {
            sleep_until_busy(t);
            idle = 0;
        }
    }
    return NULL;
}

int ticker_create(ticker **out, ticker_slot *const *slots, size_t count, error *err)
{
    ticker *t = calloc(1, sizeof *t);
    pthread_condattr_t monotonic;

    *out = NULL;
    if (!t)
        return error_set(err, E_NO_MEMORY, "out of memory for the ticker");
    t->slots = slots;
    t->count = count;
    atomic_init(&t->asleep, false);
    atomic_init(&t->stopping, false);
    pthread_mutex_init(&t->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&t->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&t->thread, NULL, run, t) != 0) {
        free(t);
        return error_set(err, E_NO_MEMORY, "no thread for the ticker");
    }
    *out = t;
    return 0;
}

void ticker_destroy(ticker *t)
{
    if (!t)
        return;
    atomic_store(&t->stopping, true);
    ticker_wake(t);
    pthread_join(t->thread, NULL);
    pthread_cond_destroy(&t->wake);
    pthread_mutex_destroy(&t->lock);
    free(t);
}
