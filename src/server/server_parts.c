#include "server/server_internal.h"

#include "server/error_log.h"
#include "server/event_run.h"
#include "server/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int server_open_logs(server *s, const server_options *o, error *err)
{
    const char *path = o->access_log;
    int rc = o->log ? log_writer_create_for(&s->shared.errors, o->log, o->log_arg, err)
                    : log_writer_create(&s->shared.errors, STDERR_FILENO, err);

    if (rc || (path && strcmp(path, "off") == 0))
        return rc;
    s->access_fd = STDOUT_FILENO;
    if (path && strcmp(path, "-") != 0) {
        s->access_fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
        if (s->access_fd < 0)
            return error_set(err, E_IO, "cannot write the access log %s: %s", path,
                             strerrordesc_np(errno));
        s->owns_access_fd = true;
    }
    return log_writer_create(&s->shared.access, s->access_fd, err);
}

/* Opens a listening socket for each worker, if there are to be any. */
static int open_listeners(server *s, const server_options *o, int *fds, size_t count, error *err)
{
    const char *listen_at = o->listen ? o->listen : app_config(s->app)->listen;

    if (!o->no_listener)
        return listener_open(listen_at, false, fds, count, s->address, err);
    for (size_t i = 0; i < count; i++)
        fds[i] = -1;
    return 0;
}

int server_make_workers(server *s, const server_options *o, size_t count, error *err)
{
    int fds[LIMIT_WORKERS];
    int rc = open_listeners(s, o, fds, count, err);
    size_t i = 0;

    if (rc)
        return rc;
    for (; i < count && rc == 0; i++) {
        rc = worker_create(&s->workers[i], &s->shared, fds[i], err);
        if (rc == 0) {
            s->slots[i] = s->workers[i]->ticker_slot;
            s->worker_count++;
        }
    }
    for (; i < count; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
    return rc;
}

static void deliver(delivery *d, void *arg)
{
    server *s = arg;

    event_run_send(server_next_worker(s), s->events, d);
}

static void on_stalled(const error *why, void *arg)
{
    server *s = arg;
    char text[1024];

    snprintf(text, sizeof text, "events are not delivered for now: %s", error_text(why));
    error_log_write(s->shared.errors, "ubiq", NULL, slice_str(text));
}

int server_make_events(server *s, error *err)
{
    const config *c = app_config(s->app);
    events_options options = {
        .store = app_services(s->app)->store,
        .trigger_count = c->trigger_count,
        .time_zone = c->time_zone,
        .limits = services_events_limits(c),
        .deliver = deliver,
        .stalled = on_stalled,
        .arg = s,
    };
    trigger *triggers;
    int rc;

    if (!options.store)
        return 0;
    if (!(triggers = calloc(c->trigger_count + 1, sizeof *triggers)))
        return error_set(err, E_NO_MEMORY, "out of memory for triggers");
    for (size_t i = 0; i < c->trigger_count; i++)
        triggers[i] = (trigger){.pattern = c->triggers[i].pattern,
                                .is_cron = c->triggers[i].is_cron,
                                .function = c->triggers[i].function};
    options.triggers = triggers;
    rc = events_create(&s->events, &options, err);
    free(triggers);
    if (rc == 0)
        app_set_events(s->app, s->events);
    return rc;
}

int server_start_admin(server *s, error *err)
{
    const admin_options options = {
        .app = s->app,
        .workers = s->workers,
        .worker_count = s->worker_count,
        .project = app_path(s->app),
        .listen = app_config(s->app)->admin_listen,
    };
    int rc;

    if (strcmp(options.listen, "off") == 0)
        return 0;
    rc = admin_create(&s->admin, &options, err);
    if (rc == E_DENIED || rc == E_IO) {
        error_prefix(err, "without an admin listener");
        error_log_write_line(s->shared.errors, ERROR_LOG_WARN, "ubiq", NULL,
                             slice_str(error_text(err)), slice_of(NULL, 0));
        error_deinit(err);
        rc = 0;
    }
    return rc;
}
