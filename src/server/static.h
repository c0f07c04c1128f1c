#ifndef UBIQ_SERVER_STATIC_H
#define UBIQ_SERVER_STATIC_H

#include "server/response.h"

#include <stdint.h>

struct connection;

/* Serves the files in the project's public/ (app/public.h). */

/* Small files that a worker keeps in memory. It belongs to the worker's thread. */
typedef struct static_cache static_cache;

/* What of a file is to be sent. */
typedef struct static_file {
    int fd; /* -1: nothing, the body of the response is all there is */
    uint64_t start;
    uint64_t length;
} static_file;

/* Fills in the answer, which is new, to the connection's request, whose path is that of a public file.
 * The body of a small file is a view, valid until the event loop goes on; a large one is opened, and the
 * caller sends it (reply_send_file) or closes it. E_NO_MEMORY, E_BUSY. */
int static_answer(struct connection *c, response *r, static_file *file) MUST_CHECK;

/* Frees it. Takes NULL. */
void static_cache_destroy(static_cache *s);

#endif
