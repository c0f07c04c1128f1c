#include "services/storage_internal.h"

#include "base/clock.h"

#include <inttypes.h>
#include <sqlite3.h>

static const char service[] = "storage";

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS storage_file(path BLOB PRIMARY KEY, number INTEGER NOT NULL "
    "UNIQUE, "
    "size INTEGER NOT NULL, modified INTEGER NOT NULL) WITHOUT ROWID, STRICT;"
    "CREATE TABLE IF NOT EXISTS storage_garbage(number INTEGER PRIMARY KEY) STRICT";

int storage_rows_define(storage *s, error *err)
{
    return store_define(s->store, schema, err);
}

static void bind_path(sqlite3_stmt *statement, slice path)
{
    sqlite3_bind_blob64(statement, 1, path.data, path.len, SQLITE_STATIC);
}

/* Runs a statement that gives no rows. */
static int run(storage *s, sqlite3_stmt *statement, error *err)
{
    int rc = sqlite3_step(statement) == SQLITE_DONE ? 0 : store_failure(s->store, service, err);

    store_reset(statement);
    return rc;
}

/* Runs a statement with one number. */
static int run_with(storage *s, const char *sql, uint64_t number, error *err)
{
    sqlite3_stmt *statement = store_statement(s->store, sql, err);

    if (!statement)
        return err->code;
    sqlite3_bind_int64(statement, 1, (int64_t)number);
    return run(s, statement, err);
}

int storage_rows_find(storage *s, slice path, storage_row *out, error *err)
{
    sqlite3_stmt *statement = store_statement(
        s->store, "SELECT number, size, modified FROM storage_file WHERE path = ?1", err);
    int rc = 0;

    *out = (storage_row){0};
    if (!statement)
        return err->code;
    bind_path(statement, path);
    switch (sqlite3_step(statement)) {
    case SQLITE_ROW:
        out->is_there = true;
        out->number = (uint64_t)sqlite3_column_int64(statement, 0);
        out->size = (uint64_t)sqlite3_column_int64(statement, 1);
        out->modified = sqlite3_column_int64(statement, 2);
        break;
    case SQLITE_DONE:
        break;
    default:
        rc = store_failure(s->store, service, err);
    }
    store_reset(statement);
    return rc;
}

/* Begins to apply a job; what its path names now in `row`. */
static int begin(storage_job *j, storage_row *row, error *err)
{
    int rc;

    operation_restart(&j->operation->op);
    j->has_old = false;
    rc = usage_load(&j->storage->usage, j->storage->store, err);
    return rc ? rc : storage_rows_find(j->storage, j->path, row, err);
}

/* The content that the path has named so far is to be removed. */
static int leave_old(storage_job *j, const storage_row *row, error *err)
{
    j->has_old = true;
    j->old = row->number;
    return run_with(j->storage, "INSERT INTO storage_garbage(number) VALUES(?1)", row->number, err);
}

static bool fits(const storage_job *j, const storage_row *row)
{
    const storage_limits *limits = &j->storage->limits;
    const usage *u = &j->storage->usage;
    uint64_t others = u->bytes > row->size ? u->bytes - row->size : 0;

    /* What becomes smaller is always fine, also when the quota has. */
    if (row->is_there && j->size <= row->size)
        return true;
    return others + j->size <= limits->total_bytes && (row->is_there || u->items < limits->files);
}

static int put_row(storage_job *j, error *err)
{
    sqlite3_stmt *statement = store_statement(
        j->storage->store,
        "INSERT INTO storage_file(path, number, size, modified) VALUES(?1, ?2, ?3, ?4) ON "
        "CONFLICT(path) DO UPDATE SET number = excluded.number, size = excluded.size, "
        "modified = excluded.modified",
        err);

    if (!statement)
        return err->code;
    bind_path(statement, j->path);
    sqlite3_bind_int64(statement, 2, (int64_t)j->number);
    sqlite3_bind_int64(statement, 3, (int64_t)j->size);
    sqlite3_bind_int64(statement, 4, clock_wall_ms());
    return run(j->storage, statement, err);
}

static storage_job *job_of(store_write *w)
{
    return (storage_job *)(void *)((char *)w - offsetof(storage_job, write));
}

int storage_rows_apply_write(store_write *w, store *s, error *err)
{
    storage_job *j = job_of(w);
    const storage_limits *limits = &j->storage->limits;
    storage_row row;
    int rc = begin(j, &row, err);

    (void)s;
    if (rc)
        return rc;
    if (!fits(j, &row)) {
        operation_fail(&j->operation->op, SERVICE_OVER_QUOTA,
                       "storage: the project may have %" PRIu64 " files and %" PRIu64
                       " bytes, and has %" PRIu64 " files and %" PRIu64 " bytes",
                       limits->files, limits->total_bytes, j->storage->usage.items,
                       j->storage->usage.bytes);
        return 0;
    }
    usage_change(&j->storage->usage, j->size, row.size, row.is_there ? 0 : 1, 0);
    rc = put_row(j, err);
    return rc || !row.is_there ? rc : leave_old(j, &row, err);
}

int storage_rows_apply_delete(store_write *w, store *s, error *err)
{
    storage_job *j = job_of(w);
    sqlite3_stmt *statement;
    storage_row row;
    int rc = begin(j, &row, err);

    if (rc || !row.is_there)
        return rc;
    statement = store_statement(s, "DELETE FROM storage_file WHERE path = ?1", err);
    if (!statement)
        return err->code;
    bind_path(statement, j->path);
    rc = run(j->storage, statement, err);
    if (rc)
        return rc;
    usage_change(&j->storage->usage, 0, row.size, 0, 1);
    j->operation->op.number = 1;
    return leave_old(j, &row, err);
}

int storage_rows_apply_removed(store_write *w, store *s, error *err)
{
    storage_job *j = job_of(w);

    (void)s;
    return run_with(j->storage, "DELETE FROM storage_garbage WHERE number = ?1", j->old, err);
}

/* A content that was written, and may have become a file or not. */
static int recover_new(void *arg, uint64_t number, error *err)
{
    storage *s = arg;
    sqlite3_stmt *statement =
        store_statement(s->store, "SELECT 1 FROM storage_file WHERE number = ?1", err);
    int code, rc = 0;

    if (!statement)
        return err->code;
    sqlite3_bind_int64(statement, 1, (int64_t)number);
    code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        storage_files_settle(&s->files, number);
    else if (code == SQLITE_DONE)
        storage_files_remove(&s->files, number);
    else
        rc = store_failure(s->store, service, err);
    store_reset(statement);
    return rc;
}

int storage_rows_recover(storage *s, error *err)
{
    sqlite3_stmt *statement;
    bool any = false;
    int code, rc = storage_files_each_new(&s->files, recover_new, s, err);

    if (rc)
        return rc;
    statement = store_statement(s->store, "SELECT number FROM storage_garbage", err);
    if (!statement)
        return err->code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        storage_files_remove(&s->files, (uint64_t)sqlite3_column_int64(statement, 0));
        any = true;
    }
    if (code != SQLITE_DONE)
        rc = store_failure(s->store, service, err);
    store_reset(statement);
    if (rc == 0 && any)
        rc = store_define(s->store, "DELETE FROM storage_garbage", err);
    return rc;
}
