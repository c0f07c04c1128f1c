#include "http.h"

#include "../fail.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS 65536u
#define LISTENER CONNECTIONS
#define SIGNALS (CONNECTIONS + 1)
#define EVENTS 512

/* A server that answers each request after the same time, however many there are. Requests are taken to
 * come in one piece, as those do that are sent here. */

/* Requests that wait, in the order of their answers. */
static struct waiting {
    uint64_t due_ns;
    int fd;
    unsigned use; /* of the descriptor, when the request came */
} waiting[CONNECTIONS];
static size_t first, count, most;

/* How often a descriptor has been used, so that an answer does not go to another client. */
static unsigned uses[CONNECTIONS];

static int listen_on_loopback(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)(void *)&at, sizeof at) || listen(fd, 65535) ||
        getsockname(fd, (struct sockaddr *)(void *)&at, &len))
        fail("no listening socket: %s", strerror(errno));
    printf("%u\n", ntohs(at.sin_port));
    fflush(stdout);
    return fd;
}

static void accept_all(int epoll, int listener)
{
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        if ((unsigned)fd >= CONNECTIONS)
            fail("too many connections");
        uses[fd]++;
        http_watch(epoll, fd, EPOLLIN, (uint32_t)fd, true);
    }
    if (errno != EAGAIN)
        fail("accept: %s", strerror(errno));
}

static void take_request(int fd, uint64_t due_ns)
{
    char data[4096];
    ssize_t n = recv(fd, data, sizeof data, 0);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        uses[fd]++;
        close(fd);
        return;
    }
    if (count == CONNECTIONS)
        fail("too many requests");
    waiting[(first + count++) % CONNECTIONS] = (struct waiting){due_ns, fd, uses[fd]};
    most = count > most ? count : most;
}

static void answer_due(uint64_t now_ns)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

    for (; count > 0 && waiting[first].due_ns <= now_ns; count--) {
        if (uses[waiting[first].fd] == waiting[first].use)
            http_send(waiting[first].fd, answer, sizeof answer - 1);
        first = (first + 1) % CONNECTIONS;
    }
}

void http_backend(unsigned delay_ms)
{
    static struct epoll_event events[EVENTS];
    int epoll = epoll_create1(EPOLL_CLOEXEC), listener = listen_on_loopback();
    sigset_t end;

    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigprocmask(SIG_BLOCK, &end, NULL);
    http_watch(epoll, listener, EPOLLIN, LISTENER, true);
    http_watch(epoll, signalfd(-1, &end, SFD_CLOEXEC), EPOLLIN, SIGNALS, true);
    for (;;) {
        uint64_t now = http_now_ns();
        int n = http_wait(epoll, events, EVENTS, count ? waiting[first].due_ns : now + 1000000000);

        now = http_now_ns();
        for (int i = 0; i < n; i++) {
            if (events[i].data.u32 == SIGNALS) {
                printf("%zu\n", most);
                return;
            }
            if (events[i].data.u32 == LISTENER)
                accept_all(epoll, listener);
            else
                take_request((int)events[i].data.u32, now + (uint64_t)delay_ms * HTTP_NS_PER_MS);
        }
        answer_due(http_now_ns());
    }
}
