#ifndef UBIQ_SERVICES_STORE_H
#define UBIQ_SERVICES_STORE_H

#include "base/error.h"
#include "base/mailbox.h"

#include <stdbool.h>
#include <stddef.h>

/* One SQLite database a project, for what services keep: a thread that writes, in groups, and a read
 * connection for each thread that reads. The database is in WAL mode with synchronous=FULL: what is
 * committed is on disk.
 *
 * Any number of processes may have it open and write to it (a server, and a command line tool beside
 * it): each transaction begins with SQLite's own write lock, and a process waits for the others'. So
 * nothing that can change in the database may be remembered outside of a transaction. */

struct sqlite3;
struct sqlite3_context;
struct sqlite3_stmt;
struct sqlite3_value;

typedef struct store store;

/* A write that is waiting for its group. Lives in the asker's memory until `done` has run. */
typedef struct store_write {
    mail mail;                /* these three are the store's */
    store *store;
    struct store_write *next;
    /* Changes the database, in the writer's thread and in the transaction of its group: through
     * store_statement of `s`. What is not 0 means that SQLite failed (a full disk, say): the whole
     * group is rolled back, and each write of it is applied once more, alone. So it may run twice, and
     * the last time counts. A write that decides not to change anything (its key is there already)
     * returns 0. */
    int (*apply)(struct store_write *w, store *s, error *err);
    /* The group is on disk (err is NULL), or this write is not done and never will be. In the
     * writer's thread. */
    void (*done)(struct store_write *w, const error *err);
    size_t bytes; /* about how much it writes; groups are bounded by it, and what may wait */
} store_write;

/* What a service keeps in memory during a transaction, for all of its writes in it together. Its
 * functions run in the writer's thread. */
typedef struct store_part {
    struct store_part *next;
    void (*begin)(struct store_part *p); /* a transaction begins; what was before may not hold */
    /* All writes are applied, and COMMIT comes next. As `apply`. */
    int (*commit)(struct store_part *p, store *s, error *err);
} store_part;

/* SQLite counts the memory that it uses, under a lock that all threads share, and nobody here asks for the
 * count. This turns it off for the process: for the program to decide, before anything uses SQLite. */
void store_tune_process(void);

/* Opens or makes the database in the file `path`, whose directory is there, and starts the writer.
 * E_INVALID when the file is damaged, no database of ours or of a newer version (the text says what
 * to do: it is never replaced without being asked); E_BUSY when another process holds it for seconds;
 * E_NOT_FOUND, E_IO; E_TOO_LARGE when the disk is full. */
int store_open(store **out, const char *path, error *err) MUST_CHECK;

/* Runs statements that make tables (CREATE ... IF NOT EXISTS), before anything is submitted. */
int store_define(store *s, const char *sql, error *err) MUST_CHECK;

/* An SQL function for the statements of writes, as sqlite3_create_function_v2 describes it. */
typedef void store_function(struct sqlite3_context *context, int count,
                            struct sqlite3_value **arguments);

/* Makes it, with `count` arguments, before anything is submitted. Errors as store_failure. */
int store_define_function(store *s, const char *name, int count, store_function *function,
                          error *err) MUST_CHECK;

/* Has `p` take part in all transactions from now on, or no longer. Not in the writer. */
void store_attach(store *s, store_part *p);
void store_detach(store *s, store_part *p);

/* Queues a write. Any thread. */
void store_submit(store *s, store_write *w);

/* The same for what a guest asks for: false, and nothing is queued, when LIMIT_STORE_WAITING_BYTES would
 * wait then, and it would not be the only one. */
bool store_try_submit(store *s, store_write *w) MUST_CHECK;

/* Applies a write and waits for it, for command line tools and start-up; its `done` is not called.
 * Not in the writer. */
int store_write_now(store *s, store_write *w, error *err) MUST_CHECK;

/* Waits until all that has been submitted is done, and has been told so. Not in the writer. Takes NULL. */
void store_flush(store *s);

/* A prepared statement of the calling thread's connection (the writer's own in `apply`, a read
 * connection elsewhere, made when a thread first asks and closed when it ends), reset and without
 * bindings; prepared once a thread for each `sql`, which must be a static string. NULL, with the
 * reason, when SQLite fails. Reset it (store_reset) when it has given what was wanted: until then it
 * holds what it bound and sees the database as it is now, and the log of changes cannot be folded. */
struct sqlite3_stmt *store_statement(store *s, const char *sql, error *err) MUST_CHECK;

/* For a thread that reads often and works in turns, such as an event loop's: from now on, what it reads
 * within one turn shares a transaction, and with it the price of SQLite's locks. What a write of this
 * process has changed is seen from when that is done; what another process has written, within
 * LIMIT_STORE_TURN_NS or in the next turn. */
int store_share_reads(store *s, error *err) MUST_CHECK;

/* Ends the calling thread's turn; to be called before it waits for anything. Cheap when it has not read.
 * `s` may be NULL. */
void store_end_turn(store *s);

/* Ends the use of a statement. Takes NULL. */
void store_reset(struct sqlite3_stmt *statement);

/* Folds SQLite's last error of the calling thread's connection into `err`, as "<doing>: <why>"; returns
 * the code: E_TOO_LARGE for a full disk, E_BUSY, E_NO_MEMORY, E_INVALID for a damaged file, else E_IO.
 * To be called before the statement is reset. */
int store_failure(store *s, const char *doing, error *err);

/* Does what was submitted, and closes. No other thread may use it any more; those that have read may
 * still run. Takes NULL. */
void store_close(store *s);

#endif
