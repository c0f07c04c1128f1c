#include "observe.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN_WHOLE = 16 * 1024 };

static int out_fd = -1;
static char hidden_port[16];

void observe_to(int fd)
{
    out_fd = fd;
}

void observe_hide_port(unsigned port)
{
    snprintf(hidden_port, sizeof hidden_port, ":%u", port);
}

static void send_all(const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(out_fd, data, len);

        if (n <= 0)
            _exit(99);
        data += n;
        len -= (size_t)n;
    }
}

static bool is_utf8(const unsigned char *s, size_t len)
{
    size_t i = 0;

    while (i < len) {
        size_t more = s[i] < 0x80             ? 0
                      : (s[i] & 0xe0) == 0xc0 ? 1
                      : (s[i] & 0xf0) == 0xe0 ? 2
                      : (s[i] & 0xf8) == 0xf0 ? 3
                                              : 4;

        if (more == 4 || more >= len - i)
            return false;
        for (size_t k = 1; k <= more; k++)
            if ((s[i + k] & 0xc0) != 0x80)
                return false;
        i += more + 1;
    }
    return true;
}

static void put_json_text(FILE *f, const char *s, size_t len)
{
    size_t port_len = strlen(hidden_port);

    fputc('"', f);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];

        if (port_len > 0 && len - i >= port_len && memcmp(s + i, hidden_port, port_len) == 0) {
            fputs(":PORT", f);
            i += port_len - 1;
        } else if (c == '"' || c == '\\') {
            fprintf(f, "\\%c", c);
        } else if (c < 0x20 || c == 0x7f) {
            fprintf(f, "\\u%04x", c);
        } else {
            fputc(c, f);
        }
    }
    fputc('"', f);
}

/* Sends `,["name",<value>]`, the value as JSON. */
static void observe_json(const char *name, const char *value)
{
    char *line = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&line, &len);

    if (f == NULL)
        _exit(99);
    fputs(",[", f);
    put_json_text(f, name, strlen(name));
    fprintf(f, ",%s]", value);
    fclose(f);
    send_all(line, len);
    free(line);
}

void observe_int(const char *name, int64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%" PRId64, value);
    observe_json(name, text);
}

void observe_bool(const char *name, bool value)
{
    observe_json(name, value ? "true" : "false");
}

void observe_text(const char *name, const char *text)
{
    if (text == NULL)
        observe_json(name, "null");
    else
        observe_bytes(name, text, strlen(text));
}

static uint64_t fnv1a(const unsigned char *s, size_t len)
{
    uint64_t h = 0xcbf29ce484222325;

    for (size_t i = 0; i < len; i++)
        h = (h ^ s[i]) * 0x100000001b3;
    return h;
}

void observe_bytes(const char *name, const void *data, size_t len)
{
    char *value = NULL;
    size_t value_len = 0;
    FILE *f = open_memstream(&value, &value_len);

    if (f == NULL)
        _exit(99);
    if (len > SHOWN_WHOLE) {
        fprintf(f, "\"%zu bytes, hash %016" PRIx64 "\"", len, fnv1a(data, len));
    } else if (is_utf8(data, len)) {
        put_json_text(f, data, len);
    } else {
        fputs("\"hex ", f);
        for (size_t i = 0; i < len; i++)
            fprintf(f, "%02x", ((const unsigned char *)data)[i]);
        fputc('"', f);
    }
    fclose(f);
    observe_json(name, value);
    free(value);
}

void observe_numbers(const char *name, const void *data, size_t len)
{
    char *value = NULL;
    size_t value_len = 0;
    FILE *f = open_memstream(&value, &value_len);

    if (f == NULL)
        _exit(99);
    fputc('[', f);
    for (size_t i = 0; i + 8 <= len; i += 8) {
        int64_t n;

        memcpy(&n, (const char *)data + i, 8);
        fprintf(f, "%s%" PRId64, i == 0 ? "" : ",", n);
    }
    if (len % 8 != 0)
        fprintf(f, "%s\"and %zu bytes\"", len < 8 ? "" : ",", len % 8);
    fputc(']', f);
    fclose(f);
    observe_json(name, value);
    free(value);
}
