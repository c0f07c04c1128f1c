#include "server/access_log.h"

#include "app/limits.h"

#include <stdlib.h>
#include <time.h>

#define BLOCK_BYTES (64UL * 1024)
#define PATH_SHOWN 1024
/* The longest line: each byte of a path can take six, and all else fits in the rest. */
#define LINE_BYTES (PATH_SHOWN * 6 + 512 + LIMIT_TRACE_BYTES)

static struct timespec refresh(access_log *l)
{
    struct timespec now;
    struct tm tm;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec != l->second) {
        l->second = now.tv_sec;
        gmtime_r(&now.tv_sec, &tm);
        strftime(l->stamp, sizeof l->stamp, "%Y-%m-%dT%H:%M:%S", &tm);
        http_date(l->date, now.tv_sec);
    }
    return now;
}

const char *access_log_date(access_log *l)
{
    refresh(l);
    return l->date;
}

static char *put(char *to, const char *text, size_t len)
{
    memcpy(to, text, len);
    return to + len;
}

#define PUT_LITERAL(to, text) put(to, text, sizeof text - 1)

static char *put_number(char *to, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    return put(to, digits + at, sizeof digits - at);
}

/* What is not plain ASCII, and what JSON would not take as it is, goes out percent-encoded, which
 * is the same path. */
static char *put_path(char *to, slice path)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t len = path.len < PATH_SHOWN ? path.len : PATH_SHOWN;

    for (size_t i = 0; i < len; i++) {
        uint8_t c = path.data[i];

        if (c > ' ' && c < 0x7f && c != '"' && c != '\\') {
            *to++ = (char)c;
        } else {
            *to++ = '%';
            *to++ = hex[c >> 4];
            *to++ = hex[c & 15];
        }
    }
    return to;
}

void access_log_add(access_log *l, const request *r, uint64_t now_ns)
{
    struct timespec now;
    uint64_t ms;
    char *at;

    if (!l->writer)
        return;
    if (l->len + LINE_BYTES > BLOCK_BYTES)
        access_log_flush(l);
    if (!l->block && !(l->block = malloc(BLOCK_BYTES)))
        return;
    now = refresh(l);
    ms = (uint64_t)now.tv_nsec / 1000000;
    at = PUT_LITERAL(l->block + l->len, "{\"time\":\"");
    at = put(at, l->stamp, 19);
    *at++ = '.';
    *at++ = (char)('0' + ms / 100);
    *at++ = (char)('0' + ms / 10 % 10);
    *at++ = (char)('0' + ms % 10);
    at = PUT_LITERAL(at, "Z\",\"method\":\"");
    at = put(at, (const char *)r->method.data, r->method.len);
    at = PUT_LITERAL(at, "\",\"path\":\"");
    at = put_path(at, r->path);
    at = PUT_LITERAL(at, "\",\"status\":");
    at = put_number(at, (uint64_t)r->status);
    at = PUT_LITERAL(at, ",\"bytes\":");
    at = put_number(at, r->bytes);
    at = PUT_LITERAL(at, ",\"micros\":");
    at = put_number(at, r->started_ns ? (now_ns - r->started_ns) / 1000 : 0);
    at = PUT_LITERAL(at, ",\"invocation\":\"");
    at = put(at, r->id, strlen(r->id));
    *at++ = '"';
    if (r->trace.len) {
        at = PUT_LITERAL(at, ",\"trace\":[");
        at = put(at, (const char *)r->trace.data, r->trace.len);
        *at++ = ']';
    }
    at = PUT_LITERAL(at, "}\n");
    l->len = (size_t)(at - l->block);
}

void access_log_flush(access_log *l)
{
    if (l->len == 0)
        return;
    log_writer_put(l->writer, l->block, l->len);
    l->block = NULL;
    l->len = 0;
}

void access_log_deinit(access_log *l)
{
    access_log_flush(l);
    free(l->block);
    l->block = NULL;
}
