#include "services/kv_sqlite.h"

#include "base/clock.h"
#include "base/json.h"
#include "services/limits.h"
#include "services/listing.h"

#include <sqlite3.h>
#include <stdlib.h>

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS kv(key BLOB PRIMARY KEY, value BLOB NOT NULL, expires INTEGER) "
    "WITHOUT ROWID, STRICT;"
    "CREATE INDEX IF NOT EXISTS kv_expires ON kv(expires) WHERE expires IS NOT NULL";

/* Whether the time of a row, whose second column says when it ends, is not over. */
static bool is_there(sqlite3_stmt *row)
{
    return sqlite3_column_type(row, 1) == SQLITE_NULL ||
           sqlite3_column_int64(row, 1) > clock_wall_ms();
}

static bool not_found(kv_operation *o)
{
    return operation_fail(&o->op, SERVICE_NOT_FOUND, "kv: there is no key \"%.*s\"",
                          (int)o->key.len, (const char *)o->key.data);
}

static bool give_value(kv_operation *o, sqlite3_stmt *row)
{
    const void *value = sqlite3_column_blob(row, 0);
    size_t len = (size_t)sqlite3_column_bytes(row, 0);

    switch (len && !value ? E_NO_MEMORY : buf_append(&o->op.result, value, len)) {
    case 0:
        return true;
    case E_TOO_LARGE:
        return operation_fail(&o->op, SERVICE_TOO_LARGE,
                              "kv: a value of %zu bytes; at most %zu can be taken", len,
                              o->op.result.max);
    default:
        return operation_fail(&o->op, SERVICE_UNAVAILABLE, "kv: out of memory");
    }
}

static bool get(kv *k, kv_operation *o)
{
    store *s = ((kv_sqlite *)k)->store;
    error err = {0};
    sqlite3_stmt *row = store_statement(s, "SELECT value, expires FROM kv WHERE key = ?1", &err);

    if (!row)
        goto done;
    sqlite3_bind_blob64(row, 1, o->key.data, o->key.len, SQLITE_STATIC);
    switch (sqlite3_step(row)) {
    case SQLITE_ROW:
        if (is_there(row))
            give_value(o, row);
        else
            not_found(o);
        break;
    case SQLITE_DONE:
        not_found(o);
        break;
    default:
        store_failure(s, "kv", &err);
    }
    store_reset(row);
done:
    if (err.code) {
        operation_unavailable(&o->op, &err);
        error_deinit(&err);
    }
    return true;
}

static int put_key(buf *out, slice key, sqlite3_stmt *row)
{
    (void)row;
    return json_put_string(out, key);
}

static bool list(kv *k, kv_operation *o)
{
    static const listing_kind keys = {
        .service = "kv",
        .name = "keys",
        .sql = "SELECT key, expires FROM kv WHERE key >= ?1 ORDER BY key",
        .is_there = is_there,
        .put = put_key,
    };
    const listing_request request = {
        .prefix = o->key,
        .after = o->after,
        .limit = o->limit,
        .sees = o->sees,
        .arg = o->arg,
    };

    return listing_submit(((kv_sqlite *)k)->store, &o->op, &keys, &request);
}

static void destroy(kv *k)
{
    kv_sqlite *q = (kv_sqlite *)k;

    store_detach(q->store, &q->usage.part);
    free(q);
}

int kv_create(kv **out, store *s, const kv_limits *limits, error *err)
{
    static const kv_backend backend = {
        .get = get,
        .list = list,
        .write = kv_sqlite_write,
        .destroy = destroy,
    };
    kv_sqlite *q;
    int rc;

    *out = NULL;
    if (limits->key_bytes > LIMIT_LIST_KEY_BYTES)
        return error_set(err, E_INVALID, "keys of %zu bytes; at most %d are possible",
                         limits->key_bytes, LIMIT_LIST_KEY_BYTES);
    rc = store_define(s, schema, err);
    if (rc == 0)
        rc = store_define_function(s, "kv_replaced", 3, kv_sqlite_replaced, err);
    if (rc)
        return rc;
    q = calloc(1, sizeof *q);
    if (!q)
        return error_set(err, E_NO_MEMORY, "out of memory for keys and values");
    q->kv.backend = &backend;
    q->kv.limits = *limits;
    q->store = s;
    rc = usage_init(&q->usage, s, "kv", err);
    if (rc) {
        free(q);
        return rc;
    }
    *out = &q->kv;
    return 0;
}
