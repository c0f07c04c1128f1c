#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "store_case.h"

/* What a power failure leaves: of each file what was synced, in "disk/". The VFS under the store's makes
 * that copy whenever a file is synced, and not before. */

static sqlite3_vfs *inner_vfs;
static atomic_int log_writes; /* how often the log was written to */

typedef struct disk_file {
    sqlite3_file file;
    bool is_log;
    char *copy; /* NULL: of no interest */
    sqlite3_int64 inner[];
} disk_file;

static sqlite3_file *inner(sqlite3_file *file)
{
    return (sqlite3_file *)((disk_file *)file)->inner;
}

static int disk_close(sqlite3_file *file)
{
    free(((disk_file *)file)->copy);
    return inner(file)->pMethods->xClose(inner(file));
}

static int disk_read(sqlite3_file *file, void *out, int count, sqlite3_int64 at)
{
    return inner(file)->pMethods->xRead(inner(file), out, count, at);
}

static int disk_write(sqlite3_file *file, const void *data, int count, sqlite3_int64 at)
{
    log_writes += ((disk_file *)file)->is_log;
    return inner(file)->pMethods->xWrite(inner(file), data, count, at);
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return inner(file)->pMethods->xTruncate(inner(file), size);
}

static int disk_size(sqlite3_file *file, sqlite3_int64 *out)
{
    return inner(file)->pMethods->xFileSize(inner(file), out);
}

static void make_copy(sqlite3_file *file, const char *path)
{
    sqlite3_int64 size;
    FILE *out = fopen(path, "wb");
    uint8_t *bytes;

    assert_non_null(out);
    assert_int_equal(disk_size(file, &size), SQLITE_OK);
    bytes = malloc((size_t)size + 1);
    assert_non_null(bytes);
    assert_int_equal(disk_read(file, bytes, (int)size, 0), SQLITE_OK);
    assert_int_equal(fwrite(bytes, 1, (size_t)size, out), size);
    fclose(out);
    free(bytes);
}

static int disk_sync(sqlite3_file *file, int flags)
{
    disk_file *f = (disk_file *)file;

    if (f->copy)
        make_copy(file, f->copy);
    return inner(file)->pMethods->xSync(inner(file), flags);
}

static int disk_lock(sqlite3_file *file, int level)
{
    return inner(file)->pMethods->xLock(inner(file), level);
}

static int disk_unlock(sqlite3_file *file, int level)
{
    return inner(file)->pMethods->xUnlock(inner(file), level);
}

static int disk_is_locked(sqlite3_file *file, int *out)
{
    return inner(file)->pMethods->xCheckReservedLock(inner(file), out);
}

static int disk_control(sqlite3_file *file, int what, void *arg)
{
    return inner(file)->pMethods->xFileControl(inner(file), what, arg);
}

static int disk_sector_size(sqlite3_file *file)
{
    return inner(file)->pMethods->xSectorSize(inner(file));
}

static int disk_characteristics(sqlite3_file *file)
{
    return inner(file)->pMethods->xDeviceCharacteristics(inner(file));
}

static int disk_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return inner(file)->pMethods->xShmMap(inner(file), page, size, extend, out);
}

static int disk_shm_lock(sqlite3_file *file, int at, int count, int flags)
{
    return inner(file)->pMethods->xShmLock(inner(file), at, count, flags);
}

static void disk_shm_barrier(sqlite3_file *file)
{
    inner(file)->pMethods->xShmBarrier(inner(file));
}

static int disk_shm_unmap(sqlite3_file *file, int delete)
{
    return inner(file)->pMethods->xShmUnmap(inner(file), delete);
}

static int disk_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
                     int *out_flags)
{
    static const sqlite3_io_methods methods = {
        .iVersion = 2,
        .xClose = disk_close,
        .xRead = disk_read,
        .xWrite = disk_write,
        .xTruncate = disk_truncate,
        .xSync = disk_sync,
        .xFileSize = disk_size,
        .xLock = disk_lock,
        .xUnlock = disk_unlock,
        .xCheckReservedLock = disk_is_locked,
        .xFileControl = disk_control,
        .xSectorSize = disk_sector_size,
        .xDeviceCharacteristics = disk_characteristics,
        .xShmMap = disk_shm_map,
        .xShmLock = disk_shm_lock,
        .xShmBarrier = disk_shm_barrier,
        .xShmUnmap = disk_shm_unmap,
    };
    int rc = inner_vfs->xOpen(inner_vfs, path, inner(file), flags, out_flags);
    disk_file *f = (disk_file *)file;

    (void)vfs;
    *f = (disk_file){
        .file.pMethods = rc == SQLITE_OK ? &methods : NULL,
        .is_log = flags & SQLITE_OPEN_WAL,
    };
    if (rc == SQLITE_OK && flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) {
        const char *name = strrchr(path, '/') + 1;

        assert_true(asprintf(&f->copy, "%.*sdisk/%s", (int)(name - path), path, name) > 0);
    }
    return rc;
}

/* Before the store looks for SQLite's own. */
static void put_disk_below(void)
{
    static sqlite3_vfs disk;

    inner_vfs = sqlite3_vfs_find(NULL);
    disk = *inner_vfs;
    disk.zName = "disk";
    disk.szOsFile = (int)sizeof(disk_file) + inner_vfs->szOsFile;
    disk.xOpen = disk_open;
    assert_int_equal(sqlite3_vfs_register(&disk, 1), SQLITE_OK);
}

/* How many rows there are after a power failure now. */
static int64_t rows_on_disk(void)
{
    sqlite3_stmt *statement;
    int64_t count;
    sqlite3 *db;

    assert_int_equal(system("rm -rf found && cp -r disk found"), 0);
    assert_int_equal(sqlite3_open_v2("found/ubiq.db", &db, SQLITE_OPEN_READWRITE, inner_vfs->zName),
                     SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM t", -1, &statement, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    count = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return count;
}

static void fold_log(void)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open_v2("ubiq.db", &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA wal_checkpoint(RESTART)", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
}

/* Rows of some bytes and of many pages, in groups of one and of many. */
static void test_what_was_acknowledged_survives_a_power_failure(void **state)
{
    enum { ROUNDS = 30, GROUP = 40 };
    static const size_t sizes[] = {10, 700, 5000, 200000};
    int64_t rows = 0;
    sem_t all_done;
    store *s;

    (void)state;
    assert_int_equal(mkdir("disk", 0700), 0);
    sem_init(&all_done, 0, 0);
    s = open_store("ubiq.db");
    for (int round = 0; round < ROUNDS; round++) {
        static test_write w[GROUP];
        int count = round % 2 ? GROUP : 1;

        for (int i = 0; i < count; i++) {
            w[i] = row(rows++, &all_done);
            w[i].bytes = sizes[round % 4] / (round % 2 ? 4 : 1);
            store_submit(s, &w[i].write);
        }
        for (int i = 0; i < count; i++)
            sem_wait(&all_done);
        for (int i = 0; i < count; i++)
            assert_int_equal(w[i].code, 0);
        assert_int_equal(rows_on_disk(), rows);
        if (round % 7 == 0)
            fold_log();
        assert_int_equal(rows_on_disk(), rows);
    }
    store_close(s);
    sem_destroy(&all_done);
}

/* All its pages are in the log by one write. */
static void test_a_transaction_is_written_at_once(void **state)
{
    store *s;

    (void)state;
    assert_int_equal(mkdir("disk", 0700), 0);
    s = open_store("ubiq.db");
    for (int64_t n = 0; n < 10; n++) {
        log_writes = 0;
        assert_int_equal(write_row(s, n, 40000, NULL), 0);
        assert_int_equal(log_writes, 1);
    }
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_what_was_acknowledged_survives_a_power_failure),
        IN_DIRECTORY(test_a_transaction_is_written_at_once),
    };

    put_disk_below();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
