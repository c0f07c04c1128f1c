#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>
#include <pthread.h>

#include "services/operation_waiter.h"

#define ROUNDS 2000

typedef struct slow_service {
    operation *op;
    useconds_t after_us;
} slow_service;

static void *finish(void *arg)
{
    slow_service *s = arg;

    if (s->after_us)
        usleep(s->after_us);
    s->op->number = 7;
    operation_finish(s->op);
    return NULL;
}

static void test_what_is_done_at_once_is_not_waited_for(void **state)
{
    operation_waiter w;
    operation op;

    (void)state;
    operation_waiter_init(&w);
    operation_waiter_prepare(&w, &op, 3);
    assert_ptr_equal(op.home, &w.home);
    assert_int_equal(buf_append(&op.result, "abc", 3), 0);
    assert_int_equal(buf_append(&op.result, "d", 1), E_TOO_LARGE);
    operation_waiter_wait(&w, true);
    operation_deinit(&op);
    operation_waiter_deinit(&w);
}

/* One after the other, done in another thread: before the wait begins, or while it lasts. */
static void test_what_another_thread_does_is_waited_for(void **state)
{
    operation_waiter w;

    (void)state;
    operation_waiter_init(&w);
    for (int i = 0; i < ROUNDS; i++) {
        operation op;
        slow_service s = {.op = &op, .after_us = i % 100 == 0 ? 1000 : 0};
        pthread_t thread;

        operation_waiter_prepare(&w, &op, 0);
        assert_int_equal(pthread_create(&thread, NULL, finish, &s), 0);
        operation_waiter_wait(&w, false);
        assert_int_equal(op.number, 7);
        pthread_join(thread, NULL);
        operation_deinit(&op);
    }
    operation_waiter_deinit(&w);
}

/* What woke it for one operation does not end the wait for the next. */
static void test_an_old_wake_ends_no_wait(void **state)
{
    operation_waiter w;
    operation op;
    slow_service s = {.op = &op, .after_us = 20000};
    pthread_t thread;

    (void)state;
    operation_waiter_init(&w);
    operation_waiter_prepare(&w, &op, 0);
    sem_post(&w.woken);
    sem_post(&w.woken);
    assert_int_equal(pthread_create(&thread, NULL, finish, &s), 0);
    operation_waiter_wait(&w, false);
    assert_int_equal(op.number, 7);
    pthread_join(thread, NULL);
    operation_deinit(&op);
    operation_waiter_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_done_at_once_is_not_waited_for),
        cmocka_unit_test(test_what_another_thread_does_is_waited_for),
        cmocka_unit_test(test_an_old_wake_ends_no_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
