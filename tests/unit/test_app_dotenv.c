#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/dotenv.h"
#include "app/limits.h"
#include "project.h"

static project p;

static int set_up(void **state)
{
    (void)state;
    project_make(&p);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    project_remove(&p, "");
    return 0;
}

static int read_file(strmap *out, problems *found)
{
    char path[64];

    snprintf(path, sizeof path, "%s/.env", p.path);
    return dotenv_read(out, path, found, NULL);
}

static void test_lines(void **state)
{
    static const struct {
        const char *line, *name, *value;
    } cases[] = {
        {"A=b", "A", "b"},
        {"A=", "A", ""},
        {"A = b c ", "A", "b c"},
        {"\t A\t=\tb\r", "A", "b"},
        {"export A=b", "A", "b"},
        {"export\tA=b", "A", "b"},
        {"export=b", "export", "b"},
        {"exported=b", "exported", "b"},
        {"_a1=b", "_a1", "b"},
        {"A=b # c", "A", "b"},
        {"A=b#c", "A", "b#c"},
        {"A=#c", "A", "#c"},
        {"A= # c", "A", ""},
        {"A=b=c", "A", "b=c"},
        {"A=b'c", "A", "b'c"},
        {"A='b \"c\" \\n # $d'", "A", "b \"c\" \\n # $d"},
        {"A=\"b 'c' \\n\\t\\r\\\"\\\\\\$ # d\"", "A", "b 'c' \n\t\r\"\\$ # d"},
        {"A=\"\" # c", "A", ""},
        {"A=''#c", "A", ""},
        {"A='b\nc'", "A", "b\nc"},
        {"A=1\nA=2", "A", "2"},
        {"# x\n\n  # y\nA=\xc3\xa9\n", "A", "\xc3\xa9"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        problems found = {0};
        strmap map = {0};
        slice value;

        project_write_text(&p, ".env", cases[i].line);
        assert_int_equal(read_file(&map, &found), 0);
        project_assert_problems(&p, &found, "");
        if (map.count != 1 || !strmap_get(&map, slice_str(cases[i].name), &value) ||
            !slice_equal_str(value, cases[i].value))
            fail_msg("%s: %zu values", cases[i].line, map.count);
        strmap_deinit(&map);
    }
}

static void test_mistakes(void **state)
{
    problems found = {0};
    strmap map = {0};

    (void)state;
    project_write_text(&p, ".env",
                       "A\n"
                       "=b\n"
                       "1A=b\n"
                       "A-B=c\n"
                       "export\n"
                       "B='c' d\n"
                       "C=d\n"
                       "two words=x\n"
                       "D='\n"
                       "e");
    assert_int_equal(read_file(&map, &found), 0);
    project_assert_problems(&p, &found,
                            ".env:1: not NAME=value\n"
                            ".env:2: not NAME=value\n"
                            ".env:3: not NAME=value\n"
                            ".env:4: not NAME=value\n"
                            ".env:5: not NAME=value\n"
                            ".env:6: something stands behind the closing quotes\n"
                            ".env:8: not NAME=value\n"
                            ".env:9: the quotes are not closed\n");
    assert_int_equal(map.count, 1);
    strmap_deinit(&map);
}

static void test_files_that_are_none(void **state)
{
    char *text = malloc(LIMIT_CONFIG_BYTES + 1);
    problems found = {0};
    strmap map = {0};

    (void)state;
    assert_int_equal(read_file(&map, &found), 0);
    assert_int_equal(map.count, 0);
    project_write(&p, ".env", slice_of("A=\0", 3));
    assert_int_equal(read_file(&map, &found), 0);
    project_assert_problems(&p, &found, ".env:1: a value must not contain a NUL");
    project_write_text(&p, ".env", "A=\xff");
    assert_int_equal(read_file(&map, &found), 0);
    project_assert_problems(&p, &found, ".env:0: not UTF-8 from byte 2 on");
    memset(text, '#', LIMIT_CONFIG_BYTES + 1);
    project_write(&p, ".env", slice_of(text, LIMIT_CONFIG_BYTES + 1));
    assert_int_equal(read_file(&map, &found), E_TOO_LARGE);
    assert_int_equal(map.count, 0);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mistakes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_files_that_are_none, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
