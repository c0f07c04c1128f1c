#include "extism/log_filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static const char *const level_words[] = {"off", "error", "warn", "info", "debug", "trace"};

/* A level written as a number, with a plus sign and zeros before it or not, as Rust reads one. */
static bool parse_number(slice text, enum log_level *out)
{
    size_t at = text.len > 0 && text.data[0] == '+';

    if (at == text.len)
        return false;
    while (at + 1 < text.len && text.data[at] == '0')
        at++;
    if (at + 1 != text.len || text.data[at] < '0' || text.data[at] > '0' + LOG_TRACE)
        return false;
    *out = (enum log_level)(text.data[at] - '0');
    return true;
}

static bool parse_level(slice text, enum log_level *out)
{
    for (int level = LOG_OFF; level <= LOG_TRACE; level++) {
        const char *word = level_words[level];

        if (text.len == strlen(word) && strncasecmp((const char *)text.data, word, text.len) == 0) {
            *out = (enum log_level)level;
            return true;
        }
    }
    return parse_number(text, out);
}

int log_level_parse(const char *text, enum log_level *out)
{
    return parse_level(slice_str(text), out) ? 0 : E_INVALID;
}

static slice trim(slice s)
{
    while (s.len && strchr(" \t\r\n\v\f", s.data[0]))
        s = slice_of(s.data + 1, s.len - 1);
    while (s.len && strchr(" \t\r\n\v\f", s.data[s.len - 1]))
        s.len--;
    return s;
}

static bool can_begin(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == ':' || c == '_' || c >= 0x80;
}

/* Reads one directive; NULL, or what is wrong with it. */
static const char *parse_directive(slice text, log_directive *out)
{
    const uint8_t *equals;
    slice level;

    if (text.len == 0 || (!can_begin(text.data[0]) && text.data[0] != '['))
        return "invalid filter directive";
    equals = memchr(text.data, '=', text.len);
    if (memchr(text.data, '[', equals ? (size_t)(equals - text.data) : text.len))
        return "there are no spans to select";
    *out = (log_directive){.level = LOG_TRACE};
    if (!equals) {
        if (!parse_level(text, &out->level))
            out->target = text;
        return NULL;
    }
    out->target = slice_of(text.data, (size_t)(equals - text.data));
    level = slice_of(equals + 1, text.len - out->target.len - 1);
    if (level.len && !parse_level(level, &out->level))
        return "expected one of off, error, warn, info, debug, trace, or a number from 0 to 5";
    return NULL;
}

static void add(log_filter *f, slice text)
{
    const char *wrong = parse_directive(trim(text), &f->directive[f->count]);

    if (wrong) {
        fprintf(stderr, "ignoring `%.*s`: %s\n", (int)text.len, (const char *)text.data, wrong);
        return;
    }
    if (f->directive[f->count].level > f->max)
        f->max = f->directive[f->count].level;
    f->count++;
}

static void add_all(log_filter *f)
{
    const char *at = f->text;

    /* A level alone is meant for this library, not for what it is built of. */
    if (parse_level(slice_str(f->text), &f->max)) {
        f->directive[0] = (log_directive){.target = slice_str("extism"), .level = f->max};
        f->count = 1;
        return;
    }
    while (*at) {
        size_t len = strcspn(at, ",");

        if (len)
            add(f, slice_of(at, len));
        at += len;
        at += *at == ',';
    }
    if (f->count)
        return;
    f->directive[0] = (log_directive){.level = LOG_ERROR};
    f->count = 1;
    f->max = LOG_ERROR;
}

int log_filter_init(log_filter *out, const char *text, error *err)
{
    size_t parts = 1;

    *out = (log_filter){0};
    if (!slice_is_utf8(slice_str(text)))
        return error_set(err, E_INVALID, "the log filter is not UTF-8");
    for (const char *p = text; *p; p++)
        parts += *p == ',';
    out->directive = calloc(parts, sizeof *out->directive);
    out->text = strdup(text);
    if (!out->directive || !out->text) {
        log_filter_deinit(out);
        return error_set(err, E_NO_MEMORY, "log filter: %s", error_code_name(E_NO_MEMORY));
    }
    add_all(out);
    return 0;
}

void log_filter_deinit(log_filter *f)
{
    free(f->directive);
    free(f->text);
    *f = (log_filter){0};
}

bool log_filter_enabled(const log_filter *f, enum log_level level, slice target)
{
    const log_directive *best = NULL;

    for (size_t i = 0; i < f->count; i++) {
        const log_directive *d = &f->directive[i];

        if (d->target.len > target.len ||
            (d->target.len && memcmp(d->target.data, target.data, d->target.len) != 0))
            continue;
        if (!best || d->target.len >= best->target.len)
            best = d;
    }
    return best && level <= best->level;
}
