#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"

#include "http_case.h"

#define MS 1000000u

static void test_request_defaults(void **state)
{
    char expected[256];
    http_case *x = case_local(NULL, "/echo?q=1#fragment");

    (void)state;
    snprintf(expected, sizeof expected,
             "GET /echo?q=1 HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUser-Agent: ubiquitous\r\n"
             "Accept: */*\r\naccept-encoding: gzip\r\n\r\n",
             http_server_port(case_server));
    case_run(x);
    case_has_body(x, expected);
    case_end(x);

    x = case_local("post", "/echo");
    x->options.body = slice_str("a body");
    case_header(x, "User-Agent", "me");
    case_header(x, "Accept", "");
    case_header(x, "X-Umlaut", "\xc3\xa4");
    case_header(x, "Content-Type", "text/plain");
    case_run(x);
    assert_true(case_body_has(x, "\r\nContent-Length: 6\r\n"));
    assert_true(case_body_has(x, "\r\nuser-agent: me\r\n"));
    assert_true(case_body_has(x, "\r\nx-umlaut: \xc3\xa4\r\n"));
    assert_true(case_body_has(x, "\r\naccept:\r\n"));
    assert_true(case_body_has(x, "\r\ncontent-type: text/plain\r\n"));
    assert_false(case_body_has(x, "ubiquitous"));
    assert_false(case_body_has(x, "x-www-form-urlencoded"));
    assert_true(case_body_has(x, "\r\n\r\na body"));
    case_end(x);
}

static void test_methods(void **state)
{
    static const char *const with_body[] = {"post", "Put", "PATCH"};
    static const char *const without[] = {"get", "delete", "OPTIONS", "trace"};
    http_case *x;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        x = case_local(with_body[i], "/echo");
        case_run(x);
        assert_true(case_body_has(x, "\r\nContent-Length: 0\r\n"));
        assert_false(case_body_has(x, "content-type"));
        case_end(x);
    }
    for (size_t i = 0; i < 4; i++) {
        x = case_local(without[i], "/echo");
        case_run(x);
        assert_false(case_body_has(x, "Content-Length"));
        case_end(x);
        x = case_local(without[i], "/echo");
        x->options.body = slice_str("sent");
        case_run(x);
        assert_true(case_body_has(x, "\r\nContent-Length: 4\r\n"));
        assert_true(case_body_has(x, "\r\n\r\nsent"));
        case_end(x);
    }
    x = case_local("head", "/echo");
    case_run(x);
    case_has_body(x, "");
    assert_int_equal(x->response.status, 200);
    case_end(x);

    case_fails(case_local("propfind", "/echo"), E_INVALID,
               "protocol: PROPFIND not valid for HTTP version HTTP/1.1");
    case_fails(case_local("CONNECT", "/echo"), E_INVALID,
               "protocol: CONNECT not valid for HTTP version HTTP/1.1");
    case_fails(case_local("", "/echo"), E_INVALID, "invalid HTTP method");
    case_fails(case_local("GET /x HTTP/1.1\r\nX:", "/echo"), E_INVALID, "invalid HTTP method");
}

/* Larger than what curl would ask permission for with Expect, which holds up for a second. */
static void test_large_body(void **state)
{
    size_t len = 3 << 20;
    char *body = malloc(len);
    http_case *x = case_local("POST", "/echo");
    uint64_t start = clock_ns();

    (void)state;
    assert_non_null(body);
    memset(body, 'x', len);
    x->options.body = slice_of(body, len);
    x->options.max_response = 4 << 20;
    case_run(x);
    free(body);
    assert_false(case_body_has(x, "Expect"));
    assert_true(x->response.body.len > len);
    assert_true(clock_ns() - start < 900 * MS);
    case_end(x);
}

static void test_injection(void **state)
{
    static const char *const names[] = {"",         "a b",   "a:",  "a\r\nb", "a\nb",
                                        "\xc3\xa4", "a\x7f", "(a)", "a\tb"};
    static const char *const values[] = {"a\r\nb: c", "a\nb", "a\rb", "\x7f", "\x01", "a\r\n"};
    unsigned before = http_server_connections(case_server);
    http_case *x;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        x = case_local("GET", "/echo");
        case_header(x, names[i], "v");
        case_fails(x, E_INVALID, "invalid HTTP header name");
    }
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        x = case_local("GET", "/echo");
        case_header(x, "x", values[i]);
        case_fails(x, E_INVALID, "failed to parse header value");
    }
    x = case_local("GET", "/echo");
    assert_int_equal(strmap_set(&x->headers, slice_of("a\0b", 3), slice_str("v")), 0);
    case_fails(x, E_INVALID, "invalid HTTP header name");
    x = case_local("GET", "/echo");
    assert_int_equal(strmap_set(&x->headers, slice_str("a"), slice_of("a\0b", 3)), 0);
    case_fails(x, E_INVALID, "failed to parse header value");
    case_fails(case_local("GET", "/x HTTP/1.1\r\nX: y"), E_INVALID, "invalid uri character");
    assert_int_equal(http_server_connections(case_server), before);
}

/* A guest that could say where its body ends could hide a second request in it. */
static void test_framing_headers(void **state)
{
    static const struct {
        const char *name;
        const char *value;
        const char *text;
    } refused[] = {
        {"content-length", "3", "protocol: attempt to write larger body than content-length"},
        {"Content-Length", "5", "protocol: attempt to write smaller body than content-length"},
        {"content-length", "4, 4", "protocol: content-length header not a number"},
        {"content-length", "", "protocol: content-length header not a number"},
        {"content-length", "18446744073709551620", "protocol: content-length header not a number"},
        {"transfer-encoding", "gzip", "protocol: the only transfer-encoding is chunked"},
        {"Transfer-Encoding", "", "protocol: the only transfer-encoding is chunked"},
    };
    http_case *x;

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        x = case_local("POST", "/echo");
        x->options.body = slice_str("body");
        case_header(x, refused[i].name, refused[i].value);
        case_fails(x, E_INVALID, refused[i].text);
    }
    x = case_local("POST", "/echo");
    x->options.body = slice_str("body");
    case_header(x, "content-length", "4");
    case_header(x, "Transfer-Encoding", "Chunked");
    case_run(x);
    assert_true(case_body_has(x, "\r\nContent-Length: 4\r\n"));
    assert_false(case_body_has(x, "hunked"));
    assert_true(case_body_has(x, "\r\n\r\nbody"));
    case_end(x);
}

static void test_header_limits(void **state)
{
    char name[16];
    char *value = calloc(1, 200000);
    http_case *x = case_local("GET", "/echo");

    (void)state;
    assert_non_null(value);
    memset(value, 'x', 199999);
    case_header(x, "a", value);
    free(value);
    case_fails(x, E_TOO_LARGE, "more than 131072 bytes of HTTP headers");
    x = case_local("GET", "/echo");
    for (int i = 0; i < 1025; i++) {
        snprintf(name, sizeof name, "n%d", i);
        case_header(x, name, "");
    }
    case_fails(x, E_TOO_LARGE, "more than 1024 HTTP headers");
}

static void assert_denied(const char *url, const char *const *hosts, size_t count)
{
    http_case *x = case_local("GET", "");
    char *text = NULL;

    x->options.url = slice_str(url);
    x->options.allowed_hosts = hosts;
    x->options.allowed_hosts_count = count;
    assert_true(asprintf(&text, "HTTP request to %s is not allowed", url) > 0);
    case_fails(x, E_DENIED, text);
    free(text);
}

static void test_allowed_hosts(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "*.test"};
    unsigned before = http_server_connections(case_server);
    http_case *x;

    (void)state;
    assert_denied("http://localhost/", hosts, 2);
    assert_denied("http://127.0.0.1/", NULL, 0);
    assert_denied("http://test/", hosts, 2);
    assert_denied("http://x.test@evil.example/", hosts, 2);
    assert_denied("http://evil.example/x.test", hosts, 2);
    assert_denied("http://evil.example?x.test", hosts, 2);
    assert_denied("http://evil.example#x.test", hosts, 2);
    assert_denied("http://evil.example\\.test/", hosts, 2);
    assert_denied("http://127.0.0.1.evil.example/", hosts, 2);
    assert_denied("ftp://evil.example/", hosts, 2);
    assert_denied("file:///etc/passwd", hosts, 2);
    assert_int_equal(http_server_connections(case_server), before);

    /* The host is compared in the form it is reached in. */
    x = case_make("GET", "user@0x7f.1", http_server_port(case_server), "/echo");
    x->options.allowed_hosts = hosts;
    case_run(x);
    assert_true(case_body_has(x, "\r\nHost: 127.0.0.1:"));
    assert_true(case_body_has(x, "\r\nAuthorization: Basic dXNlcjo=\r\n"));
    case_end(x);

    x = case_local("GET", "/echo");
    x->options.allowed_hosts = NULL;
    x->options.allowed_hosts_count = 0;
    x->options.any_host = true;
    assert_int_equal(case_run(x), 0);
    case_end(x);
}

static void test_ipv6(void **state)
{
    static const char *const hosts[] = {"[::1]"};
    http_server *v6 = http_server_start("::1");
    http_case *x;

    (void)state;
    if (!v6)
        skip();
    x = case_make("GET", "[0:0::1]", http_server_port(v6), "/echo");
    x->options.allowed_hosts = hosts;
    case_run(x);
    assert_true(case_body_has(x, "\r\nHost: [::1]:"));
    case_end(x);
    http_server_stop(v6);
}

static void test_host_header(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "*.site.test"};
    static const char *const bad[] = {"", "u@a.site.test", "a.site.test/x", "a b", "\xc3\xa9"};
    http_case *x = case_local("GET", "/echo");

    (void)state;
    x->options.allowed_hosts = hosts;
    x->options.allowed_hosts_count = 2;
    case_header(x, "Host", "a.site.test:80");
    case_run(x);
    assert_true(case_body_has(x, "Host: a.site.test:80\r\n"));
    case_end(x);

    x = case_local("GET", "/echo");
    x->options.allowed_hosts = hosts;
    x->options.allowed_hosts_count = 2;
    case_header(x, "HOST", "internal.example");
    case_fails(x, E_DENIED, "HTTP request to internal.example is not allowed");

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        x = case_local("GET", "/echo");
        case_header(x, "host", bad[i]);
        case_fails(x, E_INVALID, "protocol: host header is not a host");
    }
    x = case_local("GET", "/echo");
    case_header(x, "Host", "a.site.test");
    case_header(x, "host", "b.site.test");
    case_fails(x, E_INVALID, "protocol: more than one host header");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_defaults), cmocka_unit_test(test_methods),
        cmocka_unit_test(test_large_body),       cmocka_unit_test(test_injection),
        cmocka_unit_test(test_framing_headers),  cmocka_unit_test(test_header_limits),
        cmocka_unit_test(test_allowed_hosts),    cmocka_unit_test(test_ipv6),
        cmocka_unit_test(test_host_header),
    };

    return cmocka_run_group_tests(tests, case_start, case_stop);
}
