#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "extism/http.h"
#include "extism/http_glob.h"

struct match {
    const char *pattern;
    const char *text;
    bool expected;
};

static void check(const struct match *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool got = http_glob_matches(slice_str(cases[i].pattern), slice_str(cases[i].text));

        if (got != cases[i].expected)
            fail_msg("'%s' on '%s' gives %d", cases[i].pattern, cases[i].text, got);
    }
}

static void test_wildcards(void **state)
{
    static const struct match cases[] = {
        {"example.com", "example.com", true},
        {"example.com", "example.co", false},
        {"example.com", "example.com.", false},
        {"example.com", "EXAMPLE.com", false},
        {"*.example.com", "api.example.com", true},
        {"*.example.com", "a.b.example.com", true},
        {"*.example.com", "example.com", false},
        {"*.example.com", "api.example.com.evil.test", false},
        {"*", "", true},
        {"*", "anything", true},
        {"", "", true},
        {"", "a", false},
        {"api?.test", "api1.test", true},
        {"api?.test", "api.test", false},
        {"*a*b*c", "xxaxxbxxc", true},
        {"*a*b*c", "xxaxxcxxb", false},
        {"a*?", "a", false},
        {"?", "\xc3\xa4", true},
        {"?", "ab", false},
        {"*-?", "a-b-c", true},
    };

    (void)state;
    check(cases, sizeof cases / sizeof *cases);
}

static void test_sets(void **state)
{
    static const struct match cases[] = {
        {"[a-c]x", "bx", true},
        {"[a-c]x", "dx", false},
        {"[!a-c]x", "dx", true},
        {"[!a-c]x", "ax", false},
        {"[]a]", "]", true},
        {"[!]]", "]", false},
        {"[!]]", "a", true},
        {"[a-]", "-", true},
        {"[-a]", "-", true},
        {"[a-\xc3\xa4-z]", "-", true},
        {"[\xc3\xa4-\xc3\xb6]", "\xc3\xa5", true},
        {"[z-a]", "m", false},
        {"[?*]", "*", true},
        {"[?*]", "a", false},
        {"[^a]", "b", false},
        {"[^a]", "^", true},
    };

    (void)state;
    check(cases, sizeof cases / sizeof *cases);
}

static void test_path_parts(void **state)
{
    static const struct match cases[] = {
        {"**", "a.b", true},       {"**/b", "b", true},     {"**/b", "a/x/b", true},
        {"**/b", "ab", false},     {"a/**/b", "a/b", true}, {"a/**/b", "a/x/y/b", true},
        {"a/**/b", "a/xb", false}, {"a/**", "a/x/y", true}, {"**/*.c", "x/y.c", true},
        {"**/**/b", "b", true},    {"a/**", "a", false},    {"a*b", "a/x/b", true},
    };

    (void)state;
    check(cases, sizeof cases / sizeof *cases);
}

static void test_what_is_no_pattern_matches_itself(void **state)
{
    static const struct match cases[] = {
        {"***", "***", true}, {"***", "abc", false}, {"a**", "a**", true}, {"a**", "abc", false},
        {"**a", "**a", true}, {"**a", "xa", false},  {"[a", "[a", true},   {"[a", "a", false},
        {"[!]", "[!]", true}, {"[]", "[]", true},    {"[", "[", true},     {"a]", "a]", true},
    };

    (void)state;
    check(cases, sizeof cases / sizeof *cases);
}

/* A pattern that a matcher by recursion needs longer for than anyone can wait. */
static void test_time_is_bounded(void **state)
{
    char pattern[2001];
    char text[4001];

    (void)state;
    for (size_t i = 0; i < sizeof pattern - 1; i += 2)
        memcpy(pattern + i, "*a", 2);
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    pattern[sizeof pattern - 1] = '\0';
    assert_true(http_glob_matches(slice_str(pattern), slice_str(text)));
    text[sizeof text - 2] = 'b';
    assert_false(http_glob_matches(slice_str(pattern), slice_str(text)));
}

static void test_bytes_that_are_not_utf8(void **state)
{
    (void)state;
    assert_true(http_glob_matches(slice_str("\xff\xc3"), slice_str("\xff\xc3")));
    assert_true(http_glob_matches(slice_str("??"), slice_str("\xe2\x82")));
    assert_false(http_glob_matches(slice_str("[\xc3\xa4]"), slice_str("\xc3")));
}

static void test_host_allowed(void **state)
{
    static const char *const patterns[] = {"api.test", "*.cdn.test", "[::1]"};

    (void)state;
    assert_true(http_host_allowed(slice_str("api.test"), patterns, 3));
    assert_true(http_host_allowed(slice_str("a.cdn.test"), patterns, 3));
    assert_true(http_host_allowed(slice_str("[::1]"), patterns, 3));
    assert_false(http_host_allowed(slice_str("[::2]"), patterns, 3));
    assert_false(http_host_allowed(slice_str("cdn.test"), patterns, 3));
    assert_false(http_host_allowed(slice_str(""), patterns, 3));
    assert_false(http_host_allowed(slice_str("api.test"), NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wildcards),
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_path_parts),
        cmocka_unit_test(test_what_is_no_pattern_matches_itself),
        cmocka_unit_test(test_time_is_bounded),
        cmocka_unit_test(test_bytes_that_are_not_utf8),
        cmocka_unit_test(test_host_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
