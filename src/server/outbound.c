#include "server/outbound.h"

#include "extism/http.h"
#include "server/limits.h"

#include <event2/event.h>
#include <stdlib.h>

struct transfer {
    outbound *outbound;
    http_request *request;
    void (*done)(void *arg, int curl_code);
    void *arg;
    struct transfer *next; /* among those that failed to start */
    bool failed;
};

static _Thread_local outbound *current;

static void end(struct transfer *t, int curl_code)
{
    void (*done)(void *, int) = t->done;
    void *arg = t->arg;

    free(t);
    done(arg, curl_code);
}

static CURLMcode add(struct transfer *t)
{
    CURL *easy = http_request_easy(t->request);

    curl_easy_setopt(easy, CURLOPT_PRIVATE, (void *)t);
    return curl_multi_add_handle(t->outbound->multi, easy);
}

/* Ends what curl is done with, or has it do the next exchange of the same request. */
static void collect(outbound *o)
{
    struct CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(o->multi, &left))) {
        CURL *easy = m->easy_handle;
        int code = (int)m->data.result;
        struct transfer *t = NULL;

        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
        curl_multi_remove_handle(o->multi, easy);
        if (http_request_again(t->request, code)) {
            if (add(t) == CURLM_OK)
                continue;
            code = CURLE_OUT_OF_MEMORY;
        }
        end(t, code);
    }
}

static void collect_failed(outbound *o)
{
    while (o->failed) {
        struct transfer *t = o->failed;

        o->failed = t->next;
        end(t, CURLE_OUT_OF_MEMORY);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    outbound *o = arg;
    int running;

    (void)fd, (void)what;
    curl_multi_socket_action(o->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(o);
    collect_failed(o);
}

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
    outbound *o = arg;
    int running;
    int actions = (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0);

    curl_multi_socket_action(o->multi, fd, actions, &running);
    collect(o);
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
    const struct timeval after = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    outbound *o = arg;

    (void)multi;
    if (ms >= 0)
        return event_add(&o->timer, &after);
    return o->failed ? 0 : event_del(&o->timer);
}

/* Makes the event of a socket watch for what curl wants to know; curl keeps the event for us. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *kept)
{
    outbound *o = arg;
    struct event *e = kept;
    short events = (short)(EV_PERSIST | (what & CURL_POLL_IN ? EV_READ : 0) |
                           (what & CURL_POLL_OUT ? EV_WRITE : 0));

    (void)easy;
    if (e) {
        event_free(e);
        curl_multi_assign(o->multi, fd, NULL);
    }
    if (what == CURL_POLL_REMOVE)
        return 0;
    e = event_new(o->base, fd, events, on_socket, o);
    if (!e || event_add(e, NULL) != 0) {
        if (e)
            event_free(e);
        return -1;
    }
    curl_multi_assign(o->multi, fd, e);
    return 0;
}

int outbound_init(outbound *o, struct event_base *base, error *err)
{
    o->base = base;
    o->failed = NULL;
    o->multi = curl_multi_init();
    if (!o->multi)
        return error_set(err, E_NO_MEMORY, "out of memory for outbound HTTP");
    event_assign(&o->timer, base, -1, 0, on_timer, o);
    curl_multi_setopt(o->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(o->multi, CURLMOPT_SOCKETDATA, (void *)o);
    curl_multi_setopt(o->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(o->multi, CURLMOPT_TIMERDATA, (void *)o);
    curl_multi_setopt(o->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)LIMIT_OUTBOUND_CONNECTIONS);
    return 0;
}

void outbound_deinit(outbound *o)
{
    if (!o->multi)
        return;
    curl_multi_cleanup(o->multi);
    event_del(&o->timer);
    *o = (outbound){0};
}

void outbound_use(outbound *o)
{
    current = o;
}

static void *start(struct http_request *request, void (*done)(void *arg, int curl_code), void *arg)
{
    static const struct timeval at_once = {0};
    struct transfer *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    *t = (struct transfer){.outbound = current, .request = request, .done = done, .arg = arg};
    if (add(t) != CURLM_OK) {
        t->failed = true;
        t->next = current->failed;
        current->failed = t;
        event_add(&current->timer, &at_once);
    }
    return t;
}

static void cancel(void *started)
{
    struct transfer *t = started;
    struct transfer **at = &t->outbound->failed;

    if (!t->failed) {
        curl_multi_remove_handle(t->outbound->multi, http_request_easy(t->request));
    } else {
        while (*at != t)
            at = &(*at)->next;
        *at = t->next;
    }
    free(t);
}

const http_driver outbound_driver = {.start = start, .cancel = cancel};
