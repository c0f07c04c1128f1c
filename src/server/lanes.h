#ifndef UBIQ_SERVER_LANES_H
#define UBIQ_SERVER_LANES_H

#include "server/task.h"

#include <stdint.h>

/* Tasks that wait for their turn, in lanes: one for each function and one for all else. Lanes take turns
 * by the time that their tasks take, so that neither thousands of calls of one function nor one that
 * computes without end keep another function's calls waiting for long. Within a lane, first come is
 * first served. One worker's. */
typedef struct lanes {
    struct lane *lane;
    struct lane *last; /* that a task was taken from */
    task turns;        /* of the lanes that have tasks */
} lanes;

/* Makes `count` lanes. False when there is no memory. */
bool lanes_init(lanes *l, size_t count);

/* Frees them. Takes all-zero ones. */
void lanes_deinit(lanes *l);

/* Puts a task at the end of a lane; nothing happens when it is in a list. */
void lanes_add(lanes *l, size_t lane, task *t);

/* Takes out the task whose turn it is; NULL when there is none. */
task *lanes_take(lanes *l);

/* The task that was taken last has run for so long. */
void lanes_charge(lanes *l, uint64_t ns);

/* Whether a task of this lane waits. */
bool lanes_is_busy(const lanes *l, size_t lane);

/* Whether nothing waits at all. After a task was taken out of its lane it may be told once more that
 * something does. */
bool lanes_is_empty(const lanes *l);

#endif
