#include "server/error_log.h"

#include "base/buf.h"

#include <time.h>

#define TEXT_SHOWN (16UL * 1024)

/* The length of the character at the start of `text`, if it is one that no terminal obeys. */
static size_t printable(slice text)
{
    uint8_t c = text.data[0];
    size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    if ((c < ' ' && c != '\t') || c == 0x7f || len > text.len)
        return 0;
    if (!slice_is_utf8(slice_of(text.data, len)) || (c == 0xc2 && text.data[1] < 0xa0))
        return 0;
    return len;
}

static int put_text(buf *out, slice text)
{
    size_t len = text.len < TEXT_SHOWN ? text.len : TEXT_SHOWN;
    int rc = 0;

    while (len && text.data[len - 1] == '\n')
        len--;
    for (size_t i = 0, n; i < len && rc == 0; i += n ? n : 1) {
        n = printable(slice_of(text.data + i, len - i));
        if (n)
            rc = buf_append(out, text.data + i, n);
        else
            rc = buf_append_str(out, text.data[i] == '\n' ? "\n    " : "?");
    }
    return rc;
}

void error_log_write(log_writer *w, const char *function, const char *invocation, slice text)
{
    error_log_write_line(w, ERROR_LOG_ERROR, function, invocation, text, slice_of(NULL, 0));
}

void error_log_write_line(log_writer *w, enum error_log_level level, const char *function,
                          const char *invocation, slice text, slice attributes)
{
    static const char *const names[] = {"TRACE", "DEBUG", "INFO ", "WARN ", "ERROR"};
    struct timespec now;
    char stamp[32];
    struct tm tm;
    buf line;
    int rc;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm);
    buf_init(&line, TEXT_SHOWN * 10 + 2048);
    rc = buf_printf(&line, "%s.%03ldZ %s %s", stamp, now.tv_nsec / 1000000, names[level], function);
    if (rc == 0 && invocation)
        rc = buf_printf(&line, " invocation %s", invocation);
    rc = rc ? rc : buf_append_str(&line, ": ");
    rc = rc ? rc : put_text(&line, text);
    if (rc == 0 && attributes.len) {
        rc = buf_append_byte(&line, ' ');
        rc = rc ? rc : put_text(&line, attributes);
    }
    rc = rc ? rc : buf_append_byte(&line, '\n');
    if (rc == 0) {
        log_writer_put_level(w, (int)level, line.data, line.len);
        line = (buf){0};
    }
    buf_deinit(&line);
}
