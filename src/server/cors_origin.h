#ifndef UBIQ_SERVER_CORS_ORIGIN_H
#define UBIQ_SERVER_CORS_ORIGIN_H

#include "base/error.h"
#include "base/slice.h"

/* An origin that is allowed: "https://example.com:8443", or all below a domain:
 * "https://" "*.example.com". */
typedef struct cors_origin {
    char *text;  /* in lower case, without the scheme's own port; owned */
    size_t star; /* where the '*' is; 0 when there is none */
} cors_origin;

/* Reads one from the configuration. On success the caller frees out->text. E_INVALID for what no
 * browser would send, E_NO_MEMORY. */
int cors_origin_read(cors_origin *out, const char *text, error *err) MUST_CHECK;

/* Whether a request's Origin is one of those it stands for. */
bool cors_origin_matches(const cors_origin *o, slice origin);

#endif
