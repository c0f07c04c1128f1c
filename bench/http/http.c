#include "http.h"

#include "../fail.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

uint64_t http_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

int http_connect(uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

    if (fd < 0)
        fail("no socket: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (const struct sockaddr *)(const void *)&to, sizeof to) && errno != EINPROGRESS)
        fail("no connection to port %u: %s", port, strerror(errno));
    return fd;
}

char *http_request_text(const char *path, size_t *len)
{
    char *text = NULL;
    int n = asprintf(&text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path);

    if (n < 0)
        fail("out of memory");
    *len = (size_t)n;
    return text;
}

bool http_send(int fd, const char *text, size_t len)
{
    return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void read_head(http_answer *a)
{
    const char *length;

    a->has_head = true;
    a->status = (int)strtol(a->head + strcspn(a->head, " "), NULL, 10);
    length = strcasestr(a->head, "\r\ncontent-length:");
    a->body_left = length ? strtoul(length + 17, NULL, 10) : 0;
}

/* Takes bytes of the head; how many of them belong to it. */
static size_t take_head(http_answer *a, const char *data, size_t len)
{
    size_t before = a->head_len, room = sizeof a->head - 1 - before;
    size_t n = len < room ? len : room;
    const char *end;

    memcpy(a->head + before, data, n);
    a->head[before + n] = '\0';
    end = strstr(a->head, "\r\n\r\n");
    if (!end) {
        a->head_len += n;
        return n;
    }
    a->head_len = (size_t)(end - a->head) + 4;
    read_head(a);
    return a->head_len - before;
}

enum http_progress http_receive(int fd, http_answer *a)
{
    char data[4096];

    for (;;) {
        ssize_t n = recv(fd, data, sizeof data, 0);
        size_t used = 0;

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return HTTP_MORE;
        if (n <= 0)
            return HTTP_BROKEN;
        if (!a->has_head)
            used = take_head(a, data, (size_t)n);
        if (!a->has_head && a->head_len + 1 >= sizeof a->head)
            return HTTP_BROKEN;
        if ((size_t)n - used > a->body_left)
            return HTTP_BROKEN;
        a->body_left -= (size_t)n - used;
        if (a->has_head && a->body_left == 0)
            return HTTP_WHOLE;
    }
}

int http_wait(int epoll, struct epoll_event *events, int max, uint64_t until_ns)
{
    uint64_t now = http_now_ns();
    uint64_t left = until_ns > now ? until_ns - now : 0;
    const struct timespec t = {.tv_sec = (time_t)(left / 1000000000),
                               .tv_nsec = (long)(left % 1000000000)};
    int n = epoll_pwait2(epoll, events, max, &t, NULL);

    if (n < 0 && errno != EINTR)
        fail("epoll: %s", strerror(errno));
    return n < 0 ? 0 : n;
}

void http_watch(int epoll, int fd, uint32_t events, uint32_t number, bool is_new)
{
    struct epoll_event e = {.events = events, .data.u32 = number};

    if (epoll_ctl(epoll, is_new ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &e))
        fail("epoll: %s", strerror(errno));
}

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

uint64_t http_quantile(uint64_t *values, size_t count, double quantile)
{
    size_t at = (size_t)((double)count * quantile);

    if (count == 0)
        return 0;
    qsort(values, count, sizeof *values, compare);
    return values[at < count ? at : count - 1];
}

void http_raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}
