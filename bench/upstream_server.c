#include "fail.h"
#include "library.h"

#include "base/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* bench_upstream_server LIBRARY PORT WORKERS PATH=MODULE:FUNCTION ...
 *
 * Serves plug-ins over HTTP through a library with Extism's C ABI as such a library is meant to be
 * used: each worker thread has an event loop, a listening socket (SO_REUSEPORT) and a plug-in of
 * its own for each path, which it keeps from request to request. */

#define MAX_ROUTES 16
#define MAX_WORKERS 64
#define MAX_MODULE (64UL * 1024 * 1024)
#define BACKLOG 1024

struct route {
    char *path;
    char *function;
    ExtismCompiledPlugin *code;
};

struct kept {
    const struct route *route;
    ExtismPlugin *plugin;
};

static library lib;
static struct route routes[MAX_ROUTES];
static size_t route_count;
static in_port_t port;

static void answer_route(struct evhttp_request *request, void *arg)
{
    const struct kept *k = arg;
    struct evbuffer *body = evhttp_request_get_input_buffer(request);
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    size_t len = evbuffer_get_length(body);
    const uint8_t *data = evbuffer_pullup(body, -1);
    struct evbuffer *out = evhttp_request_get_output_buffer(request);

    if (lib.plugin_call(k->plugin, k->route->function, data, len) != 0) {
        evhttp_send_error(request, HTTP_INTERNAL, lib.plugin_error(k->plugin));
        return;
    }
    evbuffer_add(out, lib.plugin_output_data(k->plugin), lib.plugin_output_length(k->plugin));
    evhttp_add_header(headers, "Content-Type", "application/octet-stream");
    evhttp_send_reply(request, HTTP_OK, "OK", NULL);
}

static void answer_health(struct evhttp_request *request, void *arg)
{
    (void)arg;
    evbuffer_add_printf(evhttp_request_get_output_buffer(request), "ok\n");
    evhttp_send_reply(request, HTTP_OK, "OK", NULL);
}

static int open_listener(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = port};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one) != 0 ||
        bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, BACKLOG) != 0)
        fail("port %d cannot be listened to: %s", ntohs(port), strerror(errno));
    return fd;
}

static void *run_worker(void *unused)
{
    static _Thread_local struct kept kept[MAX_ROUTES];
    struct event_base *base = event_base_new();
    struct evhttp *http = base ? evhttp_new(base) : NULL;

    (void)unused;
    if (!http || evhttp_accept_socket(http, open_listener()) != 0)
        fail("a worker cannot be started");
    evhttp_set_cb(http, "/healthz", answer_health, NULL);
    for (size_t i = 0; i < route_count; i++) {
        kept[i] = (struct kept){&routes[i], library_plugin(&lib, routes[i].code)};
        evhttp_set_cb(http, routes[i].path, answer_route, &kept[i]);
    }
    event_base_dispatch(base);
    return NULL;
}

/* `text` is PATH=MODULE:FUNCTION. */
static void add_route(char *text)
{
    char *file = strchr(text, '='), *function = strrchr(text, ':');
    error err = {0};
    buf wasm;

    if (!file || !function || function < file || route_count == MAX_ROUTES)
        fail("%s is no route", text);
    *file++ = '\0';
    *function++ = '\0';
    buf_init(&wasm, MAX_MODULE);
    if (file_read(file, &wasm, &err) != 0)
        fail("%s", error_text(&err));
    routes[route_count++] = (struct route){
        .path = text,
        .function = function,
        .code = library_compile(&lib, wasm.data, wasm.len, true),
    };
    buf_deinit(&wasm);
}

int main(int argc, char **argv)
{
    pthread_t workers[MAX_WORKERS];
    int count = argc > 3 ? atoi(argv[3]) : 0;

    if (argc < 5 || count < 1 || count > MAX_WORKERS)
        fail("see the beginning of upstream_server.c");
    signal(SIGPIPE, SIG_IGN);
    library_open(&lib, "upstream", argv[1]);
    port = htons((in_port_t)atoi(argv[2]));
    for (int i = 4; i < argc; i++)
        add_route(argv[i]);
    for (int i = 0; i < count; i++) {
        if (pthread_create(&workers[i], NULL, run_worker, NULL) != 0)
            fail("a worker cannot be started");
    }
    for (int i = 0; i < count; i++)
        pthread_join(workers[i], NULL);
    return 0;
}
