#ifndef UBIQ_SERVER_DISPATCH_H
#define UBIQ_SERVER_DISPATCH_H

#include "server/connection.h"

/* Answers c->request, or has a function do it: the route says which. `body` is needed only until
 * this returns. */
void dispatch(connection *c, slice body);

#endif
