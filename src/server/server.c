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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS 20
#define LOADER_STOP_MS 1000

struct server {
    worker_shared shared;
    app *app;
    loader *loader;
    host_functions host;
    admin *admin; /* or NULL */
    middleware_set *middleware;
    middleware **chains;
    size_t chain_count;
    middleware *default_chain;
    events *events;
    atomic_size_t next_event; /* counts the events, which the workers take in turn */
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

/* As many files as the system lets us have: each connection is one. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void on_loaded(function *f, const error *problem, void *arg)
{
    server *s = arg;

    if (problem)
        error_log_write(s->shared.errors, f->name, NULL, slice_str(error_text(problem)));
    for (size_t i = 0; i < s->worker_count; i++)
        worker_tell_loaded(s->workers[i]);
}

static int open_logs(server *s, const char *path, error *err)
{
    int rc = log_writer_create(&s->shared.errors, STDERR_FILENO, err);

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

static int make_workers(server *s, const char *listen_at, size_t count, error *err)
{
    int fds[LIMIT_WORKERS];
    int rc = listener_open(listen_at, fds, count, s->address, err);
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
    for (; i < count; i++)
        close(fds[i]);
    return rc;
}

static sigset_t stop_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    return signals;
}

/* The signals that stop the server are waited for, and must find no other thread. */
static void set_up_signals(void)
{
    sigset_t signals = stop_signals();

    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static function *find_function(void *a, slice name)
{
    return app_function(a, name);
}

static int make_chain(server *s, const function *f, middleware **out, error *err)
{
    static const config_list none;
    const middleware_options options = {
        .use = app_middleware(s->app, f),
        .route = f ? f->route : "",
        .methods = f ? &f->methods : &none,
        .find = find_function,
        .arg = s->app,
    };

    return middleware_create(out, s->middleware, &options, err);
}

/* Makes the middleware of each function that has a route, and of what no function answers. */
static int make_middleware(server *s, error *err)
{
    const function *f = app_functions(s->app, &s->chain_count);
    int rc = middleware_set_create(&s->middleware, &app_config(s->app)->middleware, app_path(s->app),
                                   err);

    s->chains = calloc(s->chain_count + 1, sizeof(middleware *));
    if (!s->chains)
        return error_set(err, E_NO_MEMORY, "out of memory for middleware");
    for (size_t i = 0; i < s->chain_count && rc == 0; i++)
        rc = f[i].route ? make_chain(s, &f[i], &s->chains[i], err) : 0;
    rc = rc ? rc : make_chain(s, NULL, &s->default_chain, err);
    s->shared.chains = s->chains;
    s->shared.default_chain = s->default_chain;
    return rc;
}

static void deliver(delivery *d, void *arg)
{
    server *s = arg;
    size_t n = atomic_fetch_add_explicit(&s->next_event, 1, memory_order_relaxed);

    event_run_send(s->workers[n % s->worker_count], s->events, d);
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
    const config *c = app_config(a);
    const char *listen_at = o->listen ? o->listen : c->listen;
    size_t count = o->has_workers ? o->workers : c->workers;
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
    raise_file_limit();
    set_up_signals();
    s->workers = calloc(count, sizeof *s->workers);
    s->slots = calloc(count, sizeof *s->slots);
    rc = s->workers && s->slots ? 0 : error_set(err, E_NO_MEMORY, "out of memory for a server");
    rc = rc ? rc : open_logs(s, o->access_log, err);
    rc = rc ? rc : make_workers(s, listen_at, count, err);
    rc = rc ? rc : make_middleware(s, err);
    rc = rc ? rc : host_functions_init(&s->host, err);
    rc = rc ? rc : app_open_services(a, err);
    rc = rc ? rc : make_events(s, err);
    rc = rc ? rc : start_admin(s, err);
    if (rc == 0) {
        *out = s;
        s = NULL;
    }
    server_destroy(s);
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

static int start(server *s, error *err)
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
    if (rc == 0 && s->events)
        rc = events_start(s->events, err);
    return rc;
}

/* Waits for the workers to end: true when they have, in time. A signal ends the process. */
static bool join_workers(server *s, const sigset_t *signals, unsigned ms)
{
    const struct timespec poll = {.tv_nsec = POLL_MS * 1000000L};

    for (unsigned waited = 0;; waited += POLL_MS) {
        while (s->started > 0 && pthread_tryjoin_np(s->workers[s->started - 1]->thread, NULL) == 0)
            s->started--;
        if (s->started == 0)
            return true;
        if (waited >= ms)
            return false;
        if (sigtimedwait(signals, NULL, &poll) > 0)
            _exit(1);
    }
}

static void stop(server *s, const sigset_t *signals)
{
    size_t cut_off = 0;
    char text[96];

    if (s->events)
        events_stop(s->events);
    for (size_t i = 0; i < s->started; i++)
        worker_drain(s->workers[i]);
    if (join_workers(s, signals, LIMIT_DRAIN_MS))
        return;
    for (size_t i = 0; i < s->started; i++)
        worker_stop(s->workers[i]);
    while (!join_workers(s, signals, LIMIT_DRAIN_MS))
        ;
    for (size_t i = 0; i < s->worker_count; i++)
        cut_off += atomic_load(&s->workers[i]->cut_off);
    snprintf(text, sizeof text, "stopped %zu calls that did not end within %d s", cut_off,
             LIMIT_DRAIN_MS / 1000);
    error_log_write(s->shared.errors, "ubiq", NULL, slice_str(text));
}

int server_run(server *s, error *err)
{
    sigset_t signals;
    int got, rc;

    signals = stop_signals();
    rc = start(s, err);
    if (rc == 0)
        sigwait(&signals, &got);
    stop(s, &signals);
    pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
    return rc;
}

bool server_destroy(server *s)
{
    if (!s)
        return true;
    if (s->loader && !loader_stop(s->loader, LOADER_STOP_MS)) {
        log_writer_stop(s->shared.access);
        log_writer_stop(s->shared.errors);
        return false;
    }
    loader_destroy(s->loader);
    ticker_destroy(s->ticker);
    admin_destroy(s->admin);
    /* What is still being written reports to the workers, so they are the last to go. */
    for (size_t i = 0; i < s->worker_count; i++)
        mailbox_open_all(&s->workers[i]->mailbox);
    events_destroy(s->events);
    app_set_events(s->app, NULL);
    app_close_services(s->app);
    for (size_t i = 0; i < s->worker_count; i++)
        worker_destroy(s->workers[i]);
    for (size_t i = 0; s->chains && i < s->chain_count; i++)
        middleware_destroy(s->chains[i]);
    middleware_destroy(s->default_chain);
    middleware_set_destroy(s->middleware);
    free(s->chains);
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
