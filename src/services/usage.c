#include "services/usage.h"

#include <sqlite3.h>

static void begin(store_part *p)
{
    usage *u = (usage *)p;

    u->loaded = false;
    u->changed = false;
}

static int commit(store_part *p, store *s, error *err)
{
    usage *u = (usage *)p;
    sqlite3_stmt *statement;
    int rc = 0;

    if (!u->changed)
        return 0;
    statement =
        store_statement(s, "REPLACE INTO usage(service, bytes, items) VALUES(?1, ?2, ?3)", err);
    if (!statement)
        return err->code;
    sqlite3_bind_text(statement, 1, u->service, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, (int64_t)u->bytes);
    sqlite3_bind_int64(statement, 3, (int64_t)u->items);
    if (sqlite3_step(statement) != SQLITE_DONE)
        rc = store_failure(s, u->service, err);
    store_reset(statement);
    return rc;
}

int usage_init(usage *u, store *s, const char *service, error *err)
{
    int rc = store_define(s,
                          "CREATE TABLE IF NOT EXISTS usage(service TEXT PRIMARY KEY, "
                          "bytes INTEGER NOT NULL, items INTEGER NOT NULL) WITHOUT ROWID, STRICT",
                          err);

    if (rc)
        return rc;
    *u = (usage){.part = {.begin = begin, .commit = commit}, .service = service};
    store_attach(s, &u->part);
    return 0;
}

int usage_load(usage *u, store *s, error *err)
{
    sqlite3_stmt *statement;
    int rc = 0;

    if (u->loaded)
        return 0;
    statement = store_statement(s, "SELECT bytes, items FROM usage WHERE service = ?1", err);
    if (!statement)
        return err->code;
    sqlite3_bind_text(statement, 1, u->service, -1, SQLITE_STATIC);
    u->bytes = u->items = 0;
    switch (sqlite3_step(statement)) {
    case SQLITE_ROW:
        u->bytes = (uint64_t)sqlite3_column_int64(statement, 0);
        u->items = (uint64_t)sqlite3_column_int64(statement, 1);
        break;
    case SQLITE_DONE:
        break;
    default:
        rc = store_failure(s, u->service, err);
    }
    store_reset(statement);
    u->loaded = rc == 0;
    return rc;
}

/* A damaged count must not wrap around. */
static uint64_t less(uint64_t n, uint64_t by)
{
    return n > by ? n - by : 0;
}

void usage_change(usage *u, uint64_t bytes_more, uint64_t bytes_less, uint64_t items_more,
                  uint64_t items_less)
{
    uint64_t bytes = u->bytes, items = u->items;

    u->bytes = less(bytes + bytes_more, bytes_less);
    u->items = less(items + items_more, items_less);
    if (u->bytes != bytes || u->items != items)
        u->changed = true;
}
