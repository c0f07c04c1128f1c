#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/limits.h"
#include "app/permissions.h"

static permissions *make(const char *const *text, size_t count)
{
    permissions *p = NULL;
    error err = {0};
    int rc = permissions_create(&p, (char *const *)text, count, &err);

    if (rc)
        fail_msg("%s", error_text(&err));
    return p;
}

static bool allows(const permissions *p, enum permission kind, const char *subject)
{
    return permissions_allow(p, kind, slice_str(subject));
}

static void test_default_is_deny(void **state)
{
    permissions *p = make(NULL, 0);

    (void)state;
    for (int kind = PERMISSION_KV_READ; kind <= PERMISSION_CONFIG_READ; kind++) {
        assert_false(allows(NULL, (enum permission)kind, "a"));
        assert_false(allows(p, (enum permission)kind, "a"));
        assert_false(allows(p, (enum permission)kind, ""));
    }
    assert_int_equal(permissions_allow_http(NULL, slice_str("get"), slice_str("http"),
                                            slice_str("example.com"), 80, slice_str("/")),
                     HTTP_DENIED);
    permissions_destroy(p);
    permissions_destroy(NULL);
}

static void test_kinds(void **state)
{
    static const struct {
        const char *text;
        enum permission kind;
    } rows[] = {
        {"kv:read:a:*", PERMISSION_KV_READ},
        {"kv:write:a:*", PERMISSION_KV_WRITE},
        {"storage:read:a:*", PERMISSION_STORAGE_READ},
        {"storage:write:a:*", PERMISSION_STORAGE_WRITE},
        {"events:emit:a:*", PERMISSION_EVENTS_EMIT},
        {"invoke:a:*", PERMISSION_INVOKE},
        {"config:read:a:*", PERMISSION_CONFIG_READ},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        permissions *p = make(&rows[i].text, 1);

        for (int kind = PERMISSION_KV_READ; kind <= PERMISSION_CONFIG_READ; kind++) {
            assert_int_equal(allows(p, (enum permission)kind, "a:1"), (int)rows[i].kind == kind);
            assert_false(allows(p, (enum permission)kind, "b:1"));
        }
        permissions_destroy(p);
    }
}

static void test_any_of_several(void **state)
{
    static const char *const text[] = {"kv:read:user:*", "kv:read:total", "kv:write:*",
                                       "storage:read:images/*.png"};
    permissions *p = make(text, 4);

    (void)state;
    assert_true(allows(p, PERMISSION_KV_READ, "user:1"));
    assert_true(allows(p, PERMISSION_KV_READ, "total"));
    assert_false(allows(p, PERMISSION_KV_READ, "totals"));
    assert_true(allows(p, PERMISSION_KV_WRITE, ""));
    assert_true(allows(p, PERMISSION_STORAGE_READ, "images/a/b.png"));
    assert_false(allows(p, PERMISSION_STORAGE_READ, "images/a.jpg"));
    permissions_destroy(p);
}

static void test_bad_permissions(void **state)
{
    static const struct {
        const char *text;
        const char *said;
    } rows[] = {
        {"kv:reed:user:*", "did you mean \"kv:read:user:*\"?"},
        {"Kv:read:a", "did you mean \"kv:read:a\"?"},
        {"kv:writes", "did you mean \"kv:write\"?"},
        {"storage:raed:images/*", "did you mean \"storage:read:images/*\"?"},
        {"event:emit:a", "did you mean \"events:emit:a\"?"},
        {"configs:read:A", "did you mean \"config:read:A\"?"},
        {"invok:resize", "did you mean \"invoke:resize\"?"},
        {"htpp:get:a/*", "did you mean \"http:get:a/*\"?"},
        {"kv:read", "does not say of what: \"kv:read:*\" is all of it"},
        {"kv:read:", "does not say of what"},
        {"invoke", "does not say of what: \"invoke:*\""},
        {"invoke:", "does not say of what"},
        {"storage:everything:x", "there are kv:read, kv:write"},
        {"", "there are kv:read, kv:write"},
        {"*", "there are kv:read, kv:write"},
        {"http:get", "http:METHOD:HOST/PATH"},
        {"http:gte:a/*", "did you mean \"get\"?"},
        {"http:GET:a/*", "is not a method in lower case"},
        {"http:get:a", "it has no path"},
        {"http:get:/x", "it names no host"},
        {"http:get::80/x", "it names no host"},
        {"http:get:a:/x", "nothing behind the colon"},
        {"http:get:a:0/x", "is neither a port"},
        {"http:get:a:65536/x", "is neither a port"},
        {"http:get:a:99999999999999999999/x", "is neither a port"},
        {"http:get:a*/x", "in a host '*' stands alone"},
        {"http:get:*a/x", "in a host '*' stands alone"},
        {"http:get:*./x", "in a host '*' stands alone"},
        {"http:get:*..a/x", "in a host '*' stands alone"},
        {"http:get:*.a.*/x", "in a host '*' stands alone"},
        {"http:get:b\xc3\xbc"
         "cher.example/x",
         "write it in ASCII"},
        {"http:get:a b/x", "is not a host"},
        {"http:get:user@a/x", "is not a host"},
        {"http:get:[::1/x", "is not a host"},
        {"http:get:1.2.3.4.5/x", "is not a host"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *const text[] = {"kv:read:*", rows[i].text};
        permissions *p = NULL;
        error err = {0};
        int rc = permissions_create(&p, (char *const *)text, 2, &err);

        assert_int_equal(rc, E_INVALID);
        assert_null(p);
        if (!strstr(error_text(&err), rows[i].said) || !strstr(error_text(&err), rows[i].text))
            fail_msg("%s: %s", rows[i].text, error_text(&err));
        error_deinit(&err);
    }
}

static void test_limits(void **state)
{
    const char *many[LIMIT_PERMISSIONS + 1], *one = NULL;
    char longest[LIMIT_PERMISSION_BYTES + 2];
    permissions *p = NULL;

    (void)state;
    for (size_t i = 0; i <= LIMIT_PERMISSIONS; i++)
        many[i] = "kv:read:a";
    assert_int_equal(permissions_create(&p, (char *const *)many, LIMIT_PERMISSIONS + 1, NULL),
                     E_INVALID);
    permissions_destroy(make(many, LIMIT_PERMISSIONS));
    memset(longest, 'a', sizeof longest);
    memcpy(longest, "kv:read:", 8);
    longest[LIMIT_PERMISSION_BYTES + 1] = '\0';
    one = longest;
    assert_int_equal(permissions_create(&p, (char *const *)&one, 1, NULL), E_INVALID);
    longest[LIMIT_PERMISSION_BYTES] = '\0';
    permissions_destroy(make(&one, 1));
}

struct http_row {
    const char *text;
    const char *method;
    const char *scheme;
    const char *host;
    uint16_t port;
    const char *path;
    enum http_permission said;
};

static void check_http(const struct http_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct http_row *r = &rows[i];
        permissions *p = make(&r->text, 1);
        enum http_permission said =
            permissions_allow_http(p, slice_str(r->method), slice_str(r->scheme),
                                   slice_str(r->host), r->port, slice_str(r->path));

        if (said != r->said)
            fail_msg("%s, %s %s://%s:%u%s: %d", r->text, r->method, r->scheme, r->host, r->port,
                     r->path, said);
        permissions_destroy(p);
    }
}

static void test_http(void **state)
{
    static const struct http_row rows[] = {
        {"http:get:a.io/*", "get", "https", "a.io", 443, "/", HTTP_BY_NAME},
        {"http:get:a.io/*", "get", "http", "a.io", 80, "/x", HTTP_BY_NAME},
        {"http:get:a.io/*", "post", "https", "a.io", 443, "/", HTTP_DENIED},
        {"http:get:a.io/*", "get", "https", "a.io", 80, "/", HTTP_DENIED},
        {"http:get:a.io/*", "get", "http", "a.io", 443, "/", HTTP_DENIED},
        {"http:get:a.io/*", "get", "http", "a.io", 8080, "/", HTTP_DENIED},
        {"http:get:a.io/*", "get", "http", "a.io.", 80, "/", HTTP_DENIED},
        {"http:get:a.io/*", "get", "http", "b.a.io", 80, "/", HTTP_DENIED},
        {"http:get:A.IO/*", "get", "http", "a.io", 80, "/", HTTP_BY_NAME},
        {"http:*:a.io:8080/*", "patch", "http", "a.io", 8080, "/", HTTP_BY_NAME},
        {"http:*:a.io:8080/*", "patch", "https", "a.io", 8080, "/", HTTP_BY_NAME},
        {"http:*:a.io:8080/*", "patch", "http", "a.io", 80, "/", HTTP_DENIED},
        {"http:get:a.io:*/*", "get", "http", "a.io", 80, "/", HTTP_BY_NAME},
        {"http:get:a.io:*/*", "get", "https", "a.io", 8443, "/", HTTP_BY_NAME},
        {"http:get:a.io:*/*", "get", "http", "b.io", 80, "/", HTTP_DENIED},
        {"http:get:*:*/*", "get", "http", "b.io", 1, "/", HTTP_ALLOWED},
        {"http:get:*/*", "get", "http", "anything", 80, "/", HTTP_ALLOWED},
        {"http:get:*/*", "get", "http", "anything", 81, "/", HTTP_DENIED},
        {"http:get:*:81/*", "get", "http", "127.0.0.1", 81, "/", HTTP_ALLOWED},
        {"http:get:a:*/*", "get", "http", "a", 81, "/", HTTP_BY_NAME},
        {"http:get:a:*/*", "get", "https", "a", 443, "/", HTTP_BY_NAME},
        {"http:get:*.a.io/*", "get", "http", "b.a.io", 80, "/", HTTP_ALLOWED},
        {"http:get:*.a.io/*", "get", "http", "c.b.a.io", 80, "/", HTTP_ALLOWED},
        {"http:get:*.A.io/*", "get", "http", "b.a.io", 80, "/", HTTP_ALLOWED},
        {"http:get:*.a.io/*", "get", "http", "a.io", 80, "/", HTTP_DENIED},
        {"http:get:*.a.io/*", "get", "http", ".a.io", 80, "/", HTTP_DENIED},
        {"http:get:*.a.io/*", "get", "http", "xa.io", 80, "/", HTTP_DENIED},
        {"http:get:127.1:9000/*", "get", "http", "127.0.0.1", 9000, "/", HTTP_BY_NAME},
        {"http:get:[::1]/*", "get", "http", "[::1]", 80, "/", HTTP_BY_NAME},
        {"http:get:[0:0::1]:90/*", "get", "http", "[::1]", 90, "/", HTTP_BY_NAME},
        {"http:get:a.io/v1/*", "get", "http", "a.io", 80, "/v1/x", HTTP_BY_NAME},
        {"http:get:a.io/v1/*", "get", "http", "a.io", 80, "/v1", HTTP_DENIED},
        {"http:get:a.io/v1", "get", "http", "a.io", 80, "/v1", HTTP_BY_NAME},
        {"http:get:a.io/v1", "get", "http", "a.io", 80, "/v1/", HTTP_DENIED},
        {"http:get:a.io/a:b/*", "get", "http", "a.io", 80, "/a:b/", HTTP_BY_NAME},
    };

    (void)state;
    check_http(rows, sizeof rows / sizeof *rows);
}

/* Where only some paths are allowed, none may turn into another on its way. */
static void test_http_path_that_leads_elsewhere(void **state)
{
    static const char *const bad[] = {
        "/v1/../x",   "/v1/..",       "/v1/./../x",    "/v1/.",      "/v1/%2e%2e/x",
        "/v1/.%2E/x", "/v1/..%2fx",   "/v1/a%2F..%2f", "/v1/..\\x",  "/v1\\..\\",
        "/v1/..;/x",  "/v1/..;a=b/x", "/v1/%2e%2e;x",  "/v1/..%5cx", "/v1/x%5C..%5cy",
        "/v1/x/..",   "/v1/%2e",
    };
    static const char *const good[] = {
        "/v1/...", "/v1/..a", "/v1/a..", "/v1/.a", "/v1/a;..", "/v1/%", "/v1/%2", "/v1//x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct http_row rows[] = {
            {"http:get:a.io/v1*", "get", "http", "a.io", 80, bad[i], HTTP_DENIED},
            {"http:get:a.io/*", "get", "http", "a.io", 80, bad[i], HTTP_BY_NAME},
        };

        check_http(rows, 2);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct http_row row = {"http:get:a.io/v1/*", "get", "http", "a.io", 80, good[i],
                               HTTP_BY_NAME};

        check_http(&row, 1);
    }
}

static void test_http_best_of_several(void **state)
{
    static const char *const text[] = {"http:get:*/*", "http:get:localhost/*"};
    permissions *p = make(text, 2);

    (void)state;
    assert_int_equal(permissions_allow_http(p, slice_str("get"), slice_str("http"),
                                            slice_str("localhost"), 80, slice_str("/")),
                     HTTP_BY_NAME);
    assert_int_equal(permissions_allow_http(p, slice_str("get"), slice_str("http"),
                                            slice_str("other"), 80, slice_str("/")),
                     HTTP_ALLOWED);
    permissions_destroy(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_is_deny),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_any_of_several),
        cmocka_unit_test(test_bad_permissions),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_http),
        cmocka_unit_test(test_http_path_that_leads_elsewhere),
        cmocka_unit_test(test_http_best_of_several),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
