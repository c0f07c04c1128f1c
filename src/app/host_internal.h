#ifndef UBIQ_APP_HOST_INTERNAL_H
#define UBIQ_APP_HOST_INTERNAL_H

#include "app/app.h"
#include "app/context.h"
#include "app/host_functions.h"
#include "app/permissions.h"

/* What the files with host functions share. */

#define HOST_INPUTS_MAX 4

/* One call of a host function. */
typedef struct host_call {
    struct instance *caller;
    context *context;
    const ExtismVal *inputs;
    host_wait *wait;
} host_call;

/* Does it and returns true, or keeps h->wait and returns false: see host_function_start. `h` itself
 * is gone when it returns. */
typedef bool (*host_body)(host_call *h);

/* One of them. Inputs are 64-bit handles and numbers, but for the one that `i32` counts (from 1). */
typedef struct host_definition {
    const char *name;
    host_body body;
    unsigned inputs;
    unsigned i32;
} host_definition;

extern const host_definition host_kv[], host_storage[], host_events[], host_request[];
extern const size_t host_kv_count, host_storage_count, host_events_count, host_request_count;

/* The bytes of input number `n` (from 0), a handle; false when it is none: the guest has its answer
 * then. A view until something is allocated in the guest's memory or the guest runs. */
bool host_bytes(host_call *h, unsigned n, slice *out) MUST_CHECK;

/* How many bytes of a text of the guest's are shown in an error. */
int host_shown(slice text);

/* Gives the guest a number, which is not negative; returns true. */
bool host_return(host_wait *wait, int64_t number);

/* Gives the guest a new block with these bytes; returns true. */
bool host_return_bytes(host_wait *wait, slice bytes);

/* Gives the guest a code and keeps the text for ubiq_error; returns true. */
bool host_fail(host_wait *wait, context *c, enum service_code code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same for what the permissions do not allow, which is logged too: `needed` is what they lack,
 * "kv:read:", and `subject` what comes behind it. */
bool host_deny(host_wait *wait, context *c, const char *needed, slice subject);

/* Whether they allow it; if not, the guest has its answer. */
bool host_may(host_call *h, enum permission kind, const char *name, slice subject) MUST_CHECK;

/* An operation of a service that a guest waits for; the service's own struct follows it in one piece
 * of memory. */
typedef struct host_operation host_operation;

/* Makes an operation of `size` bytes, the first of which are its `operation`; all else is zero. NULL
 * when memory runs out: the call fails then. `max_result` is the maximum of its result. */
void *host_operation_create(host_call *h, size_t size, size_t max_result);

/* To be called with what the service's submit returned: gives the guest its result (bytes if `bytes`,
 * else the number) or sees to it that it gets it later. */
bool host_operation_submitted(void *made, bool done, bool bytes);

#endif
