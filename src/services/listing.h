#ifndef UBIQ_SERVICES_LISTING_H
#define UBIQ_SERVICES_LISTING_H

#include "services/operation.h"
#include "services/store.h"

/* Lists of keys, in byte order, page by page, as {"<name>": [...], "next": key or null}. What the
 * asker may not see is passed over, however much of it there is, and never shows in `next`: after some
 * rows the list goes on in a later turn of the asker's thread, so that nobody waits for it long. */

/* How the rows of a table are listed. */
typedef struct listing_kind {
    const char *service; /* for errors */
    const char *name;    /* of the array */
    const char
        *sql; /* gives the rows from key ?1 on in the order of their keys, which come first */
    bool (*is_there)(struct sqlite3_stmt *row);                /* NULL: every row is */
    int (*put)(buf *out, slice key, struct sqlite3_stmt *row); /* appends one; as buf_append */
} listing_kind;

typedef struct listing_request {
    slice prefix;
    slice after;
    int64_t limit;
    bool (*sees)(const void *arg, slice key); /* NULL: all */
    const void *arg;
} listing_request;

/* Lists into op->result, or begins to: as kv_submit. `kind` is static. */
bool listing_submit(store *s, operation *op, const listing_kind *kind, const listing_request *r);

#endif
