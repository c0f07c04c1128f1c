#include "extism/http_glob.h"

enum token_kind { TOKEN_CHAR, TOKEN_ANY, TOKEN_SET, TOKEN_STAR, TOKEN_PARTS };

typedef struct token {
    enum token_kind kind;
    uint32_t c;   /* CHAR */
    slice set;    /* SET: what stands between the brackets, without the `!` */
    bool negated; /* SET */
} token;

/* The character at `*at`, which moves behind it. A byte that does not belong to UTF-8 is a
 * character of its own, a surrogate, which no text can hold. */
static uint32_t next_char(slice s, size_t *at)
{
    static const uint32_t lead_bits[] = {0, 0, 0x1f, 0x0f, 0x07};
    uint8_t first = s.data[*at];
    size_t len = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    uint32_t c;

    if (len == 1 || len > s.len - *at || !slice_is_utf8(slice_of(s.data + *at, len))) {
        ++*at;
        return len == 1 ? first : 0xdc00u | first;
    }
    c = first & lead_bits[len];
    for (size_t i = 1; i < len; i++)
        c = c << 6 | (s.data[*at + i] & 0x3fu);
    *at += len;
    return c;
}

/* Reads `*` or `**`. The latter must be a whole part of a path, and takes the slash behind it. */
static bool read_star(slice pattern, size_t *at, token *out)
{
    size_t start = *at;
    size_t end = start;

    while (end < pattern.len && pattern.data[end] == '*')
        end++;
    out->kind = end - start == 1 ? TOKEN_STAR : TOKEN_PARTS;
    if (out->kind == TOKEN_PARTS) {
        if (end - start > 2 || (start > 0 && pattern.data[start - 1] != '/'))
            return false;
        if (end < pattern.len && pattern.data[end++] != '/')
            return false;
    }
    *at = end;
    return true;
}

static bool read_set(slice pattern, size_t *at, token *out)
{
    size_t start = *at + 1;
    size_t end;

    out->kind = TOKEN_SET;
    out->negated = start < pattern.len && pattern.data[start] == '!';
    start += out->negated;
    if (start >= pattern.len)
        return false;
    end = start;
    next_char(pattern, &end); /* the first may be `]` itself */
    while (end < pattern.len && pattern.data[end] != ']')
        end++;
    if (end == pattern.len)
        return false;
    out->set = slice_of(pattern.data + start, end - start);
    *at = end + 1;
    return true;
}

/* Reads the token at `*at`, which must be before the end. False when the pattern is not one. */
static bool next_token(slice pattern, size_t *at, token *out)
{
    *out = (token){.kind = TOKEN_CHAR};
    switch (pattern.data[*at]) {
    case '*':
        return read_star(pattern, at, out);
    case '[':
        return read_set(pattern, at, out);
    case '?':
        out->kind = TOKEN_ANY;
        ++*at;
        return true;
    default:
        out->c = next_char(pattern, at);
        return true;
    }
}

static bool is_pattern(slice pattern)
{
    token t;

    for (size_t at = 0; at < pattern.len;) {
        if (!next_token(pattern, &at, &t))
            return false;
    }
    return true;
}

static bool set_has(slice set, uint32_t c)
{
    for (size_t at = 0; at < set.len;) {
        uint32_t from = next_char(set, &at);
        uint32_t to = from;

        if (at + 1 < set.len && set.data[at] == '-') {
            at++;
            to = next_char(set, &at);
        }
        if (c >= from && c <= to)
            return true;
    }
    return false;
}

static bool token_takes(const token *t, uint32_t c)
{
    switch (t->kind) {
    case TOKEN_CHAR:
        return t->c == c;
    case TOKEN_SET:
        return set_has(t->set, c) != t->negated;
    default:
        return true;
    }
}

/* Where the last star or `**` stands and how much of the text it takes so far. Only the last one
 * ever needs to take more: what an earlier one would give away, a later one can take. */
typedef struct star {
    bool seen;
    bool parts;
    size_t pattern_at;
    size_t text_at;
} star;

/* Lets the star take one character more, or one part of a path. */
static bool star_grow(star *s, slice text)
{
    uint32_t c;

    if (!s->seen || s->text_at == text.len)
        return false;
    do {
        c = next_char(text, &s->text_at);
    } while (s->parts && c != '/' && s->text_at < text.len);
    return true;
}

static bool pattern_matches(slice pattern, slice text)
{
    star last = {0};
    size_t pattern_at = 0;
    size_t text_at = 0;
    token t;

    while (pattern_at < pattern.len || text_at < text.len) {
        size_t pattern_next = pattern_at;
        size_t text_next = text_at;

        if (pattern_at < pattern.len && next_token(pattern, &pattern_next, &t)) {
            if (t.kind == TOKEN_STAR || t.kind == TOKEN_PARTS) {
                last = (star){true, t.kind == TOKEN_PARTS, pattern_next, text_at};
                pattern_at = pattern_next;
                continue;
            }
            if (text_at < text.len && token_takes(&t, next_char(text, &text_next))) {
                pattern_at = pattern_next;
                text_at = text_next;
                continue;
            }
        }
        if (!star_grow(&last, text))
            return false;
        pattern_at = last.pattern_at;
        text_at = last.text_at;
    }
    return true;
}

bool http_glob_matches(slice pattern, slice text)
{
    return is_pattern(pattern) ? pattern_matches(pattern, text) : slice_equal(pattern, text);
}
