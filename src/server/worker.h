#ifndef UBIQ_SERVER_WORKER_H
#define UBIQ_SERVER_WORKER_H

#include "app/loader.h"
#include "server/access_log.h"
#include "server/connection.h"
#include "server/counters.h"
#include "server/kept_calls.h"
#include "server/lanes.h"
#include "server/middleware_chains.h"
#include "server/outbound.h"
#include "server/ticker.h"

#include <pthread.h>

/* What all workers of a server share, and none of them changes. */
typedef struct worker_shared {
    app *app;
    loader *loader;
    ticker *ticker;
    log_writer *access; /* or NULL */
    log_writer *errors;
    const middleware_chains *middleware;
    size_t request_bytes;  /* the most that any function takes */
    size_t response_bytes; /* and gives */
    size_t kept_calls;     /* that a worker may have */
} worker_shared;

/* One thread of the server with all that it works with: its event loop, its listening socket, its
 * connections and their calls. */
typedef struct worker {
    const worker_shared *shared;
    pthread_t thread;
    struct event_base *base;
    int listen_fd;
    struct event acceptable;
    struct event mail;
    struct event sweep;
    int mail_fd;
    atomic_bool wants_drain; /* set by others, with a write to mail_fd */
    atomic_bool wants_stop;
    atomic_size_t awaiting_code; /* invocations that wait for a function's code */
    bool draining;
    bool accepting;
    bool stopping;
    ticker_slot *ticker_slot;
    timers timers;      /* of connections: enum connection_timer */
    timers call_timers; /* of invocations: function.wall_kind */
    mailbox mailbox;
    size_t connections;
    uint64_t told_shortage_ns; /* when it was last said why no client is accepted */
    size_t calls;
    size_t call_bytes;     /* their inputs, which are in memory somewhere as long as they run */
    size_t buffered;       /* bytes kept for slow clients */
    lanes lanes;           /* what can go on: functions by their index, and OTHER_LANE */
    uint64_t turn_until;   /* the end of this turn of events, or of tasks; 0: not begun */
    task waiting_for_code;
    connection *dead; /* closed, and freed before the loop goes on */
    kept_calls kept;
    function_counters *function_counters; /* by function.index */
    worker_counters counters;
    outbound outbound;
    struct static_cache *files; /* public ones in memory; NULL before the first */
    access_log log;
    uint64_t id_seed;
    uint64_t id_count;
    uint8_t *scratch;
    compressor *compressor;
    atomic_size_t cut_off; /* calls that were stopped when the drain took too long */
} worker;

#define WORKER_SCRATCH_BYTES (64UL * 1024)

/* Makes a worker that will accept from `listen_fd`, which becomes its own even on failure; -1: from
 * nowhere. Its thread does not run yet. */
int worker_create(worker **out, const worker_shared *shared, int listen_fd, error *err) MUST_CHECK;

/* Starts its thread. */
int worker_start(worker *w, error *err) MUST_CHECK;

/* The function's code is there, or will never be. Any thread. */
void worker_tell_loaded(worker *w);

/* Stops accepting, and ends once all that was begun is answered. Any thread. */
void worker_drain(worker *w);

/* Ends at once; calls are cancelled. Any thread. */
void worker_stop(worker *w);

/* Frees it, once its thread has ended or if it was never started, and nobody sends it mail any more: what
 * is left of that is opened. Takes NULL. */
void worker_destroy(worker *w);

/* The rest is for the worker's own thread. */

/* Has a task run when it is its turn: of a call of `f`, or of something else if that is NULL. Nothing
 * happens when it waits already. */
void worker_queue(worker *w, const function *f, task *t);

/* Whether a call of `f` may begin at once, as it is not kept waiting by others of `f`, and this turn has
 * not taken long yet. */
bool worker_has_time_for(worker *w, const function *f);

/* Sees to it that deadlines are looked at, for what does not come from a connection. */
void worker_watch(worker *w);

/* A connection has been closed. */
void worker_bury(worker *w, connection *c);

/* Makes an id for a request. */
void worker_next_id(worker *w, char out[INVOCATION_ID_BYTES]);

#endif
