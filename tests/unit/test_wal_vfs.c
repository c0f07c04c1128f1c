#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "service_case.h"
#include "services/wal_vfs.h"

#define ROWS 500

static sqlite3 *open_file(const char *path, const char *vfs)
{
    sqlite3 *db;

    assert_int_equal(
        sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs), SQLITE_OK);
    return db;
}

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    int64_t n;

    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    n = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return n;
}

static void commit(sqlite3 *db)
{
    wal_vfs_begin_commit(db);
    run(db, "COMMIT");
    wal_vfs_end_commit(db);
}

/* With a cache so small that pages go to the log before the transaction ends, and some of them twice. */
static sqlite3 *open_gathered(void)
{
    sqlite3 *db = open_file("a.db", wal_vfs_name());

    run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = 8;"
            "CREATE TABLE t(n INTEGER PRIMARY KEY, v INTEGER, filling BLOB);"
            "WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < 499) "
            "INSERT INTO t SELECT n, 0, randomblob(600) FROM c");
    return db;
}

static void change_rows(sqlite3 *db, int count)
{
    char sql[128];

    run(db, "BEGIN IMMEDIATE");
    for (int i = 0; i < count; i++) {
        snprintf(sql, sizeof sql, "UPDATE t SET v = v + 1, filling = randomblob(600) WHERE n = %d",
                 rand() % ROWS);
        run(db, sql);
    }
}

static void assert_sound(const char *path, int64_t sum)
{
    sqlite3 *db = open_file(path, NULL);

    assert_int_equal(number(db, "SELECT sum(v) FROM t"), sum);
    assert_int_equal(number(db, "SELECT count(*) FROM pragma_integrity_check "
                                "WHERE integrity_check != 'ok'"),
                     0);
    sqlite3_close(db);
}

/* Who finds these files must read the log from its beginning, with its checksums. */
static void assert_sound_when_found(int64_t sum)
{
    assert_sound("a.db", sum);
    assert_int_equal(system("cp a.db b.db && cp a.db-wal b.db-wal && rm -f b.db-shm"), 0);
    assert_sound("b.db", sum);
}

static void test_what_is_committed_is_in_the_log(void **state)
{
    static const int counts[] = {1, 5, 400, 2000};
    sqlite3 *db = open_gathered();
    int64_t sum = 0;

    (void)state;
    srand(1);
    for (int round = 0; round < 20; round++) {
        int count = counts[round % 4];

        change_rows(db, count);
        commit(db);
        sum += count;
        assert_sound_when_found(sum);
    }
    sqlite3_close(db);
}

/* A page that is in the log already is written over there, and the checksums behind it are made anew from
 * what can be read. */
static void test_pages_in_the_log_are_read_as_they_are(void **state)
{
    sqlite3 *db = open_gathered();

    (void)state;
    run(db, "BEGIN IMMEDIATE; UPDATE t SET v = 1 WHERE n = 100");
    assert_int_equal(sqlite3_db_cacheflush(db), SQLITE_OK);
    run(db, "UPDATE t SET v = 2 WHERE n IN (100, 400)");
    commit(db);
    assert_sound_when_found(4);
    sqlite3_close(db);
}

/* There SQLite writes a part of each transaction behind the sync. */
static void test_a_disk_that_is_not_powersafe(void **state)
{
    sqlite3 *db = open_gathered();

    (void)state;
    sqlite3_close(db);
    assert_int_equal(sqlite3_open_v2("file:a.db?psow=0", &db,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, wal_vfs_name()),
                     SQLITE_OK);
    run(db, "PRAGMA synchronous = FULL");
    for (int round = 1; round <= 20; round++) {
        change_rows(db, 1);
        commit(db);
        assert_sound_when_found(round);
    }
    sqlite3_close(db);
}

/* As a COMMIT that fails halfway: its pages are on their way to the log, whose place is the next writer's
 * then. */
static void test_nothing_is_left_of_what_is_not_committed(void **state)
{
    sqlite3 *db = open_gathered(), *other = open_file("a.db", NULL);

    (void)state;
    srand(2);
    for (int round = 0; round < 10; round++) {
        change_rows(db, 3);
        wal_vfs_begin_commit(db);
        assert_int_equal(sqlite3_db_cacheflush(db), SQLITE_OK);
        wal_vfs_end_commit(db);
        run(db, "ROLLBACK");
        change_rows(other, 100);
        run(other, "COMMIT");
        assert_sound("a.db", 110 * round + 100);
        change_rows(db, 10);
        commit(db);
        assert_sound("a.db", 110 * round + 110);
    }
    sqlite3_close(other);
    sqlite3_close(db);
}

static void test_a_full_disk_gives_the_transaction_up(void **state)
{
    sqlite3 *db;

    (void)state;
    mount_small("small", 1024);
    db = open_file("small/a.db", wal_vfs_name());
    run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t(n, v);"
            "INSERT INTO t VALUES(1, 1)");
    fill_disk("small/ballast");
    run(db, "BEGIN IMMEDIATE; INSERT INTO t SELECT 2, randomblob(300000)");
    wal_vfs_begin_commit(db);
    assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_FULL);
    wal_vfs_end_commit(db);
    if (!sqlite3_get_autocommit(db))
        run(db, "ROLLBACK");
    assert_int_equal(remove("small/ballast"), 0);
    run(db, "BEGIN IMMEDIATE; INSERT INTO t SELECT 3, randomblob(300000)");
    commit(db);
    assert_int_equal(number(db, "SELECT sum(n) FROM t"), 4);
    sqlite3_close(db);
    db = open_file("small/a.db", NULL);
    assert_int_equal(number(db, "SELECT sum(n) FROM t"), 4);
    sqlite3_close(db);
    unmount_small("small");
}

static void test_other_journals_are_left_alone(void **state)
{
    sqlite3 *with = open_file("a.db", wal_vfs_name()), *without = open_file("b.db", NULL);

    (void)state;
    run(with, "CREATE TABLE t(v); BEGIN IMMEDIATE; INSERT INTO t VALUES(1)");
    commit(with);
    run(without, "PRAGMA journal_mode = WAL; CREATE TABLE t(v); BEGIN IMMEDIATE;"
                 "INSERT INTO t VALUES(1)");
    commit(without);
    assert_sound("a.db", 1);
    assert_sound("b.db", 1);
    sqlite3_close(with);
    sqlite3_close(without);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_what_is_committed_is_in_the_log),
        IN_DIRECTORY(test_pages_in_the_log_are_read_as_they_are),
        IN_DIRECTORY(test_a_disk_that_is_not_powersafe),
        IN_DIRECTORY(test_nothing_is_left_of_what_is_not_committed),
        IN_DIRECTORY(test_a_full_disk_gives_the_transaction_up),
        IN_DIRECTORY(test_other_journals_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
