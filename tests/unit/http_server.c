#include "http_server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1024

struct connection {
    pthread_t thread;
    int fd;
    char *data; /* what has been read and not answered yet */
    size_t len;
};

struct http_server {
    int fd;
    uint16_t port;
    pthread_t thread;
    atomic_uint count;
    struct connection connection[CONNECTIONS_MAX];
};

static bool send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static bool read_more(struct connection *c)
{
    char *larger = realloc(c->data, c->len + 65537);
    ssize_t n;

    if (!larger)
        return false;
    c->data = larger;
    n = recv(c->fd, c->data + c->len, 65536, 0);
    if (n <= 0)
        return false;
    c->len += (size_t)n;
    c->data[c->len] = '\0';
    return true;
}

/* Reads one request, whose length is returned; 0 at the end. */
static size_t read_request(struct connection *c)
{
    const char *end = NULL;
    const char *length;
    size_t total;

    while (c->len == 0 || !(end = strstr(c->data, "\r\n\r\n"))) {
        if (!read_more(c))
            return 0;
    }
    total = (size_t)(end - c->data) + 4;
    length = strcasestr(c->data, "\r\ncontent-length:");
    if (length && length < end)
        total += strtoul(length + 17, NULL, 10);
    while (c->len < total) {
        if (!read_more(c))
            return 0;
    }
    return total;
}

static bool answer_hex(const struct connection *c, const char *hex)
{
    char *bytes = malloc(strlen(hex) / 2 + 1);
    size_t len = 0;
    unsigned byte;
    bool sent;

    if (!bytes)
        return false;
    for (; sscanf(hex, "%2x", &byte) == 1 && hex[1] != ' '; hex += 2)
        bytes[len++] = (char)byte;
    sent = send_all(c->fd, bytes, len);
    free(bytes);
    return sent;
}

static bool answer_echo(const struct connection *c, size_t len)
{
    char head[128];
    int n = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);

    return send_all(c->fd, head, (size_t)n) &&
           (strncmp(c->data, "HEAD ", 5) == 0 || send_all(c->fd, c->data, len));
}

static bool answer_redirect(const struct connection *c, int status, const char *hex)
{
    char head[64];
    int n = snprintf(head, sizeof head, "HTTP/1.1 %d Moved\r\nLocation: ", status);
    const char *rest = strncmp(c->data, "HEAD ", 5) == 0 ? "\r\nContent-Length: 4\r\n\r\n"
                                                         : "\r\nContent-Length: 4\r\n\r\ngone";

    return send_all(c->fd, head, (size_t)n) && answer_hex(c, hex) &&
           send_all(c->fd, rest, strlen(rest));
}

static bool answer_chain(const struct connection *c, unsigned left, size_t len)
{
    char head[128];
    int n;

    if (left == 0)
        return answer_echo(c, len);
    n = snprintf(head, sizeof head,
                 "HTTP/1.1 302 Found\r\nLocation: %u\r\nContent-Length: 0\r\n\r\n", left - 1);
    return send_all(c->fd, head, (size_t)n);
}

/* Answers the request of `len` bytes. False: the connection is to end. */
static bool answer(struct connection *c, size_t len)
{
    static const char missing[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone";
    const char *path = memchr(c->data, ' ', len);
    int status;
    unsigned left;

    if (!path)
        return false;
    path++;
    if (strncmp(path, "/echo", 5) == 0)
        return answer_echo(c, len);
    if (strncmp(path, "/raw/", 5) == 0)
        return answer_hex(c, path + 5) && false;
    if (strncmp(path, "/keep/", 6) == 0)
        return answer_hex(c, path + 6);
    if (strncmp(path, "/open/", 6) == 0)
        return answer_hex(c, path + 6) && read_more(c) && false;
    if (sscanf(path, "/to/%d/", &status) == 1)
        return answer_redirect(c, status, path + 8);
    if (sscanf(path, "/chain/%u", &left) == 1)
        return answer_chain(c, left, len);
    return send_all(c->fd, missing, sizeof missing - 1);
}

static void *serve(void *user)
{
    struct connection *c = user;
    int at_once = 1;
    size_t len;

    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    while ((len = read_request(c)) > 0 && answer(c, len)) {
        c->len -= len;
        memmove(c->data, c->data + len, c->len + 1);
    }
    shutdown(c->fd, SHUT_RDWR);
    free(c->data);
    return NULL;
}

static void *accept_all(void *user)
{
    http_server *s = user;

    while (s->count < CONNECTIONS_MAX) {
        struct connection *c = &s->connection[s->count];

        c->fd = accept(s->fd, NULL, NULL);
        if (c->fd < 0)
            break;
        s->count++; /* before anyone can have an answer */
        if (pthread_create(&c->thread, NULL, serve, c))
            abort();
    }
    return NULL;
}

/* Makes the address; returns its length, 0 when it is none. */
static socklen_t address_of(const char *text, struct sockaddr_storage *out)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        memcpy(out, &v4, sizeof v4);
        return sizeof v4;
    }
    if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
        memcpy(out, &v6, sizeof v6);
        return sizeof v6;
    }
    return 0;
}

http_server *http_server_start(const char *address)
{
    http_server *s = calloc(1, sizeof *s);
    struct sockaddr_storage where;
    socklen_t len = address_of(address, &where);

    if (!s)
        return NULL;
    s->fd = socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || len == 0 || bind(s->fd, (struct sockaddr *)&where, len) || listen(s->fd, 64) ||
        getsockname(s->fd, (struct sockaddr *)&where, &len) ||
        pthread_create(&s->thread, NULL, accept_all, s)) {
        if (s->fd >= 0)
            close(s->fd);
        free(s);
        return NULL;
    }
    /* The port is in the same place in both kinds of address. */
    s->port = ntohs(((struct sockaddr_in *)&where)->sin_port);
    return s;
}

uint16_t http_server_port(const http_server *s)
{
    return s->port;
}

unsigned http_server_connections(const http_server *s)
{
    return s->count;
}

void http_server_stop(http_server *s)
{
    if (!s)
        return;
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    for (unsigned i = 0; i < s->count; i++) {
        shutdown(s->connection[i].fd, SHUT_RDWR);
        pthread_join(s->connection[i].thread, NULL);
        close(s->connection[i].fd);
    }
    close(s->fd);
    free(s);
}
