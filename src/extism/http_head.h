#ifndef UBIQ_EXTISM_HTTP_HEAD_H
#define UBIQ_EXTISM_HTTP_HEAD_H

#include "base/error.h"
#include "base/slice.h"
#include "base/strmap.h"

/* The status line and the header fields of a response, gathered line by line as libcurl hands them
 * out. An interim answer (1xx) is forgotten when the next one begins; trailers are ignored. An
 * all-zero one is empty. */
typedef struct http_head {
    uint16_t status;    /* 0 before the first line */
    bool complete;      /* the empty line behind the fields of a final answer has been seen */
    strmap fields;      /* lower-case names; printable ASCII values; of a repeated one the last */
    char *location;     /* the last Location field, whatever its characters; or NULL */
    char *length;       /* the Content-Length, or NULL */
    unsigned encodings; /* how many Content-Encoding fields there are */
    size_t lines;       /* fields of this answer so far */
    size_t bytes;       /* of this answer so far */
} http_head;

/* Takes one line with its line end. E_IO "protocol: ..." for one that is not a header field, for
 * two lengths that differ and for more than 128 fields; E_TOO_LARGE over 64 KiB. */
int http_head_add(http_head *h, slice line, error *err) MUST_CHECK;

/* Whether the answer points to another place: any 3xx but 304, as upstream has it. */
bool http_head_is_redirect(const http_head *h);

/* Whether the body is packed in gzip and in nothing else. */
bool http_head_is_gzip(const http_head *h);

/* Frees the content; the head is empty then. */
void http_head_deinit(http_head *h);

#endif
