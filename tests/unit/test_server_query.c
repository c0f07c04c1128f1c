#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/query.h"

static void test_query_of(void **state)
{
    (void)state;
    assert_true(slice_equal_str(query_of(slice_str("/a?b=c?d")), "b=c?d"));
    assert_int_equal(query_of(slice_str("/a")).len, 0);
    assert_int_equal(query_of(slice_str("/a?")).len, 0);
    assert_int_equal(query_of(slice_of(NULL, 0)).len, 0);
}

static void test_json(void **state)
{
    static const struct {
        const char *query;
        const char *json;
    } cases[] = {
        {"", "{}"},
        {"&&", "{}"},
        {"b=2&a=1", "{\"a\":\"1\",\"b\":\"2\"}"},
        {"a=1&a=2", "{\"a\":\"1\"}"},
        {"a", "{\"a\":\"\"}"},
        {"=x", "{\"\":\"x\"}"},
        {"a=b=c", "{\"a\":\"b=c\"}"},
        {"a=1+2%2b3", "{\"a\":\"1 2+3\"}"},
        {"%61=%C3%A9", "{\"a\":\"\xc3\xa9\"}"},
        {"a=%ff", "{\"a\":\"\xef\xbf\xbd\"}"},
        {"a=%00", "{\"a\":\"\\u0000\"}"},
        {"a=%2&b=%&c=%zz", "{\"a\":\"%2\",\"b\":\"%\",\"c\":\"%zz\"}"},
        {"a=%22%0a", "{\"a\":\"\\\"\\u000a\"}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf json;

        buf_init(&json, 1000);
        assert_int_equal(query_put_json(&json, slice_str(cases[i].query)), 0);
        assert_int_equal(buf_append_byte(&json, 0), 0);
        assert_string_equal((char *)json.data, cases[i].json);
        buf_deinit(&json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query_of),
        cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
