#ifndef UBIQ_SERVER_RESPONSE_H
#define UBIQ_SERVER_RESPONSE_H

#include "server/headers.h"

/* An answer in the making: what a function has said of it, and what middleware adds and changes. */
typedef struct response {
    int status;
    buf headers; /* lines, Content-Type among them; none that only the server sets */
    slice body;  /* a view of `own`, or of what its maker keeps until the answer is sent */
    buf own;
} response;

/* Makes it empty, with status 200. */
void response_init(response *r);

/* Frees what it holds. Takes an all-zero one. */
void response_deinit(response *r);

/* Replaces the body by what `body` holds, which is empty then. */
void response_take_body(response *r, buf *body);

/* Copies the body into `own` unless it is there, for when its maker cannot keep it. E_NO_MEMORY. */
int response_keep_body(response *r) MUST_CHECK;

/* What a body looks like that nobody has said the type of: JSON, text or bytes. Static. */
const char *response_type_of(slice body);

/* Makes it the answer to a failure, and forgets what it was: {"error": {"code", "message",
 * "invocation"}}. `message` is text of any kind; of a long one the start is taken. `invocation` is
 * an id, or "". When memory runs out the body is empty. */
void response_set_error(response *r, int status, const char *code, slice message,
                        const char *invocation);

/* The same with status 401 and the header WWW-Authenticate: `challenge`. */
void response_set_unauthorized(response *r, slice message, const char *challenge,
                               const char *invocation);

#endif
