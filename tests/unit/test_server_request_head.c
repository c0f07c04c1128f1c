#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/limits.h"
#include "server/request_head.h"

#define START "GET / HTTP/1.1\r\nHost: x\r\n"

static void assert_slice(slice s, const char *text)
{
    if (!slice_equal_str(s, text))
        fail_msg("\"%.*s\" in place of \"%s\"", (int)s.len, (const char *)s.data, text);
}

static void test_a_plain_request(void **state)
{
    static const char text[] = "POST /a/b?c=d HTTP/1.1\r\nhOST: x\r\nContent-Length:  12\t\r\n"
                               "Accept: \xc3\xa9 */*\r\nEmpty:\r\n\r\nthe body";
    request_head h;

    (void)state;
    assert_int_equal(request_head_read(&h, slice_str(text)), 0);
    assert_slice(h.method, "POST");
    assert_slice(h.target, "/a/b?c=d");
    assert_slice(h.path, "/a/b");
    assert_int_equal(h.content_length, 12);
    assert_int_equal(h.length, strlen(text) - strlen("the body"));
    assert_true(h.keep_alive);
    assert_false(h.chunked || h.http_1_0 || h.expects_continue);
}

static void test_paths(void **state)
{
    static const struct {
        const char *line;
        const char *path; /* NULL: refused */
    } cases[] = {
        {"GET /", "/"},
        {"GET /?", "/"},
        {"GET //x", "//x"},
        {"GET /%41\xc3\xa9", "/%41\xc3\xa9"},
        {"GET http://x/a?b", "/a"},
        {"GET HTTP://x:1", "/"},
        {"GET http://x?b/c", "/"},
        {"OPTIONS *", "*"},
        {"GET *", NULL},
        {"GET x", NULL},
        {"GET https://x/", NULL},
        {"GET /a\x01", NULL},
        {"GET /a\x7f", NULL},
        {"GET /#a", NULL},
        {"GET ", NULL},
        {" /", NULL},
        {"G\tT /", NULL},
        {"G(T /", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        request_head h;
        int status;

        snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: x\r\n\r\n", cases[i].line);
        status = request_head_read(&h, slice_str(text));
        assert_int_equal(status, cases[i].path ? 0 : 400);
        if (cases[i].path)
            assert_slice(h.path, cases[i].path);
    }
}

static void test_how_long_the_connection_stays(void **state)
{
    static const struct {
        const char *version;
        const char *headers;
        bool keep_alive;
    } cases[] = {
        {"1.1", "", true},
        {"1.1", "Connection: close\r\n", false},
        {"1.1", "Connection: Close\r\n", false},
        {"1.1", "Connection: a ,\tCLOSE , b\r\n", false},
        {"1.1", "Connection: a\r\nConnection: close\r\n", false},
        {"1.1", "Connection: closed, ,,\r\n", true},
        {"1.0", "", false},
        {"1.0", "Connection: keep-alive\r\n", true},
        {"1.0", "Connection: Keep-Alive, close\r\n", false},
        {"1.7", "", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        request_head h;

        snprintf(text, sizeof text, "GET / HTTP/%s\r\nHost: x\r\n%s\r\n", cases[i].version,
                 cases[i].headers);
        assert_int_equal(request_head_read(&h, slice_str(text)), 0);
        assert_int_equal(h.keep_alive, cases[i].keep_alive);
    }
}

static void test_bodies(void **state)
{
    static const struct {
        const char *headers;
        int status;
        uint64_t length;
        bool chunked;
    } cases[] = {
        {"Content-Length: 0\r\n", 0, 0, false},
        {"Content-Length: 007\r\n", 0, 7, false},
        {"Content-Length: 999999999999999999\r\n", 0, 999999999999999999, false},
        {"Content-Length: 1000000000000000000\r\n", 400, 0, false},
        {"Content-Length:\r\n", 400, 0, false},
        {"Content-Length: -1\r\n", 400, 0, false},
        {"Content-Length: 0x1\r\n", 400, 0, false},
        {"Content-Length: 1 1\r\n", 400, 0, false},
        {"Content-Length: 1\r\nContent-Length: 1\r\n", 400, 0, false},
        {"Transfer-Encoding: Chunked\r\n", 0, 0, true},
        {"Transfer-Encoding: chunked, chunked\r\n", 501, 0, false},
        {"Transfer-Encoding: identity\r\n", 501, 0, false},
        {"Transfer-Encoding:\r\n", 501, 0, false},
        {"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", 400, 0, false},
        {"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400, 0, false},
        {"Transfer-Encoding : chunked\r\n", 400, 0, false},
        {"Transfer-Encoding: chunked\r\nX: a\r b\r\n", 400, 0, false},
        {"X: y\r\n Content-Length: 1\r\n", 400, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[200];
        request_head h;

        snprintf(text, sizeof text, START "%s\r\n", cases[i].headers);
        assert_int_equal(request_head_read(&h, slice_str(text)), cases[i].status);
        if (cases[i].status)
            continue;
        assert_int_equal(h.content_length, cases[i].length);
        assert_int_equal(h.chunked, cases[i].chunked);
    }
}

/* Every head that comes in two pieces is read as if it came in one. */
static void test_pieces(void **state)
{
    static const char text[] = START "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n";

    (void)state;
    for (size_t len = 0; len < sizeof text - 1; len++) {
        request_head h;

        assert_int_equal(request_head_read(&h, slice_of(text, len)), HEAD_INCOMPLETE);
    }
    request_head h;
    assert_int_equal(request_head_read(&h, slice_str(text)), 0);
    assert_true(h.expects_continue);
}

static void test_limits(void **state)
{
    char *text = calloc(1, LIMIT_HEAD_BYTES * 2);
    request_head h;
    size_t len;

    (void)state;
    /* A head of exactly the limit, and of one byte more. */
    for (size_t more = 0; more < 2; more++) {
        len = (size_t)sprintf(text, START "X: ");
        memset(text + len, 'x', LIMIT_HEAD_BYTES);
        len = LIMIT_HEAD_BYTES + more;
        memcpy(text + len - 4, "\r\n\r\n", 4);
        assert_int_equal(request_head_read(&h, slice_of(text, len)), more ? 431 : 0);
        assert_int_equal(request_head_read(&h, slice_of(text, len - 4)), HEAD_INCOMPLETE);
    }
    memset(text, 'x', LIMIT_HEAD_BYTES * 2);
    assert_int_equal(request_head_read(&h, slice_of(text, LIMIT_HEAD_BYTES)), 414);
    memcpy(text, "GET /\r\n", 7);
    assert_int_equal(request_head_read(&h, slice_of(text, LIMIT_HEAD_BYTES)), 431);
    memset(text, 'x', LIMIT_HEAD_BYTES * 2);
    memcpy(text, "GET /", 5);
    memcpy(text + 4 + LIMIT_TARGET_BYTES, " HTTP/1.1\r\nHost: x\r\n\r\n", 23);
    assert_int_equal(request_head_read(&h, slice_str(text)), 0);
    memset(text, 'x', LIMIT_HEAD_BYTES * 2);
    memcpy(text, "GET /", 5);
    memcpy(text + 5 + LIMIT_TARGET_BYTES, " HTTP/1.1\r\nHost: x\r\n\r\n", 23);
    assert_int_equal(request_head_read(&h, slice_str(text)), 414);
    for (size_t headers = LIMIT_HEADERS; headers <= LIMIT_HEADERS + 1; headers++) {
        len = (size_t)sprintf(text, START);
        for (size_t i = 1; i < headers; i++)
            len += (size_t)sprintf(text + len, "X: y\r\n");
        strcpy(text + len, "\r\n");
        assert_int_equal(request_head_read(&h, slice_str(text)), headers > LIMIT_HEADERS ? 431 : 0);
    }
    free(text);
}

/* What can be no request is told from one that has not come whole. */
static void test_garbage_is_seen_early(void **state)
{
    static const char *const garbage[] = {"\x16\x03\x01", " ", "\n", "GET / HTTP/1.1\n", "\x80"};
    request_head h;

    (void)state;
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++)
        assert_int_equal(request_head_read(&h, slice_str(garbage[i])), 400);
    assert_int_equal(request_head_read(&h, slice_of(NULL, 0)), HEAD_INCOMPLETE);
}

/* Whatever comes, the views are within it. Exact blocks, so that a sanitizer sees the rest. */
static void test_random_changes(void **state)
{
    static const char good[] = "POST http://x/a?b HTTP/1.1\r\nHost: x\r\nConnection: a, close\r\n"
                               "Content-Length: 10\r\nExpect: 100-continue\r\n\r\n";
    static const char bytes[] = "\r\n :/?*,\t\0\x7f\x80"
                                "0aZ-";
    uint64_t seed = 1;

    (void)state;
    for (int round = 0; round < 200000; round++) {
        size_t len = sizeof good - 1;
        uint8_t *copy = malloc(len);
        request_head h;
        int status;

        memcpy(copy, good, len);
        for (int changes = 0; changes < 4; changes++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
            copy[(seed >> 33) % len] = (uint8_t)bytes[(seed >> 20) % (sizeof bytes - 1)];
        }
        status = request_head_read(&h, slice_of(copy, len));
        if (status == 0) {
            assert_true(h.length <= len && h.path.len > 0 && h.method.len > 0);
            assert_true(h.method.data == copy);
            assert_true(h.path.data[0] == '/' || h.path.data[0] == '*');
        } else {
            assert_true(status == HEAD_INCOMPLETE || (status >= 400 && status <= 505));
        }
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_plain_request),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_how_long_the_connection_stays),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_garbage_is_seen_early),
        cmocka_unit_test(test_random_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
