#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kv_case.h"
#include "services/limits.h"

#define THREADS 4
#define ROUNDS 200

typedef struct thread_case {
    pthread_t thread;
    place *place;
    int number;
} thread_case;

/* Each adds to a number that all share and writes a key of its own, and sees at once what it wrote. */
static void *count_up(void *arg)
{
    thread_case *c = arg;
    place mine = {.kv = c->place->kv};
    char key[8], value[16];

    home_init(&mine.home);
    snprintf(key, sizeof key, "t%d", c->number);
    for (int i = 0; i < ROUNDS; i++) {
        kv_operation o = op_increment("shared", 1);

        assert_int_equal(home_kv(&mine.home, mine.kv, &o), SERVICE_OK);
        operation_deinit(&o.op);
        snprintf(value, sizeof value, "%d", i);
        assert_int_equal(number_of(&mine, op_set(key, value)), 0);
        assert_bytes(&mine, op_get(key), value);
    }
    home_deinit(&mine.home);
    return NULL;
}

static void test_threads_write_and_read_what_they_wrote(void **state)
{
    thread_case c[THREADS];
    place p;

    (void)state;
    open_place(&p, &usual);
    for (int i = 0; i < THREADS; i++) {
        c[i] = (thread_case){.place = &p, .number = i};
        pthread_create(&c[i].thread, NULL, count_up, &c[i]);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(c[i].thread, NULL);
    assert_bytes(&p, op_increment("shared", 0), "800");
    assert_counts(&p);
    close_place(&p);
}

/* Two processes: the quota is exact, and each sees what the other wrote. */
static void test_another_process_writes(void **state)
{
    kv_limits limits = usual;
    place p, other;

    (void)state;
    limits.keys = 2;
    open_place(&p, &limits);
    open_place(&other, &limits);
    assert_int_equal(number_of(&p, op_set("a", "1")), 0);
    assert_bytes(&other, op_get("a"), "1");
    assert_int_equal(number_of(&other, op_set("b", "1")), 0);
    assert_int_equal(number_of(&p, op_set("c", "1")), SERVICE_OVER_QUOTA);
    assert_int_equal(number_of(&other, op_delete("a")), 1);
    assert_fails(&p, op_get("a"), SERVICE_NOT_FOUND, "kv: there is no key \"a\"");
    assert_int_equal(number_of(&p, op_set("c", "1")), 0);
    assert_int_equal(number_of(&other, op_set("d", "1")), SERVICE_OVER_QUOTA);
    assert_counts(&p);
    close_place(&other);
    close_place(&p);
}

static void test_a_full_disk(void **state)
{
    static char large[3001];
    char key[16];
    int n = 0;
    place p;

    (void)state;
    memset(large, 'v', 3000);
    mount_small("small", 1024);
    open_place_at(&p, "small/ubiq.db", &usual);
    number_of(&p, op_set("first", large));
    fill_disk("small/ballast");
    assert_int_equal(truncate("small/ballast", 100000), 0);
    do
        snprintf(key, sizeof key, "%d", n++);
    while (number_of(&p, op_set(key, large)) == 0);
    assert_fails(&p, op_set("none", large), SERVICE_UNAVAILABLE, "writing: the disk is full");
    assert_fails(&p, op_get("none"), SERVICE_NOT_FOUND, "kv: there is no key \"none\"");
    assert_bytes(&p, op_get("first"), large);
    assert_counts(&p);
    assert_int_equal(unlink("small/ballast"), 0);
    assert_int_equal(number_of(&p, op_set("none", large)), 0);
    assert_bytes(&p, op_get("none"), large);
    assert_counts(&p);
    close_place(&p);
    unmount_small("small");
}

static void test_a_disk_that_is_too_slow(void **state)
{
    held_write h;
    place p;

    (void)state;
    open_place(&p, &usual);
    hold_store(&h, p.store, LIMIT_STORE_WAITING_BYTES - 5);
    assert_fails(&p, op_set("key", "abc"), SERVICE_BUSY,
                 "kv: too much waits to be written to the disk: try again later");
    release_store(&h, p.store);
    assert_fails(&p, op_get("key"), SERVICE_NOT_FOUND, "kv: there is no key \"key\"");
    assert_int_equal(number_of(&p, op_set("key", "abc")), 0);
    assert_bytes(&p, op_get("key"), "abc");
    close_place(&p);
}

static void test_a_damaged_database(void **state)
{
    uint8_t rubbish[2048];
    place p;

    (void)state;
    memset(rubbish, 0xd7, sizeof rubbish);
    open_place(&p, &usual);
    fill_place(&p, 2000);
    close_place(&p);
    open_place(&p, &usual);
    for (long page = 8; page < 30; page++)
        damage_file("ubiq.db", page * 2048, rubbish, sizeof rubbish);
    assert_fails(&p, op_list("", "", 1000), SERVICE_UNAVAILABLE,
                 "kv: the database ubiq.db is damaged (database disk image is malformed)");
    close_place(&p);
}

/* Sets keys, several at once, and adds to a number with each. */
static void write_until_killed(uint64_t first, int to)
{
    enum { AT_ONCE = 8 };
    static kv_operation o[AT_ONCE + 1];
    static char keys[AT_ONCE][24];
    place p;

    open_place(&p, &usual);
    for (uint64_t n = first;; n += AT_ONCE) {
        size_t before = p.home.done;

        for (int i = 0; i < AT_ONCE; i++) {
            snprintf(keys[i], sizeof keys[i], "%" PRIu64, n + (uint64_t)i);
            o[i] = op_set(keys[i], keys[i]);
        }
        o[AT_ONCE] = op_increment("count", AT_ONCE);
        for (int i = 0; i <= AT_ONCE; i++) {
            home_prepare(&p.home, &o[i].op, 100);
            kv_submit(p.kv, &o[i]);
        }
        home_wait(&p.home, before + AT_ONCE + 1);
        for (int i = 0; i <= AT_ONCE; i++) {
            if (o[i].op.code != SERVICE_OK)
                _exit(1);
            operation_deinit(&o[i].op);
        }
        report(to, n + AT_ONCE - 1);
    }
}

static void test_a_killed_process_loses_nothing(void **state)
{
    uint64_t acknowledged = 0;
    char key[24];

    (void)state;
    for (int round = 0; round < 10; round++) {
        place p;

        acknowledged = run_and_kill(write_until_killed, acknowledged, 20);
        open_place(&p, &usual);
        for (uint64_t n = 0; n < acknowledged; n++) {
            snprintf(key, sizeof key, "%" PRIu64, n);
            assert_bytes(&p, op_get(key), key);
        }
        assert_in_range(
            query_place(&p, "SELECT CAST(value AS TEXT) + 0 FROM kv WHERE key = x'636f756e74'"),
            acknowledged, acknowledged + 8 * ((uint64_t)round + 1));
        assert_counts(&p);
        close_place(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_threads_write_and_read_what_they_wrote),
        IN_DIRECTORY(test_another_process_writes),
        IN_DIRECTORY(test_a_full_disk),
        IN_DIRECTORY(test_a_disk_that_is_too_slow),
        IN_DIRECTORY(test_a_damaged_database),
        IN_DIRECTORY(test_a_killed_process_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
