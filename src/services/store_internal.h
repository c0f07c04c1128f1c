#ifndef UBIQ_SERVICES_STORE_INTERNAL_H
#define UBIQ_SERVICES_STORE_INTERNAL_H

#include "services/limits.h"
#include "services/store.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sqlite3.h>

/* What the files of the store share. */

/* A thread's connection with its statements. */
typedef struct connection {
    struct connection *next; /* of the store */
    store *store;
    sqlite3 *db;
    struct {
        const char *sql;
        sqlite3_stmt *statement;
    } prepared[LIMIT_STORE_STATEMENTS];
    size_t count;
    bool shares;          /* store_share_reads */
    bool in_turn;         /* a transaction is open; */
    uint64_t turn_commits; /* store.commits when it began, */
    uint64_t turn_ns;      /* and when that was */
} connection;

struct store {
    char *path;
    pthread_key_t key; /* of a reading thread's connection */
    bool has_key;
    pthread_mutex_t connections_lock;
    connection *connections; /* all but the writer's */

    pthread_t thread;
    bool has_thread;
    connection *writer; /* used by the thread alone once that runs */
    int log_pages;      /* in SQLite's log after the last commit, */
    int fold_at;        /* and when they are taken into the database */

    _Atomic(uint64_t) commits; /* counts them, before anybody is told that they are done */

    pthread_mutex_t parts_lock; /* held during a transaction */
    store_part *parts;

    atomic_size_t waiting_bytes; /* of the writes that are not done */
    mailbox inbox;               /* of the writer */
    sem_t wakes;                 /* posted when there was nothing in it before */
    store_write *first;          /* what the writer has taken out and not begun, */
    store_write **end;
    bool closing; /* and whether no more will come */
};

/* Opens the writer's connection: makes the database or sees that it is a sound one of ours. As
 * store_open. */
int store_prepare_file(store *s, error *err) MUST_CHECK;

/* Opens a connection to the file, for reading only if `reads`. Errors as store_failure. */
int store_connection_open(connection **out, store *s, bool reads, error *err) MUST_CHECK;

/* Closes it. Takes NULL. */
void store_connection_close(connection *c);

/* As store_statement, of this connection. */
sqlite3_stmt *store_connection_statement(connection *c, const char *sql, error *err) MUST_CHECK;

/* As store_failure, of this connection. */
int connection_failure(connection *c, const char *doing, error *err);

/* Runs statements, of which no result is wanted. Errors as store_failure. */
int connection_run(connection *c, const char *sql, const char *doing, error *err) MUST_CHECK;

/* In a writer's thread, its connection. */
extern _Thread_local connection *store_writer_connection;

/* The writer's thread; `arg` is the store. */
void *store_writer_main(void *arg);

#endif
