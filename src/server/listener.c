#include "server/listener.h"

#include "server/limits.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Splits at the last colon. Brackets around an IPv6 address go. */
static int split(const char *text, char *host, size_t size, const char **port, error *err)
{
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    const char *start = text;

    if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
        start++;
        len -= 2;
    } else if (len && memchr(text, ':', len)) {
        len = 0;
    }
    *port = colon ? colon + 1 : "";
    if (len == 0 || len >= size || !**port || strspn(*port, "0123456789") != strlen(*port) ||
        strlen(*port) > 5 || atoi(*port) > 65535)
        return error_set(err, E_INVALID,
                         "\"%s\" is not an address to listen at, such as 127.0.0.1:3000", text);
    memcpy(host, start, len);
    host[len] = '\0';
    return 0;
}

static int fail(const char *address, error *err)
{
    switch (errno) {
    case EADDRINUSE:
        return error_set(err, E_BUSY, "%s is in use by another program", address);
    case EACCES:
        return error_set(err, E_DENIED, "this user may not listen at %s", address);
    case EADDRNOTAVAIL:
        return error_set(err, E_INVALID, "%s is not an address of this machine", address);
    default:
        return error_set(err, E_IO, "cannot listen at %s: %s", address, strerrordesc_np(errno));
    }
}

static int open_bound(const struct addrinfo *a, int shared)
{
    const int on = 1;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) ||
        bind(fd, a->ai_addr, a->ai_addrlen) != 0) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

static bool is_loopback(const struct addrinfo *a)
{
    const struct sockaddr_in *v4 = (const void *)a->ai_addr;
    const struct sockaddr_in6 *v6 = (const void *)a->ai_addr;

    return a->ai_family == AF_INET ? ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET
                                   : IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

/* Sockets that share a port would share it with another server of the same user too, so first one
 * that does not tries whether it is free. */
static int check_free(const struct addrinfo *a)
{
    int fd = open_bound(a, 0);

    if (fd < 0)
        return -1;
    if (listen(fd, 1) != 0) {
        int saved = errno;

        close(fd);
        errno = saved;
        return -1;
    }
    close(fd);
    return 0;
}

/* Writes where the socket listens, and keeps its port for the next. */
static int read_bound(int fd, struct addrinfo *a, char bound[LISTENER_ADDRESS_BYTES])
{
    char host[80], port[8];
    socklen_t len = a->ai_addrlen;

    if (getsockname(fd, a->ai_addr, &len) != 0 ||
        getnameinfo(a->ai_addr, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return -1;
    snprintf(bound, LISTENER_ADDRESS_BYTES, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
    return 0;
}

static int open_all(struct addrinfo *a, int *fds, size_t count, char bound[LISTENER_ADDRESS_BYTES])
{
    for (size_t i = 0; i < count; i++) {
        fds[i] = open_bound(a, 1);
        if (fds[i] < 0 || read_bound(fds[i], a, bound) != 0 || listen(fds[i], LIMIT_BACKLOG) != 0)
            return -1;
    }
    return 0;
}

int listener_open(const char *address, bool loopback, int *fds, size_t count,
                  char bound[LISTENER_ADDRESS_BYTES], error *err)
{
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char host[256];
    const char *port;
    int rc = split(address, host, sizeof host, &port, err);

    for (size_t i = 0; i < count; i++)
        fds[i] = -1;
    if (rc)
        return rc;
    rc = getaddrinfo(host, port, &hints, &found);
    if (rc)
        return error_set(err, E_INVALID, "cannot listen at %s: %s", address, gai_strerror(rc));
    if (loopback && !is_loopback(found)) {
        freeaddrinfo(found);
        return error_set(err, E_INVALID, "%s: this listener is for loopback only, such as 127.0.0.1:3001",
                         address);
    }
    if ((atoi(port) != 0 && check_free(found) != 0) || open_all(found, fds, count, bound) != 0) {
        rc = fail(address, err);
        for (size_t i = 0; i < count; i++) {
            if (fds[i] >= 0)
                close(fds[i]);
        }
    }
    freeaddrinfo(found);
    return rc;
}
