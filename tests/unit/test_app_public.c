#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/limits.h"
#include "app/public.h"
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

static const public_file *find(const public_index *i, const char *path)
{
    /* Memory of exactly this size, so that a sanitizer sees a read past its end. */
    size_t len = strlen(path);
    char *copy = memcpy(malloc(len + 1), path, len);
    const public_file *f = public_find(i, slice_of(copy, len));

    free(copy);
    return f;
}

static void test_files(void **state)
{
    static const char *const files[] = {
        "public/index.html",     "public/logo.svg",  "public/docs/index.html",
        "public/docs/a b.txt",   "public/a/b/c.JPG", "public/100%.txt",
        "public/\xc3\xa9.bin",   "public/.secret",   "public/.git/head",
        "public/docs/index.htm",
    };
    static const struct {
        const char *path, *file, *type;
    } cases[] = {
        {"/", "public/index.html", "text/html; charset=utf-8"},
        {"/index.html", "public/index.html", "text/html; charset=utf-8"},
        {"/logo.svg", "public/logo.svg", "image/svg+xml"},
        {"/l%6Fgo.svg", "public/logo.svg", "image/svg+xml"},
        {"/docs/", "public/docs/index.html", "text/html; charset=utf-8"},
        {"/docs/a%20b.txt", "public/docs/a b.txt", "text/plain; charset=utf-8"},
        {"/a/b/c.JPG", "public/a/b/c.JPG", "image/jpeg"},
        {"/100%25.txt", "public/100%.txt", "text/plain; charset=utf-8"},
        {"/%C3%A9.bin", "public/\xc3\xa9.bin", "application/octet-stream"},
        {"/\xc3\xa9.bin", "public/\xc3\xa9.bin", "application/octet-stream"},
    };
    static const char *const not_there[] = {
        "/.secret",
        "/%2esecret",
        "/.git/head",
        "/a",
        "/a/",
        "/a/b",
        "/logo.svg/",
        "/Logo.svg",
        "/docs/../logo.svg",
        "/docs%2findex.html",
        "//logo.svg",
        "/logo.svg%00",
        "/100%.txt",
        "",
        "logo.svg",
        "/../ubiq.toml",
        "/public/logo.svg",
    };
    char *long_path = malloc(3 * LIMIT_PATH_BYTES);
    problems found = {0};
    public_index *i;
    size_t count;

    (void)state;
    for (size_t n = 0; n < sizeof files / sizeof *files; n++)
        project_write_text(&p, files[n], "x");
    assert_int_equal(public_create(&i, p.path, &found, NULL), 0);
    project_assert_problems(&p, &found, "");
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        const public_file *f = find(i, cases[n].path);

        if (!f)
            fail_msg("%s", cases[n].path);
        assert_string_equal(f->source + strlen(p.path) + 1, cases[n].file);
        assert_string_equal(f->path + strlen(f->path) - strlen(cases[n].file), cases[n].file);
        assert_string_equal(f->type, cases[n].type);
    }
    for (size_t n = 0; n < sizeof not_there / sizeof *not_there; n++) {
        if (find(i, not_there[n]))
            fail_msg("%s", not_there[n]);
    }
    assert_null(find(i, "/docs")->path);
    assert_string_equal(find(i, "/docs")->url, "/docs");
    memset(long_path, 'a', 3 * LIMIT_PATH_BYTES);
    assert_null(public_find(i, slice_of(long_path, 3 * LIMIT_PATH_BYTES)));
    public_files(i, &count);
    assert_int_equal(count, 11);
    public_destroy(i);
    free(long_path);
}

static void test_links(void **state)
{
    problems found = {0};
    public_index *i;

    (void)state;
    project_write_text(&p, "shared/a.txt", "x");
    project_link(&p, "public/a.txt", "shared/a.txt");
    project_link(&p, "public/shared", "shared");
    project_link(&p, "public/passwd", "/etc/passwd");
    project_link(&p, "public/etc", "/etc");
    assert_int_equal(public_create(&i, p.path, &found, NULL), 0);
    problems_sort(&found);
    project_assert_problems(&p, &found,
                            "public/etc:0: a symbolic link that leads out of the project\n"
                            "public/passwd:0: a symbolic link that leads out of the project\n");
    assert_non_null(find(i, "/a.txt"));
    assert_non_null(find(i, "/shared/a.txt"));
    assert_null(find(i, "/passwd"));
    assert_null(find(i, "/etc/passwd"));
    public_destroy(i);
}

static void test_names_that_no_url_can_have(void **state)
{
    problems found = {0};
    public_index *i;

    (void)state;
    project_write_text(&p, "public/\xff", "x");
    assert_int_equal(public_create(&i, p.path, &found, NULL), 0);
    project_assert_problems(&p, &found, "public/\xff:0: a name that no URL can have\n");
    public_destroy(i);
}

static void test_nothing_public(void **state)
{
    problems found = {0};
    public_index *i;

    (void)state;
    assert_int_equal(public_create(&i, p.path, &found, NULL), 0);
    assert_int_equal(found.count, 0);
    assert_null(find(i, "/"));
    public_destroy(i);
    public_destroy(NULL);
}

static void test_types(void **state)
{
    (void)state;
    assert_string_equal(public_type("a.HTML"), "text/html; charset=utf-8");
    assert_string_equal(public_type("a.tar.gz"), "application/gzip");
    assert_string_equal(public_type("a.unknown"), "application/octet-stream");
    assert_string_equal(public_type("a"), "application/octet-stream");
    assert_string_equal(public_type("a."), "application/octet-stream");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_links, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_that_no_url_can_have, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_public, set_up, tear_down),
        cmocka_unit_test(test_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
