#ifndef UBIQ_SERVER_INPUT_H
#define UBIQ_SERVER_INPUT_H

#include "server/connection.h"

/* What clients send: finds the requests in it and has them answered, one after the other. What
 * follows a request whose call still runs waits in connection.in. */

/* Bytes that have just been read; they stay the caller's. */
void input_take(connection *c, uint8_t *data, size_t len);

/* `len` bytes more of a body have been read to behind the content of connection.in, where there was
 * room for them. */
void input_arrived(connection *c, size_t len);

/* Goes on with what was read before, when the request before it has been answered. */
void input_resume(connection *c);

/* Reads on, if reading had been stopped because there was enough. May close the connection. */
void input_unpause(connection *c);

/* The most that connection.in may hold. */
size_t input_max(const struct worker *w);

#endif
