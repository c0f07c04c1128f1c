#include "services/events_admin.h"

#include "base/calendar.h"
#include "base/clock.h"
#include "base/json.h"
#include "services/events_queue.h"
#include "services/events_statement.h"
#include "services/limits.h"

#define CHANGED_AT_ONCE 500 /* in one write, so that others are not kept waiting long */

int events_admin_prepare(store *s, error *err)
{
    return events_queue_define(s, err);
}

static int put_text(buf *out, const char *name, sqlite3_stmt *row, int i)
{
    const void *text = sqlite3_column_text(row, i);
    int rc = buf_printf(out, "\"%s\":", name);

    if (rc)
        return rc;
    if (!text)
        return buf_append_str(out, "null");
    return json_put_bytes(out, slice_of(text, (size_t)sqlite3_column_bytes(row, i)));
}

static int put_time(buf *out, const char *name, sqlite3_stmt *row, int i)
{
    char time[CALENDAR_TIME_BYTES];

    if (sqlite3_column_type(row, i) == SQLITE_NULL)
        return buf_printf(out, "\"%s\":null", name);
    calendar_put_time(sqlite3_column_int64(row, i), time);
    return buf_printf(out, "\"%s\":\"%s\"", name, time);
}

/* Appends the columns of a page's row. */
static int put_item(buf *out, sqlite3_stmt *row)
{
    static const char *const states[] = {"waiting", "due", "running", "dead"};
    int64_t state = sqlite3_column_int64(row, 6);
    int rc = buf_printf(out, "{\"number\":%lld,", (long long)sqlite3_column_int64(row, 0));

    rc = rc ? rc : put_text(out, "id", row, 1);
    rc = rc ? rc : buf_append_byte(out, ',');
    rc = rc ? rc : put_text(out, "topic", row, 2);
    rc = rc ? rc : buf_append_byte(out, ',');
    rc = rc ? rc : put_text(out, "function", row, 3);
    rc = rc ? rc : buf_append_byte(out, ',');
    rc = rc ? rc : put_time(out, "time", row, 4);
    rc = rc ? rc
            : buf_printf(out, ",\"attempts\":%lld,\"state\":\"%s\",",
                         (long long)sqlite3_column_int64(row, 5),
                         states[state >= 0 && state < 3 ? state : 3]);
    rc = rc ? rc : put_time(out, "due", row, 7);
    rc = rc ? rc : buf_append_byte(out, ',');
    rc = rc ? rc : put_time(out, "failed", row, 8);
    rc = rc ? rc : buf_append_byte(out, ',');
    rc = rc ? rc : put_text(out, "problem", row, 9);
    return rc ? rc : buf_append_byte(out, '}');
}

#define PAGE(condition)                                                                            \
    "SELECT d.number, e.id, e.topic, d.function, e.time, d.attempts, d.state, d.due, d.failed,"    \
    " d.problem FROM event_delivery AS d JOIN event AS e ON e.number = d.event"                    \
    " WHERE d.number > ?1 AND " condition " ORDER BY d.number LIMIT ?2"

static const char pending_page[] = PAGE("d.state < 3");
static const char dead_page[] = PAGE("d.state = 3");

static int put_items(store *s, sqlite3_stmt *rows, int64_t limit, buf *out, error *err)
{
    int64_t last = 0;
    int found = 0, rc = buf_append_str(out, "{\"items\":[");

    for (int64_t i = 0; rc == 0 && (found = events_row(s, rows, err)) > 0 && i < limit; i++) {
        rc = i ? buf_append_byte(out, ',') : 0;
        rc = rc ? rc : put_item(out, rows);
        last = sqlite3_column_int64(rows, 0);
    }
    if (found < 0)
        return found;
    if (rc == 0)
        rc = found ? buf_printf(out, "],\"next\":%lld}", (long long)last)
                   : buf_append_str(out, "],\"next\":null}");
    return rc ? error_set(err, rc, "the list of events: %s", error_code_name(rc)) : 0;
}

int events_admin_list(store *s, enum events_list which, int64_t after, int64_t limit, buf *out,
                      error *err)
{
    int64_t most = limit < 1 ? 1 : limit > LIMIT_LIST ? LIMIT_LIST : limit;
    const int64_t numbers[] = {after, most + 1}; /* one more, to see whether there is one */
    size_t before = out->len;
    error why = {0};
    sqlite3_stmt *rows =
        events_statement(s, which == EVENTS_DEAD ? dead_page : pending_page, numbers, 2, &why);
    int rc = rows ? put_items(s, rows, most, out, &why) : why.code;

    if (rows)
        store_reset(rows);
    if (rc) {
        out->len = before;
        error_set(err, rc, "%s", error_text(&why));
    }
    error_deinit(&why);
    return rc;
}

/* A change of some dead letters. */
typedef struct change {
    store_write write;
    bool drops;
    int64_t number[CHANGED_AT_ONCE];
    size_t count;
    uint64_t changed;
} change;

static int apply_change(store_write *w, store *s, error *err)
{
    change *c = (change *)w;
    int64_t now = clock_wall_ms();

    c->changed = 0;
    for (size_t i = 0; i < c->count; i++) {
        int rc = c->drops ? events_queue_drop(s, c->number[i], err)
                          : events_queue_replay(s, c->number[i], now, err);

        if (rc < 0)
            return rc;
        c->changed += (uint64_t)rc;
    }
    return 0;
}

/* Finds the next dead letters from behind the last ones, which are found here so that nobody waits
 * for it who wants to write. */
static int find_dead(store *s, change *c, const char *id, error *err)
{
    const int64_t numbers[] = {c->count ? c->number[c->count - 1] : 0, CHANGED_AT_ONCE};
    sqlite3_stmt *statement = events_statement(
        s,
        id ? "SELECT d.number FROM event AS e JOIN event_delivery AS d ON d.event = e.number"
             " WHERE e.id = ?3 AND d.state = 3 AND d.number > ?1 ORDER BY d.number LIMIT ?2"
           : "SELECT number FROM event_delivery WHERE state = 3 AND number > ?1"
             " ORDER BY number LIMIT ?2",
        numbers, 2, err);
    int rc;

    if (!statement)
        return err->code;
    if (id)
        events_bind_text(statement, 3, slice_str(id));
    c->count = 0;
    while ((rc = events_row(s, statement, err)) > 0 && c->count < CHANGED_AT_ONCE)
        c->number[c->count++] = sqlite3_column_int64(statement, 0);
    store_reset(statement);
    return rc < 0 ? rc : 0;
}

static int change_all(store *s, bool drops, const char *id, uint64_t *count, error *err)
{
    change c = {.write.apply = apply_change, .drops = drops};
    error why = {0};
    int rc;

    *count = 0;
    while ((rc = find_dead(s, &c, id, &why)) == 0 && c.count > 0) {
        rc = store_write_now(s, &c.write, &why);
        if (rc)
            break;
        *count += c.changed;
    }
    if (rc)
        error_set(err, rc, "%s", error_text(&why));
    error_deinit(&why);
    return rc;
}

int events_admin_replay(store *s, const char *id, uint64_t *count, error *err)
{
    return change_all(s, false, id, count, err);
}

int events_admin_drop(store *s, const char *id, uint64_t *count, error *err)
{
    return change_all(s, true, id, count, err);
}
