#include "http.h"

#include "../fail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define CLIENTS 64
#define EVENTS 64

/* A steady trickle of requests, the times of which count from when they should have been sent: one that
 * has to wait because another one takes long is late too. */

typedef struct client {
    int fd;
    bool busy;
    uint64_t due_ns;
    http_answer answer;
} client;

static client clients[CLIENTS];

/* A client that has nothing to do: by turns, so that all workers of the server get their share. */
static client *idle_client(void)
{
    static unsigned turn;

    for (unsigned i = 0; i < CLIENTS; i++) {
        client *c = &clients[turn++ % CLIENTS];

        if (!c->busy)
            return c;
    }
    return NULL;
}

void http_probe(uint16_t port, const char *path, unsigned per_second, unsigned seconds)
{
    size_t total = (size_t)per_second * seconds, sent = 0, done = 0, failed = 0, len;
    uint64_t step = 1000000000 / per_second, start, until, *times = calloc(total, sizeof *times);
    char *request = http_request_text(path, &len);
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    if (!times || epoll < 0)
        fail("out of memory");
    for (uint32_t i = 0; i < CLIENTS; i++) {
        clients[i].fd = http_connect(port);
        http_watch(epoll, clients[i].fd, EPOLLIN, i, true);
    }
    start = http_now_ns() + 100 * HTTP_NS_PER_MS; /* until they are connected */
    until = start + (seconds + 60) * UINT64_C(1000000000);
    while (done < total && http_now_ns() < until) {
        struct epoll_event events[EVENTS];
        uint64_t due = start + sent * step;
        client *c;

        while (sent < total && due <= http_now_ns() && (c = idle_client())) {
            c->busy = true;
            c->due_ns = due;
            c->answer = (http_answer){0};
            if (!http_send(c->fd, request, len))
                fail("a connection was closed");
            due = start + ++sent * step;
        }
        for (int n = http_wait(epoll, events, EVENTS, sent < total && due < until ? due : until);
             n-- > 0;) {
            enum http_progress p;

            c = &clients[events[n].data.u32];
            p = http_receive(c->fd, &c->answer);
            if (p == HTTP_BROKEN)
                fail("a connection was closed");
            if (p == HTTP_MORE)
                continue;
            failed += c->answer.status != 200;
            times[done++] = http_now_ns() - c->due_ns;
            c->busy = false;
        }
    }
    printf("answered %zu refused %zu broken %zu p50 %llu p99 %llu last %llu\n", done - failed,
           failed, total - done, (unsigned long long)http_quantile(times, done, 0.5),
           (unsigned long long)http_quantile(times, done, 0.99),
           (unsigned long long)http_quantile(times, done, 1));
    free(request);
    free(times);
}
