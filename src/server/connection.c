#include "server/connection.h"

#include "base/clock.h"
#include "server/input.h"
#include "server/limits.h"
#include "server/local.h"
#include "server/reply.h"
#include "server/worker.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

connection *connection_of(timer *t)
{
    return (connection *)(void *)((char *)t - offsetof(connection, timer));
}

static void set_timer(connection *c, enum connection_timer kind)
{
    timers_set(&c->worker->timers, &c->timer, kind, clock_ns());
}

/* Reads what has come, for requests and for noticing that the client has gone. */
static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    connection *c = arg;
    uint8_t *to = c->worker->scratch;
    size_t room = WORKER_SCRATCH_BYTES;
    ssize_t n;

    (void)fd, (void)what;
    /* A body of known length goes straight to where it is needed. */
    if (c->state == CONNECTION_BODY && c->need > c->in.len) {
        if (buf_reserve(&c->in, c->need - c->in.len) != 0) {
            connection_close(c);
            return;
        }
        to = c->in.data + c->in.len;
        room = c->need - c->in.len;
    }
    n = read(c->fd, to, room);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        connection_close(c);
        return;
    }
    if (c->state == CONNECTION_LINGER)
        return;
    if (to == c->worker->scratch)
        input_take(c, to, (size_t)n);
    else
        input_arrived(c, (size_t)n);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    connection *c = arg;

    (void)fd, (void)what;
    reply_continue(c);
    if (!c->closed && c->state == CONNECTION_HEAD)
        input_resume(c);
}

static void run(task *t)
{
    connection *c = (connection *)(void *)((char *)t - offsetof(connection, task));

    if (c->state == CONNECTION_HEAD || c->state == CONNECTION_BODY)
        input_resume(c);
}

static void take_address(connection *c, const struct sockaddr_storage *from)
{
    const struct sockaddr_in *four = (const void *)from;
    const struct sockaddr_in6 *six = (const void *)from;

    if (from->ss_family == AF_INET) {
        c->address_len = 4;
        memcpy(c->address, &four->sin_addr, 4);
    } else if (from->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
        c->address_len = 4;
        memcpy(c->address, six->sin6_addr.s6_addr + 12, 4);
    } else if (from->ss_family == AF_INET6) {
        c->address_len = 16;
        memcpy(c->address, &six->sin6_addr, 16);
    }
}

static connection *create(worker *w, int fd)
{
    connection *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->worker = w;
    c->fd = fd;
    c->task.run = run;
    buf_init(&c->in, input_max(w));
    event_assign(&c->readable, w->base, fd, EV_READ | EV_PERSIST, on_readable, c);
    event_assign(&c->writable, w->base, fd, EV_WRITE | EV_PERSIST, on_writable, c);
    w->connections++;
    counter_add(&w->counters.connections, 1);
    set_timer(c, TIMER_SILENT);
    return c;
}

connection *connection_create_local(worker *w, local *l)
{
    connection *c = create(w, -1);

    if (c)
        c->local = l;
    return c;
}

void connection_create(struct worker *w, int fd, const struct sockaddr_storage *from)
{
    const int on = 1;
    connection *c = create(w, fd);

    if (!c) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    take_address(c, from);
    if (event_add(&c->readable, NULL) != 0)
        connection_close(c);
}

connection *connection_of_exchange(exchange *x)
{
    return (connection *)(void *)((char *)x - offsetof(connection, exchange));
}

bool connection_count_buffered(connection *c, size_t bytes)
{
    worker *w = c->worker;
    size_t most = LIMIT_BUFFERED_BYTES + 4 * (w->shared->request_bytes + w->shared->response_bytes);

    w->buffered += bytes - c->buffered;
    c->buffered = bytes;
    while (bytes > 0 && w->buffered > most) {
        timer *slowest = timers_first(&w->timers, TIMER_WRITE);

        if (!slowest || slowest == &c->timer)
            return false;
        connection_close(connection_of(slowest));
    }
    return true;
}

/* The rest of an answer waits for its client. */
static void await_client(connection *c)
{
    c->state = CONNECTION_WRITE;
    set_timer(c, TIMER_WRITE);
    if (!exchange_hold(&c->exchange) ||
        event_add(&c->writable, NULL) != 0 || !connection_count_buffered(c, c->out_len))
        connection_close(c);
}

/* The client may still be sending what nobody will read. If the socket were closed at once, the
 * system would answer that with a reset, and the client might lose the answer. */
static void linger(connection *c)
{
    shutdown(c->fd, SHUT_WR);
    c->state = CONNECTION_LINGER;
    buf_deinit(&c->in);
    set_timer(c, TIMER_LINGER);
    input_unpause(c);
}

void connection_answered(connection *c, bool complete)
{
    uint64_t now;

    if (!complete) {
        await_client(c);
        return;
    }
    if (c->buffered)
        connection_count_buffered(c, 0);
    now = clock_ns();
    access_log_add(&c->worker->log, &c->exchange.request, now);
    counter_add(&c->worker->counters.requests, 1);
    exchange_deinit(&c->exchange);
    c->state = CONNECTION_HEAD;
    if (c->local) {
        connection_close(c);
    } else if (c->exchange.request.keep_alive) {
        timers_set(&c->worker->timers, &c->timer, c->in.len ? TIMER_HEAD : TIMER_IDLE, now);
    } else if (c->lingers) {
        linger(c);
    } else {
        connection_close(c);
    }
}

void connection_expire(connection *c)
{
    switch (c->state) {
    case CONNECTION_HEAD:
        if (c->in.len == 0) {
            connection_close(c);
            return;
        }
        c->exchange.request = REQUEST_UNREAD;
        reply_refuse(c, 408);
        return;
    case CONNECTION_BODY:
        c->exchange.request = REQUEST_UNREAD;
        reply_refuse(c, 408);
        return;
    case CONNECTION_CALL:
    case CONNECTION_WRITE:
    case CONNECTION_LINGER:
        connection_close(c);
        return;
    }
}

bool connection_is_idle(const connection *c)
{
    return c->state == CONNECTION_HEAD && c->in.len == 0;
}

void connection_close(connection *c)
{
    if (c->closed)
        return;
    c->closed = true;
    if (c->state == CONNECTION_CALL || c->state == CONNECTION_WRITE) {
        /* The client went away before it had its answer. */
        if (c->state == CONNECTION_CALL)
            c->exchange.request.status = 499;
        access_log_add(&c->worker->log, &c->exchange.request, clock_ns());
    }
    exchange_cancel(c);
    reply_drop_file(c);
    connection_count_buffered(c, 0);
    c->state = CONNECTION_LINGER;
    timers_clear(&c->timer);
    task_remove(&c->task);
    event_del(&c->readable);
    event_del(&c->writable);
    if (c->fd >= 0)
        close(c->fd);
    c->worker->connections--;
    counter_add(&c->worker->counters.connections, (uint64_t)-1);
    worker_bury(c->worker, c);
    if (c->local)
        local_closed(c->local);
}

void connection_free(connection *c)
{
    buf_deinit(&c->in);
    exchange_deinit(&c->exchange);
    free(c->out);
    free(c);
}
