#ifndef UBIQ_SERVICES_EVENTS_ADMIN_H
#define UBIQ_SERVICES_EVENTS_ADMIN_H

#include "base/buf.h"
#include "services/store.h"

#include <stdint.h>

/* What a person does with a project's events, through its store, whether a server delivers them
 * meanwhile or not: one that does notices within a second or two. These functions read and write the
 * database in the calling thread and wait for it. */

/* Makes the tables of events, if they are not there yet; events_create does too. To be called once
 * before all others. As store_define. */
int events_admin_prepare(store *s, error *err) MUST_CHECK;

enum events_list {
    EVENTS_PENDING, /* waiting, due or under way */
    EVENTS_DEAD     /* dead letters */
};

/* Appends a page of deliveries in the order in which they were queued, from behind the one with the
 * number `after` (0: from the first on), at most `limit` (from 1), and LIMIT_LIST, of them:
 *
 *   {"items": [{"number", "id", "topic", "function", "time", "attempts", "state", "due", "failed",
 *   "problem"}], "next": number or null}
 *
 * "topic" is a tick's cron line. "time" is when the event was emitted, or the tick's. "state" is "waiting"
 * (behind another of its topic and function), "due", which it is from the time in "due" on, "running"
 * or "dead". "failed" and "problem" are of the last attempt that failed, or null. Times are RFC 3339 in
 * UTC. Errors as store_statement, and as buf_append. */
int events_admin_list(store *s, enum events_list which, int64_t after, int64_t limit, buf *out,
                      error *err) MUST_CHECK;

/* Has dead letters delivered again, with all their attempts before them: those of the event `id`, or all
 * for NULL. How many they were is in `count`. As store_write_now. */
int events_admin_replay(store *s, const char *id, uint64_t *count, error *err) MUST_CHECK;

/* Drops dead letters; likewise. */
int events_admin_drop(store *s, const char *id, uint64_t *count, error *err) MUST_CHECK;

#endif
