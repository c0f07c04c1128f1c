#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/http_grant.h"

static int ask(http_grant *g, enum http_asking asking, const char *host, const char *address,
               error *err)
{
    const http_target target = {
        .asking = asking,
        .method = slice_str("get"),
        .scheme = slice_str("http"),
        .host = slice_str(host),
        .port = 9000,
        .path = slice_str("/v1/x"),
        .address = slice_str(address),
    };

    return http_grant_check(g, &target, err);
}

static void fails(http_grant *g, enum http_asking asking, const char *host, const char *address,
                  const char *text)
{
    error err = {0};

    assert_int_equal(ask(g, asking, host, address, &err), E_DENIED);
    assert_string_equal(error_text(&err), text);
    error_deinit(&err);
}

static void test_permissions(void **state)
{
    char *text[] = {"http:get:*:9000/v1/*", "http:get:localhost:9000/v1/*"};
    http_grant g = {.function = "users/[id]", .requests_max = 10};
    permissions *p = NULL;

    (void)state;
    fails(
        &g, HTTP_ASK_REQUEST, "a.io", NULL,
        "HTTP request to http://a.io:9000/v1/x is not allowed: add \"http:get:a.io:9000/*\" to the "
        "permissions of [functions.\"users/[id]\"] in ubiq.toml");
    assert_int_equal(permissions_create(&p, text, 2, NULL), 0);
    g.permissions = p;
    for (int asking = HTTP_ASK_REQUEST; asking <= HTTP_ASK_SITE; asking++) {
        assert_int_equal(ask(&g, (enum http_asking)asking, "a.io", NULL, NULL), 0);
        assert_int_equal(ask(&g, (enum http_asking)asking, "localhost", NULL, NULL), 0);
    }
    fails(&g, HTTP_ASK_ADDRESS, "a.io", "10.0.0.1",
          "HTTP request to http://a.io:9000/v1/x is not allowed: the host is at 10.0.0.1, which is "
          "not "
          "a public address, so that its name must be allowed in full: add "
          "\"http:get:a.io:9000/*\" to "
          "the permissions of [functions.\"users/[id]\"] in ubiq.toml");
    assert_int_equal(ask(&g, HTTP_ASK_ADDRESS, "localhost", "127.0.0.1", NULL), 0);
    permissions_destroy(p);
}

static void test_number_of_requests(void **state)
{
    char *text[] = {"http:get:*:9000/*"};
    http_grant g = {.function = "f", .requests_max = 2};
    permissions *p = NULL;
    error err = {0};

    (void)state;
    assert_int_equal(permissions_create(&p, text, 1, NULL), 0);
    g.permissions = p;
    assert_int_equal(ask(&g, HTTP_ASK_REQUEST, "a.io", NULL, NULL), 0);
    assert_int_equal(ask(&g, HTTP_ASK_REDIRECT, "a.io", NULL, NULL), 0);
    assert_int_equal(ask(&g, HTTP_ASK_SITE, "a.io", NULL, NULL), 0);
    assert_int_equal(ask(&g, HTTP_ASK_REQUEST, "a.io", NULL, NULL), 0);
    assert_int_equal(ask(&g, HTTP_ASK_REQUEST, "a.io", NULL, &err), E_TOO_LARGE);
    assert_string_equal(error_text(&err),
                        "the function has made the 2 HTTP requests that one invocation may make: "
                        "http_requests in [limits] of ubiq.toml");
    error_deinit(&err);
    permissions_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_permissions),
        cmocka_unit_test(test_number_of_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
