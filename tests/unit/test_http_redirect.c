#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http_case.h"

static void test_redirects(void **state)
{
    static const struct {
        int status;
        const char *method;
        const char *then;
    } cases[] = {
        {300, "GET", "GET"},     {301, "POST", "GET"},  {302, "PUT", "GET"},
        {303, "DELETE", "GET"},  {302, "PATCH", "GET"}, {305, "OPTIONS", "GET"},
        {307, "GET", "GET"},     {308, "GET", "GET"},   {307, "OPTIONS", "OPTIONS"},
        {308, "TRACE", "TRACE"},
    };
    static const char *const refused[] = {"POST", "PUT", "PATCH", "DELETE"};
    http_case *x;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[32];

        x = case_redirect(cases[i].method, cases[i].status, "/echo");
        x->options.body = slice_str("left behind");
        snprintf(expected, sizeof expected, "%s /echo HTTP/1.1", cases[i].then);
        case_run(x);
        assert_true(case_body_has(x, expected));
        assert_false(case_body_has(x, "left behind"));
        assert_false(case_body_has(x, "Content-Length"));
        case_end(x);
    }
    for (size_t i = 0; i < 4; i++) {
        case_fails(case_redirect(refused[i], 307, "/echo"), E_IO, "redirect failed");
        case_fails(case_redirect(refused[i], 308, "/echo"), E_IO, "redirect failed");
    }
    x = case_redirect("HEAD", 302, "/echo");
    case_run(x);
    assert_int_equal(x->response.status, 200);
    case_has_body(x, "");
    case_end(x);

    x = case_redirect("GET", 304, "/echo");
    case_run(x);
    assert_int_equal(x->response.status, 304);
    case_end(x);
}

static void test_redirect_count(void **state)
{
    http_case *x = case_local("GET", "/chain/10");

    (void)state;
    case_run(x);
    assert_true(case_body_has(x, "GET /chain/0 "));
    case_end(x);
    case_fails(case_local("GET", "/chain/11"), E_IO, "too many redirects");
    case_fails(RAW("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"), E_IO,
               "protocol: missing a location header");
}

static void test_redirect_headers(void **state)
{
    char url[64];
    http_case *x = case_redirect("GET", 302, "/echo");

    (void)state;
    case_header(x, "Authorization", "secret");
    case_header(x, "Cookie", "secret");
    case_header(x, "Host", "some.site");
    case_header(x, "X-Kept", "1");
    case_run(x);
    assert_false(case_body_has(x, "secret"));
    assert_true(case_body_has(x, "Host: some.site\r\n"));
    assert_true(case_body_has(x, "x-kept: 1\r\n"));
    case_end(x);

    snprintf(url, sizeof url, "http://127.0.0.2:%u/echo", http_server_port(case_other));
    x = case_redirect("GET", 302, url);
    case_header(x, "Authorization", "secret");
    case_header(x, "Cookie", "secret");
    case_header(x, "Host", "some.site");
    case_run(x);
    assert_false(case_body_has(x, "secret"));
    assert_true(case_body_has(x, "\r\nHost: 127.0.0.2:"));
    case_end(x);
}

/* The user's name in the URL is for its server only. */
static void test_redirect_credentials(void **state)
{
    char url[64];
    char *path = case_path("/to/302/", "/echo", 5);
    http_case *x = case_make("GET", "u:p@127.0.0.1", http_server_port(case_server), path);

    (void)state;
    free(path);
    case_run(x);
    assert_true(case_body_has(x, "Authorization: Basic dTpw\r\n"));
    case_end(x);

    snprintf(url, sizeof url, "http://127.0.0.2:%u/echo", http_server_port(case_other));
    path = case_path("/to/302/", url, strlen(url));
    x = case_make("GET", "u:p@127.0.0.1", http_server_port(case_server), path);
    free(path);
    case_run(x);
    assert_false(case_body_has(x, "uthorization"));
    case_end(x);
}

static void test_redirect_targets(void **state)
{
    static const char *const hosts[] = {"127.0.0.1"};
    unsigned before = http_server_connections(case_other);
    char url[64];
    char denied[128];
    http_case *x;

    (void)state;
    for (int i = 0; i < 2; i++) {
        snprintf(url, sizeof url, "%s//127.0.0.2:%u/echo", i ? "http:" : "",
                 http_server_port(case_other));
        snprintf(denied, sizeof denied, "HTTP request to http://127.0.0.2:%u/echo is not allowed",
                 http_server_port(case_other));
        x = case_redirect("GET", 302, url);
        x->options.allowed_hosts = hosts;
        case_fails(x, E_DENIED, denied);
    }
    x = case_redirect("GET", 302, "http://127.0.0.1@127.0.0.2/");
    x->options.allowed_hosts = hosts;
    case_fails(x, E_DENIED, "HTTP request to http://127.0.0.1@127.0.0.2/ is not allowed");
    assert_int_equal(http_server_connections(case_other), before);

    case_fails(case_redirect("GET", 302, "file:///etc/passwd"), E_INVALID,
               "bad uri: unknown scheme: file");
    case_fails(case_redirect("GET", 302, "ftp://127.0.0.1/"), E_INVALID,
               "bad uri: unknown scheme: ftp");
    case_fails(case_redirect("GET", 302, "http://"), E_IO,
               "protocol: location header is malformed: http://");
    x = case_redirect("GET", 302, "../../echo?a b");
    case_run(x);
    assert_true(case_body_has(x, "GET /echo?a"));
    case_end(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_redirects),        cmocka_unit_test(test_redirect_count),
        cmocka_unit_test(test_redirect_headers), cmocka_unit_test(test_redirect_credentials),
        cmocka_unit_test(test_redirect_targets),
    };

    return cmocka_run_group_tests(tests, case_start, case_stop);
}
