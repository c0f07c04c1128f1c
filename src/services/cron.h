#ifndef UBIQ_SERVICES_CRON_H
#define UBIQ_SERVICES_CRON_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* Cron lines: minute, hour, day of the month, month and day of the week, as crontab(5) has them.
 *
 * A field is a list of numbers, names (jan, mon), ranges and '*', with or without steps: "1,15",
 * "mon-fri", "9-17/2", "*" and a step. A Sunday is 0 or 7. When both days are restricted, that is when
 * neither begins with '*', it is enough that one of them matches. In place of the fields there may be
 * @hourly, @daily (@midnight), @weekly, @monthly or @yearly (@annually). In front of all there may be
 * a time zone: "TZ=Europe/Berlin 0 9 * * mon-fri".
 *
 * When clocks are changed by less than three hours, a line for certain times of the day has its ticks
 * all the same: those that were skipped, at the moment of the change, as one; those that come again,
 * the first time only. A line for every hour, or whose minutes begin with '*', goes by the clock: what
 * is skipped has no tick, what comes again has another. Greater changes are taken as they are. */
typedef struct cron cron;

/* Reads a line; `zone` is the time zone of one that names none. E_INVALID, with the field and what is
 * wrong with it, also for a line that never has a tick ("0 0 30 2 *"); as time_zone_open;
 * E_NO_MEMORY. */
int cron_create(cron **out, const char *line, const char *zone, error *err) MUST_CHECK;

/* The first tick after a time, in seconds since 1970; from year 1970 to 9999. False when there is none
 * any more. Any thread. */
bool cron_next(const cron *c, int64_t after, int64_t *out);

/* The last tick after `after` up to `until`. False when there is none. It is found by going through all
 * of them. Any thread. */
bool cron_last(const cron *c, int64_t after, int64_t until, int64_t *out);

/* Frees it. Takes NULL. */
void cron_destroy(cron *c);

#endif
