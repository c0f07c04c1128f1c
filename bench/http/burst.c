#include "http.h"

#include "../fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS 512
#define CONNECTING 500 /* at once: the server's queue is not longer than some thousands */
#define PATIENCE_NS (60 * UINT64_C(1000000000))

/* Many clients that all send one request at the same moment. */

typedef struct client {
    int fd;
    bool connected;
    bool ended;
    http_answer answer;
} client;

static void connect_all(int epoll, client *clients, size_t count, uint16_t port)
{
    struct epoll_event events[EVENTS];
    uint64_t until = http_now_ns() + PATIENCE_NS;
    size_t begun = 0, connected = 0;

    while (connected < count) {
        for (; begun < count && begun - connected < CONNECTING; begun++) {
            clients[begun].fd = http_connect(port);
            http_watch(epoll, clients[begun].fd, EPOLLOUT, (uint32_t)begun, true);
        }
        for (int n = http_wait(epoll, events, EVENTS, until); n-- > 0;) {
            client *c = &clients[events[n].data.u32];

            if (events[n].events & (EPOLLERR | EPOLLHUP))
                fail("a connection was refused");
            http_watch(epoll, c->fd, EPOLLIN, events[n].data.u32, false);
            c->connected = true;
            connected++;
        }
        if (http_now_ns() >= until)
            fail("%zu of %zu connections", connected, count);
    }
}

void http_burst(uint16_t port, const char *path, size_t count)
{
    static struct epoll_event events[EVENTS];
    client *clients = calloc(count, sizeof *clients);
    uint64_t *times = calloc(count, sizeof *times), start, until;
    size_t answered = 0, refused = 0, broken = 0, len;
    char *request = http_request_text(path, &len);
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    if (!clients || !times || epoll < 0)
        fail("out of memory");
    connect_all(epoll, clients, count, port);
    start = http_now_ns();
    until = start + PATIENCE_NS;
    for (size_t i = 0; i < count; i++)
        broken += !http_send(clients[i].fd, request, len);
    while (answered + refused + broken < count && http_now_ns() < until) {
        for (int n = http_wait(epoll, events, EVENTS, until); n-- > 0;) {
            client *c = &clients[events[n].data.u32];
            enum http_progress p = c->ended ? HTTP_MORE : http_receive(c->fd, &c->answer);

            if (p == HTTP_MORE)
                continue;
            c->ended = true;
            close(c->fd);
            if (p == HTTP_BROKEN)
                broken++;
            else if (c->answer.status != 200)
                refused++;
            else
                times[answered++] = http_now_ns() - start;
        }
    }
    printf("answered %zu refused %zu broken %zu p50 %llu p99 %llu last %llu\n", answered, refused,
           count - answered - refused, (unsigned long long)http_quantile(times, answered, 0.5),
           (unsigned long long)http_quantile(times, answered, 0.99),
           (unsigned long long)http_quantile(times, answered, 1));
    free(request);
    free(clients);
    free(times);
}
