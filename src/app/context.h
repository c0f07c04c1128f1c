#ifndef UBIQ_APP_CONTEXT_H
#define UBIQ_APP_CONTEXT_H

#include "app/function.h"
#include "app/http_grant.h"
#include "app/services.h"

/* What the host functions know of the invocation that calls them: the host_context of its call
 * (call.h). It belongs to the thread of the call. */

typedef struct context context;

/* The outcome of a function that another one has invoked. */
typedef struct context_answer {
    enum service_code code; /* SERVICE_OK, or why there is no output, */
    slice text;             /* and the words for it; */
    slice output;           /* views until the callback returns */
} context_answer;

/* What whoever drives the calls does for them. */
typedef struct context_host {
    /* Appends the JSON that ubiq_request gives. */
    int (*describe)(const context *c, buf *out);

    /* Has `f` called with a payload, which is copied, on behalf of `c`. Returns what cancel takes, or
     * NULL with the reason in `refused` (views of static text). `done` is called later, in the same
     * thread, never before this returns. */
    void *(*invoke)(context *c, function *f, slice payload,
                    void (*done)(void *arg, const context_answer *answer), void *arg,
                    context_answer *refused);
    void (*cancel)(void *invoked); /* `done` will not be called any more */

    /* Writes a line into the log, for the function's author and operator; `attributes` is JSON or
     * nothing. */
    void (*log)(const context *c, int level, slice text, slice attributes);
} context_host;

/* Levels of ubiq_log and context_log. */
enum context_log_level { CONTEXT_TRACE, CONTEXT_DEBUG, CONTEXT_INFO, CONTEXT_WARN, CONTEXT_ERROR };

struct context {
    const context_host *host;
    struct app *app;
    const function *function;
    mailbox *home; /* of the thread */
    const char *id;
    context *root;  /* of the first one of functions that invoke functions; NULL: this is it */
    unsigned depth; /* of them; 0 for the first */
    unsigned invocations; /* the first one's: how many were set off so far */
    unsigned hops;  /* of events that were emitted while handling events */

    /* What the function says of its response. */
    int status;  /* 0: 200 */
    buf headers; /* lines, each with its CRLF; */
    unsigned header_count;
    bool has_type; /* Content-Type is one of them */

    size_t logged; /* bytes, the first one's: by all that it set off */
    uint64_t started_ns; /* of clock_ns */
    buf trace;           /* what it says of itself: JSON objects with commas between them */

    /* For ubiq_error: the last negative result. */
    enum service_code code;
    error err;

    http_grant http; /* what it may ask of other servers */
};

/* Makes it ready for a call; the rest of what is known is the caller's to fill in. */
void context_init(context *c);

/* Makes it the context of a call of `f`. */
void context_set_function(context *c, const function *f);

/* Makes it the context of a call that the function of `from` has asked for, which outlives it. */
void context_inherit(context *c, context *from);

/* Counts one more invocation that the function of `c` sets off; false when they are too many. */
bool context_count_invocation(context *c);

/* Frees what it holds. Takes an all-zero one. */
void context_deinit(context *c);

/* Writes a line into the log. What is over LIMIT_LOGGED_BYTES of one invocation and those that it set off
 * is left out, and the log says so once; false then. */
bool context_write_log(context *c, enum context_log_level level, slice text, slice attributes);

/* The same with a formatted text. */
void context_log(context *c, enum context_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
