#ifndef UBIQ_SERVICES_EVENTS_INTERNAL_H
#define UBIQ_SERVICES_EVENTS_INTERNAL_H

#include "base/buf.h"
#include "base/pattern.h"
#include "services/events.h"
#include "services/events_owner.h"
#include "services/events_queue.h"
#include "services/events_schedule.h"

#include <pthread.h>

/* What the files of events share. */

#define EVENT_ID_BYTES 33 /* with the NUL */

/* A function that wants the events of some topics. */
typedef struct subscription {
    char *text; /* of the pattern */
    pattern pattern;
    char *function;
} subscription;

enum outcome { OUTCOME_DONE, OUTCOME_FAILED, OUTCOME_POSTPONED };

/* Room for a delivery that is under way, until what became of it is on disk. */
typedef struct events_slot {
    delivery delivery;        /* first: who has the one has the other */
    struct events_slot *next; /* that is free, or was given back */
    buf input;
    enum outcome outcome;
    char *problem; /* when it has failed; NULL when there was no memory for it */
} events_slot;

struct events {
    store *store;
    events_limits limits;
    void (*deliver)(delivery *d, void *arg);
    void (*stalled)(const error *why, void *arg);
    void *arg;
    subscription *subscriptions;
    size_t subscription_count;
    schedules schedules;
    events_owner owner;

    events_slot *slots; /* limits.at_once */
    events_slot *free;  /* the thread's */
    bool is_stalled;    /* likewise */
    begun *begun;       /* room for what one turn begins */
    pthread_t thread;
    bool has_thread;

    pthread_mutex_t lock;  /* for what follows */
    pthread_cond_t wake;   /* the thread */
    pthread_cond_t idle;   /* whoever stops it: it is not delivering */
    events_slot *returned; /* given back, in this order */
    events_slot **returned_end;
    size_t busy;     /* slots that are not free */
    bool woken;      /* there is something to look for */
    bool delivering; /* the thread calls `deliver` */
    bool stopping;
    bool ending;
};

/* Has the thread look for what is due. Any thread. */
void events_wake(events *e);

/* Writes a new id. */
void events_make_id(char out[EVENT_ID_BYTES]);

/* One write of the thread's: what became of deliveries, ticks of cron, and which deliveries begin
 * next. */
typedef struct turn {
    store_write write;
    events *e;
    bool starts;           /* the first one: what was left from before is due */
    bool with_ticks;       /* queues those up to now */
    events_slot *returned; /* what is recorded */
    int64_t now;
    size_t room;  /* for deliveries */
    size_t begun; /* how many were */
} turn;

/* Does it and waits until it is on disk. What it learned is in `t` and the events' `begun`. */
int events_take_turn(turn *t, error *err) MUST_CHECK;

/* No delivery is put off to a later time than this, unless the clock was set back meanwhile. */
int64_t events_latest_due(const turn *t);

/* Whether deliveries are under way whose owner has ended: 1 or 0. */
int events_find_ended(events *e, int64_t *owner, error *err) MUST_CHECK;

/* The thread; `arg` is the events. */
void *events_main(void *arg);

#endif
