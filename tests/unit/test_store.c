#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "services/limits.h"
#include "store_case.h"

static void test_what_is_written_stays(void **state)
{
    store *s = open_store("ubiq.db");
    struct stat st;

    (void)state;
    assert_int_equal(write_row(s, 1, 10, NULL), 0);
    assert_int_equal(count_rows(s), 1);
    assert_int_equal(stat("ubiq.db", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat("ubiq.db-wal", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    store_close(s);
    s = open_store("ubiq.db");
    assert_int_equal(count_rows(s), 1);
    store_close(s);
}

/* Those that join a group while it is applied are applied again too; the last of them for the first time,
 * as the group ended before it. */
static void test_one_that_fails_does_not_harm_its_group(void **state)
{
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    store *s = open_store("ubiq.db");
    test_write w[5];
    sem_t all_done;

    (void)state;
    sem_init(&all_done, 0, 0);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < 5; i++)
        w[i] = row(i, &all_done);
    w[0].wait_for = &gate;
    w[3].fails = true;
    for (int i = 0; i < 5; i++)
        store_submit(s, &w[i].write);
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < 5; i++)
        sem_wait(&all_done);
    for (int i = 0; i < 5; i++)
        assert_int_equal(w[i].code, i == 3 ? E_IO : 0);
    assert_string_equal(w[3].text, "preparing a statement: 3 values for 1 columns");
    assert_int_equal(count_rows(s), 4);
    for (int i = 0; i < 5; i++)
        assert_int_equal(w[i].applied, i == 4 ? 1 : 2);
    store_close(s);
    sem_destroy(&all_done);
}

static void test_a_taken_key_fails_alone(void **state)
{
    store *s = open_store("ubiq.db");
    error err = {0};

    (void)state;
    assert_int_equal(write_row(s, 1, 0, &err), 0);
    assert_int_equal(write_row(s, 1, 0, &err), E_IO);
    assert_string_equal(error_text(&err), "inserting: UNIQUE constraint failed: t.n");
    assert_int_equal(write_row(s, 2, 0, NULL), 0);
    assert_int_equal(count_rows(s), 2);
    store_close(s);
    error_deinit(&err);
}

static void test_flush_waits_for_all_that_was_submitted(void **state)
{
    enum { COUNT = 2000 };
    store *s = open_store("ubiq.db");
    test_write *w = calloc(COUNT, sizeof *w);
    sem_t all_done;
    int told;

    (void)state;
    assert_non_null(w);
    sem_init(&all_done, 0, 0);
    for (int i = 0; i < COUNT; i++) {
        w[i] = row(i, &all_done);
        w[i].fails = i == COUNT / 2;
        store_submit(s, &w[i].write);
    }
    store_flush(s);
    sem_getvalue(&all_done, &told);
    assert_int_equal(told, COUNT);
    store_flush(NULL);
    store_close(s);
    sem_destroy(&all_done);
    free(w);
}

static void test_only_so_much_may_wait(void **state)
{
    store *s = open_store("ubiq.db");
    test_write small, large, own;
    sem_t done;
    held_write h;

    (void)state;
    sem_init(&done, 0, 0);
    small = row(1, &done);
    small.write.bytes = 10;
    large = row(2, &done);
    large.write.bytes = 11;
    own = row(3, &done);
    own.write.bytes = 1000;
    hold_store(&h, s, LIMIT_STORE_WAITING_BYTES - 10);
    assert_false(store_try_submit(s, &large.write));
    assert_true(store_try_submit(s, &small.write));
    assert_false(store_try_submit(s, &large.write));
    /* what is not a guest's always may */
    store_submit(s, &own.write);
    release_store(&h, s);
    assert_int_equal(count_rows(s), 2);
    assert_true(store_try_submit(s, &large.write));
    store_flush(s);
    assert_int_equal(count_rows(s), 3);
    /* one alone may weigh anything */
    small = row(4, &done);
    small.write.bytes = LIMIT_STORE_WAITING_BYTES + 1;
    assert_true(store_try_submit(s, &small.write));
    store_close(s);
    sem_destroy(&done);
}

typedef struct test_part {
    store_part part;
    int begun;
    int committed;
    bool fails;
} test_part;

static void begin_part(store_part *p)
{
    ((test_part *)p)->begun++;
}

static int commit_part(store_part *p, store *s, error *err)
{
    test_part *t = (test_part *)p;

    (void)s;
    if (t->fails)
        return error_set(err, E_IO, "the part fails");
    t->committed++;
    return 0;
}

static void test_parts_take_part_in_each_transaction(void **state)
{
    test_part p = {.part = {.begin = begin_part, .commit = commit_part}};
    store *s = open_store("ubiq.db");
    error err = {0};

    (void)state;
    store_attach(s, &p.part);
    assert_int_equal(write_row(s, 1, 0, &err), 0);
    assert_int_equal(p.begun, 1);
    assert_int_equal(p.committed, 1);
    p.fails = true;
    assert_int_equal(write_row(s, 2, 0, &err), E_IO);
    assert_string_equal(error_text(&err), "the part fails");
    assert_int_equal(count_rows(s), 1);
    store_detach(s, &p.part);
    assert_int_equal(write_row(s, 2, 0, &err), 0);
    assert_int_equal(p.begun, 2);
    store_close(s);
    error_deinit(&err);
}

/* Up to as many as a group may have. */
static void test_what_comes_while_a_group_is_applied_joins_it(void **state)
{
    enum { COUNT = LIMIT_STORE_GROUP + 10 };
    test_part p = {.part = {.begin = begin_part, .commit = commit_part}};
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    store *s = open_store("ubiq.db");
    static test_write w[COUNT];
    sem_t begun, all_done;

    (void)state;
    sem_init(&begun, 0, 0);
    sem_init(&all_done, 0, 0);
    store_attach(s, &p.part);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < COUNT; i++)
        w[i] = row(i, &all_done);
    w[0].begun = &begun;
    w[0].wait_for = &gate;
    store_submit(s, &w[0].write);
    sem_wait(&begun);
    for (int i = 1; i < COUNT; i++)
        store_submit(s, &w[i].write);
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < COUNT; i++)
        sem_wait(&all_done);
    assert_int_equal(p.begun, 2);
    assert_int_equal(p.committed, 2);
    store_detach(s, &p.part);
    assert_int_equal(count_rows(s), COUNT);
    store_close(s);
    sem_destroy(&begun);
    sem_destroy(&all_done);
}

#define WRITERS 3
#define ROWS_OF_WRITER 200

typedef struct thread_case {
    pthread_t thread;
    store *store;
    int64_t first;
} thread_case;

static void *write_rows(void *arg)
{
    thread_case *c = arg;

    for (int64_t n = c->first; n < c->first + ROWS_OF_WRITER; n++)
        assert_int_equal(write_row(c->store, n, 100, NULL), 0);
    return NULL;
}

/* What it sees never becomes less. */
static void *read_rows(void *arg)
{
    thread_case *c = arg;
    int64_t seen = 0;

    while (seen < WRITERS * ROWS_OF_WRITER) {
        int64_t now = count_rows(c->store);

        assert_true(now >= seen);
        seen = now;
    }
    return NULL;
}

static void test_threads_read_and_write_at_once(void **state)
{
    thread_case c[2 * WRITERS];
    store *s = open_store("ubiq.db");

    (void)state;
    for (int i = 0; i < 2 * WRITERS; i++) {
        c[i] = (thread_case){.store = s, .first = i * ROWS_OF_WRITER};
        pthread_create(&c[i].thread, NULL, i < WRITERS ? write_rows : read_rows, &c[i]);
    }
    for (int i = 0; i < 2 * WRITERS; i++)
        pthread_join(c[i].thread, NULL);
    store_close(s);
}

static void *read_until_stopped(void *arg)
{
    thread_case *c = arg;

    while (!__atomic_load_n(&c->first, __ATOMIC_RELAXED))
        count_rows(c->store);
    return NULL;
}

/* The log is taken into the database now and then, also when somebody reads all the time. */
static void test_the_log_does_not_grow_for_ever(void **state)
{
    enum { ROWS = 100, BYTES = 1 << 20 };
    thread_case c = {.store = open_store("ubiq.db")};
    struct stat st;

    (void)state;
    pthread_create(&c.thread, NULL, read_until_stopped, &c);
    for (int64_t n = 0; n < ROWS; n++)
        assert_int_equal(write_row(c.store, n, BYTES, NULL), 0);
    assert_int_equal(stat("ubiq.db-wal", &st), 0);
    assert_in_range(st.st_size, BYTES, 80 * BYTES);
    assert_int_equal(stat("ubiq.db", &st), 0);
    assert_in_range(st.st_size, 20 * BYTES, 110 * BYTES);
    __atomic_store_n(&c.first, 1, __ATOMIC_RELAXED);
    pthread_join(c.thread, NULL);
    store_close(c.store);
}

/* A thread that has read may outlive the store. */
static void *read_and_stay(void *arg)
{
    sem_t **sems = arg;

    count_rows((store *)(void *)sems[2]);
    sem_post(sems[0]);
    sem_wait(sems[1]);
    return NULL;
}

static void test_readers_may_stay(void **state)
{
    store *s = open_store("ubiq.db");
    sem_t has_read, closed;
    sem_t *sems[] = {&has_read, &closed, (sem_t *)(void *)s};
    pthread_t thread;

    (void)state;
    sem_init(&has_read, 0, 0);
    sem_init(&closed, 0, 0);
    pthread_create(&thread, NULL, read_and_stay, sems);
    sem_wait(&has_read);
    store_close(s);
    sem_post(&closed);
    pthread_join(thread, NULL);
    sem_destroy(&has_read);
    sem_destroy(&closed);
}

/* A turn's reads see what was committed before each of them, from whatever thread. */
static void test_reads_share_a_turn(void **state)
{
    store *s = open_store("ubiq.db");
    sqlite3 *other;

    (void)state;
    assert_int_equal(store_share_reads(s, NULL), 0);
    assert_int_equal(count_rows(s), 0);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(write_row(s, i, 10, NULL), 0);
        assert_int_equal(count_rows(s), i + 1);
        assert_int_equal(count_rows(s), i + 1);
        if (i % 3 == 0)
            store_end_turn(s);
    }
    /* Another process's are seen in the next turn, or a little later in this one. */
    assert_int_equal(sqlite3_open("ubiq.db", &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "DELETE FROM t WHERE n = 1", NULL, NULL, NULL), SQLITE_OK);
    store_end_turn(s);
    assert_int_equal(count_rows(s), 99);
    assert_int_equal(sqlite3_exec(other, "DELETE FROM t WHERE n = 2", NULL, NULL, NULL), SQLITE_OK);
    usleep(LIMIT_STORE_TURN_NS / 1000 + 1000);
    assert_int_equal(count_rows(s), 98);
    /* Nothing stands in the way of folding the log between turns. */
    store_end_turn(s);
    store_end_turn(NULL);
    assert_int_equal(sqlite3_exec(other, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    store_close(s);
}

static void test_two_processes_write(void **state)
{
    enum { ROWS = 200 };
    pid_t child = fork();
    store *s = open_store("ubiq.db");
    int status;

    (void)state;
    for (int64_t n = 0; n < ROWS; n++) {
        if (write_row(s, child ? n : ROWS + n, 10, NULL) != 0 && !child)
            _exit(1);
    }
    if (!child) {
        store_close(s);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(count_rows(s), 2 * ROWS);
    store_close(s);
}

static void *unlock_soon(void *arg)
{
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    assert_int_equal(sqlite3_exec(arg, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    return NULL;
}

static void test_a_write_waits_for_another_process(void **state)
{
    store *s = open_store("ubiq.db");
    pthread_t thread;
    sqlite3 *other;

    (void)state;
    assert_int_equal(sqlite3_open("ubiq.db", &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    pthread_create(&thread, NULL, unlock_soon, other);
    assert_int_equal(write_row(s, 1, 0, NULL), 0);
    pthread_join(thread, NULL);
    sqlite3_close(other);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_what_is_written_stays),
        IN_DIRECTORY(test_one_that_fails_does_not_harm_its_group),
        IN_DIRECTORY(test_a_taken_key_fails_alone),
        IN_DIRECTORY(test_flush_waits_for_all_that_was_submitted),
        IN_DIRECTORY(test_only_so_much_may_wait),
        IN_DIRECTORY(test_parts_take_part_in_each_transaction),
        IN_DIRECTORY(test_what_comes_while_a_group_is_applied_joins_it),
        IN_DIRECTORY(test_threads_read_and_write_at_once),
        IN_DIRECTORY(test_the_log_does_not_grow_for_ever),
        IN_DIRECTORY(test_readers_may_stay),
        IN_DIRECTORY(test_reads_share_a_turn),
        IN_DIRECTORY(test_two_processes_write),
        IN_DIRECTORY(test_a_write_waits_for_another_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
