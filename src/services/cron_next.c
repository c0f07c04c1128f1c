#include "services/cron_internal.h"

#include "base/calendar.h"

#define HOUR 3600
#define MADE_UP_FOR (3 * HOUR) /* a greater change of clocks is not */

/* Until when a tick is looked for. A February 29 that is a certain day of the week can be 40 years
 * away. */
#define HORIZON ((int64_t)50 * 366 * CALENDAR_DAY_SECONDS)

#define LAST 253402300799 /* 9999-12-31T23:59:59Z */

static bool has(uint64_t set, int number)
{
    return set >> number & 1;
}

static bool day_matches(const cron *c, const calendar_date *date, int64_t day)
{
    bool of_month = has(c->days, date->day);
    bool of_week = has(c->weekdays, calendar_weekday(day));

    return c->either_day ? of_month || of_week : of_month && of_week;
}

/* The first matching time of a day from a second of it on. */
static bool find_in_day(const cron *c, int64_t from, int64_t *out)
{
    int64_t first = (from + 59) / 60; /* minute */

    for (int hour = (int)(first / 60); hour < 24; hour++) {
        for (int minute = hour == first / 60 ? (int)(first % 60) : 0;
             minute < 60 && has(c->hours, hour); minute++) {
            if (has(c->minutes, minute)) {
                *out = hour * HOUR + minute * 60;
                return true;
            }
        }
    }
    return false;
}

/* The first matching time from `from` on and before `until`, by clocks that are never changed. */
static bool find(const cron *c, int64_t from, int64_t until, int64_t *out)
{
    int64_t day = calendar_floor(from, CALENDAR_DAY_SECONDS);
    int64_t of_day = from - day * CALENDAR_DAY_SECONDS;
    int64_t found;

    while (day * CALENDAR_DAY_SECONDS + of_day < until) {
        calendar_date date = calendar_date_of(day);

        if (!has(c->months, date.month)) {
            day += calendar_month_days(date.year, date.month) - date.day + 1;
        } else if (day_matches(c, &date, day) && find_in_day(c, of_day, &found)) {
            *out = day * CALENDAR_DAY_SECONDS + found;
            return *out < until;
        } else {
            day++;
        }
        of_day = 0;
    }
    return false;
}

/* The first tick from `from` on within a span, which reaches no further than `until`. */
static bool find_in_span(const cron *c, const time_zone_span *span, int64_t from, int64_t until,
                         int64_t *out)
{
    int64_t jump = 0, begin = from;

    if (!c->by_clock && span->from > 0)
        jump = span->offset - time_zone_at(c->zone, span->from - 1).offset;
    if (jump > 0 && jump < MADE_UP_FOR && from == span->from &&
        find(c, from + span->offset - jump, from + span->offset, out)) {
        *out = from;
        return true;
    }
    if (jump < 0 && -jump < MADE_UP_FOR && begin < span->from - jump)
        begin = span->from - jump;
    if (!find(c, begin + span->offset, until + span->offset, out))
        return false;
    *out -= span->offset;
    return true;
}

bool cron_next(const cron *c, int64_t after, int64_t *out)
{
    int64_t from = after < 0 ? 0 : after < LAST ? after + 1 : LAST;
    int64_t until = from < LAST - HORIZON ? from + HORIZON : LAST;

    while (from < until) {
        time_zone_span span = time_zone_at(c->zone, from);
        int64_t end = span.until < until ? span.until : until;

        if (find_in_span(c, &span, from, end, out))
            return true;
        from = end;
    }
    return false;
}

bool cron_last(const cron *c, int64_t after, int64_t until, int64_t *out)
{
    int64_t at = after;
    bool found = false;

    while (cron_next(c, at, &at) && at <= until) {
        *out = at;
        found = true;
    }
    return found;
}
