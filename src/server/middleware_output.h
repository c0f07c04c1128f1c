#ifndef UBIQ_SERVER_MIDDLEWARE_OUTPUT_H
#define UBIQ_SERVER_MIDDLEWARE_OUTPUT_H

#include "server/response.h"

/* What a function that is middleware has said: a JSON object with some of "status", "headers",
 * "body", "body_base64" and "context" in it. */
typedef struct middleware_output {
    int status; /* 0: it said none */
    bool has_headers;
    bool has_body;
    unsigned header_count;
    buf headers; /* lines */
    buf body;
    buf context; /* a JSON object; empty: it said none */
} middleware_output;

/* Reads an output. Nothing at all, or only white space, says nothing. On success the caller ends
 * `out` with middleware_output_deinit; on failure it is empty. E_INVALID: the text says where and
 * what is wrong; E_NO_MEMORY. */
int middleware_output_read(middleware_output *out, slice text, error *err) MUST_CHECK;

/* Frees the content. Takes an all-zero one. */
void middleware_output_deinit(middleware_output *o);

#endif
