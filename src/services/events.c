#include "services/events_internal.h"

#include "base/clock.h"
#include "services/limits.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>

static int no_memory(error *err)
{
    return error_set(err, E_NO_MEMORY, "events: %s", error_code_name(E_NO_MEMORY));
}

static int add_subscription(events *e, const trigger *t, error *err)
{
    subscription *s = &e->subscriptions[e->subscription_count++];

    s->text = strdup(t->pattern);
    s->function = strdup(t->function);
    if (!s->text || !s->function)
        return no_memory(err);
    s->pattern = pattern_of(slice_str(s->text));
    return 0;
}

static int add_triggers(events *e, const events_options *options, error *err)
{
    const char *zone = options->time_zone ? options->time_zone : "UTC";
    size_t count = options->trigger_count;
    int rc = 0;

    e->subscriptions = calloc(count + 1, sizeof *e->subscriptions);
    e->schedules.item = calloc(count + 1, sizeof *e->schedules.item);
    if (!e->subscriptions || !e->schedules.item)
        return no_memory(err);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        const trigger *t = &options->triggers[i];

        rc = t->is_cron ? schedules_add(&e->schedules, t->pattern, t->function, zone, err)
                        : add_subscription(e, t, err);
    }
    return rc;
}

static int make_slots(events *e, error *err)
{
    size_t count = e->limits.at_once;

    e->slots = calloc(count + 1, sizeof *e->slots);
    e->begun = calloc(count + 1, sizeof *e->begun);
    if (!e->slots || !e->begun)
        return no_memory(err);
    for (size_t i = 0; i < count; i++) {
        e->slots[i].next = e->free;
        e->free = &e->slots[i];
    }
    return 0;
}

static void init_locks(events *e)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->wake, &attributes);
    pthread_cond_init(&e->idle, NULL);
    pthread_condattr_destroy(&attributes);
}

int events_create(events **out, const events_options *options, error *err)
{
    events *e = calloc(1, sizeof *e);
    int rc;

    *out = NULL;
    if (!e)
        return no_memory(err);
    init_locks(e);
    e->store = options->store;
    e->limits = options->limits;
    e->deliver = options->deliver;
    e->stalled = options->stalled;
    e->arg = options->arg;
    e->owner.fd = -1;
    e->returned_end = &e->returned;
    rc = add_triggers(e, options, err);
    if (rc == 0)
        rc = make_slots(e, err);
    if (rc == 0)
        rc = events_queue_define(e->store, err);
    if (rc)
        goto done;
    *out = e;
    e = NULL;
done:
    events_destroy(e);
    return rc;
}

/* Signals are for the threads that expect them. */
static int start_thread(events *e, error *err)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    e->has_thread = pthread_create(&e->thread, NULL, events_main, e) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return e->has_thread ? 0 : error_set(err, E_NO_MEMORY, "no thread for events");
}

int events_start(events *e, error *err)
{
    turn first = {.e = e, .starts = true, .now = clock_wall_ms()};
    error why = {0};
    int rc = events_owner_take(&e->owner, e->store, &why);

    if (rc == 0)
        rc = events_take_turn(&first, &why);
    if (rc == 0)
        rc = start_thread(e, &why);
    if (rc)
        error_set(err, rc, "%s", error_text(&why));
    error_deinit(&why);
    return rc;
}

void events_make_id(char out[EVENT_ID_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[16];

    while (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        continue;
    for (size_t i = 0; i < sizeof bytes; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[EVENT_ID_BYTES - 1] = '\0';
}

void events_wake(events *e)
{
    pthread_mutex_lock(&e->lock);
    e->woken = true;
    pthread_cond_signal(&e->wake);
    pthread_mutex_unlock(&e->lock);
}

static void give_back(events *e, delivery *d, enum outcome outcome, char *problem)
{
    events_slot *s = (events_slot *)(void *)d;

    s->outcome = outcome;
    s->problem = problem;
    s->next = NULL;
    pthread_mutex_lock(&e->lock);
    *e->returned_end = s;
    e->returned_end = &s->next;
    e->woken = true;
    pthread_cond_signal(&e->wake);
    pthread_mutex_unlock(&e->lock);
}

/* A copy that is cut between characters. NULL when memory runs out. */
static char *copy_problem(const char *problem)
{
    size_t len = strnlen(problem, LIMIT_EVENT_PROBLEM_BYTES);

    while (problem[len] && len > 0 && ((uint8_t)problem[len] & 0xc0) == 0x80)
        len--;
    return strndup(problem, len);
}

void events_delivered(events *e, delivery *d, const char *problem)
{
    give_back(e, d, problem ? OUTCOME_FAILED : OUTCOME_DONE,
              problem ? copy_problem(problem) : NULL);
}

void events_postpone(events *e, delivery *d)
{
    give_back(e, d, OUTCOME_POSTPONED, NULL);
}

void events_stop(events *e)
{
    pthread_mutex_lock(&e->lock);
    e->stopping = true;
    while (e->delivering)
        pthread_cond_wait(&e->idle, &e->lock);
    pthread_mutex_unlock(&e->lock);
}

static void end_thread(events *e)
{
    pthread_mutex_lock(&e->lock);
    e->stopping = true;
    e->ending = true;
    pthread_cond_signal(&e->wake);
    pthread_mutex_unlock(&e->lock);
    pthread_join(e->thread, NULL);
}

void events_destroy(events *e)
{
    if (!e)
        return;
    if (e->has_thread)
        end_thread(e);
    events_owner_release(&e->owner);
    for (size_t i = 0; e->slots && i < e->limits.at_once; i++) {
        free(e->slots[i].delivery.function);
        free(e->slots[i].problem);
        buf_deinit(&e->slots[i].input);
    }
    for (size_t i = 0; i < e->subscription_count; i++) {
        free(e->subscriptions[i].text);
        free(e->subscriptions[i].function);
    }
    free(e->slots);
    free(e->begun);
    free(e->subscriptions);
    schedules_deinit(&e->schedules);
    pthread_cond_destroy(&e->idle);
    pthread_cond_destroy(&e->wake);
    pthread_mutex_destroy(&e->lock);
    free(e);
}
