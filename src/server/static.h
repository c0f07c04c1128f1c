#ifndef UBIQ_SERVER_STATIC_H
#define UBIQ_SERVER_STATIC_H

#include "server/connection.h"

/* Serves the files in the project's public/ (app/public.h). */

/* Small files that a worker keeps in memory. It belongs to the worker's thread. */
typedef struct static_cache static_cache;

/* Answers c->exchange.request if its path is that of a public file; false, and nothing has happened, if
 * not. */
bool static_serve(connection *c);

/* Frees it. Takes NULL. */
void static_cache_destroy(static_cache *s);

#endif
