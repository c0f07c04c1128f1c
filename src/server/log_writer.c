#include "server/log_writer.h"

#include "server/limits.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LAST_SECONDS 2

struct piece {
    struct piece *next;
    void *data;
    size_t len;
    int level;
};

struct log_writer {
    pthread_t thread;
    int fd;
    bool torn;            /* the thread's: half a line stands at the end */
    log_sink sink; /* in place of it, or NULL */
    void *arg;
    pthread_mutex_t lock; /* for what follows */
    pthread_cond_t more;
    struct piece *first;
    struct piece **end;
    size_t bytes;
    size_t dropped;
    bool stopping;
};

/* How much of it was written: less than all when the disk is full or nobody will ever read it. */
static size_t write_all(int fd, const char *data, size_t len)
{
    size_t put = 0;

    while (put < len) {
        ssize_t n = write(fd, data + put, len - put);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        put += (size_t)n;
    }
    return put;
}

static size_t count_lines(const char *data, size_t len)
{
    const char *end = data + len;
    size_t lines = 0;

    while (data < end && (data = memchr(data, '\n', (size_t)(end - data)))) {
        lines++;
        data++;
    }
    return lines;
}

/* Writes lines; how many were lost. What follows half a line begins a new one. */
static size_t write_lines(log_writer *w, int level, const char *data, size_t len)
{
    size_t put;

    if (w->sink) {
        w->sink(w->arg, level, data, len);
        return 0;
    }
    if (w->torn && write_all(w->fd, "\n", 1) != 1)
        return count_lines(data, len);
    put = write_all(w->fd, data, len);
    w->torn = put > 0 && put < len && data[put - 1] != '\n';
    return count_lines(data + put, len - put);
}

/* False when that cannot be written either. */
static bool tell_dropped(log_writer *w, size_t dropped)
{
    char line[64];
    int len = snprintf(line, sizeof line, "{\"dropped_lines\":%zu}\n", dropped);

    return write_lines(w, 0, line, (size_t)len) == 0;
}

static void *run(void *arg)
{
    log_writer *w = arg;

    pthread_mutex_lock(&w->lock);
    while (w->first || !w->stopping) {
        struct piece *p = w->first;
        size_t dropped = w->dropped;

        if (!p) {
            pthread_cond_wait(&w->more, &w->lock);
            continue;
        }
        w->first = p->next;
        if (!w->first)
            w->end = &w->first;
        w->dropped = 0;
        pthread_mutex_unlock(&w->lock);
        dropped += write_lines(w, p->level, p->data, p->len);
        if (dropped && tell_dropped(w, dropped))
            dropped = 0;
        pthread_mutex_lock(&w->lock);
        w->dropped += dropped;
        w->bytes -= p->len;
        free(p->data);
        free(p);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static int create(log_writer **out, int fd, log_sink sink, void *arg, error *err)
{
    log_writer *w = calloc(1, sizeof *w);

    *out = NULL;
    if (!w)
        return error_set(err, E_NO_MEMORY, "out of memory for a log");
    w->fd = fd;
    w->sink = sink;
    w->arg = arg;
    w->end = &w->first;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->more, NULL);
    if (pthread_create(&w->thread, NULL, run, w) != 0) {
        free(w);
        return error_set(err, E_NO_MEMORY, "no thread for a log");
    }
    *out = w;
    return 0;
}

int log_writer_create(log_writer **out, int fd, error *err)
{
    return create(out, fd, NULL, NULL, err);
}

int log_writer_create_for(log_writer **out, log_sink sink, void *arg, error *err)
{
    return create(out, -1, sink, arg, err);
}

void log_writer_put(log_writer *w, void *data, size_t len)
{
    log_writer_put_level(w, 0, data, len);
}

void log_writer_put_level(log_writer *w, int level, void *data, size_t len)
{
    struct piece *p = malloc(sizeof *p);

    pthread_mutex_lock(&w->lock);
    if (p && w->bytes + len <= LIMIT_LOG_BYTES) {
        *p = (struct piece){.data = data, .len = len, .level = level};
        *w->end = p;
        w->end = &p->next;
        w->bytes += len;
        p = NULL;
        data = NULL;
        pthread_cond_signal(&w->more);
    } else {
        w->dropped += count_lines(data, len);
    }
    pthread_mutex_unlock(&w->lock);
    free(p);
    free(data);
}

bool log_writer_stop(log_writer *w)
{
    struct timespec until;

    if (!w)
        return true;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_signal(&w->more);
    pthread_mutex_unlock(&w->lock);
    if (w->sink)
        return pthread_join(w->thread, NULL) == 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += LAST_SECONDS;
    return pthread_timedjoin_np(w->thread, NULL, &until) == 0;
}

void log_writer_destroy(log_writer *w)
{
    if (!w || !log_writer_stop(w))
        return;
    pthread_cond_destroy(&w->more);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
