#ifndef UBIQ_SERVER_OUTBOUND_H
#define UBIQ_SERVER_OUTBOUND_H

#include "base/error.h"
#include "extism/compiled_plugin.h"
#include "server/task.h"

#include <curl/curl.h>
#include <event2/event_struct.h>

/* Requests of functions to other servers, on a worker's event loop: libcurl's multi interface. Its
 * sockets are in an epoll of their own, which is one event of the loop's, so that thousands of answers
 * that come at once do not keep the worker from its clients.
 *
 * When the process is out of file descriptors, or many names are being looked up, requests are held back
 * until that has passed, as long as their time lasts. */
typedef struct outbound {
    CURLM *multi;
    int epoll;
    struct event ready; /* of the epoll */
    struct event timer; /* curl's */
    struct event retry; /* of those held back */
    size_t running;
    size_t resolving;
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
