#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "extism/http_url.h"

/* Parses a copy that ends where its memory ends, so that a read behind it is seen. */
static int parse(http_url *url, const char *text, error *err)
{
    size_t len = strlen(text);
    uint8_t *exact = malloc(len ? len : 1);
    int rc;

    assert_non_null(exact);
    memcpy(exact, text, len);
    rc = http_url_parse(url, slice_of(exact, len), err);
    free(exact);
    return rc;
}

static void assert_error(const char *text, const char *expected)
{
    http_url url = {0};
    error err = {0};

    assert_int_equal(parse(&url, text, &err), E_INVALID);
    assert_string_equal(error_text(&err), expected);
    error_deinit(&err);
}

static void test_reasons(void **state)
{
    static const struct {
        const char *url;
        const char *reason;
    } cases[] = {
        {"", "RelativeUrlWithoutBase"},
        {"foo", "RelativeUrlWithoutBase"},
        {"/x", "RelativeUrlWithoutBase"},
        {"//h/x", "RelativeUrlWithoutBase"},
        {"1http://h/", "RelativeUrlWithoutBase"},
        {"http://", "EmptyHost"},
        {"http:///", "EmptyHost"},
        {"http://:80", "EmptyHost"},
        {"http://user@/", "EmptyHost"},
        {"https://user@:443/", "EmptyHost"},
        {"http://h:b/", "InvalidPort"},
        {"http://h:65536/", "InvalidPort"},
        {"http://h:99999999999999999999/", "InvalidPort"},
        {"http://h:-1/", "InvalidPort"},
        {"http://h:0/", "InvalidPort"},
        {"http://h:80:80/", "InvalidPort"},
        {"http://[::1", "InvalidIpv6Address"},
        {"http://[]/", "InvalidIpv6Address"},
        {"http://[::g]/", "InvalidIpv6Address"},
        {"http://[::1%25lo]/", "InvalidIpv6Address"},
        {"http://[::1]x/", "InvalidIpv6Address"},
        {"http://1.2.3.4.5/", "InvalidIpv4Address"},
        {"http://256.1.1.1/", "InvalidIpv4Address"},
        {"http://1.2.3.08/", "InvalidIpv4Address"},
        {"http://4294967296/", "InvalidIpv4Address"},
        {"http://a.1/", "InvalidIpv4Address"},
        {"http://a b/", "IdnaError"},
        {"http://a%20b/", "IdnaError"},
        {"http://a%2fb/", "IdnaError"},
        {"http://a%00b/", "IdnaError"},
        {"http://%ff/", "IdnaError"},
        {"http://a<b/", "IdnaError"},
        {"http://a|b/", "IdnaError"},
        {"http://a\x7f/", "IdnaError"},
    };
    char expected[64];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(expected, sizeof expected, "Invalid URL: %s", cases[i].reason);
        assert_error(cases[i].url, expected);
    }
}

static void test_no_text(void **state)
{
    static const uint8_t with_nul[] = "http\0://h/";
    http_url url = {0};
    error err = {0};
    char *too_long;

    (void)state;
    assert_int_equal(http_url_parse(&url, slice_of(NULL, 0), NULL), E_INVALID);
    assert_int_equal(http_url_parse(&url, slice_of(with_nul, sizeof with_nul - 1), NULL),
                     E_INVALID);
    assert_error("http://h/\xff", "invalid uri character");
    too_long = malloc(70000);
    assert_non_null(too_long);
    memset(too_long, 'a', 70000);
    memcpy(too_long, "http://h/", 9);
    assert_int_equal(http_url_parse(&url, slice_of(too_long, 70000), &err), E_INVALID);
    assert_string_equal(error_text(&err), "uri too long");
    error_deinit(&err);
    free(too_long);
}

static void test_hosts(void **state)
{
    static const struct {
        const char *written;
        const char *host;
    } cases[] = {
        {"example.com", "example.com"},
        {"EXAMPLE.Com", "example.com"},
        {"example.com.", "example.com."},
        {"xn--e1afmkfd.test", "xn--e1afmkfd.test"},
        {"127.0.0.1", "127.0.0.1"},
        {"127.1", "127.0.0.1"},
        {"0x7f.1", "127.0.0.1"},
        {"0177.0.0.01", "127.0.0.1"},
        {"2130706433", "127.0.0.1"},
        {"127.0.0.1.", "127.0.0.1"},
        {"0x", "0.0.0.0"},
        {"1.2.3.4x", "1.2.3.4x"},
        {"[::1]", "[::1]"},
        {"[0:0:0:0:0:0:0:1]", "[::1]"},
        {"[::]", "[::]"},
        {"[2001:DB8:0:0:1:0:0:1]", "[2001:db8::1:0:0:1]"},
        {"[1:0:2:3:4:5:6:7]", "[1:0:2:3:4:5:6:7]"},
        {"[1:0:0:2::]", "[1:0:0:2::]"},
        {"[::ffff:127.0.0.1]", "[::ffff:7f00:1]"},
        {"user@h", "h"},
        {"allowed.test@evil.test", "evil.test"},
        {"a@b@c", "c"},
        {"user:pw@[::1]", "[::1]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[128];
        http_url url = {0};

        snprintf(text, sizeof text, "http://%s:8080/x", cases[i].written);
        assert_int_equal(parse(&url, text, NULL), 0);
        assert_null(url.refusal);
        assert_string_equal(url.host, cases[i].host);
        assert_int_equal(url.port, 8080);
        http_url_deinit(&url);
    }
}

static void test_parts(void **state)
{
    http_url url = {0};
    buf text;

    (void)state;
    assert_int_equal(parse(&url, "HTTPS://us%65r:p%40:s@Host.test?q=%20#frag ment", NULL), 0);
    assert_null(url.refusal);
    assert_true(url.https);
    assert_string_equal(url.host, "host.test");
    assert_int_equal(url.port, 443);
    assert_string_equal(url.user, "user");
    assert_string_equal(url.password, "p@:s");
    assert_string_equal(url.target, "/?q=%20");
    buf_init(&text, 100);
    assert_int_equal(http_url_print(&url, &text), 0);
    assert_true(slice_equal_str(buf_slice(&text), "https://host.test:443/?q=%20"));
    buf_deinit(&text);
    http_url_deinit(&url);

    assert_int_equal(parse(&url, "http://u@h:/a/../b", NULL), 0);
    assert_false(url.https);
    assert_int_equal(url.port, 80);
    assert_string_equal(url.user, "u");
    assert_string_equal(url.password, "");
    assert_string_equal(url.target, "/a/../b");
    http_url_deinit(&url);

    assert_int_equal(parse(&url, "http://h", NULL), 0);
    assert_null(url.user);
    assert_string_equal(url.target, "/");
    http_url_deinit(&url);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *url;
        const char *host;
        const char *refusal;
    } cases[] = {
        {"ftp://h/", "h", "bad uri: unknown scheme: ftp"},
        {"file:///etc/passwd", "", "bad uri: unknown scheme: file"},
        {"file://h/etc", "h", "bad uri: unknown scheme: file"},
        {"gopher://h:70/", "h", "bad uri: unknown scheme: gopher"},
        {"data:,x", "", "bad uri: unknown scheme: data"},
        {"http:/h/x", "h", "invalid format"},
        {"http:h/x", "h", "invalid format"},
        {"http:///h/x", "h", "invalid format"},
        {"http:\\\\h\\x", "h", "invalid format"},
        {"http://h\\@evil.test/", "h", "invalid uri character"},
        {"http://\xc3\xa9.test/", "\xc3\xa9.test", "invalid uri character"},
        {"http://h%61/", "ha", "invalid authority"},
        {"http://us er@h/", "h", "invalid uri character"},
        {"http://u%00@h/", "h", "invalid authority"},
        {"http://h/a b", "h", "invalid uri character"},
        {"http://h/a\r\nb", "h", "invalid uri character"},
        {"http://h/?a\tb", "h", "invalid uri character"},
        {"http://h/a\x7f", "h", "invalid uri character"},
        {"http://h/a<b", "h", "invalid uri character"},
        {"http://h/?a\"b", "h", "invalid uri character"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        http_url url = {0};

        assert_int_equal(parse(&url, cases[i].url, NULL), 0);
        assert_string_equal(url.host, cases[i].host);
        assert_non_null(url.refusal);
        assert_string_equal(url.refusal, cases[i].refusal);
        http_url_deinit(&url);
    }
}

static void test_resolve(void **state)
{
    static const struct {
        const char *location;
        const char *url; /* NULL: an error */
    } cases[] = {
        {"/x", "http://h:81/x"},
        {"x", "http://h:81/a/x"},
        {"../x?y#z", "http://h:81/x?y#z"},
        {"?q", "http://h:81/a/b?q"},
        {"//other.test/x", "http://other.test/x"},
        {"https://other.test", "https://other.test/"},
        {"/a b", "http://h:81/a%20b"},
        {"ftp://other.test/", "ftp://other.test/"},
        {"http://", NULL},
        {"http://[::1", NULL},
    };
    http_url base = {0};

    (void)state;
    assert_int_equal(parse(&base, "http://user@h:81/a/b?c", NULL), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error err = {0};
        buf out;
        int rc;

        buf_init(&out, 1000);
        rc = http_url_resolve(&base, cases[i].location, &out, &err);
        if (cases[i].url) {
            assert_int_equal(rc, 0);
            assert_int_equal(buf_append_byte(&out, '\0'), 0);
            assert_string_equal((char *)out.data, cases[i].url);
        } else {
            assert_int_equal(rc, E_IO);
            assert_non_null(strstr(error_text(&err), "location header is malformed"));
        }
        error_deinit(&err);
        buf_deinit(&out);
    }
    http_url_deinit(&base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reasons),  cmocka_unit_test(test_no_text),
        cmocka_unit_test(test_hosts),    cmocka_unit_test(test_parts),
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_resolve),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
