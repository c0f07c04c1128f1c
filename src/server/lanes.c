#include "server/lanes.h"

#include "server/limits.h"

#include <stdlib.h>

#define QUANTUM_NS (LIMIT_RUN_US * INT64_C(1000)) /* of a lane, when it is its turn */
#define DEBT_NS (50 * QUANTUM_NS)                 /* at most, however long a task took */

struct lane {
    task turn; /* first: among the lanes' turns, while there are tasks */
    task tasks;
    int64_t credit_ns; /* it may run while this is more than 0 */
};

bool lanes_init(lanes *l, size_t count)
{
    *l = (lanes){.lane = calloc(count + 1, sizeof *l->lane)};
    task_list_init(&l->turns);
    for (size_t i = 0; l->lane && i < count; i++)
        task_list_init(&l->lane[i].tasks);
    return l->lane != NULL;
}

void lanes_deinit(lanes *l)
{
    free(l->lane);
    *l = (lanes){0};
}

void lanes_add(lanes *l, size_t lane, task *t)
{
    struct lane *to = &l->lane[lane];

    task_append(&to->tasks, t);
    if (task_is_listed(&to->turn))
        return;
    if (to->credit_ns >= 0)
        to->credit_ns = QUANTUM_NS;
    task_append(&l->turns, &to->turn);
}

/* A lane whose turn is over goes behind the others, with what it may use in its next one. */
task *lanes_take(lanes *l)
{
    task *turn;

    while ((turn = task_first(&l->turns))) {
        struct lane *lane = (struct lane *)(void *)turn;
        task *t = task_first(&lane->tasks);

        if (t && lane->credit_ns > 0) {
            task_remove(t);
            l->last = lane;
            return t;
        }
        task_remove(turn);
        if (!t)
            continue;
        lane->credit_ns += QUANTUM_NS;
        task_append(&l->turns, turn);
    }
    return NULL;
}

void lanes_charge(lanes *l, uint64_t ns)
{
    int64_t used = ns < (uint64_t)DEBT_NS ? (int64_t)ns : DEBT_NS;

    l->last->credit_ns -= used;
    if (l->last->credit_ns < -DEBT_NS)
        l->last->credit_ns = -DEBT_NS;
}

bool lanes_is_busy(const lanes *l, size_t lane)
{
    return task_first(&l->lane[lane].tasks) != NULL;
}

bool lanes_is_empty(const lanes *l)
{
    return task_first(&l->turns) == NULL;
}
