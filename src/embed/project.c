#include "embed/embed_internal.h"

#include <limits.h>
#include <stdlib.h>
#include <time.h>

#define POLL_MS 1 /* for threads that were about to begin a call when the project was stopped */

static _Thread_local unsigned callbacks; /* that are running in this thread */

void callback_begin(void)
{
    callbacks++;
}

void callback_end(void)
{
    callbacks--;
}

bool callback_runs(void)
{
    return callbacks > 0;
}

bool project_enter(ubiq_project *p)
{
    atomic_fetch_add(&p->under_way, 1);
    if (!atomic_load(&p->stopping))
        return true;
    project_leave(p);
    return false;
}

void project_leave(ubiq_project *p)
{
    atomic_fetch_sub(&p->under_way, 1);
}

/* --- The log --- */

/* Whether the line that begins here goes on with the one before it. */
static bool goes_on(const char *line)
{
    return *line == ' ';
}

/* Hands on each line with those that go on with it. */
static void on_log(void *arg, int level, const char *lines, size_t len)
{
    const ubiq_project *p = arg;
    const char *end = lines + len;

    if (!p->log)
        return;
    callback_begin();
    while (lines < end) {
        const char *stop = memchr(lines, '\n', (size_t)(end - lines));

        while (stop && stop + 1 < end && goes_on(stop + 1))
            stop = memchr(stop + 1, '\n', (size_t)(end - stop - 1));
        stop = stop ? stop : end;
        p->log(p->log_user, (enum ubiq_log_level)level, lines, (size_t)(stop - lines));
        lines = stop + 1;
    }
    callback_end();
}

/* --- Opening --- */

static int code_of(int rc)
{
    switch (rc) {
    case E_NOT_FOUND:
        return UBIQ_NOT_FOUND;
    case E_DENIED:
        return UBIQ_DENIED;
    case E_INVALID:
        return UBIQ_INVALID;
    case E_TOO_LARGE:
        return UBIQ_TOO_LARGE;
    case E_TIMEOUT:
        return UBIQ_TIMEOUT;
    case E_BUSY:
        return UBIQ_BUSY;
    case E_IO:
        return UBIQ_IO;
    case E_NO_MEMORY:
        return UBIQ_NO_MEMORY;
    default:
        return UBIQ_FAILED;
    }
}

static int open_parts(ubiq_project *p, const char *directory, const ubiq_options *o, error *err)
{
    const server_options options = {
        .listen = o->listen,
        .no_listener = !o->listen,
        .no_admin = true,
        .has_workers = o->workers > 0,
        .workers = o->workers,
        .access_log = o->access_log ? o->access_log : "off",
        .holds_events = o->hold_events,
        .log = on_log,
        .log_arg = p,
    };
    int rc =
        app_open(&p->app, directory, o->environment ? o->environment : ENVIRONMENT_PRODUCTION, err);

    rc = rc ? rc : server_create(&p->server, p->app, &options, err);
    if (rc)
        return rc;
    rc = server_start(p->server, err);
    if (rc)
        server_stop(p->server, 0);
    return rc;
}

/* Frees it, once it has been stopped, or never was begun. */
static void destroy(ubiq_project *p)
{
    server_destroy(p->server, UINT_MAX);
    app_close(p->app);
    pthread_mutex_destroy(&p->stop_lock);
    free(p);
}

static int open_project(ubiq_project **out, const char *directory, const ubiq_options *o,
                        error *err)
{
    ubiq_project *p;
    int rc;

    if (o->size != sizeof *o)
        return error_set(err, E_INVALID,
                         "the size of the options is not sizeof(ubiq_options): a "
                         "program and its libubiq are of one version");
    if (!(p = calloc(1, sizeof *p)))
        return error_set(err, E_NO_MEMORY, "out of memory for a project");
    p->log = o->log;
    p->log_user = o->log_user;
    atomic_init(&p->under_way, 0);
    atomic_init(&p->stopping, false);
    pthread_mutex_init(&p->stop_lock, NULL);
    rc = open_parts(p, directory, o, err);
    if (rc)
        destroy(p);
    else
        *out = p;
    return rc;
}

EXPORT int ubiq_project_open(ubiq_project **out, const char *directory, const ubiq_options *options,
                             char **error_text_out)
{
    static const ubiq_options defaults = {.size = sizeof defaults};
    error err = {0};
    quiet q;
    int rc;

    *out = NULL;
    if (error_text_out)
        *error_text_out = NULL;
    quiet_begin(&q);
    rc = open_project(out, directory, options ? options : &defaults, &err);
    quiet_end(&q);
    if (rc && error_text_out)
        *error_text_out = strdup(error_text(&err));
    error_deinit(&err);
    return rc ? code_of(rc) : UBIQ_OK;
}

EXPORT void ubiq_text_free(char *text)
{
    free(text);
}

EXPORT const char *ubiq_version(void)
{
    return UBIQ_VERSION;
}

EXPORT const char *ubiq_project_address(const ubiq_project *p)
{
    return server_address(p->server);
}

/* --- Stopping --- */

/* All calls end: those that a worker did not come to any more are told so here. */
static void stop(ubiq_project *p, uint32_t drain_ms)
{
    const struct timespec poll = {.tv_nsec = POLL_MS * 1000000L};

    atomic_store(&p->stopping, true);
    server_stop(p->server, drain_ms);
    server_open_mail(p->server);
    while (atomic_load(&p->under_way) > 0) {
        nanosleep(&poll, NULL);
        server_open_mail(p->server);
    }
    p->stopped = true;
}

EXPORT int ubiq_project_stop(ubiq_project *p, uint32_t drain_ms)
{
    quiet q;

    if (callback_runs())
        return UBIQ_INVALID;
    quiet_begin(&q);
    pthread_mutex_lock(&p->stop_lock);
    if (!p->stopped)
        stop(p, drain_ms);
    pthread_mutex_unlock(&p->stop_lock);
    quiet_end(&q);
    return UBIQ_OK;
}

EXPORT int ubiq_project_free(ubiq_project *p)
{
    quiet q;

    if (callback_runs())
        return UBIQ_INVALID;
    if (!p)
        return UBIQ_OK;
    ubiq_project_stop(p, 0);
    quiet_begin(&q);
    destroy(p);
    quiet_end(&q);
    return UBIQ_OK;
}
