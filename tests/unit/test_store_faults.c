#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store_case.h"

static void assert_not_opened(int code, const char *text)
{
    error err = {0};
    store *s;

    assert_int_equal(store_open(&s, "ubiq.db", &err), code);
    assert_null(s);
    if (!strstr(error_text(&err), text))
        fail_msg("\"%s\" does not say \"%s\"", error_text(&err), text);
    error_deinit(&err);
}

static void make_rows(int64_t count)
{
    store *s = open_store("ubiq.db");

    for (int64_t n = 0; n < count; n++)
        assert_int_equal(write_row(s, n, 1000, NULL), 0);
    store_close(s);
}

static void test_a_damaged_file_is_not_opened(void **state)
{
    static const uint8_t rubbish[3000] = {0x55, 0xaa, 0xff};

    (void)state;
    make_rows(20);
    damage_file("ubiq.db", 0, "no database", 11);
    assert_not_opened(E_INVALID, "ubiq.db: opening: the database ubiq.db is damaged (file is not a "
                                 "database): stop what uses it and keep a copy");
    assert_int_equal(unlink("ubiq.db"), 0);
    make_rows(20);
    damage_file("ubiq.db", 3 * 2048, rubbish, sizeof rubbish);
    assert_not_opened(E_INVALID, "is damaged");
    assert_int_equal(unlink("ubiq.db"), 0);
    make_rows(20);
    assert_int_equal(truncate("ubiq.db", 5000), 0);
    assert_not_opened(E_INVALID, "is damaged (database disk image is malformed)");
}

static void test_an_empty_file_with_a_log_is_not_taken_for_a_new_one(void **state)
{
    struct stat st;

    (void)state;
    assert_int_equal(system(": > ubiq.db; echo log > ubiq.db-wal"), 0);
    assert_not_opened(E_INVALID, "is damaged (it is empty, but ubiq.db-wal is not)");
    assert_int_equal(stat("ubiq.db-wal", &st), 0);
    assert_int_equal(st.st_size, 4);
}

static void run_sql(const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open("ubiq.db", &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void test_what_is_not_ours_is_not_opened(void **state)
{
    (void)state;
    run_sql("CREATE TABLE other(x)");
    assert_not_opened(E_INVALID, "ubiq.db: is a database of another program");
    assert_int_equal(unlink("ubiq.db"), 0);
    store_close(open_store("ubiq.db"));
    run_sql("PRAGMA user_version = 99");
    assert_not_opened(E_INVALID,
                      "was written by a newer version of ubiq (schema 99, this one knows 1)");
}

static void test_says_why_it_cannot_open(void **state)
{
    error err = {0};
    store *s;

    (void)state;
    assert_int_equal(store_open(&s, "none/ubiq.db", &err), E_NOT_FOUND);
    assert_string_equal(error_text(&err), "none/ubiq.db: No such file or directory");
    assert_int_equal(mkdir("ubiq.db", 0700), 0);
    assert_int_equal(store_open(&s, "ubiq.db", &err), E_IO);
    assert_string_equal(error_text(&err),
                        "ubiq.db: opening: unable to open database file (Is a directory)");
    error_deinit(&err);
}

/* A page that is damaged while the database is open is met by those who read it. */
static void test_damage_that_is_met_later_is_an_error(void **state)
{
    uint8_t rubbish[2048];
    error err = {0};
    store *s;

    (void)state;
    memset(rubbish, 0xd7, sizeof rubbish);
    make_rows(100);
    s = open_store("ubiq.db");
    for (long page = 2; page < 40; page++)
        damage_file("ubiq.db", page * 2048, rubbish, sizeof rubbish);
    assert_int_equal(read_number(s, "SELECT sum(length(v)) FROM t", &err), -1);
    assert_int_equal(err.code, E_INVALID);
    assert_string_equal(error_text(&err), "reading: the database ubiq.db is damaged (database disk "
                                          "image is malformed)");
    store_close(s);
    error_deinit(&err);
}

static void test_a_full_disk_is_an_error_until_there_is_room(void **state)
{
    int64_t n = 0, there;
    error err = {0};
    store *s;

    (void)state;
    mount_small("small", 1024);
    s = open_store("small/ubiq.db");
    fill_disk("small/ballast");
    assert_int_equal(truncate("small/ballast", 100000), 0);
    while (write_row(s, n, 3000, &err) == 0)
        n++;
    assert_int_equal(err.code, E_TOO_LARGE);
    assert_non_null(strstr(error_text(&err), "the disk is full"));
    assert_true(n > 5);
    there = count_rows(s);
    assert_int_equal(there, n);
    assert_int_equal(unlink("small/ballast"), 0);
    assert_int_equal(write_row(s, n, 3000, NULL), 0);
    assert_int_equal(count_rows(s), n + 1);
    store_close(s);
    s = open_store("small/ubiq.db");
    assert_int_equal(count_rows(s), n + 1);
    store_close(s);
    unmount_small("small");
    error_deinit(&err);
}

static void write_until_killed(uint64_t first, int to)
{
    store *s = open_store("ubiq.db");

    for (uint64_t n = first;; n++) {
        int rc = write_row(s, (int64_t)n, 500, NULL);

        /* The one that was under way when its predecessor was killed may be there. */
        if (rc && n != first)
            _exit(1);
        report(to, n);
    }
}

static void test_a_killed_process_loses_nothing(void **state)
{
    uint64_t acknowledged = 0;

    (void)state;
    for (int round = 0; round < 15; round++) {
        error err = {0};
        store *s;

        acknowledged = run_and_kill(write_until_killed, acknowledged, 20);
        s = open_store("ubiq.db");
        assert_in_range(count_rows(s), acknowledged, acknowledged + 1);
        assert_int_equal(read_number(s, "SELECT max(n) - count(*) FROM t", &err), -1);
        store_close(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_a_damaged_file_is_not_opened),
        IN_DIRECTORY(test_an_empty_file_with_a_log_is_not_taken_for_a_new_one),
        IN_DIRECTORY(test_what_is_not_ours_is_not_opened),
        IN_DIRECTORY(test_says_why_it_cannot_open),
        IN_DIRECTORY(test_damage_that_is_met_later_is_an_error),
        IN_DIRECTORY(test_a_full_disk_is_an_error_until_there_is_room),
        IN_DIRECTORY(test_a_killed_process_loses_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
