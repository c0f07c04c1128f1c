#include "server/input.h"

#include "base/clock.h"
#include "server/exchange.h"
#include "server/limits.h"
#include "server/reply.h"
#include "server/request_head.h"
#include "server/worker.h"

#include <event2/event.h>

size_t input_max(const struct worker *w)
{
    return LIMIT_HEAD_BYTES + w->shared->request_bytes + LIMIT_PIPELINED_BYTES +
           2 * WORKER_SCRATCH_BYTES;
}

void input_unpause(connection *c)
{
    if (!c->paused)
        return;
    c->paused = false;
    if (event_add(&c->readable, NULL) != 0)
        connection_close(c);
}

/* A client that sends far ahead has to wait until what it sent is dealt with. */
static void pause_if_full(connection *c)
{
    bool full = c->in.len >= LIMIT_PIPELINED_BYTES && c->state != CONNECTION_BODY;

    if (c->closed || full == c->paused)
        return;
    if (full) {
        c->paused = true;
        event_del(&c->readable);
    } else {
        input_unpause(c);
    }
}

/* Forgets the first `len` bytes of what was kept. An idle connection holds no memory. */
static void drop(connection *c, size_t len)
{
    c->in.len -= len;
    if (c->in.len == 0)
        buf_deinit(&c->in);
    else
        memmove(c->in.data, c->in.data + len, c->in.len);
}

/* The request line is plausible and the body is not there yet: makes ready for it. */
static void await_body(connection *c, const request_head *h, size_t have)
{
    const worker_shared *s = c->worker->shared;
    size_t most = h->chunked ? s->request_bytes : (size_t)h->content_length;

    if (!connection_count_buffered(c, h->length + most)) {
        c->exchange.request = REQUEST_UNREAD;
        reply_refuse(c, 503);
        return;
    }
    c->state = CONNECTION_BODY;
    c->need = h->chunked ? 0 : h->length + (size_t)h->content_length;
    c->head = c->decoded = h->length;
    c->chunked = (chunked){0};
    timers_set(&c->worker->timers, &c->timer, TIMER_BODY, clock_ns());
    if (h->expects_continue && have == h->length)
        reply_expect(c);
}

/* `head` begins where the head does. */
static void begin_request(connection *c, const request_head *h, const uint8_t *data)
{
    c->exchange.request = (request){
        .head = slice_of(data, h->length),
        .method = h->method,
        .target = h->target,
        .path = h->path,
        .keep_alive = h->keep_alive,
        .http_1_0 = h->http_1_0,
        .started_ns = clock_ns(),
    };
}

/* Reads a request's head; the number of bytes that are used up. */
static size_t take_head(connection *c, uint8_t *data, size_t len)
{
    request_head head;
    size_t whole;
    int status = request_head_read(&head, slice_of(data, len));

    if (status == HEAD_INCOMPLETE)
        return 0;
    if (status) {
        c->exchange.request = REQUEST_UNREAD;
        reply_refuse(c, status);
        return len;
    }
    if (head.content_length > c->worker->shared->request_bytes) {
        begin_request(c, &head, data);
        reply_refuse(c, 413);
        return len;
    }
    whole = head.length + (size_t)head.content_length;
    if (head.chunked || len < whole) {
        await_body(c, &head, len);
        return 0;
    }
    begin_request(c, &head, data);
    exchange_begin(c, slice_of(data + head.length, whole - head.length));
    return whole;
}

/* The body of the request at the start of connection.in has come in; its head is read once more,
 * since the bytes have moved. */
static void take_whole(connection *c, size_t end)
{
    request_head head;

    c->state = CONNECTION_HEAD;
    connection_count_buffered(c, 0);
    if (request_head_read(&head, buf_slice(&c->in)) != 0) {
        connection_close(c);
        return;
    }
    begin_request(c, &head, c->in.data);
    exchange_begin(c, slice_of(c->in.data + head.length, end - head.length));
}

/* Takes the coding off what has come of a chunked body. The number of bytes that are used up when
 * it has ended, 0 when more has to come. */
static size_t take_chunks(connection *c)
{
    uint8_t *raw = c->in.data + c->decoded;
    size_t len = c->in.len - c->decoded, decoded, used, end;
    enum chunked_result result = chunked_decode(&c->chunked, raw, len, &decoded, &used);

    c->decoded += decoded;
    if (result == CHUNKED_MALFORMED || c->decoded - c->head > c->worker->shared->request_bytes) {
        c->exchange.request = REQUEST_UNREAD;
        reply_refuse(c, result == CHUNKED_MALFORMED ? 400 : 413);
        return c->in.len;
    }
    end = c->decoded;
    memmove(c->in.data + end, raw + used, len - used);
    c->in.len = end + len - used;
    if (result == CHUNKED_MORE)
        return 0;
    take_whole(c, end);
    return end;
}

/* The number of bytes of connection.in that a request with its body used up, 0 when it is not there
 * in whole. */
static size_t take_body(connection *c)
{
    if (c->need == 0)
        return take_chunks(c);
    if (c->in.len < c->need)
        return 0;
    take_whole(c, c->need);
    return c->need;
}

/* Has the requests that stand whole in `data` answered, as long as each is at once. The number of
 * bytes that are used up. */
static size_t take_requests(connection *c, uint8_t *data, size_t len)
{
    unsigned taken = 0;
    size_t used = 0;

    while (used < len && c->state == CONNECTION_HEAD) {
        size_t step;

        if (len - used >= 2 && data[used] == '\r' && data[used + 1] == '\n') {
            /* An empty line before a request is passed over. */
            used += 2;
            continue;
        }
        if (taken++ == LIMIT_REQUESTS_IN_TURN) {
            worker_queue(c->worker, NULL, &c->task);
            break;
        }
        step = take_head(c, data + used, len - used);
        if (step == 0)
            break;
        used += step;
    }
    return used;
}

/* Goes on with what is kept, as far as it goes. */
static void advance(connection *c)
{
    bool more = c->in.len > 0;

    while (more && !c->closed) {
        bool body = c->state == CONNECTION_BODY;
        size_t used = 0;

        if (body)
            used = take_body(c);
        else if (c->state == CONNECTION_HEAD)
            used = take_requests(c, c->in.data, c->in.len);
        if (c->closed || c->state == CONNECTION_LINGER)
            return;
        if (used)
            drop(c, used);
        more = c->in.len > 0 && (body ? used > 0 : c->state == CONNECTION_BODY);
        if (used && c->state == CONNECTION_HEAD)
            timers_set(&c->worker->timers, &c->timer, c->in.len ? TIMER_HEAD : TIMER_IDLE,
                       clock_ns());
    }
}

void input_take(connection *c, uint8_t *data, size_t len)
{
    size_t used = 0;
    bool fresh = c->in.len == 0;

    if (fresh && c->state == CONNECTION_HEAD)
        used = take_requests(c, data, len);
    if (c->closed || c->state == CONNECTION_LINGER || used == len)
        return;
    if (buf_append(&c->in, data + used, len - used) != 0) {
        connection_close(c);
        return;
    }
    if (fresh && c->state == CONNECTION_HEAD)
        timers_set(&c->worker->timers, &c->timer, TIMER_HEAD, clock_ns());
    /* What is there of a request has been looked at, unless it has a body. */
    if (!fresh || c->state == CONNECTION_BODY)
        advance(c);
    pause_if_full(c);
}

void input_arrived(connection *c, size_t len)
{
    c->in.len += len;
    advance(c);
}

void input_resume(connection *c)
{
    advance(c);
    pause_if_full(c);
}
