#ifndef UBIQ_SERVER_OUTBOUND_H
#define UBIQ_SERVER_OUTBOUND_H

#include "base/error.h"
#include "extism/compiled_plugin.h"
#include "server/limits.h"
#include "server/task.h"

#include <curl/curl.h>
#include <event2/event_struct.h>

#define OUTBOUND_GROUPS (LIMIT_CALLS / LIMIT_OUTBOUND_GROUP + 1)

/* Requests of functions to other servers, on a worker's event loop: libcurl's multi interface. The
 * sockets are in an epoll of their own, which is one event of the loop's, so that thousands of answers
 * that come at once do not keep the worker from its clients.
 *
 * curl looks through all connections of a multi handle now and then. So there are several, each for a
 * group of requests, and one is used only when those before it are full.
 *
 * When the process is out of file descriptors, or many names are being looked up, requests are held back
 * until that has passed, as long as their time lasts. */
typedef struct outbound {
    struct event_base *base;
    CURLSH *share; /* the names that were looked up, and TLS sessions */
    int epoll;
    struct event ready;                            /* of the epoll */
    struct event retry;                            /* of those held back */
    struct outbound_group *group[OUTBOUND_GROUPS]; /* NULL: not needed yet */
    size_t resolving;
    size_t retries; /* that are made in the next turn of them */
    task held;
} outbound;

/* Makes `o` drive requests on `base`. */
int outbound_init(outbound *o, struct event_base *base, error *err) MUST_CHECK;

/* Frees it, once all of its requests have ended. Takes an all-zero one. */
void outbound_deinit(outbound *o);

/* Makes `o` the one that outbound_driver uses in the calling thread. */
void outbound_use(outbound *o);

/* The driver for the code of functions. */
extern const http_driver outbound_driver;

#endif
