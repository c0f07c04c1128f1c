#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/pattern.h"

static bool matches(const char *text, const char *subject)
{
    pattern p = pattern_of(slice_str(text));

    return pattern_matches(&p, slice_str(subject));
}

static void test_matches(void **state)
{
    (void)state;
    assert_true(matches("", ""));
    assert_true(matches("a", "a"));
    assert_true(matches("*", ""));
    assert_true(matches("*", "a*b"));
    assert_true(matches("**", ""));
    assert_true(matches("user:*", "user:"));
    assert_true(matches("user:*", "user:1"));
    assert_true(matches("*.png", ".png"));
    assert_true(matches("a*b", "ab"));
    assert_true(matches("a*b", "abab"));
    assert_true(matches("a*b*c", "abc"));
    assert_true(matches("a*bb*c", "abbbc"));
    assert_true(matches("a**c", "a-c"));
    assert_true(matches("*a*b*", "xaxbx"));
    assert_true(matches("a?[b]\\", "a?[b]\\"));
}

static void test_does_not_match(void **state)
{
    (void)state;
    assert_false(matches("", "a"));
    assert_false(matches("a", ""));
    assert_false(matches("a", "A"));
    assert_false(matches("a", "ab"));
    assert_false(matches("user:*", "user"));
    assert_false(matches("user:*", "xuser:1"));
    assert_false(matches("*.png", "png"));
    assert_false(matches("aba*aba", "aba"));
    assert_false(matches("a*b", "aba"));
    assert_false(matches("a*b*c", "acb"));
    assert_false(matches("*ab*ba*", "aba"));
    assert_false(matches("a*bc*c", "abc"));
    assert_false(matches("?", "a"));
}

/* Any bytes, a NUL too. */
static void test_bytes(void **state)
{
    pattern p = pattern_of(slice_of("a\0*\xff", 4));

    (void)state;
    assert_true(pattern_matches(&p, slice_of("a\0\0\xff", 4)));
    assert_false(pattern_matches(&p, slice_of("a\xff", 2)));
}

/* What takes a backtracking matcher longer than the universe has. */
static void test_hostile(void **state)
{
    enum { STARS = 500, BYTES = 100000 };
    char *text = malloc(2 * STARS + 2), *subject = malloc(BYTES + 1);
    uint64_t start;

    (void)state;
    for (size_t i = 0; i < STARS; i++) {
        text[2 * i] = '*';
        text[2 * i + 1] = 'a';
    }
    strcpy(text + 2 * (size_t)STARS, "b");
    memset(subject, 'a', BYTES);
    subject[BYTES] = '\0';
    start = clock_ns();
    assert_false(matches(text, subject));
    strcpy(text + 2 * (size_t)STARS, "*");
    assert_true(matches(text, subject));
    assert_true(clock_ns() - start < 1000000000);
    free(text);
    free(subject);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_does_not_match),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
