#include "app/loader.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#define THREADS 2
#define BACKGROUND_NICE 10

struct loader {
    loader_options options;
    function *functions;
    size_t count;
    pthread_t thread[THREADS];
    size_t thread_count;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t work;
    pthread_cond_t ended;
    bool *claimed;  /* by number: a thread has taken it on */
    size_t *wanted; /* a queue of numbers; each is in it once at the most */
    bool *is_wanted;
    size_t wanted_first;
    size_t wanted_count;
    size_t next; /* the first that may not be claimed yet */
    unsigned running;
    bool stopping;
};

/* The next function somebody waits for, or NULL. */
static function *take_wanted(loader *l)
{
    while (l->wanted_first < l->wanted_count) {
        size_t i = l->wanted[l->wanted_first++];

        if (!l->claimed[i]) {
            l->claimed[i] = true;
            return &l->functions[i];
        }
    }
    return NULL;
}

static function *take_next(loader *l)
{
    for (; l->next < l->count; l->next++) {
        if (!l->claimed[l->next]) {
            l->claimed[l->next] = true;
            return &l->functions[l->next];
        }
    }
    return NULL;
}

static void load(loader *l, function *f)
{
    error err = {0};
    int rc = function_load(f, &l->options.code, &err);

    l->options.loaded(f, rc ? &err : NULL, l->options.arg);
    error_deinit(&err);
}

static void run(loader *l, bool background)
{
    pthread_mutex_lock(&l->lock);
    while (!l->stopping) {
        function *f = take_wanted(l);

        if (!f && background)
            f = take_next(l);
        if (!f) {
            pthread_cond_wait(&l->work, &l->lock);
            continue;
        }
        pthread_mutex_unlock(&l->lock);
        load(l, f);
        pthread_mutex_lock(&l->lock);
    }
    l->running--;
    pthread_cond_signal(&l->ended);
    pthread_mutex_unlock(&l->lock);
}

static void *run_wanted(void *l)
{
    run(l, false);
    return NULL;
}

static void *run_background(void *l)
{
    /* On Linux this is about the thread: requests go before what nobody waits for. */
    setpriority(PRIO_PROCESS, 0, BACKGROUND_NICE);
    run(l, true);
    return NULL;
}

static loader *allocate(const loader_options *o)
{
    loader *l = calloc(1, sizeof *l);
    pthread_condattr_t monotonic;

    if (!l)
        return NULL;
    l->options = *o;
    l->functions = app_functions(o->app, &l->count);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->work, NULL);
    pthread_cond_init(&l->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    l->claimed = calloc(l->count + 1, sizeof *l->claimed);
    l->is_wanted = calloc(l->count + 1, sizeof *l->is_wanted);
    l->wanted = calloc(l->count + 1, sizeof *l->wanted);
    if (!l->claimed || !l->is_wanted || !l->wanted) {
        loader_destroy(l);
        return NULL;
    }
    return l;
}

int loader_create(loader **out, const loader_options *o, error *err)
{
    static void *(*const bodies[THREADS])(void *) = {run_wanted, run_background};
    loader *l = allocate(o);
    int rc = 0;

    *out = NULL;
    if (!l)
        return error_set(err, E_NO_MEMORY, "out of memory for the loader");
    for (size_t i = 0; i < THREADS && rc == 0; i++) {
        pthread_mutex_lock(&l->lock);
        if (pthread_create(&l->thread[i], NULL, bodies[i], l) == 0) {
            l->thread_count++;
            l->running++;
        } else {
            rc = error_set(err, E_NO_MEMORY, "no thread for the loader");
        }
        pthread_mutex_unlock(&l->lock);
    }
    if (rc) {
        while (!loader_stop(l, 1000))
            ;
        loader_destroy(l);
        return rc;
    }
    *out = l;
    return 0;
}

void loader_want(loader *l, const function *f)
{
    size_t i = (size_t)(f - l->functions);

    pthread_mutex_lock(&l->lock);
    if (!l->claimed[i] && !l->is_wanted[i]) {
        l->is_wanted[i] = true;
        l->wanted[l->wanted_count++] = i;
        pthread_cond_broadcast(&l->work);
    }
    pthread_mutex_unlock(&l->lock);
}

bool loader_stop(loader *l, unsigned ms)
{
    struct timespec until;
    bool stopped;
    int rc = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_mutex_lock(&l->lock);
    l->stopping = true;
    pthread_cond_broadcast(&l->work);
    while (l->running > 0 && rc == 0)
        rc = pthread_cond_timedwait(&l->ended, &l->lock, &until);
    stopped = l->running == 0;
    pthread_mutex_unlock(&l->lock);
    return stopped;
}

void loader_destroy(loader *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->thread_count; i++)
        pthread_join(l->thread[i], NULL);
    free(l->claimed);
    free(l->is_wanted);
    free(l->wanted);
    pthread_cond_destroy(&l->work);
    pthread_cond_destroy(&l->ended);
    pthread_mutex_destroy(&l->lock);
    free(l);
}
