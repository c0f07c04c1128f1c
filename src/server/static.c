#include "server/static.h"

#include "app/public.h"
#include "server/conditional.h"
#include "server/headers.h"
#include "server/limits.h"
#include "server/reply.h"
#include "server/static_cache.h"
#include "server/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ALLOW "Allow: GET, HEAD, OPTIONS\r\n"

/* A file that is being served: either it is open, or its content is in memory. */
struct served {
    const char *type;
    struct stat st;
    int fd; /* -1: not open */
    slice content;
};

/* A directory's own url lacks the slash that relative links in its index.html count on. */
static void redirect(connection *c)
{
    const request *q = &c->exchange.request;
    const uint8_t *query = memchr(q->target.data, '?', q->target.len);
    slice behind = slice_of(NULL, 0);
    buf to;
    int rc;

    if (query)
        behind = slice_of(query, (size_t)(q->target.data + q->target.len - query));
    buf_init(&to, 2 * LIMIT_TARGET_BYTES);
    rc = buf_append_str(&to, "Location: ");
    rc = rc ? rc : buf_append(&to, q->path.data, q->path.len);
    rc = rc ? rc : buf_append_byte(&to, '/');
    rc = rc ? rc : buf_append(&to, behind.data, behind.len);
    rc = rc ? rc : buf_append_str(&to, "\r\n");
    if (rc)
        reply_error(c, 503, RETRY_AFTER, "busy", slice_str("out of memory"));
    else
        reply_send(c, &(reply){.status = 301, .headers = buf_slice(&to)});
    buf_deinit(&to);
}

/* Sends the file, a part of it, or that the client has it already. */
static void send_file(connection *c, struct served *s)
{
    const request *q = &c->exchange.request;
    uint64_t size = (uint64_t)s->st.st_size, start = 0, length = size;
    char etag[64], modified[HTTP_DATE_BYTES], extra[512];
    const version v = {.etag = etag, .modified = s->st.st_mtim.tv_sec};
    slice lines = headers_of(q->head);
    reply r = {.status = 200, .type = s->type, .extra = extra};
    int len;

    snprintf(etag, sizeof etag, "\"%llx-%llx%09lx\"", (unsigned long long)size,
             (unsigned long long)s->st.st_mtim.tv_sec, (unsigned long)s->st.st_mtim.tv_nsec);
    http_date(modified, v.modified);
    len = snprintf(extra, sizeof extra,
                   "ETag: %s\r\nLast-Modified: %s\r\nCache-Control: no-cache\r\n"
                   "Accept-Ranges: bytes\r\n",
                   etag, modified);
    if (conditional_has(lines, &v)) {
        r.status = 304;
        r.type = NULL;
        length = 0;
    } else if (slice_equal_str(q->method, "GET")) {
        switch (conditional_range(lines, &v, size, &start, &length)) {
        case RANGE_NONE:
            break;
        case RANGE_PART:
            r.status = 206;
            snprintf(extra + len, sizeof extra - (size_t)len,
                     "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)start,
                     (unsigned long long)(start + length - 1), (unsigned long long)size);
            break;
        case RANGE_UNSATISFIABLE:
            snprintf(extra, sizeof extra, "Content-Range: bytes */%llu\r\n",
                     (unsigned long long)size);
            r.status = 416;
            r.type = NULL;
            length = 0;
            break;
        }
    }
    if (s->fd >= 0) {
        reply_send_file(c, &r, s->fd, start, length);
    } else {
        r.body = slice_of(s->content.data + start, (size_t)length);
        reply_send(c, &r);
    }
}

/* Reads a small file whole; NULL when it is not what it was any more. */
static uint8_t *read_small(const struct served *s)
{
    size_t size = (size_t)s->st.st_size, have = 0;
    uint8_t *content = malloc(size + 1);

    while (content && have < size) {
        ssize_t n = pread(s->fd, content + have, size - have, (off_t)have);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            free(content);
            return NULL;
        }
        have += (size_t)n;
    }
    return content;
}

/* Takes a small file into memory, if that can be. */
static void keep_small(static_cache *kept, size_t number, struct served *s)
{
    struct stat now;
    uint8_t *content;

    if (s->st.st_size > (off_t)LIMIT_KEPT_FILE_BYTES || !(content = read_small(s)))
        return;
    /* A file that is written to just now may be half an old and half a new one. */
    if (fstat(s->fd, &now) != 0 || now.st_size != s->st.st_size ||
        now.st_mtim.tv_sec != s->st.st_mtim.tv_sec ||
        now.st_mtim.tv_nsec != s->st.st_mtim.tv_nsec) {
        free(content);
        return;
    }
    close(s->fd);
    s->fd = -1;
    s->content = slice_of(content, (size_t)s->st.st_size);
    static_cache_put(kept, number, &s->st, content);
}

/* Opens the file; false when it is not there any more, or no file. */
static bool open_file(const public_file *f, struct served *s)
{
    s->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (s->fd < 0)
        return false;
    if (fstat(s->fd, &s->st) == 0 && S_ISREG(s->st.st_mode))
        return true;
    close(s->fd);
    return false;
}

static bool serve_file(connection *c, const public_file *f, size_t number, size_t count)
{
    worker *w = c->worker;
    struct served s = {.type = f->type, .fd = -1};

    if (!w->files)
        w->files = static_cache_create(count);
    if (w->files && stat(f->path, &s.st) == 0 &&
        static_cache_get(w->files, number, &s.st, &s.content)) {
        send_file(c, &s);
        return true;
    }
    if (!open_file(f, &s)) {
        if (errno != EMFILE && errno != ENFILE && errno != ENOMEM)
            return false;
        reply_error(c, 503, RETRY_AFTER, "busy", slice_str("there is no room for another file"));
        return true;
    }
    if (w->files)
        keep_small(w->files, number, &s);
    send_file(c, &s);
    return true;
}

bool static_serve(connection *c)
{
    const public_index *all = app_public(c->worker->shared->app);
    const public_file *f = public_find(all, c->exchange.request.path);
    slice method = c->exchange.request.method;
    size_t count;

    if (!f)
        return false;
    if (slice_equal_str(method, "OPTIONS")) {
        reply_send(c, &(reply){.status = 204, .extra = ALLOW});
    } else if (!slice_equal_str(method, "GET") && !slice_equal_str(method, "HEAD")) {
        reply_error(c, 405, ALLOW, "method_not_allowed", slice_str("a public file is only read"));
    } else if (!f->path) {
        redirect(c);
    } else {
        size_t number = (size_t)(f - public_files(all, &count));

        return serve_file(c, f, number, count);
    }
    return true;
}
