#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/lanes.h"
#include "server/limits.h"

#define TURN_NS (LIMIT_RUN_US * UINT64_C(1000))

static lanes all;
static task tasks[3][100];

static void start(void)
{
    memset(tasks, 0, sizeof tasks);
    assert_true(lanes_init(&all, 3));
    assert_true(lanes_is_empty(&all));
    assert_null(lanes_take(&all));
}

/* The lane whose task comes next, which runs for so long. */
static int next(uint64_t ns)
{
    task *t = lanes_take(&all);

    assert_non_null(t);
    lanes_charge(&all, ns);
    return (int)(t - &tasks[0][0]) / 100;
}

static void fill(size_t lane, size_t count)
{
    for (size_t i = 0; i < count; i++)
        lanes_add(&all, lane, &tasks[lane][i]);
}

static void test_order_within_a_lane(void **state)
{
    (void)state;
    start();
    fill(1, 3);
    fill(1, 3); /* they wait already */
    assert_true(lanes_is_busy(&all, 1));
    assert_false(lanes_is_busy(&all, 0));
    assert_ptr_equal(lanes_take(&all), &tasks[1][0]);
    task_remove(&tasks[1][1]);
    assert_ptr_equal(lanes_take(&all), &tasks[1][2]);
    assert_false(lanes_is_busy(&all, 1));
    assert_null(lanes_take(&all));
    assert_true(lanes_is_empty(&all));
    lanes_deinit(&all);
}

/* One that comes late waits for a turn of the others and not for all that they have to do. */
static void test_thousands_of_another(void **state)
{
    int before = 0;

    (void)state;
    start();
    fill(0, 100);
    for (int i = 0; i < 5; i++)
        assert_int_equal(next(TURN_NS / 10), 0);
    fill(2, 1);
    while (next(TURN_NS / 10) == 0)
        before++;
    assert_in_range(before, 0, 10);
    while (lanes_take(&all))
        ;
    lanes_deinit(&all);
}

/* A lane whose tasks take ten turns each comes in its turn as rarely as that makes it. */
static void test_time_is_shared(void **state)
{
    uint64_t used[2] = {0};

    (void)state;
    start();
    for (int i = 0; i < 2000; i++) {
        int lane;

        lanes_add(&all, 0, &tasks[0][0]);
        fill(1, 20);
        lane = next(0);
        used[lane] += lane ? TURN_NS / 20 : 10 * TURN_NS;
        lanes_charge(&all, lane ? TURN_NS / 20 : 10 * TURN_NS);
    }
    assert_in_range(used[0], used[1] - used[1] / 5, used[1] + used[1] / 5);
    while (lanes_take(&all))
        ;
    lanes_deinit(&all);
}

/* However long a task took, its lane's turn comes again soon when nobody else wants one. */
static void test_debt(void **state)
{
    (void)state;
    start();
    for (int i = 0; i < 3; i++) {
        fill(1, 1);
        assert_int_equal(next(UINT64_MAX), 1);
    }
    fill(1, 1);
    assert_int_equal(next(1), 1);
    lanes_deinit(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_within_a_lane),
        cmocka_unit_test(test_thousands_of_another),
        cmocka_unit_test(test_time_is_shared),
        cmocka_unit_test(test_debt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
