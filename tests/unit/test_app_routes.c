#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/route_text.h"
#include "app/routes.h"

static void test_names_become_routes(void **state)
{
    static const char *const cases[][2] = {
        {"hello", "/hello"},
        {"a/b/c", "/a/b/c"},
        {"index", "/"},
        {"a/index", "/a"},
        {"index/index", "/index"},
        {"myindex", "/myindex"},
        {"a/myindex", "/a/myindex"},
        {"index/a", "/index/a"},
        {"v1.2", "/v1.2"},
        {"users/[id]", "/users/:id"},
        {"users/[id]/index", "/users/:id"},
        {"[a]/[b_1]", "/:a/:b_1"},
        {"[...rest]", "/*rest"},
        {"files/[...path]", "/files/*path"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error err = {0};
        buf route;

        buf_init(&route, 100);
        if (route_of_name(cases[i][0], &route, &err))
            fail_msg("%s: %s", cases[i][0], error_text(&err));
        assert_true(slice_equal_str(buf_slice(&route), cases[i][1]));
        buf_deinit(&route);
    }
}

static void test_patterns_become_routes(void **state)
{
    static const char *const cases[][2] = {
        {"/", "/"},
        {"/a-b_c.d~e", "/a-b_c.d~e"},
        {"/people/[id]/posts", "/people/:id/posts"},
        {"/people/[...all]", "/people/*all"},
        {"/...", "/..."},
    };
    static const char *const refused[][2] = {
        {"", "begins with a slash"},
        {"a", "begins with a slash"},
        {"/a/", "ends with none"},
        {"//", "ends with none"},
        {"/a//b", "\"\" is no part"},
        {"/a b", "\"a b\" is no part"},
        {"/a?", "\"a?\" is no part"},
        {"/%61", "\"%61\" is no part"},
        {"/:id", "\":id\" is no part"},
        {"/a/*", "\"*\" is no part"},
        {"/\xc3\xa9", "is no part"},
        {"/.", "\".\" is no part"},
        {"/a/../b", "\"..\" is no part"},
        {"/[", "\"[\" is no parameter"},
        {"/[]", "\"[]\" is no parameter"},
        {"/[a", "\"[a\" is no parameter"},
        {"/[a]b", "\"[a]b\" is no parameter"},
        {"/b[a]", "\"b[a]\" is no part"},
        {"/[1a]", "\"[1a]\" is no parameter"},
        {"/[a-b]", "\"[a-b]\" is no parameter"},
        {"/[...]", "\"[...]\" is no parameter"},
        {"/[....a]", "\"[....a]\" is no parameter"},
        {"/[[a]]", "\"[[a]]\" is no parameter"},
        {"/[...a]/b", "nothing can follow"},
        {"/[a]/[a]", "two parameters are called \"a\""},
        {"/[a]/[...a]", "two parameters are called \"a\""},
        {"/[a]/[b]/[c]/[d]/[e]/[f]/[g]/[h]/[i]/[j]/[k]/[l]/[m]/[n]/[o]/[p]/[q]",
         "more than 16 parameters"},
    };
    char longest[LIMIT_ROUTE_BYTES + 2] = "/";
    error err = {0};
    buf route;

    (void)state;
    buf_init(&route, 2000);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&route);
        assert_int_equal(route_of_pattern(cases[i][0], &route, NULL), 0);
        assert_true(slice_equal_str(buf_slice(&route), cases[i][1]));
    }
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_equal(route_of_pattern(refused[i][0], &route, &err), E_INVALID);
        if (!strstr(error_text(&err), refused[i][1]))
            fail_msg("%s: %s", refused[i][0], error_text(&err));
    }
    memset(longest + 1, 'a', LIMIT_ROUTE_BYTES - 1);
    assert_int_equal(route_of_pattern(longest, &route, NULL), 0);
    longest[LIMIT_ROUTE_BYTES] = 'a';
    assert_int_equal(route_of_pattern(longest, &route, &err), E_INVALID);
    error_deinit(&err);
    buf_deinit(&route);
}

/* Routes of functions with these routes; the caller frees both. What is wrong goes to `found`. */
static routes *make(function *f, const char *const *list, size_t count, problems *found)
{
    routes *r = NULL;

    for (size_t i = 0; i < count; i++) {
        f[i].name = f[i].source = f[i].route = (char *)(uintptr_t)list[i];
    }
    assert_int_equal(routes_create(&r, f, count, found, NULL), 0);
    return r;
}

struct finding {
    const char *path;
    const char *route;  /* NULL: none */
    const char *params; /* "name=value;..." */
};

static void check_findings(const char *const *list, size_t count, const struct finding *cases,
                           size_t case_count)
{
    function *f = calloc(count, sizeof *f);
    problems found = {0};
    routes *r = make(f, list, count, &found);
    route_match m;

    assert_int_equal(found.count, 0);
    for (size_t i = 0; i < case_count; i++) {
        /* Memory of exactly this size, so that a sanitizer sees a read past its end. */
        size_t len = strlen(cases[i].path);
        char *path = memcpy(malloc(len + 1), cases[i].path, len);
        function *got = routes_find(r, slice_of(path, len), &m);
        char params[200] = "";

        for (size_t k = 0; got && k < m.count; k++)
            snprintf(params + strlen(params), sizeof params - strlen(params), "%.*s=%.*s;",
                     (int)m.param[k].name.len, (const char *)m.param[k].name.data,
                     (int)m.param[k].value.len, (const char *)m.param[k].value.data);
        if ((got ? strcmp(got->route, cases[i].route ? cases[i].route : "") : !!cases[i].route) ||
            strcmp(params, cases[i].params ? cases[i].params : "") != 0)
            fail_msg("%s is %s with %s", cases[i].path, got ? got->route : "nothing", params);
        free(path);
    }
    routes_destroy(r);
    free(f);
}

#define check(list, cases)                                                                         \
    check_findings(list, sizeof list / sizeof *list, cases, sizeof cases / sizeof *cases)

static void test_finding_without_parameters(void **state)
{
    static const char *const list[] = {"/", "/a", "/a/b", "/a.b", "/~x"};
    static const struct finding cases[] = {
        {"/", "/", NULL},        {"/a", "/a", NULL},      {"/a/", "/a", NULL},
        {"/a/b", "/a/b", NULL},  {"/a/b/", "/a/b", NULL}, {"/%61", "/a", NULL},
        {"/%7ex", "/~x", NULL},  {"/%7Ex", "/~x", NULL},  {"/a%2Eb", "/a.b", NULL},
        {"//", "/", NULL},       {"", NULL, NULL},        {"a", NULL, NULL},
        {"/A", NULL, NULL},      {"//a", NULL, NULL},     {"/a//", NULL, NULL},
        {"/a/c", NULL, NULL},    {"/a%2fb", NULL, NULL},  {"/a%2", NULL, NULL},
        {"/a%", NULL, NULL},     {"/%6", NULL, NULL},     {"/%g1", NULL, NULL},
        {"/a%00", NULL, NULL},   {"/a/b/c", NULL, NULL},  {"*", NULL, NULL},
        {"/x/../a", NULL, NULL},
    };

    (void)state;
    check(list, cases);
}

static void test_parameters(void **state)
{
    static const char *const list[] = {"/users/:id", "/users/me", "/users/:id/posts/:post",
                                       "/files/*path", "/"};
    static const struct finding cases[] = {
        {"/users/7", "/users/:id", "id=7;"},
        {"/users/7/", "/users/:id", "id=7;"},
        {"/users/me", "/users/me", NULL},
        {"/users/%6De", "/users/me", NULL},
        {"/users/me/posts/2", "/users/:id/posts/:post", "id=me;post=2;"},
        {"/users/a%20b", "/users/:id", "id=a b;"},
        {"/users/%C3%A9%25", "/users/:id", "id=\xc3\xa9%;"},
        {"/users/\xc3\xa9", "/users/:id", "id=\xc3\xa9;"},
        {"/users/..", "/users/:id", "id=..;"},
        {"/users/%2e%2e", "/users/:id", "id=..;"},
        {"/users/a+b", "/users/:id", "id=a+b;"},
        {"/files/a", "/files/*path", "path=a;"},
        {"/files/a/b%20c/d/", "/files/*path", "path=a/b c/d;"},
        {"/files/../../etc/passwd", "/files/*path", "path=../../etc/passwd;"},
        {"/files/%2e%2e/x", "/files/*path", "path=../x;"},
        {"/users", NULL, NULL},
        {"/users/", NULL, NULL},
        {"/users//", NULL, NULL},
        {"/users//posts/1", NULL, NULL},
        {"/users/7/posts", NULL, NULL},
        {"/users/7/posts/", NULL, NULL},
        {"/users/7/posts/1/x", NULL, NULL},
        {"/users/a%2Fb", NULL, NULL},
        {"/users/a%00", NULL, NULL},
        {"/users/%", NULL, NULL},
        {"/users/%ff", NULL, NULL},
        {"/users/\xff", NULL, NULL},
        {"/users/%c3", NULL, NULL},
        {"/files", NULL, NULL},
        {"/files/", NULL, NULL},
        {"/files//a", NULL, NULL},
        {"/files/a//b", NULL, NULL},
        {"/files/a//", NULL, NULL},
        {"/files/a%2f..", NULL, NULL},
        {"users/7", NULL, NULL},
        {"*", NULL, NULL},
    };

    (void)state;
    check(list, cases);
}

/* Text before parameter before rest, segment by segment, and back where that leads nowhere. */
static void test_specificity(void **state)
{
    static const char *const list[] = {"/:a/x",    "/s/:b",     "/s/t/u", "/s/*rest",
                                       "/:a/:c/v", "/:a/*rest", "/*all",  "/s/t"};
    static const struct finding cases[] = {
        {"/s/t", "/s/t", NULL},
        {"/s/x", "/s/:b", "b=x;"},
        {"/q/x", "/:a/x", "a=q;"},
        {"/s/t/u", "/s/t/u", NULL},
        {"/s/t/v", "/s/*rest", "rest=t/v;"},
        {"/q/t/v", "/:a/:c/v", "a=q;c=t;"},
        {"/q/t/w", "/:a/*rest", "a=q;rest=t/w;"},
        {"/q/t", "/:a/*rest", "a=q;rest=t;"},
        {"/q", "/*all", "all=q;"},
        {"/s", "/*all", "all=s;"},
        {"/q/x/y", "/:a/*rest", "a=q;rest=x/y;"},
        {"/", NULL, NULL},
    };

    (void)state;
    check(list, cases);
}

static void test_long_paths(void **state)
{
    static const char *const list[] = {"/a", "/x/*rest"};
    char *path = malloc(3 * LIMIT_PATH_BYTES);
    function f[2] = {0};
    problems found = {0};
    routes *r = make(f, list, 2, &found);
    route_match m;

    (void)state;
    for (size_t i = 0; i < LIMIT_PATH_BYTES; i++)
        memcpy(path + 3 * i, "%61", 3);
    assert_null(routes_find(r, slice_of(path, 3 * LIMIT_PATH_BYTES), &m));
    memcpy(path, "/x/", 3);
    assert_null(routes_find(r, slice_of(path, LIMIT_PATH_BYTES + 2), &m));
    assert_ptr_equal(routes_find(r, slice_of(path, LIMIT_PATH_BYTES - 2), &m), &f[1]);
    assert_int_equal(m.param[0].value.len, (LIMIT_PATH_BYTES - 5) / 3);
    memset(path, '/', 3 * LIMIT_PATH_BYTES);
    assert_null(routes_find(r, slice_of(path, LIMIT_PATH_BYTES), &m));
    routes_destroy(r);
    free(path);
}

static void test_conflicts(void **state)
{
    static const struct {
        const char *one, *other;
        const char *text; /* NULL: none */
    } cases[] = {
        {"/a", "/a", "/a: its route /a is that of /a too"},
        {"/:x", "/:x", "its route /:x is that of"},
        {"/a/*x", "/a/*x", "its route /a/*x is that of"},
        {"/a/:x", "/a/:y/b",
         "its route /a/:y/b calls \"y\" what the route /a/:x of /a/:x calls \"x\""},
        {"/a/*x", "/a/*y", "its route /a/*y calls \"y\" what"},
        {"/:x/b", "/:y/c", "calls \"y\""},
        {"/healthz", "/b", "the route /healthz is the server's own"},
        {"/a", "/a/", NULL},
        {"/a/:x", "/a/*y", NULL},
        {"/a/:x", "/b/:y", NULL},
        {"/a/:x", "/a/b", NULL},
        {"/:x", "/healthz/b", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *list[] = {cases[i].one, cases[i].other};
        function f[2] = {0};
        problems found = {0};
        error err = {0};
        routes *r = make(f, list, 2, &found);

        if ((found.count > 0) != !!cases[i].text)
            fail_msg("%s and %s", cases[i].one, cases[i].other);
        if (found.count) {
            assert_int_equal(problems_conclude(&found, &err), E_INVALID);
            if (!strstr(error_text(&err), cases[i].text))
                fail_msg("%s", error_text(&err));
        }
        error_deinit(&err);
        problems_deinit(&found);
        routes_destroy(r);
    }
}

/* --- Any routes and paths, against the plainest way to find one --- */

/* Which kind of segment a route has where: 't' for a text that fits, 'v' for a parameter, 'w' for the
 * rest. "" when the route does not fit the path. Of two that fit, the lesser one goes first. */
static void fit(const char *route, const char *path, char kinds[16])
{
    size_t n = 0;

    kinds[0] = '\0';
    while (*route) {
        size_t r = strcspn(++route, "/"), p;

        if (!*path)
            goto no;
        p = strcspn(++path, "/");
        if (*route == '*') {
            kinds[n++] = 'w';
            path += strlen(path);
            route += r;
            break;
        }
        if (*route != ':' && (r != p || memcmp(route, path, r) != 0))
            goto no;
        kinds[n++] = *route == ':' ? 'v' : 't';
        route += r;
        path += p;
    }
    kinds[n] = '\0';
    if (!*path)
        return;
no:
    kinds[0] = '\0';
}

/* "/a/b/a", with the letters up to `letters`; as a route with parameters among them. */
static void make_path(char *out, unsigned letters, bool is_route)
{
    unsigned segments = 1 + (unsigned)rand() % 5;

    for (unsigned i = 0; i < segments; i++) {
        unsigned pick = (unsigned)rand() % 8;

        *out++ = '/';
        if (is_route && pick == 0 && i == segments - 1) {
            memcpy(out, "*z", 2);
            out += 2;
        } else if (is_route && pick < 3) {
            *out++ = ':';
            *out++ = (char)('m' + i);
        } else {
            *out++ = (char)('a' + (unsigned)rand() % letters);
        }
    }
    *out = '\0';
}

static bool is_new(char (*list)[24], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i], list[count]) == 0)
            return false;
    }
    return true;
}

static void test_any_routes(void **state)
{
    enum { ROUNDS = 300, MOST = 40, PATHS = 200 };

    (void)state;
    srand(1);
    for (int round = 0; round < ROUNDS; round++) {
        char list[MOST][24], path[24], best[16], kinds[16];
        size_t count = 0, most = 1 + (size_t)rand() % (MOST - 1);
        function f[MOST] = {0};
        problems found = {0};
        route_match m;
        routes *r;

        for (size_t i = 0; i < most; i++) {
            make_path(list[count], 2, true);
            f[count].name = f[count].source = f[count].route = list[count];
            count += is_new(list, count);
        }
        assert_int_equal(routes_create(&r, f, count, &found, NULL), 0);
        assert_int_equal(found.count, 0);
        for (int n = 0; n < PATHS; n++) {
            const function *expected = NULL, *got;

            make_path(path, 3, false);
            for (size_t i = 0; i < count; i++) {
                fit(list[i], path, kinds);
                if (!*kinds || (expected && strcmp(kinds, best) > 0))
                    continue;
                expected = &f[i];
                strcpy(best, kinds);
            }
            got = routes_find(r, slice_str(path), &m);
            if (got != expected)
                fail_msg("%s is %s and not %s", path, got ? got->route : "nothing",
                         expected ? expected->route : "nothing");
        }
        routes_destroy(r);
    }
}

static void test_functions_without_a_route(void **state)
{
    function f[2] = {{.name = "middleware/a"}, {.name = "b", .route = "/b"}};
    problems found = {0};
    route_match m;
    routes *r;

    (void)state;
    assert_int_equal(routes_create(&r, f, 2, &found, NULL), 0);
    assert_ptr_equal(routes_find(r, slice_str("/b"), &m), &f[1]);
    assert_null(routes_find(r, slice_str("/middleware/a"), &m));
    assert_ptr_equal(routes_find_static(r, slice_str("/b/")), &f[1]);
    assert_null(routes_find_static(r, slice_str("/%62")));
    routes_destroy(r);
}

static void test_many(void **state)
{
    enum { COUNT = 5000 };
    function *f = calloc(COUNT, sizeof *f);
    char(*names)[32] = calloc(COUNT, sizeof *names);
    problems found = {0};
    route_match m;
    routes *r;

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], i % 2 ? "/f%zu" : "/f%zu/:id/x", i);
        f[i].name = f[i].route = names[i];
    }
    assert_int_equal(routes_create(&r, f, COUNT, &found, NULL), 0);
    assert_int_equal(found.count, 0);
    for (size_t i = 0; i < COUNT; i++) {
        char path[32];

        snprintf(path, sizeof path, i % 2 ? "/f%zu" : "/f%zu/y/x", i);
        assert_ptr_equal(routes_find(r, slice_str(path), &m), &f[i]);
        assert_int_equal(m.count, 1 - i % 2);
    }
    assert_null(routes_find(r, slice_str("/f5001"), &m));
    routes_destroy(r);
    free(names);
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_become_routes),
        cmocka_unit_test(test_patterns_become_routes),
        cmocka_unit_test(test_finding_without_parameters),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_specificity),
        cmocka_unit_test(test_long_paths),
        cmocka_unit_test(test_conflicts),
        cmocka_unit_test(test_any_routes),
        cmocka_unit_test(test_functions_without_a_route),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
