#ifndef UBIQ_SERVER_CONDITIONAL_H
#define UBIQ_SERVER_CONDITIONAL_H

#include "base/slice.h"

#include <time.h>

/* Whether a client needs an answer's body, or which part of it: RFC 9110, sections 13 and 14. `lines`
 * are a request's header lines (headers.h). */

#define HTTP_DATE_BYTES 32

/* Writes a time as HTTP does: "Sat, 31 Jan 2026 12:00:00 GMT". */
void http_date(char out[HTTP_DATE_BYTES], time_t when);

/* What identifies a version of something. */
typedef struct version {
    const char *etag; /* a strong one, with its quotes */
    time_t modified;
} version;

/* Whether the client has this version already, as If-None-Match, or else If-Modified-Since, says. */
bool conditional_has(slice lines, const version *v);

enum range_result {
    RANGE_NONE, /* all of it is asked for */
    RANGE_PART,
    RANGE_UNSATISFIABLE
};

/* Which part of `size` bytes Range asks for, if If-Range does not mind. Several parts at once, and what
 * is no range of bytes, count as none. */
enum range_result conditional_range(slice lines, const version *v, uint64_t size, uint64_t *start,
                                    uint64_t *length);

#endif
