#ifndef UBIQ_SERVICES_STORAGE_H
#define UBIQ_SERVICES_STORAGE_H

#include "services/operation.h"
#include "services/store.h"

/* Files of a project, by path. A path is one to LIMIT_STORAGE_PATH bytes of UTF-8: names with single
 * slashes between them, none of which is empty, "." or "..", without control characters. Which paths
 * there are stands in the store, what is in them in files named by number, so that a path never is a
 * path of the system's. */

enum storage_verb {
    STORAGE_READ,   /* result: the bytes */
    STORAGE_WRITE,  /* path, data */
    STORAGE_DELETE, /* number: 1 deleted, 0 was not there */
    STORAGE_STAT, /* result: {"path", "size", "type", "modified"}; the type follows from the path's
                       ending, the time is RFC 3339 in UTC with milliseconds */
    STORAGE_LIST  /* path is the prefix, `after`, `limit`, `sees`; result: {"items": [as stat],
                       "next": "path" or null}, in byte order */
};

typedef struct storage_limits {
    size_t file_bytes;
    uint64_t total_bytes;
    uint64_t files;
} storage_limits;

typedef struct storage_operation {
    operation op;
    enum storage_verb verb;
    slice path;
    slice data;
    slice after;
    int64_t limit; /* from 1; what is over LIMIT_LIST is LIMIT_LIST */
    /* Which paths the list has; NULL: all. In the asker's thread, until the operation is done or
     * abandoned. */
    bool (*sees)(const void *arg, slice path);
    const void *arg;
} storage_operation;

typedef struct storage storage;

/* The files whose contents are in directory `path`, which is made. `s` is borrowed. Reads and writes of
 * files happen in threads of its own, as disks are slow. Several processes may use the same. What a
 * process left that was killed is put in order when no other one uses it. E_IO, E_NO_MEMORY, and what
 * store_failure gives. */
int storage_create(storage **out, store *s, const char *path, const storage_limits *limits,
                   error *err) MUST_CHECK;

/* Does `o`, or begins to: see operation.h. A write is done once it is on disk; whoever reads
 * meanwhile sees the old bytes or the new ones. Any thread. */
bool storage_submit(storage *s, storage_operation *o);

/* Frees it, once no operation is being done any more; ends what is left to do behind them. Takes
 * NULL. */
void storage_destroy(storage *s);

/* The media type that a path's ending stands for: "image/png"; "application/octet-stream" for others.
 * Static. */
const char *storage_type(slice path);

#endif
