#ifndef UBIQ_APP_HOST_FUNCTIONS_H
#define UBIQ_APP_HOST_FUNCTIONS_H

#include "extism/host_function.h"

/* The host functions of the platform, ubiq_kv_get and the others: docs/host-functions.md. They are
 * the same for every function of every project; what they may do for it stands in the call's
 * context, which must be its host_context. */

typedef struct host_functions {
    host_function **item;
    size_t count;
} host_functions;

/* Makes them. On success the caller ends `out` with host_functions_deinit. */
int host_functions_init(host_functions *out, error *err) MUST_CHECK;

/* Lets them go. Takes an all-zero one. */
void host_functions_deinit(host_functions *f);

#endif
