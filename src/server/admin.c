#include "server/admin_internal.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "server/limits.h"
#include "server/listener.h"
#include "server/query.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/keyvalq_struct.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#define TOKEN_BYTES 32

slice admin_query(const admin_request *r, const char *name)
{
    slice value;

    return strmap_get(&r->query, slice_str(name), &value) ? value : slice_of(NULL, 0);
}

int64_t admin_query_number(const admin_request *r, const char *name, int64_t otherwise)
{
    slice text;
    char *end;
    long long n;

    if (!strmap_get(&r->query, slice_str(name), &text))
        return otherwise;
    errno = 0;
    n = strtoll((const char *)text.data, &end, 10);
    return errno || text.len == 0 || end != (const char *)text.data + text.len || n < 1 ? 0 : n;
}

void admin_answer(const admin_request *r, int status, const char *type, slice body)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(r->request);
    struct evbuffer *out = evbuffer_new();

    if (!out || evbuffer_add(out, body.data, body.len) != 0)
        status = HTTP_INTERNAL;
    evhttp_add_header(headers, "Content-Type", type);
    evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
    evhttp_add_header(headers, "Cache-Control", "no-store");
    evhttp_send_reply(r->request, status, NULL, out);
    if (out)
        evbuffer_free(out);
}

void admin_json(const admin_request *r, const buf *json)
{
    admin_answer(r, HTTP_OK, "application/json", buf_slice(json));
}

void admin_error(const admin_request *r, int status, const char *code, const char *text)
{
    buf body;
    int rc;

    buf_init(&body, SIZE_MAX);
    rc = buf_printf(&body, "{\"error\":{\"code\":\"%s\",\"message\":", code);
    rc = rc ? rc : json_put_bytes(&body, slice_str(text));
    rc = rc ? rc : buf_append_str(&body, "}}\n");
    if (rc)
        buf_clear(&body);
    admin_answer(r, status, "application/json", buf_slice(&body));
    buf_deinit(&body);
}

void admin_refuse_method(const admin_request *r, const char *allow)
{
    evhttp_add_header(evhttp_request_get_output_headers(r->request), "Allow", allow);
    admin_error(r, 405, "method_not_allowed", "the resource does not take this method");
}

static bool is_allowed(const admin *a, struct evhttp_request *asked)
{
    static const char scheme[] = "Bearer ";
    const char *given = evhttp_find_header(evhttp_request_get_input_headers(asked), "Authorization");
    size_t len = strlen(a->token);

    return given && strncmp(given, scheme, sizeof scheme - 1) == 0 &&
           strlen(given + sizeof scheme - 1) == len &&
           CRYPTO_memcmp(given + sizeof scheme - 1, a->token, len) == 0;
}

static void route(admin_request *r, const char *path)
{
    static const struct {
        const char *name;
        void (*answer)(const admin_request *r);
        bool has_rest;
    } resources[] = {
        {"/health", admin_health, false}, {"/functions", admin_functions, false},
        {"/counters", admin_counters, false}, {"/kv", admin_kv, true},
        {"/storage", admin_storage, true},  {"/events", admin_events, true},
    };

    for (size_t i = 0; i < sizeof resources / sizeof *resources; i++) {
        size_t len = strlen(resources[i].name), rest_len = 0;
        char *rest;

        if (strncmp(path, resources[i].name, len) != 0 ||
            (path[len] && !(path[len] == '/' && resources[i].has_rest)))
            continue;
        rest = evhttp_uridecode(path[len] ? path + len + 1 : "", 0, &rest_len);
        if (!rest) {
            admin_error(r, 503, "busy", "out of memory");
            return;
        }
        r->rest = slice_of(rest, rest_len);
        resources[i].answer(r);
        free(rest);
        return;
    }
    admin_error(r, HTTP_NOTFOUND, "not_found",
                "there are /health, /functions, /counters, /kv, /storage and /events");
}

static void on_request(struct evhttp_request *asked, void *arg)
{
    admin *a = arg;
    admin_request r = {.admin = a, .request = asked, .method = evhttp_request_get_command(asked)};
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(asked);
    const char *path = uri ? evhttp_uri_get_path(uri) : NULL;

    if (!is_allowed(a, asked)) {
        evhttp_add_header(evhttp_request_get_output_headers(asked), "WWW-Authenticate", "Bearer");
        admin_error(&r, 401, "unauthorized",
                    "this takes the token in .ubiq/admin-token, as \"Authorization: Bearer TOKEN\"");
        return;
    }
    if (!path)
        admin_error(&r, HTTP_BADREQUEST, "bad_request", "the address is not understood");
    else if (query_read(slice_str(evhttp_uri_get_query(uri)), &r.query))
        admin_error(&r, HTTP_SERVUNAVAIL, "busy", "out of memory");
    else
        route(&r, path);
    strmap_deinit(&r.query);
}

/* Reads the token, or makes one at the first start. */
static int read_token(admin *a, error *err)
{
    uint8_t random[TOKEN_BYTES];
    char *path = NULL, *directory = NULL;
    buf text;
    int rc;

    buf_init(&text, 256);
    if (asprintf(&directory, "%s/.ubiq", a->options.project) < 0 ||
        asprintf(&path, "%s/admin-token", directory) < 0) {
        rc = error_set(err, E_NO_MEMORY, "out of memory for the admin listener");
        goto done;
    }
    rc = file_read(path, &text, err);
    while (rc == 0 && text.len && text.data[text.len - 1] <= ' ')
        text.len--;
    if (rc == 0 && (text.len < 16 || text.len >= sizeof a->token))
        rc = error_set(err, E_INVALID, "%s: a token has 16 to 64 characters; without the file, a new "
                       "one is made", path);
    if (rc == 0) {
        memcpy(a->token, text.data, text.len);
        a->token[text.len] = '\0';
    }
    if (rc != E_NOT_FOUND)
        goto done;
    error_deinit(err);
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        rc = error_set(err, E_IO, "no random numbers: %s", strerrordesc_np(errno));
        goto done;
    }
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(a->token + 2 * i, 3, "%02x", random[i]);
    rc = file_make_dirs(directory, err);
    rc = rc ? rc : file_write_atomic(path, slice_str(a->token), 0600, err);
done:
    buf_deinit(&text);
    free(path);
    free(directory);
    return rc;
}

static int open_listener(admin *a, error *err)
{
    const char *at = a->options.listen, *colon = strrchr(at, ':');
    char *other = NULL;
    int fd, rc = listener_open(at, true, &fd, 1, a->address, err);

    if (rc == E_BUSY && asprintf(&other, "%.*s:0", (int)(colon - at), at) >= 0) {
        error_deinit(err);
        rc = listener_open(other, true, &fd, 1, a->address, err);
        free(other);
    }
    if (rc)
        return rc;
    if (evhttp_accept_socket(a->http, fd) != 0) {
        close(fd);
        return error_set(err, E_NO_MEMORY, "out of memory for the admin listener");
    }
    return 0;
}

static void on_stop(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    event_base_loopbreak(((admin *)arg)->base);
}

static void *run(void *arg)
{
    event_base_dispatch(((admin *)arg)->base);
    return NULL;
}

/* Nothing longer is taken, so that who has no token takes no more memory than that. */
static ev_ssize_t longest_body(const config *c)
{
    const config_services *s = &c->services;

    return (ev_ssize_t)(s->storage_file_bytes > s->kv_value_bytes ? s->storage_file_bytes
                                                                   : s->kv_value_bytes);
}

int admin_create(admin **out, const admin_options *options, error *err)
{
    admin *a = calloc(1, sizeof *a);
    int rc;

    *out = NULL;
    if (!a)
        return error_set(err, E_NO_MEMORY, "out of memory for the admin listener");
    a->options = *options;
    a->started_ns = clock_ns();
    a->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    operation_waiter_init(&a->waiter);
    a->base = event_base_new();
    a->http = a->base ? evhttp_new(a->base) : NULL;
    a->stop = a->http ? event_new(a->base, a->stop_fd, EV_READ, on_stop, a) : NULL;
    if (a->stop_fd < 0 || !a->stop || event_add(a->stop, NULL) != 0) {
        rc = error_set(err, E_NO_MEMORY, "no event loop for the admin listener");
        goto done;
    }
    evhttp_set_allowed_methods(a->http, EVHTTP_REQ_GET | EVHTTP_REQ_PUT | EVHTTP_REQ_POST |
                                            EVHTTP_REQ_DELETE | EVHTTP_REQ_HEAD);
    evhttp_set_max_headers_size(a->http, LIMIT_HEAD_BYTES);
    evhttp_set_max_body_size(a->http, longest_body(app_config(options->app)));
    evhttp_set_timeout(a->http, LIMIT_ADMIN_S);
    evhttp_set_gencb(a->http, on_request, a);
    rc = read_token(a, err);
    rc = rc ? rc : open_listener(a, err);
    if (rc == 0 && pthread_create(&a->thread, NULL, run, a) != 0)
        rc = error_set(err, E_NO_MEMORY, "no thread for the admin listener");
    if (rc)
        goto done;
    a->started = true;
    pthread_setname_np(a->thread, "ubiq-admin");
    *out = a;
    a = NULL;
done:
    admin_destroy(a);
    return rc;
}

const char *admin_address(const admin *a)
{
    return a->address;
}

void admin_destroy(admin *a)
{
    const uint64_t one = 1;

    if (!a)
        return;
    if (a->started && write(a->stop_fd, &one, sizeof one) == (ssize_t)sizeof one)
        pthread_join(a->thread, NULL);
    if (a->http)
        evhttp_free(a->http);
    if (a->stop)
        event_free(a->stop);
    if (a->base)
        event_base_free(a->base);
    if (a->stop_fd >= 0)
        close(a->stop_fd);
    operation_waiter_deinit(&a->waiter);
    free(a);
}
