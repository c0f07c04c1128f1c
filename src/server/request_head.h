#ifndef UBIQ_SERVER_REQUEST_HEAD_H
#define UBIQ_SERVER_REQUEST_HEAD_H

#include "base/slice.h"

/* The head of an HTTP/1.x request: request line and headers. The reader is strict (RFC 9112), since
 * what two readers understand differently is how requests are smuggled: lines end in CRLF, no space
 * stands before a colon, no line is folded, and Content-Length and Transfer-Encoding do not
 * contradict each other. */
typedef struct request_head {
    slice method;
    slice target; /* as it was sent */
    slice path;   /* of the target, without the query: "/a/b", or "*" */
    bool http_1_0;
    bool keep_alive; /* the connection may be used for another request */
    bool expects_continue;
    bool chunked;
    uint64_t content_length; /* 0 when there is none */
    size_t length;           /* of the head, the empty line included */
} request_head;

#define HEAD_INCOMPLETE 1

/* Reads the head at the start of `data`; the views are into it. Returns 0, HEAD_INCOMPLETE when
 * more has to come, or the status of the answer to what is not a request that can be served. */
int request_head_read(request_head *out, slice data);

#endif
