#ifndef UBIQ_SERVICES_CRON_INTERNAL_H
#define UBIQ_SERVICES_CRON_INTERNAL_H

#include "services/cron.h"
#include "services/time_zone.h"

/* Sets of numbers as bits. */
struct cron {
    uint64_t minutes;
    uint64_t hours;
    uint64_t days;     /* of the month, from 1 */
    uint64_t months;   /* from 1 */
    uint64_t weekdays; /* from 0, Sunday, to 6 */
    bool either_day;   /* one matching day is enough */
    bool by_clock;     /* see cron.h: changed clocks are not made up for */
    time_zone *zone;
};

#endif
