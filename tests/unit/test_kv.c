#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kv_case.h"
#include "services/limits.h"

static void test_what_is_set_is_there(void **state)
{
    place p;

    (void)state;
    open_place(&p, &usual);
    assert_fails(&p, op_get("a"), SERVICE_NOT_FOUND, "kv: there is no key \"a\"");
    assert_int_equal(number_of(&p, op_set("a", "1")), 0);
    assert_bytes(&p, op_get("a"), "1");
    assert_int_equal(number_of(&p, op_set("a", "longer")), 0);
    assert_bytes(&p, op_get("a"), "longer");
    assert_int_equal(number_of(&p, op_set("a", "")), 0);
    assert_bytes(&p, op_get("a"), "");
    assert_counts(&p);
    close_place(&p);
    open_place(&p, &usual);
    assert_bytes(&p, op_get("a"), "");
    close_place(&p);
}

static void test_values_are_any_bytes(void **state)
{
    static uint8_t bytes[LIMIT_KV_VALUE_BYTES];
    kv_operation o = {.verb = KV_SET, .key = slice_of("a\0b", 3)};
    place p;

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 >> 3);
    o.value = slice_of(bytes, sizeof bytes);
    open_place(&p, &usual);
    assert_int_equal(number_of(&p, o), 0);
    o.verb = KV_GET;
    assert_int_equal(home_kv(&p.home, p.kv, &o), SERVICE_OK);
    assert_true(slice_equal(buf_slice(&o.op.result), o.value));
    operation_deinit(&o.op);
    assert_fails(&p, op_get("a"), SERVICE_NOT_FOUND, "kv: there is no key \"a\"");
    close_place(&p);
}

static void test_a_result_keeps_its_maximum(void **state)
{
    kv_operation o = op_get("a");
    place p;

    (void)state;
    open_place(&p, &usual);
    assert_int_equal(number_of(&p, op_set("a", "12345")), 0);
    o.op.home = &p.home.box;
    buf_init(&o.op.result, 4);
    assert_true(kv_submit(p.kv, &o));
    assert_int_equal(o.op.code, SERVICE_TOO_LARGE);
    assert_string_equal(error_text(&o.op.err), "kv: a value of 5 bytes; at most 4 can be taken");
    operation_deinit(&o.op);
    close_place(&p);
}

static void test_set_if_absent(void **state)
{
    place p;

    (void)state;
    open_place(&p, &usual);
    assert_int_equal(number_of(&p, op_set_if_absent("a", "1")), 1);
    assert_int_equal(number_of(&p, op_set_if_absent("a", "2")), 0);
    assert_bytes(&p, op_get("a"), "1");
    assert_counts(&p);
    close_place(&p);
}

static void test_compare_and_set(void **state)
{
    place p;

    (void)state;
    open_place(&p, &usual);
    assert_int_equal(number_of(&p, op_compare_and_set("a", "", "1")), 0);
    assert_fails(&p, op_get("a"), SERVICE_NOT_FOUND, "kv: there is no key \"a\"");
    number_of(&p, op_set("a", ""));
    assert_int_equal(number_of(&p, op_compare_and_set("a", "", "one")), 1);
    assert_int_equal(number_of(&p, op_compare_and_set("a", "on", "two")), 0);
    assert_int_equal(number_of(&p, op_compare_and_set("a", "onf", "two")), 0);
    assert_bytes(&p, op_get("a"), "one");
    assert_int_equal(number_of(&p, op_compare_and_set("a", "one", "two")), 1);
    assert_bytes(&p, op_get("a"), "two");
    assert_counts(&p);
    close_place(&p);
}

static void test_increment(void **state)
{
    place p;

    (void)state;
    open_place(&p, &usual);
    assert_bytes(&p, op_increment("a", 5), "5");
    assert_bytes(&p, op_increment("a", -7), "-2");
    assert_bytes(&p, op_get("a"), "-2");
    assert_bytes(&p, op_increment("a", INT64_MAX), "9223372036854775805");
    assert_bytes(&p, op_increment("a", 2), "9223372036854775807");
    assert_fails(&p, op_increment("a", 1), SERVICE_CONFLICT,
                 "kv: the sum does not fit into 64 bits");
    assert_bytes(&p, op_get("a"), "9223372036854775807");
    assert_bytes(&p, op_increment("b", INT64_MIN), "-9223372036854775808");
    assert_fails(&p, op_increment("b", -1), SERVICE_CONFLICT,
                 "kv: the sum does not fit into 64 bits");
    assert_bytes(&p, op_increment("b", 1), "-9223372036854775807");
    assert_counts(&p);
    close_place(&p);
}

static void test_only_numbers_are_incremented(void **state)
{
    static const char *const values[] = {"",
                                         "-",
                                         "x",
                                         "1x",
                                         " 1",
                                         "+1",
                                         "1.5",
                                         "0x1",
                                         "--1",
                                         "9223372036854775808",
                                         "-9223372036854775809",
                                         "99999999999999999999999999"};
    place p;

    (void)state;
    open_place(&p, &usual);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        number_of(&p, op_set("a", values[i]));
        assert_fails(&p, op_increment("a", 1), SERVICE_CONFLICT,
                     "kv: the value is no decimal number of 64 bits");
        assert_bytes(&p, op_get("a"), values[i]);
    }
    close_place(&p);
}

static void test_delete(void **state)
{
    place p;

    (void)state;
    open_place(&p, &usual);
    assert_int_equal(number_of(&p, op_delete("a")), 0);
    number_of(&p, op_set("a", "1"));
    assert_int_equal(number_of(&p, op_delete("a")), 1);
    assert_int_equal(number_of(&p, op_delete("a")), 0);
    assert_fails(&p, op_get("a"), SERVICE_NOT_FOUND, "kv: there is no key \"a\"");
    assert_counts(&p);
    close_place(&p);
}

static void test_a_key_whose_time_is_over_is_not_there(void **state)
{
    static const char *const keys[] = {"get", "set", "absent", "same", "number", "gone", "list"};
    place p;

    (void)state;
    open_place(&p, &usual);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        number_of(&p, op_set_for(keys[i], "7", 800));
    number_of(&p, op_set_for("later", "7", 100000));
    number_of(&p, op_set_for("never", "7", INT64_MAX));
    assert_bytes(&p, op_get("get"), "7");
    assert_int_equal(number_of(&p, op_set_if_absent("absent", "8")), 0);
    sleep_ms(820);
    /* The first write, before those of its kind that are over are removed. */
    number_of(&p, op_set("set", "longer"));
    assert_bytes(&p, op_get("set"), "longer");
    assert_int_equal(query_place(&p, "SELECT count(*) FROM kv WHERE key = CAST('gone' AS BLOB)"), 1);
    assert_fails(&p, op_get("get"), SERVICE_NOT_FOUND, "kv: there is no key \"get\"");
    assert_bytes(&p, op_list("", "", 10), "{\"keys\":[\"later\",\"never\",\"set\"],\"next\":null}");
    assert_int_equal(number_of(&p, op_set_if_absent("absent", "8")), 1);
    assert_int_equal(number_of(&p, op_compare_and_set("same", "7", "8")), 0);
    assert_bytes(&p, op_increment("number", 1), "1");
    assert_int_equal(number_of(&p, op_delete("gone")), 0);
    assert_bytes(&p, op_get("later"), "7");
    assert_counts(&p);
    close_place(&p);
}

static void test_increment_keeps_the_time_and_set_ends_it(void **state)
{
    place p;

    (void)state;
    open_place(&p, &usual);
    number_of(&p, op_set_for("a", "1", 800));
    number_of(&p, op_set_for("b", "1", 800));
    assert_bytes(&p, op_increment("a", 1), "2");
    number_of(&p, op_set("b", "2"));
    sleep_ms(820);
    assert_fails(&p, op_get("a"), SERVICE_NOT_FOUND, "kv: there is no key \"a\"");
    assert_bytes(&p, op_get("b"), "2");
    close_place(&p);
}

static void test_keys_whose_time_is_over_are_removed_in_time(void **state)
{
    enum { KEYS = LIMIT_KV_PURGE_ROWS + 10 };
    char key[16];
    place p;

    (void)state;
    open_place(&p, &usual);
    for (int i = 0; i < KEYS; i++) {
        snprintf(key, sizeof key, "%d", i);
        number_of(&p, op_set_for(key, "value", 1));
    }
    sleep_ms(LIMIT_KV_PURGE_MS / 2);
    sleep_ms(LIMIT_KV_PURGE_MS / 2 + 10);
    for (int i = 0; i < 2; i++)
        number_of(&p, op_set("new", ""));
    assert_int_equal(query_place(&p, "SELECT count(*) FROM kv"), 1);
    assert_counts(&p);
    close_place(&p);
}

static void test_bad_keys_are_refused(void **state)
{
    static char longest[LIMIT_KV_KEY_BYTES + 2], huge[10241];
    place p;

    (void)state;
    memset(longest, 'k', LIMIT_KV_KEY_BYTES);
    memset(huge, 'k', 10240);
    open_place(&p, &usual);
    for (int verb = KV_GET; verb < KV_LIST; verb++) {
        kv_operation o = {.verb = (enum kv_verb)verb};

        assert_fails(&p, o, SERVICE_INVALID, "kv: the key is empty");
        o.key = slice_str(huge);
        assert_fails(&p, o, SERVICE_TOO_LARGE, "kv: a key of 10240 bytes; the longest are of 256");
        o.key = slice_str("ab\xff");
        assert_fails(&p, o, SERVICE_INVALID, "kv: a key is UTF-8; this one is not from byte 2 on");
    }
    assert_int_equal(number_of(&p, op_set(longest, "1")), 0);
    longest[LIMIT_KV_KEY_BYTES] = 'k';
    assert_int_equal(number_of(&p, op_set(longest, "1")), SERVICE_TOO_LARGE);
    /* These are no paths. */
    assert_int_equal(number_of(&p, op_set("../../etc/passwd", "1")), 0);
    assert_int_equal(number_of(&p, op_set("%00%2e", "1")), 0);
    close_place(&p);
}

static void test_bad_values_and_times_are_refused(void **state)
{
    static uint8_t bytes[LIMIT_KV_VALUE_BYTES + 1];
    kv_operation o = op_set("a", "");
    place p;

    (void)state;
    open_place(&p, &usual);
    o.value = slice_of(bytes, sizeof bytes);
    assert_fails(&p, o, SERVICE_TOO_LARGE,
                 "kv: a value of 1048577 bytes; the largest are of 1048576");
    assert_fails(&p, op_set_for("a", "1", -1), SERVICE_INVALID, "kv: a ttl of -1 ms is negative");
    assert_fails(&p, op_list("", "", 0), SERVICE_INVALID, "kv: the limit of a list is at least 1");
    assert_fails(&p, op_get("a"), SERVICE_NOT_FOUND, "kv: there is no key \"a\"");
    close_place(&p);
}

static void test_the_quota_of_bytes_is_exact(void **state)
{
    kv_limits limits = usual;
    place p;

    (void)state;
    limits.total_bytes = 10;
    open_place(&p, &limits);
    assert_int_equal(number_of(&p, op_set("a", "12345678")), 0);
    assert_fails(&p, op_set("b", "1"), SERVICE_OVER_QUOTA,
                 "kv: the project may have 100000 keys and 10 bytes, and has 1 keys and 9 bytes");
    assert_int_equal(number_of(&p, op_set("b", "")), 0);
    assert_int_equal(number_of(&p, op_set("a", "123456789")), SERVICE_OVER_QUOTA);
    assert_int_equal(number_of(&p, op_set("a", "87654321")), 0);
    assert_int_equal(number_of(&p, op_set_if_absent("c", "")), SERVICE_OVER_QUOTA);
    assert_int_equal(number_of(&p, op_increment("c", 1)), SERVICE_OVER_QUOTA);
    assert_int_equal(number_of(&p, op_compare_and_set("b", "", "1")), SERVICE_OVER_QUOTA);
    assert_bytes(&p, op_list("", "", 10), "{\"keys\":[\"a\",\"b\"],\"next\":null}");
    assert_bytes(&p, op_get("a"), "87654321");
    assert_int_equal(number_of(&p, op_delete("b")), 1);
    assert_int_equal(number_of(&p, op_set("a", "123456789")), 0);
    assert_counts(&p);
    close_place(&p);
}

static void test_the_quota_of_keys_is_exact(void **state)
{
    kv_limits limits = usual;
    place p;

    (void)state;
    limits.keys = 2;
    open_place(&p, &limits);
    assert_int_equal(number_of(&p, op_set("a", "1")), 0);
    assert_int_equal(number_of(&p, op_set("b", "1")), 0);
    assert_int_equal(number_of(&p, op_set("c", "1")), SERVICE_OVER_QUOTA);
    assert_int_equal(number_of(&p, op_set("a", "longer")), 0);
    close_place(&p);
    /* What is there stays when the quota becomes smaller, and may become less. */
    limits.keys = 1;
    limits.total_bytes = 3;
    open_place(&p, &limits);
    assert_bytes(&p, op_get("a"), "longer");
    assert_int_equal(number_of(&p, op_set("a", "short")), 0);
    assert_int_equal(number_of(&p, op_set("a", "longer")), SERVICE_OVER_QUOTA);
    assert_counts(&p);
    close_place(&p);
}

static void test_what_is_over_does_not_count(void **state)
{
    kv_limits limits = usual;
    place p;

    (void)state;
    limits.keys = 2;
    open_place(&p, &limits);
    number_of(&p, op_set_for("a", "1", 800));
    number_of(&p, op_set_for("b", "1", 800));
    assert_int_equal(number_of(&p, op_set("c", "1")), SERVICE_OVER_QUOTA);
    sleep_ms(820);
    assert_int_equal(number_of(&p, op_set("c", "1")), 0);
    assert_int_equal(number_of(&p, op_set("d", "1")), 0);
    assert_int_equal(number_of(&p, op_set("e", "1")), SERVICE_OVER_QUOTA);
    assert_counts(&p);
    close_place(&p);
}

static void test_limits_that_cannot_be(void **state)
{
    kv_limits limits = usual;
    error err = {0};
    store *s;
    kv *k;

    (void)state;
    limits.key_bytes = LIMIT_LIST_KEY_BYTES + 1;
    assert_int_equal(store_open(&s, "ubiq.db", &err), 0);
    assert_int_equal(kv_create(&k, s, &limits, &err), E_INVALID);
    assert_string_equal(error_text(&err), "keys of 1025 bytes; at most 1024 are possible");
    store_close(s);
    error_deinit(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_what_is_set_is_there),
        IN_DIRECTORY(test_values_are_any_bytes),
        IN_DIRECTORY(test_a_result_keeps_its_maximum),
        IN_DIRECTORY(test_set_if_absent),
        IN_DIRECTORY(test_compare_and_set),
        IN_DIRECTORY(test_increment),
        IN_DIRECTORY(test_only_numbers_are_incremented),
        IN_DIRECTORY(test_delete),
        IN_DIRECTORY(test_a_key_whose_time_is_over_is_not_there),
        IN_DIRECTORY(test_increment_keeps_the_time_and_set_ends_it),
        IN_DIRECTORY(test_keys_whose_time_is_over_are_removed_in_time),
        IN_DIRECTORY(test_bad_keys_are_refused),
        IN_DIRECTORY(test_bad_values_and_times_are_refused),
        IN_DIRECTORY(test_the_quota_of_bytes_is_exact),
        IN_DIRECTORY(test_the_quota_of_keys_is_exact),
        IN_DIRECTORY(test_what_is_over_does_not_count),
        IN_DIRECTORY(test_limits_that_cannot_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
