#ifndef UBIQ_SERVER_KEPT_CALLS_H
#define UBIQ_SERVER_KEPT_CALLS_H

#include "app/function.h"
#include "extism/call.h"
#include "server/timers.h"

/* Calls of functions with instances = "reuse" that are done, whose instances are used again as they
 * were left. One worker's. */
typedef struct kept_calls {
    struct kept_function *function; /* by function.index */
    timers idle;                    /* of one kind: the calls, the longest kept one first */
    size_t count;                   /* of calls, and */
    size_t most;                    /* how many there may be */
} kept_calls;

/* Makes it empty, for functions numbered below `functions` and at most `most` calls of all of them. False
 * when memory runs out. */
bool kept_calls_init(kept_calls *k, size_t functions, size_t most);

/* One of the function's calls, which is the caller's then: the one that was kept last. NULL when there is
 * none. */
call *kept_calls_take(kept_calls *k, const function *f);

/* Keeps a call that is done and went well, or destroys it when there are enough of its function. When
 * there are too many of all functions, the longest kept one goes. */
void kept_calls_put(kept_calls *k, const function *f, call *c, uint64_t now_ns);

/* Destroys those that were not used for LIMIT_KEPT_MS. */
void kept_calls_end_idle(kept_calls *k, uint64_t now_ns);

/* Destroys them all. In the thread of the calls; takes an all-zero one. */
void kept_calls_deinit(kept_calls *k);

#endif
