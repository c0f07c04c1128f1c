#include "server/error_log.h"

#include "base/buf.h"
#include "base/calendar.h"
#include "base/clock.h"

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

/* Appends the start of a text, and says how much is left out. */
static int put_text(buf *out, slice text)
{
    size_t len;
    int rc = 0;

    while (text.len && text.data[text.len - 1] == '\n')
        text.len--;
    len = text.len <= TEXT_SHOWN ? text.len : TEXT_SHOWN;
    /* A character stays whole, unless it is none. */
    while (len < text.len && len > TEXT_SHOWN - 4 && (text.data[len] & 0xc0) == 0x80)
        len--;
    for (size_t i = 0, n; i < len && rc == 0; i += n ? n : 1) {
        n = printable(slice_of(text.data + i, len - i));
        if (n)
            rc = buf_append(out, text.data + i, n);
        else
            rc = buf_append_str(out, text.data[i] == '\n' ? "\n    " : "?");
    }
    if (rc == 0 && len < text.len)
        rc = buf_printf(out, "... (%zu bytes more)", text.len - len);
    return rc;
}

/* Appends them whole, as half an object is none. */
static int put_attributes(buf *out, slice attributes)
{
    int rc;

    if (attributes.len > TEXT_SHOWN)
        return buf_printf(out, " (attributes of %zu bytes left out)", attributes.len);
    rc = buf_append_byte(out, ' ');
    return rc ? rc : put_text(out, attributes);
}

void error_log_write(log_writer *w, const char *function, const char *invocation, slice text)
{
    error_log_write_line(w, ERROR_LOG_ERROR, function, invocation, text, slice_of(NULL, 0));
}

void error_log_write_line(log_writer *w, enum error_log_level level, const char *function,
                          const char *invocation, slice text, slice attributes)
{
    static const char *const names[] = {"TRACE", "DEBUG", "INFO ", "WARN ", "ERROR"};
    char stamp[CALENDAR_TIME_BYTES];
    buf line;
    int rc;

    calendar_put_time(clock_wall_ms(), stamp);
    buf_init(&line, TEXT_SHOWN * 10 + 2048);
    rc = buf_printf(&line, "%s %s %s", stamp, names[level], function);
    if (rc == 0 && invocation)
        rc = buf_printf(&line, " invocation %s", invocation);
    rc = rc ? rc : buf_append_str(&line, ": ");
    rc = rc ? rc : put_text(&line, text);
    if (rc == 0 && attributes.len)
        rc = put_attributes(&line, attributes);
    rc = rc ? rc : buf_append_byte(&line, '\n');
    if (rc == 0) {
        log_writer_put_level(w, (int)level, line.data, line.len);
        line = (buf){0};
    }
    buf_deinit(&line);
}
