#ifndef UBIQ_SERVER_INVOCATION_H
#define UBIQ_SERVER_INVOCATION_H

#include "app/context.h"
#include "extism/call.h"
#include "server/task.h"
#include "server/timers.h"

struct worker;

/* How an invocation ended. The views are valid until `done` returns. */
typedef struct invocation_result {
    int status;       /* of an answer over HTTP: 200 when it went well, else 500, 503 or 504 */
    const char *code; /* what went wrong, in a word: "timeout"; NULL when it went well. Static */
    slice text;       /* what to say about it to whoever asked */
    slice output;
} invocation_result;

#define INVOCATION_ID_BYTES 17 /* with the NUL */

/* What is called in a function. */
enum invocation_part {
    INVOCATION_HANDLER, /* what its method says, or what there is for all else */
    INVOCATION_BEFORE,  /* of middleware; if it exports none, that is as if it had no output */
    INVOCATION_AFTER
};

/* One call of a function, whoever wants it: a request, an event, another function. It belongs to one
 * worker and its thread. All-zero: not begun. */
typedef struct invocation {
    struct worker *worker;
    function *function; /* NULL: not begun, or at its end */
    enum invocation_part part;
    slice method;       /* of a request, which says what is called; else empty */
    context context;
    /* It has ended. May be called before invocation_begin returns. */
    void (*done)(struct invocation *v, const invocation_result *result);

    task task; /* in the worker's run queue, or among those that wait for code */
    timer timer;
    call *call;
    uint8_t *body; /* of one that waits for code */
    size_t body_len;
    size_t input_len; /* of all, which its worker counts */
    bool waits_for_code;
    bool took_turns; /* it has not ended in its first turn */
    uint64_t begun_ns;
    uint64_t cpu_ns;
} invocation;

/* Begins it: `v` is all-zero but for worker, function, part, method, done and the context, which is its
 * owner's to make and to end. It runs at once as far as it comes in its turn, or
 * waits for its function's code. `body` is needed only until this returns. */
void invocation_begin(invocation *v, slice body);

/* Whether it has begun and not ended. */
static inline bool invocation_is_running(const invocation *v)
{
    return v->function != NULL;
}

/* Ends it, as it has taken too long. */
void invocation_expire(invocation *v);

/* Ends it without calling `done`. Nothing happens when it does not run. */
void invocation_cancel(invocation *v);

/* Whose timer this is. */
invocation *invocation_of(timer *t);

/* The code of a function has been looked at: those of `w` that wait for it go on. */
void invocation_resume_waiting(struct worker *w);

#endif
