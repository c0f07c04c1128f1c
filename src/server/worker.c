#include "server/worker_internal.h"

#include "base/clock.h"
#include "server/error_log.h"
#include "server/limits.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define SWEEP_MS 100
#define ACCEPTS_IN_TURN 64
#define TELL_AGAIN_NS UINT64_C(60000000000)

static const struct timeval sweep_period = {.tv_usec = SWEEP_MS * 1000};

#define OTHER_LANE 0

static size_t lane_of(const function *f)
{
    return f ? f->index + 1 : OTHER_LANE;
}

void worker_queue(worker *w, const function *f, task *t)
{
    lanes_add(&w->lanes, lane_of(f), t);
}

bool worker_has_time_for(worker *w, const function *f)
{
    uint64_t now = clock_ns();

    if (w->turn_until == 0)
        w->turn_until = now + LIMIT_RUN_US * 1000;
    return now < w->turn_until && !lanes_is_busy(&w->lanes, lane_of(f));
}

void worker_bury(worker *w, connection *c)
{
    c->next = w->dead;
    w->dead = c;
}

static void free_dead(worker *w)
{
    while (w->dead) {
        connection *c = w->dead;

        w->dead = c->next;
        connection_free(c);
    }
}

/* Gives those that are ready their turns, until it is time to look at the sockets again. */
static void run_tasks(worker *w)
{
    uint64_t now = clock_ns(), before;
    task *t;

    w->turn_until = now + LIMIT_RUN_US * 1000;
    while (now < w->turn_until && (t = lanes_take(&w->lanes))) {
        before = now;
        t->run(t);
        now = clock_ns();
        lanes_charge(&w->lanes, now - before);
    }
}

/* The bits of a counter, well mixed: no two numbers give the same. */
static uint64_t mix(uint64_t n)
{
    n = (n ^ n >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    n = (n ^ n >> 27) * UINT64_C(0x94d049bb133111eb);
    return n ^ n >> 31;
}

void worker_next_id(worker *w, char out[INVOCATION_ID_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    uint64_t n = mix(w->id_seed + w->id_count++ * UINT64_C(0x9e3779b97f4a7c15));

    for (size_t i = 0; i < INVOCATION_ID_BYTES - 1; i++)
        out[i] = hex[n >> (60 - 4 * i) & 15];
    out[INVOCATION_ID_BYTES - 1] = '\0';
}

/* The oldest of the connections that have not sent anything though they had the time to, or NULL. */
static timer *longest_silent(const worker *w)
{
    timer *oldest = timers_first(&w->timers, TIMER_SILENT);
    uint64_t left_ms = LIMIT_SILENT_MS - LIMIT_SILENT_LEAST_MS;

    return oldest && oldest->at_ns <= clock_ns() + left_ms * 1000000 ? oldest : NULL;
}

/* Makes room by closing the connection that was idle or else silent for longest; false when none is. */
static bool close_longest_idle(worker *w)
{
    timer *oldest = timers_first(&w->timers, TIMER_IDLE);

    if (!oldest)
        oldest = longest_silent(w);
    if (oldest)
        connection_close(connection_of(oldest));
    return oldest != NULL;
}

/* Whether there may be one more connection. */
static bool has_room(worker *w)
{
    return w->connections < LIMIT_CONNECTIONS || close_longest_idle(w);
}

/* Says why clients have to wait, which they do until it is over. */
static void tell_shortage(worker *w, int why)
{
    uint64_t now = clock_ns();
    char text[160];

    if (w->told_shortage_ns && now - w->told_shortage_ns < TELL_AGAIN_NS)
        return;
    w->told_shortage_ns = now;
    snprintf(text, sizeof text, "new connections wait: %s%s", strerrordesc_np(why),
             why == EMFILE ? ": more than ulimit -n allows the process" : "");
    error_log_write(w->shared->errors, "ubiq", NULL, slice_str(text));
}

static void stop_accepting(worker *w)
{
    if (w->accepting)
        event_del(&w->acceptable);
    w->accepting = false;
}

static bool may_try_again(int number)
{
    return number == EAGAIN || number == EWOULDBLOCK || number == EINTR || number == ECONNABORTED;
}

static void on_acceptable(evutil_socket_t fd, short what, void *arg)
{
    worker *w = arg;

    (void)what;
    for (int n = 0; n < ACCEPTS_IN_TURN; n++) {
        struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
        socklen_t len = sizeof from;
        bool room = has_room(w);
        int client = room ? accept4(fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC)
                          : -1;
        int why = room ? errno : EMFILE;

        if (client >= 0) {
            connection_create(w, client, &from);
            continue;
        }
        if (may_try_again(why)) {
            if (why == EAGAIN || why == EWOULDBLOCK)
                break;
            continue;
        }
        if (room && why == EMFILE && close_longest_idle(w))
            continue;
        /* Out of connections, descriptors or memory: the sweep begins anew. */
        if (room)
            tell_shortage(w, why);
        stop_accepting(w);
        break;
    }
    worker_watch(w);
}

static void expire(worker *w, uint64_t now)
{
    for (unsigned kind = 0; kind < w->timers.kinds; kind++) {
        timer *t;

        while ((t = timers_first(&w->timers, kind)) && t->at_ns <= now)
            connection_expire(connection_of(t));
    }
    for (unsigned kind = 0; kind < w->call_timers.kinds; kind++) {
        timer *t;

        while ((t = timers_first(&w->call_timers, kind)) && t->at_ns <= now)
            invocation_expire(invocation_of(t));
    }
}

/* Now and then, while there is something to look at: deadlines, and the log's lines. */
static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
    worker *w = arg;
    uint64_t now = clock_ns();

    (void)fd, (void)what;
    expire(w, now);
    kept_calls_end_idle(&w->kept, now);
    access_log_flush(&w->log);
    if (w->listen_fd >= 0 && !w->accepting && event_add(&w->acceptable, NULL) == 0)
        w->accepting = true;
    if (w->connections > 0 || w->calls > 0 || w->kept.count > 0 ||
        (w->listen_fd >= 0 && !w->accepting))
        evtimer_add(&w->sweep, &sweep_period);
}

void worker_watch(worker *w)
{
    if (!evtimer_pending(&w->sweep, NULL))
        evtimer_add(&w->sweep, &sweep_period);
}

static void close_idle(worker *w)
{
    static const enum connection_timer kinds[] = {TIMER_IDLE, TIMER_SILENT, TIMER_HEAD};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        timer *t = timers_first(&w->timers, kinds[i]), *next;

        for (; t; t = next) {
            next = timers_next(&w->timers, kinds[i], t);
            if (connection_is_idle(connection_of(t)))
                connection_close(connection_of(t));
        }
    }
}

static void close_all(worker *w)
{
    timer *t;

    for (unsigned kind = 0; kind < w->timers.kinds; kind++) {
        while ((t = timers_first(&w->timers, kind)))
            connection_close(connection_of(t));
    }
    for (unsigned kind = 0; kind < w->call_timers.kinds; kind++) {
        while ((t = timers_first(&w->call_timers, kind)))
            invocation_expire(invocation_of(t));
    }
}

/* Those that the system has accepted already are served. */
static void begin_drain(worker *w)
{
    if (w->accepting)
        on_acceptable(w->listen_fd, EV_READ, w);
    stop_accepting(w);
    w->draining = true;
    if (w->listen_fd >= 0)
        close(w->listen_fd);
    w->listen_fd = -1;
    close_idle(w);
}

static void on_mail(evutil_socket_t fd, short what, void *arg)
{
    worker *w = arg;
    uint64_t count;

    (void)what;
    if (read(fd, &count, sizeof count) < 0)
        return;
    invocation_resume_waiting(w);
    mailbox_open_all(&w->mailbox);
    if (atomic_load(&w->wants_drain) && !w->draining)
        begin_drain(w);
    if (atomic_load(&w->wants_stop)) {
        atomic_store(&w->cut_off, w->calls);
        w->stopping = true;
    }
}

static void *run(void *arg)
{
    worker *w = arg;
    store *kept = app_services(w->shared->app)->store;

    outbound_use(&w->outbound);
    /* Without room for that, each read pays for itself. */
    if (kept && store_share_reads(kept, NULL) != 0)
        kept = NULL;
    while (!w->stopping && !(w->draining && w->connections == 0 && w->calls == 0)) {
        bool idle = lanes_is_empty(&w->lanes);

        if (idle)
            ticker_idle(w->ticker_slot);
        w->turn_until = 0;
        event_base_loop(w->base, EVLOOP_ONCE | (idle ? 0 : EVLOOP_NONBLOCK));
        if (!lanes_is_empty(&w->lanes))
            run_tasks(w);
        store_end_turn(kept);
        free_dead(w);
    }
    close_all(w);
    store_end_turn(kept);
    free_dead(w);
    kept_calls_deinit(&w->kept);
    ticker_idle(w->ticker_slot);
    access_log_flush(&w->log);
    return NULL;
}

void worker_send_mail(void *arg)
{
    const uint64_t one = 1;
    const worker *w = arg;

    /* It fails only when so much mail is there that the worker wakes up anyway. */
    if (write(w->mail_fd, &one, sizeof one) < 0)
        return;
}

/* Nobody else uses the loop, so it needs no locks; other threads send mail. */
int worker_make_loop(worker *w, error *err)
{
    struct event_config *settings = event_config_new();

    if (settings && event_config_set_flag(settings, EVENT_BASE_FLAG_NOLOCK) == 0)
        w->base = event_base_new_with_config(settings);
    if (settings)
        event_config_free(settings);
    w->mail_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!w->base || w->mail_fd < 0)
        return error_set(err, E_NO_MEMORY, "no event loop for a worker");
    event_assign(&w->acceptable, w->base, w->listen_fd, EV_READ | EV_PERSIST, on_acceptable, w);
    event_assign(&w->mail, w->base, w->mail_fd, EV_READ | EV_PERSIST, on_mail, w);
    evtimer_assign(&w->sweep, w->base, on_sweep, w);
    w->accepting = w->listen_fd >= 0;
    if ((w->accepting && event_add(&w->acceptable, NULL) != 0) || event_add(&w->mail, NULL) != 0)
        return error_set(err, E_NO_MEMORY, "no event loop for a worker");
    return outbound_init(&w->outbound, w->base, err);
}

int worker_start(worker *w, error *err)
{
    if (pthread_create(&w->thread, NULL, run, w) != 0)
        return error_set(err, E_NO_MEMORY, "no thread for a worker");
    pthread_setname_np(w->thread, "ubiq-worker");
    return 0;
}

void worker_tell_loaded(worker *w)
{
    if (atomic_load(&w->awaiting_code) > 0)
        worker_send_mail(w);
}

void worker_drain(worker *w)
{
    atomic_store(&w->wants_drain, true);
    worker_send_mail(w);
}

void worker_stop(worker *w)
{
    atomic_store(&w->wants_stop, true);
    worker_send_mail(w);
}
