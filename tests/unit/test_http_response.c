#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http_case.h"

/* "hello gzip" */
#define GZIP                                                                                       \
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xcb\x48\xcd\xc9\xc9\x57\x48\xaf\xca\x2c\x00\x00\x19" \
    "\x6a\xd2\xdf\x0a\x00\x00\x00"

static void test_response(void **state)
{
    http_case *x = RAW("HTTP/1.1 404 Nope\r\nX-One: a\r\nx-one:  b\tc \r\nEmpty:\r\nTwo: ok\r\n"
                       "Two: \xc3\xa9\r\n\r\nbody");

    (void)state;
    case_run(x);
    case_has_body(x, "body");
    assert_int_equal(x->response.status, 404);
    case_has_header(x, "x-one", "b\tc");
    case_has_header(x, "empty", "");
    case_has_header(x, "two", "ok"); /* what is not ASCII does not count */
    assert_int_equal(x->response.headers.count, 3);
    case_end(x);

    x = RAW("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
    case_run(x);
    case_has_body(x, "");
    assert_int_equal(x->response.status, 500);
    case_end(x);
}

static void test_response_framing(void **state)
{
    http_case *x = RAW(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n"
                               "X-Trailer: 1\r\n\r\n");

    (void)state;
    case_run(x);
    case_has_body(x, "abcde");
    case_has_header(x, "x-trailer", NULL);
    case_end(x);

    x = RAW("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" OK_HEAD
            "A: 1\r\n\r\nend");
    case_run(x);
    case_has_body(x, "end");
    case_has_header(x, "a", "1");
    case_has_header(x, "link", NULL);
    case_end(x);

    x = SERVE("/open/", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\nraw");
    case_run(x);
    case_has_body(x, "");
    assert_int_equal(x->response.status, 101);
    case_end(x);
}

static void test_gzip(void **state)
{
    http_case *x = RAW(OK_HEAD "Content-Encoding: gzip\r\nContent-Length: 30\r\nX: 1\r\n\r\n" GZIP);

    (void)state;
    case_header(x, "Accept-Encoding", "br");
    case_run(x);
    case_has_body(x, "hello gzip");
    case_has_header(x, "content-encoding", NULL);
    case_has_header(x, "content-length", NULL);
    case_has_header(x, "x", "1");
    case_end(x);

    x = RAW(OK_HEAD "Content-Encoding: gzip\r\n\r\n" GZIP GZIP);
    case_run(x);
    case_has_body(x, "hello gziphello gzip");
    case_end(x);

    x = RAW(OK_HEAD "Content-Encoding: br\r\n\r\nas it is");
    case_run(x);
    case_has_body(x, "as it is");
    case_has_header(x, "content-encoding", "br");
    case_end(x);

    x = RAW(OK_HEAD "Content-Encoding: br\r\nContent-Encoding: gzip\r\n\r\nas it is");
    case_run(x);
    case_has_body(x, "as it is");
    case_end(x);

    x = RAW(OK_HEAD "Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n");
    case_run(x);
    case_has_body(x, "");
    case_end(x);

    case_fails(RAW(OK_HEAD "Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08"), E_IO,
               "gzip decompression failed: unexpected end of file");
    case_fails(RAW(OK_HEAD "Content-Encoding: gzip\r\n\r\n" GZIP "x"), E_IO,
               "gzip decompression failed: unexpected end of file");
    case_fails(RAW(OK_HEAD "Content-Encoding: gzip\r\n\r\nplain"), E_IO,
               "gzip decompression failed: incorrect header check");
}

static void test_maximum(void **state)
{
    static const char text[] = "HTTP response exceeds the configured maximum number of bytes: 10";
    static const char endless[] = OK_HEAD "Content-Length: 1000000\r\n\r\n0123456789x";
    http_case *x = RAW(OK_HEAD "\r\n0123456789");

    (void)state;
    x->options.max_response = 10;
    case_run(x);
    case_has_body(x, "0123456789");
    case_end(x);
    x = RAW(OK_HEAD "\r\n0123456789x");
    x->options.max_response = 10;
    case_fails(x, E_TOO_LARGE, text);
    x = SERVE("/open/", endless); /* stops without waiting for more */
    x->options.max_response = 10;
    case_fails(x, E_TOO_LARGE, text);

    x = RAW(OK_HEAD "Content-Encoding: gzip\r\n\r\n" GZIP);
    x->options.max_response = 10;
    case_run(x);
    case_has_body(x, "hello gzip");
    case_end(x);
    x = RAW(OK_HEAD "Content-Encoding: gzip\r\n\r\n" GZIP GZIP);
    x->options.max_response = 10;
    case_fails(x, E_TOO_LARGE, text);

    x = RAW(OK_HEAD "\r\n");
    x->options.max_response = 0;
    case_run(x);
    case_has_body(x, "");
    case_end(x);
    x = RAW("HTTP/1.1 302 Found\r\nLocation: /echo\r\n\r\n0123456789x");
    x->options.max_response = 10;
    case_fails(x, E_TOO_LARGE, text);
}

static void test_broken_servers(void **state)
{
    static const struct {
        const char *bytes;
        const char *text;
    } cases[] = {
        {"", "io: Peer disconnected"},
        {OK_HEAD "A: b\r\n", "io: Peer disconnected"},
        {OK_HEAD "Content-Length: 10\r\n\r\nhalf", "Peer disconnected"},
        {OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhal", "Peer disconnected"},
        {OK_HEAD "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
         "protocol: conflicting content-length headers"},
        {OK_HEAD "A: 1\r\n  folded\r\n\r\n", "protocol: http parse fail: invalid header name"},
        {OK_HEAD "A : 1\r\n\r\n", "protocol: http parse fail: invalid header name"},
        {OK_HEAD "A: \x01\r\n\r\n", "protocol: http parse fail: invalid header value"},
    };
    static const char *const unparsable[] = {"hello\r\n\r\n", "HTTP/1.1 099 x\r\n\r\n",
                                             "HTTP/9.9 200 OK\r\n\r\n",
                                             OK_HEAD "Content-Length: x\r\n\r\n"};
    char many[sizeof OK_HEAD + 129 * 8] = OK_HEAD;
    http_case *x;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        case_fails(case_serve("/raw/", cases[i].bytes, strlen(cases[i].bytes)), E_IO,
                   cases[i].text);
    for (size_t i = 0; i < sizeof unparsable / sizeof *unparsable; i++) {
        x = case_serve("/raw/", unparsable[i], strlen(unparsable[i]));
        assert_int_equal(case_run(x), E_IO);
        assert_non_null(strstr(error_text(&x->err), "protocol: http parse fail: "));
        case_end(x);
    }
    for (int i = 0; i < 129; i++)
        snprintf(many + strlen(many), 9, "n%03d:\r\n", i);
    strcat(many, "\r\n");
    case_fails(case_serve("/raw/", many, strlen(many)), E_IO,
               "protocol: http parse resulted in too many headers");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_response),       cmocka_unit_test(test_response_framing),
        cmocka_unit_test(test_gzip),           cmocka_unit_test(test_maximum),
        cmocka_unit_test(test_broken_servers),
    };

    return cmocka_run_group_tests(tests, case_start, case_stop);
}
