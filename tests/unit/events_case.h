#ifndef TESTS_EVENTS_CASE_H
#define TESTS_EVENTS_CASE_H

#include "service_case.h"
#include "services/events.h"
#include "services/events_admin.h"

/* What the tests of events share: functions that note what they were given. */

#define SEEN_MAX 4096

/* A delivery as a function saw it. */
typedef struct seen {
    char function[32];
    char id[33];
    char *input;
    unsigned attempt;
    unsigned hops;
    bool is_cron;
    uint64_t at_ns; /* of the monotonic clock */
} seen;

enum verdict { SUCCEED, FAIL, HOLD, POSTPONE };

typedef struct events_case {
    bool forgets; /* what is delivered is for `judge` alone, and not kept in `seen` */
    store *store;
    events *e;
    home home;
    atomic_uint stalls; /* how often the store began to fail */
    enum verdict (*judge)(struct events_case *c, const delivery *d); /* NULL: all succeed */
    pthread_mutex_t lock;                                            /* for what follows */
    pthread_cond_t changed;
    seen seen[SEEN_MAX];
    size_t count;
    delivery *held[SEEN_MAX]; /* those that judge has held; NULL once released */
    size_t held_count;
} events_case;

extern const events_limits small_limits;

/* Opens ubiq.db in the working directory and makes `c` ready; the events begin with events_case_start. */
void events_case_open(events_case *c, const trigger *triggers, size_t count,
                      const events_limits *limits);
void events_case_start(events_case *c);

/* Gives back what is held, stops and closes. */
void events_case_close(events_case *c);

/* Emits and waits: the code. The id or what is wrong is in `text`, which may be NULL. */
int events_case_emit(events_case *c, const char *topic, slice payload, const char *source,
                     unsigned hops, char text[200]);

/* Emits text, which must be accepted. */
void events_case_emit_text(events_case *c, const char *topic, const char *text);

/* Sets what becomes of deliveries from now on. */
void events_case_judge(events_case *c, enum verdict (*judge)(events_case *c, const delivery *d));

/* How many deliveries were seen. */
size_t events_case_count(events_case *c);

/* Waits until so many deliveries were seen; fails after some seconds. */
void events_case_wait(events_case *c, size_t count);

/* Gives back the held delivery number `i`. */
void events_case_release(events_case *c, size_t i, const char *problem);

/* Whether there are dead letters or pending deliveries: how many. */
size_t events_case_dead(store *s);
size_t events_case_pending(store *s);

/* Waits until nothing is pending any more. */
void events_case_wait_idle(events_case *c);

/* The part of the inputs seen by a function behind "payload":, up to the '}', with commas between. */
const char *events_case_payloads(events_case *c, const char *function);

/* Runs statements on ubiq.db. */
void events_case_sql(const char *sql);

#endif
