#include "services/time_zone_rule.h"

#include "base/calendar.h"

#define HOUR 3600
#define MAX_HOURS 167

/* What is left of the text. */
typedef struct reader {
    const uint8_t *at;
    const uint8_t *end;
} reader;

static int peek(const reader *r)
{
    return r->at < r->end ? *r->at : -1;
}

static bool take(reader *r, int c)
{
    if (peek(r) != c)
        return false;
    r->at++;
    return true;
}

static bool read_number(reader *r, int min, int max, int *out)
{
    const uint8_t *start = r->at;
    int value = 0;

    while (peek(r) >= '0' && peek(r) <= '9' && value <= max)
        value = value * 10 + (*r->at++ - '0');
    *out = value;
    return r->at > start && value >= min && value <= max;
}

/* The name of a zone's time: letters, or anything else but '>' between '<' and '>'. */
static bool skip_name(reader *r)
{
    bool quoted = take(r, '<');
    const uint8_t *start = r->at;
    size_t len;

    while (quoted ? peek(r) >= 0 && peek(r) != '>'
                  : (peek(r) >= 'a' && peek(r) <= 'z') || (peek(r) >= 'A' && peek(r) <= 'Z'))
        r->at++;
    len = (size_t)(r->at - start);
    return len >= 3 && (!quoted || take(r, '>'));
}

/* "[+-]hh[:mm[:ss]]" in seconds. */
static bool read_time(reader *r, int max_hours, int32_t *out)
{
    bool negative = take(r, '-');
    int hours = 0, minutes = 0, seconds = 0;

    if (!negative)
        take(r, '+');
    if (!read_number(r, 0, max_hours, &hours))
        return false;
    if (take(r, ':')) {
        if (!read_number(r, 0, 59, &minutes))
            return false;
        if (take(r, ':') && !read_number(r, 0, 59, &seconds))
            return false;
    }
    *out = hours * HOUR + minutes * 60 + seconds;
    if (negative)
        *out = -*out;
    return true;
}

/* An offset, which POSIX counts to the west. */
static bool read_offset(reader *r, int32_t *out)
{
    if (!read_time(r, 24, out))
        return false;
    *out = -*out;
    return true;
}

static bool read_change(reader *r, time_zone_change *out)
{
    out->time = 2 * HOUR;
    if (take(r, 'M')) {
        out->kind = DAY_OF_WEEKDAY;
        if (!read_number(r, 1, 12, &out->month) || !take(r, '.') ||
            !read_number(r, 1, 5, &out->week) || !take(r, '.') || !read_number(r, 0, 6, &out->day))
            return false;
    } else if (take(r, 'J')) {
        out->kind = DAY_JULIAN;
        if (!read_number(r, 1, 365, &out->day))
            return false;
    } else {
        out->kind = DAY_OF_YEAR;
        if (!read_number(r, 0, 365, &out->day))
            return false;
    }
    return !take(r, '/') || read_time(r, MAX_HOURS, &out->time);
}

static bool read_summer(reader *r, time_zone_rule *out)
{
    out->has_summer = true;
    out->summer_offset = out->offset + HOUR;
    if (!skip_name(r) || (peek(r) != ',' && !read_offset(r, &out->summer_offset)))
        return false;
    return take(r, ',') && read_change(r, &out->begin) && take(r, ',') && read_change(r, &out->end);
}

int time_zone_rule_parse(time_zone_rule *out, slice text)
{
    reader r = {.at = text.data, .end = text.data + text.len};

    *out = (time_zone_rule){0};
    if (!skip_name(&r) || !read_offset(&r, &out->offset))
        return E_INVALID;
    if (r.at < r.end && !read_summer(&r, out))
        return E_INVALID;
    return r.at == r.end ? 0 : E_INVALID;
}

static int64_t change_day(const time_zone_change *c, int64_t year)
{
    int64_t first;
    int day;

    switch (c->kind) {
    case DAY_JULIAN:
        return calendar_days(year, 1, c->day) +
               (c->day >= 60 && calendar_month_days(year, 2) == 29);
    case DAY_OF_YEAR:
        return calendar_days(year, 1, 1) + c->day;
    case DAY_OF_WEEKDAY:
        break;
    }
    first = calendar_days(year, c->month, 1);
    day = (c->day - calendar_weekday(first) + 7) % 7 + (c->week - 1) * 7;
    if (day >= calendar_month_days(year, c->month))
        day -= 7;
    return first + day;
}

/* A time at which clocks are put to another offset. */
typedef struct turn {
    int64_t at;
    int32_t offset;
} turn;

#define TURNS 6 /* of the year and of the ones next to it, into which changes may reach */

/* All turns of three years, sorted. Of two at the same time the later one holds. */
static void list_turns(const time_zone_rule *r, int64_t year, turn out[TURNS])
{
    size_t count = 0;

    for (int64_t y = year - 1; y <= year + 1; y++) {
        int64_t begin = change_day(&r->begin, y) * CALENDAR_DAY_SECONDS + r->begin.time;
        int64_t end = change_day(&r->end, y) * CALENDAR_DAY_SECONDS + r->end.time;
        turn both[] = {{begin - r->offset, r->summer_offset}, {end - r->summer_offset, r->offset}};

        for (int i = 0; i < 2; i++) {
            turn t = both[both[0].at <= both[1].at ? i : 1 - i];
            size_t place = count++;

            for (; place > 0 && out[place - 1].at > t.at; place--)
                out[place] = out[place - 1];
            out[place] = t;
        }
    }
}

time_zone_span time_zone_rule_at(const time_zone_rule *r, int64_t at)
{
    time_zone_span span = {.from = INT64_MIN, .until = INT64_MAX, .offset = r->offset};
    turn turns[TURNS];

    if (!r->has_summer)
        return span;
    list_turns(r, calendar_date_of(calendar_floor(at, CALENDAR_DAY_SECONDS)).year, turns);
    for (size_t i = 0; i < TURNS; i++) {
        if (turns[i].at > at) {
            span.until = turns[i].at;
            break;
        }
        span.from = turns[i].at;
        span.offset = turns[i].offset;
    }
    return span;
}
