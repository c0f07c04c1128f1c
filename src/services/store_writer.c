#include "services/store_internal.h"

#include "services/wal_vfs.h"

#include <sched.h>

/* The writes of one transaction. */
typedef struct group {
    store_write *first;
    store_write **end;
    size_t count;
    size_t bytes;
    bool is_closed; /* takes no more */
} group;

static bool has_room(const group *g, const store_write *w)
{
    return g->count == 0 ||
           (g->count < LIMIT_STORE_GROUP && g->bytes + w->bytes <= LIMIT_STORE_GROUP_BYTES);
}

/* Moves what is queued to the end of the group, up to what it may have. */
static void take_queued(store *s, group *g)
{
    mailbox_open_all(&s->inbox);
    while (s->first && has_room(g, s->first)) {
        store_write *w = s->first;

        s->first = w->next;
        w->next = NULL;
        *g->end = w;
        g->end = &w->next;
        g->count++;
        g->bytes += w->bytes;
    }
    if (!s->first)
        s->end = &s->first;
}

/* Waits until a group can begin; one of nothing once the store is closing and all is done. */
static void begin_group(store *s, group *g)
{
    *g = (group){.end = &g->first};
    /* What these were posted for is in the inbox now. */
    while (sem_trywait(&s->wakes) == 0)
        continue;
    take_queued(s, g);
    if (!g->first) {
        /* Those who have just been answered may ask again at once. On the same processor they do so
         * before the writer goes on; else it would be woken for the first of their writes. */
        sched_yield();
        take_queued(s, g);
    }
    while (!g->first && !s->closing) {
        sem_wait(&s->wakes);
        take_queued(s, g);
    }
}

static int step(store *s, const char *sql, error *err)
{
    sqlite3_stmt *statement = store_connection_statement(s->writer, sql, err);
    int rc = 0;

    if (!statement)
        return err->code;
    if (sqlite3_step(statement) != SQLITE_DONE)
        rc = connection_failure(s->writer, "writing", err);
    sqlite3_reset(statement);
    return rc;
}

static int apply_all(store *s, group *g, error *err)
{
    int rc = 0;

    for (store_part *p = s->parts; p; p = p->next)
        p->begin(p);
    for (store_write *w = g->first; w && rc == 0; w = w->next) {
        rc = w->apply(w, s, err);
        /* What was queued meanwhile joins the group. So those who ask again as soon as they have an
         * answer are all in one, instead of the quickest of them in one of its own for which the
         * others wait. */
        if (rc == 0 && !w->next && !g->is_closed)
            take_queued(s, g);
    }
    for (store_part *p = s->parts; p && rc == 0; p = p->next)
        rc = p->commit(p, s, err);
    return rc;
}

/* Applies the writes in one transaction: all of them, or none. */
static int commit_group(store *s, group *g, error *err)
{
    error ignored = {0};
    int rc = step(s, "BEGIN IMMEDIATE", err);

    if (rc)
        return rc;
    rc = apply_all(s, g, err);
    if (rc == 0) {
        wal_vfs_begin_commit(s->writer->db);
        rc = step(s, "COMMIT", err);
        wal_vfs_end_commit(s->writer->db);
    }
    if (rc == 0)
        atomic_fetch_add_explicit(&s->commits, 1, memory_order_release);
    /* Some failures have ended the transaction already. */
    if (rc && !sqlite3_get_autocommit(s->writer->db)) {
        step(s, "ROLLBACK", &ignored);
        error_deinit(&ignored);
    }
    return rc;
}

static int commit_locked(store *s, group *g, error *err)
{
    int rc;

    pthread_mutex_lock(&s->parts_lock);
    rc = commit_group(s, g, err);
    pthread_mutex_unlock(&s->parts_lock);
    return rc;
}

static void finish(store *s, store_write *w, const error *err)
{
    atomic_fetch_sub(&s->waiting_bytes, w->bytes);
    w->done(w, err);
}

static void finish_all(store *s, const group *g, const error *err)
{
    store_write *next = g->first;

    mailbox_hold_wakes();
    while (next) {
        store_write *w = next;

        next = w->next;
        finish(s, w, err);
    }
    mailbox_wake_held();
}

/* SQLite's log of changes is taken into the database when nobody waits for an answer. The log begins
 * anew only when no reader is on it at that moment; when it has become long, those that are on it are
 * waited for, but not for long: another process may be making a backup. */
static void fold_log(store *s, bool now)
{
    bool is_long = s->log_pages >= 4 * LIMIT_STORE_LOG_PAGES;

    if (s->log_pages < s->fold_at && !now)
        return;
    if (is_long)
        sqlite3_busy_timeout(s->writer->db, LIMIT_STORE_READER_WAIT_MS);
    /* What cannot be folded now stays in the log, where it is as safe. */
    (void)sqlite3_wal_checkpoint_v2(s->writer->db, NULL,
                                    is_long ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE,
                                    NULL, NULL);
    if (is_long)
        sqlite3_busy_timeout(s->writer->db, LIMIT_STORE_WRITER_BUSY_MS);
    s->fold_at = s->log_pages + LIMIT_STORE_LOG_PAGES;
}

static void write_each(store *s, const group *g)
{
    store_write *next = g->first;

    while (next) {
        store_write *w = next;
        group alone = {.first = w, .is_closed = true};
        error err = {0};
        int rc;

        next = w->next;
        w->next = NULL;
        rc = commit_locked(s, &alone, &err);
        finish(s, w, rc ? &err : NULL);
        error_deinit(&err);
    }
}

static void write_group(store *s, group *g)
{
    error err = {0};
    int rc = commit_locked(s, g, &err);

    /* The log begins at its start again once it is folded: that may make room. */
    if (rc == E_TOO_LARGE)
        fold_log(s, true);
    if (rc == 0)
        finish_all(s, g, NULL);
    else if (rc == E_BUSY || (rc != E_TOO_LARGE && g->count == 1))
        finish_all(s, g, &err);
    else
        write_each(s, g);
    error_deinit(&err);
}

static int on_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
    store *s = arg;

    (void)db, (void)name;
    if (pages < s->log_pages)
        s->fold_at = LIMIT_STORE_LOG_PAGES;
    s->log_pages = pages;
    return SQLITE_OK;
}

void *store_writer_main(void *arg)
{
    store *s = arg;
    group g;

    s->fold_at = LIMIT_STORE_LOG_PAGES;
    sqlite3_wal_hook(s->writer->db, on_commit, s);
    store_writer_connection = s->writer;
    for (;;) {
        begin_group(s, &g);
        if (!g.first)
            return NULL;
        write_group(s, &g);
        fold_log(s, false);
    }
}
