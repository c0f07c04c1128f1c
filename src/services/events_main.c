#include "services/events_internal.h"

#include "base/clock.h"
#include "services/events_payload.h"
#include "services/events_statement.h"
#include "services/limits.h"

#include <stdlib.h>

#define NS_PER_MS 1000000U
#define NS_PER_S 1000000000U

/* Waits for so long, or until it is woken where that is heeded. */
static void rest(events *e, int64_t ms, bool heeds)
{
    uint64_t until = clock_ns() + (uint64_t)ms * NS_PER_MS;
    struct timespec at = {.tv_sec = (time_t)(until / NS_PER_S),
                          .tv_nsec = (long)(until % NS_PER_S)};

    pthread_mutex_lock(&e->lock);
    while (!e->ending && !(heeds && e->woken))
        if (pthread_cond_timedwait(&e->wake, &e->lock, &at))
            break;
    pthread_mutex_unlock(&e->lock);
}

/* Takes over what was given back, and sees how many more deliveries may begin once that is recorded.
 * False at the end, when all is. */
static bool collect(events *e, turn *t)
{
    events_slot **end = &t->returned;
    size_t count = 0;
    bool goes_on;

    while (*end)
        end = &(*end)->next;
    pthread_mutex_lock(&e->lock);
    *end = e->returned;
    e->returned = NULL;
    e->returned_end = &e->returned;
    e->woken = false;
    for (const events_slot *s = t->returned; s; s = s->next)
        count++;
    t->with_ticks = !e->stopping;
    t->room = e->stopping ? 0 : e->limits.at_once - e->busy + count;
    goes_on = !e->ending || t->returned;
    pthread_mutex_unlock(&e->lock);
    t->now = clock_wall_ms();
    /* Ticks of a time that comes again, as the clock was set back, have been. */
    if (t->now < e->schedules.seen)
        schedules_advance(&e->schedules, t->now);
    return goes_on;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How many milliseconds there is nothing to do, as far as is known; 0 when there is something. */
static int64_t idle_time(events *e, const turn *t, error *err)
{
    int64_t due = INT64_MAX, owner;
    int rc;

    if (t->returned)
        return 0;
    rc = t->room ? events_queue_peek(e->store, &due, err) : 0;
    if (rc == 0)
        rc = events_find_ended(e, &owner, err);
    if (rc > 0 || (due != INT64_MAX && due > events_latest_due(t)))
        return 0;
    if (t->with_ticks)
        due = earlier(due, schedules_next(&e->schedules));
    if (rc < 0 || due > t->now + LIMIT_EVENTS_POLL_MS)
        return LIMIT_EVENTS_POLL_MS;
    return due > t->now ? due - t->now : 0;
}

/* What was given back is on disk: its room is free. */
static void free_returned(events *e, turn *t)
{
    size_t count = 0;

    while (t->returned) {
        events_slot *s = t->returned;

        t->returned = s->next;
        free(s->delivery.function);
        free(s->problem);
        buf_deinit(&s->input);
        *s = (events_slot){.next = e->free};
        e->free = s;
        count++;
    }
    pthread_mutex_lock(&e->lock);
    e->busy -= count;
    pthread_mutex_unlock(&e->lock);
}

static slice column(sqlite3_stmt *row, int i)
{
    const void *data = sqlite3_column_blob(row, i);

    return slice_of(data ? data : "", (size_t)sqlite3_column_bytes(row, i));
}

/* Makes the delivery of a row. */
static int fill_slot(events_slot *s, sqlite3_stmt *row, error *err)
{
    delivery *d = &s->delivery;
    queued_event event = {
        .id = (const char *)sqlite3_column_text(row, 0),
        .topic = column(row, 1),
        .time = sqlite3_column_int64(row, 2),
        .source = (const char *)sqlite3_column_text(row, 3),
        .hops = (unsigned)sqlite3_column_int64(row, 4),
        .kind = (enum event_kind)sqlite3_column_int(row, 5),
        .payload = column(row, 7),
    };
    const char *function = (const char *)sqlite3_column_text(row, 6);
    int rc = E_NO_MEMORY;

    if (event.id && function && (d->function = strdup(function)))
        rc = events_put_input(&s->input, &event, d->attempt);
    if (rc)
        return error_set(err, rc, "the function's input: %s", error_code_name(rc));
    d->input = buf_slice(&s->input);
    d->hops = event.hops;
    d->is_cron = event.kind == EVENT_TICK;
    strncpy(d->id, event.id, sizeof d->id - 1);
    return 0;
}

static int read_delivery(events *e, events_slot *s, error *err)
{
    sqlite3_stmt *statement = events_statement(
        e->store,
        "SELECT e.id, e.topic, e.time, e.source, e.hops, e.kind, d.function, e.payload"
        " FROM event_delivery AS d JOIN event AS e ON e.number = d.event WHERE d.number = ?1",
        &s->delivery.number, 1, err);
    int rc;

    if (!statement)
        return err->code;
    rc = events_row(e->store, statement, err);
    if (rc > 0)
        rc = fill_slot(s, statement, err);
    else if (rc == 0)
        rc = error_set(err, E_INTERNAL, "the event is not in the database any more");
    store_reset(statement);
    return rc;
}

/* Whether it may be delivered: no longer once events_stop was called, which waits for one that may. */
static bool begin_delivering(events *e)
{
    bool may;

    pthread_mutex_lock(&e->lock);
    may = !e->stopping;
    e->delivering = may;
    pthread_mutex_unlock(&e->lock);
    return may;
}

static void end_delivering(events *e)
{
    pthread_mutex_lock(&e->lock);
    e->delivering = false;
    pthread_cond_broadcast(&e->idle);
    pthread_mutex_unlock(&e->lock);
}

static void deliver(events *e, events_slot *s)
{
    error err = {0};
    int rc = read_delivery(e, s, &err);

    if (rc) {
        events_delivered(e, &s->delivery, error_text(&err));
    } else if (begin_delivering(e)) {
        e->deliver(&s->delivery, e->arg);
        end_delivering(e);
    } else {
        events_postpone(e, &s->delivery);
    }
    error_deinit(&err);
}

/* Delivers what the turn has begun. */
static void deliver_begun(events *e, const turn *t)
{
    pthread_mutex_lock(&e->lock);
    e->busy += t->begun;
    pthread_mutex_unlock(&e->lock);
    for (size_t i = 0; i < t->begun; i++) {
        events_slot *s = e->free;

        e->free = s->next;
        *s = (events_slot){
            .delivery = {.number = e->begun[i].number, .attempt = (unsigned)e->begun[i].attempt}};
        buf_init(&s->input, LIMIT_EVENT_INPUT_BYTES);
        deliver(e, s);
    }
}

/* Says that the store fails, unless that is known. */
static void note_failure(events *e, const error *why)
{
    if (!e->is_stalled && e->stalled)
        e->stalled(why, e->arg);
    e->is_stalled = true;
}

/* False when the store has failed. */
static bool do_turn(events *e, turn *t)
{
    error err = {0};
    int rc = events_take_turn(t, &err);

    if (rc)
        note_failure(e, &err);
    error_deinit(&err);
    if (rc)
        return false;
    e->is_stalled = false;
    if (t->with_ticks && schedules_next(&e->schedules) <= t->now)
        schedules_advance(&e->schedules, t->now);
    free_returned(e, t);
    deliver_begun(e, t);
    return true;
}

void *events_main(void *arg)
{
    events *e = arg;
    turn t = {.e = e};

    while (collect(e, &t)) {
        error err = {0};
        int64_t idle = idle_time(e, &t, &err);
        bool ends;

        if (err.code)
            note_failure(e, &err);
        error_deinit(&err);
        if (idle > 0) {
            rest(e, idle, true);
            continue;
        }
        if (do_turn(e, &t))
            continue;
        pthread_mutex_lock(&e->lock);
        ends = e->ending;
        pthread_mutex_unlock(&e->lock);
        if (ends)
            break;
        rest(e, LIMIT_EVENTS_RETRY_MS, false);
    }
    return NULL;
}
