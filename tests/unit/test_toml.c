#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/toml.h"

static void test_toml_becomes_json(void **state)
{
    static const struct {
        const char *toml;
        const char *json;
    } cases[] = {
        {"", "{}"},
        {"# nothing\r\n", "{}"},
        {"\xef\xbb\xbf"
         "a = 1",
         "{\"a\":1}"},
        {"b = true\na = 'x'", "{\"a\":\"x\",\"b\":true}"},
        {"a = [1, 'two', [], {}]", "{\"a\":[1,\"two\",[],{}]}"},
        {"a.b.c = 1\na.b.d = 2", "{\"a\":{\"b\":{\"c\":1,\"d\":2}}}"},
        {"[[a]]\nx = 1\n[[a]]\n[a.b]\ny = 2", "{\"a\":[{\"x\":1},{\"b\":{\"y\":2}}]}"},
        {"a = 0x1_0\nb = 0o17\nc = 0b11\nd = -1_000", "{\"a\":16,\"b\":15,\"c\":3,\"d\":-1000}"},
        {"a = 9223372036854775807\nb = -9223372036854775808",
         "{\"a\":9223372036854775807,\"b\":-9223372036854775808}"},
        {"a = 5.0\nb = 0.1\nc = 1e30", "{\"a\":5.0,\"b\":0.1,\"c\":1e+30}"},
        {"\"\\u0000\" = \"\\u0000\\t\\\"\"", "{\"\\u0000\":\"\\u0000\\u0009\\\"\"}"},
        {"'\xc3\xa9' = \"\"\"\nx \\\n  y\"\"\"\"", "{\"\xc3\xa9\":\"x y\\\"\"}"},
        /* TOML 1.1, which upstream's reader takes too. */
        {"a = {\n b = \"\\e\\x41\", # here\n}", "{\"a\":{\"b\":\"\\u001bA\"}}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error err = {0};
        buf json;

        buf_init(&json, 1000);
        if (toml_to_json(slice_str(cases[i].toml), &json, NULL, &err) != 0)
            fail_msg("%s: %s", cases[i].toml, error_text(&err));
        assert_int_equal(buf_append_byte(&json, 0), 0);
        assert_string_equal((char *)json.data, cases[i].json);
        buf_deinit(&json);
    }
}

/* The error's text begins with `where`, and nothing was appended. */
static void assert_refused(slice toml, const char *where)
{
    error err = {0};
    buf json;

    buf_init(&json, 1000);
    assert_int_equal(buf_append_str(&json, "kept"), 0);
    assert_int_equal(toml_to_json(toml, &json, NULL, &err), E_INVALID);
    if (strncmp(error_text(&err), where, strlen(where)) != 0)
        fail_msg("%s", error_text(&err));
    assert_true(slice_equal_str(buf_slice(&json), "kept"));
    buf_deinit(&json);
    error_deinit(&err);
}

static void test_what_is_not_toml_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *toml;
        const char *where;
    } cases[] = {
        {"a = 1\nb = ", "line 2, column "},
        {"a = 1\na = 2", "line 2, column "},
        {"[a]\n[a]", "line 2, column "},
        {"a", "line 1, column "},
        {"{\"a\": 1}", "line 1, column 1: "},
        {"a = \"\\ud800\"", "line 1, column "},
        {"a = \"\x01\"", "line 1, column "},
        {"# \x01", "line 1, column "},
        {"a = 01", "line 1, column "},
        {"a = 1 b = 2", "line 1, column "},
        {"a = 9223372036854775808", "line 1, column "},
        {"a = 1e400", "line 1, column "},
        {"[a]\n\xc3\xa9 = 1", "line 2, column 1: letters beyond ASCII must stand in quotes"},
        /* These make assertions of toml++ fail. */
        {"[[{", "not TOML"},
        {"[!", "not TOML"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(slice_str(cases[i].toml), cases[i].where);
    assert_refused(slice_str("a = '\xff'"), "not UTF-8 from byte 5 on");
    assert_refused(slice_of("a = 1\0", 6), "line 1, column ");
}

static void test_what_json_cannot_say_is_refused(void **state)
{
    (void)state;
    assert_refused(slice_str("\na = 1979-05-27"), "line 2, column 5: a date or time");
    assert_refused(slice_str("a = 07:32:00"), "line 1, column 5: a date or time");
    assert_refused(slice_str("a = [1979-05-27T07:32:00Z]"), "line 1, column 6: a date or time");
    assert_refused(slice_str("a = nan"), "line 1, column 5: nan and inf");
    assert_refused(slice_str("a = -inf"), "line 1, column 5: nan and inf");
}

/* `count` times `part`, with something before and behind. */
static char *repeat(const char *before, const char *part, size_t count, const char *behind)
{
    size_t len = strlen(before) + strlen(part) * count + strlen(behind) + 1;
    char *text = malloc(len);
    char *end = stpcpy(text, before);

    for (size_t i = 0; i < count; i++)
        end = stpcpy(end, part);
    strcpy(end, behind);
    return text;
}

static void test_depth_is_limited(void **state)
{
    static const struct {
        const char *before;
        const char *part;
        const char *behind;
    } cases[] = {
        {"", "a.", "a = 1"},      {"[", "a.", "a]"},
        {"[[", "a . ", "a]]"},    {"x = {", "'a'.", "a = 1}"},
        {"", "\"a\".", "a = 1"},  {"x = {y = \"\"\"\"\"\"\"\"\", ", "a.", "a = 1}"},
        {"x = ", "[", ""},        {"x = ", "{a=", ""},
        {"x = ", "[{a.a.a=", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = repeat(cases[i].before, cases[i].part, 200000, cases[i].behind);

        assert_refused(slice_str(text), "line 1, column ");
        free(text);
    }
}

static void test_what_is_allowed_is_not_deep(void **state)
{
    static const char *const texts[] = {
        "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p = 1",
        "x = [[[[[[[[[[[[[[]]]]]]]]]]]]]]",
        "x = 'a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u'",
        "x = \"a.b.c.d.e.f.g.h.i.j.k\\\".l.m.n.o.p.q.r.s.t.u\"",
        "x = \"\"\"a.b.c.d.e.f.\ng.h.i.j.k.l.m.n.o.p.q\"\"\"\"\"\ny = '''................\n..'''",
        "# .................... \"\nx = 1.5",
        "x = [1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.5]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        error err = {0};
        buf json;

        buf_init(&json, 1000);
        if (toml_to_json(slice_str(texts[i]), &json, NULL, &err) != 0)
            fail_msg("%s: %s", texts[i], error_text(&err));
        buf_deinit(&json);
    }
}

static void test_the_maximum_is_kept(void **state)
{
    error err = {0};
    buf json;

    (void)state;
    buf_init(&json, 6);
    assert_int_equal(toml_to_json(slice_str("a = 1234"), &json, NULL, &err), E_TOO_LARGE);
    assert_string_equal(error_text(&err), "too large");
    assert_int_equal(json.len, 0);
    assert_int_equal(toml_to_json(slice_str("a = 123456"), &json, NULL, NULL), E_TOO_LARGE);
    buf_deinit(&json);
    error_deinit(&err);
}

/* Every part's line, whatever the order in which JSON has them. */
static void test_lines(void **state)
{
    static const char toml[] = "# a comment\n"
                               "z = 'last'\n"
                               "list = [\n"
                               "  1,\n"
                               "  [2]]\n"
                               "[a.b]\n"
                               "c.d = '''\n"
                               "of two lines'''\n"
                               "e = {f = 1,\n"
                               "     g = 2}\n"
                               "[a]\n"
                               "h = 3\n";
    static const struct {
        const char *at;
        unsigned line;
    } cases[] = {
        {"{\"a\"", 1}, {"\"a\"", 6},   {"\"b\"", 6}, {"\"d\"", 7}, {"\"of two", 7}, {"\"f\"", 9},
        {"1,\"g\"", 9}, {"\"g\"", 10}, {"\"h\"", 12}, {"3", 12},    {"\"list\"", 3}, {"1,[", 4},
        {"[2", 5},     {"2]", 5},      {"\"z\"", 2},  {"\"last", 2},
    };
    buf json, marks;

    (void)state;
    buf_init(&json, 1000);
    buf_init(&marks, 1000);
    assert_int_equal(toml_line(&marks, 0), 0);
    assert_int_equal(toml_to_json(slice_str(toml), &json, &marks, NULL), 0);
    assert_int_equal(buf_append_byte(&json, 0), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *found = strstr((char *)json.data, cases[i].at);
        unsigned line;

        assert_non_null(found);
        line = toml_line(&marks, (size_t)(found - (char *)json.data));
        if (line != cases[i].line)
            fail_msg("%s is on line %u, not %u", cases[i].at, cases[i].line, line);
    }
    buf_clear(&marks);
    assert_int_equal(toml_to_json(slice_str("a = 1\nb = nan"), &json, &marks, NULL), E_INVALID);
    assert_int_equal(marks.len, 0);
    buf_deinit(&json);
    buf_deinit(&marks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_toml_becomes_json),
        cmocka_unit_test(test_what_is_not_toml_is_refused_with_its_place),
        cmocka_unit_test(test_what_json_cannot_say_is_refused),
        cmocka_unit_test(test_depth_is_limited),
        cmocka_unit_test(test_what_is_allowed_is_not_deep),
        cmocka_unit_test(test_the_maximum_is_kept),
        cmocka_unit_test(test_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
