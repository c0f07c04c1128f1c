#include "services/store_internal.h"

#include "base/clock.h"
#include "services/wal_vfs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char opening[] = "opening";

/* Cells of a damaged page are checked before they are used. */
static const char reader_settings[] = "PRAGMA query_only = ON; PRAGMA cell_size_check = ON;";

_Thread_local connection *store_writer_connection;

static bool is_full(sqlite3 *db, int code)
{
    int reason = sqlite3_system_errno(db);

    if ((code & 0xff) == SQLITE_FULL)
        return true;
    return (code & 0xff) == SQLITE_IOERR && (reason == ENOSPC || reason == EDQUOT);
}

static const char *file_name(const store *s)
{
    const char *slash = strrchr(s->path, '/');

    return slash ? slash + 1 : s->path;
}

int connection_failure(connection *c, const char *doing, error *err)
{
    int code = sqlite3_extended_errcode(c->db);
    const char *why = sqlite3_errmsg(c->db);

    if (is_full(c->db, code))
        return error_set(err, E_TOO_LARGE, "%s: the disk is full", doing);
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return error_set(err, E_INVALID, "%s: the database %s is damaged (%s)", doing,
                         file_name(c->store), why);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(err, E_BUSY, "%s: another process holds the database %s", doing,
                         file_name(c->store));
    case SQLITE_NOMEM:
        return error_set(err, E_NO_MEMORY, "%s: out of memory", doing);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return error_set(err, E_IO, "%s: %s (%s)", doing, why,
                         strerror(sqlite3_system_errno(c->db)));
    default:
        return error_set(err, E_IO, "%s: %s", doing, why);
    }
}

int connection_run(connection *c, const char *sql, const char *doing, error *err)
{
    if (sqlite3_exec(c->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return connection_failure(c, doing, err);
    return 0;
}

int store_connection_open(connection **out, store *s, bool reads, error *err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (reads ? 0 : SQLITE_OPEN_CREATE);
    connection *c = calloc(1, sizeof *c);
    int rc;

    *out = NULL;
    if (!c)
        return error_set(err, E_NO_MEMORY, "out of memory for a connection to the database");
    c->store = s;
    if (sqlite3_open_v2(s->path, &c->db, flags, reads ? NULL : wal_vfs_name()) != SQLITE_OK) {
        rc = c->db ? connection_failure(c, opening, err)
                   : error_set(err, E_NO_MEMORY, "out of memory for the database");
        goto done;
    }
    sqlite3_extended_result_codes(c->db, 1);
    sqlite3_busy_timeout(c->db, reads ? LIMIT_STORE_READER_BUSY_MS : LIMIT_STORE_WRITER_BUSY_MS);
    rc = reads ? connection_run(c, reader_settings, opening, err) : 0;
    if (rc)
        goto done;
    *out = c;
    c = NULL;
done:
    store_connection_close(c);
    return rc;
}

void store_connection_close(connection *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++)
        sqlite3_finalize(c->prepared[i].statement);
    sqlite3_close(c->db);
    free(c);
}

sqlite3_stmt *store_connection_statement(connection *c, const char *sql, error *err)
{
    sqlite3_stmt *statement;

    for (size_t i = 0; i < c->count; i++) {
        if (c->prepared[i].sql == sql)
            return c->prepared[i].statement;
    }
    if (c->count == LIMIT_STORE_STATEMENTS) {
        error_set(err, E_INTERNAL, "more than %d kinds of statements", LIMIT_STORE_STATEMENTS);
        return NULL;
    }
    if (sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
        SQLITE_OK) {
        connection_failure(c, "preparing a statement", err);
        return NULL;
    }
    c->prepared[c->count].sql = sql;
    c->prepared[c->count].statement = statement;
    c->count++;
    return statement;
}

/* The calling thread's, if it has one. */
static connection *present_connection(store *s)
{
    connection *c = store_writer_connection;

    return c && c->store == s ? c : pthread_getspecific(s->key);
}

static connection *make_connection(store *s, error *err)
{
    connection *c;

    if (store_connection_open(&c, s, true, err) != 0)
        return NULL;
    if (pthread_setspecific(s->key, c) != 0) {
        store_connection_close(c);
        error_set(err, E_NO_MEMORY, "out of memory for a connection to the database");
        return NULL;
    }
    pthread_mutex_lock(&s->connections_lock);
    c->next = s->connections;
    s->connections = c;
    pthread_mutex_unlock(&s->connections_lock);
    return c;
}

/* Runs BEGIN or COMMIT. */
static bool step(connection *c, const char *sql)
{
    sqlite3_stmt *statement = store_connection_statement(c, sql, NULL);
    bool done = statement && sqlite3_step(statement) == SQLITE_DONE;

    store_reset(statement);
    return done;
}

static void end_turn(connection *c)
{
    step(c, "COMMIT");
    c->in_turn = false;
}

/* Sees to it that there is a transaction which is not too old. Without one a statement has its own. */
static void join_turn(connection *c)
{
    uint64_t commits = atomic_load_explicit(&c->store->commits, memory_order_acquire);
    uint64_t now = clock_ns();

    if (c->in_turn && (commits != c->turn_commits || now - c->turn_ns > LIMIT_STORE_TURN_NS))
        end_turn(c);
    if (c->in_turn)
        return;
    c->in_turn = step(c, "BEGIN");
    c->turn_commits = commits;
    c->turn_ns = now;
}

int store_share_reads(store *s, error *err)
{
    connection *c = present_connection(s);

    if (!c && !(c = make_connection(s, err)))
        return err ? err->code : E_NO_MEMORY;
    c->shares = true;
    return 0;
}

void store_end_turn(store *s)
{
    connection *c = s ? pthread_getspecific(s->key) : NULL;

    if (c && c->in_turn)
        end_turn(c);
}

sqlite3_stmt *store_statement(store *s, const char *sql, error *err)
{
    connection *c = present_connection(s);

    if (!c)
        c = make_connection(s, err);
    if (c && c->shares)
        join_turn(c);
    return c ? store_connection_statement(c, sql, err) : NULL;
}

void store_reset(sqlite3_stmt *statement)
{
    if (!statement)
        return;
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

int store_failure(store *s, const char *doing, error *err)
{
    connection *c = present_connection(s);

    return c ? connection_failure(c, doing, err)
             : error_set(err, E_INTERNAL, "%s: this thread has no connection", doing);
}
