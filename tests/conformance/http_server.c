#include "http_server.h"

#include "case.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct request {
    char head[8192]; /* the lines up to the empty one, NUL-terminated */
    char method[16];
    char path[1024];
    char *body;
    size_t body_len;
} request;

static unsigned server_port;

static void put(int fd, const void *data, size_t len)
{
    const char *p = data;

    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        p += n;
        len -= (size_t)n;
    }
}

static void put_text(int fd, const char *text)
{
    put(fd, text, strlen(text));
}

static void answer(int fd, int status, const char *headers, const void *body, size_t len)
{
    char head[1024];

    snprintf(head, sizeof head,
             "HTTP/1.1 %d Some Reason\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n",
             status, len, headers);
    put_text(fd, head);
    put(fd, body, len);
}

static void answer_text(int fd, int status, const char *headers, const char *text)
{
    answer(fd, status, headers, text, strlen(text));
}

/* The value of a header of the request, copied; "none" when it is not there. */
static const char *header(const request *r, const char *name, char *value, size_t size)
{
    size_t n = strlen(name);

    for (const char *line = strchr(r->head, '\n'); line != NULL; line = strchr(line, '\n')) {
        line++;
        if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
            line += n + 1;
            line += strspn(line, " ");
            snprintf(value, size, "%.*s", (int)strcspn(line, "\r\n"), line);
            return value;
        }
    }
    return "none";
}

static bool read_chunks(FILE *f, request *r)
{
    FILE *out = open_memstream(&r->body, &r->body_len);
    char line[64];
    bool whole = false;

    while (fgets(line, sizeof line, f) != NULL) {
        size_t n = strtoul(line, NULL, 16);

        for (size_t i = 0; i < n; i++)
            putc(getc(f), out);
        if (fgets(line, sizeof line, f) == NULL)
            break;
        if (n == 0) {
            whole = true;
            break;
        }
    }
    fclose(out);
    return whole;
}

static bool read_request(FILE *f, request *r)
{
    size_t used = 0;
    char value[64];

    while (used + 1 < sizeof r->head && fgets(r->head + used, (int)(sizeof r->head - used), f)) {
        if (strcmp(r->head + used, "\r\n") == 0)
            break;
        used += strlen(r->head + used);
    }
    r->head[used] = '\0';
    if (sscanf(r->head, "%15s %1023s", r->method, r->path) != 2)
        return false;
    if (strcmp(header(r, "Transfer-Encoding", value, sizeof value), "chunked") == 0)
        return read_chunks(f, r);
    r->body_len = strtoul(header(r, "Content-Length", value, sizeof value), NULL, 10);
    r->body = calloc(1, r->body_len + 1);
    return r->body != NULL && fread(r->body, 1, r->body_len, f) == r->body_len;
}

static void answer_echo(int fd, const request *r)
{
    char type[128];
    char sent[128];
    char *text = NULL;
    int n = asprintf(&text, "%s %s type=%s x-sent=%s body=%.*s", r->method, r->path,
                     header(r, "Content-Type", type, sizeof type),
                     header(r, "X-Sent", sent, sizeof sent), (int)r->body_len,
                     r->body == NULL ? "" : r->body);

    answer(fd, 200, "", text, (size_t)n);
    free(text);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, names in lower case; what tells one client from another is left out. */
static void answer_headers(int fd, request *r)
{
    char *lines[64];
    size_t count = 0;
    char text[8192] = "";

    strtok(r->head, "\r\n");
    for (char *l = strtok(NULL, "\r\n"); l != NULL && count < 64; l = strtok(NULL, "\r\n")) {
        for (char *c = l; *c != '\0' && *c != ':'; c++)
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        for (size_t n = strlen(l); n > 0 && l[n - 1] == ' '; n--)
            l[n - 1] = '\0';
        if (strncmp(l, "user-agent:", 11) != 0 && strncmp(l, "accept-encoding:", 16) != 0)
            lines[count++] = l;
    }
    qsort(lines, count, sizeof *lines, by_text);
    for (size_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s\n", lines[i]);
    answer_text(fd, 200, "", text);
}

static void answer_redirect(int fd, int status, const char *format, unsigned n)
{
    char location[256];
    char line[300];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(location, sizeof location, format, n);
#pragma GCC diagnostic pop
    snprintf(line, sizeof line, "Location: %s\r\n", location);
    answer_text(fd, status, line, "moved");
}

static void answer_bytes(int fd, size_t n)
{
    char *data = calloc(1, n + 1);

    memset(data, 'b', n);
    answer(fd, 200, "", data, n);
    free(data);
}

static void answer_file(int fd, const char *name)
{
    size_t len;
    char *data = read_file(name, &len);

    if (data == NULL)
        answer_text(fd, 404, "", "no such file");
    else
        answer(fd, 200, "", data, len);
    free(data);
}

/* The answers that are no proper ones, or slow. */
static bool answer_oddly(int fd, const char *path)
{
    if (strncmp(path, "/slow/", 6) == 0) {
        sleep_ms((unsigned)atoi(path + 6));
        answer_text(fd, 200, "", "slow");
    } else if (strncmp(path, "/slow-body/", 11) == 0) {
        put_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\n");
        sleep_ms((unsigned)atoi(path + 11));
        put_text(fd, "slow");
    } else if (strcmp(path, "/chunked") == 0) {
        put_text(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                     "4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n");
    } else if (strcmp(path, "/garbage") == 0) {
        put_text(fd, "this is no HTTP at all\r\n\r\n");
    } else if (strcmp(path, "/short") == 0) {
        put_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nshort");
    } else if (strcmp(path, "/empty") == 0) {
        put_text(fd, "HTTP/1.1 204 Nothing\r\nConnection: close\r\n\r\n");
    } else {
        return strcmp(path, "/close") == 0;
    }
    return true;
}

static void answer_request(int fd, request *r)
{
    const char *path = r->path;
    unsigned n = 0;

    if (answer_oddly(fd, path))
        return;
    if (strncmp(path, "/hello", 6) == 0)
        answer_text(fd, 200,
                    "Content-Type: text/plain\r\nX-Test: a value\r\nX-Many: 1\r\nX-Many: 2\r\n",
                    "hello");
    else if (strncmp(path, "/echo", 5) == 0)
        answer_echo(fd, r);
    else if (strcmp(path, "/headers") == 0)
        answer_headers(fd, r);
    else if (sscanf(path, "/status/%u", &n) == 1)
        answer_text(fd, (int)n, "", "status body");
    else if (sscanf(path, "/bytes/%u", &n) == 1)
        answer_bytes(fd, n);
    else if (sscanf(path, "/redirect/%u", &n) == 1)
        answer_redirect(fd, 302, n <= 1 ? "/hello" : "/redirect/%u", n - 1);
    else if (sscanf(path, "/redirect-%u", &n) == 1)
        answer_redirect(fd, (int)n, "/echo", 0);
    else if (strcmp(path, "/redirect-to-name") == 0)
        answer_redirect(fd, 302, "http://localhost:%u/hello", server_port);
    else if (strcmp(path, "/loop") == 0)
        answer_redirect(fd, 302, "/loop", 0);
    else if (strncmp(path, "/file/", 6) == 0)
        answer_file(fd, path + 6);
    else
        answer_text(fd, 404, "", "nothing here");
}

static void *serve_one(void *arg)
{
    int fd = (int)(intptr_t)arg;
    FILE *f = fdopen(fd, "r");
    request r = {.body = NULL};

    if (f != NULL && read_request(f, &r))
        answer_request(fd, &r);
    free(r.body);
    shutdown(fd, SHUT_WR);
    if (f != NULL)
        fclose(f);
    return NULL;
}

static void *serve(void *arg)
{
    int listener = (int)(intptr_t)arg;

    for (;;) {
        int fd = accept(listener, NULL, NULL);
        pthread_t t;

        if (fd >= 0 && pthread_create(&t, NULL, serve_one, (void *)(intptr_t)fd) == 0)
            pthread_detach(t);
    }
    return NULL;
}

unsigned http_server_start(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pthread_t t;

    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 64) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) != 0 ||
        pthread_create(&t, NULL, serve, (void *)(intptr_t)fd) != 0)
        abort();
    pthread_detach(t);
    server_port = ntohs(a.sin_port);
    observe_hide_port(server_port);
    return server_port;
}
