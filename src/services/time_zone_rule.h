#ifndef UBIQ_SERVICES_TIME_ZONE_RULE_H
#define UBIQ_SERVICES_TIME_ZONE_RULE_H

#include "services/time_zone.h"

#include <stdbool.h>

/* What a zone does each year from its file's last entry on: the TZ string of POSIX, with the hours from
 * -167 to 167 that RFC 9636 allows: "CET-1CEST,M3.5.0,M10.5.0/3". */

enum time_zone_day {
    DAY_JULIAN,    /* "J60": 1 to 365, February 29 is not counted */
    DAY_OF_YEAR,   /* "59": 0 to 365 */
    DAY_OF_WEEKDAY /* "M3.5.0": the fifth (that is, last) Sunday of March */
};

typedef struct time_zone_change {
    enum time_zone_day kind;
    int day; /* number, or weekday from 0, Sunday */
    int month;
    int week;
    int32_t time; /* seconds from that day's midnight on, by the clocks until then */
} time_zone_change;

typedef struct time_zone_rule {
    int32_t offset;        /* seconds ahead of UTC */
    bool has_summer;       /* whether there is more: */
    int32_t summer_offset; /* as RFC 9636, it may be behind the other */
    time_zone_change begin;
    time_zone_change end;
} time_zone_rule;

/* Reads a rule. E_INVALID when it is none. */
int time_zone_rule_parse(time_zone_rule *out, slice text) MUST_CHECK;

/* The span that a time lies in, as the rule has it for all times. */
time_zone_span time_zone_rule_at(const time_zone_rule *r, int64_t at);

#endif
