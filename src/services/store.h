#ifndef UBIQ_SERVICES_STORE_H
#define UBIQ_SERVICES_STORE_H

#include "base/error.h"

#include <stdbool.h>

/* One SQLite database a project, for what services keep: a thread that writes, in groups, and a read
 * connection for each thread that reads. The database is in WAL mode with synchronous=FULL: what is
 * committed is on disk. */

struct sqlite3;
struct sqlite3_stmt;

typedef struct store store;

/* A write that is waiting for its group. Lives in the asker's memory until `done` has run. */
typedef struct store_write {
    struct store_write *next;
    /* Changes the database, in the writer's thread and in the transaction of its group: through
     * store_statement of `s`. What is not 0 means that SQLite failed (a full disk, say): the whole
     * group is rolled back, and each write of it is applied once more, alone. A write that decides
     * not to change anything (its key is there already) returns 0. It must not keep anything of what it
     * learned for itself before `done`. */
    int (*apply)(struct store_write *w, store *s, error *err);
    /* The group is on disk (err is NULL), or this write is not done and never will be. In the
     * writer's thread. */
    void (*done)(struct store_write *w, const error *err);
} store_write;

/* Opens or makes the database in the file `path`, whose directory is there, and starts the writer.
 * E_INVALID when the file is damaged or no database (the text says what to do: it is never replaced
 * without being asked); E_BUSY when another process writes to it. */
int store_open(store **out, const char *path, error *err) MUST_CHECK;

/* Runs statements that make tables (CREATE ... IF NOT EXISTS), before anything is submitted. */
int store_define(store *s, const char *sql, error *err) MUST_CHECK;

/* Queues a write. Any thread. */
void store_submit(store *s, store_write *w);

/* Submits a write and waits for it, for command line tools and start-up. Not in the writer. */
int store_write_now(store *s, store_write *w, error *err) MUST_CHECK;

/* A prepared statement of the calling thread's connection (the writer's own in `apply`, a read
 * connection elsewhere, made when a thread first asks), reset and without bindings; prepared once a
 * thread for each `sql`, which must be a static string. NULL, with the reason, when SQLite fails. */
struct sqlite3_stmt *store_statement(store *s, const char *sql, error *err) MUST_CHECK;

/* Folds SQLite's last error of the calling thread's connection into `err`; returns the code: E_IO,
 * E_BUSY, E_NO_MEMORY, E_TOO_LARGE for a full disk, E_INVALID for a damaged file. */
int store_failure(store *s, const char *doing, error *err);

/* Does what was submitted, and closes. Threads that have read must have ended or call
 * store_leave first. Takes NULL. */
void store_close(store *s);

/* Closes the calling thread's read connection, if it has one. */
void store_leave(store *s);

#endif
