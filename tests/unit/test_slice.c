#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

static void test_equal_compares_bytes_and_lengths(void **state)
{
    (void)state;
    assert_true(slice_equal_str(slice_of("a\0b", 1), "a"));
    assert_false(slice_equal(slice_of("a\0b", 3), slice_of("a\0c", 3)));
    assert_false(slice_equal_str(slice_str("ab"), "a"));
    assert_true(slice_equal(slice_str(NULL), slice_of("x", 0)));
}

/* The first and last character of each line of Unicode's table 3-7. */
static void test_utf8_is_what_the_table_allows(void **state)
{
    static const char *const good[] = {"",
                                       "\x7f",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xe0\xbf\xbf",
                                       "\xe1\x80\x80",
                                       "\xec\xbf\xbf",
                                       "\xed\x80\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf0\xbf\xbf\xbf",
                                       "\xf1\x80\x80\x80",
                                       "\xf3\xbf\xbf\xbf",
                                       "\xf4\x80\x80\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "plain text of more than eight bytes \xc3\xa9 on"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(slice_is_utf8(slice_str(good[i])));
    assert_true(slice_is_utf8(slice_of("\0", 1)));
}

static void test_utf8_is_nothing_else(void **state)
{
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xc2\x7f",
                                      "\xc2\xc0",
                                      "\xe0\x9f\xbf",
                                      "\xe0\xa0",
                                      "\xe1\x80\x7f",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf0\x90\x80",
                                      "\xf0\x90\x80\xc0",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char padded[32] = "0123456789";

        assert_false(slice_is_utf8(slice_str(bad[i])));
        strcat(padded, bad[i]);
        assert_int_equal(slice_utf8_prefix(slice_str(padded)), 10);
    }
}

static void test_utf8_does_not_read_past_the_end(void **state)
{
    (void)state;
    assert_int_equal(slice_utf8_prefix(slice_of("ab\xe2\x82\xac", 4)), 2);
    assert_int_equal(slice_utf8_prefix(slice_of("ab\xe2\x82\xac", 5)), 5);
}

static void test_position_counts_lines_and_columns(void **state)
{
    slice text = slice_str("ab\n\ncd");
    size_t line;
    size_t column;

    (void)state;
    slice_position(text, 0, &line, &column);
    assert_int_equal(line * 100 + column, 101);
    slice_position(text, 2, &line, &column);
    assert_int_equal(line * 100 + column, 103);
    slice_position(text, 5, &line, &column);
    assert_int_equal(line * 100 + column, 302);
    slice_position(text, 1000, &line, &column);
    assert_int_equal(line * 100 + column, 303);
}

static void test_nearest_finds_what_was_meant(void **state)
{
    static const char *const words[] = {"path", "data", "url", "headers", "hash", "name"};
    static const struct {
        const char *typed;
        const char *meant;
    } cases[] = {{"hahs", "hash"},        {"Path", "path"}, {"header", "headers"},
                 {"headeers", "headers"}, {"nmae", "name"}, {"date", "data"},
                 {"permissions", NULL},   {"zzz", NULL},    {"", NULL}};
    char long_word[200];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *found = slice_nearest(slice_str(cases[i].typed), words, 6);

        if (cases[i].meant) {
            assert_non_null(found);
            assert_string_equal(found, cases[i].meant);
        } else {
            assert_null(found);
        }
    }
    memset(long_word, 'a', sizeof long_word);
    assert_null(slice_nearest(slice_of(long_word, sizeof long_word), words, 6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_compares_bytes_and_lengths),
        cmocka_unit_test(test_utf8_is_what_the_table_allows),
        cmocka_unit_test(test_utf8_is_nothing_else),
        cmocka_unit_test(test_utf8_does_not_read_past_the_end),
        cmocka_unit_test(test_position_counts_lines_and_columns),
        cmocka_unit_test(test_nearest_finds_what_was_meant),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
