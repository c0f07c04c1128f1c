#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/limits.h"
#include "app/routes.h"

static void test_names_become_routes(void **state)
{
    static const char *const cases[][2] = {
        {"hello", "/hello"},         {"a/b/c", "/a/b/c"},       {"index", "/"},
        {"a/index", "/a"},           {"index/index", "/index"}, {"myindex", "/myindex"},
        {"a/myindex", "/a/myindex"}, {"index/a", "/index/a"},   {"v1.2", "/v1.2"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf route;

        buf_init(&route, 100);
        assert_int_equal(routes_of_name(cases[i][0], &route), 0);
        assert_true(slice_equal_str(buf_slice(&route), cases[i][1]));
        buf_deinit(&route);
    }
}

/* Functions with these names and routes; the caller frees both. */
static routes *make(function *f, const char *const *list, size_t count, error *err)
{
    routes *r = NULL;

    for (size_t i = 0; i < count; i++) {
        f[i].name = (char *)(uintptr_t)list[i];
        f[i].route = (char *)(uintptr_t)list[i];
    }
    if (routes_create(&r, f, count, err) != 0)
        assert_null(r);
    return r;
}

static void test_finding(void **state)
{
    static const char *const list[] = {"/", "/a", "/a/b", "/a.b", "/~x"};
    static const struct {
        const char *path;
        int found; /* its number in the list, or -1 */
    } cases[] = {
        {"/", 0},     {"/a", 1},    {"/a/", 1},    {"/a/b", 2},   {"/a/b/", 2},   {"/%61", 1},
        {"/%7ex", 4}, {"/%7Ex", 4}, {"/a%2Eb", 3}, {"", -1},      {"a", -1},      {"/A", -1},
        {"//", 0},    {"//a", -1},  {"/a//", -1},  {"/a/c", -1},  {"/a%2fb", -1}, {"/a%2", -1},
        {"/a%", -1},  {"/%6", -1},  {"/%g1", -1},  {"/a%00", -1}, {"/a/b/c", -1}, {"*", -1},
    };
    function f[5] = {0};
    routes *r = make(f, list, 5, NULL);

    (void)state;
    assert_non_null(r);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        function *expected = cases[i].found < 0 ? NULL : &f[cases[i].found];

        if (routes_find(r, slice_str(cases[i].path)) != expected)
            fail_msg("%s", cases[i].path);
    }
    routes_destroy(r);
}

static void test_long_paths(void **state)
{
    static const char *const list[] = {"/a"};
    char path[3 * LIMIT_ROUTE_BYTES + 10];
    function f[1] = {0};
    routes *r = make(f, list, 1, NULL);

    (void)state;
    for (size_t i = 0; i < LIMIT_ROUTE_BYTES + 2; i++)
        memcpy(path + 3 * i, "%61", 3);
    for (size_t n = LIMIT_ROUTE_BYTES - 1; n < LIMIT_ROUTE_BYTES + 2; n++)
        assert_null(routes_find(r, slice_of(path, 3 * n)));
    routes_destroy(r);
}

static void test_what_cannot_be_a_route(void **state)
{
    static const char *const cases[] = {"",     "a",   "/a/",  "//",       "/a//b",
                                        "/a b", "/a?", "/%61", "/healthz", "/\xc3\xa9"};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        function f[1] = {0};
        error err = {0};

        assert_null(make(f, &cases[i], 1, &err));
        assert_int_equal(err.code, E_INVALID);
        assert_non_null(strstr(error_text(&err), "function \""));
        error_deinit(&err);
    }
}

static void test_two_of_a_kind(void **state)
{
    static const char *const list[] = {"/a", "/b", "/a"};
    function f[3] = {0};
    error err = {0};

    (void)state;
    assert_null(make(f, list, 3, &err));
    assert_non_null(strstr(error_text(&err), "have the same route /a"));
    error_deinit(&err);
}

static void test_many(void **state)
{
    enum { COUNT = 5000 };
    function *f = calloc(COUNT, sizeof *f);
    char(*names)[16] = calloc(COUNT, sizeof *names);
    routes *r;

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "/f%zu", i);
        f[i].name = f[i].route = names[i];
    }
    assert_int_equal(routes_create(&r, f, COUNT, NULL), 0);
    for (size_t i = 0; i < COUNT; i++)
        assert_ptr_equal(routes_find(r, slice_str(names[i])), &f[i]);
    assert_null(routes_find(r, slice_str("/f5000")));
    routes_destroy(r);
    free(names);
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_become_routes), cmocka_unit_test(test_finding),
        cmocka_unit_test(test_long_paths),          cmocka_unit_test(test_what_cannot_be_a_route),
        cmocka_unit_test(test_two_of_a_kind),       cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
