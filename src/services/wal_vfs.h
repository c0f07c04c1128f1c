#ifndef UBIQ_SERVICES_WAL_VFS_H
#define UBIQ_SERVICES_WAL_VFS_H

/* SQLite writes a transaction's pages to its write-ahead log one by one, each with two calls of the
 * operating system. This is SQLite's own VFS in which the log's writes can be gathered: what follows on
 * each other is written at once, before the log is synced or read
 * (https://www.sqlite.org/vfs.html, https://www.sqlite.org/wal.html). */

struct sqlite3;

/* Its name for sqlite3_open_v2, registered with the first call; NULL, which is SQLite's own, when that
 * cannot be. Any thread. */
const char *wal_vfs_name(void);

/* Between the two, writes to the log of a connection that was opened with this VFS are gathered. To be
 * put around a COMMIT with synchronous=FULL, and around nothing else: there SQLite syncs the log before
 * it shows the transaction to others and lets them write. What a COMMIT that fails has left unwritten
 * is dropped, as its place may be another process's from then on; a transaction that is still open then
 * has to be rolled back before anything is read. Both do nothing for a connection that has no such log,
 * or whose database is not SQLITE_IOCAP_POWERSAFE_OVERWRITE: SQLite writes some of a transaction behind
 * the sync there. */
void wal_vfs_begin_commit(struct sqlite3 *db);
void wal_vfs_end_commit(struct sqlite3 *db);

#endif
