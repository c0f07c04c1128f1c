#include "server/static.h"

#include "app/public.h"
#include "server/conditional.h"
#include "server/connection.h"
#include "server/limits.h"
#include "server/query.h"
#include "server/static_cache.h"
#include "server/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ALLOW "GET, HEAD, OPTIONS"

/* A file that is being served: either it is open, or its content is in memory. */
struct served {
    const char *type;
    struct stat st;
    int fd; /* -1: not open */
    slice content;
};

static int put(response *r, const char *name, const char *value)
{
    return headers_put(&r->headers, slice_str(name), slice_str(value));
}

/* A directory's own url lacks the slash that relative links in its index.html count on. */
static int redirect(const request *q, response *r)
{
    slice query = query_of(q->target);
    buf to;
    int rc;

    buf_init(&to, 2 * LIMIT_TARGET_BYTES);
    rc = buf_append(&to, q->path.data, q->path.len);
    rc = rc ? rc : buf_append_byte(&to, '/');
    if (rc == 0 && query.len) {
        rc = buf_append_byte(&to, '?');
        rc = rc ? rc : buf_append(&to, query.data, query.len);
    }
    r->status = 301;
    rc = rc ? rc : headers_put(&r->headers, slice_str("Location"), buf_slice(&to));
    buf_deinit(&to);
    return rc;
}

/* Which part of the file is asked for: the answer's status follows from it. */
static int choose_part(const request *q, const version *v, uint64_t size, response *r,
                       static_file *part)
{
    char range[96];

    if (!slice_equal_str(q->method, "GET"))
        return 0;
    switch (conditional_range(headers_of(q->head), v, size, &part->start, &part->length)) {
    case RANGE_NONE:
        return 0;
    case RANGE_PART:
        r->status = 206;
        snprintf(range, sizeof range, "bytes %llu-%llu/%llu", (unsigned long long)part->start,
                 (unsigned long long)(part->start + part->length - 1), (unsigned long long)size);
        break;
    case RANGE_UNSATISFIABLE:
        r->status = 416;
        part->length = 0;
        snprintf(range, sizeof range, "bytes */%llu", (unsigned long long)size);
        break;
    }
    return put(r, "Content-Range", range);
}

/* The file, a part of it, or that the client has it already. */
static int answer_file(const request *q, const struct served *s, response *r, static_file *part)
{
    char etag[64], modified[HTTP_DATE_BYTES];
    const version v = {.etag = etag, .modified = s->st.st_mtim.tv_sec};
    uint64_t size = (uint64_t)s->st.st_size;
    int rc;

    *part = (static_file){.fd = s->fd, .length = size};
    snprintf(etag, sizeof etag, "\"%llx-%llx%09lx\"", (unsigned long long)size,
             (unsigned long long)s->st.st_mtim.tv_sec, (unsigned long)s->st.st_mtim.tv_nsec);
    http_date(modified, v.modified);
    rc = put(r, "ETag", etag);
    rc = rc ? rc : put(r, "Last-Modified", modified);
    rc = rc ? rc : put(r, "Cache-Control", "no-cache");
    rc = rc ? rc : put(r, "Accept-Ranges", "bytes");
    if (conditional_has(headers_of(q->head), &v)) {
        r->status = 304;
        part->length = 0;
    } else {
        rc = rc ? rc : choose_part(q, &v, size, r, part);
    }
    if (rc == 0 && r->status / 100 == 2)
        rc = put(r, "Content-Type", s->type);
    if (s->fd < 0)
        r->body = slice_of(s->content.data + part->start, (size_t)part->length);
    return rc;
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

/* Finds the file's content; E_NOT_FOUND when it is not there any more. */
static int find_content(worker *w, const public_file *f, struct served *s)
{
    size_t count, number = (size_t)(f - public_files(app_public(w->shared->app), &count));

    if (!w->files)
        w->files = static_cache_create(count);
    if (w->files && stat(f->path, &s->st) == 0 &&
        static_cache_get(w->files, number, &s->st, &s->content))
        return 0;
    if (!open_file(f, s))
        return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? E_BUSY : E_NOT_FOUND;
    if (w->files)
        keep_small(w->files, number, s);
    return 0;
}

int static_answer(connection *c, response *r, static_file *file)
{
    const request *q = &c->exchange.request;
    const public_file *f = public_find(app_public(c->worker->shared->app), q->path);
    struct served s = {.fd = -1};
    int rc;

    file->fd = -1;
    if (slice_equal_str(q->method, "OPTIONS")) {
        r->status = 204;
        return put(r, "Allow", ALLOW);
    }
    if (!slice_equal_str(q->method, "GET") && !slice_equal_str(q->method, "HEAD")) {
        response_set_error(r, 405, "method_not_allowed", slice_str("a public file is only read"), q->id);
        return put(r, "Allow", ALLOW);
    }
    if (!f->path)
        return redirect(q, r);
    s.type = f->type;
    rc = find_content(c->worker, f, &s);
    if (rc == E_NOT_FOUND) {
        response_set_error(r, 404, "not_found", slice_str("the file is not there any more"), q->id);
        return 0;
    }
    return rc ? rc : answer_file(q, &s, r, file);
}
