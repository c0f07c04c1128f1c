#include "store_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <sqlite3.h>

static const char table[] = "CREATE TABLE IF NOT EXISTS t(n INTEGER PRIMARY KEY, v BLOB) STRICT";

static int apply(store_write *w, store *s, error *err)
{
    test_write *t = (test_write *)w;
    sqlite3_stmt *statement;
    int rc = 0;

    t->applied++;
    if (t->begun)
        sem_post(t->begun);
    if (t->wait_for) {
        pthread_mutex_lock(t->wait_for);
        pthread_mutex_unlock(t->wait_for);
    }
    statement = store_statement(s,
                                t->fails ? "INSERT INTO t(n) VALUES('no number', ?1, ?2)"
                                         : "INSERT INTO t(n, v) VALUES(?1, zeroblob(?2))",
                                err);
    if (!statement)
        return err->code;
    sqlite3_bind_int64(statement, 1, t->n);
    sqlite3_bind_int64(statement, 2, (int64_t)t->bytes);
    if (sqlite3_step(statement) != SQLITE_DONE)
        rc = store_failure(s, "inserting", err);
    store_reset(statement);
    return rc;
}

static void done(store_write *w, const error *err)
{
    test_write *t = (test_write *)w;

    t->code = err ? err->code : 0;
    snprintf(t->text, sizeof t->text, "%s", err ? error_text(err) : "");
    sem_post(t->done);
}

test_write row(int64_t n, sem_t *done_sem)
{
    return (test_write){.write = {.apply = apply, .done = done}, .n = n, .done = done_sem};
}

store *open_store(const char *path)
{
    error err = {0};
    store *s;

    if (store_open(&s, path, &err) != 0 || store_define(s, table, &err) != 0)
        fail_msg("%s", error_text(&err));
    return s;
}

int write_row(store *s, int64_t n, size_t bytes, error *err)
{
    test_write w = row(n, NULL);

    w.bytes = bytes;
    return store_write_now(s, &w.write, err);
}

int64_t read_number(store *s, const char *sql, error *err)
{
    sqlite3_stmt *statement = store_statement(s, sql, err);
    int64_t n = -1;

    if (!statement)
        return -1;
    if (sqlite3_step(statement) == SQLITE_ROW)
        n = sqlite3_column_int64(statement, 0);
    else
        store_failure(s, "reading", err);
    store_reset(statement);
    return n;
}

int64_t count_rows(store *s)
{
    error err = {0};
    int64_t n = read_number(s, "SELECT count(*) FROM t", &err);

    if (err.code)
        fail_msg("%s", error_text(&err));
    return n;
}
