#ifndef UBIQ_SERVICES_EVENTS_H
#define UBIQ_SERVICES_EVENTS_H

#include "services/operation.h"
#include "services/store.h"

/* Events between functions, and ticks of cron: kept in the store until the functions that they are for
 * have dealt with them. At least once, in order within a topic and function, again after a failure
 * with growing pauses, and to the dead letters after that.
 *
 * What is under way when the process ends, however it ends, is delivered again by the next one, as
 * the next attempt. Several of them, also in several processes, may share one database: each delivery is
 * begun by one of them, and each tick of a cron line is queued once. */

/* A function that wants events: [triggers] of ubiq.toml. */
typedef struct trigger {
    const char *pattern; /* of topics, '*' for any run of bytes; or a cron line */
    bool is_cron;
    const char *function; /* its name */
} trigger;

typedef struct events_limits {
    size_t topic_bytes;
    size_t payload_bytes;
    uint64_t pending;        /* deliveries that wait or are dead letters; emitting more is
                          SERVICE_OVER_QUOTA */
    unsigned attempts;       /* before a delivery becomes a dead letter */
    uint64_t first_retry_ms; /* doubled each time, up to */
    uint64_t last_retry_ms;  /* and each is up to a quarter longer, by chance */
    unsigned hops;           /* events that are emitted while handling events that were ... */
    unsigned at_once;        /* deliveries that may be under way */
} events_limits;

typedef struct events_emission {
    operation op; /* result: the event's id, once it is on disk */
    slice topic;  /* UTF-8 without spaces and control characters */
    slice
        payload; /* any bytes; in the functions' input, what is JSON text (RFC 8259, nested at most
                      JSON_NESTING_MAX deep) stands as it is, other UTF-8 is a string, and what is
                      neither is {"base64": "..."} */
    const char *source; /* the function that emits it, or NULL */
    unsigned hops;      /* of the event that is being handled, plus 1; else 0 */
} events_emission;

/* An event on its way to a function. Owned by `events`, and lent until it is given back with
 * events_delivered or events_postpone. */
typedef struct delivery {
    int64_t number;
    char *function;
    /* {"topic", "id", "time", "source", "attempt", "payload"}: when it was emitted, in UTC as RFC 3339
     * has it, and the emitting function or null; or {"schedule", "time"}: the cron line as it stands
     * in ubiq.toml, and the tick's own time. */
    slice input;
    unsigned attempt; /* from 1 */
    unsigned hops;
    bool is_cron;
    char id[33]; /* of the event, or of the tick: the same for each attempt */
} delivery;

typedef struct events events;

typedef struct events_options {
    store *store;            /* borrowed */
    const trigger *triggers; /* copied */
    size_t trigger_count;
    const char *time_zone; /* of cron lines without one: "Europe/Berlin"; NULL: UTC */
    events_limits limits;
    /* Has the function do it; in the events' own thread, never called before events_start. */
    void (*deliver)(delivery *d, void *arg);
    /* The store fails, so that nothing is delivered until it does not; once each time that this begins. In the
     * events' own thread. NULL: nobody wants to know. */
    void (*stalled)(const error *why, void *arg);
    void *arg;
} events_options;

/* E_INVALID for a cron line that is none or a time zone that is not known; E_NO_MEMORY; and as
 * store_define. */
int events_create(events **out, const events_options *options, error *err) MUST_CHECK;

/* Begins to deliver, what was left from before first; of each cron line the last tick that was missed
 * within the last day is made up for. As store_write_now; E_BUSY when too many processes do so. */
int events_start(events *e, error *err) MUST_CHECK;

/* Emits an event to the functions whose triggers match, once to each, or begins to: see operation.h.
 * One that nobody wants is accepted and forgotten. SERVICE_INVALID and SERVICE_TOO_LARGE for topics
 * and payloads that are not as they must be, SERVICE_DENIED for too many hops, SERVICE_OVER_QUOTA.
 * Any thread. */
bool events_emit(events *e, events_emission *o);

/* The function has dealt with `d` (problem is NULL), or has failed: the text is kept, of its first
 * LIMIT_EVENT_PROBLEM_BYTES. Any thread, also in `deliver`. */
void events_delivered(events *e, delivery *d, const char *problem);

/* `d` could not be begun for now (the server is busy): it is tried again soon, as the same attempt. Any
 * thread, also in `deliver`. */
void events_postpone(events *e, delivery *d);

/* Delivers nothing more, from when it returns on; what is under way may still end. Not in `deliver`. */
void events_stop(events *e);

/* Frees it, once everything has been given back and what was emitted is done; what was given back is
 * on disk then. Takes NULL. */
void events_destroy(events *e);

#endif
