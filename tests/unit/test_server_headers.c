#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/reserved_headers.h"
#include "server/headers.h"

#define LINES_BYTES 4096

static const char lines[] = "Host: example.com\r\n"
                            "Accept-Encoding: gzip,\tbr \r\n"
                            "X-Empty:\r\n"
                            "cookie: a=1\r\n"
                            "ACCEPT-ENCODING: , zstd;q=0.5,,\r\n"
                            "Cookie:b=2\r\n"
                            "If-None-Match: \"a,b\\\", W/\"c\"\r\n";

static void assert_slice(slice s, const char *text)
{
    if (!slice_equal_str(s, text))
        fail_msg("\"%.*s\" is not \"%s\"", (int)s.len, s.len ? (const char *)s.data : "", text);
}

static void assert_buf(const buf *b, const char *text)
{
    assert_slice(buf_slice(b), text);
}

static void test_of_a_head(void **state)
{
    static const struct {
        const char *head;
        const char *lines;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "Host: x\r\n"},
        {"GET / HTTP/1.0\r\n\r\n", ""},
        {"GET / HTTP/1.0\r\n", ""},
        {"GET /", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_slice(headers_of(slice_str(cases[i].head)), cases[i].lines);
}

static void test_one_after_the_other(void **state)
{
    static const char *const expected[][2] = {
        {"Host", "example.com"},
        {"Accept-Encoding", "gzip,\tbr"},
        {"X-Empty", ""},
        {"cookie", "a=1"},
        {"ACCEPT-ENCODING", ", zstd;q=0.5,,"},
        {"Cookie", "b=2"},
        {"If-None-Match", "\"a,b\\\", W/\"c\""},
    };
    slice rest = slice_str(lines);
    header_line h;

    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_true(headers_next(&rest, &h));
        assert_slice(h.name, expected[i][0]);
        assert_slice(h.value, expected[i][1]);
    }
    assert_false(headers_next(&rest, &h));
    assert_false(headers_next(&rest, &h));
}

/* What is no line ends the lines. */
static void test_garbage(void **state)
{
    static const char *const garbage[] = {
        "",        "\r\n",       "a",         "a:",    "a: b",     "a: b\n",
        ": b\r\n", "a b: c\r\n", " a: b\r\n", "a\r\n", "a :b\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        slice rest = slice_str(garbage[i]);
        slice value;
        header_line h;

        assert_false(headers_next(&rest, &h));
        assert_int_equal(rest.len, 0);
        assert_int_equal(headers_find(slice_str(garbage[i]), slice_str("a"), &value), 0);
    }
}

static void test_find(void **state)
{
    slice all = slice_str(lines);
    slice value;

    (void)state;
    assert_int_equal(headers_find(all, slice_str("host"), &value), 1);
    assert_slice(value, "example.com");
    assert_int_equal(headers_find(all, slice_str("x-empty"), &value), 1);
    assert_slice(value, "");
    assert_int_equal(headers_find(all, slice_str("cookie"), &value), 2);
    assert_slice(value, "a=1");
    assert_int_equal(headers_find(all, slice_str("hos"), &value), 0);
    assert_slice(value, "");
    assert_int_equal(headers_find(all, slice_str("hosts"), &value), 0);
}

static void test_lists(void **state)
{
    static const struct {
        const char *name;
        const char *elements[4];
    } cases[] = {
        {"accept-encoding", {"gzip", "br", "zstd;q=0.5"}},
        {"if-none-match", {"\"a,b\\\"", "W/\"c\""}},
        {"x-empty", {NULL}},
        {"x-none", {NULL}},
        {"host", {"example.com"}},
    };
    slice element;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        header_list l = headers_list(slice_str(lines), slice_str(cases[i].name));

        for (size_t n = 0; cases[i].elements[n]; n++) {
            assert_true(header_list_next(&l, &element));
            assert_slice(element, cases[i].elements[n]);
        }
        assert_false(header_list_next(&l, &element));
        assert_false(header_list_next(&l, &element));
    }
}

static void test_json(void **state)
{
    static const struct {
        const char *lines;
        const char *json;
    } cases[] = {
        {"", "{}"},
        {"Host: x\r\n", "{\"host\":\"x\"}"},
        {"A: 1\r\nb: \"\r\na: 2\r\nA:\r\n", "{\"a\":\"1, 2, \",\"b\":\"\\\"\"}"},
        {"Cookie: a=1\r\ncookie: b=2\r\n", "{\"cookie\":\"a=1; b=2\"}"},
        {"Set-Cookie: a=1, x\r\nX: y\r\nset-cookie: b=2\r\n",
         "{\"set-cookie\":[\"a=1, x\",\"b=2\"],\"x\":\"y\"}"},
        {"Set-Cookie: a=1\r\n", "{\"set-cookie\":[\"a=1\"]}"},
        {"X: gr\xc3\xbc\xc3\x9f\r\n", "{\"x\":\"gr\xc3\xbc\xc3\x9f\"}"},
        {"X: gr\xfc\xdf\r\n", "{\"x\":\"gr\xc3\xbc\xc3\x9f\"}"},
        {"X: a\tb\r\n", "{\"x\":\"a\\u0009b\"}"},
        {"[~]: x\r\n", "{}"},
        {"X^_`|~!#$%&'*+.-: x\r\n", "{\"x^_`|~!#$%&'*+.-\":\"x\"}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf out;

        buf_init(&out, LINES_BYTES);
        assert_int_equal(headers_put_json(&out, slice_str(cases[i].lines)), 0);
        assert_buf(&out, cases[i].json);
        buf_deinit(&out);
    }
}

static void test_changes(void **state)
{
    buf b;

    (void)state;
    buf_init(&b, LINES_BYTES);
    assert_int_equal(headers_put(&b, slice_str("Vary"), slice_str("Origin")), 0);
    assert_int_equal(headers_put(&b, slice_str("X"), slice_str("")), 0);
    assert_int_equal(headers_put(&b, slice_str("Set-Cookie"), slice_str("a=1")), 0);
    assert_int_equal(headers_put(&b, slice_str("set-cookie"), slice_str("b=2")), 0);
    assert_buf(&b, "Vary: Origin\r\nX: \r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n");
    assert_int_equal(headers_add(&b, slice_str("vary"), slice_str("origin")), 0);
    assert_int_equal(headers_add(&b, slice_str("vary"), slice_str("accept-encoding")), 0);
    assert_int_equal(headers_set(&b, slice_str("x"), slice_str("y")), 0);
    assert_buf(&b, "Vary: Origin\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nvary: accept-encoding\r\n"
                   "x: y\r\n");
    headers_remove(&b, slice_str("SET-COOKIE"));
    assert_buf(&b, "Vary: Origin\r\nvary: accept-encoding\r\nx: y\r\n");
    headers_remove(&b, slice_str("none"));
    headers_remove(&b, slice_str("X"));
    headers_remove(&b, slice_str("vary"));
    assert_int_equal(b.len, 0);
    headers_remove(&b, slice_str("vary"));
    assert_int_equal(headers_add(&b, slice_str("Vary"), slice_str("*")), 0);
    assert_int_equal(headers_add(&b, slice_str("Vary"), slice_str("Origin")), 0);
    assert_buf(&b, "Vary: *\r\n");
    buf_deinit(&b);
}

/* What would be another line, or none, does not get in. */
static void test_what_cannot_be_put(void **state)
{
    static const char *const pairs[][2] = {
        {"", "x"},         {"a b", "x"},       {"a:", "x"},    {"a\r\nb", "x"},
        {"\xc3\xbc", "x"}, {"a", "x\r\nb: c"}, {"a", "x\nb"},  {"a", "x\ry"},
        {"a", " x"},       {"a", "x\t"},       {"a", "x\x7f"}, {"a", "\x01"},
    };
    buf b;

    (void)state;
    buf_init(&b, 10);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        slice name = slice_str(pairs[i][0]);
        slice value = slice_str(pairs[i][1]);

        assert_int_equal(headers_put(&b, name, value), E_INVALID);
        assert_int_equal(headers_set(&b, name, value), E_INVALID);
        assert_int_equal(headers_add(&b, name, value), E_INVALID);
    }
    assert_int_equal(headers_put(&b, slice_str("a"), slice_of("x\0y", 3)), E_INVALID);
    assert_int_equal(b.len, 0);
    assert_int_equal(headers_put(&b, slice_str("a"), slice_str("1")), 0);
    assert_int_equal(headers_put(&b, slice_str("b"), slice_str("2")), E_TOO_LARGE);
    assert_int_equal(headers_set(&b, slice_str("a"), slice_str("123")), E_TOO_LARGE);
    assert_buf(&b, "a: 1\r\n");
    buf_deinit(&b);
}

static void test_reserved(void **state)
{
    (void)state;
    assert_true(reserved_headers_has(slice_str("Transfer-Encoding")));
    assert_true(reserved_headers_has(slice_str("CONTENT-LENGTH")));
    assert_true(reserved_headers_has(slice_str("te")));
    assert_false(reserved_headers_has(slice_str("content-type")));
    assert_false(reserved_headers_has(slice_str("")));
}

/* Whatever the bytes are, nothing outside them is read. Exact blocks, so that a sanitizer sees. */
static void test_random_bytes(void **state)
{
    static const char bytes[] = "aA-:,;\"\\ \t\r\n\r\n\xfc";
    uint64_t seed = 1;

    (void)state;
    for (int round = 0; round < 50000; round++) {
        size_t len = (size_t)(seed >> 40) % 40;
        uint8_t *copy = malloc(len ? len : 1);
        header_list l;
        slice element;
        buf json;

        for (size_t i = 0; i < len; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
            copy[i] = (uint8_t)bytes[(seed >> 33) % (sizeof bytes - 1)];
        }
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
        l = headers_list(slice_of(copy, len), slice_str("a"));
        while (header_list_next(&l, &element))
            assert_true(element.len > 0 && element.data + element.len <= copy + len);
        headers_of(slice_of(copy, len));
        buf_init(&json, LINES_BYTES);
        assert_int_equal(headers_put_json(&json, slice_of(copy, len)), 0);
        assert_true(slice_is_utf8(buf_slice(&json)));
        buf_deinit(&json);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_a_head), cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_garbage),   cmocka_unit_test(test_find),
        cmocka_unit_test(test_lists),     cmocka_unit_test(test_json),
        cmocka_unit_test(test_changes),   cmocka_unit_test(test_what_cannot_be_put),
        cmocka_unit_test(test_reserved),  cmocka_unit_test(test_random_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
