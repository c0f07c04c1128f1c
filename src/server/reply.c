#include "server/reply.h"

#include "base/clock.h"
#include "server/limits.h"
#include "server/local.h"
#include "server/status.h"
#include "server/worker.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#define HEAD_BYTES 2048 /* `extra` may have half of it */
#define PARTS 4         /* of an answer: head, headers, the empty line, body */

static char *put(char *to, const char *text)
{
    size_t len = strlen(text);

    memcpy(to, text, len);
    return to + len;
}

static char *put_number(char *to, size_t n)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    memcpy(to, digits + at, sizeof digits - at);
    return to + sizeof digits - at;
}

/* Whether an answer with this status is its head alone. */
static bool is_bodiless(int status)
{
    return status == 204 || status == 304;
}

/* The head but for the empty line; its length. All parts are ours and short, but for `extra`, which callers keep short. */
static size_t put_head(connection *c, const reply *r, uint64_t length, char head[HEAD_BYTES])
{
    const request *q = &c->exchange.request;
    char *at = put(head, "HTTP/1.1 ");

    at = put_number(at, (size_t)r->status);
    *at++ = ' ';
    at = put(at, status_reason(r->status));
    at = put(at, "\r\nDate: ");
    at = put(at, access_log_date(&c->worker->log));
    if (r->type) {
        at = put(at, "\r\nContent-Type: ");
        at = put(at, r->type);
    }
    if (r->body.len)
        at = put(at, "\r\nX-Content-Type-Options: nosniff");
    if (!is_bodiless(r->status)) {
        at = put(at, "\r\nContent-Length: ");
        at = put_number(at, length);
    }
    if (*q->id) {
        at = put(at, "\r\nX-Invocation: ");
        at = put(at, q->id);
    }
    at = put(at, "\r\n");
    if (r->extra)
        at = put(at, r->extra);
    if (!q->keep_alive)
        at = put(at, "Connection: close\r\n");
    else if (q->http_1_0)
        at = put(at, "Connection: keep-alive\r\n");
    return (size_t)(at - head);
}

static size_t parts_size(const struct iovec part[PARTS])
{
    size_t size = 0;

    for (size_t i = 0; i < PARTS; i++)
        size += part[i].iov_len;
    return size;
}

/* Writes what the socket takes, and leaves the rest in `part`. False when the client is gone. */
static bool write_parts(const connection *c, struct iovec part[PARTS])
{
    if (c->local) {
        bool taken = local_take(c->local, part, PARTS);

        memset(part, 0, PARTS * sizeof *part);
        return taken;
    }
    while (parts_size(part) > 0) {
        ssize_t n = writev(c->fd, part, PARTS);
        size_t left;

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK;
        left = (size_t)n;
        for (size_t i = 0; i < PARTS; i++) {
            size_t taken = left < part[i].iov_len ? left : part[i].iov_len;

            if (taken == 0)
                continue;
            part[i].iov_base = (char *)part[i].iov_base + taken;
            part[i].iov_len -= taken;
            left -= taken;
        }
    }
    return true;
}

/* Keeps what the socket did not take; false when memory runs out. */
static bool keep_rest(connection *c, const struct iovec part[PARTS])
{
    size_t at = 0;

    c->out_len = parts_size(part);
    c->out_at = 0;
    c->out = malloc(c->out_len + 1);
    if (!c->out)
        return false;
    for (size_t i = 0; i < PARTS; i++) {
        if (part[i].iov_len)
            memcpy(c->out + at, part[i].iov_base, part[i].iov_len);
        at += part[i].iov_len;
    }
    return true;
}

static struct iovec part_of(slice s)
{
    return (struct iovec){.iov_base = (void *)(uintptr_t)s.data, .iov_len = s.len};
}

static bool has_body(const connection *c, const reply *r)
{
    return !slice_equal_str(c->exchange.request.method, "HEAD") && !is_bodiless(r->status);
}

/* Sends the head, and of a body of `length` bytes what is there. */
static void send_answer(connection *c, const reply *r, uint64_t length)
{
    request *q = &c->exchange.request;
    char head[HEAD_BYTES];
    struct iovec part[PARTS];
    bool complete;

    if (c->worker->draining && q->keep_alive) {
        /* The client does not know yet, and may be sending its next request. */
        q->keep_alive = false;
        c->lingers = true;
    }
    part[0] = part_of(slice_of(head, put_head(c, r, length, head)));
    part[1] = part_of(r->headers);
    part[2] = part_of(slice_str("\r\n"));
    part[3] = part_of(has_body(c, r) ? r->body : slice_of(NULL, 0));
    q->status = r->status;
    q->bytes = has_body(c, r) ? length : 0;
    if (!write_parts(c, part)) {
        q->keep_alive = false;
        c->lingers = false;
        memset(part, 0, sizeof part);
        reply_drop_file(c);
    }
    complete = parts_size(part) == 0 && c->file.left == 0;
    if (!complete && !keep_rest(c, part)) {
        q->keep_alive = false;
        c->lingers = false;
        complete = true;
        reply_drop_file(c);
    }
    connection_answered(c, complete);
}

void reply_send(connection *c, const reply *r)
{
    send_answer(c, r, r->body.len);
}

/* Reads the next piece of the file, `most` bytes at the most; NULL when that cannot be. The caller frees
 * it. */
static uint8_t *read_piece(file_rest *f, size_t most, size_t *len)
{
    size_t size = f->left < most ? (size_t)f->left : most;
    uint8_t *piece = malloc(size);
    size_t have = 0;

    while (piece && have < size) {
        ssize_t n = pread(f->fd, piece + have, size - have, (off_t)(f->at + have));

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            free(piece);
            return NULL;
        }
        have += (size_t)n;
    }
    if (!piece)
        return NULL;
    f->at += size;
    f->left -= size;
    if (f->left == 0)
        close(f->fd);
    *len = size;
    return piece;
}

void reply_send_file(connection *c, const reply *r, int fd, uint64_t at, uint64_t length)
{
    const size_t most = c->local ? SIZE_MAX : LIMIT_PIECE_BYTES; /* it takes everything at once */
    reply with_body = *r;
    uint8_t *piece = NULL;

    c->file = (file_rest){.fd = fd, .at = at, .left = length};
    with_body.body = slice_of(NULL, 0);
    if (length == 0) {
        close(fd);
    } else if (!has_body(c, r)) {
        reply_drop_file(c);
    } else if (!(piece = read_piece(&c->file, most, &with_body.body.len))) {
        reply_drop_file(c);
        reply_error(c, 503, RETRY_AFTER, "busy", slice_str("the file cannot be read for now"));
        return;
    }
    with_body.body.data = piece;
    send_answer(c, &with_body, length);
    free(piece);
}

void reply_drop_file(connection *c)
{
    if (c->file.left)
        close(c->file.fd);
    c->file.left = 0;
}

/* Puts the next piece of the file where the rest of the answer was, which has been sent. */
static bool take_piece(connection *c)
{
    free(c->out);
    c->out_at = c->out_len = 0;
    c->out = read_piece(&c->file, LIMIT_PIECE_BYTES, &c->out_len);
    return c->out && connection_count_buffered(c, c->out_len);
}

void reply_continue(connection *c)
{
    struct iovec part[PARTS] = {0};

    if (c->out_at == c->out_len && !take_piece(c)) {
        connection_close(c);
        return;
    }
    part[0] = part_of(slice_of(c->out + c->out_at, c->out_len - c->out_at));
    if (!write_parts(c, part)) {
        connection_close(c);
        return;
    }
    c->out_at = c->out_len - parts_size(part);
    if (c->out_at < c->out_len || c->file.left) {
        timers_set(&c->worker->timers, &c->timer, TIMER_WRITE, clock_ns());
        return;
    }
    free(c->out);
    c->out = NULL;
    event_del(&c->writable);
    connection_answered(c, true);
}

void reply_expect(connection *c)
{
    static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    ssize_t n = write(c->fd, text, sizeof text - 1);

    /* Nothing was sent that is not answered yet, so there is room for a few bytes. */
    if (n != (ssize_t)(sizeof text - 1))
        connection_close(c);
}
