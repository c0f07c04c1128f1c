#ifndef UBIQ_SERVICES_EVENTS_PAYLOAD_H
#define UBIQ_SERVICES_EVENTS_PAYLOAD_H

#include "base/buf.h"
#include "services/events_queue.h"

/* Finds out what a payload is: see events.h. E_NO_MEMORY. */
int events_payload_kind(slice payload, enum event_kind *out) MUST_CHECK;

/* Appends a function's input for an event of which it is the attempt `attempt`. As buf_append. */
int events_put_input(buf *out, const queued_event *event, int64_t attempt) MUST_CHECK;

#endif
