#include "services/kv_sqlite.h"

#include "base/clock.h"
#include "services/limits.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>

static const char service[] = "kv";

/* A write on its way, with copies of what the operation borrows. */
typedef struct kv_write {
    store_write write;
    kv_sqlite *kv;
    kv_operation *operation;
    int64_t now; /* of this time that it is applied */
    slice key;
    slice value;
    slice expected;
    uint8_t bytes[];
} kv_write;

/* What stands under a key. */
typedef struct row {
    sqlite3_stmt *statement; /* at the row; to be reset */
    bool is_there;
    size_t size;     /* of the value */
    int64_t expires; /* 0: never */
} row;

/* What a statement that sets a key has replaced. */
typedef struct replaced {
    bool is_there;
    uint64_t size; /* of the value */
} replaced;

static const char replaced_pointer[] = "kv_replaced";

void kv_sqlite_replaced(sqlite3_context *context, int count, sqlite3_value **arguments)
{
    replaced *old = sqlite3_value_pointer(arguments[0], replaced_pointer);

    (void)count;
    if (old)
        *old = (replaced){true, (uint64_t)sqlite3_value_int64(arguments[1])};
    sqlite3_result_value(context, arguments[2]);
}

static void bind_blob(sqlite3_stmt *statement, int n, slice s)
{
    sqlite3_bind_blob64(statement, n, s.len ? (const void *)s.data : "", s.len, SQLITE_STATIC);
}

static void bind_expires(sqlite3_stmt *statement, int n, int64_t expires)
{
    if (expires)
        sqlite3_bind_int64(statement, n, expires);
}

/* Runs a statement that gives no rows. */
static int run(store *s, sqlite3_stmt *statement, error *err)
{
    int rc = sqlite3_step(statement) == SQLITE_DONE ? 0 : store_failure(s, service, err);

    store_reset(statement);
    return rc;
}

static int remove_key(kv_write *w, store *s, size_t size, error *err)
{
    sqlite3_stmt *statement = store_statement(s, "DELETE FROM kv WHERE key = ?1", err);

    if (!statement)
        return err->code;
    bind_blob(statement, 1, w->key);
    usage_change(&w->kv->usage, 0, w->key.len + size, 0, 1);
    return run(s, statement, err);
}

/* Finds the key, with its value in column 0 or, which is less work, with its length. One whose time is
 * over is taken away. */
static int find(kv_write *w, store *s, bool with_value, row *r, error *err)
{
    sqlite3_stmt *statement =
        store_statement(s,
                        with_value ? "SELECT value, expires FROM kv WHERE key = ?1"
                                   : "SELECT length(value), expires FROM kv WHERE key = ?1",
                        err);
    int code;

    *r = (row){.statement = statement};
    if (!statement)
        return err->code;
    bind_blob(statement, 1, w->key);
    code = sqlite3_step(statement);
    if (code == SQLITE_DONE)
        return 0;
    if (code != SQLITE_ROW)
        return store_failure(s, service, err);
    r->size = with_value ? (size_t)sqlite3_column_bytes(statement, 0)
                         : (size_t)sqlite3_column_int64(statement, 0);
    r->expires = sqlite3_column_int64(statement, 1);
    r->is_there = r->expires == 0 || r->expires > w->now;
    if (r->is_there)
        return 0;
    store_reset(statement);
    return remove_key(w, s, r->size, err);
}

/* Removes some of the keys whose time is over; how many in `count`. */
static int purge(kv_write *w, store *s, uint64_t *count, error *err)
{
    sqlite3_stmt *rows = store_statement(
        s,
        "DELETE FROM kv WHERE key IN (SELECT key FROM kv WHERE expires <= ?1 ORDER BY expires "
        "LIMIT ?2) RETURNING length(key) + length(value)",
        err);
    int code, rc = 0;

    *count = 0;
    if (!rows)
        return err->code;
    sqlite3_bind_int64(rows, 1, w->now);
    sqlite3_bind_int64(rows, 2, LIMIT_KV_PURGE_ROWS);
    while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
        usage_change(&w->kv->usage, 0, (uint64_t)sqlite3_column_int64(rows, 0), 0, 1);
        ++*count;
    }
    if (code != SQLITE_DONE)
        rc = store_failure(s, service, err);
    store_reset(rows);
    return rc;
}

/* Now and then, and again at once while there are many. */
static int purge_sometimes(kv_write *w, store *s, error *err)
{
    uint64_t count;
    int rc;

    if (w->now < w->kv->purge_at && w->kv->purge_at - w->now <= LIMIT_KV_PURGE_MS)
        return 0;
    rc = purge(w, s, &count, err);
    w->kv->purge_at = count == LIMIT_KV_PURGE_ROWS ? w->now : w->now + LIMIT_KV_PURGE_MS;
    return rc;
}

static bool has_room(const kv_write *w, uint64_t bytes, uint64_t items)
{
    const kv_limits *limits = &w->kv->kv.limits;
    const usage *u = &w->kv->usage;

    return u->bytes + bytes <= limits->total_bytes && u->items + items <= limits->keys;
}

/* Whether `bytes` and `items` more fit into the quota. Keys whose time is over do not count. */
static int make_room(kv_write *w, store *s, uint64_t bytes, uint64_t items, bool *fits, error *err)
{
    uint64_t count;
    int rc;

    for (;;) {
        *fits = has_room(w, bytes, items);
        if (*fits)
            return 0;
        rc = purge(w, s, &count, err);
        if (rc || count == 0)
            return rc;
    }
}

static bool over_quota(kv_write *w)
{
    const kv_limits *limits = &w->kv->kv.limits;

    return operation_fail(&w->operation->op, SERVICE_OVER_QUOTA,
                          "kv: the project may have %" PRIu64 " keys and %" PRIu64
                          " bytes, and has %" PRIu64 " keys and %" PRIu64 " bytes",
                          limits->keys, limits->total_bytes, w->kv->usage.items,
                          w->kv->usage.bytes);
}

/* Sets the key, and counts what that changes: SQLite calls kv_replaced with what it replaces, if there is
 * something, which is less work than to ask for it before. */
static int put(kv_write *w, store *s, slice value, int64_t expires, error *err)
{
    replaced old = {0};
    sqlite3_stmt *statement = store_statement(
        s,
        "INSERT INTO kv(key, value, expires) VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET "
        "expires = kv_replaced(?4, length(value), excluded.expires), value = excluded.value",
        err);
    int rc;

    if (!statement)
        return err->code;
    bind_blob(statement, 1, w->key);
    bind_blob(statement, 2, value);
    bind_expires(statement, 3, expires);
    sqlite3_bind_pointer(statement, 4, &old, replaced_pointer, NULL);
    rc = run(s, statement, err);
    if (old.is_there)
        usage_change(&w->kv->usage, value.len, old.size, 0, 0);
    else
        usage_change(&w->kv->usage, w->key.len + value.len, 0, 1, 0);
    return rc;
}

/* Sets the key, of which `r` says what stands there, if the quota has room. */
static int put_if_it_fits(kv_write *w, store *s, const row *r, slice value, int64_t expires,
                          error *err)
{
    uint64_t more = r->is_there ? value.len : w->key.len + value.len;
    uint64_t less = r->is_there ? r->size : 0;
    bool fits = true;
    int rc = 0;

    /* What becomes smaller is always fine, also when the quota has. */
    if (!r->is_there || more > less)
        rc = make_room(w, s, more - less, r->is_there ? 0 : 1, &fits, err);
    if (rc)
        return rc;
    if (fits)
        return put(w, s, value, expires, err);
    over_quota(w);
    return 0;
}

/* When a key that is set now ends; a time that cannot be reached is none. */
static int64_t end_of(const kv_write *w)
{
    int64_t end;

    if (w->operation->ttl_ms == 0 || __builtin_add_overflow(w->now, w->operation->ttl_ms, &end))
        return 0;
    return end;
}

static int set(kv_write *w, store *s, error *err)
{
    operation *op = &w->operation->op;
    row r;
    bool only_new = w->operation->verb == KV_SET_IF_ABSENT;
    int rc;

    /* Where there is room for a new key, what stands there need not be known before. */
    if (!only_new && has_room(w, w->key.len + w->value.len, 1))
        return put(w, s, w->value, end_of(w), err);
    rc = find(w, s, false, &r, err);
    store_reset(r.statement);
    if (rc || (only_new && r.is_there))
        return rc;
    rc = put_if_it_fits(w, s, &r, w->value, end_of(w), err);
    op->number = only_new && op->code == SERVICE_OK;
    return rc;
}

static int compare_and_set(kv_write *w, store *s, error *err)
{
    operation *op = &w->operation->op;
    bool same;
    row r;
    int rc = find(w, s, true, &r, err);

    same = rc == 0 && r.is_there &&
           slice_equal(slice_of(sqlite3_column_blob(r.statement, 0), r.size), w->expected);
    store_reset(r.statement);
    if (!same)
        return rc;
    rc = put_if_it_fits(w, s, &r, w->value, end_of(w), err);
    op->number = op->code == SERVICE_OK;
    return rc;
}

/* Reads a decimal number, "-12", that fits. */
static bool read_decimal(slice text, int64_t *out)
{
    bool negative = text.len > 0 && text.data[0] == '-';
    int64_t n = 0;

    if (text.len == (negative ? 1 : 0))
        return false;
    for (size_t i = negative; i < text.len; i++) {
        int digit = text.data[i] - '0';

        if (digit < 0 || digit > 9 || __builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, negative ? -digit : digit, &n))
            return false;
    }
    *out = n;
    return true;
}

static int increment(kv_write *w, store *s, error *err)
{
    operation *op = &w->operation->op;
    int64_t n = 0;
    bool is_number;
    row r;
    int rc = find(w, s, true, &r, err);

    is_number = rc || !r.is_there ||
                read_decimal(slice_of(sqlite3_column_blob(r.statement, 0), r.size), &n);
    store_reset(r.statement);
    if (rc)
        return rc;
    if (!is_number || __builtin_add_overflow(n, w->operation->delta, &n)) {
        operation_fail(op, SERVICE_CONFLICT,
                       is_number ? "kv: the sum does not fit into 64 bits"
                                 : "kv: the value is no decimal number of 64 bits");
        return 0;
    }
    if (buf_printf(&op->result, "%" PRId64, n)) {
        operation_fail(op, SERVICE_TOO_LARGE, "kv: the number cannot be taken");
        return 0;
    }
    return put_if_it_fits(w, s, &r, buf_slice(&op->result), r.is_there ? r.expires : 0, err);
}

static int delete_key(kv_write *w, store *s, error *err)
{
    row r;
    int rc = find(w, s, false, &r, err);

    store_reset(r.statement);
    if (rc || !r.is_there)
        return rc;
    w->operation->op.number = 1;
    return remove_key(w, s, r.size, err);
}

static int apply(store_write *write, store *s, error *err)
{
    kv_write *w = (kv_write *)write;
    int rc;

    operation_restart(&w->operation->op);
    w->now = clock_wall_ms();
    rc = usage_load(&w->kv->usage, s, err);
    if (rc == 0)
        rc = purge_sometimes(w, s, err);
    if (rc)
        return rc;
    switch (w->operation->verb) {
    case KV_COMPARE_AND_SET:
        return compare_and_set(w, s, err);
    case KV_INCREMENT:
        return increment(w, s, err);
    case KV_DELETE:
        return delete_key(w, s, err);
    default:
        return set(w, s, err);
    }
}

static void done(store_write *write, const error *err)
{
    operation *op = &((kv_write *)write)->operation->op;

    if (err) {
        operation_restart(op);
        operation_unavailable(op, err);
    } else if (op->code != SERVICE_OK) {
        buf_clear(&op->result);
    }
    operation_finish(op);
}

/* Copies `s` behind what was copied before. */
static slice keep(uint8_t **to, slice s)
{
    slice kept = slice_of(*to, s.len);

    if (s.len)
        memcpy(*to, s.data, s.len);
    *to += s.len;
    return kept;
}

bool kv_sqlite_write(kv *k, kv_operation *o)
{
    size_t bytes = o->key.len + o->value.len + o->expected.len;
    kv_write *w = malloc(sizeof *w + bytes);
    uint8_t *to;

    if (!w)
        return operation_fail(&o->op, SERVICE_UNAVAILABLE, "kv: out of memory");
    to = w->bytes;
    w->write = (store_write){.apply = apply, .done = done, .bytes = bytes};
    w->kv = (kv_sqlite *)k;
    w->operation = o;
    w->key = keep(&to, o->key);
    w->value = keep(&to, o->value);
    w->expected = keep(&to, o->expected);
    o->op.copied = (uint8_t *)w;
    if (!store_try_submit(w->kv->store, &w->write))
        return operation_fail(&o->op, SERVICE_BUSY,
                              "kv: too much waits to be written to the disk: try again later");
    return false;
}
