#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "build/depfile.h"

static int collect(const char *path, void *arg, error *err)
{
    (void)err;
    return buf_printf(arg, "<%s>", path);
}

static void assert_reads(const char *text, const char *paths)
{
    char *found;
    buf all;

    buf_init(&all, 1 << 16);
    assert_int_equal(depfile_read(slice_str(text), collect, &all, NULL), 0);
    found = buf_take_str(&all);
    assert_string_equal(found, paths);
    free(found);
}

static void test_rules(void **state)
{
    (void)state;
    assert_reads("", "");
    assert_reads("a.o:", "");
    assert_reads("a.o: a.c b.h\n", "<a.c><b.h>");
    assert_reads("a.o: a.c \\\n  b.h \\\r\n c.h\n\n", "<a.c><b.h><c.h>");
    assert_reads("a.o: a.c\\\n b.h", "<a.c><b.h>");
    assert_reads("a.o: a.c\n\nb.h:\n", "<a.c>");
    assert_reads("a\\ b.o: a.c", "<a.c>");
}

static void test_names(void **state)
{
    (void)state;
    assert_reads("o: a\\ b.h c\\#d.h e$$f.h", "<a b.h><c#d.h><e$f.h>");
    assert_reads("o: a\\b.h $x c:d.h", "<a\\b.h><$x><c:d.h>");
    assert_reads("o: a\\", "<a\\>");
}

static int refuse(const char *path, void *arg, error *err)
{
    (void)path;
    ++*(int *)arg;
    return error_set(err, E_NOT_FOUND, "no");
}

static void test_the_first_failure_ends_it(void **state)
{
    error err = {0};
    int calls = 0;

    (void)state;
    assert_int_equal(depfile_read(slice_str("o: a b"), refuse, &calls, &err), E_NOT_FOUND);
    assert_string_equal(error_text(&err), "no");
    assert_int_equal(calls, 1);
    error_deinit(&err);
}

static void test_long_name(void **state)
{
    char *text = malloc(100000);
    int calls = 0;

    (void)state;
    memset(text, 'a', 100000);
    assert_int_equal(depfile_read(slice_of(text, 100000), refuse, &calls, NULL), E_TOO_LARGE);
    assert_int_equal(calls, 0);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_the_first_failure_ends_it),
        cmocka_unit_test(test_long_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
