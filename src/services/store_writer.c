#include "services/store_internal.h"

#include "base/mailbox.h"

/* Takes what is queued, up to what a group may have; NULL once the store is closing and all is done. */
static store_write *take_group(store *s)
{
    store_write *group, **end = &group;
    size_t count = 0, bytes = 0;

    pthread_mutex_lock(&s->lock);
    while (!s->first && !s->closing) {
        s->waiting = true;
        pthread_cond_wait(&s->more, &s->lock);
    }
    s->waiting = false;
    while (s->first && count < LIMIT_STORE_GROUP &&
           (count == 0 || bytes + s->first->bytes <= LIMIT_STORE_GROUP_BYTES)) {
        bytes += s->first->bytes;
        count++;
        *end = s->first;
        end = &s->first->next;
        s->first = s->first->next;
    }
    *end = NULL;
    if (!s->first)
        s->end = &s->first;
    pthread_mutex_unlock(&s->lock);
    return group;
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

static int apply_all(store *s, store_write *group, error *err)
{
    int rc = 0;

    for (store_part *p = s->parts; p; p = p->next)
        p->begin(p);
    for (store_write *w = group; w && rc == 0; w = w->next)
        rc = w->apply(w, s, err);
    for (store_part *p = s->parts; p && rc == 0; p = p->next)
        rc = p->commit(p, s, err);
    return rc;
}

/* Applies the writes in one transaction: all of them, or none. */
static int commit_group(store *s, store_write *group, error *err)
{
    error ignored = {0};
    int rc = step(s, "BEGIN IMMEDIATE", err);

    if (rc)
        return rc;
    rc = apply_all(s, group, err);
    if (rc == 0)
        rc = step(s, "COMMIT", err);
    if (rc == 0)
        atomic_fetch_add_explicit(&s->commits, 1, memory_order_release);
    /* Some failures have ended the transaction already. */
    if (rc && !sqlite3_get_autocommit(s->writer->db)) {
        step(s, "ROLLBACK", &ignored);
        error_deinit(&ignored);
    }
    return rc;
}

static int commit_locked(store *s, store_write *group, error *err)
{
    int rc;

    pthread_mutex_lock(&s->parts_lock);
    rc = commit_group(s, group, err);
    pthread_mutex_unlock(&s->parts_lock);
    return rc;
}

static void finish(store *s, store_write *w, const error *err)
{
    atomic_fetch_sub(&s->waiting_bytes, w->bytes);
    w->done(w, err);
}

static void finish_all(store *s, store_write *group, const error *err)
{
    mailbox_hold_wakes();
    while (group) {
        store_write *w = group;

        group = w->next;
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

static void write_each(store *s, store_write *group)
{
    while (group) {
        store_write *w = group;
        error err = {0};
        int rc;

        group = w->next;
        w->next = NULL;
        rc = commit_locked(s, w, &err);
        finish(s, w, rc ? &err : NULL);
        error_deinit(&err);
    }
}

static void write_group(store *s, store_write *group)
{
    error err = {0};
    int rc = commit_locked(s, group, &err);

    /* The log begins at its start again once it is folded: that may make room. */
    if (rc == E_TOO_LARGE)
        fold_log(s, true);
    if (rc == 0)
        finish_all(s, group, NULL);
    else if (rc == E_BUSY || (rc != E_TOO_LARGE && !group->next))
        finish_all(s, group, &err);
    else
        write_each(s, group);
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
    store_write *group;

    s->fold_at = LIMIT_STORE_LOG_PAGES;
    sqlite3_wal_hook(s->writer->db, on_commit, s);
    store_writer_connection = s->writer;
    while ((group = take_group(s))) {
        write_group(s, group);
        fold_log(s, false);
    }
    return NULL;
}
