#include "services/storage_internal.h"

#include <stdlib.h>

#define LOOKS 4 /* for a content that is replaced again and again while it is looked for */

/* What is wrong with a path, or NULL; where, in `at`. */
static const char *path_problem(slice path, size_t *at)
{
    size_t name = 0; /* where it began */

    for (size_t i = 0; i <= path.len; i++) {
        uint8_t byte = i < path.len ? path.data[i] : '/';
        slice so_far = slice_of(path.data + name, i - name);

        *at = i;
        if (byte < 0x20 || byte == 0x7f)
            return "has a control character";
        /* U+0080 to U+009F */
        if (byte == 0xc2 && i + 1 < path.len && path.data[i + 1] < 0xa0)
            return "has a control character";
        if (byte != '/')
            continue;
        *at = name;
        if (so_far.len == 0)
            return "has an empty name: there is one slash between two names, and none at its ends";
        if (slice_equal_str(so_far, ".") || slice_equal_str(so_far, ".."))
            return "has \".\" or \"..\" as a name";
        name = i + 1;
    }
    return NULL;
}

/* Whether the path is none; the operation has failed then. */
static bool refuse_path(storage_operation *o)
{
    const char *problem;
    size_t at;

    if (o->path.len == 0)
        return operation_fail(&o->op, SERVICE_INVALID, "storage: the path is empty");
    if (o->path.len > LIMIT_STORAGE_PATH)
        return operation_fail(&o->op, SERVICE_TOO_LARGE,
                              "storage: a path of %zu bytes; the longest are of %d", o->path.len,
                              LIMIT_STORAGE_PATH);
    if (!slice_is_utf8(o->path))
        return operation_fail(&o->op, SERVICE_INVALID,
                              "storage: a path is UTF-8; this one is not from byte %zu on",
                              slice_utf8_prefix(o->path));
    problem = path_problem(o->path, &at);
    if (problem)
        return operation_fail(&o->op, SERVICE_INVALID, "storage: the path %s, at byte %zu", problem,
                              at);
    return false;
}

static bool not_found(storage_operation *o, slice path)
{
    return operation_fail(&o->op, SERVICE_NOT_FOUND, "storage: there is no file \"%.*s\"",
                          (int)path.len, (const char *)path.data);
}

/* Reads what `path` names now; E_BUSY when `at_once` and that would take a disk. */
static int read_current(storage *s, storage_operation *o, slice path, bool at_once, error *err)
{
    storage_row row;
    int rc = E_NOT_FOUND;

    for (int look = 0; look < LOOKS && rc == E_NOT_FOUND; look++) {
        rc = storage_rows_find(s, path, &row, err);
        if (rc)
            return rc;
        if (!row.is_there) {
            not_found(o, path);
            return 0;
        }
        if (row.size > o->op.result.max) {
            operation_fail(&o->op, SERVICE_TOO_LARGE,
                           "storage: a file of %llu bytes; at most %zu can be taken",
                           (unsigned long long)row.size, o->op.result.max);
            return 0;
        }
        if (at_once && row.size > LIMIT_STORAGE_AT_ONCE_BYTES)
            return E_BUSY;
        error_deinit(err);
        rc = storage_files_read(&s->files, row.number, row.size, at_once, &o->op.result, err);
    }
    return rc;
}

static void run_read(storage_job *j)
{
    storage_operation *o = j->operation;
    error err = {0};

    if (read_current(j->storage, o, j->path, false, &err) != 0)
        operation_unavailable(&o->op, &err);
    error_deinit(&err);
    storage_job_end(j);
    operation_finish(&o->op);
}

static bool read_file(storage *s, storage_operation *o)
{
    error err = {0};
    storage_job *j;
    int rc = read_current(s, o, o->path, true, &err);

    if (rc != E_BUSY || err.code) {
        if (rc)
            operation_unavailable(&o->op, &err);
        error_deinit(&err);
        return true;
    }
    j = storage_job_create(s, o);
    if (!j)
        return true;
    storage_job_push(j, run_read);
    return false;
}

static void end_removal(store_write *w, const error *err)
{
    /* If it could not be noted, the content is removed once more at the next start. */
    (void)err;
    storage_job_end((storage_job *)(void *)((char *)w - offsetof(storage_job, write)));
}

static void run_removal(storage_job *j)
{
    storage_files_remove(&j->storage->files, j->old);
    j->write = (store_write){.apply = storage_rows_apply_removed, .done = end_removal};
    store_submit(j->storage->store, &j->write);
}

static void run_settle(storage_job *j)
{
    storage_files_settle(&j->storage->files, j->number);
    if (j->has_old)
        run_removal(j);
    else
        storage_job_end(j);
}

static void run_discard(storage_job *j)
{
    storage_files_remove(&j->storage->files, j->number);
    storage_job_end(j);
}

/* The rows are on disk, or nothing has changed: the asker has its answer, and the contents follow. */
static void on_committed(store_write *w, const error *err)
{
    storage_job *j = (storage_job *)(void *)((char *)w - offsetof(storage_job, write));
    storage_operation *o = j->operation;
    bool is_write = o->verb == STORAGE_WRITE, done;

    if (err) {
        operation_restart(&o->op);
        operation_unavailable(&o->op, err);
    }
    done = o->op.code == SERVICE_OK;
    operation_finish(&o->op);
    if (is_write)
        storage_job_push(j, done ? run_settle : run_discard);
    else if (done && j->has_old)
        storage_job_push(j, run_removal);
    else
        storage_job_end(j);
}

static void submit_rows(storage_job *j, int (*apply)(store_write *w, store *s, error *err))
{
    j->write = (store_write){.apply = apply, .done = on_committed, .bytes = j->path.len};
    store_submit(j->storage->store, &j->write);
}

static void run_write(storage_job *j)
{
    storage_operation *o = j->operation;
    error err = {0};

    if (storage_files_write(&j->storage->files, j->data, &j->number, &err) == 0) {
        submit_rows(j, storage_rows_apply_write);
        return;
    }
    operation_unavailable(&o->op, &err);
    error_deinit(&err);
    storage_job_end(j);
    operation_finish(&o->op);
}

static bool write_file(storage *s, storage_operation *o)
{
    storage_job *j;

    if (o->data.len > s->limits.file_bytes)
        return operation_fail(&o->op, SERVICE_TOO_LARGE,
                              "storage: a file of %zu bytes; the largest are of %zu", o->data.len,
                              s->limits.file_bytes);
    j = storage_job_create(s, o);
    if (!j)
        return true;
    storage_job_push(j, run_write);
    return false;
}

static bool delete_file(storage *s, storage_operation *o)
{
    storage_job *j = storage_job_create(s, o);

    if (!j)
        return true;
    submit_rows(j, storage_rows_apply_delete);
    return false;
}

bool storage_submit(storage *s, storage_operation *o)
{
    if (o->verb == STORAGE_LIST)
        return storage_list(s, o);
    if (refuse_path(o))
        return true;
    switch (o->verb) {
    case STORAGE_WRITE:
        return write_file(s, o);
    case STORAGE_DELETE:
        return delete_file(s, o);
    case STORAGE_STAT:
        return storage_stat(s, o);
    default:
        return read_file(s, o);
    }
}

/* Opens what is on disk, and puts it in order if no other process is at work there. */
static int open_files(storage *s, const char *path, error *err)
{
    int rc = storage_rows_define(s, err);

    if (rc == 0)
        rc = storage_files_open(&s->files, path, err);
    if (rc)
        return rc;
    if (storage_files_alone(&s->files))
        rc = storage_rows_recover(s, err);
    storage_files_share(&s->files);
    return rc;
}

int storage_create(storage **out, store *s, const char *path, const storage_limits *limits,
                   error *err)
{
    storage *made = calloc(1, sizeof *made);
    error why = {0};
    int rc;

    *out = NULL;
    if (!made)
        return error_set(err, E_NO_MEMORY, "out of memory for the storage");
    made->store = s;
    made->limits = *limits;
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->more, NULL);
    pthread_cond_init(&made->idle, NULL);
    rc = open_files(made, path, &why);
    if (rc == 0)
        rc = storage_jobs_start(made, &why);
    if (rc == 0)
        rc = usage_init(&made->usage, s, "storage", &why);
    if (rc) {
        error_set(err, rc, "%s", error_text(&why));
        goto done;
    }
    *out = made;
    made = NULL;
done:
    error_deinit(&why);
    storage_destroy(made);
    return rc;
}

void storage_destroy(storage *s)
{
    if (!s)
        return;
    storage_jobs_stop(s);
    if (s->usage.service)
        store_detach(s->store, &s->usage.part);
    storage_files_close(&s->files);
    pthread_cond_destroy(&s->idle);
    pthread_cond_destroy(&s->more);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
