#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/strmap.h"

static void set(strmap *m, const char *key, const char *value)
{
    assert_int_equal(strmap_set(m, slice_str(key), slice_str(value)), 0);
}

static void test_a_set_key_is_found(void **state)
{
    strmap m = {0};
    slice value;

    (void)state;
    set(&m, "b", "2");
    set(&m, "a", "1");
    set(&m, "", "empty");
    assert_true(strmap_get(&m, slice_str("b"), &value));
    assert_true(slice_equal_str(value, "2"));
    assert_true(strmap_get(&m, slice_str(NULL), &value));
    assert_true(slice_equal_str(value, "empty"));
    assert_true(strmap_get(&m, slice_str("a"), NULL));
    assert_false(strmap_get(&m, slice_str("c"), &value));
    strmap_deinit(&m);
    assert_false(strmap_get(&m, slice_str("a"), NULL));
}

static void test_setting_again_replaces(void **state)
{
    strmap m = {0};
    slice value;

    (void)state;
    set(&m, "key", "old");
    set(&m, "key", "");
    assert_int_equal(m.count, 1);
    assert_true(strmap_get(&m, slice_str("key"), &value));
    assert_int_equal(value.len, 0);
    strmap_deinit(&m);
}

static void test_keys_and_values_are_bytes(void **state)
{
    strmap m = {0};
    slice value;

    (void)state;
    assert_int_equal(strmap_set(&m, slice_of("a\0b", 3), slice_of("\0\xff", 2)), 0);
    set(&m, "a", "short");
    assert_true(strmap_get(&m, slice_of("a\0b", 3), &value));
    assert_int_equal(value.len, 2);
    assert_memory_equal(value.data, "\0\xff", 3); /* with the NUL behind it */
    assert_true(strmap_get(&m, slice_str("a"), &value));
    assert_true(slice_equal_str(value, "short"));
    strmap_deinit(&m);
}

static void test_entries_stand_in_byte_order(void **state)
{
    static const char *const expected[] = {"", "A", "a", "aa", "ab", "b", "\x80", "\xff"};
    strmap m = {0};

    (void)state;
    set(&m, "\xff", "");
    set(&m, "ab", "");
    set(&m, "b", "");
    set(&m, "a", "");
    set(&m, "\x80", "");
    set(&m, "aa", "");
    set(&m, "A", "");
    set(&m, "", "");
    assert_int_equal(m.count, 8);
    for (size_t i = 0; i < m.count; i++)
        assert_string_equal((const char *)m.entry[i].key, expected[i]);
    strmap_deinit(&m);
}

static void test_many_come_and_go(void **state)
{
    strmap m = {0};
    char key[16];
    slice value;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "%d", i * 7919 % 1000);
        set(&m, key, key);
    }
    assert_int_equal(m.count, 1000);
    for (int i = 0; i < 1000; i += 2) {
        snprintf(key, sizeof key, "%d", i);
        assert_true(strmap_remove(&m, slice_str(key)));
        assert_false(strmap_remove(&m, slice_str(key)));
    }
    assert_int_equal(m.count, 500);
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "%d", i);
        assert_int_equal(strmap_get(&m, slice_str(key), &value), i % 2);
        if (i % 2)
            assert_true(slice_equal_str(value, key));
    }
    strmap_deinit(&m);
}

static void test_a_copy_is_its_own(void **state)
{
    strmap m = {0};
    strmap copy = {0};
    slice value;

    (void)state;
    set(&m, "a", "1");
    set(&m, "b", "2");
    assert_int_equal(strmap_copy(&copy, &m), 0);
    set(&m, "a", "changed");
    strmap_deinit(&m);
    assert_int_equal(copy.count, 2);
    assert_true(strmap_get(&copy, slice_str("a"), &value));
    assert_true(slice_equal_str(value, "1"));
    strmap_deinit(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_set_key_is_found),
        cmocka_unit_test(test_setting_again_replaces),
        cmocka_unit_test(test_keys_and_values_are_bytes),
        cmocka_unit_test(test_entries_stand_in_byte_order),
        cmocka_unit_test(test_many_come_and_go),
        cmocka_unit_test(test_a_copy_is_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
