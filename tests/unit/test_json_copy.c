#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/json.h"

/* Copies the only value of `text`; NULL when it is none. The caller frees it. */
static char *copy(const char *text)
{
    json_reader r = {.text = slice_str(text)};
    json_reader again = r;
    buf out;
    char *result = NULL;
    int rc;

    buf_init(&out, 10000);
    rc = json_copy(&r, &out, NULL);
    rc = rc ? rc : json_end(&r, NULL);
    if (rc == 0)
        result = buf_take_str(&out);
    /* Only looking comes to the same. */
    rc = json_copy(&again, NULL, NULL);
    rc = rc ? rc : json_end(&again, NULL);
    assert_int_equal(rc == 0, result != NULL);
    buf_deinit(&out);
    return result;
}

static void test_values(void **state)
{
    static const struct {
        const char *text;
        const char *copied;
    } cases[] = {
        {" 1 ", "1"},
        {"-0.5e+10", "-0.5e+10"},
        {"0", "0"},
        {"\"a\\u00e9 \\n b\"", "\"a\\u00e9 \\n b\""},
        {"true", "true"},
        {"null", "null"},
        {"[ ]", "[]"},
        {"{ }", "{}"},
        {"[ 1 , [ 2 , { } ] , \"x y\" ]", "[1,[2,{}],\"x y\"]"},
        {"{ \"a\" : { \"b\" : [ false ] } , \"c\" : 1 }", "{\"a\":{\"b\":[false]},\"c\":1}"},
        {"", NULL},
        {"01", NULL},
        {"1.", NULL},
        {"1e", NULL},
        {"-", NULL},
        {"+1", NULL},
        {"tru", NULL},
        {"nul", NULL},
        {"truex", NULL},
        {"[1,]", NULL},
        {"[1 2]", NULL},
        {"[", NULL},
        {"[1", NULL},
        {"]", NULL},
        {"[}", NULL},
        {"{\"a\":1]", NULL},
        {"{\"a\"}", NULL},
        {"{\"a\" 1}", NULL},
        {"{a:1}", NULL},
        {"{\"a\":1,}", NULL},
        {"{,}", NULL},
        {"\"a", NULL},
        {"\"\\x\"", NULL},
        {"\"\n\"", NULL},
        {"1 2", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *copied = copy(cases[i].text);

        if (cases[i].copied) {
            assert_non_null(copied);
            assert_string_equal(copied, cases[i].copied);
        } else if (copied) {
            fail_msg("%s is taken for JSON", cases[i].text);
        }
        free(copied);
    }
}

static void test_nesting(void **state)
{
    char text[2 * JSON_NESTING_MAX + 3] = {0};
    char *copied;

    (void)state;
    memset(text, '[', JSON_NESTING_MAX);
    memset(text + JSON_NESTING_MAX, ']', JSON_NESTING_MAX);
    copied = copy(text);
    assert_non_null(copied);
    assert_string_equal(copied, text);
    free(copied);
    memset(text, '[', JSON_NESTING_MAX + 1);
    memset(text + JSON_NESTING_MAX + 1, ']', JSON_NESTING_MAX + 1);
    assert_null(copy(text));
}

static void test_a_failure_appends_nothing(void **state)
{
    json_reader r = {.text = slice_str("[1,2")};
    error err = {0};
    buf out;

    (void)state;
    buf_init(&out, 100);
    assert_int_equal(buf_append_str(&out, "x"), 0);
    assert_int_equal(json_copy(&r, &out, &err), E_INVALID);
    assert_true(slice_equal_str(buf_slice(&out), "x"));
    error_deinit(&err);
    buf_deinit(&out);
    buf_init(&out, 3);
    r = (json_reader){.text = slice_str("[1,2]")};
    assert_int_equal(json_copy(&r, &out, NULL), E_TOO_LARGE);
    assert_int_equal(out.len, 0);
    buf_deinit(&out);
}

static void test_any_bytes(void **state)
{
    buf out;

    (void)state;
    buf_init(&out, 100);
    assert_int_equal(json_put_bytes(&out, slice_str("a\xff\"\xc3\xa9\xc3")), 0);
    assert_true(slice_equal_str(buf_slice(&out), "\"a\xef\xbf\xbd\\\"\xc3\xa9\xef\xbf\xbd\""));
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_a_failure_appends_nothing),
        cmocka_unit_test(test_any_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
