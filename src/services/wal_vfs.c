#include "services/wal_vfs.h"

#include "services/limits.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A log. The file of SQLite's VFS, of which only that knows the size, comes behind it. */
typedef struct log_file {
    sqlite3_file file; /* first, as it is what SQLite has */
    bool gathers;
    uint8_t *pending; /* LIMIT_STORE_LOG_BUFFER_BYTES; not written yet, */
    int count;        /* these many bytes of it, */
    sqlite3_int64 at; /* which belong here */
    alignas(sqlite3_int64) uint8_t inner[];
} log_file;

/* SQLite's own VFS takes the size modulo that. */
_Static_assert(LIMIT_STORE_LOG_BUFFER_BYTES < 128 * 1024, "one write");

static sqlite3_vfs *inner_vfs;

static sqlite3_file *inner(log_file *log)
{
    return (sqlite3_file *)log->inner;
}

/* Writes what is pending. What could not be written is dropped: SQLite gives the transaction up. */
static int flush(log_file *log)
{
    int count = log->count;

    log->count = 0;
    if (count == 0)
        return SQLITE_OK;
    return inner(log)->pMethods->xWrite(inner(log), log->pending, count, log->at);
}

static int log_write(sqlite3_file *file, const void *data, int count, sqlite3_int64 at)
{
    log_file *log = (log_file *)file;
    int rc = SQLITE_OK;

    if (at != log->at + log->count || count > LIMIT_STORE_LOG_BUFFER_BYTES - log->count)
        rc = flush(log);
    if (rc)
        return rc;
    if (!log->gathers || count > LIMIT_STORE_LOG_BUFFER_BYTES)
        return inner(log)->pMethods->xWrite(inner(log), data, count, at);
    if (log->count == 0)
        log->at = at;
    memcpy(log->pending + log->count, data, (size_t)count);
    log->count += count;
    return SQLITE_OK;
}

static int log_read(sqlite3_file *file, void *out, int count, sqlite3_int64 at)
{
    log_file *log = (log_file *)file;
    int rc = flush(log);

    return rc ? rc : inner(log)->pMethods->xRead(inner(log), out, count, at);
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    log_file *log = (log_file *)file;
    int rc = flush(log);

    return rc ? rc : inner(log)->pMethods->xTruncate(inner(log), size);
}

static int log_sync(sqlite3_file *file, int flags)
{
    log_file *log = (log_file *)file;
    int rc = flush(log);

    return rc ? rc : inner(log)->pMethods->xSync(inner(log), flags);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *out)
{
    log_file *log = (log_file *)file;
    int rc = flush(log);

    return rc ? rc : inner(log)->pMethods->xFileSize(inner(log), out);
}

static int log_control(sqlite3_file *file, int what, void *arg)
{
    log_file *log = (log_file *)file;

    return inner(log)->pMethods->xFileControl(inner(log), what, arg);
}

static int log_sector_size(sqlite3_file *file)
{
    log_file *log = (log_file *)file;

    return inner(log)->pMethods->xSectorSize(inner(log));
}

static int log_characteristics(sqlite3_file *file)
{
    log_file *log = (log_file *)file;

    return inner(log)->pMethods->xDeviceCharacteristics(inner(log));
}

/* Of a log nobody takes a lock: SQLite's are on the database. */
static int log_lock(sqlite3_file *file, int level)
{
    (void)file, (void)level;
    return SQLITE_OK;
}

static int log_is_locked(sqlite3_file *file, int *out)
{
    (void)file;
    *out = 0;
    return SQLITE_OK;
}

static int log_close(sqlite3_file *file)
{
    log_file *log = (log_file *)file;

    free(log->pending);
    return inner(log)->pMethods->xClose(inner(log));
}

static const sqlite3_io_methods log_methods = {
    .iVersion = 1,
    .xClose = log_close,
    .xRead = log_read,
    .xWrite = log_write,
    .xTruncate = log_truncate,
    .xSync = log_sync,
    .xFileSize = log_size,
    .xLock = log_lock,
    .xUnlock = log_lock,
    .xCheckReservedLock = log_is_locked,
    .xFileControl = log_control,
    .xSectorSize = log_sector_size,
    .xDeviceCharacteristics = log_characteristics,
};

static int open_log(const char *path, log_file *log, int flags, int *out_flags)
{
    int rc;

    *log = (log_file){.pending = malloc(LIMIT_STORE_LOG_BUFFER_BYTES)};
    if (!log->pending)
        return SQLITE_NOMEM;
    rc = inner_vfs->xOpen(inner_vfs, path, inner(log), flags, out_flags);
    if (rc == SQLITE_OK) {
        log->file.pMethods = &log_methods;
        return rc;
    }
    if (inner(log)->pMethods)
        inner(log)->pMethods->xClose(inner(log));
    free(log->pending);
    return rc;
}

static int open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
                     int *out_flags)
{
    (void)vfs;
    if (flags & SQLITE_OPEN_WAL)
        return open_log(path, (log_file *)file, flags, out_flags);
    return inner_vfs->xOpen(inner_vfs, path, file, flags, out_flags);
}

/* All but the opening of files is the inner one's. */
static sqlite3_vfs own_vfs;

static void register_vfs(void)
{
    sqlite3_vfs *found = sqlite3_vfs_find(NULL);

    if (!found)
        return;
    inner_vfs = found;
    own_vfs = *found;
    own_vfs.zName = "ubiq-gathered-log";
    own_vfs.szOsFile = (int)sizeof(log_file) + found->szOsFile;
    own_vfs.xOpen = open_file;
    if (sqlite3_vfs_register(&own_vfs, 0) != SQLITE_OK)
        own_vfs.zName = NULL;
}

const char *wal_vfs_name(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, register_vfs);
    return own_vfs.zName;
}

static log_file *log_of(sqlite3 *db)
{
    sqlite3_file *file = NULL;

    /* In WAL mode, what is called the journal is the log. */
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) != SQLITE_OK)
        return NULL;
    return file && file->pMethods == &log_methods ? (log_file *)file : NULL;
}

void wal_vfs_begin_commit(sqlite3 *db)
{
    log_file *log = log_of(db);
    int is_powersafe = -1; /* asks */

    if (log && sqlite3_file_control(db, "main", SQLITE_FCNTL_POWERSAFE_OVERWRITE, &is_powersafe) ==
                   SQLITE_OK)
        log->gathers = is_powersafe;
}

void wal_vfs_end_commit(sqlite3 *db)
{
    log_file *log = log_of(db);

    if (!log)
        return;
    log->gathers = false;
    log->count = 0;
}
