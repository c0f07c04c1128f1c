#include "base/json.h"

static void skip_space(json_reader *r)
{
    while (r->at < r->text.len) {
        uint8_t c = r->text.data[r->at];

        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return;
        r->at++;
    }
}

/* The byte at the reader, or -1 at the end. */
static int byte_at(const json_reader *r)
{
    return r->at < r->text.len ? r->text.data[r->at] : -1;
}

enum json_kind json_peek(json_reader *r)
{
    int c;

    skip_space(r);
    c = byte_at(r);
    switch (c) {
    case -1:
        return JSON_END;
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 't':
    case 'f':
        return JSON_BOOL;
    case 'n':
        return JSON_NULL;
    default:
        return c == '-' || (c >= '0' && c <= '9') ? JSON_NUMBER : JSON_OTHER;
    }
}

const char *json_kind_name(enum json_kind kind)
{
    switch (kind) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_NUMBER:
        return "a number";
    case JSON_BOOL:
        return "true or false";
    case JSON_NULL:
        return "null";
    case JSON_END:
        return "the end of the text";
    case JSON_OTHER:
        break;
    }
    return "something that is not JSON";
}

/* E_INVALID unless a value of this kind comes. */
static int expect(json_reader *r, enum json_kind kind, error *err)
{
    enum json_kind found = json_peek(r);

    if (found == kind)
        return 0;
    return error_set(err, E_INVALID, "expected %s, found %s", json_kind_name(kind),
                     json_kind_name(found));
}

int json_enter(json_reader *r, enum json_kind kind, error *err)
{
    int rc = expect(r, kind, err);

    if (rc == 0)
        r->at++;
    return rc;
}

int json_next(json_reader *r, enum json_kind kind, size_t index, error *err)
{
    int close = kind == JSON_ARRAY ? ']' : '}';

    skip_space(r);
    if (byte_at(r) == close) {
        r->at++;
        return 0;
    }
    if (index == 0)
        return 1;
    if (byte_at(r) != ',')
        return error_set(err, E_INVALID, "expected ',' or '%c'", close);
    r->at++;
    skip_space(r);
    if (byte_at(r) == close)
        return error_set(err, E_INVALID, "a ',' stands before the '%c'", close);
    return 1;
}

int json_name(json_reader *r, buf *out, error *err)
{
    int rc = expect(r, JSON_STRING, err);

    if (rc == 0)
        rc = json_string(r, out, err);
    if (rc)
        return rc;
    skip_space(r);
    if (byte_at(r) != ':')
        return error_set(err, E_INVALID, "expected ':' after the name");
    r->at++;
    return 0;
}

/* Reads four hexadecimal digits. */
static int read_hex(json_reader *r, uint32_t *out, error *err)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++) {
        int c = byte_at(r);
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0)
            return error_set(err, E_INVALID, "expected four hexadecimal digits after \\u");
        value = value << 4 | (uint32_t)digit;
        r->at++;
    }
    *out = value;
    return 0;
}

static int append_utf8(buf *out, uint32_t c)
{
    uint8_t bytes[4];
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = len - 1; i > 0; i--) {
        bytes[i] = (uint8_t)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    bytes[0] = (uint8_t)(len == 1 ? c : (0xf00U >> len & 0xff) | c);
    return buf_append(out, bytes, len);
}

/* Reads what follows \u, with the second half of a surrogate pair. */
static int read_unicode(json_reader *r, buf *out, error *err)
{
    uint32_t high;
    uint32_t low;
    int rc = read_hex(r, &high, err);

    if (rc)
        return rc;
    if (high >= 0xdc00 && high <= 0xdfff)
        return error_set(err, E_INVALID, "a surrogate stands alone");
    if (high < 0xd800 || high > 0xdbff)
        return append_utf8(out, high);
    if (r->text.len - r->at < 2 || memcmp(r->text.data + r->at, "\\u", 2) != 0)
        return error_set(err, E_INVALID, "a surrogate stands alone");
    r->at += 2;
    rc = read_hex(r, &low, err);
    if (rc)
        return rc;
    if (low < 0xdc00 || low > 0xdfff)
        return error_set(err, E_INVALID, "a surrogate stands alone");
    return append_utf8(out, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
}

/* Reads what follows a backslash. */
static int read_escape(json_reader *r, buf *out, error *err)
{
    static const char letters[] = "\"\\/bfnrt";
    static const uint8_t meanings[] = "\"\\/\b\f\n\r\t";
    int c = byte_at(r);
    const char *letter = c > 0 ? strchr(letters, c) : NULL;

    if (c == 'u') {
        r->at++;
        return read_unicode(r, out, err);
    }
    if (!letter)
        return error_set(err, E_INVALID, "unknown escape");
    r->at++;
    return buf_append_byte(out, meanings[letter - letters]);
}

int json_string(json_reader *r, buf *out, error *err)
{
    int rc = expect(r, JSON_STRING, err);

    if (rc)
        return rc;
    r->at++;
    while (rc == 0) {
        size_t start = r->at;
        int c;

        while ((c = byte_at(r)) >= ' ' && c != '"' && c != '\\')
            r->at++;
        rc = buf_append(out, r->text.data + start, r->at - start);
        if (rc)
            break;
        if (c < 0)
            return error_set(err, E_INVALID, "the string does not end");
        if (c < ' ')
            return error_set(err, E_INVALID, "a control character stands in a string");
        r->at++;
        if (c == '"')
            return 0;
        rc = read_escape(r, out, err);
    }
    if (rc != E_INVALID)
        error_set(err, rc, "%s", error_code_name(rc));
    return rc;
}

int json_uint(json_reader *r, uint64_t max, uint64_t *out, error *err)
{
    uint64_t value = 0;
    size_t start;
    int rc = expect(r, JSON_NUMBER, err);

    if (rc)
        return rc;
    if (byte_at(r) == '-')
        return error_set(err, E_INVALID, "must not be negative");
    for (start = r->at; byte_at(r) >= '0' && byte_at(r) <= '9'; r->at++) {
        uint64_t digit = r->text.data[r->at] - (uint64_t)'0';

        if (r->at == start + 1 && value == 0)
            return error_set(err, E_INVALID, "a number begins with 0");
        if (digit > max || value > (max - digit) / 10)
            return error_set(err, E_INVALID, "must not be more than %llu", (unsigned long long)max);
        value = value * 10 + digit;
    }
    if (byte_at(r) == '.' || byte_at(r) == 'e' || byte_at(r) == 'E')
        return error_set(err, E_INVALID, "must be a whole number without '.' and exponent");
    *out = value;
    return 0;
}

int json_bool(json_reader *r, bool *out, error *err)
{
    slice rest;
    int rc = expect(r, JSON_BOOL, err);

    if (rc)
        return rc;
    rest = slice_of(r->text.data + r->at, r->text.len - r->at);
    if (rest.len >= 4 && memcmp(rest.data, "true", 4) == 0) {
        *out = true;
        r->at += 4;
    } else if (rest.len >= 5 && memcmp(rest.data, "false", 5) == 0) {
        *out = false;
        r->at += 5;
    } else {
        rc = error_set(err, E_INVALID, "expected true or false");
    }
    return rc;
}

int json_null(json_reader *r, error *err)
{
    int rc = expect(r, JSON_NULL, err);

    if (rc)
        return rc;
    if (r->text.len - r->at < 4 || memcmp(r->text.data + r->at, "null", 4) != 0)
        return error_set(err, E_INVALID, "expected null");
    r->at += 4;
    return 0;
}

int json_end(json_reader *r, error *err)
{
    if (json_peek(r) != JSON_END)
        return error_set(err, E_INVALID, "something stands behind the end of the value");
    return 0;
}

int json_put_string(buf *out, slice text)
{
    size_t done = 0;
    int rc = buf_append_byte(out, '"');

    for (size_t i = 0; i < text.len && rc == 0; i++) {
        uint8_t c = text.data[i];

        if (c >= ' ' && c != '"' && c != '\\')
            continue;
        rc = buf_append(out, text.data + done, i - done);
        if (rc == 0)
            rc = c < ' ' ? buf_printf(out, "\\u%04x", c) : buf_append_byte(out, '\\');
        done = c < ' ' ? i + 1 : i;
    }
    if (rc == 0 && done < text.len)
        rc = buf_append(out, text.data + done, text.len - done);
    return rc ? rc : buf_append_byte(out, '"');
}

int json_put_bytes(buf *out, slice bytes)
{
    buf text;
    int rc = 0;

    if (slice_is_utf8(bytes))
        return json_put_string(out, bytes);
    buf_init(&text, SIZE_MAX);
    while (bytes.len && rc == 0) {
        size_t whole = slice_utf8_prefix(bytes);

        rc = buf_append(&text, bytes.data, whole);
        bytes = slice_of(bytes.data + whole, bytes.len - whole);
        if (bytes.len && rc == 0) {
            rc = buf_append_str(&text, "\xef\xbf\xbd");
            bytes = slice_of(bytes.data + 1, bytes.len - 1);
        }
    }
    rc = rc ? rc : json_put_string(out, buf_slice(&text));
    buf_deinit(&text);
    return rc;
}

static size_t skip_digits(json_reader *r)
{
    size_t start = r->at;

    while (byte_at(r) >= '0' && byte_at(r) <= '9')
        r->at++;
    return r->at - start;
}

static int skip_number(json_reader *r, error *err)
{
    size_t start, digits;

    if (byte_at(r) == '-')
        r->at++;
    start = r->at;
    digits = skip_digits(r);
    if (digits == 0 || (digits > 1 && r->text.data[start] == '0'))
        return error_set(err, E_INVALID, "a number begins as none does");
    if (byte_at(r) == '.') {
        r->at++;
        if (skip_digits(r) == 0)
            return error_set(err, E_INVALID, "no digit follows the '.' of a number");
    }
    if (byte_at(r) == 'e' || byte_at(r) == 'E') {
        r->at++;
        if (byte_at(r) == '+' || byte_at(r) == '-')
            r->at++;
        if (skip_digits(r) == 0)
            return error_set(err, E_INVALID, "no digit follows the 'e' of a number");
    }
    return 0;
}

static int skip_word(json_reader *r, error *err)
{
    static const char *const words[] = {"true", "false", "null"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t len = strlen(words[i]);

        if (r->text.len - r->at >= len && memcmp(r->text.data + r->at, words[i], len) == 0) {
            r->at += len;
            return 0;
        }
    }
    return error_set(err, E_INVALID, "expected a value, found %s", json_kind_name(json_peek(r)));
}

/* Passes over a string, number or word. `text` is room for strings. */
static int skip_scalar(json_reader *r, buf *text, error *err)
{
    switch (json_peek(r)) {
    case JSON_STRING:
        buf_clear(text);
        return json_string(r, text, err);
    case JSON_NUMBER:
        return skip_number(r, err);
    default:
        return skip_word(r, err);
    }
}

/* Passes over a scalar and appends it as it stands, then `behind` unless that is 0. */
static int copy_scalar(json_reader *r, buf *out, buf *text, char behind, error *err)
{
    size_t start;
    int rc;

    skip_space(r);
    start = r->at;
    rc = skip_scalar(r, text, err);
    if (rc == 0 && out)
        rc = buf_append(out, r->text.data + start, r->at - start);
    if (rc == 0 && out && behind)
        rc = buf_append_byte(out, (uint8_t)behind);
    return rc;
}

static int copy_name(json_reader *r, buf *out, buf *text, error *err)
{
    int rc = expect(r, JSON_STRING, err);

    rc = rc ? rc : copy_scalar(r, out, text, ':', err);
    if (rc)
        return rc;
    skip_space(r);
    if (byte_at(r) != ':')
        return error_set(err, E_INVALID, "expected ':' after the name");
    r->at++;
    return 0;
}

/* Arrays and objects that have been entered and not left. */
struct nesting {
    uint8_t kind[JSON_NESTING_MAX];
    size_t depth;
    bool first; /* nothing of the innermost has been read */
};

static int copy_byte(buf *out, char byte)
{
    return out ? buf_append_byte(out, (uint8_t)byte) : 0;
}

/* Steps to the next value of the innermost array or object, or leaves it: 0 then, else 1. */
static int copy_step(json_reader *r, buf *out, buf *text, struct nesting *n, error *err)
{
    enum json_kind kind = n->kind[n->depth - 1];
    int more = json_next(r, kind, n->first ? 0 : 1, err);
    int rc = 0;

    if (more < 0)
        return more;
    if (more == 0) {
        n->depth--;
        n->first = false;
        return copy_byte(out, kind == JSON_ARRAY ? ']' : '}');
    }
    if (!n->first)
        rc = copy_byte(out, ',');
    if (rc == 0 && kind == JSON_OBJECT)
        rc = copy_name(r, out, text, err);
    return rc ? rc : 1;
}

/* A value, or the start of one that others are in. */
static int copy_value(json_reader *r, buf *out, buf *text, struct nesting *n, error *err)
{
    enum json_kind kind = json_peek(r);

    if (kind != JSON_ARRAY && kind != JSON_OBJECT) {
        n->first = false;
        return copy_scalar(r, out, text, 0, err);
    }
    if (n->depth == JSON_NESTING_MAX)
        return error_set(err, E_INVALID, "nested deeper than %d", JSON_NESTING_MAX);
    n->kind[n->depth++] = (uint8_t)kind;
    n->first = true;
    r->at++;
    return copy_byte(out, kind == JSON_ARRAY ? '[' : '{');
}

int json_copy(json_reader *r, buf *out, error *err)
{
    struct nesting n = {.depth = 0};
    size_t start = out ? out->len : 0;
    buf text;
    int rc;

    buf_init(&text, r->text.len);
    rc = copy_value(r, out, &text, &n, err);
    while (rc == 0 && n.depth > 0) {
        rc = copy_step(r, out, &text, &n, err);
        if (rc > 0)
            rc = copy_value(r, out, &text, &n, err);
    }
    buf_deinit(&text);
    if (rc && out)
        out->len = start;
    return rc;
}
