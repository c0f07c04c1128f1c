#include "services/storage_internal.h"

#include <signal.h>
#include <stdlib.h>

/* The next job; NULL once there is none and none will come. */
static storage_job *take(storage *s)
{
    storage_job *j;

    pthread_mutex_lock(&s->lock);
    while (!s->first && !s->stopping)
        pthread_cond_wait(&s->more, &s->lock);
    j = s->first;
    if (j) {
        s->first = j->next;
        if (!s->first)
            s->end = &s->first;
    }
    pthread_mutex_unlock(&s->lock);
    return j;
}

static void *run(void *arg)
{
    storage *s = arg;
    storage_job *j;

    while ((j = take(s)))
        j->run(j);
    return NULL;
}

/* Signals are for the threads that expect them. */
int storage_jobs_start(storage *s, error *err)
{
    sigset_t all, before;
    int rc = 0;

    s->end = &s->first;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (rc == 0 && s->thread_count < LIMIT_STORAGE_THREADS) {
        if (pthread_create(&s->threads[s->thread_count], NULL, run, s) == 0)
            s->thread_count++;
        else
            rc = error_set(err, E_NO_MEMORY, "no thread for the storage");
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

void storage_jobs_stop(storage *s)
{
    pthread_mutex_lock(&s->lock);
    while (s->jobs > 0)
        pthread_cond_wait(&s->idle, &s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->more);
    pthread_mutex_unlock(&s->lock);
    for (size_t i = 0; i < s->thread_count; i++)
        pthread_join(s->threads[i], NULL);
}

/* Counts a job with so many bytes to write, if they may wait. */
static bool add_job(storage *s, size_t bytes)
{
    bool may;

    pthread_mutex_lock(&s->lock);
    may = bytes == 0 || s->waiting_bytes == 0 ||
          s->waiting_bytes + bytes <= LIMIT_STORAGE_WAITING_BYTES;
    if (may) {
        s->jobs++;
        s->waiting_bytes += bytes;
    }
    pthread_mutex_unlock(&s->lock);
    return may;
}

static void remove_job(storage *s, size_t bytes)
{
    pthread_mutex_lock(&s->lock);
    s->waiting_bytes -= bytes;
    if (--s->jobs == 0)
        pthread_cond_signal(&s->idle);
    pthread_mutex_unlock(&s->lock);
}

storage_job *storage_job_create(storage *s, storage_operation *o)
{
    slice data = o->verb == STORAGE_WRITE ? o->data : slice_str(NULL);
    storage_job *j;

    if (!add_job(s, data.len)) {
        operation_fail(&o->op, SERVICE_BUSY,
                       "storage: too much waits to be written to the disk: try again later");
        return NULL;
    }
    j = malloc(sizeof *j + o->path.len + data.len);
    if (!j) {
        remove_job(s, data.len);
        operation_fail(&o->op, SERVICE_UNAVAILABLE, "storage: out of memory");
        return NULL;
    }
    *j = (storage_job){.storage = s, .operation = o, .size = data.len};
    memcpy(j->bytes, o->path.data, o->path.len);
    if (data.len)
        memcpy(j->bytes + o->path.len, data.data, data.len);
    j->path = slice_of(j->bytes, o->path.len);
    j->data = slice_of(j->bytes + o->path.len, data.len);
    return j;
}

void storage_job_push(storage_job *j, void (*run_job)(storage_job *j))
{
    storage *s = j->storage;

    j->run = run_job;
    j->next = NULL;
    pthread_mutex_lock(&s->lock);
    *s->end = j;
    s->end = &j->next;
    pthread_cond_signal(&s->more);
    pthread_mutex_unlock(&s->lock);
}

void storage_job_end(storage_job *j)
{
    storage *s = j->storage;
    size_t bytes = j->data.len;

    free(j);
    remove_job(s, bytes);
}
