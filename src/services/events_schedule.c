#include "services/events_schedule.h"

#include "base/calendar.h"
#include "services/events_internal.h"
#include "services/events_statement.h"

#include <stdlib.h>

#define DAY_MS (CALENDAR_DAY_SECONDS * 1000LL)

int schedules_add(schedules *all, const char *line, const char *function, const char *zone,
                  error *err)
{
    schedule *s = &all->item[all->count];
    int rc = cron_create(&s->cron, line, zone, err);

    if (rc) {
        error_prefix(err, "the cron line \"%s\"", line);
        return rc;
    }
    all->count++;
    s->line = strdup(line);
    s->function = strdup(function);
    if (!s->line || !s->function)
        return error_set(err, E_NO_MEMORY, "events: %s", error_code_name(E_NO_MEMORY));
    return 0;
}

int64_t schedules_next(const schedules *all)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < all->count; i++)
        if (all->item[i].next < next)
            next = all->item[i].next;
    return next;
}

static void bind_schedule(sqlite3_stmt *statement, int at, const schedule *s)
{
    events_bind_text(statement, at, slice_str(s->line));
    events_bind_text(statement, at + 1, slice_str(s->function));
}

int schedules_remember(const schedules *all, store *s, int64_t now, error *err)
{
    for (size_t i = 0; i < all->count; i++) {
        sqlite3_stmt *statement = events_statement(
            s,
            "INSERT INTO event_schedule(line, function, last, seen) VALUES(?2, ?3, ?1, ?1)"
            " ON CONFLICT(line, function) DO UPDATE SET seen = ?1",
            &now, 1, err);

        if (!statement)
            return err->code;
        bind_schedule(statement, 2, &all->item[i]);
        if (events_step(s, statement, err))
            return err->code;
    }
    return events_run(s, "DELETE FROM event_schedule WHERE seen <> ?1", &now, 1, err);
}

/* Records that a tick is queued: 1, or 0 when it, or a later one, was already. A time that lies days
 * ahead was recorded by a clock that was wrong. */
static int record_tick(const schedule *item, store *s, int64_t tick, int64_t now, error *err)
{
    const int64_t numbers[] = {tick, now, now + 2 * DAY_MS};
    sqlite3_stmt *statement = events_statement(
        s,
        "INSERT INTO event_schedule(line, function, last, seen) VALUES(?4, ?5, ?1, ?2)"
        " ON CONFLICT(line, function) DO UPDATE SET last = ?1 WHERE last < ?1 OR last > ?3",
        numbers, 3, err);
    int rc;

    if (!statement)
        return err->code;
    bind_schedule(statement, 4, item);
    rc = events_step(s, statement, err);
    return rc ? rc : sqlite3_changes(sqlite3_db_handle(statement));
}

static int queue_tick(const schedule *item, store *s, int64_t tick, int64_t now, error *err)
{
    const char *function = item->function;
    char id[EVENT_ID_BYTES];
    queued_event event = {
        .id = id, .topic = slice_str(item->line), .time = tick, .kind = EVENT_TICK};
    int rc = record_tick(item, s, tick, now, err);

    if (rc <= 0)
        return rc;
    events_make_id(id);
    return events_queue_add(s, &event, &function, 1, now, err);
}

int schedules_queue(const schedules *all, store *s, int64_t now, error *err)
{
    int64_t after = all->seen > now - DAY_MS ? all->seen : now - DAY_MS;
    int64_t tick;

    for (size_t i = 0; i < all->count; i++) {
        const schedule *item = &all->item[i];

        if (item->next > now || !cron_last(item->cron, after / 1000, now / 1000, &tick))
            continue;
        if (queue_tick(item, s, tick * 1000, now, err) < 0)
            return err->code;
    }
    return 0;
}

void schedules_advance(schedules *all, int64_t now)
{
    int64_t next;

    for (size_t i = 0; i < all->count; i++)
        all->item[i].next =
            cron_next(all->item[i].cron, now / 1000, &next) ? next * 1000 : INT64_MAX;
    all->seen = now;
}

void schedules_deinit(schedules *all)
{
    for (size_t i = 0; i < all->count; i++) {
        cron_destroy(all->item[i].cron);
        free(all->item[i].line);
        free(all->item[i].function);
    }
    free(all->item);
}
