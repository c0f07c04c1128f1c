#ifndef UBIQ_SERVER_LISTENER_H
#define UBIQ_SERVER_LISTENER_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define LISTENER_ADDRESS_BYTES 128

/* Opens `count` sockets that listen at the same "ADDRESS:PORT" ("[::1]:3000", "localhost:3000";
 * port 0 takes a free one), between which the system spreads connections. The address they got
 * goes to `bound`. E_INVALID for what is no address, or, with `loopback`, one that others than this
 * machine reach: nothing listens there even for a moment. E_BUSY when the port is in use, E_DENIED,
 * E_IO. None is open then. */
int listener_open(const char *address, bool loopback, int *fds, size_t count,
                  char bound[LISTENER_ADDRESS_BYTES], error *err) MUST_CHECK;

#endif
