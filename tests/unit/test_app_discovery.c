#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/discovery.h"
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

/* Finds the functions, whose names must be these, and no others. */
static void find(discovery *out, problems *found, const char *const *names, size_t count)
{
    error err = {0};

    if (discover(out, p.path, found, &err))
        fail_msg("%s", error_text(&err));
    for (size_t i = 0; i < out->count && i < count; i++)
        assert_string_equal(out->item[i].name, names[i]);
    assert_int_equal(out->count, count);
}

#define find_names(out, found, ...)                                                                \
    find(out, found, (const char *const[]){__VA_ARGS__},                                           \
         sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void assert_path(const char *path, const char *expected)
{
    char *root = realpath(p.path, NULL);
    size_t len = strlen(root);

    assert_memory_equal(path, root, len);
    assert_string_equal(path + len + 1, expected);
    free(root);
}

static void test_files_become_functions(void **state)
{
    static const char *const files[] = {
        "functions/hello.c",      "functions/users/[id].js",  "functions/count.wasm",
        "functions/index.ts",     "functions/[...rest].go",   "functions/a.b.rs",
        "functions/x.cpp",        "functions/y.cc",           "functions/z.mjs",
        "middleware/audit.c",     "functions/hello.test.js",  "functions/count.test.wasm",
        "functions/types.d.ts",   "functions/notes.txt",      "functions/util.h",
        "functions/.hidden.wasm", "functions/.git/hook.wasm", "functions/.wasm",
        "functions/README",
    };
    problems found = {0};
    discovery d;

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        project_write_text(&p, files[i], "");
    find_names(&d, &found, "[...rest]", "a.b", "count", "hello", "index", "middleware/audit",
               "users/[id]", "x", "y", "z");
    project_assert_problems(&p, &found, "");
    assert_false(d.item[2].is_built);
    assert_path(d.item[2].path, "functions/count.wasm");
    assert_string_equal(d.item[2].source + strlen(p.path), "/functions/count.wasm");
    assert_true(d.item[3].is_built);
    assert_false(d.item[3].is_middleware);
    assert_path(d.item[3].path, ".ubiq/build/hello.wasm");
    assert_string_equal(d.item[3].source + strlen(p.path), "/functions/hello.c");
    assert_true(d.item[5].is_middleware);
    assert_path(d.item[5].path, ".ubiq/build/middleware/audit.wasm");
    assert_path(d.item[6].path, ".ubiq/build/users/[id].wasm");
    discovery_deinit(&d);
    discovery_deinit(&d);
}

static void test_directories_become_functions(void **state)
{
    static const char *const files[] = {
        "functions/greet/Cargo.toml", "functions/greet/src/lib.rs", "functions/a/lines/go.mod",
        "functions/a/lines/main.go",  "functions/a/lines/more/x.c", "functions/dots.c/Cargo.toml",
        "functions/plain/hello.c",    "middleware/audit/go.mod",
    };
    problems found = {0};
    discovery d;

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        project_write_text(&p, files[i], "");
    find_names(&d, &found, "a/lines", "dots.c", "greet", "middleware/audit", "plain/hello");
    project_assert_problems(&p, &found, "");
    assert_true(d.item[0].is_built && d.item[0].is_directory);
    assert_path(d.item[0].path, ".ubiq/build/a/lines.wasm");
    assert_string_equal(d.item[0].source + strlen(p.path), "/functions/a/lines");
    assert_true(d.item[3].is_middleware && d.item[3].is_directory);
    assert_false(d.item[4].is_directory);
    discovery_deinit(&d);
}

static void test_names_that_cannot_be(void **state)
{
    static const char *const files[] = {
        "functions/a b.c",      "functions/[id.c",    "functions/[...a]/b.c", "functions/[a]/[a].c",
        "functions/\xc3\xa9.c", "functions/x~y.wasm", "functions/ok.c",
    };
    problems found = {0};
    discovery d;

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        project_write_text(&p, files[i], "");
    find_names(&d, &found, "ok");
    problems_sort(&found);
    project_assert_problems(
        &p, &found,
        "functions/[...a]/b.c:0: the name of a function: \"[...a]\" stands for all that is left\n"
        "functions/[a]/[a].c:0: the name of a function: two parameters are called \"a\"\n"
        "functions/[id.c:0: the name of a function: \"[id\" is no parameter\n"
        "functions/a b.c:0: the name of a function: \"a b\" is no part of a route\n"
        "functions/x~y.wasm:0: the name of a function: a function's name has no '~' in it\n"
        "functions/\xc3\xa9.c:0: the name of a function: \"\xc3\xa9\" is no part of a route\n");
    discovery_deinit(&d);
}

static void test_two_files_of_one_name(void **state)
{
    problems found = {0};
    char expected[400];
    discovery d;

    (void)state;
    project_write_text(&p, "functions/a.c", "");
    project_write_text(&p, "functions/a.wasm", "");
    project_write_text(&p, "functions/a.js", "");
    project_write_text(&p, "functions/middleware/m.c", "");
    project_write_text(&p, "middleware/m.c", "");
    find_names(&d, &found, "a", "middleware/m");
    snprintf(expected, sizeof expected,
             "functions/a.js:0: its name, \"a\", is that of %s/functions/a.c too\n"
             "functions/a.wasm:0: its name, \"a\", is that of %s/functions/a.c too\n"
             "middleware/m.c:0: its name, \"middleware/m\", is that of %s/functions/middleware/m.c",
             p.path, p.path, p.path);
    project_assert_problems(&p, &found, expected);
    discovery_deinit(&d);
}

static void test_links(void **state)
{
    problems found = {0};
    discovery d;

    (void)state;
    project_write_text(&p, "lib/shared.wasm", "");
    project_write_text(&p, "functions/a.wasm", "");
    project_link(&p, "functions/inside.wasm", "functions/a.wasm");
    project_link(&p, "functions/shared", "lib");
    find_names(&d, &found, "a", "inside", "shared/shared");
    assert_path(d.item[1].path, "functions/a.wasm");
    assert_path(d.item[2].path, "lib/shared.wasm");
    discovery_deinit(&d);
    project_link(&p, "functions/outside.wasm", "/etc/passwd");
    project_link(&p, "functions/outside", "/etc");
    project_link(&p, "functions/nowhere.c", "nothing");
    project_link(&p, "functions/passwd.txt", "/etc/passwd");
    find_names(&d, &found, "a", "inside", "shared/shared");
    problems_sort(&found);
    project_assert_problems(&p, &found,
                            "functions/nowhere.c:0: No such file or directory\n"
                            "functions/outside:0: a symbolic link that leads out of the project\n"
                            "functions/outside.wasm:0: a symbolic link that leads out of the ");
    discovery_deinit(&d);
}

static void test_links_in_a_circle(void **state)
{
    problems found = {0};
    discovery d;

    (void)state;
    project_write_text(&p, "functions/b/x.txt", "");
    project_link(&p, "functions/circle", "functions");
    project_link(&p, "functions/other", "functions");
    assert_int_equal(discover(&d, p.path, &found, NULL), 0);
    assert_int_equal(found.count, 1);
    assert_non_null(strstr(found.item[0].text, "nested more than 16 deep"));
    problems_deinit(&found);
    discovery_deinit(&d);
}

static void test_what_is_no_file(void **state)
{
    char path[100];
    problems found = {0};
    discovery d;

    (void)state;
    project_write_text(&p, "functions/dir.wasm/x.c", "");
    snprintf(path, sizeof path, "%s/functions/pipe.wasm", p.path);
    assert_int_equal(mkfifo(path, 0600), 0);
    find_names(&d, &found, "dir.wasm/x");
    project_assert_problems(&p, &found, "functions/pipe.wasm:0: not a file");
    discovery_deinit(&d);
}

static void test_what_is_no_project(void **state)
{
    static const char *const files[] = {"ubiq.toml", "public/x", "functions/x.txt"};
    problems found = {0};
    error err = {0};
    discovery d;

    (void)state;
    assert_int_equal(discover(&d, "/nowhere", &found, &err), E_NOT_FOUND);
    assert_string_equal(error_text(&err), "/nowhere: No such file or directory");
    assert_int_equal(discover(&d, p.path, &found, &err), E_NOT_FOUND);
    assert_non_null(strstr(error_text(&err), "/functions: there is no such directory"));
    error_deinit(&err);
    for (size_t i = 0; i < 3; i++) {
        project_write_text(&p, files[i], "");
        assert_int_equal(discover(&d, p.path, &found, NULL), 0);
        assert_int_equal(d.count, 0);
        discovery_deinit(&d);
        project_remove(&p, files[i]);
        if (i == 1)
            project_remove(&p, "public");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files_become_functions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_directories_become_functions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_names_that_cannot_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_files_of_one_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_links, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_links_in_a_circle, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_no_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_no_project, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
