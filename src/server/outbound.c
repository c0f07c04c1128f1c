#include "server/outbound.h"

#include "extism/http.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_IN_TURN 32
#define RETRIES_IN_TURN 256

static const struct timeval retry_pause = {.tv_usec = 10000};

/* One multi handle of curl's. */
struct outbound_group {
    outbound *outbound;
    uint32_t number;
    CURLM *multi;
    struct event timer; /* curl's */
    size_t running;
};

struct transfer {
    task task; /* among those held back */
    outbound *outbound;
    struct outbound_group *group; /* while curl is at it */
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

/* --- those held back --- */

static void hold(struct transfer *t)
{
    outbound *o = t->outbound;

    o->retries = 1;
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

/* --- curl at work --- */

/* Has curl begin with the exchange that the request is set up for. */
static void begin(struct transfer *t);

static void leave(struct transfer *t)
{
    CURL *easy = http_request_easy(t->request);

    curl_multi_remove_handle(t->group->multi, easy);
    curl_easy_setopt(easy, CURLOPT_SHARE, NULL);
    t->group->running--;
    t->group = NULL;
    note_resolved(t);
}

static void group_destroy(struct outbound_group *g)
{
    if (!g)
        return;
    curl_multi_cleanup(g->multi);
    event_del(&g->timer);
    free(g);
}

/* Deals with what curl is done with. A group that is not needed any more goes with its connections. */
static void collect(struct outbound_group *g)
{
    struct CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(g->multi, &left))) {
        int code = (int)m->data.result;
        struct transfer *t = NULL;

        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        leave(t);
        if (http_request_again(t->request, code))
            begin(t);
        else if (t->held_back || http_request_lacks_descriptor(t->request))
            hold(t);
        else
            end(t, code);
    }
    if (g->running == 0 && g->number > 0) {
        g->outbound->group[g->number] = NULL;
        group_destroy(g);
    }
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct outbound_group *g = arg;
    int running;

    (void)fd, (void)what;
    curl_multi_socket_action(g->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(g);
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
    const struct timeval after = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    struct outbound_group *g = arg;

    (void)multi;
    return ms >= 0 ? event_add(&g->timer, &after) : event_del(&g->timer);
}

/* What epoll tells with an event: the group and the socket. */
static uint64_t tag_of(const struct outbound_group *g, curl_socket_t fd)
{
    return (uint64_t)g->number << 32 | (uint32_t)fd;
}

/* Watches a socket for what curl wants to know; curl keeps for us whether it is watched already. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *watched)
{
    struct outbound_group *g = arg;
    struct epoll_event e = {.events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
                                      (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0),
                            .data.u64 = tag_of(g, fd)};

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(g->outbound->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    if (epoll_ctl(g->outbound->epoll, watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &e) != 0)
        return -1;
    curl_multi_assign(g->multi, fd, g);
    return 0;
}

static struct outbound_group *group_create(outbound *o, uint32_t number)
{
    struct outbound_group *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    *g = (struct outbound_group){.outbound = o, .number = number, .multi = curl_multi_init()};
    if (!g->multi) {
        free(g);
        return NULL;
    }
    evtimer_assign(&g->timer, o->base, on_timer, g);
    curl_multi_setopt(g->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(g->multi, CURLMOPT_SOCKETDATA, (void *)g);
    curl_multi_setopt(g->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(g->multi, CURLMOPT_TIMERDATA, (void *)g);
    /* Those in use are counted among them. */
    curl_multi_setopt(g->multi, CURLMOPT_MAXCONNECTS,
                      (long)(LIMIT_OUTBOUND_GROUP + LIMIT_OUTBOUND_KEPT));
    return g;
}

/* The first group that is not full, or NULL. */
static struct outbound_group *find_room(outbound *o)
{
    for (uint32_t i = 0; i < OUTBOUND_GROUPS; i++) {
        if (!o->group[i])
            o->group[i] = group_create(o, i);
        if (!o->group[i] || o->group[i]->running < LIMIT_OUTBOUND_GROUP)
            return o->group[i];
    }
    return NULL;
}

static void begin(struct transfer *t)
{
    struct outbound_group *g = find_room(t->outbound);
    CURL *easy = http_request_easy(t->request);

    t->held_back = false;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, (void *)t);
    curl_easy_setopt(easy, CURLOPT_SHARE, t->outbound->share);
    curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, on_resolve);
    curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, (void *)t);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket_made);
    curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, (void *)t);
    if (g && curl_multi_add_handle(g->multi, easy) == CURLM_OK) {
        g->running++;
        t->group = g;
    } else {
        curl_easy_setopt(easy, CURLOPT_SHARE, NULL);
        hold(t);
    }
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
        struct outbound_group *g = o->group[events[i].data.u64 >> 32];
        uint32_t e = events[i].events;
        int actions = (e & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
                      (e & EPOLLOUT ? CURL_CSELECT_OUT : 0) | (e & EPOLLERR ? CURL_CSELECT_ERR : 0);

        /* One that was dealt with just now may have ended the group. */
        if (!g)
            continue;
        curl_multi_socket_action(g->multi, (curl_socket_t)(events[i].data.u64 & UINT32_MAX),
                                 actions, &running);
        collect(g);
    }
}

/* More and more of those held back are tried again, as long as none has to be held again. */
static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    outbound *o = arg;
    size_t tries = o->retries;
    task *first;

    (void)fd, (void)what;
    o->retries = tries < RETRIES_IN_TURN ? 2 * tries : tries;
    while (tries-- > 0 && (first = task_first(&o->held))) {
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

int outbound_init(outbound *o, struct event_base *base, error *err)
{
    *o =
        (outbound){.base = base, .share = curl_share_init(), .epoll = epoll_create1(EPOLL_CLOEXEC)};
    task_list_init(&o->held);
    event_assign(&o->ready, base, o->epoll, EV_READ | EV_PERSIST, on_ready, o);
    evtimer_assign(&o->retry, base, on_retry, o);
    if (!o->share || o->epoll < 0 || event_add(&o->ready, NULL) != 0 ||
        curl_share_setopt(o->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) ||
        curl_share_setopt(o->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION))
        return error_set(err, E_NO_MEMORY, "no room for outbound HTTP");
    return 0;
}

void outbound_deinit(outbound *o)
{
    if (!o->base)
        return;
    for (size_t i = 0; i < OUTBOUND_GROUPS; i++)
        group_destroy(o->group[i]);
    event_del(&o->ready);
    event_del(&o->retry);
    if (o->epoll >= 0)
        close(o->epoll);
    curl_share_cleanup(o->share);
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

    if (t->group)
        leave(t);
    else
        task_remove(&t->task);
    free(t);
}

const http_driver outbound_driver = {.start = start, .cancel = cancel};
