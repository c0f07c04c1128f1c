#ifndef UBIQ_SERVER_EXCHANGE_INTERNAL_H
#define UBIQ_SERVER_EXCHANGE_INTERNAL_H

#include "server/connection.h"

/* What answering a request (exchange.c) and its middleware (exchange_middleware.c) have of each other. */

/* Whose invocation this is. */
exchange *exchange_of(invocation *v);

/* Begins to call a part of a function, in place of what was called before, whose context has been freed.
 * `input` is needed only until this returns. */
void exchange_call(connection *c, function *f, enum invocation_part part, slice input,
                   void (*done)(invocation *v, const invocation_result *r));

/* Calls the function of the route; or makes the answer without it, and sends it on its way. */
void exchange_act(connection *c);

/* Makes the answer, in x->answer, that something has failed. */
void exchange_fail(exchange *x, int status, const char *code, slice text);

/* Sends x->answer to the client. */
void exchange_send_answer(connection *c);

/* Has a new request go through middleware, and then be acted upon. */
void exchange_begin_middleware(connection *c, const middleware *chain);

/* Has x->answer go back through the middleware that the request has come through, and then be sent. */
void exchange_send_back(connection *c);

#endif
