#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/limits.h"
#include "server/middleware_output.h"

static void test_nothing(void **state)
{
    static const char *const nothing[] = {"", " \n\t", "{}", " { } "};

    (void)state;
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++) {
        middleware_output o;

        assert_int_equal(middleware_output_read(&o, slice_str(nothing[i]), NULL), 0);
        assert_int_equal(o.status, 0);
        assert_false(o.has_headers || o.has_body);
        assert_int_equal(o.headers.len + o.body.len + o.context.len, 0);
        middleware_output_deinit(&o);
    }
}

static void test_all_of_it(void **state)
{
    static const char text[] =
        "{\"status\":418,\"headers\":{\"X-One\":\"1\",\"set-cookie\":[\"a=1\",\"b=2\"],"
        "\"Content-Length\":\"7\",\"connection\":\"close\",\"none\":[]},"
        "\"body\":\"a\\u0000b\",\"context\":{ \"user\": [1, 2] }}";
    middleware_output o;

    (void)state;
    assert_int_equal(middleware_output_read(&o, slice_str(text), NULL), 0);
    assert_int_equal(o.status, 418);
    assert_true(o.has_headers && o.has_body);
    assert_true(slice_equal_str(buf_slice(&o.headers),
                                "X-One: 1\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n"));
    assert_true(slice_equal(buf_slice(&o.body), slice_of("a\0b", 3)));
    assert_true(slice_equal_str(buf_slice(&o.context), "{\"user\":[1,2]}"));
    middleware_output_deinit(&o);
}

static void test_bytes(void **state)
{
    middleware_output o;

    (void)state;
    assert_int_equal(middleware_output_read(&o, slice_str("{\"body_base64\":\"/wD+\"}"), NULL), 0);
    assert_true(o.has_body);
    assert_true(slice_equal(buf_slice(&o.body), slice_of("\xff\0\xfe", 3)));
    middleware_output_deinit(&o);
    assert_int_equal(middleware_output_read(&o, slice_str("{\"body\":\"\"}"), NULL), 0);
    assert_true(o.has_body);
    assert_int_equal(o.body.len, 0);
    middleware_output_deinit(&o);
}

static void test_what_makes_no_sense(void **state)
{
    static const struct {
        const char *text;
        const char *said;
    } cases[] = {
        {"ok", "its output: "},
        {"[]", "its output: "},
        {"null", "its output: "},
        {"{\"status\":200", "its output: "},
        {"{} {}", "its output: "},
        {"{\"status\":\"200\"}", "status: expected a number"},
        {"{\"status\":199}", "status: must be from 200 to 599"},
        {"{\"status\":600}", "status: must not be more than 599"},
        {"{\"status\":200.5}", "status: "},
        {"{\"status\":200,\"status\":200}", "status: the key comes twice"},
        {"{\"state\":200}", "did you mean status?"},
        {"{\"headers\":[]}", "headers: expected an object"},
        {"{\"headers\":{\"a\":1}}", "headers: expected a string"},
        {"{\"headers\":{\"a\":[\"b\",1]}}", "headers: expected a string"},
        {"{\"headers\":{\"a b\":\"c\"}}", "headers: is no header"},
        {"{\"headers\":{\"\":\"c\"}}", "headers: is no header"},
        {"{\"headers\":{\"a\":\"b\\r\\nc: d\"}}", "headers: is no header"},
        {"{\"headers\":{\"a\\r\\nc\":\"d\"}}", "headers: is no header"},
        {"{\"headers\":{\"a\":\"b\\u0000\"}}", "headers: is no header"},
        {"{\"body\":{}}", "body: expected a string"},
        {"{\"body\":\"\\ud800\"}", "body: "},
        {"{\"body\":\"\",\"body_base64\":\"\"}", "body_base64: there is body and body_base64"},
        {"{\"body_base64\":\"\",\"body\":\"\"}", "body: there is body and body_base64"},
        {"{\"body_base64\":\"Zg\"}", "body_base64: is not base64"},
        {"{\"context\":\"x\"}", "context: must be an object"},
        {"{\"context\":[]}", "context: must be an object"},
        {"{\"context\":{\"a\":tru}}", "context: "},
        {"{\"body\":\"\xff\"}", "not UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        middleware_output o;
        error err = {0};

        if (middleware_output_read(&o, slice_str(cases[i].text), &err) != E_INVALID)
            fail_msg("%s", cases[i].text);
        if (!strstr(error_text(&err), cases[i].said))
            fail_msg("%s: %s", cases[i].text, error_text(&err));
        assert_int_equal(o.headers.len + o.body.len, 0);
        error_deinit(&err);
    }
}

static void test_more_headers_than_a_response_has(void **state)
{
    char text[LIMIT_RESPONSE_HEADERS * 8 + 64];
    middleware_output o;
    error err = {0};

    (void)state;
    for (int more = 0; more < 2; more++) {
        int len = sprintf(text, "{\"headers\":{\"a\":[\"\"");

        for (int i = 1; i < LIMIT_RESPONSE_HEADERS + more; i++)
            len += sprintf(text + len, ",\"\"");
        strcpy(text + len, "]}}");
        assert_int_equal(middleware_output_read(&o, slice_str(text), &err), more ? E_TOO_LARGE : 0);
        middleware_output_deinit(&o);
    }
    assert_non_null(strstr(error_text(&err), "headers: a response has at most 80 of them"));
    error_deinit(&err);
}

static void test_too_many_headers(void **state)
{
    char *text = malloc(2 * LIMIT_RESPONSE_HEAD_BYTES);
    size_t value = LIMIT_RESPONSE_HEAD_BYTES - 5; /* with "a: " and CRLF */
    middleware_output o;
    error err = {0};

    (void)state;
    for (size_t more = 0; more < 2; more++) {
        sprintf(text, "{\"headers\":{\"a\":\"%0*d\"}}", (int)(value + more), 0);
        assert_int_equal(middleware_output_read(&o, slice_str(text), &err), more ? E_TOO_LARGE : 0);
        middleware_output_deinit(&o);
    }
    assert_non_null(strstr(error_text(&err), "headers: there is no room"));
    error_deinit(&err);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_all_of_it),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_what_makes_no_sense),
        cmocka_unit_test(test_more_headers_than_a_response_has),
        cmocka_unit_test(test_too_many_headers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
