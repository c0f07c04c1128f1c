#include "server/server.h"

#include "app/host_functions.h"
#include "extism/engine.h"
#include "server/admin.h"
#include "server/error_log.h"
#include "server/event_run.h"
#include "server/limits.h"
#include "server/listener.h"
#include "server/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct server {
    worker_shared shared;
    app *app;
    loader *loader;
    host_functions host;
    admin *admin; /* or NULL */
    middleware_chains *middleware;
    events *events;
    bool holds_events;
    atomic_size_t next_turn; /* counts what the workers take in turn */
    ticker *ticker;
    ticker_slot **slots;
    worker **workers;
    size_t worker_count; /* made */
    size_t started;
    int access_fd;
    bool owns_access_fd;
    char address[LISTENER_ADDRESS_BYTES];
};

static size_t count_cores(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) < 1)
        return 1;
    return (size_t)CPU_COUNT(&set) < LIMIT_WORKERS ? (size_t)CPU_COUNT(&set) : LIMIT_WORKERS;
}

static void on_loaded(function *f, const error *problem, void *arg)
{
    server *s = arg;

    if (problem)
        error_log_write(s->shared.errors, f->name, NULL, slice_str(error_text(problem)));
    for (size_t i = 0; i < s->worker_count; i++)
        worker_tell_loaded(s->workers[i]);
}

static int open_logs(server *s, const server_options *o, error *err)
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

static int make_workers(server *s, const server_options *o, size_t count, error *err)
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

/* Makes what delivers events to functions. */
static int make_events(server *s, error *err)
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

/* A project that can be served without it is. */
static int start_admin(server *s, error *err)
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
        error_log_write_line(s->shared.errors, ERROR_LOG_WARN, "ubiq", NULL, slice_str(error_text(err)),
                             slice_of(NULL, 0));
        error_deinit(err);
        rc = 0;
    }
    return rc;
}

int server_create(server **out, app *a, const server_options *o, error *err)
{
    size_t count = o->has_workers ? o->workers : app_config(a)->workers;
    server *s = calloc(1, sizeof *s);
    int rc;

    *out = NULL;
    if (!s)
        return error_set(err, E_NO_MEMORY, "out of memory for a server");
    if (count == 0 || count > LIMIT_WORKERS)
        count = count_cores();
    s->app = a;
    s->shared.app = a;
    s->shared.request_bytes = app_most_request_bytes(a);
    s->shared.response_bytes = app_most_response_bytes(a);
    s->holds_events = o->holds_events;
    s->workers = calloc(count, sizeof *s->workers);
    s->slots = calloc(count, sizeof *s->slots);
    rc = s->workers && s->slots ? 0 : error_set(err, E_NO_MEMORY, "out of memory for a server");
    rc = rc ? rc : open_logs(s, o, err);
    rc = rc ? rc : make_workers(s, o, count, err);
    rc = rc ? rc : middleware_chains_create(&s->middleware, a, err);
    s->shared.middleware = s->middleware;
    rc = rc ? rc : host_functions_init(&s->host, err);
    rc = rc ? rc : app_open_services(a, err);
    rc = rc ? rc : make_events(s, err);
    if (rc == 0 && !o->no_admin)
        rc = start_admin(s, err);
    if (rc == 0) {
        *out = s;
        s = NULL;
    }
    server_destroy(s, 0);
    return rc;
}

const char *server_address(const server *s)
{
    return s->address;
}

const char *server_admin_address(const server *s)
{
    return s->admin ? admin_address(s->admin) : NULL;
}

unsigned server_worker_count(const server *s)
{
    return (unsigned)s->worker_count;
}

worker *server_next_worker(server *s)
{
    size_t n = atomic_fetch_add_explicit(&s->next_turn, 1, memory_order_relaxed);

    return s->workers[n % s->worker_count];
}

int server_start(server *s, error *err)
{
    const loader_options options = {
        .app = s->app,
        .code = {.http = &outbound_driver,
                 .functions = s->host.item,
                 .function_count = s->host.count},
        .loaded = on_loaded,
        .arg = s,
    };
    int rc = ticker_create(&s->ticker, s->slots, s->worker_count, err);
    error shortage = {0};

    s->shared.ticker = s->ticker;
    if (engine_set_instances(LIMIT_INSTANCES, &shortage) < LIMIT_INSTANCES)
        error_log_write(s->shared.errors, "ubiq", NULL, slice_str(error_text(&shortage)));
    error_deinit(&shortage);
    rc = rc ? rc : loader_create(&s->loader, &options, err);
    s->shared.loader = s->loader;
    for (size_t i = 0; i < s->worker_count && rc == 0; i++) {
        rc = worker_start(s->workers[i], err);
        if (rc == 0)
            s->started++;
    }
    if (rc == 0 && s->events && !s->holds_events)
        rc = events_start(s->events, err);
    return rc;
}

/* Waits for the workers to end: true when they have, in time. */
static bool join_workers(server *s, unsigned ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    while (s->started > 0 &&
           pthread_timedjoin_np(s->workers[s->started - 1]->thread, NULL, &until) == 0)
        s->started--;
    return s->started == 0;
}

void server_stop(server *s, unsigned drain_ms)
{
    size_t cut_off = 0;
    char text[96];

    if (s->events)
        events_stop(s->events);
    for (size_t i = 0; i < s->started; i++)
        worker_drain(s->workers[i]);
    if (join_workers(s, drain_ms))
        return;
    for (size_t i = 0; i < s->started; i++)
        worker_stop(s->workers[i]);
    while (!join_workers(s, LIMIT_DRAIN_MS))
        ;
    for (size_t i = 0; i < s->worker_count; i++)
        cut_off += atomic_load(&s->workers[i]->cut_off);
    if (cut_off == 0)
        return;
    snprintf(text, sizeof text, "stopped %zu calls that did not end within %g s", cut_off,
             drain_ms / 1000.0);
    error_log_write(s->shared.errors, "ubiq", NULL, slice_str(text));
}

void server_open_mail(server *s)
{
    for (size_t i = 0; i < s->worker_count; i++)
        mailbox_open_all(&s->workers[i]->mailbox);
}

bool server_destroy(server *s, unsigned ms)
{
    if (!s)
        return true;
    if (s->loader && !loader_stop(s->loader, ms)) {
        log_writer_stop(s->shared.access);
        log_writer_stop(s->shared.errors);
        return false;
    }
    loader_destroy(s->loader);
    ticker_destroy(s->ticker);
    admin_destroy(s->admin);
    /* Calls that were given up may have left writes behind: those need the services, and report to
     * the workers, which are the last to go. */
    server_open_mail(s);
    store_flush(app_services(s->app)->store);
    events_destroy(s->events);
    app_set_events(s->app, NULL);
    app_close_services(s->app);
    for (size_t i = 0; i < s->worker_count; i++)
        worker_destroy(s->workers[i]);
    middleware_chains_destroy(s->middleware);
    host_functions_deinit(&s->host);
    log_writer_destroy(s->shared.access);
    log_writer_destroy(s->shared.errors);
    if (s->owns_access_fd)
        close(s->access_fd);
    free(s->slots);
    free(s->workers);
    free(s);
    return true;
}
