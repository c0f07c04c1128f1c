#include "build/source_lines.h"

#include "base/json.h"
#include "build/limits.h"

#include <stdlib.h>
#include <string.h>

/* What is written at the moment. */
struct writer {
    buf *out;
    int64_t source; /* of the last line; -1: none */
    int64_t line;
    unsigned run; /* lines of "n" that are not written yet */
    int rc;
};

static void flush_run(struct writer *w)
{
    if (w->run && w->rc == 0)
        w->rc = buf_printf(w->out, "%u ", w->run);
    w->run = 0;
}

/* A line that comes from `line` of `source`. */
static void put_line(struct writer *w, int64_t source, int64_t line)
{
    if (source == w->source && line == w->line + 1) {
        w->run++;
    } else {
        flush_run(w);
        if (w->rc == 0)
            w->rc = source == w->source
                        ? buf_printf(w->out, "%+lld ", (long long)(line - w->line - 1))
                        : buf_printf(w->out, "%lld:%lld ", (long long)source, (long long)line);
    }
    w->source = source;
    w->line = line;
}

/* A number in base64 of the source map format; false at the end of a segment. */
static bool read_number(slice text, size_t *at, int64_t *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint64_t value = 0;
    unsigned shift = 0;

    for (; *at < text.len && shift < 60; shift += 5) {
        const char *digit = text.data[*at] ? strchr(digits, text.data[*at]) : NULL;
        if (!digit)
            return false;
        (*at)++;
        value |= (uint64_t)((digit - digits) & 31) << shift;
        if ((digit - digits) < 32) {
            *out = value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
            return true;
        }
    }
    return false;
}

/* Reads one segment: column, source, line, column there, name. Whether it names a source. Moves past its end
 * whatever stands in it. */
static bool read_segment(slice text, size_t *at, int64_t *source_step, int64_t *line_step)
{
    int64_t unused;
    bool named = read_number(text, at, &unused) && read_number(text, at, source_step) &&
                 read_number(text, at, line_step);

    while (*at < text.len && text.data[*at] != ',' && text.data[*at] != ';')
        (*at)++;
    return named;
}

/* Of each line of the file the first segment that names a source counts. A line that comes from nowhere
 * counts as a part of the one before. */
static int put_mappings(buf *out, slice mappings)
{
    struct writer w = {.out = out, .source = -1, .line = -1};
    int64_t source = 0, line = 0, source_step, line_step;
    bool has_line = false;

    for (size_t at = 0; at < mappings.len && w.rc == 0;) {
        if (mappings.data[at] == ';') {
            if (!has_line)
                put_line(&w, w.source < 0 ? 0 : w.source, w.line);
            has_line = false;
            at++;
        } else if (mappings.data[at] == ',') {
            at++;
        } else if (read_segment(mappings, &at, &source_step, &line_step)) {
            source += source_step;
            line += line_step;
            if (!has_line)
                put_line(&w, source, line);
            has_line = true;
        }
    }
    flush_run(&w);
    return w.rc;
}

static int put_source(buf *out, slice name, const char *prefix)
{
    size_t len = strlen(prefix);

    if (name.len > len && memcmp(name.data, prefix, len) == 0)
        name = slice_of(name.data + len, name.len - len);
    int rc = buf_append(out, name.data, name.len);
    return rc ? rc : buf_append_byte(out, '\n');
}

static int read_sources(json_reader *r, buf *out, const char *prefix, error *err)
{
    int rc = json_enter(r, JSON_ARRAY, err), more;
    buf name;

    buf_init(&name, LIMIT_BUILD_NAME_BYTES * 8);
    for (size_t i = 0; rc == 0 && (more = json_next(r, JSON_ARRAY, i, err)) != 0; i++) {
        buf_clear(&name);
        rc = more < 0 ? more : json_string(r, &name, err);
        rc = rc ? rc : put_source(out, buf_slice(&name), prefix);
    }
    buf_deinit(&name);
    return rc ? rc : buf_append_byte(out, '\n');
}

int source_lines_read(source_lines *out, slice map, const char *prefix, error *err)
{
    json_reader r = {.text = map};
    buf name, mappings;
    int rc, more;

    *out = (source_lines){0};
    buf_init(&out->text, LIMIT_BUILD_RECORD_BYTES);
    buf_init(&name, 64);
    buf_init(&mappings, LIMIT_BUILD_RECORD_BYTES);
    rc = json_enter(&r, JSON_OBJECT, err);
    for (size_t i = 0; rc == 0 && (more = json_next(&r, JSON_OBJECT, i, err)) != 0; i++) {
        buf_clear(&name);
        rc = more < 0 ? more : json_name(&r, &name, err);
        if (rc == 0 && slice_equal_str(buf_slice(&name), "sources"))
            rc = read_sources(&r, &out->text, prefix, err);
        else if (rc == 0 && slice_equal_str(buf_slice(&name), "mappings"))
            rc = json_string(&r, &mappings, err);
        else if (rc == 0)
            rc = json_copy(&r, NULL, err);
    }
    rc = rc ? rc : put_mappings(&out->text, buf_slice(&mappings));
    buf_deinit(&name);
    buf_deinit(&mappings);
    if (rc)
        source_lines_deinit(out);
    return rc;
}

static slice source_name(slice text, long number)
{
    const char *at = (const char *)text.data;

    while (number-- > 0)
        at = strchr(at, '\n') + 1;
    return slice_of(at, (size_t)(strchr(at, '\n') - at));
}

bool source_lines_find(const source_lines *l, unsigned line, slice *source, unsigned *source_line)
{
    long current = 0, from = -1, number = 0;
    buf text;
    bool found = false;

    buf_init(&text, SIZE_MAX);
    if (l->text.len == 0 || buf_append(&text, l->text.data, l->text.len) != 0 ||
        buf_append_byte(&text, 0) != 0)
        goto done;
    char *at = strstr((char *)text.data, "\n\n");
    for (char *save = NULL, *token = at ? strtok_r(at + 2, " ", &save) : NULL; token && current < (long)line;
         token = strtok_r(NULL, " ", &save)) {
        char *colon = strchr(token, ':');
        long n = strtol(token, NULL, 10), count = 1;
        if (colon) {
            number = n;
            from = strtol(colon + 1, NULL, 10);
        } else if (*token == '+' || *token == '-') {
            from += n + 1;
        } else {
            count = n;
            from += n;
        }
        current += count;
        if (current < (long)line)
            continue;
        found = from >= 0;
        *source_line = (unsigned)(from - (current - (long)line) + 1);
        *source = source_name(buf_slice(&l->text), number);
    }
done:
    buf_deinit(&text);
    return found;
}

void source_lines_deinit(source_lines *l)
{
    buf_deinit(&l->text);
    *l = (source_lines){0};
}
