#ifndef UBIQ_SERVICES_EVENTS_QUEUE_H
#define UBIQ_SERVICES_EVENTS_QUEUE_H

#include "base/slice.h"
#include "services/store.h"

#include <stdint.h>

/* The tables of events and what is done to them. All but events_queue_define and those that say so are
 * for `apply` of a write. Times are milliseconds since 1970.
 *
 * An event has a delivery for each function that wants it. Deliveries of one topic to one function are
 * a lane, in the order of their numbers: of those that live, one is the lane's first, which waits until
 * it is due or is under way, and the others wait behind it. Dead letters are in no lane any more. */

/* What an event's payload is in its functions' input. */
enum event_kind {
    EVENT_JSON,
    EVENT_TEXT,
    EVENT_BYTES,
    EVENT_TICK /* of cron, the topic being its line */
};

typedef struct queued_event {
    const char *id;
    slice topic;
    int64_t time;
    const char *source; /* or NULL */
    unsigned hops;
    enum event_kind kind;
    slice payload;
} queued_event;

/* A delivery that was begun. */
typedef struct begun {
    int64_t number;
    int64_t attempt;
} begun;

/* Makes the tables. Not in `apply`. */
int events_queue_define(store *s, error *err) MUST_CHECK;

/* How many deliveries there are, dead letters included, and bytes of payloads. */
int events_queue_count(store *s, uint64_t *deliveries, uint64_t *bytes, error *err) MUST_CHECK;

/* Adds an event, which is due at once, with a delivery for each of the functions. Of ticks of one line and
 * function, the newest LIMIT_CRON_TICKS wait; those before them go. */
int events_queue_add(store *s, const queued_event *event, const char *const *functions,
                     size_t count, int64_t now, error *err) MUST_CHECK;

/* When the first delivery is due that does not wait behind another, in `due`; INT64_MAX for none. In
 * any thread. */
int events_queue_peek(store *s, int64_t *due, error *err) MUST_CHECK;

/* Begins up to `room` deliveries that are due. What is due after `latest` was put off before the
 * system's clock was set back, and is due. */
int events_queue_begin(store *s, int64_t owner, int64_t now, int64_t latest, size_t room,
                       begun *out, size_t *count, error *err) MUST_CHECK;

/* How often a delivery was begun; 0 when it is gone. */
int events_queue_attempts(store *s, int64_t number, int64_t *out, error *err) MUST_CHECK;

/* The delivery that is under way is done and goes. */
int events_queue_finish(store *s, int64_t number, error *err) MUST_CHECK;

/* It has failed, and is tried again at `due`. */
int events_queue_retry(store *s, int64_t number, int64_t due, slice problem, int64_t now,
                       error *err) MUST_CHECK;

/* It was not begun after all: is tried again at `due`, as the same attempt. */
int events_queue_postpone(store *s, int64_t number, int64_t due, error *err) MUST_CHECK;

/* It has failed for the last time and becomes a dead letter; of those that are ticks of one line and
 * function, the newest LIMIT_CRON_TICKS stay. */
int events_queue_bury(store *s, int64_t number, slice problem, int64_t now, error *err) MUST_CHECK;

/* The least owner above `after` of deliveries that are under way: 1, or 0 when there is none. In any
 * thread. */
int events_queue_next_owner(store *s, int64_t after, int64_t *out, error *err) MUST_CHECK;

/* What was under way of an owner that has ended is due, or dead after `attempts`. */
int events_queue_recover(store *s, int64_t owner, unsigned attempts, int64_t now,
                         error *err) MUST_CHECK;

/* Makes a dead letter pending again, as if it had not been tried, or drops it: 1, or 0 when it is no
 * dead letter. */
int events_queue_replay(store *s, int64_t number, int64_t now, error *err) MUST_CHECK;
int events_queue_drop(store *s, int64_t number, error *err) MUST_CHECK;

#endif
