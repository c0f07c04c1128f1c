#include "server/outbound.h"

#include "extism/http.h"
#include "server/limits.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_IN_TURN 32
#define RETRIES_IN_TURN 200

static const struct timeval retry_pause = {.tv_usec = 10000};

struct transfer {
    task task; /* among those held back */
    outbound *outbound;
    http_request *request;
    void (*done)(void *arg, int curl_code);
    void *arg;
    bool resolving; /* counted */
    bool held_back; /* too many names are being looked up */
};

static _Thread_local outbound *current;

static struct transfer *of_task(task *t)
{
    return (struct transfer *)(void *)((char *)t - offsetof(struct transfer, task));
}

static void end(struct transfer *t, int curl_code)
{
    void (*done)(void *, int) = t->done;
    void *arg = t->arg;

    free(t);
    done(arg, curl_code);
}

static void hold(struct transfer *t)
{
    outbound *o = t->outbound;

    task_append(&o->held, &t->task);
    if (!evtimer_pending(&o->retry, NULL))
        evtimer_add(&o->retry, &retry_pause);
}

static void note_resolved(struct transfer *t)
{
    t->outbound->resolving -= t->resolving;
    t->resolving = false;
}

/* Each name that is looked up takes a thread of curl's. When the first of many have been found, curl
 * remembers them for the others. */
static int on_resolve(void *resolver, void *reserved, void *arg)
{
    struct transfer *t = arg;

    (void)resolver, (void)reserved;
    t->held_back = !t->resolving && t->outbound->resolving >= LIMIT_RESOLVING;
    if (t->held_back)
        return 1;
    t->outbound->resolving += !t->resolving;
    t->resolving = true;
    return 0;
}

static int on_socket_made(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    (void)fd, (void)purpose;
    note_resolved(arg);
    return CURL_SOCKOPT_OK;
}

/* There is one request more or less. curl counts the connections that are in use among those it may
 * keep, and looks through all of them for one to close when there are too many. */
static void count(outbound *o, bool more)
{
    o->running += more ? 1 : (size_t)-1;
    curl_multi_setopt(o->multi, CURLMOPT_MAXCONNECTS, (long)(o->running + LIMIT_OUTBOUND_KEPT));
}

/* Has curl begin with the exchange that the request is set up for. */
static void begin(struct transfer *t)
{
    outbound *o = t->outbound;
    CURL *easy = http_request_easy(t->request);
    /* curl looks through all connections for one that it can use again, and again when it is done: with
     * thousands of them that takes longer than to make one, unless there is a handshake besides. */
    bool crowded = (o->running >= LIMIT_OUTBOUND_KEPT || task_first(&o->held)) &&
                   !http_request_is_https(t->request);

    t->held_back = false;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, (void *)t);
    curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, on_resolve);
    curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, (void *)t);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket_made);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, (void *)t);
    if (crowded)
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, crowded ? 1L : 0L);
    if (curl_multi_add_handle(o->multi, easy) == CURLM_OK)
        count(o, true);
    else
        hold(t);
}

/* Deals with what curl is done with. */
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
        count(o, false);
        note_resolved(t);
        if (http_request_again(t->request, code))
            begin(t);
        else if (t->held_back || http_request_lacks_descriptor(t->request))
            hold(t);
        else
            end(t, code);
    }
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    outbound *o = arg;
    task *first;

    (void)fd, (void)what;
    for (int n = 0; n < RETRIES_IN_TURN && (first = task_first(&o->held)); n++) {
        struct transfer *t = of_task(first);

        task_remove(first);
        if (http_request_retry(t->request))
            begin(t);
        else
            end(t, CURLE_OPERATION_TIMEDOUT);
    }
    if (task_first(&o->held) && !evtimer_pending(&o->retry, NULL))
        evtimer_add(&o->retry, &retry_pause);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    outbound *o = arg;
    int running;

    (void)fd, (void)what;
    curl_multi_socket_action(o->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(o);
}

/* Those that are not looked at now are still ready in the loop's next turn. */
static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    struct epoll_event events[EVENTS_IN_TURN];
    outbound *o = arg;
    int n = epoll_wait(fd, events, EVENTS_IN_TURN, 0);
    int running;

    (void)what;
    for (int i = 0; i < n; i++) {
        uint32_t e = events[i].events;
        int actions = (e & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
                      (e & EPOLLOUT ? CURL_CSELECT_OUT : 0) | (e & EPOLLERR ? CURL_CSELECT_ERR : 0);

        curl_multi_socket_action(o->multi, events[i].data.fd, actions, &running);
    }
    collect(o);
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
    const struct timeval after = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    outbound *o = arg;

    (void)multi;
    return ms >= 0 ? event_add(&o->timer, &after) : event_del(&o->timer);
}

/* Watches a socket for what curl wants to know; curl keeps for us whether it is watched already. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *watched)
{
    outbound *o = arg;
    struct epoll_event e = {.events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
                                      (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0),
                            .data.fd = fd};

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(o->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    if (epoll_ctl(o->epoll, watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e) != 0)
        return -1;
    curl_multi_assign(o->multi, fd, o);
    return 0;
}

int outbound_init(outbound *o, struct event_base *base, error *err)
{
    *o = (outbound){.multi = curl_multi_init(), .epoll = epoll_create1(EPOLL_CLOEXEC)};
    task_list_init(&o->held);
    event_assign(&o->ready, base, o->epoll, EV_READ | EV_PERSIST, on_ready, o);
    evtimer_assign(&o->timer, base, on_timer, o);
    evtimer_assign(&o->retry, base, on_retry, o);
    if (!o->multi || o->epoll < 0 || event_add(&o->ready, NULL) != 0)
        return error_set(err, E_NO_MEMORY, "no room for outbound HTTP");
    curl_multi_setopt(o->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(o->multi, CURLMOPT_SOCKETDATA, (void *)o);
    curl_multi_setopt(o->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(o->multi, CURLMOPT_TIMERDATA, (void *)o);
    return 0;
}

void outbound_deinit(outbound *o)
{
    if (!o->multi)
        return;
    curl_multi_cleanup(o->multi);
    event_del(&o->ready);
    event_del(&o->timer);
    event_del(&o->retry);
    if (o->epoll >= 0)
        close(o->epoll);
    *o = (outbound){0};
}

void outbound_use(outbound *o)
{
    current = o;
}

static void *start(struct http_request *request, void (*done)(void *arg, int curl_code), void *arg)
{
    struct transfer *t = calloc(1, sizeof *t);

    if (!t)
        return NULL;
    *t = (struct transfer){.outbound = current, .request = request, .done = done, .arg = arg};
    begin(t);
    return t;
}

static void cancel(void *started)
{
    struct transfer *t = started;
    outbound *o = t->outbound;

    if (task_is_listed(&t->task)) {
        task_remove(&t->task);
    } else {
        curl_multi_remove_handle(o->multi, http_request_easy(t->request));
        count(o, false);
        note_resolved(t);
    }
    free(t);
}

const http_driver outbound_driver = {.start = start, .cancel = cancel};
