#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "extism/deadline.h"
#include "guest.h"

#define MS 1000000u

static compiled_plugin *code;

/* Runs a guest that never ends by itself until the deadline, which is `ms` away, and says how long
 * that took. */
static uint64_t spin(uint64_t ms)
{
    plugin_state state;
    wasmtime_val_raw_t raw[INSTANCE_RESULTS] = {{0}};
    wasmtime_func_t f;
    deadline d;
    uint64_t begun = clock_ns();

    plugin_state_init(&state, &code->manifest);
    state.has_deadline = true;
    state.deadline_ns = begun + ms * MS;
    instance *i = guest_instance(code, &state);
    assert_true(instance_find_function(
        i, module_interface_find(&compiled_plugin_main(code)->interface, slice_str("spin")), &f));
    guest_require(deadline_start(&d, state.deadline_ns));
    assert_int_not_equal(instance_call(i, &f, 0, 0, raw, NULL), 0);
    deadline_stop(&d);
    assert_true(state.interrupted);
    instance_release(i);
    plugin_state_deinit(&state);
    return (clock_ns() - begun) / MS;
}

static void test_one(void **state)
{
    (void)state;
    for (int n = 0; n < 5; n++) {
        uint64_t took = spin(20);
        assert_true(took >= 20 && took < 2000);
    }
    assert_true(spin(0) < 2000);
}

/* Later ones do not keep an earlier one waiting, and those that were stopped do not count. */
static void test_many(void **state)
{
    static deadline others[1000];

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        guest_require(
            deadline_start(&others[i], clock_ns() + (3600000 + (i * 7919) % 1000) * (uint64_t)MS));
    uint64_t took = spin(20);
    assert_true(took >= 20 && took < 2000);
    for (size_t i = 0; i < 1000; i += 2)
        deadline_stop(&others[i]);
    took = spin(20);
    assert_true(took >= 20 && took < 2000);
    for (size_t i = 999; i < 1000; i -= 2)
        deadline_stop(&others[i]);
    took = spin(20);
    assert_true(took >= 20 && took < 2000);
}

/* One that has passed is told again and again: its call may be in the host and not have seen it. */
static void test_it_is_repeated(void **state)
{
    deadline passed;

    (void)state;
    guest_require(deadline_start(&passed, clock_ns()));
    usleep(50000);
    assert_true(spin(0) < 2000);
    assert_true(spin(30) >= 30);
    deadline_stop(&passed);
}

static uint64_t cpu_ms(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
           (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

/* Without a deadline, or with a distant one, nothing runs. */
static void test_it_sleeps(void **state)
{
    deadline d;
    uint64_t before = cpu_ms();

    (void)state;
    usleep(100000);
    guest_require(deadline_start(&d, clock_ns() + 3600000 * (uint64_t)MS));
    usleep(100000);
    deadline_stop(&d);
    usleep(100000);
    assert_true(cpu_ms() - before < 100);
}

static void *start_and_stop(void *arg)
{
    uint64_t x = (uint64_t)(uintptr_t)arg + 1;
    for (int i = 0; i < 3000; i++) {
        deadline a, b;
        x = x * 6364136223846793005u + 1442695040888963407u;
        guest_require(deadline_start(&a, clock_ns() + (x >> 40) % 2000000));
        guest_require(deadline_start(&b, clock_ns() + (x >> 30) % 5000000));
        deadline_stop(x & 1 << 20 ? &a : &b);
        deadline_stop(x & 1 << 20 ? &b : &a);
    }
    return NULL;
}

static void test_threads(void **state)
{
    pthread_t threads[6];

    (void)state;
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, start_and_stop, (void *)(uintptr_t)i),
                         0);
    uint64_t took = spin(20);
    for (size_t i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    assert_true(took >= 20 && took < 5000);
}

/* A child has a thread of its own for this, though its parent's was waiting when it was forked. */
static void spin_twice(void *unused)
{
    (void)unused;
    for (int n = 0; n < 3; n++)
        guest_require(spin(20) < 2000);
    deadline d;
    guest_require(deadline_start(&d, clock_ns() + 3600000 * (uint64_t)MS));
    usleep(20000);
    guest_require(spin(20) < 2000); /* sooner than what is waited for */
    deadline_stop(&d);
    usleep(20000);
    guest_require(spin(20) < 2000); /* nothing was */
}

static void test_after_fork(void **state)
{
    (void)state;
#if BUILT_FOR(thread_sanitizer)
    skip(); /* it ends a child that has threads */
#endif
    for (int n = 0; n < 3; n++) {
        usleep(20000); /* the thread sleeps */
        guest_in_child(spin_twice, NULL);
    }
    assert_true(spin(20) < 2000);
}

static int set_up(void **state)
{
    if (guest_start(state) != 0)
        return -1;
    code = guest_compile("(module (func (export \"spin\") (loop $on (br $on))))");
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
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_it_is_repeated),
        cmocka_unit_test(test_it_sleeps),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_after_fork),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
