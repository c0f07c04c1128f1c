#ifndef UBIQ_SERVER_FUNCTION_HOST_H
#define UBIQ_SERVER_FUNCTION_HOST_H

#include "app/context.h"

/* What the server does for the contexts of invocations, by what set them off. */

extern const context_host http_host;  /* a request; the invocation is an exchange's */
extern const context_host event_host; /* an event or a tick of cron: an event_run's */
extern const context_host invoke_host; /* another function, or the program (local.h) */

#endif
