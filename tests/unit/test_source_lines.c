#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "build/source_lines.h"

/* Lines 2 and 3 of the file come from lines 1 and 2 of the first source, line 4 from nowhere, 5 from line 10
 * of the second, 6 from line 3 of it and 7 from line 4; the second segment of a line does not count. */
static const char map[] =
    "{\"version\":3,\"names\":[\"a\"],\"sources\":[\"../../lib/a.ts\",\"b \\u00fc.js\"],"
    "\"sourcesContent\":null,\"mappings\":\";AAAA,EAEEA;AACA;;ACMA;AAPA;AACA\"}";

static void comes_from(const source_lines *l, unsigned line, const char *source,
                       unsigned source_line)
{
    slice name;
    unsigned found;

    if (!source_lines_find(l, line, &name, &found))
        fail_msg("line %u comes from nowhere", line);
    if (!slice_equal_str(name, source) || found != source_line)
        fail_msg("line %u comes from %.*s:%u", line, (int)name.len, (const char *)name.data, found);
}

static void test_map(void **state)
{
    source_lines l;
    slice name;
    unsigned line;

    (void)state;
    assert_int_equal(source_lines_read(&l, slice_str(map), "../../", NULL), 0);
    assert_false(source_lines_find(&l, 1, &name, &line));
    comes_from(&l, 2, "lib/a.ts", 1);
    comes_from(&l, 3, "lib/a.ts", 4);
    comes_from(&l, 4, "lib/a.ts", 4);
    comes_from(&l, 5, "b \xc3\xbc.js", 10);
    comes_from(&l, 6, "b \xc3\xbc.js", 3);
    comes_from(&l, 7, "b \xc3\xbc.js", 4);
    assert_false(source_lines_find(&l, 100, &name, &line));
    source_lines_deinit(&l);
}

static void test_no_map(void **state)
{
    static const char *const bad[] = {"", "[]", "{\"sources\":5}", "{\"mappings\":[]}",
                                      "{\"sources\":[\"a\"]"};
    source_lines l = {0};
    slice name;
    unsigned line;

    (void)state;
    assert_false(source_lines_find(&l, 1, &name, &line));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(source_lines_read(&l, slice_str(bad[i]), "", NULL), E_INVALID);
        source_lines_deinit(&l);
    }
}

/* Mappings that nobody's tool writes. */
static void test_odd_mappings(void **state)
{
    static const char *const odd[] = {
        "AAAAAAAAAA", ";;;;", ",,,", "!", "A", "AA", "AAD", "gggggggggggggggggggg", "AAAA;!!;AAAA"};
    char text[256];

    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        source_lines l;
        slice name;
        unsigned line;
        snprintf(text, sizeof text, "{\"sources\":[\"a\"],\"mappings\":\"%s\"}", odd[i]);
        assert_int_equal(source_lines_read(&l, slice_str(text), "", NULL), 0);
        for (unsigned n = 0; n < 5; n++)
            (void)source_lines_find(&l, n, &name, &line);
        source_lines_deinit(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_no_map),
        cmocka_unit_test(test_odd_mappings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
