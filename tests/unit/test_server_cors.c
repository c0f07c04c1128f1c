#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/cors.h"
#include "server/cors_origin.h"

#define LIST(...)                                                                                  \
    {                                                                                              \
        .item = (char *[]){__VA_ARGS__},                                                           \
        .count = sizeof((char *[]){__VA_ARGS__}) / sizeof(char *), .given = true                   \
    }

static const config_list all_methods;

static cors *make(const config_cors *from)
{
    error err = {0};
    cors *c;

    if (cors_create(&c, from, &err))
        fail_msg("%s", error_text(&err));
    return c;
}

static void test_origins(void **state)
{
    static const struct {
        const char *allowed;
        const char *origin;
        bool matches;
    } cases[] = {
        {"https://example.com", "https://example.com", true},
        {"HTTPS://Example.COM", "https://example.com", true},
        {"https://example.com:443", "https://example.com", true},
        {"http://example.com:80", "http://example.com", true},
        {"https://example.com:80", "https://example.com:80", true},
        {"http://localhost:5173", "http://localhost:5173", true},
        {"http://127.0.0.1:8080", "http://127.0.0.1:8080", true},
        {"http://[::1]:8080", "http://[::1]:8080", true},
        {"http://[2001:db8::1]", "http://[2001:db8::1]", true},
        {"capacitor://localhost", "capacitor://localhost", true},
        {"https://example.com", "https://example.com:8443", false},
        {"https://example.com:8443", "https://example.com", false},
        {"https://example.com", "http://example.com", false},
        {"https://example.com", "https://example.com.evil.net", false},
        {"https://example.com", "https://evilexample.com", false},
        {"https://example.com", "https://example.co", false},
        {"https://example.com", "https://EXAMPLE.com", false}, /* no browser says it so */
        {"https://example.com", "https://www.example.com", false},
        {"https://example.com", "null", false},
        {"https://example.com", "", false},
        {"https://example.com", "https://example.com https://example.com", false},
        {"https://*.example.com", "https://www.example.com", true},
        {"https://*.example.com", "https://a.b-c.example.com", true},
        {"https://*.example.com:8443", "https://a.example.com:8443", true},
        {"https://*.example.com:443", "https://a.example.com", true},
        {"https://*.example.com", "https://example.com", false},
        {"https://*.example.com", "https://.example.com", false},
        {"https://*.example.com", "https://*.example.com", false},
        {"https://*.example.com", "https://a..example.com", false},
        {"https://*.example.com", "https://a.example.com:8443", false},
        {"https://*.example.com", "https://evil.net/.example.com", false},
        {"https://*.example.com", "https://evil.net:1.example.com", false},
        {"https://*.example.com", "https://evil.net#.example.com", false},
        {"https://*.example.com", "https://user@a.example.com", false},
        {"https://*.example.com", "http://a.example.com", false},
        {"https://*.example.com", "https://aexample.com", false},
        {"https://*.example.com", "https://a.example.com.evil.net", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cors_origin o;

        assert_int_equal(cors_origin_read(&o, cases[i].allowed, NULL), 0);
        if (cors_origin_matches(&o, slice_str(cases[i].origin)) != cases[i].matches)
            fail_msg("%s %s", cases[i].allowed, cases[i].origin);
        free(o.text);
    }
}

static void test_what_is_no_origin(void **state)
{
    static const char *const bad[] = {
        "",
        "example.com",
        "https://",
        "https:///",
        "https://example.com/",
        "https://example.com/path",
        "https://example.com?x",
        "https://user@example.com",
        "https://exa mple.com",
        "https://.example.com",
        "https://example..com",
        "https://example.com.",
        "https://example.com:",
        "https://example.com:x",
        "https://example.com:0",
        "https://example.com:123456",
        "https://*",
        "https://*.",
        "https://*example.com",
        "https://www.*.com",
        "https://a.*",
        "*://example.com",
        "*.example.com",
        "null",
        "https://\xc3\xbc.example",
        "https://[::1",
        "https://[]",
        "https://a,https://b",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        error err = {0};
        cors_origin o;

        if (cors_origin_read(&o, bad[i], &err) != E_INVALID)
            fail_msg("%s", bad[i]);
        assert_null(o.text);
        assert_non_null(strstr(error_text(&err), bad[i]));
        error_deinit(&err);
    }
}

/* What is put into the headers of an answer that has some of its own. */
static void check_answer(const config_cors *from, const char *request, const char *own,
                         const char *expected)
{
    cors *c = make(from);
    buf headers;

    buf_init(&headers, 4096);
    assert_int_equal(buf_append_str(&headers, own), 0);
    assert_int_equal(cors_put_headers(c, slice_str(request), &headers), 0);
    if (!slice_equal_str(buf_slice(&headers), expected))
        fail_msg("%.*s", (int)headers.len, headers.len ? (const char *)headers.data : "");
    buf_deinit(&headers);
    cors_destroy(c);
}

static void test_answers(void **state)
{
    const config_cors any = {.origins = LIST("*")};
    const config_cors nobody = {.origins = {0}};
    const config_cors two = {.origins = LIST("https://a.example", "https://*.b.example"),
                             .expose = LIST("X-One", "X-Two")};
    const config_cors trusting = {.origins = LIST("https://a.example"), .credentials = true};
    const config_cors star = {.origins = LIST("https://a.example", "*")};

    (void)state;
    check_answer(&any, "", "", "Access-Control-Allow-Origin: *\r\n");
    check_answer(&any, "Origin: https://x\r\n", "", "Access-Control-Allow-Origin: *\r\n");
    check_answer(&star, "Origin: https://x\r\n", "", "Access-Control-Allow-Origin: *\r\n");
    check_answer(&nobody, "Origin: https://x\r\n", "", "Vary: Origin\r\n");
    check_answer(&two, "Origin: https://a.example\r\n", "",
                 "Vary: Origin\r\nAccess-Control-Allow-Origin: https://a.example\r\n"
                 "Access-Control-Expose-Headers: X-One, X-Two\r\n");
    check_answer(&two, "Origin: https://x.b.example\r\n", "X: y\r\nVary: Accept\r\n",
                 "X: y\r\nVary: Accept\r\nVary: Origin\r\n"
                 "Access-Control-Allow-Origin: https://x.b.example\r\n"
                 "Access-Control-Expose-Headers: X-One, X-Two\r\n");
    /* A cache must not give this answer to another origin. */
    check_answer(&two, "", "", "Vary: Origin\r\n");
    check_answer(&two, "Origin: https://c.example\r\n", "vary: origin\r\n", "vary: origin\r\n");
    check_answer(&two, "Origin: null\r\n", "", "Vary: Origin\r\n");
    check_answer(&two, "Origin: https://a.example\r\nOrigin: https://a.example\r\n", "",
                 "Vary: Origin\r\n");
    check_answer(&trusting, "Origin: https://a.example\r\n", "",
                 "Vary: Origin\r\nAccess-Control-Allow-Origin: https://a.example\r\n"
                 "Access-Control-Allow-Credentials: true\r\n");
    /* A function does not open what the configuration keeps closed. */
    check_answer(&trusting, "Origin: https://evil.example\r\n",
                 "access-control-allow-origin: https://evil.example\r\n"
                 "access-control-allow-credentials: true\r\nX: y\r\n",
                 "X: y\r\nVary: Origin\r\n");
}

static void test_what_is_a_preflight(void **state)
{
    static const struct {
        const char *method;
        const char *headers;
        bool is;
    } cases[] = {
        {"OPTIONS", "Origin: https://a\r\nAccess-Control-Request-Method: PUT\r\n", true},
        {"OPTIONS", "Origin: https://a\r\n", false},
        {"OPTIONS", "Access-Control-Request-Method: PUT\r\n", false},
        {"OPTIONS", "", false},
        {"GET", "Origin: https://a\r\nAccess-Control-Request-Method: PUT\r\n", false},
        {"options", "Origin: https://a\r\nAccess-Control-Request-Method: PUT\r\n", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(cors_is_preflight(slice_str(cases[i].method), slice_str(cases[i].headers)),
                         cases[i].is);
}

#define ASKS(method, more)                                                                         \
    "Origin: https://a.example\r\nAccess-Control-Request-Method: " method "\r\n" more
#define VARY "Vary: Access-Control-Request-Method\r\nVary: Access-Control-Request-Headers\r\n"

static void check_preflight(const config_cors *from, const config_list *methods,
                            const char *request, int status, const char *expected)
{
    cors *c = make(from);
    response r;

    response_init(&r);
    assert_int_equal(cors_answer(c, slice_str(request), methods, &r, ""), 0);
    assert_int_equal(r.status, status);
    if (status == 204)
        assert_int_equal(r.body.len, 0);
    if (expected && !slice_equal_str(buf_slice(&r.headers), expected))
        fail_msg("%.*s", (int)r.headers.len, (const char *)r.headers.data);
    response_deinit(&r);
    cors_destroy(c);
}

static void test_preflights(void **state)
{
    const config_cors any = {.origins = LIST("*"), .max_age_ms = 600999};
    const config_cors strict = {.origins = LIST("https://a.example"),
                                .methods = LIST("GET", "PUT"),
                                .headers = LIST("Content-Type", "X-Token"),
                                .credentials = true};
    const config_list of_route = LIST("GET", "DELETE");

    (void)state;
    check_preflight(&any, &all_methods, ASKS("PATCH", "Access-Control-Request-Headers: a,x-b\r\n"),
                    204,
                    "Access-Control-Allow-Methods: PATCH\r\n"
                    "Access-Control-Allow-Headers: a, x-b\r\n"
                    "Access-Control-Max-Age: 600\r\n" VARY);
    check_preflight(&any, &of_route, ASKS("PATCH", ""), 204,
                    "Access-Control-Allow-Methods: GET, DELETE\r\n"
                    "Access-Control-Max-Age: 600\r\n" VARY);
    check_preflight(&strict, &of_route, ASKS("PUT", "Access-Control-Request-Headers: x-other\r\n"),
                    204,
                    "Access-Control-Allow-Methods: GET, PUT\r\n"
                    "Access-Control-Allow-Headers: Content-Type, X-Token\r\n"
                    "Access-Control-Max-Age: 0\r\n" VARY);
    /* What is no name is not said back. */
    check_preflight(&any, &all_methods,
                    ASKS("P T", "Access-Control-Request-Headers: a b, \"c\", d\r\n"), 204,
                    "Access-Control-Allow-Headers: d\r\nAccess-Control-Max-Age: 600\r\n" VARY);
    check_preflight(&strict, &all_methods,
                    "Origin: https://b.example\r\nAccess-Control-Request-Method: GET\r\n", 403,
                    "Content-Type: application/json\r\n");
}

static void test_what_cannot_be_configured(void **state)
{
    const config_cors bad[] = {
        {.origins = LIST("*"), .credentials = true},
        {.origins = LIST("https://a.example", "*"), .credentials = true},
        {.origins = LIST("https://a.example", "https://b.example/")},
        {.methods = LIST("GET POST")},
        {.headers = LIST("")},
        {.expose = LIST("X\r\nY")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        error err = {0};
        cors *c;

        assert_int_equal(cors_create(&c, &bad[i], &err), E_INVALID);
        assert_null(c);
        assert_non_null(strstr(error_text(&err), "middleware.cors"));
        error_deinit(&err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_origins),    cmocka_unit_test(test_what_is_no_origin),
        cmocka_unit_test(test_answers),    cmocka_unit_test(test_what_is_a_preflight),
        cmocka_unit_test(test_preflights), cmocka_unit_test(test_what_cannot_be_configured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
