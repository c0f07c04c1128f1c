#ifndef UBIQ_SERVER_INVOCATION_H
#define UBIQ_SERVER_INVOCATION_H

#include "server/connection.h"

/* A function's call on behalf of a connection's request. Each of these may answer the request, or
 * leave it in CONNECTION_CALL to be gone on with later. */

/* Starts the function with `body` and lets it run; if its code is not loaded yet, holds the request
 * until it is. */
void invocation_begin(connection *c, function *f, slice body);

/* Gives it its turn: for the run queue. */
void invocation_run(connection *c);

/* Answers that it took too long. */
void invocation_expire(connection *c);

/* Ends it without an answer. Nothing happens when there is none. */
void invocation_cancel(connection *c);

#endif
