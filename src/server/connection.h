#ifndef UBIQ_SERVER_CONNECTION_H
#define UBIQ_SERVER_CONNECTION_H

#include "app/function.h"
#include "base/buf.h"
#include "extism/call.h"
#include "server/chunked.h"
#include "server/timers.h"

#include <event2/event_struct.h>

struct worker;

enum connection_state {
    CONNECTION_HEAD,  /* a request's head is awaited */
    CONNECTION_BODY,  /* and now its body */
    CONNECTION_CALL,  /* a function is at work on it, or its code is being loaded */
    CONNECTION_WRITE, /* the client takes the answer slowly */
    CONNECTION_LINGER /* all is said; what the client still sends is thrown away */
};

#define INVOCATION_ID_BYTES 17 /* with the NUL */

/* The request that is being answered. The views are valid while the call that was begun with it has
 * not returned to the event loop, or point into connection.held. */
typedef struct request {
    slice method;
    slice path;
    bool keep_alive;
    bool http_1_0;
    char id[INVOCATION_ID_BYTES];
    uint64_t started_ns;
    int status;   /* of the answer, once there is one, */
    size_t bytes; /* and the length of its body */
} request;

/* What stands for a request that could not be read. */
#define REQUEST_UNREAD                                                                             \
    ((request){.method = {(const uint8_t *)"", 0}, .path = {(const uint8_t *)"", 0}})

/* A client's connection. It belongs to one worker and its thread. */
typedef struct connection {
    struct worker *worker;
    struct event readable;
    struct event writable;
    int fd;
    enum connection_state state;
    bool queued;             /* in the worker's run queue */
    bool closed;             /* to be freed when nothing refers to it any more */
    bool paused;             /* nothing is read for now */
    bool lingers;            /* rather than closing at once after the answer */
    timer timer;             /* always set while it is open */
    struct connection *next; /* in the run queue, or among the closed ones */
    buf in;         /* read and not used yet: the request being read, and what follows it */
    size_t head;    /* of `in`: the head of a request whose body is awaited */
    size_t need;    /* of `in`, until the body has come in whole; 0 for a chunked body */
    size_t decoded; /* of `in`: the head, and what is not chunked any more */
    chunked chunked;
    request request;
    uint8_t *held;      /* what the request's views point to while it waits */
    slice body;         /* of a request that waits for code, in `held` */
    function *function; /* at work, or awaited: */
    bool awaits_code;
    call *call;
    bool took_turns; /* it has not ended in its first turn */
    uint8_t *out;    /* the rest of an answer */
    size_t out_len;
    size_t out_at;
    size_t buffered; /* its part of worker.buffered */
} connection;

/* Takes over a socket that was accepted. It is closed when there is no memory. */
void connection_create(struct worker *w, int fd);

/* Goes on with what has been read already. For the run queue. */
void connection_resume(connection *c);

/* The answer is sent, or its rest is being sent: logs it and turns to the next request. */
void connection_answered(connection *c, bool complete);

/* Counts `bytes`, in place of what was counted before, among those that its worker keeps for slow
 * clients. When they are too many, those clients go that have not taken anything of their answers
 * for longest; false when that is not enough. */
bool connection_count_buffered(connection *c, size_t bytes);

/* Copies what the views of c->request point to, and `body`, so that they stay. False, and nothing
 * has happened, when memory runs out. */
bool connection_hold(connection *c, slice body);

/* Whose timer this is. */
connection *connection_of(timer *t);

/* Its deadline has passed. */
void connection_expire(connection *c);

/* Whether it is between two requests, so that nobody minds if it is closed. */
bool connection_is_idle(const connection *c);

/* Closes it; a call that runs is cancelled. It is freed later by the worker, with connection_free.
 */
void connection_close(connection *c);
void connection_free(connection *c);

#endif
