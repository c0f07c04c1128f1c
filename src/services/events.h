#ifndef UBIQ_SERVICES_EVENTS_H
#define UBIQ_SERVICES_EVENTS_H

#include "services/operation.h"
#include "services/store.h"

/* Events between functions, and ticks of cron: kept in the store until the functions that they are for
 * have dealt with them. At least once, in order within a topic and function, again after a failure
 * with growing pauses, and to the dead letters after that. */

/* A function that wants events: [triggers] of ubiq.toml. */
typedef struct trigger {
    const char *pattern;  /* of topics, '*' for any run of bytes; or a cron line */
    bool is_cron;
    const char *function; /* its name */
} trigger;

typedef struct events_limits {
    size_t topic_bytes;
    size_t payload_bytes;
    uint64_t pending;  /* deliveries that wait; emitting more is SERVICE_OVER_QUOTA */
    unsigned attempts; /* before a delivery becomes a dead letter */
    uint64_t first_retry_ms; /* doubled each time, with jitter, up to */
    uint64_t last_retry_ms;
    unsigned hops;     /* events that are emitted while handling events that were ... */
    unsigned at_once;  /* deliveries that may be under way */
} events_limits;

typedef struct events_emission {
    operation op; /* result: the event's id, once it is on disk */
    slice topic;
    slice payload;      /* any bytes; JSON stays JSON in the function's input, other text becomes a
                           string, and what is no text the base64 of it */
    const char *source; /* the function that emits it, or NULL */
    unsigned hops;      /* of the event that is being handled, plus 1; else 0 */
} events_emission;

/* An event on its way to a function. Owned by `events` until events_delivered. */
typedef struct delivery {
    int64_t number;
    char *function;
    slice input; /* {"topic", "id", "time", "source", "attempt", "payload"} or {"schedule", "time"} */
    unsigned attempt; /* from 1 */
    unsigned hops;
    bool is_cron;
    char id[33]; /* of the event */
} delivery;

typedef struct events events;

typedef struct events_options {
    store *store; /* borrowed */
    const trigger *triggers; /* copied */
    size_t trigger_count;
    const char *time_zone; /* of cron lines without one: "Europe/Berlin"; NULL: UTC */
    events_limits limits;
    /* Has the function do it; in the events' own thread, never called before events_start. */
    void (*deliver)(delivery *d, void *arg);
    void *arg;
} events_options;

/* E_INVALID for a cron line that is none. */
int events_create(events **out, const events_options *options, error *err) MUST_CHECK;

/* Begins to deliver, what was left from before first. */
int events_start(events *e, error *err) MUST_CHECK;

/* Emits an event to the functions whose triggers match, or begins to: see operation.h. One that
 * nobody wants is accepted and forgotten. Any thread. */
bool events_emit(events *e, events_emission *o);

/* The function has dealt with `d` (problem is NULL), or has failed. Any thread. */
void events_delivered(events *e, delivery *d, const char *problem);

/* `d` could not be begun for now (the server is busy): it is tried again soon, as the same attempt. */
void events_postpone(events *e, delivery *d);

/* Delivers nothing more; what is under way may still end. */
void events_stop(events *e);

/* Frees it, once everything has been given back. Takes NULL. */
void events_destroy(events *e);

#endif
