#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/response.h"

static void test_errors(void **state)
{
    static const struct {
        const char *message;
        const char *id;
        const char *body;
    } cases[] = {
        {"no", "0123456789abcdef",
         "{\"error\":{\"code\":\"c\",\"message\":\"no\",\"invocation\":\"0123456789abcdef\"}}\n"},
        {"a \"b\"\n", "",
         "{\"error\":{\"code\":\"c\",\"message\":\"a \\\"b\\\"\\u000a\",\"invocation\":null}}\n"},
        {"good\xff", "", "{\"error\":{\"code\":\"c\",\"message\":\"good\",\"invocation\":null}}\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        response r;

        response_init(&r);
        assert_int_equal(r.status, 200);
        assert_int_equal(headers_put(&r.headers, slice_str("ETag"), slice_str("\"x\"")), 0);
        response_set_error(&r, 418, "c", slice_str(cases[i].message), cases[i].id);
        assert_int_equal(r.status, 418);
        assert_true(slice_equal_str(buf_slice(&r.headers), "Content-Type: application/json\r\n"));
        assert_true(slice_equal_str(r.body, cases[i].body));
        response_deinit(&r);
    }
}

static void test_a_long_message(void **state)
{
    static char message[100000];
    response r;

    (void)state;
    memset(message, '\x01', sizeof message - 1);
    response_init(&r);
    response_set_error(&r, 500, "c", slice_str(message), "");
    assert_in_range(r.body.len, 6 * 4096, 6 * 4096 + 100);
    response_deinit(&r);
}

static void test_an_error_about_its_own_body(void **state)
{
    response r;
    buf body;

    (void)state;
    response_init(&r);
    buf_init(&body, 10);
    assert_int_equal(buf_append_str(&body, "why"), 0);
    response_take_body(&r, &body);
    response_set_unauthorized(&r, r.body, "Bearer", "");
    assert_int_equal(r.status, 401);
    assert_non_null(memmem(r.body.data, r.body.len, "\"why\"", 5));
    assert_true(slice_equal_str(buf_slice(&r.headers), "Content-Type: application/json\r\n"
                                                       "WWW-Authenticate: Bearer\r\n"));
    response_deinit(&r);
    response_deinit(&r);
}

static void test_kept_bodies(void **state)
{
    char text[] = "text";
    const uint8_t *kept;
    response r;

    (void)state;
    response_init(&r);
    assert_int_equal(response_keep_body(&r), 0);
    r.body = slice_str(text);
    assert_int_equal(response_keep_body(&r), 0);
    text[0] = 'x';
    assert_true(slice_equal_str(r.body, "text"));
    kept = r.body.data;
    assert_int_equal(response_keep_body(&r), 0);
    assert_ptr_equal(r.body.data, kept);
    response_deinit(&r);
}

static void test_types(void **state)
{
    (void)state;
    assert_string_equal(response_type_of(slice_str("{}")), "application/json");
    assert_string_equal(response_type_of(slice_str("[1]")), "application/json");
    assert_string_equal(response_type_of(slice_str("a")), "text/plain; charset=utf-8");
    assert_string_equal(response_type_of(slice_str("{\xff")), "application/octet-stream");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_a_long_message),
        cmocka_unit_test(test_an_error_about_its_own_body),
        cmocka_unit_test(test_kept_bodies),
        cmocka_unit_test(test_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
