#include "services/listing.h"

#include "base/json.h"
#include "services/limits.h"

#include <sqlite3.h>
#include <stdlib.h>

typedef struct list_key {
    size_t len;
    uint8_t bytes[LIMIT_LIST_KEY_BYTES + 1];
} list_key;

/* A list between two turns. */
typedef struct listing {
    store *store;
    operation *op;
    const listing_kind *kind;
    bool (*sees)(const void *arg, slice key);
    const void *arg;
    int64_t left; /* items that it may still have */
    bool has_last;
    list_key prefix;
    list_key from; /* where it goes on */
    list_key last; /* the last item */
} listing;

static slice key_slice(const list_key *k)
{
    return slice_of(k->bytes, k->len);
}

static void set_key(list_key *k, slice key)
{
    k->len = key.len;
    if (key.len)
        memcpy(k->bytes, key.data, key.len);
}

static bool starts_with(slice s, slice prefix)
{
    return s.len >= prefix.len && slice_equal(slice_of(s.data, prefix.len), prefix);
}

/* The key that follows `after`, which has a zero byte more; no key is longer than the limit, so what is
 * longer is as good when it is cut. */
static void begin_after(list_key *from, slice after)
{
    if (after.len > LIMIT_LIST_KEY_BYTES)
        after.len = LIMIT_LIST_KEY_BYTES;
    set_key(from, after);
    from->bytes[from->len++] = 0;
}

static bool is_less(slice a, slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.data, b.data, len) : 0;

    return order ? order < 0 : a.len < b.len;
}

static void fail(operation *op, int rc, const char *service)
{
    buf_clear(&op->result);
    if (rc == E_TOO_LARGE)
        operation_fail(op, SERVICE_TOO_LARGE, "%s: the list is larger than %zu bytes", service,
                       op->result.max);
    else
        operation_fail(op, SERVICE_UNAVAILABLE, "%s: out of memory", service);
}

static void end(listing *l, bool has_next)
{
    buf *out = &l->op->result;
    int rc = buf_append_str(out, "],\"next\":");

    if (rc == 0)
        rc = has_next ? json_put_string(out, key_slice(&l->last)) : buf_append_str(out, "null");
    if (rc == 0)
        rc = buf_append_byte(out, '}');
    if (rc)
        fail(l->op, rc, l->kind->service);
}

/* Appends an item, if the end of the list fits behind it. */
static int put_item(listing *l, slice key, sqlite3_stmt *row)
{
    static const size_t escaped = 6; /* bytes that one can become */
    buf *out = &l->op->result;
    size_t before = out->len;
    int rc = l->has_last ? buf_append_byte(out, ',') : 0;

    if (rc == 0)
        rc = l->kind->put(out, key, row);
    if (rc == 0)
        rc = buf_reserve(out, sizeof "],\"next\":\"\"}" + escaped * key.len);
    if (rc) {
        out->len = before;
        return rc;
    }
    l->left--;
    l->has_last = true;
    set_key(&l->last, key);
    return 0;
}

enum turn { TURN_OVER, LIST_DONE };

/* Goes through the rows that `rows` gives. */
static enum turn look_at_rows(listing *l, sqlite3_stmt *rows, int *code)
{
    for (int looked_at = 0; (*code = sqlite3_step(rows)) == SQLITE_ROW; looked_at++) {
        slice key = slice_of(sqlite3_column_blob(rows, 0), (size_t)sqlite3_column_bytes(rows, 0));
        int rc;

        if (!starts_with(key, key_slice(&l->prefix)) || key.len > LIMIT_LIST_KEY_BYTES)
            break;
        if (looked_at == LIMIT_LIST_ROWS) {
            set_key(&l->from, key);
            return TURN_OVER;
        }
        if ((l->kind->is_there && !l->kind->is_there(rows)) || (l->sees && !l->sees(l->arg, key)))
            continue;
        rc = l->left > 0 ? put_item(l, key, rows) : E_TOO_LARGE;
        if (rc) {
            if (rc == E_TOO_LARGE && l->has_last)
                end(l, true);
            else
                fail(l->op, rc, l->kind->service);
            return LIST_DONE;
        }
    }
    end(l, false);
    return LIST_DONE;
}

static enum turn take_turn(listing *l)
{
    error err = {0};
    sqlite3_stmt *rows = store_statement(l->store, l->kind->sql, &err);
    enum turn turn = LIST_DONE;
    int code = SQLITE_ERROR;

    if (rows) {
        sqlite3_bind_blob64(rows, 1, l->from.bytes, l->from.len, SQLITE_STATIC);
        turn = look_at_rows(l, rows, &code);
        if (code != SQLITE_ROW && code != SQLITE_DONE)
            store_failure(l->store, l->kind->service, &err);
        store_reset(rows);
    }
    if (err.code) {
        buf_clear(&l->op->result);
        operation_unavailable(l->op, &err);
        error_deinit(&err);
    }
    return turn;
}

static void go_on(mail *m)
{
    operation *op = (operation *)(void *)((char *)m - offsetof(operation, mail));
    listing *l = (listing *)(void *)op->copied;

    if (!op->abandoned && take_turn(l) == TURN_OVER)
        mailbox_post(op->home, &op->mail);
    else
        op->done(op);
}

/* The list goes on later, so what it needs must be kept. */
static bool put_off(const listing *l)
{
    listing *kept = malloc(sizeof *kept);

    if (!kept) {
        fail(l->op, E_NO_MEMORY, l->kind->service);
        return true;
    }
    *kept = *l;
    l->op->copied = (uint8_t *)kept;
    l->op->mail.open = go_on;
    mailbox_post(l->op->home, &l->op->mail);
    return false;
}

bool listing_submit(store *s, operation *op, const listing_kind *kind, const listing_request *r)
{
    listing l;
    int rc;

    if (r->limit < 1)
        return operation_fail(op, SERVICE_INVALID, "%s: the limit of a list is at least 1",
                              kind->service);
    if (r->prefix.len > LIMIT_LIST_KEY_BYTES)
        return operation_fail(op, SERVICE_INVALID, "%s: the prefix is longer than %d bytes",
                              kind->service, LIMIT_LIST_KEY_BYTES);
    l.store = s;
    l.op = op;
    l.kind = kind;
    l.sees = r->sees;
    l.arg = r->arg;
    l.left = r->limit < LIMIT_LIST ? r->limit : LIMIT_LIST;
    l.has_last = false;
    set_key(&l.prefix, r->prefix);
    set_key(&l.from, r->prefix);
    if (r->after.len && !is_less(r->after, r->prefix))
        begin_after(&l.from, r->after);
    rc = buf_printf(&op->result, "{\"%s\":[", kind->name);
    if (rc) {
        fail(op, rc, kind->service);
        return true;
    }
    return take_turn(&l) == TURN_OVER ? put_off(&l) : true;
}
