#include "base/calendar.h"

#include <stdbool.h>
#include <stdio.h>

#define ERA_YEARS 400 /* after which everything repeats, weekdays too */
#define ERA_DAYS 146097
#define EPOCH_DAYS 719468 /* from 0000-03-01 to 1970-01-01 */

#define FIRST_MS (-62167219200000) /* 0000-01-01T00:00:00.000Z */
#define LAST_MS 253402300799999    /* 9999-12-31T23:59:59.999Z */

int64_t calendar_floor(int64_t n, int64_t step)
{
    return n / step - (n % step < 0);
}

/* How many days of a year that begins in March come before a month of it, counted from 0. The months
 * from March on have 31 and 30 days in a pattern of five months and 153 days. */
static int64_t march_days(int64_t month)
{
    return (153 * month + 2) / 5;
}

int64_t calendar_days(int64_t year, int month, int day)
{
    int64_t from_march = (month + 9) % 12;
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = calendar_floor(y, ERA_YEARS);
    int64_t of_era = y - era * ERA_YEARS;

    return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + march_days(from_march) +
           day - 1 - EPOCH_DAYS;
}

calendar_date calendar_date_of(int64_t days)
{
    int64_t since = days + EPOCH_DAYS;
    int64_t era = calendar_floor(since, ERA_DAYS);
    int64_t day = since - era * ERA_DAYS;
    /* Without the leap days that lie before, each year has 365. */
    int64_t year = (day - day / 1460 + day / 36524 - day / (ERA_DAYS - 1)) / 365;
    int64_t of_year = day - (year * 365 + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    calendar_date out;

    out.month = (int)(month < 10 ? month + 3 : month - 9);
    out.day = (int)(of_year - march_days(month) + 1);
    out.year = era * ERA_YEARS + year + (out.month <= 2);
    return out;
}

int calendar_month_days(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

int calendar_weekday(int64_t days)
{
    return (int)(days + 4 - calendar_floor(days + 4, 7) * 7);
}

void calendar_put_time(int64_t ms, char out[CALENDAR_TIME_BYTES])
{
    int64_t at = ms < FIRST_MS ? FIRST_MS : ms > LAST_MS ? LAST_MS : ms;
    int64_t seconds = calendar_floor(at, 1000);
    int64_t days = calendar_floor(seconds, CALENDAR_DAY_SECONDS);
    calendar_date date = calendar_date_of(days);
    int of_day = (int)(seconds - days * CALENDAR_DAY_SECONDS);

    snprintf(out, CALENDAR_TIME_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)date.year,
             date.month, date.day, of_day / 3600, of_day / 60 % 60, of_day % 60,
             (int)(at - seconds * 1000));
}
