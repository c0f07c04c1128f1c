#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"

/* ThreadSanitizer ends the process when an allocation is refused. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ALLOCATION_CANNOT_FAIL
#endif
#endif

static void test_append_grows_and_keeps_the_content(void **state)
{
    buf b;

    (void)state;
    buf_init(&b, 100000);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(buf_append_byte(&b, (uint8_t)(i % 251)), 0);
    assert_int_equal(b.len, 100000);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(b.data[i], i % 251);
    buf_deinit(&b);
}

static void test_nothing_is_appended_over_the_maximum(void **state)
{
    buf b;

    (void)state;
    buf_init(&b, 5);
    assert_int_equal(buf_append_str(&b, "abc"), 0);
    assert_int_equal(buf_append_str(&b, "def"), E_TOO_LARGE);
    assert_int_equal(buf_printf(&b, "%d", 123), E_TOO_LARGE);
    assert_true(slice_equal_str(buf_slice(&b), "abc"));
    assert_int_equal(buf_append_str(&b, "de"), 0);
    assert_int_equal(buf_append_byte(&b, 'f'), E_TOO_LARGE);
    assert_int_equal(buf_reserve(&b, SIZE_MAX), E_TOO_LARGE);
    assert_true(slice_equal_str(buf_slice(&b), "abcde"));
    assert_true(b.capacity <= 5);
    buf_deinit(&b);
}

static void test_what_cannot_be_had_leaves_the_content(void **state)
{
    buf b;

    (void)state;
#ifdef ALLOCATION_CANNOT_FAIL
    skip();
#endif
    buf_init(&b, SIZE_MAX);
    assert_int_equal(buf_append_str(&b, "abc"), 0);
    assert_int_equal(buf_reserve(&b, SIZE_MAX / 2), E_NO_MEMORY);
    assert_true(slice_equal_str(buf_slice(&b), "abc"));
    buf_deinit(&b);
}

static void test_a_zeroed_buf_takes_nothing(void **state)
{
    buf b = {0};

    (void)state;
    assert_int_equal(buf_append(&b, NULL, 0), 0);
    assert_int_equal(buf_append_byte(&b, 1), E_TOO_LARGE);
    buf_deinit(&b);
}

static void test_clear_keeps_the_memory(void **state)
{
    buf b;
    uint8_t *before;

    (void)state;
    buf_init(&b, 1000);
    assert_int_equal(buf_append_str(&b, "abc"), 0);
    before = b.data;
    buf_clear(&b);
    assert_int_equal(b.len, 0);
    assert_int_equal(buf_append_str(&b, "x"), 0);
    assert_ptr_equal(b.data, before);
    buf_deinit(&b);
    assert_int_equal(b.max, 1000);
    assert_int_equal(buf_append_str(&b, "again"), 0);
    buf_deinit(&b);
}

static void test_printf_formats(void **state)
{
    buf b;

    (void)state;
    buf_init(&b, 4096);
    assert_int_equal(buf_printf(&b, "%s=%d;", "a", 1), 0);
    assert_int_equal(buf_printf(&b, "%1000d", 2), 0);
    assert_int_equal(b.len, 1004);
    assert_int_equal(b.data[1003], '2');
    buf_deinit(&b);
}

static void test_take_str_hands_over_a_string(void **state)
{
    buf b;
    char *text;

    (void)state;
    buf_init(&b, 3);
    assert_int_equal(buf_append_str(&b, "abc"), 0);
    text = buf_take_str(&b);
    assert_string_equal(text, "abc");
    free(text);
    assert_null(b.data);
    text = buf_take_str(&b);
    assert_string_equal(text, "");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append_grows_and_keeps_the_content),
        cmocka_unit_test(test_nothing_is_appended_over_the_maximum),
        cmocka_unit_test(test_what_cannot_be_had_leaves_the_content),
        cmocka_unit_test(test_a_zeroed_buf_takes_nothing),
        cmocka_unit_test(test_clear_keeps_the_memory),
        cmocka_unit_test(test_printf_formats),
        cmocka_unit_test(test_take_str_hands_over_a_string),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
