#include "build/host_interface.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HOST_MODULE "extism:host"

enum token { TOKEN_END, TOKEN_NAME, TOKEN_TEXT, TOKEN_OTHER };

typedef struct reader {
    slice text;
    size_t at;
    enum token next; /* what stands before `at`: a name, text in quotes, or one other character, */
    slice word;      /* without its quotes, */
    size_t word_at;  /* and where it begins */
    host_interface *out;
    int rc; /* the first failure; nothing is read behind it */
    error *err;
} reader;

/* Notes that what stands at `at` is wrong. */
static void fail(reader *r, size_t at, const char *what)
{
    if (r->rc)
        return;
    r->word_at = at;
    r->rc = error_set(r->err, E_INVALID, "%s", what);
}

/* Notes that another thing was expected than what comes next. */
static void fail_next(reader *r, const char *expected)
{
    slice word = r->next == TOKEN_END ? slice_str("the end") : r->word;

    word.len = slice_utf8_prefix(slice_of(word.data, word.len > 80 ? 80 : word.len));
    if (r->rc == 0)
        r->rc = error_set(r->err, E_INVALID, "%s expected, not %.*s", expected, (int)word.len,
                          (const char *)word.data);
}

static bool follows(const reader *r, const char *text)
{
    size_t len = strlen(text);

    return r->text.len - r->at >= len && memcmp(r->text.data + r->at, text, len) == 0;
}

static bool skip_comment(reader *r)
{
    size_t begin = r->at;

    if (follows(r, "//")) {
        while (r->at < r->text.len && r->text.data[r->at] != '\n')
            r->at++;
        return true;
    }
    if (!follows(r, "/*"))
        return false;
    for (r->at += 2; r->at < r->text.len; r->at++) {
        if (follows(r, "*/")) {
            r->at += 2;
            return true;
        }
    }
    fail(r, begin, "a comment that does not end");
    return false;
}

static void skip_blank(reader *r)
{
    do {
        while (r->at < r->text.len && memchr(" \t\r\n", r->text.data[r->at], 4))
            r->at++;
    } while (skip_comment(r));
}

static bool is_name(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '$';
}

static void read_quoted(reader *r)
{
    uint8_t quote = r->text.data[r->at++];
    size_t begin = r->at;

    while (r->at < r->text.len && r->text.data[r->at] != quote &&
           !memchr("\\\n", r->text.data[r->at], 2))
        r->at++;
    r->word = slice_of(r->text.data + begin, r->at - begin);
    if (r->at == r->text.len || r->text.data[r->at] != quote)
        fail(r, begin - 1, "text in quotes that does not end");
    else
        r->at++;
}

static void advance(reader *r)
{
    size_t begin;

    skip_blank(r);
    if (r->rc)
        return;
    begin = r->word_at = r->at;
    r->next = TOKEN_END;
    if (begin == r->text.len)
        return;
    if (r->text.data[begin] == '"' || r->text.data[begin] == '\'') {
        r->next = TOKEN_TEXT;
        read_quoted(r);
        return;
    }
    while (r->at < r->text.len && is_name(r->text.data[r->at]))
        r->at++;
    r->next = r->at > begin ? TOKEN_NAME : TOKEN_OTHER;
    if (r->next == TOKEN_OTHER) {
        do
            r->at++;
        while (r->at < r->text.len && (r->text.data[r->at] & 0xc0) == 0x80);
    }
    r->word = slice_of(r->text.data + begin, r->at - begin);
}

static bool is_next(const reader *r, const char *text)
{
    return r->rc == 0 && (r->next == TOKEN_NAME || r->next == TOKEN_OTHER) &&
           slice_equal_str(r->word, text);
}

static bool accept(reader *r, const char *text)
{
    if (!is_next(r, text))
        return false;
    advance(r);
    return true;
}

static void expect(reader *r, const char *text)
{
    if (!accept(r, text))
        fail_next(r, text);
}

static slice expect_name(reader *r, const char *what)
{
    slice name = r->word;

    if (r->next != TOKEN_NAME || (name.data[0] >= '0' && name.data[0] <= '9'))
        fail_next(r, what);
    else
        advance(r);
    return r->rc ? slice_str("") : name;
}

/* The letter of a type, or 0. */
static char letter_of(slice word)
{
    static const struct {
        const char *name;
        char letter;
    } types[] = {{"I32", 'i'}, {"I64", 'I'}, {"PTR", 'I'}, {"F32", 'f'}, {"F64", 'F'}};

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (word.len == 3 && strncasecmp((const char *)word.data, types[i].name, 3) == 0)
            return types[i].letter;
    }
    return 0;
}

static char read_type(reader *r, const char *expected)
{
    char letter = r->next == TOKEN_NAME ? letter_of(r->word) : 0;

    if (letter)
        advance(r);
    else
        fail_next(r, expected);
    return letter;
}

/* name(a: TYPE, b: TYPE): TYPE */
static void read_signature(reader *r, declared_function *f)
{
    size_t count = 0;

    f->name = expect_name(r, "the name of a function");
    expect(r, "(");
    while (r->rc == 0 && !accept(r, ")")) {
        if (count == LIMIT_BUILD_HOST_PARAMS)
            fail(r, r->word_at, "a function of the host has at most 5 parameters");
        expect_name(r, "the name of a parameter");
        expect(r, ":");
        char letter = read_type(r, "I32, I64, F32, F64 or PTR");
        if (r->rc == 0)
            f->params[count++] = letter;
        if (!is_next(r, ")"))
            expect(r, ",");
    }
    if (accept(r, ":") && !accept(r, "void"))
        f->result = read_type(r, "I32, I64, F32, F64, PTR or void");
}

static void add(reader *r, const declared_function *f, size_t at)
{
    declared_function *item = r->out->item;

    for (size_t i = 0; i < r->out->count; i++) {
        if (slice_equal(item[i].name, f->name))
            fail(r, at, "this function is declared twice");
    }
    if (r->out->count == LIMIT_BUILD_HOST_FUNCTIONS)
        fail(r, at, "too many functions of the host");
    if (r->rc)
        return;
    item = reallocarray(item, r->out->count + 1, sizeof *item);
    if (!item) {
        r->rc = error_set(r->err, E_NO_MEMORY, "out of memory");
        return;
    }
    item[r->out->count++] = *f;
    r->out->item = item;
}

/* interface NAME { signatures } */
static void read_interface(reader *r)
{
    slice module;

    accept(r, "export");
    expect(r, "interface");
    module = expect_name(r, "the name of an interface");
    expect(r, "{");
    while (r->rc == 0 && !accept(r, "}")) {
        declared_function f = {.module = module};
        size_t at = r->word_at;

        read_signature(r, &f);
        add(r, &f, at);
        if (!accept(r, ";"))
            accept(r, ",");
    }
}

/* export function NAME(...): TYPE; */
static void read_export(reader *r)
{
    declared_function f = {0};

    expect(r, "export");
    expect(r, "function");
    read_signature(r, &f);
    accept(r, ";");
}

/* declare module "NAME" { ... } */
static void read_module(reader *r)
{
    bool is_host;

    expect(r, "declare");
    expect(r, "module");
    is_host = r->next == TOKEN_TEXT && slice_equal_str(r->word, HOST_MODULE);
    if (r->next != TOKEN_TEXT || (!is_host && !slice_equal_str(r->word, "main")))
        fail_next(r, "\"" HOST_MODULE "\" or \"main\"");
    else
        advance(r);
    expect(r, "{");
    while (r->rc == 0 && !accept(r, "}")) {
        if (is_host)
            read_interface(r);
        else
            read_export(r);
    }
}

bool host_interface_is(slice text)
{
    return text.len && memmem(text.data, text.len, HOST_MODULE, strlen(HOST_MODULE));
}

int host_interface_read(host_interface *out, slice text, size_t *line, size_t *column, error *err)
{
    reader r = {.text = text, .out = out, .err = err};

    *out = (host_interface){0};
    *line = *column = 0;
    if (!slice_is_utf8(text)) {
        fail(&r, slice_utf8_prefix(text), "this is not UTF-8");
    } else {
        r.at = follows(&r, "\xef\xbb\xbf") ? 3 : 0;
        advance(&r);
    }
    while (r.rc == 0 && r.next != TOKEN_END)
        read_module(&r);
    if (r.rc) {
        slice_position(text, r.word_at, line, column);
        host_interface_deinit(out);
    }
    return r.rc;
}

int host_interface_write(buf *out, const host_interface *in)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < in->count; i++) {
        const declared_function *f = &in->item[i];

        rc = buf_printf(out, "%s%.*s:%s:%.1s", i ? "\n" : "", (int)f->name.len,
                        (const char *)f->name.data, f->params, f->result ? &f->result : "");
    }
    return rc;
}

void host_interface_deinit(host_interface *in)
{
    free(in->item);
    *in = (host_interface){0};
}
