#ifndef UBIQ_SERVER_LOCAL_H
#define UBIQ_SERVER_LOCAL_H

#include "server/invocation.h"

#include <event2/event_struct.h>
#include <sys/uio.h>

/* What the program that a server is a part of asks for itself: a call of a function by its name,
 * with the permissions and limits that it has in any call, or a request, which goes the way of
 * those that come over a socket, but without one. */

struct connection;

enum local_end {
    LOCAL_OK, /* of a request: there is an answer, whatever it says */
    LOCAL_NOT_FOUND,
    LOCAL_TOO_LARGE,
    LOCAL_FAILED,
    LOCAL_BUSY,
    LOCAL_TIMEOUT,
    LOCAL_CANCELLED,
    LOCAL_STOPPED /* the server accepts nothing more, or has been stopped meanwhile */
};

/* What came of it. The views are valid until `done` returns. */
typedef struct local_outcome {
    enum local_end end;
    slice text;     /* what went wrong */
    slice output;   /* of the function, or the answer's body */
    int status;     /* of an answer; 0: there is none */
    slice headers;  /* of an answer: lines, each with its CRLF */
    const char *id; /* of the call, as the log has it; "" when it did not begin */
} local_outcome;

/* One of them. The first members are its owner's to set, the others all-zero. */
typedef struct local {
    slice name;    /* of the function, and */
    slice input;   /* its input; or */
    slice request; /* the whole of a request of HTTP/1.1, which asks to close the connection. What
                            these three show stays until `done`; a request's bytes may be changed */
    uint64_t timeout_ms; /* 0: no more limits than the function has */
    void (*done)(struct local *l,
                 const local_outcome *o); /* once, in the worker's thread; may free `l` */

    struct worker *worker;
    mail mail;
    struct event timeout;
    bool has_timeout;
    bool begins;
    bool ended;
    invocation invocation;
    char id[INVOCATION_ID_BYTES];
    struct connection *connection; /* that stands for the asker of a request */
    buf answer;
    size_t head_len; /* of the answer, without the empty line */
} local;

/* Has worker `w` do it. Any thread. */
void local_send(local *l, struct worker *w);

/* Ends it before its time, unless it has ended. The worker's thread. */
void local_give_up(local *l, enum local_end end, const char *text);

/* For connections: takes a part of the answer, whose first two pieces are its head and whose third
 * is the empty line. False when memory runs out. */
bool local_take(local *l, const struct iovec *part, size_t count);

/* For connections: the one that stands for the asker is closed. */
void local_closed(local *l);

#endif
