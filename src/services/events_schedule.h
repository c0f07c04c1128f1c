#ifndef UBIQ_SERVICES_EVENTS_SCHEDULE_H
#define UBIQ_SERVICES_EVENTS_SCHEDULE_H

#include "services/cron.h"
#include "services/store.h"

#include <stddef.h>

/* The cron lines of a project and their ticks. Times are milliseconds since 1970. */

typedef struct schedule {
    cron *cron;
    char *line;
    char *function;
    int64_t next; /* the tick that is waited for; INT64_MAX for none */
} schedule;

typedef struct schedules {
    schedule *item;
    size_t count;
    int64_t seen; /* the time up to which all ticks are recorded */
} schedules;

/* Adds a line, whose room is there. As cron_create. */
int schedules_add(schedules *all, const char *line, const char *function, const char *zone,
                  error *err) MUST_CHECK;

/* When the next tick is; INT64_MAX for none. */
int64_t schedules_next(const schedules *all);

/* For `apply`: remembers the lines, of which those that are new have had all ticks up to now, and
 * forgets others. */
int schedules_remember(const schedules *all, store *s, int64_t now, error *err) MUST_CHECK;

/* For `apply`: queues the ticks up to now that nobody has queued yet; of those that were missed the
 * last one of each line, if it is less than a day old. */
int schedules_queue(const schedules *all, store *s, int64_t now, error *err) MUST_CHECK;

/* Ticks up to now are on disk: finds the next ones. */
void schedules_advance(schedules *all, int64_t now);

/* Frees the content. Takes an all-zero one. */
void schedules_deinit(schedules *all);

#endif
