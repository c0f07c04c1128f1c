#ifndef UBIQ_SERVER_LIMITS_H
#define UBIQ_SERVER_LIMITS_H

#include "app/limits.h"

/* Every limit of the HTTP server that a project cannot change. Those of its functions are in
 * app/limits.h. */

#define LIMIT_HEAD_BYTES (16UL * 1024)  /* request line and headers: 431 */
#define LIMIT_TARGET_BYTES (8UL * 1024) /* 414 */
#define LIMIT_HEADERS 100
#define LIMIT_CHUNK_EXTRA_BYTES (8UL * 1024) /* of a body: chunk extensions and trailers */

#define LIMIT_PIECE_BYTES (256UL * 1024)           /* of a public file, read at once for a client */
#define LIMIT_KEPT_FILE_BYTES (64UL * 1024)        /* of a public file that is kept in memory, and */
#define LIMIT_KEPT_FILES_BYTES (8UL * 1024 * 1024) /* of all that a worker keeps */

/* In milliseconds. */
#define LIMIT_SILENT_MS 10000      /* from the connection to the first byte; */
#define LIMIT_SILENT_LEAST_MS 1000 /* so much of it even when others need the room */
#define LIMIT_HEAD_MS 10000        /* from a request's first byte to its last header */
#define LIMIT_BODY_MS 60000  /* from there to the last byte of the body */
#define LIMIT_IDLE_MS 60000  /* between two requests */
#define LIMIT_EXCHANGE_MS (7UL * 24 * 60 * 60 * 1000) /* functions have their own time */
#define LIMIT_KEPT_MS 60000 /* until a kept instance that is not used is given up */
#define LIMIT_WRITE_MS 30000 /* without any progress of a response */
#define LIMIT_LINGER_MS 2000 /* reading on after an answer that came before the request's end */
#define LIMIT_DRAIN_MS 10000 /* for calls that run when the server is told to stop */

/* Of a worker; over that, the longest idle one makes room, or the oldest that has sent nothing. */
#define LIMIT_CONNECTIONS 10000
#define LIMIT_CALLS 8000        /* in flight in a worker, waiting for code included: 503 */
#define LIMIT_FUNCTION_CALLS 6000 /* of those, of one function: others go on when it waits */
#define LIMIT_INSTANCES 10240   /* slots for instances in the whole process */
#define LIMIT_CALL_BYTES (512UL * 1024 * 1024) /* of a worker's calls' inputs, but one: 503 */
#define LIMIT_KEPT_CALLS 16          /* of a function with instances = "reuse", in a worker */
#define LIMIT_KEPT_CALLS_IN_ALL 2048 /* of all of them, shared out to the workers */
#define LIMIT_PIPELINED_BYTES (64UL * 1024) /* read ahead while a call runs */
#define LIMIT_REQUESTS_IN_TURN 16           /* of one connection, before others have theirs */
#define LIMIT_RUN_US 1000 /* of queued calls, before the sockets are looked at again */
/* Of a worker, for bodies that come in slowly (503) and answers that are taken slowly (the slowest
 * client is cut off), beside four of the longest of each. */
#define LIMIT_BUFFERED_BYTES (512UL * 1024 * 1024)
#define LIMIT_OUTBOUND_GROUP 200 /* requests to other servers in a multi handle of curl's, */
#define LIMIT_OUTBOUND_KEPT 50   /* and connections there besides that wait to be used again */
#define LIMIT_RESOLVING 64       /* names of other servers that a worker looks up at once */
#define LIMIT_BACKLOG 4096
#define LIMIT_LOG_BYTES (8UL * 1024 * 1024) /* waiting to be written; lines beyond are dropped */

#define LIMIT_ADMIN_S 60 /* for one request to the admin listener */

/* Of middleware. */
#define LIMIT_MIDDLEWARE 32      /* for one function */
#define LIMIT_RATE_BUCKETS 65536 /* whose counts are remembered; over that, the fullest goes */
#define LIMIT_REQUEST_ID_BYTES 64
#define LIMIT_TOKEN_BYTES (8UL * 1024)
#define LIMIT_TOKEN_MEMBERS 100                /* of its header, and claims */
#define LIMIT_COMPRESSED_BYTES (1024UL * 1024) /* a longer body would keep its worker too long */
#define LIMIT_FACTS_BYTES (64UL * 1024)        /* what middleware tells the function */

#define TICK_MS 10 /* how often a running call can be made to let others run */

#endif
