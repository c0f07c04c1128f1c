#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guest.h"
#include "server/kept_calls.h"
#include "server/limits.h"

/* Counts its calls in a global, and returns the count. */
static const char counter[] =
    "(module (memory (export \"memory\") 1) (global $n (mut i32) (i32.const 0))"
    " (func (export \"count\") (result i32)"
    "  (global.set $n (i32.add (global.get $n) (i32.const 1)))"
    "  (global.get $n)))";

static compiled_plugin *code;

static void nobody_waits(call *c, void *arg)
{
    (void)c, (void)arg;
}

static const call_options options = {.function = "count", .wake = nobody_waits};

/* A call that is done; what it counted in `count`. */
static call *call_new(int *count)
{
    error err = {0};
    call *c;

    guest_take_signals();
    if (call_start(&c, code, &options, &err))
        fail_msg("%s", error_text(&err));
    assert_int_equal(call_poll(c), CALL_DONE);
    *count = (int)call_code(c);
    return c;
}

static int call_again(call *c)
{
    error err = {0};

    if (call_start_again(c, &options, &err))
        fail_msg("%s", error_text(&err));
    assert_int_equal(call_poll(c), CALL_DONE);
    return (int)call_code(c);
}

static void test_a_kept_call_goes_on_as_it_was_left(void **state)
{
    const function one = {.index = 0}, other = {.index = 2};
    kept_calls k;
    int count;
    call *c;

    (void)state;
    assert_true(kept_calls_init(&k, 3, 100));
    assert_null(kept_calls_take(&k, &one));
    kept_calls_put(&k, &one, call_new(&count), 0);
    assert_int_equal(count, 1);
    assert_null(kept_calls_take(&k, &other));
    c = kept_calls_take(&k, &one);
    assert_non_null(c);
    assert_int_equal(call_again(c), 2);
    assert_null(kept_calls_take(&k, &one));
    kept_calls_put(&k, &one, c, 0);
    kept_calls_put(&k, &other, call_new(&count), 0);
    assert_int_equal(count, 1);
    assert_ptr_equal(kept_calls_take(&k, &one), c);
    kept_calls_put(&k, &one, c, 0);
    kept_calls_deinit(&k);
}

/* The last one that was put is the first to be taken, since its memory is still warm. */
static void test_no_more_are_kept_than_may_be(void **state)
{
    const function f = {.index = 0};
    call *kept[LIMIT_KEPT_CALLS + 2];
    kept_calls k;
    int count;

    (void)state;
    assert_true(kept_calls_init(&k, 1, 100));
    for (int i = 0; i < LIMIT_KEPT_CALLS + 2; i++)
        kept[i] = call_new(&count);
    for (int i = 0; i < LIMIT_KEPT_CALLS + 2; i++)
        kept_calls_put(&k, &f, kept[i], 0);
    for (int i = LIMIT_KEPT_CALLS - 1; i >= 0; i--) {
        assert_ptr_equal(kept_calls_take(&k, &f), kept[i]);
        assert_int_equal(call_again(kept[i]), 2);
        call_destroy(kept[i]);
    }
    assert_null(kept_calls_take(&k, &f));
    kept_calls_deinit(&k);
}

/* Whosever it is. */
static void test_the_longest_kept_one_makes_room(void **state)
{
    const function one = {.index = 0}, other = {.index = 1};
    call *kept[4];
    kept_calls k;
    int count;

    (void)state;
    assert_true(kept_calls_init(&k, 2, 3));
    for (int i = 0; i < 4; i++)
        kept[i] = call_new(&count);
    kept_calls_put(&k, &one, kept[0], 1);
    kept_calls_put(&k, &one, kept[1], 2);
    kept_calls_put(&k, &other, kept[2], 3);
    kept_calls_put(&k, &other, kept[3], 4);
    assert_int_equal(k.count, 3);
    assert_ptr_equal(kept_calls_take(&k, &one), kept[1]);
    assert_null(kept_calls_take(&k, &one));
    /* it was used, and is the youngest */
    kept_calls_put(&k, &one, kept[1], 5);
    kept_calls_put(&k, &other, call_new(&count), 6);
    assert_ptr_equal(kept_calls_take(&k, &one), kept[1]);
    call_destroy(kept[1]);
    assert_int_equal(k.count, 2);
    kept_calls_deinit(&k);
}

static void test_those_that_are_not_used_are_given_up(void **state)
{
    const uint64_t length = LIMIT_KEPT_MS * UINT64_C(1000000);
    const function one = {.index = 0}, other = {.index = 1};
    kept_calls k;
    int count;
    call *c;

    (void)state;
    assert_true(kept_calls_init(&k, 2, 100));
    c = call_new(&count);
    kept_calls_put(&k, &one, c, 10);
    kept_calls_put(&k, &other, call_new(&count), 20);
    assert_ptr_equal(kept_calls_take(&k, &one), c);
    kept_calls_put(&k, &one, c, 30);
    kept_calls_end_idle(&k, length + 19);
    assert_int_equal(k.count, 2);
    kept_calls_end_idle(&k, length + 20);
    assert_int_equal(k.count, 1);
    assert_null(kept_calls_take(&k, &other));
    kept_calls_end_idle(&k, length + 30);
    assert_int_equal(k.count, 0);
    assert_null(kept_calls_take(&k, &one));
    kept_calls_deinit(&k);
}

static void test_none(void **state)
{
    kept_calls k = {0};

    (void)state;
    kept_calls_deinit(&k);
    assert_true(kept_calls_init(&k, 0, 0));
    kept_calls_deinit(&k);
}

static int set_up(void **state)
{
    if (guest_start(state))
        return -1;
    code = guest_compile_fibers(counter);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    compiled_plugin_unref(code);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_kept_call_goes_on_as_it_was_left),
        cmocka_unit_test(test_no_more_are_kept_than_may_be),
        cmocka_unit_test(test_the_longest_kept_one_makes_room),
        cmocka_unit_test(test_those_that_are_not_used_are_given_up),
        cmocka_unit_test(test_none),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
