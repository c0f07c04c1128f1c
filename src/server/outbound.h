#ifndef UBIQ_SERVER_OUTBOUND_H
#define UBIQ_SERVER_OUTBOUND_H

#include "base/error.h"
#include "extism/compiled_plugin.h"

#include <curl/curl.h>
#include <event2/event_struct.h>

/* Requests of functions to other servers, on a worker's event loop: libcurl's multi interface. */
typedef struct outbound {
    struct event_base *base;
    CURLM *multi;
    struct event timer;
    struct transfer *failed; /* to start; told at the next turn */
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
