#ifndef UBIQ_APP_HTTP_RULE_H
#define UBIQ_APP_HTTP_RULE_H

#include "app/permissions.h"
#include "base/pattern.h"

/* One permission for outbound HTTP: METHOD:HOST[:PORT]/PATH. */
typedef struct http_rule {
    const char *method; /* in lower case, static; NULL: any */
    char *host;         /* as requests have it; NULL: any */
    size_t host_len;
    bool subdomains; /* of `host`, which then begins with its dot */
    uint16_t port;   /* 0: the scheme's own, or */
    bool any_port;
    pattern path;
    bool any_path;
} http_rule;

/* Reads what stands behind "http:", which is borrowed for as long as the rule. E_INVALID: the text
 * says what is wrong with it. The caller ends `out` with http_rule_deinit. */
int http_rule_read(http_rule *out, slice text, error *err) MUST_CHECK;

/* What the rule says to a request, as permissions_allow_http. */
enum http_permission http_rule_allows(const http_rule *r, slice method, slice scheme, slice host,
                                      uint16_t port, slice path);

/* Frees the content. Takes an all-zero one. */
void http_rule_deinit(http_rule *r);

#endif
