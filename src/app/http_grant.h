#ifndef UBIQ_APP_HTTP_GRANT_H
#define UBIQ_APP_HTTP_GRANT_H

#include "app/permissions.h"
#include "extism/http_policy.h"

/* What one invocation may ask of other servers. Part of its host context; one thread. */
typedef struct http_grant {
    const permissions *permissions; /* borrowed; NULL: nothing */
    const char *function;           /* its name, for texts; borrowed */
    uint32_t requests_max;          /* that it may make; redirects are not counted */
    uint32_t requests;              /* that it has made */
} http_grant;

/* An http_policy's answer (extism/http_policy.h). E_DENIED: the text names the permission that is
 * missing. E_TOO_LARGE over requests_max. */
int http_grant_check(http_grant *g, const http_target *target, error *err) MUST_CHECK;

#endif
