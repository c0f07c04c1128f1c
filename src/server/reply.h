#ifndef UBIQ_SERVER_REPLY_H
#define UBIQ_SERVER_REPLY_H

#include "server/connection.h"

/* For `extra`: the client may try again in a second. */
#define RETRY_AFTER "Retry-After: 1\r\n"

typedef struct reply {
    int status;
    const char *type;  /* of the body, or NULL */
    const char *extra; /* further header lines of ours, each with its CRLF, or NULL */
    slice headers;     /* likewise, of functions and middleware; needed only until reply_send returns, */
    slice body;        /* as this is */
} reply;

/* Answers the connection's request. The body is written from where it stands; only what the socket
 * does not take at once is copied. May close the connection. */
void reply_send(connection *c, const reply *r);

/* Answers with `length` bytes of a file from an offset, in place of r->body. `fd` is taken over and
 * closed. No more than a piece of the file is in memory at a time; a file that has become shorter
 * meanwhile ends the connection, since the client was promised more. */
void reply_send_file(connection *c, const reply *r, int fd, uint64_t at, uint64_t length);

/* Closes the file that an answer comes from, if there is one. */
void reply_drop_file(connection *c);

/* Answers with a small JSON object: {"error": {"code", "message", "invocation"}}. `message` is text
 * of any kind; of a long one the start is sent, and of a stack trace nothing but in development. */
void reply_error(connection *c, int status, const char *extra, const char *code, slice message);

/* Answers a request that cannot be read to its end, so that nothing behind it can be either. */
void reply_refuse(connection *c, int status);

/* Sends on what a slow client has not taken yet. */
void reply_continue(connection *c);

/* Tells a client that waits for it to send the body. */
void reply_expect(connection *c);

#endif
