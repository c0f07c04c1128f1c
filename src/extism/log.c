#include "extism/log.h"

#include "base/buf.h"
#include "extism/limits.h"
#include "extism/log_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TARGET_MAX 64
#define PRINTF_MAX 4096
#define BUFFER_BYTES (64UL * 1024 * 1024)

typedef struct sink {
    log_filter filter;
    int fd; /* -1: the buffer */
    bool colours;
} sink;

typedef struct line {
    struct line *next;
    size_t len;
    char text[]; /* NUL-terminated */
} line;

/* Once set, the sink lives as long as the process, so that no thread needs a lock to use it. */
static _Atomic(sink *) current;
static _Atomic(int) current_level;
static pthread_mutex_t set_lock = PTHREAD_MUTEX_INITIALIZER;

static struct {
    pthread_mutex_t lock;
    line *first;
    line *last;
    size_t count;
    size_t bytes;
} buffer = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int open_sink(sink *s, const char *path, error *err)
{
    if (!slice_is_utf8(slice_str(path)))
        return error_set(err, E_INVALID, "the log's path is not UTF-8");
    s->colours = true;
    if (strcmp(path, "-") == 0 || strcmp(path, "stderr") == 0) {
        s->fd = STDERR_FILENO;
        return 0;
    }
    if (strcmp(path, "stdout") == 0) {
        s->fd = STDOUT_FILENO;
        return 0;
    }
    s->colours = false;
    s->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (s->fd < 0)
        return error_set(err, E_IO, "%s: %s", path, strerror(errno));
    return 0;
}

/* Makes the sink: a file, or the buffer when `path` is NULL. With set_lock held. */
static int set_sink(const char *path, const char *filter, error *err)
{
    sink *s;
    int rc;

    if (atomic_load(&current))
        return error_set(err, E_BUSY, "the log has been set before");
    s = calloc(1, sizeof *s);
    if (!s)
        return error_set(err, E_NO_MEMORY, "log: %s", error_code_name(E_NO_MEMORY));
    s->fd = -1;
    rc = log_filter_init(&s->filter, filter ? filter : "error", err);
    if (rc == 0 && path)
        rc = open_sink(s, path, err);
    if (rc) {
        log_filter_deinit(&s->filter);
        free(s);
        return rc;
    }
    atomic_store(&current, s);
    atomic_store_explicit(&current_level, (int)s->filter.max, memory_order_relaxed);
    return 0;
}

int log_to_file(const char *path, const char *filter, error *err)
{
    int rc;

    pthread_mutex_lock(&set_lock);
    rc = set_sink(path ? path : "stderr", filter, err);
    pthread_mutex_unlock(&set_lock);
    return rc;
}

int log_to_buffer(const char *filter, error *err)
{
    int rc;

    pthread_mutex_lock(&set_lock);
    rc = set_sink(NULL, filter, err);
    pthread_mutex_unlock(&set_lock);
    return rc;
}

enum log_level log_level(void)
{
    return (enum log_level)atomic_load_explicit(&current_level, memory_order_relaxed);
}

/* Takes the oldest line out of the buffer, which is not empty. With the lock held. */
static line *take_first(void)
{
    line *l = buffer.first;

    buffer.first = l->next;
    if (!buffer.first)
        buffer.last = NULL;
    buffer.count--;
    buffer.bytes -= l->len;
    return l;
}

static void keep_line(slice text)
{
    line *l = malloc(sizeof *l + text.len + 1);

    if (!l)
        return;
    *l = (line){.len = text.len};
    memcpy(l->text, text.data, text.len);
    l->text[text.len] = '\0';
    pthread_mutex_lock(&buffer.lock);
    while (buffer.count &&
           (buffer.count >= LIMIT_LOG_LINES || buffer.bytes + l->len > BUFFER_BYTES))
        free(take_first());
    if (buffer.last)
        buffer.last->next = l;
    else
        buffer.first = l;
    buffer.last = l;
    buffer.count++;
    buffer.bytes += l->len;
    pthread_mutex_unlock(&buffer.lock);
}

void log_drain(void (*handler)(const char *line, uint64_t len))
{
    line *l;
    line *next;

    pthread_mutex_lock(&buffer.lock);
    l = buffer.first;
    buffer.first = NULL;
    buffer.last = NULL;
    buffer.count = 0;
    buffer.bytes = 0;
    pthread_mutex_unlock(&buffer.lock);
    for (; l; l = next) {
        next = l->next;
        handler(l->text, l->len);
        free(l);
    }
}

static void write_line(int fd, slice text)
{
    while (text.len) {
        ssize_t put = write(fd, text.data, text.len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return;
        text = slice_of(text.data + put, text.len - (size_t)put);
    }
}

static int put_time(buf *out, bool colours)
{
    struct timespec now = {0};
    struct tm utc = {0};

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    return buf_printf(out, "%s%04d-%02d-%02dT%02d:%02d:%02d.%06ldZ%s ", colours ? "\x1b[2m" : "",
                      utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                      utc.tm_sec, now.tv_nsec / 1000, colours ? "\x1b[0m" : "");
}

static int put_head(buf *out, enum log_level level, const char *target, bool colours)
{
    static const char *const names[] = {"", "ERROR", " WARN", " INFO", "DEBUG", "TRACE"};
    static const int colour[] = {0, 31, 33, 32, 34, 35};
    int rc = put_time(out, colours);

    if (rc)
        return rc;
    if (!colours)
        return buf_printf(out, "%s %s: ", names[level], target);
    return buf_printf(out, "\x1b[%dm%s\x1b[0m \x1b[2m%s\x1b[0m\x1b[2m:\x1b[0m ", colour[level],
                      names[level], target);
}

/* Appends UTF-8 text, with the characters escaped that a terminal may obey. */
static int put_escaped(buf *out, slice text)
{
    size_t done = 0;
    int rc = 0;

    for (size_t i = 0; i < text.len && rc == 0; i++) {
        uint8_t c = text.data[i];
        bool c1 = c == 0xc2 && text.data[i + 1] < 0xa0;

        if (!c1 && !memchr("\0\a\b\f\x1b\x7f", c, 6))
            continue;
        rc = buf_append(out, text.data + done, i - done);
        i += c1;
        done = i + 1;
        if (rc == 0)
            rc = buf_printf(out, c1 ? "\\u{%x}" : "\\x%02x", text.data[i]);
    }
    return rc ? rc : buf_append(out, text.data + done, text.len - done);
}

static int put_text(buf *out, slice text)
{
    int rc = 0;

    while (text.len && rc == 0) {
        size_t good = slice_utf8_prefix(text);

        rc = put_escaped(out, slice_of(text.data, good));
        if (rc == 0 && good < text.len)
            rc = buf_printf(out, "\\x%02x", text.data[good++]);
        text = slice_of(text.data + good, text.len - good);
    }
    return rc;
}

static int put_plugin(buf *out, const char *id, bool colours)
{
    if (!id)
        return 0;
    if (!colours)
        return buf_printf(out, " plugin=\"%s\"", id);
    return buf_printf(out, " \x1b[3mplugin\x1b[0m\x1b[2m=\x1b[0m\"%s\"", id);
}

void log_write(enum log_level level, const char *target, const char *plugin_id, slice text)
{
    const sink *s;
    char full[TARGET_MAX];
    buf out;

    if (level == LOG_OFF || level > log_level())
        return;
    s = atomic_load(&current);
    snprintf(full, sizeof full, "extism::%s", target);
    if (!s || !log_filter_enabled(&s->filter, level, slice_str(full)))
        return;
    buf_init(&out, text.len * 4 + 512); /* an escaped byte makes four */
    if (put_head(&out, level, full, s->colours) == 0 && put_text(&out, text) == 0 &&
        put_plugin(&out, plugin_id, s->colours) == 0 && buf_append_byte(&out, '\n') == 0) {
        if (s->fd < 0)
            keep_line(buf_slice(&out));
        else
            write_line(s->fd, buf_slice(&out));
    }
    buf_deinit(&out);
}

void log_printf(enum log_level level, const char *target, const char *plugin_id, const char *format,
                ...)
{
    va_list args;
    char *text;
    int len;

    if (level == LOG_OFF || level > log_level())
        return;
    /* Not on the stack: the caller may run on a small one. */
    text = malloc(PRINTF_MAX);
    if (!text)
        return;
    va_start(args, format);
    len = vsnprintf(text, PRINTF_MAX, format, args);
    va_end(args);
    if (len >= 0) {
        slice whole = slice_of(text, len < PRINTF_MAX ? (size_t)len : PRINTF_MAX - 1);

        if (len >= PRINTF_MAX)
            whole.len = slice_utf8_prefix(whole);
        log_write(level, target, plugin_id, whole);
    }
    free(text);
}
