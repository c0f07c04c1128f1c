#include "services/events_statement.h"

sqlite3_stmt *events_statement(store *s, const char *sql, const int64_t *numbers, size_t count,
                               error *err)
{
    sqlite3_stmt *statement = store_statement(s, sql, err);

    for (size_t i = 0; statement && i < count; i++)
        sqlite3_bind_int64(statement, (int)i + 1, numbers[i]);
    return statement;
}

void events_bind_text(sqlite3_stmt *statement, int at, slice text)
{
    sqlite3_bind_text64(statement, at, text.len ? (const char *)text.data : "", text.len,
                        SQLITE_STATIC, SQLITE_UTF8);
}

int events_row(store *s, sqlite3_stmt *statement, error *err)
{
    switch (sqlite3_step(statement)) {
    case SQLITE_ROW:
        return 1;
    case SQLITE_DONE:
        return 0;
    default:
        return store_failure(s, "events", err);
    }
}

int events_step(store *s, sqlite3_stmt *statement, error *err)
{
    int rc = events_row(s, statement, err);

    store_reset(statement);
    return rc < 0 ? rc : 0;
}

int events_run(store *s, const char *sql, const int64_t *numbers, size_t count, error *err)
{
    sqlite3_stmt *statement = events_statement(s, sql, numbers, count, err);

    return statement ? events_step(s, statement, err) : err->code;
}

int events_numbers(store *s, const char *sql, const int64_t *numbers, size_t count, int64_t *out,
                   int columns, error *err)
{
    sqlite3_stmt *statement = events_statement(s, sql, numbers, count, err);
    int rc;

    if (!statement)
        return err->code;
    rc = events_row(s, statement, err);
    for (int i = 0; rc > 0 && i < columns; i++)
        if (sqlite3_column_type(statement, i) != SQLITE_NULL)
            out[i] = sqlite3_column_int64(statement, i);
    store_reset(statement);
    return rc;
}
