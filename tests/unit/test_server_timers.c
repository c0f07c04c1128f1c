#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/timers.h"

enum { TIMER_IDLE, TIMER_HEAD, TIMER_BODY, KINDS };

static void test_order(void **state)
{
    timer a = {0}, b = {0}, c = {0};
    timers t;

    (void)state;
    assert_true(timers_init(&t, KINDS));
    t.length_ns[TIMER_IDLE] = 100;
    t.length_ns[TIMER_HEAD] = 10;
    assert_null(timers_first(&t, TIMER_IDLE));
    timers_set(&t, &a, TIMER_IDLE, 1000);
    timers_set(&t, &b, TIMER_IDLE, 1001);
    timers_set(&t, &c, TIMER_HEAD, 1002);
    assert_ptr_equal(timers_first(&t, TIMER_IDLE), &a);
    assert_ptr_equal(timers_next(&t, TIMER_IDLE, &a), &b);
    assert_null(timers_next(&t, TIMER_IDLE, &b));
    assert_ptr_equal(timers_first(&t, TIMER_HEAD), &c);
    assert_int_equal(a.at_ns, 1100);
    assert_int_equal(c.at_ns, 1012);
    /* Setting one anew moves it, within its kind or to another. */
    timers_set(&t, &a, TIMER_IDLE, 1003);
    assert_ptr_equal(timers_first(&t, TIMER_IDLE), &b);
    assert_ptr_equal(timers_next(&t, TIMER_IDLE, &b), &a);
    timers_set(&t, &b, TIMER_HEAD, 1004);
    assert_ptr_equal(timers_first(&t, TIMER_IDLE), &a);
    assert_ptr_equal(timers_next(&t, TIMER_HEAD, &c), &b);
    timers_deinit(&t);
}

static void test_clearing(void **state)
{
    timer a = {0}, b = {0};
    timers t;

    (void)state;
    assert_true(timers_init(&t, KINDS));
    timers_clear(&a);
    timers_set(&t, &a, TIMER_BODY, 1);
    timers_set(&t, &b, TIMER_BODY, 2);
    timers_clear(&a);
    assert_ptr_equal(timers_first(&t, TIMER_BODY), &b);
    timers_clear(&a);
    timers_clear(&b);
    assert_null(timers_first(&t, TIMER_BODY));
    timers_set(&t, &a, TIMER_BODY, 3);
    assert_ptr_equal(timers_first(&t, TIMER_BODY), &a);
    timers_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_clearing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
