#ifndef UBIQ_SERVER_KEPT_CALLS_H
#define UBIQ_SERVER_KEPT_CALLS_H

#include "app/function.h"
#include "extism/call.h"

/* Calls of functions with instances = "reuse" that are done, whose instances are used again as they
 * were left. One worker's. */
typedef struct kept_calls {
    struct kept_function *function; /* by function.index */
    size_t count;
} kept_calls;

/* Makes it empty, for functions numbered below `count`. False when memory runs out. */
bool kept_calls_init(kept_calls *k, size_t count);

/* One of the function's calls, which is the caller's then; NULL when there is none. */
call *kept_calls_take(kept_calls *k, const function *f);

/* Keeps a call that is done and went well, or destroys it when there are enough. */
void kept_calls_put(kept_calls *k, const function *f, call *c);

/* Destroys them all. In the thread of the calls; takes an all-zero one. */
void kept_calls_deinit(kept_calls *k);

#endif
