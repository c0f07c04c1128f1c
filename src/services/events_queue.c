#include "services/events_queue.h"

#include "services/events_statement.h"
#include "services/limits.h"

/* The states of a delivery: 0 waits behind another of its lane, 1 is its lane's first, 2 is under way,
 * 3 is a dead letter. The last one of an event takes the event with it. */
static const char tables[] =
    "CREATE TABLE IF NOT EXISTS event(number INTEGER PRIMARY KEY, id TEXT NOT NULL,"
    " topic TEXT NOT NULL, time INTEGER NOT NULL, source TEXT, hops INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, bytes INTEGER NOT NULL, payload BLOB NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS event_delivery(number INTEGER PRIMARY KEY,"
    " event INTEGER NOT NULL, function TEXT NOT NULL, topic TEXT NOT NULL,"
    " state INTEGER NOT NULL, due INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,"
    " owner INTEGER, failed INTEGER, problem TEXT) STRICT;"
    "CREATE INDEX IF NOT EXISTS event_lane ON event_delivery(function, topic, number)"
    " WHERE state < 3;"
    "CREATE INDEX IF NOT EXISTS event_due ON event_delivery(due, number) WHERE state = 1;"
    "CREATE INDEX IF NOT EXISTS event_owner ON event_delivery(owner) WHERE state = 2;"
    "CREATE INDEX IF NOT EXISTS event_dead ON event_delivery(number) WHERE state = 3;"
    "CREATE INDEX IF NOT EXISTS event_dead_lane ON event_delivery(function, topic, number)"
    " WHERE state = 3;"
    "CREATE INDEX IF NOT EXISTS event_deliveries ON event_delivery(event);"
    "CREATE TABLE IF NOT EXISTS event_total(number INTEGER PRIMARY KEY,"
    " deliveries INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;"
    "INSERT OR IGNORE INTO event_total VALUES(1, 0, 0);"
    "CREATE TRIGGER IF NOT EXISTS event_added AFTER INSERT ON event BEGIN"
    " UPDATE event_total SET bytes = bytes + new.bytes; END;"
    "CREATE TRIGGER IF NOT EXISTS event_removed AFTER DELETE ON event BEGIN"
    " UPDATE event_total SET bytes = bytes - old.bytes; END;"
    "CREATE TRIGGER IF NOT EXISTS event_delivery_added AFTER INSERT ON event_delivery BEGIN"
    " UPDATE event_total SET deliveries = deliveries + 1; END;"
    "CREATE TRIGGER IF NOT EXISTS event_delivery_removed AFTER DELETE ON event_delivery BEGIN"
    " UPDATE event_total SET deliveries = deliveries - 1;"
    " DELETE FROM event WHERE number = old.event"
    "  AND NOT EXISTS (SELECT 1 FROM event_delivery WHERE event = old.event); END;"
    "CREATE TABLE IF NOT EXISTS event_schedule(line TEXT NOT NULL, function TEXT NOT NULL,"
    " last INTEGER NOT NULL, seen INTEGER NOT NULL, PRIMARY KEY(line, function))"
    " WITHOUT ROWID, STRICT;";

int events_queue_define(store *s, error *err)
{
    return store_define(s, tables, err);
}

int events_queue_count(store *s, uint64_t *deliveries, uint64_t *bytes, error *err)
{
    int64_t found[2] = {0, 0};
    int rc = events_numbers(s, "SELECT deliveries, bytes FROM event_total", NULL, 0, found, 2, err);

    *deliveries = found[0] > 0 ? (uint64_t)found[0] : 0;
    *bytes = found[1] > 0 ? (uint64_t)found[1] : 0;
    return rc < 0 ? rc : 0;
}

static int add_event(store *s, const queued_event *event, int64_t *number, error *err)
{
    sqlite3_stmt *statement =
        store_statement(s,
                        "INSERT INTO event(id, topic, time, source, hops, kind, bytes, payload)"
                        " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                        err);
    int rc;

    if (!statement)
        return err->code;
    events_bind_text(statement, 1, slice_str(event->id));
    events_bind_text(statement, 2, event->topic);
    sqlite3_bind_int64(statement, 3, event->time);
    if (event->source)
        events_bind_text(statement, 4, slice_str(event->source));
    sqlite3_bind_int64(statement, 5, event->hops);
    sqlite3_bind_int(statement, 6, (int)event->kind);
    sqlite3_bind_int64(statement, 7, (int64_t)event->payload.len);
    sqlite3_bind_blob64(statement, 8, event->payload.len ? (const void *)event->payload.data : "",
                        event->payload.len, SQLITE_STATIC);
    rc = events_step(s, statement, err);
    *number = sqlite3_last_insert_rowid(sqlite3_db_handle(statement));
    return rc;
}

/* Adds a delivery: its lane's first when there is none that lives. */
static int add_delivery(store *s, int64_t event, slice topic, const char *function, int64_t now,
                        error *err)
{
    const int64_t numbers[] = {event, now};
    sqlite3_stmt *statement = events_statement(
        s,
        "INSERT INTO event_delivery(event, due, function, topic, state) SELECT ?1, ?2, ?3, ?4,"
        " NOT EXISTS (SELECT 1 FROM event_delivery WHERE function = ?3 AND topic = ?4"
        " AND state < 3)",
        numbers, 2, err);

    if (!statement)
        return err->code;
    events_bind_text(statement, 3, slice_str(function));
    events_bind_text(statement, 4, topic);
    return events_step(s, statement, err);
}

/* Of the deliveries of ticks that are `like` the one that ?1 names (of the same line and function), all but
 * the newest ?2. Nothing when that is no tick. */
#define DROP_OLD_TICKS(one, like)                                                                  \
    "DELETE FROM event_delivery WHERE number IN (SELECT d.number FROM event_delivery AS a"         \
    " JOIN event AS tick ON tick.number = a.event AND tick.kind = 3"                               \
    " JOIN event_delivery AS d ON d.function = a.function AND d.topic = a.topic AND " like         \
    " JOIN event AS e ON e.number = d.event AND e.kind = 3"                                        \
    " WHERE " one " = ?1 ORDER BY d.number DESC LIMIT -1 OFFSET ?2)"

/* A tick was added: a function that is slower than its schedule falls behind only so far. */
static int drop_waiting_ticks(store *s, int64_t event, error *err)
{
    const int64_t numbers[] = {event, LIMIT_CRON_TICKS};

    return events_run(s, DROP_OLD_TICKS("a.event", "d.state < 3 AND d.state = 0"), numbers, 2, err);
}

static int drop_dead_ticks(store *s, int64_t number, error *err)
{
    const int64_t numbers[] = {number, LIMIT_CRON_TICKS};

    return events_run(s, DROP_OLD_TICKS("a.number", "d.state = 3"), numbers, 2, err);
}

int events_queue_add(store *s, const queued_event *event, const char *const *functions,
                     size_t count, int64_t now, error *err)
{
    int64_t number = 0;
    int rc = add_event(s, event, &number, err);

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = add_delivery(s, number, event->topic, functions[i], now, err);
    if (rc == 0 && event->kind == EVENT_TICK)
        rc = drop_waiting_ticks(s, number, err);
    return rc;
}

int events_queue_peek(store *s, int64_t *due, error *err)
{
    int rc;

    *due = INT64_MAX;
    rc = events_numbers(s, "SELECT min(due) FROM event_delivery WHERE state = 1", NULL, 0, due, 1,
                        err);
    return rc < 0 ? rc : 0;
}

int events_queue_begin(store *s, int64_t owner, int64_t now, int64_t latest, size_t room,
                       begun *out, size_t *count, error *err)
{
    const int64_t late[] = {now, latest};
    const int64_t numbers[] = {owner, now, (int64_t)room};
    sqlite3_stmt *statement;
    int rc = events_run(s, "UPDATE event_delivery SET due = ?1 WHERE state = 1 AND due > ?2", late,
                        2, err);

    *count = 0;
    if (rc || room == 0)
        return rc;
    statement = events_statement(
        s,
        "UPDATE event_delivery SET state = 2, owner = ?1, attempts = attempts + 1"
        " WHERE number IN (SELECT number FROM event_delivery WHERE state = 1 AND due <= ?2"
        "  ORDER BY due, number LIMIT ?3) RETURNING number, attempts",
        numbers, 3, err);
    if (!statement)
        return err->code;
    while ((rc = events_row(s, statement, err)) > 0 && *count < room) {
        out[*count].number = sqlite3_column_int64(statement, 0);
        out[*count].attempt = sqlite3_column_int64(statement, 1);
        ++*count;
    }
    store_reset(statement);
    return rc < 0 ? rc : 0;
}

int events_queue_attempts(store *s, int64_t number, int64_t *out, error *err)
{
    int rc;

    *out = 0;
    rc = events_numbers(s, "SELECT attempts FROM event_delivery WHERE number = ?1", &number, 1, out,
                        1, err);
    return rc < 0 ? rc : 0;
}

/* The one that waits next behind a delivery becomes its lane's first. */
static int promote_next(store *s, int64_t number, error *err)
{
    return events_run(
        s,
        "UPDATE event_delivery SET state = 1 WHERE number = (SELECT n.number"
        " FROM event_delivery AS d JOIN event_delivery AS n"
        " ON n.function = d.function AND n.topic = d.topic AND n.state < 3 AND n.state = 0"
        " WHERE d.number = ?1 ORDER BY n.number LIMIT 1)",
        &number, 1, err);
}

int events_queue_finish(store *s, int64_t number, error *err)
{
    int rc = promote_next(s, number, err);

    if (rc)
        return rc;
    return events_run(s, "DELETE FROM event_delivery WHERE number = ?1", &number, 1, err);
}

/* Runs `sql`, in which ?1 is a delivery or owner, ?2 when it is due, ?3 now and ?4 the problem. */
static int set_problem(store *s, const char *sql, int64_t number, int64_t due, slice problem,
                       int64_t now, error *err)
{
    const int64_t numbers[] = {number, due, now};
    sqlite3_stmt *statement = events_statement(s, sql, numbers, 3, err);

    if (!statement)
        return err->code;
    events_bind_text(statement, 4, problem);
    return events_step(s, statement, err);
}

int events_queue_retry(store *s, int64_t number, int64_t due, slice problem, int64_t now,
                       error *err)
{
    return set_problem(s,
                       "UPDATE event_delivery SET state = 1, owner = NULL, due = ?2, failed = ?3,"
                       " problem = ?4 WHERE number = ?1",
                       number, due, problem, now, err);
}

int events_queue_postpone(store *s, int64_t number, int64_t due, error *err)
{
    const int64_t numbers[] = {number, due};

    return events_run(s,
                      "UPDATE event_delivery SET state = 1, owner = NULL, due = ?2,"
                      " attempts = attempts - 1 WHERE number = ?1",
                      numbers, 2, err);
}

int events_queue_bury(store *s, int64_t number, slice problem, int64_t now, error *err)
{
    int rc = promote_next(s, number, err);

    if (rc)
        return rc;
    rc = set_problem(s,
                     "UPDATE event_delivery SET state = 3, owner = NULL, due = ?2, failed = ?3,"
                     " problem = ?4 WHERE number = ?1",
                     number, now, problem, now, err);
    return rc ? rc : drop_dead_ticks(s, number, err);
}

int events_queue_next_owner(store *s, int64_t after, int64_t *out, error *err)
{
    return events_numbers(s,
                          "SELECT owner FROM event_delivery WHERE state = 2 AND owner > ?1"
                          " ORDER BY owner LIMIT 1",
                          &after, 1, out, 1, err);
}

int events_queue_recover(store *s, int64_t owner, unsigned attempts, int64_t now, error *err)
{
    const slice problem = slice_str("the server ended while the function had it");
    const int64_t exhausted[] = {owner, attempts};
    int64_t number = 0;
    int rc;

    while ((rc = events_numbers(s,
                                "SELECT number FROM event_delivery WHERE state = 2 AND owner = ?1"
                                " AND attempts >= ?2 LIMIT 1",
                                exhausted, 2, &number, 1, err)) > 0) {
        rc = events_queue_bury(s, number, problem, now, err);
        if (rc)
            return rc;
    }
    if (rc)
        return rc;
    return set_problem(s,
                       "UPDATE event_delivery SET state = 1, owner = NULL, due = ?2, failed = ?3,"
                       " problem = ?4 WHERE state = 2 AND owner = ?1",
                       owner, now, problem, now, err);
}

int events_queue_replay(store *s, int64_t number, int64_t now, error *err)
{
    const int64_t numbers[] = {number, now};
    sqlite3_stmt *statement = events_statement(
        s,
        "UPDATE event_delivery SET due = ?2, attempts = 0, failed = NULL, problem = NULL,"
        " state = NOT EXISTS (SELECT 1 FROM event_delivery AS other WHERE other.state < 3"
        "  AND other.function = event_delivery.function AND other.topic = event_delivery.topic)"
        " WHERE number = ?1 AND state = 3",
        numbers, 2, err);
    int rc = statement ? events_step(s, statement, err) : err->code;

    return rc ? rc : sqlite3_changes(sqlite3_db_handle(statement));
}

int events_queue_drop(store *s, int64_t number, error *err)
{
    sqlite3_stmt *statement = events_statement(
        s, "DELETE FROM event_delivery WHERE number = ?1 AND state = 3", &number, 1, err);
    int rc = statement ? events_step(s, statement, err) : err->code;

    return rc ? rc : sqlite3_changes(sqlite3_db_handle(statement));
}
