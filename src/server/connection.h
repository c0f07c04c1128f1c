#ifndef UBIQ_SERVER_CONNECTION_H
#define UBIQ_SERVER_CONNECTION_H

#include "base/buf.h"
#include "server/chunked.h"
#include "server/exchange.h"
#include "server/timers.h"

#include <event2/event_struct.h>
#include <sys/socket.h>

struct worker;
struct local;

enum connection_state {
    CONNECTION_HEAD,  /* a request's head is awaited */
    CONNECTION_BODY,  /* and now its body */
    CONNECTION_CALL,  /* a function is at work on it, or its code is being loaded */
    CONNECTION_WRITE, /* the client takes the answer slowly */
    CONNECTION_LINGER /* all is said; what the client still sends is thrown away */
};

/* Deadlines of connections, by what they are doing. */
enum connection_timer {
    TIMER_IDLE,   /* between two requests */
    TIMER_SILENT, /* it is new, and nothing has come yet */
    TIMER_HEAD,
    TIMER_BODY,
    TIMER_CALL, /* for ever, as functions have their own */
    TIMER_WRITE,
    TIMER_LINGER,
    TIMER_KINDS
};

/* What is left of a body that comes from a file. */
typedef struct file_rest {
    int fd; /* open as long as something is left */
    uint64_t at;
    uint64_t left;
} file_rest;

/* A client's connection. It belongs to one worker and its thread. */
typedef struct connection {
    struct worker *worker;
    struct event readable;
    struct event writable;
    int fd;              /* -1: `local` is asking */
    struct local *local; /* or NULL */
    uint8_t address[16]; /* of the client, in network order: 4 bytes or 16; */
    uint8_t address_len; /* 0 when it has none */
    enum connection_state state;
    bool closed;             /* to be freed when nothing refers to it any more */
    bool paused;             /* nothing is read for now */
    bool lingers;            /* rather than closing at once after the answer */
    timer timer;             /* always set while it is open */
    task task;               /* to go on with what has been read */
    struct connection *next; /* among the closed ones */
    buf in;         /* read and not used yet: the request being read, and what follows it */
    size_t head;    /* of `in`: the head of a request whose body is awaited */
    size_t need;    /* of `in`, until the body has come in whole; 0 for a chunked body */
    size_t decoded; /* of `in`: the head, and what is not chunked any more */
    chunked chunked;
    exchange exchange;
    uint8_t *out;    /* the rest of an answer */
    size_t out_len;
    size_t out_at;
    file_rest file;  /* what comes behind that */
    size_t buffered; /* its part of worker.buffered */
} connection;

/* Takes over a socket that was accepted. It is closed when there is no memory. */
void connection_create(struct worker *w, int fd, const struct sockaddr_storage *from);

/* Makes one for what is asked in this process; it is closed when that is answered, and tells `l`
 * (local_closed). NULL when there is no memory. */
connection *connection_create_local(struct worker *w, struct local *l);

/* The answer is sent, or its rest is being sent: logs it and turns to the next request. */
void connection_answered(connection *c, bool complete);

/* Counts `bytes`, in place of what was counted before, among those that its worker keeps for slow
 * clients. When they are too many, those clients go that have not taken anything of their answers
 * for longest; false when that is not enough. */
bool connection_count_buffered(connection *c, size_t bytes);

/* Whose timer this is. */
connection *connection_of(timer *t);

/* Whose exchange this is. */
connection *connection_of_exchange(exchange *x);

/* Its deadline has passed. */
void connection_expire(connection *c);

/* Whether it is between two requests, so that nobody minds if it is closed. */
bool connection_is_idle(const connection *c);

/* Closes it; a call that runs is cancelled. It is freed later by the worker, with connection_free.
 */
void connection_close(connection *c);
void connection_free(connection *c);

#endif
