#include "guest_c_host.h"

static void test_text(void **state)
{
    char room[12];
    ubiq_text t = ubiq_text_in(room, sizeof room);

    (void)state;
    ubiq_put(&t, "a");
    ubiq_put_number(&t, -17);
    ubiq_put_number(&t, 0);
    assert_string_equal(room, "a-170");
    ubiq_put(&t, "123456");
    assert_true(ubiq_text_fits(&t));
    assert_string_equal(room, "a-170123456");
    ubiq_put_char(&t, '7');
    assert_false(ubiq_text_fits(&t));
    assert_string_equal(room, "a-170123456");
    assert_int_equal(t.length, 12);
    t = ubiq_text_in(NULL, 0);
    ubiq_put(&t, "counted");
    assert_int_equal(t.length, 7);
    assert_true(ubiq_text_equal("", "") && ubiq_text_equal("ab", "ab"));
    assert_false(ubiq_text_equal("ab", "a") || ubiq_text_equal("a", "ab"));
}

static void test_numbers_in_text(void **state)
{
    char room[32];
    ubiq_text t = ubiq_text_in(room, sizeof room);

    (void)state;
    ubiq_put_number(&t, INT64_MIN);
    assert_string_equal(room, "-9223372036854775808");
    t = ubiq_text_in(room, sizeof room);
    ubiq_put_number(&t, INT64_MAX);
    assert_string_equal(room, "9223372036854775807");
}

static void test_text_in_a_block(void **state)
{
    ubiq_block block = ubiq_block_new(10);
    ubiq_text t = ubiq_text_in_block(block);

    (void)state;
    ubiq_put_json(&t, "\"\\\n\x1f");
    assert_int_equal(t.length, 18);
    assert_false(ubiq_text_fits(&t));
    assert_string_equal(text_of(block), "\"\\\"\\\\\\u000");
    t = ubiq_text_in_block(block);
    ubiq_put(&t, "12345678");
    ubiq_output_of(&t);
    assert_int_equal(output_at, block);
    assert_int_equal(output_size, 8);
}

/* The text of the member "x" of an object. */
static ptrdiff_t member(const char *json, char *to, size_t size)
{
    set_input(json);
    return ubiq_json_member_text(ubiq_input(), "x", to, size);
}

static void assert_member(const char *json, const char *text)
{
    char room[64];
    ptrdiff_t length = member(json, room, sizeof room);

    if (strcmp(json, "{\"x\":null}") == 0)
        assert_string_equal(room, "");
    if (text) {
        assert_string_equal(room, text);
        assert_int_equal(length, strlen(text));
    } else {
        assert_true(length < 0);
    }
}

static void test_json_members(void **state)
{
    (void)state;
    assert_member("{\"x\":\"y\"}", "y");
    assert_member(" { \"a\" : [1, {\"x\": 2}, \"}\"] , \"x\" : \"y z\" } ", "y z");
    assert_member("{\"a\":{\"x\":1},\"x\":2}", "2");
    assert_member("{\"xx\":1,\"\":2,\"x\":-3.5e1}", "-3.5e1");
    assert_member("{\"\\u0078\":\"escaped name\"}", "escaped name");
    assert_member("{\"a\":\"\\\\\",\"x\":\"behind a backslash\"}", "behind a backslash");
    assert_member("{\"a\":\"\\\"x\\\":1\",\"x\":true}", "true");
    assert_member("{\"x\":[1, 2]}", "[1, 2]");
    assert_member("{\"x\":{\"a\":\"]\"}}", "{\"a\":\"]\"}");
    assert_member("{\"x\":\"first\",\"x\":\"second\"}", "first");
    assert_member("{\"x\":\"\"}", "");
    assert_member("{\"x\":null}", NULL);
    assert_member("{\"y\":1}", NULL);
    assert_member("{}", NULL);
    assert_member("[\"x\",1]", NULL);
    assert_member("\"x\"", NULL);
    assert_member("", NULL);
}

static void test_json_escapes(void **state)
{
    (void)state;
    assert_member("{\"x\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\\/\b\f\n\r\t");
    assert_member("{\"x\":\"\\u0041\\u00e9\\u20AC\"}", "A\u00e9\u20ac");
    assert_member("{\"x\":\"\\ud83d\\ude00!\"}", "\xf0\x9f\x98\x80!");
    assert_member("{\"x\":\"\\ud83d!\"}", "\xef\xbf\xbd!");
    assert_member("{\"x\":\"\\ud83d\\u0041\"}", "\xef\xbf\xbd"
                                                "A");
    assert_member("{\"x\":\"\\ude00\"}", "\xef\xbf\xbd");
    assert_member("{\"x\":\"\xc3\xa9\"}", "\xc3\xa9");
    assert_member("{\"x\":\"\\u00g0\"}", NULL);
}

static void test_broken_json(void **state)
{
    static const char *const broken[] = {
        "{",        "{\"x",          "{\"x\"",    "{\"x\":", "{\"x\":\"", "{\"x\":\"\\",
        "{\"x\":[", "{\"x\":{\"a\"", "{\"x\" 1}", "{x:1}",   "{:1}",      "{\"a\":1 \"x\":2}",
        "{\"a\":}", "{,\"x\":1}",    "{\"a\":]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        assert_member(broken[i], NULL);
}

static void test_cut_off_text(void **state)
{
    char room[4];

    (void)state;
    assert_int_equal(member("{\"x\":\"abcdef\"}", room, sizeof room), 6);
    assert_string_equal(room, "abc");
    assert_int_equal(member("{\"x\":12345}", room, sizeof room), 5);
    assert_string_equal(room, "123");
    assert_int_equal(member("{\"x\":\"abc\"}", NULL, 0), 3);
    assert_int_equal(member("{}", room, sizeof room), UBIQ_NOT_FOUND);
    assert_string_equal(room, "");
}

static void test_json_walk(void **state)
{
    ubiq_json_walk w;
    ubiq_view name, value;
    int64_t sum = 0, number = 0;
    int n = 0;

    (void)state;
    set_input("[1, 20,300 , -4000]");
    w = ubiq_json_walk_of(ubiq_input());
    while (ubiq_json_next(&w, &name, &value)) {
        assert_int_equal(name.size, 0);
        assert_true(ubiq_json_int(value, &number));
        sum += number;
        n++;
    }
    assert_int_equal(n, 4);
    assert_int_equal(sum, -3679);
    assert_false(ubiq_json_next(&w, &name, &value));
    set_input("{\"a\":1,\"b\":[]}");
    w = ubiq_json_walk_of(ubiq_input());
    assert_true(ubiq_json_next(&w, &name, &value) && ubiq_json_equal(name, "a"));
    assert_true(ubiq_json_next(&w, &name, &value) && ubiq_json_equal(name, "b"));
    assert_int_equal(value.size, 2);
    assert_false(ubiq_json_next(&w, &name, &value));
}

static int number_of(const char *json, int64_t *number)
{
    set_input(json);
    return ubiq_json_int(ubiq_input(), number);
}

static void test_json_numbers(void **state)
{
    int64_t n = 0;

    (void)state;
    assert_true(number_of("9223372036854775807", &n) && n == INT64_MAX);
    assert_true(number_of("-9223372036854775808", &n) && n == INT64_MIN);
    assert_true(number_of("-0", &n) && n == 0);
    n = 5;
    assert_false(number_of("9223372036854775808", &n));
    assert_false(number_of("-9223372036854775809", &n));
    assert_false(number_of("99999999999999999999", &n));
    assert_false(number_of("1.5", &n));
    assert_false(number_of("\"1\"", &n));
    assert_false(number_of("-", &n));
    assert_false(number_of("", &n));
    assert_int_equal(n, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_text, set_up),
        cmocka_unit_test_setup(test_numbers_in_text, set_up),
        cmocka_unit_test_setup(test_text_in_a_block, set_up),
        cmocka_unit_test_setup(test_json_members, set_up),
        cmocka_unit_test_setup(test_json_escapes, set_up),
        cmocka_unit_test_setup(test_broken_json, set_up),
        cmocka_unit_test_setup(test_cut_off_text, set_up),
        cmocka_unit_test_setup(test_json_walk, set_up),
        cmocka_unit_test_setup(test_json_numbers, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
