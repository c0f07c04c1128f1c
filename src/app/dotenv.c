#include "app/dotenv.h"

#include "app/limits.h"
#include "base/file.h"

#include <string.h>

struct reader {
    slice text;
    size_t at;
    strmap *out;
    const char *path;
    problems *found;
    buf value; /* the one that is being read */
};

static int byte_at(const struct reader *r)
{
    return r->at < r->text.len ? r->text.data[r->at] : -1;
}

static void skip_blanks(struct reader *r)
{
    while (byte_at(r) == ' ' || byte_at(r) == '\t' || byte_at(r) == '\r')
        r->at++;
}

static void skip_line(struct reader *r)
{
    while (byte_at(r) >= 0 && byte_at(r) != '\n')
        r->at++;
}

static bool is_name_byte(int c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && c >= '0' && c <= '9');
}

static slice read_name(struct reader *r)
{
    size_t start = r->at;

    while (is_name_byte(byte_at(r), r->at == start))
        r->at++;
    return slice_of(r->text.data + start, r->at - start);
}

static void refuse(struct reader *r, size_t at, const char *why)
{
    size_t line, column;

    slice_position(r->text, at, &line, &column);
    problems_add(r->found, r->path, (unsigned)line, "%s", why);
    skip_line(r);
}

/* What stands without quotes goes up to the line's end or a comment. */
static int read_bare(struct reader *r)
{
    size_t start = r->at, end = r->at;
    bool blank = start > 0 && r->text.data[start - 1] != '=';

    while (byte_at(r) >= 0 && byte_at(r) != '\n' && (byte_at(r) != '#' || !blank)) {
        blank = byte_at(r) == ' ' || byte_at(r) == '\t' || byte_at(r) == '\r';
        r->at++;
        if (!blank)
            end = r->at;
    }
    return buf_append(&r->value, r->text.data + start, end - start);
}

static uint8_t unescaped(int c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return (uint8_t)c;
    }
}

/* E_INVALID when the quotes are not closed. */
static int read_quoted(struct reader *r, int quote)
{
    int rc = 0;

    for (r->at++; byte_at(r) >= 0 && byte_at(r) != quote && rc == 0; r->at++) {
        uint8_t c = (uint8_t)byte_at(r);

        if (c == '\\' && quote == '"' && r->at + 1 < r->text.len) {
            r->at++;
            c = unescaped(byte_at(r));
        }
        rc = buf_append_byte(&r->value, c);
    }
    if (rc == 0 && byte_at(r) < 0)
        return E_INVALID;
    r->at++;
    return rc;
}

static int read_value(struct reader *r, slice name)
{
    size_t start = r->at;
    int quote = byte_at(r);
    bool is_quoted = quote == '"' || quote == '\'';
    int rc;

    buf_clear(&r->value);
    rc = is_quoted ? read_quoted(r, quote) : read_bare(r);
    if (rc == E_INVALID) {
        refuse(r, start, "the quotes are not closed");
        return 0;
    }
    if (rc)
        return rc;
    if (is_quoted) {
        skip_blanks(r);
        if (byte_at(r) >= 0 && byte_at(r) != '\n' && byte_at(r) != '#') {
            refuse(r, r->at, "something stands behind the closing quotes");
            return 0;
        }
    }
    if (r->value.len && memchr(r->value.data, 0, r->value.len)) {
        refuse(r, start, "a value must not contain a NUL");
        return 0;
    }
    return strmap_set(r->out, name, buf_slice(&r->value));
}

static int read_line(struct reader *r)
{
    size_t start;
    slice name;

    skip_blanks(r);
    start = r->at;
    if (byte_at(r) == '#' || byte_at(r) == '\n' || byte_at(r) < 0) {
        skip_line(r);
        return 0;
    }
    name = read_name(r);
    if (slice_equal_str(name, "export") && (byte_at(r) == ' ' || byte_at(r) == '\t')) {
        skip_blanks(r);
        name = read_name(r);
    }
    skip_blanks(r);
    if (name.len == 0 || byte_at(r) != '=') {
        refuse(r, start, "not NAME=value");
        return 0;
    }
    r->at++;
    skip_blanks(r);
    return read_value(r, name);
}

int dotenv_parse(strmap *out, slice text, const char *path, problems *found, error *err)
{
    struct reader r = {.text = text, .out = out, .path = path, .found = found};
    int rc = 0;

    if (!slice_is_utf8(text)) {
        problems_add(found, path, 0, "not UTF-8 from byte %zu on", slice_utf8_prefix(text));
        return 0;
    }
    buf_init(&r.value, text.len);
    for (; r.at < text.len && rc == 0; r.at++) {
        rc = read_line(&r);
        skip_line(&r);
    }
    if (rc)
        error_set(err, rc, "%s: %s", path, error_code_name(rc));
    buf_deinit(&r.value);
    return rc;
}

int dotenv_read(strmap *out, const char *path, problems *found, error *err)
{
    buf text;
    int rc;

    buf_init(&text, LIMIT_CONFIG_BYTES);
    rc = file_read(path, &text, err);
    if (rc == E_NOT_FOUND) {
        error_deinit(err);
        rc = 0;
    } else if (rc == 0) {
        rc = dotenv_parse(out, buf_slice(&text), path, found, err);
    }
    buf_deinit(&text);
    return rc;
}
