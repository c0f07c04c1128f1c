#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"

static json_reader reader(const char *text)
{
    return (json_reader){.text = slice_str(text)};
}

static int read_string(const char *text, buf *out)
{
    json_reader r = reader(text);
    int rc;

    buf_clear(out);
    rc = json_string(&r, out, NULL);
    return rc ? rc : json_end(&r, NULL);
}

static void test_strings_are_unescaped(void **state)
{
    static const struct {
        const char *json;
        const char *text;
    } cases[] = {
        {"\"\"", ""},
        {" \"plain\" ", "plain"},
        {"\"\\\" \\\\ \\/ \\b\\f\\n\\r\\t\"", "\" \\ / \b\f\n\r\t"},
        {"\"\\u0041\\u00e9\\u20AC\\uD83D\\ude00\"", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\"\\ud800\\udc00\\udbff\\udfff\"", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
        {"\"\\u007f\\u0080\\u07ff\\u0800\\uffff\"", "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"},
        {"\"a\x7f\xe2\x80\xa8z\"", "a\x7f\xe2\x80\xa8z"},
    };
    buf out;

    (void)state;
    buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(read_string(cases[i].json, &out), 0);
        assert_true(slice_equal_str(buf_slice(&out), cases[i].text));
    }
    assert_int_equal(read_string("\"a\\u0000b\"", &out), 0);
    assert_true(slice_equal(buf_slice(&out), slice_of("a\0b", 3)));
    buf_deinit(&out);
}

static void test_broken_strings_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "\"",
        "\"a",
        "\"\\\"",
        "\"\\x\"",
        "\"\\'\"",
        "\"\\u12\"",
        "\"\\u123g\"",
        "\"\\U0041\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\ud800\"",
        "\"\\ud800\\n\"",
        "\"\\ud800x\"",
        "\"\t\"",
        "\"\n\"",
        "'a'",
        "a",
        "\"a\"b",
        "5",
    };
    buf out;

    (void)state;
    buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(read_string(bad[i], &out), E_INVALID);
    buf_deinit(&out);
}

static void test_a_string_keeps_the_maximum(void **state)
{
    buf out;

    (void)state;
    buf_init(&out, 2);
    assert_int_equal(read_string("\"ab\"", &out), 0);
    assert_int_equal(read_string("\"abc\"", &out), E_TOO_LARGE);
    assert_int_equal(read_string("\"\\u20ac\"", &out), E_TOO_LARGE);
    buf_deinit(&out);
}

static int read_uint(const char *text, uint64_t max, uint64_t *out)
{
    json_reader r = reader(text);
    int rc = json_uint(&r, max, out, NULL);

    return rc ? rc : json_end(&r, NULL);
}

static void test_numbers_have_all_their_bits(void **state)
{
    static const char *const bad[] = {"-1",
                                      "-0",
                                      "1.0",
                                      "1e3",
                                      "1E0",
                                      ".5",
                                      "5.",
                                      "+1",
                                      "01",
                                      "00",
                                      "0x1",
                                      "1_0",
                                      "-",
                                      "true",
                                      "",
                                      "\"1\"",
                                      "18446744073709551616",
                                      "99999999999999999999999"};
    uint64_t n = 7;

    (void)state;
    assert_int_equal(read_uint("0", UINT64_MAX, &n), 0);
    assert_true(n == 0);
    assert_int_equal(read_uint(" 18446744073709551615\n", UINT64_MAX, &n), 0);
    assert_true(n == UINT64_MAX);
    assert_int_equal(read_uint("255", 255, &n), 0);
    assert_int_equal(read_uint("256", 255, &n), E_INVALID);
    assert_int_equal(read_uint("4", 3, &n), E_INVALID);
    assert_int_equal(read_uint("10", 3, &n), E_INVALID);
    assert_true(n == 255);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(read_uint(bad[i], UINT64_MAX, &n), E_INVALID);
}

/* Reads an array of strings, which may be nested; how many strings there were, or E_INVALID. */
static int count_strings(json_reader *r, buf *out)
{
    int count = 0;
    int rc = json_enter(r, JSON_ARRAY, NULL);

    if (rc)
        return rc;
    for (size_t i = 0; (rc = json_next(r, JSON_ARRAY, i, NULL)) > 0; i++) {
        int inside = 1;

        if (json_peek(r) == JSON_ARRAY)
            rc = inside = count_strings(r, out);
        else
            rc = json_string(r, out, NULL);
        if (rc < 0)
            return rc;
        count += inside;
    }
    return rc ? rc : count;
}

static void test_arrays_are_walked(void **state)
{
    static const struct {
        const char *json;
        int count;
    } cases[] = {{"[]", 0},
                 {" [ ] ", 0},
                 {"[\"a\"]", 1},
                 {"[ \"a\" ,\n\"b\" ]", 2},
                 {"[[\"a\"],[],[[\"b\",\"c\"]]]", 3},
                 {"[\"a\",]", E_INVALID},
                 {"[,\"a\"]", E_INVALID},
                 {"[\"a\" \"b\"]", E_INVALID},
                 {"[\"a\"}", E_INVALID},
                 {"[\"a\"", E_INVALID},
                 {"[", E_INVALID},
                 {"{}", E_INVALID}};
    buf out;

    (void)state;
    buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_reader r = reader(cases[i].json);

        assert_int_equal(count_strings(&r, &out), cases[i].count);
    }
    buf_deinit(&out);
}

static void test_objects_are_walked(void **state)
{
    json_reader r = reader("{ \"a\" : null , \"a\":1}x");
    error err = {0};
    uint64_t n = 0;
    buf name;

    (void)state;
    buf_init(&name, 1000);
    assert_int_equal(json_enter(&r, JSON_OBJECT, NULL), 0);
    assert_int_equal(json_next(&r, JSON_OBJECT, 0, NULL), 1);
    assert_int_equal(json_name(&r, &name, NULL), 0);
    assert_int_equal(json_null(&r, NULL), 0);
    assert_int_equal(json_next(&r, JSON_OBJECT, 1, NULL), 1);
    assert_int_equal(json_name(&r, &name, NULL), 0);
    assert_int_equal(json_uint(&r, 1, &n, NULL), 0);
    assert_int_equal(json_next(&r, JSON_OBJECT, 2, NULL), 0);
    assert_true(slice_equal_str(buf_slice(&name), "aa"));
    assert_int_equal(json_end(&r, &err), E_INVALID);
    assert_int_equal(r.at, r.text.len - 1);
    error_deinit(&err);
    buf_deinit(&name);
}

static void test_names_and_words_are_strict(void **state)
{
    static const char *const bad_names[] = {"\"a\"", "\"a\" 1", "a:1", "1:1", "\"a", ""};
    static const char *const bad_nulls[] = {"", "n", "nul", "NULL", "nil ", "\"null\""};
    buf name;

    (void)state;
    buf_init(&name, 1000);
    for (size_t i = 0; i < sizeof bad_names / sizeof *bad_names; i++) {
        json_reader r = reader(bad_names[i]);

        assert_int_equal(json_name(&r, &name, NULL), E_INVALID);
    }
    for (size_t i = 0; i < sizeof bad_nulls / sizeof *bad_nulls; i++) {
        json_reader r = reader(bad_nulls[i]);

        assert_int_equal(json_null(&r, NULL), E_INVALID);
    }
    buf_deinit(&name);
}

static void test_the_message_says_what_was_found(void **state)
{
    json_reader r = reader("  {}");
    error err = {0};
    buf out;

    (void)state;
    buf_init(&out, 10);
    assert_int_equal(json_string(&r, &out, &err), E_INVALID);
    assert_string_equal(error_text(&err), "expected a string, found an object");
    assert_int_equal(r.at, 2);
    error_deinit(&err);
}

static void test_what_is_put_is_read_again(void **state)
{
    slice text = slice_of("a\"\\\0\x01\x1f\n\x7f\xe2\x82\xac", 11);
    buf json;
    buf again;

    (void)state;
    buf_init(&json, 100);
    buf_init(&again, 100);
    assert_int_equal(json_put_string(&json, text), 0);
    assert_int_equal(buf_append_byte(&json, 0), 0);
    assert_string_equal((char *)json.data,
                        "\"a\\\"\\\\\\u0000\\u0001\\u001f\\u000a\x7f\xe2\x82\xac\"");
    assert_int_equal(read_string((char *)json.data, &again), 0);
    assert_true(slice_equal(buf_slice(&again), text));
    buf_deinit(&json);
    buf_deinit(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings_are_unescaped),
        cmocka_unit_test(test_broken_strings_are_refused),
        cmocka_unit_test(test_a_string_keeps_the_maximum),
        cmocka_unit_test(test_numbers_have_all_their_bits),
        cmocka_unit_test(test_arrays_are_walked),
        cmocka_unit_test(test_objects_are_walked),
        cmocka_unit_test(test_names_and_words_are_strict),
        cmocka_unit_test(test_the_message_says_what_was_found),
        cmocka_unit_test(test_what_is_put_is_read_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
