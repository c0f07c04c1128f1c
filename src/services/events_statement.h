#ifndef UBIQ_SERVICES_EVENTS_STATEMENT_H
#define UBIQ_SERVICES_EVENTS_STATEMENT_H

#include "base/slice.h"
#include "services/store.h"

#include <sqlite3.h>
#include <stdint.h>

/* Shorthands for the statements of events. The text `sql` is static, and has ?1, ?2, ... for numbers. */

/* A statement with numbers bound. As store_statement. */
sqlite3_stmt *events_statement(store *s, const char *sql, const int64_t *numbers, size_t count,
                               error *err);

/* Binds bytes as text, which must stay until the statement is reset. */
void events_bind_text(sqlite3_stmt *statement, int at, slice text);

/* Runs a statement that gives no rows, and ends its use. */
int events_step(store *s, sqlite3_stmt *statement, error *err) MUST_CHECK;

/* Both: runs `sql` with numbers. */
int events_run(store *s, const char *sql, const int64_t *numbers, size_t count,
               error *err) MUST_CHECK;

/* Gets a row of a statement: 1 for a row, 0 when there is none any more. */
int events_row(store *s, sqlite3_stmt *statement, error *err) MUST_CHECK;

/* Gets the numbers in the first row that `sql` gives, as many as `columns`: 1, or 0 when it gives none.
 * NULL is left as it is. */
int events_numbers(store *s, const char *sql, const int64_t *numbers, size_t count, int64_t *out,
                   int columns, error *err) MUST_CHECK;

#endif
