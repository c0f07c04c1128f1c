#include "services/events_internal.h"

#include "base/clock.h"
#include "services/limits.h"

#include <sys/random.h>

/* How long to wait after a failed attempt. */
static int64_t retry_pause(const events_limits *limits, int64_t attempt)
{
    uint64_t pause = limits->first_retry_ms, chance = 0;

    for (int64_t i = 1; i < attempt && pause < limits->last_retry_ms; i++)
        pause *= 2;
    if (pause > limits->last_retry_ms)
        pause = limits->last_retry_ms;
    /* Without it, it would be a fixed pause, which is good enough. */
    (void)!getrandom(&chance, sizeof chance, GRND_NONBLOCK);
    return (int64_t)(pause + chance % (pause / 4 + 1));
}

int64_t events_latest_due(const turn *t)
{
    return t->now + 2 * (int64_t)t->e->limits.last_retry_ms + LIMIT_EVENTS_POSTPONE_MS;
}

static int record_failure(const turn *t, store *s, const events_slot *slot, error *err)
{
    const events_limits *limits = &t->e->limits;
    slice problem = slice_str(slot->problem ? slot->problem : "failed (no memory for the text)");
    int64_t number = slot->delivery.number;
    int64_t attempt;
    int rc = events_queue_attempts(s, number, &attempt, err);

    if (rc)
        return rc;
    if (attempt >= limits->attempts)
        return events_queue_bury(s, number, problem, t->now, err);
    return events_queue_retry(s, number, t->now + retry_pause(limits, attempt), problem, t->now,
                              err);
}

static int record(const turn *t, store *s, const events_slot *slot, error *err)
{
    switch (slot->outcome) {
    case OUTCOME_DONE:
        return events_queue_finish(s, slot->delivery.number, err);
    case OUTCOME_FAILED:
        return record_failure(t, s, slot, err);
    case OUTCOME_POSTPONED:
        break;
    }
    return events_queue_postpone(s, slot->delivery.number, t->now + LIMIT_EVENTS_POSTPONE_MS, err);
}

int events_find_ended(events *e, int64_t *owner, error *err)
{
    int64_t found = 0;
    int rc;

    while ((rc = events_queue_next_owner(e->store, found, &found, err)) > 0) {
        if (!events_owner_lives(&e->owner, found)) {
            *owner = found;
            return 1;
        }
    }
    return rc;
}

/* What was under way in processes that have ended. Whoever becomes an owner that is taken for ended here
 * begins nothing before this transaction is over. */
static int recover(const turn *t, store *s, error *err)
{
    unsigned attempts = t->e->limits.attempts;
    int64_t owner;
    int rc = 0;

    if (t->starts)
        rc = events_queue_recover(s, t->e->owner.number, attempts, t->now, err);
    while (rc == 0 && (rc = events_find_ended(t->e, &owner, err)) > 0)
        rc = events_queue_recover(s, owner, attempts, t->now, err);
    return rc;
}

static int apply(store_write *w, store *s, error *err)
{
    turn *t = (turn *)w;
    events *e = t->e;
    int rc = recover(t, s, err);

    for (const events_slot *slot = t->returned; slot && rc == 0; slot = slot->next)
        rc = record(t, s, slot, err);
    if (rc == 0 && t->starts)
        rc = schedules_remember(&e->schedules, s, t->now, err);
    if (rc == 0 && t->with_ticks)
        rc = schedules_queue(&e->schedules, s, t->now, err);
    if (rc == 0)
        rc = events_queue_begin(s, e->owner.number, t->now, events_latest_due(t), t->room, e->begun,
                                &t->begun, err);
    return rc;
}

int events_take_turn(turn *t, error *err)
{
    t->write.apply = apply;
    return store_write_now(t->e->store, &t->write, err);
}
