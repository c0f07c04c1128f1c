#ifndef UBIQ_SERVER_EXCHANGE_H
#define UBIQ_SERVER_EXCHANGE_H

#include "app/app.h"
#include "server/invocation.h"
#include "server/middleware.h"
#include "server/static.h"

/* A request over HTTP and what is done to answer it. It lives in its connection, which has one at a
 * time. */

/* The request that is being answered. The views are into what was read from the client, until the
 * request has to wait for something: then into exchange.held. */
typedef struct request {
    slice head; /* as it came, with the empty line at its end */
    slice method;
    slice target;
    slice path;
    bool keep_alive;
    bool http_1_0;
    char id[INVOCATION_ID_BYTES];
    uint64_t started_ns;
    int status;   /* of the answer, once there is one, */
    size_t bytes; /* and the length of its body */
    slice trace;  /* what the function said of itself, for the access log: JSON with commas between */
} request;

/* What stands for a request that could not be read. */
#define REQUEST_UNREAD                                                                             \
    ((request){.method = {(const uint8_t *)"", 0}, .path = {(const uint8_t *)"", 0}})

typedef struct exchange {
    request request;
    slice body;         /* of the request, as long as it may be needed; */
    function *function; /* of its route, */
    route_match *match; /* and the parameters in it; NULL: none */
    bool is_public;     /* it is for a public file: */
    static_file file;   /* that is to be sent */
    invocation invocation;
    middleware_run run; /* without a chain there is none */
    bool goes_back;     /* there is an answer, which goes through middleware */
    bool has_called;    /* a function that is middleware; */
    task next_call;     /* and to call the next one */
    buf trace;          /* of the function, when middleware has made its context another's */
    response answer;    /* in the making, when there is middleware */
    bool begins;        /* whoever began it goes on by itself when it is answered */
    uint8_t *held;
} exchange;

struct connection;

/* Answers c->exchange.request, or has a function do it: the route says which. `body` is needed only
 * until this returns. */
void exchange_begin(struct connection *c, slice body);

/* Ends it without an answer. Nothing happens when there is none. */
void exchange_cancel(struct connection *c);

/* Copies what the views of the request point to, so that they stay. False, and nothing has happened,
 * when memory runs out. */
bool exchange_hold(exchange *x);

/* Lets go what was held, once it is answered. */
void exchange_deinit(exchange *x);

#endif
