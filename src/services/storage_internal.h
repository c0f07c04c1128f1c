#ifndef UBIQ_SERVICES_STORAGE_INTERNAL_H
#define UBIQ_SERVICES_STORAGE_INTERNAL_H

#include "services/limits.h"
#include "services/storage.h"
#include "services/usage.h"

#include <pthread.h>

/* What the files of the storage share.
 *
 * Contents never change: a write makes a new file, named by a number of its own. It begins in the
 * directory new/, is moved to one of 256 others when the row that names it is on disk, and the file
 * that it replaces is removed then. So what is in new/ is all that may be left of a process that was
 * killed; and a number that no row names any more stands in the table storage_garbage until its file
 * is removed. */

/* The contents on disk. */
typedef struct storage_files {
    int directory;
    int new_directory;
    int lock; /* shared by all who use the directory */
} storage_files;

/* What is to be done for one operation, by the threads for files, and after it. */
typedef struct storage_job {
    struct storage_job *next;
    void (*run)(struct storage_job *j); /* in one of those threads */
    store_write write;
    storage *storage;
    storage_operation *operation; /* not to be touched once it is finished */
    uint64_t number;              /* of the content that is read or written */
    uint64_t size;
    bool has_old; /* a content that is to be removed */
    uint64_t old;
    slice path;
    slice data;
    uint8_t bytes[];
} storage_job;

struct storage {
    store *store;
    storage_limits limits;
    usage usage; /* the store's writer's */
    storage_files files;
    pthread_t threads[LIMIT_STORAGE_THREADS];
    size_t thread_count;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t more;
    pthread_cond_t idle;
    storage_job *first;
    storage_job **end;
    size_t jobs;          /* that have not ended, */
    size_t waiting_bytes; /* and their contents */
    bool stopping;
};

typedef struct storage_row {
    bool is_there;
    uint64_t number;
    uint64_t size;
    int64_t modified; /* milliseconds since 1970 */
} storage_row;

/* storage_files.c; errors with errno's words, E_TOO_LARGE for a full disk. */

/* Opens the directory, which is made. */
int storage_files_open(storage_files *f, const char *path, error *err) MUST_CHECK;

/* Takes an all-zero one or one that was opened in part. */
void storage_files_close(storage_files *f);

/* Whether nobody else uses the directory; if so, nobody begins to until storage_files_share. */
bool storage_files_alone(storage_files *f);
void storage_files_share(storage_files *f);

/* Writes a new content, in new/, and sees it on disk; its number in `number`. */
int storage_files_write(storage_files *f, slice data, uint64_t *number, error *err) MUST_CHECK;

/* Moves a content out of new/. That fails without harm: readers look there too. */
void storage_files_settle(storage_files *f, uint64_t number);

/* Removes a content, wherever it is. */
void storage_files_remove(storage_files *f, uint64_t number);

/* Appends a content of `size` bytes to `out`. E_NOT_FOUND when there is none; E_INVALID when it has
 * another size; E_BUSY when `at_once` and it would have to be read from the disk. */
int storage_files_read(storage_files *f, uint64_t number, uint64_t size, bool at_once, buf *out,
                       error *err) MUST_CHECK;

/* Calls `each` for all contents in new/. */
int storage_files_each_new(storage_files *f, int (*each)(void *arg, uint64_t number, error *err),
                           void *arg, error *err) MUST_CHECK;

/* storage_rows.c */

/* Makes the tables. */
int storage_rows_define(storage *s, error *err) MUST_CHECK;

int storage_rows_find(storage *s, slice path, storage_row *out, error *err) MUST_CHECK;

/* The `apply` of a job that has written a content, of one that deletes a path, and of one that has
 * removed an old content. */
int storage_rows_apply_write(store_write *w, store *s, error *err);
int storage_rows_apply_delete(store_write *w, store *s, error *err);
int storage_rows_apply_removed(store_write *w, store *s, error *err);

/* Ends what a killed process began. */
int storage_rows_recover(storage *s, error *err) MUST_CHECK;

/* storage_list.c: STORAGE_STAT and STORAGE_LIST. */
bool storage_stat(storage *s, storage_operation *o);
bool storage_list(storage *s, storage_operation *o);

/* storage_jobs.c */

int storage_jobs_start(storage *s, error *err) MUST_CHECK;

/* Waits for all jobs, and ends the threads. */
void storage_jobs_stop(storage *s);

/* Makes a job with a copy of the operation's path and data. NULL when the operation has failed, as memory
 * ran out or too much waits to be written. */
storage_job *storage_job_create(storage *s, storage_operation *o);

/* Has a thread run it. */
void storage_job_push(storage_job *j, void (*run)(storage_job *j));

/* Frees it. */
void storage_job_end(storage_job *j);

#endif
