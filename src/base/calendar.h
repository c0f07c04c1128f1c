#ifndef UBIQ_BASE_CALENDAR_H
#define UBIQ_BASE_CALENDAR_H

#include <stddef.h>
#include <stdint.h>

/* The Gregorian calendar, also before it was there, without time zones. Days count from 1970-01-01,
 * months and days of the month from 1. */

#define CALENDAR_DAY_SECONDS 86400
#define CALENDAR_TIME_BYTES 32 /* of a time's text, with the NUL */

typedef struct calendar_date {
    int64_t year;
    int month;
    int day;
} calendar_date;

/* The day that a date is. `day` may lie outside of its month. */
int64_t calendar_days(int64_t year, int month, int day);

/* The date of a day. */
calendar_date calendar_date_of(int64_t days);

/* How many days a month has. */
int calendar_month_days(int64_t year, int month);

/* From 0, Sunday, to 6. */
int calendar_weekday(int64_t days);

/* How often `step`, which is positive, goes into `n` as a whole, rounded down. */
int64_t calendar_floor(int64_t n, int64_t step);

/* Writes milliseconds since 1970 as RFC 3339 has them, in UTC: "2026-01-31T09:30:00.125Z". What
 * lies outside of the years 0 to 9999 is written as the nearest time within. */
void calendar_put_time(int64_t ms, char out[CALENDAR_TIME_BYTES]);

#endif
