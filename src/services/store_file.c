#include "services/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEMA_VERSION 1 /* of all tables; stands in the file as user_version */
#define RETRY_MS 10
#define SMALLEST_DATABASE 512 /* of SQLite, a page */

static const char doing[] = "opening";

#define WHAT_TO_DO                                                                                 \
    "stop what uses it and keep a copy; then put a backup in its place, or what `sqlite3 FILE "    \
    ".recover` still finds, or remove it with its -wal and -shm to begin with nothing"

/* One number that a statement gives. */
static int read_number(connection *c, const char *sql, int64_t *out, error *err)
{
    sqlite3_stmt *statement = store_connection_statement(c, sql, err);
    int rc = 0;

    if (!statement)
        return err->code;
    if (sqlite3_step(statement) == SQLITE_ROW)
        *out = sqlite3_column_int64(statement, 0);
    else
        rc = connection_failure(c, doing, err);
    sqlite3_reset(statement);
    return rc;
}

/* Makes the file, so that nobody but its owner can read it: SQLite gives its other files the same
 * mode. One that is there is not opened, as closing it would take SQLite's locks from this process. */
static int make_file(const char *path, error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    else if (errno != EEXIST)
        return error_set(err,
                         errno == ENOENT   ? E_NOT_FOUND
                         : errno == ENOSPC ? E_TOO_LARGE
                                           : E_IO,
                         "%s", strerror(errno));
    return 0;
}

/* What SQLite would take for a new database, and write over it or throw its log away: a file that was cut
 * off within its header, and one that lost all its bytes while there is a log for it. */
static int check_size(const char *path, error *err)
{
    struct stat st, log_st;
    char *log_path = NULL;
    int rc = 0;

    if (asprintf(&log_path, "%s-wal", path) < 0)
        return error_set(err, E_NO_MEMORY, "out of memory for the database");
    if (stat(path, &st) != 0)
        goto done;
    if (st.st_size > 0 && st.st_size < SMALLEST_DATABASE)
        rc = error_set(err, E_INVALID, "is damaged (it is cut off): " WHAT_TO_DO);
    else if (st.st_size == 0 && stat(log_path, &log_st) == 0 && log_st.st_size > 0)
        rc = error_set(err, E_INVALID, "is damaged (it is empty, but %s is not): " WHAT_TO_DO,
                       log_path);
done:
    free(log_path);
    return rc;
}

/* Changing to WAL needs the file alone, which SQLite does not wait for. */
static int use_log(connection *c, error *err)
{
    int waited = 0;
    int rc;

    do {
        error_deinit(err);
        rc = connection_run(c, "PRAGMA journal_mode = WAL", doing, err);
        if (rc == E_BUSY)
            sqlite3_sleep(RETRY_MS);
        waited += RETRY_MS;
    } while (rc == E_BUSY && waited < LIMIT_STORE_WRITER_BUSY_MS);
    return rc;
}

static int configure(connection *c, error *err)
{
    char sql[512];
    int rc;

    /* Small pages, since a group of small writes to keys all over the place writes one page for
     * each. Freed bytes are cleared where that costs nothing. The log may stay somewhat longer than it
     * is when it is folded, so that it is not cut off and made longer again each time. */
    snprintf(sql, sizeof sql,
             "PRAGMA page_size = %d; PRAGMA cell_size_check = ON; PRAGMA synchronous = FULL;"
             "PRAGMA secure_delete = FAST; PRAGMA cache_size = -%d; PRAGMA wal_autocheckpoint = 0;"
             "PRAGMA journal_size_limit = %d",
             LIMIT_STORE_PAGE_BYTES, LIMIT_STORE_WRITER_CACHE_KIB,
             2 * LIMIT_STORE_LOG_PAGES * LIMIT_STORE_PAGE_BYTES);
    rc = connection_run(c, sql, doing, err);
    return rc ? rc : use_log(c, err);
}

/* Sees that the database is one of ours, or makes a new one so; in a transaction. */
static int check_version(connection *c, error *err)
{
    int64_t version = 0, tables = 0;
    char sql[64];
    int rc = read_number(c, "PRAGMA user_version", &version, err);

    if (rc == 0)
        rc = read_number(c, "SELECT count(*) FROM sqlite_schema", &tables, err);
    if (rc || version == SCHEMA_VERSION)
        return rc;
    if (version > SCHEMA_VERSION)
        return error_set(err, E_INVALID,
                         "was written by a newer version of ubiq (schema %lld, this one knows %d): "
                         "use that version",
                         (long long)version, SCHEMA_VERSION);
    if (version != 0 || tables != 0)
        return error_set(err, E_INVALID, "is a database of another program");
    snprintf(sql, sizeof sql, "PRAGMA user_version = %d", SCHEMA_VERSION);
    return connection_run(c, sql, doing, err);
}

static int settle_version(connection *c, error *err)
{
    int rc = connection_run(c, "BEGIN IMMEDIATE", doing, err);

    if (rc == 0)
        rc = check_version(c, err);
    if (rc == 0)
        rc = connection_run(c, "COMMIT", doing, err);
    if (rc && !sqlite3_get_autocommit(c->db))
        sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

/* Reads all of a small database for damage; a large one would take too long, and what is damaged in
 * it is met when it is read. */
static int check_pages(connection *c, error *err)
{
    sqlite3_stmt *statement;
    int64_t pages = 0;
    int rc = read_number(c, "PRAGMA page_count", &pages, err);

    if (rc || pages > (int64_t)LIMIT_STORE_CHECKED_BYTES / LIMIT_STORE_PAGE_BYTES)
        return rc;
    statement = store_connection_statement(c, "PRAGMA quick_check(1)", err);
    if (!statement)
        return err->code;
    if (sqlite3_step(statement) != SQLITE_ROW)
        rc = connection_failure(c, doing, err);
    else if (strcmp((const char *)sqlite3_column_text(statement, 0), "ok") != 0)
        rc = error_set(err, E_INVALID, "is damaged (%s): " WHAT_TO_DO,
                       sqlite3_column_text(statement, 0));
    sqlite3_reset(statement);
    return rc;
}

int store_prepare_file(store *s, error *err)
{
    int code, rc = make_file(s->path, err);

    if (rc == 0)
        rc = check_size(s->path, err);
    if (rc == 0)
        rc = store_connection_open(&s->writer, s, false, err);
    if (rc == 0)
        rc = configure(s->writer, err);
    if (rc == 0)
        rc = settle_version(s->writer, err);
    if (rc == 0)
        rc = check_pages(s->writer, err);
    code = rc && s->writer ? sqlite3_errcode(s->writer->db) & 0xff : SQLITE_OK;
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
        rc = error_set(err, E_INVALID, "%s: " WHAT_TO_DO, error_text(err));
    if (rc)
        error_prefix(err, "%s", s->path);
    return rc;
}
