#include "server/server_internal.h"

#include "extism/engine.h"
#include "server/error_log.h"
#include "server/limits.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

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
    s->shared.kept_calls = LIMIT_KEPT_CALLS_IN_ALL / count;
    s->holds_events = o->holds_events;
    s->workers = calloc(count, sizeof *s->workers);
    s->slots = calloc(count, sizeof *s->slots);
    rc = s->workers && s->slots ? 0 : error_set(err, E_NO_MEMORY, "out of memory for a server");
    rc = rc ? rc : server_open_logs(s, o, err);
    rc = rc ? rc : server_make_workers(s, o, count, err);
    rc = rc ? rc : middleware_chains_create(&s->middleware, a, err);
    s->shared.middleware = s->middleware;
    rc = rc ? rc : host_functions_init(&s->host, err);
    rc = rc ? rc : app_open_services(a, err);
    rc = rc ? rc : server_make_events(s, err);
    if (rc == 0 && !o->no_admin)
        rc = server_start_admin(s, err);
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
