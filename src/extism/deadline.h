#ifndef UBIQ_EXTISM_DEADLINE_H
#define UBIQ_EXTISM_DEADLINE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* Deadlines of running calls: one thread of the process, started when it is first needed, advances
 * the engines' epoch when one has passed, and sleeps otherwise. */

/* Lives in the caller from deadline_start to deadline_stop. */
typedef struct deadline {
    uint64_t at_ns; /* of clock_ns() */
    struct deadline *next;
    struct deadline *prev;
} deadline;

/* Begins to watch. Any thread. False when the system has no thread for it: then nothing watches, and
 * there is nothing to stop. */
bool deadline_start(deadline *d, uint64_t at_ns) MUST_CHECK;

/* Ends that; the calling thread need not be the one that started it. */
void deadline_stop(deadline *d);

#endif
