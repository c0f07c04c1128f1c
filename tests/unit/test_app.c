#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/app.h"
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

static void add_module(const char *name, const char *const *exports, size_t count)
{
    slice module = project_module(exports, count);

    project_write(&p, name, module);
    free((void *)(uintptr_t)module.data);
}

#define add_function(name, ...)                                                                    \
    add_module(name, (const char *const[]){__VA_ARGS__},                                           \
               sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static app *open_good(void)
{
    error err = {0};
    app *a;

    if (app_open(&a, p.path, ENVIRONMENT_TEST, &err))
        fail_msg("%s", error_text(&err));
    return a;
}

static void open_bad(const char *expected)
{
    problems found = {0};
    app *a;

    assert_int_equal(app_inspect(&a, p.path, ENVIRONMENT_TEST, &found, NULL), 0);
    app_close(a);
    project_assert_problems(&p, &found, expected);
}

static const function *find(const app *a, const char *path)
{
    route_match m;
    const function *f = app_find(a, slice_str(path), &m);

    if (!f)
        fail_msg("%s has no function", path);
    return f;
}

/* What a function takes, as its Allow says, and which export each calls. */
static void assert_methods(const function *f, const char *allow, const char *const (*calls)[2],
                           size_t count)
{
    buf text;

    buf_init(&text, 1000);
    assert_int_equal(function_put_allow(f, &text), 0);
    if (!slice_equal_str(buf_slice(&text), allow))
        fail_msg("%.*s", (int)text.len, (char *)text.data);
    for (size_t i = 0; i < count; i++) {
        slice method = slice_str(calls[i][0]);

        assert_int_equal(function_takes(f, method), calls[i][1] != NULL);
        if (calls[i][1])
            assert_string_equal(function_export(f, method), calls[i][1]);
    }
    buf_deinit(&text);
}

static void test_methods_of_exports(void **state)
{
    static const char *const calls[][2] = {
        {"GET", "GET"}, {"HEAD", "GET"},   {"DELETE", "DELETE"},
        {"POST", NULL}, {"OPTIONS", NULL}, {"get", NULL},
    };
    static const char *const own_head[][2] = {
        {"GET", "GET"}, {"HEAD", "HEAD"}, {"OPTIONS", "OPTIONS"}};
    static const char *const narrowed[][2] = {{"GET", NULL}, {"HEAD", NULL}, {"PUT", "PUT"}};
    static const char *const with_head[][2] = {{"GET", "GET"}, {"HEAD", "GET"}};
    app *a;

    (void)state;
    add_function("functions/a.wasm", "GET", "DELETE", "helper");
    add_function("functions/b.wasm", "OPTIONS", "HEAD", "GET");
    add_function("functions/c.wasm", "GET", "PUT", "POST", "handle");
    add_function("functions/d.wasm", "GET", "POST");
    project_write_text(&p, "ubiq.toml",
                       "[functions.c]\nmethods = ['PUT']\n"
                       "[functions.d]\nmethods = ['GET', 'HEAD']");
    a = open_good();
    assert_methods(find(a, "/a"), "GET, HEAD, DELETE, OPTIONS", calls, 6);
    assert_true(find(a, "/a")->by_method);
    assert_true(find(a, "/a")->only_requests);
    assert_methods(find(a, "/b"), "GET, HEAD, OPTIONS", own_head, 3);
    assert_methods(find(a, "/c"), "PUT, OPTIONS", narrowed, 3);
    assert_false(find(a, "/c")->only_requests);
    assert_methods(find(a, "/d"), "GET, HEAD, OPTIONS", with_head, 2);
    assert_false(find(a, "/d")->only_requests);
    app_close(a);
}

static void test_methods_without_exports_of_theirs(void **state)
{
    const function *f;
    app *a;

    (void)state;
    add_function("functions/any.wasm", "handle");
    add_function("functions/entry.wasm", "GET", "run");
    add_function("functions/only.wasm", "handle");
    project_write_text(&p, "functions/broken.wasm", "nonsense");
    project_write_text(&p, "functions/unbuilt.c", "nonsense");
    project_write_text(&p, "ubiq.toml",
                       "[functions.entry]\nentry = 'run'\n"
                       "[functions.only]\nmethods = ['GET', 'M-SEARCH']\n");
    a = open_good();
    f = find(a, "/any");
    assert_false(f->by_method);
    assert_true(function_takes(f, slice_str("ANYTHING")));
    f = find(a, "/entry");
    assert_false(f->by_method);
    assert_true(function_takes(f, slice_str("PUT")));
    f = find(a, "/only");
    assert_methods(f, "GET, HEAD, M-SEARCH, OPTIONS", NULL, 0);
    assert_true(function_takes(f, slice_str("HEAD")));
    assert_false(function_takes(f, slice_str("POST")));
    assert_false(find(a, "/broken")->by_method);
    assert_false(find(a, "/unbuilt")->by_method);
    app_close(a);
}

static void test_builds_are_looked_at(void **state)
{
    app *a;

    (void)state;
    project_write_text(&p, "functions/x/[id].c", "");
    add_function(".ubiq/build/x/[id].wasm", "GET");
    a = open_good();
    assert_true(find(a, "/x/1")->by_method);
    assert_string_equal(find(a, "/x/1")->route, "/x/:id");
    app_close(a);
}

static void test_settings_reach_functions(void **state)
{
    const function *f;
    route_match m;
    app *a;

    (void)state;
    add_function("functions/users/[id].wasm", "handle");
    add_function("middleware/audit.wasm", "before");
    project_write_text(
        &p, "ubiq.toml",
        "[functions.'users/[id]']\nroute = '/people/[name]'\ncontent_type = 'text/x'\n"
        "config = {a = 'b'}\n");
    a = open_good();
    f = find(a, "/people/x");
    assert_string_equal(f->name, "users/[id]");
    assert_string_equal(f->route, "/people/:name");
    assert_string_equal(f->content_type, "text/x");
    assert_true(strmap_get(&f->config, slice_str("a"), NULL));
    assert_null(app_find(a, slice_str("/users/x"), &m));
    assert_null(app_find(a, slice_str("/middleware/audit"), &m));
    app_close(a);
}

static void test_what_does_not_fit(void **state)
{
    char expected[2000];

    (void)state;
    add_function("functions/a.wasm", "GET");
    add_function("functions/logo.wasm", "handle");
    add_function("functions/dup.wasm", "handle");
    add_function("functions/users/[id].wasm", "handle");
    add_function("functions/users/[name]/x.wasm", "handle");
    add_function("middleware/audit.wasm", "handle");
    project_write_text(&p, "public/logo", "");
    project_write_text(&p, "public/dup/index.html", "");
    project_write_text(&p, "public/users/me", "");
    project_write_text(&p, "ubiq.toml",
                       "[functions.logoo]\n"
                       "[functions.a]\n"
                       "methods = ['GET',\n"
                       "  'PUT']\n"
                       "middleware = ['cors', 'jwt', 'middleware/audit', 'a']\n"
                       "[functions.dup]\n"
                       "route = '/logo'\n"
                       "[triggers]\n"
                       "'x.*' = ['logo', 'nobody']\n"
                       "'@daily' = 'a'\n"
                       "[middleware]\n"
                       "use = ['middleware/audt', 'request-id', 'api_key']\n"
                       "[limits]\n"
                       "memory = 1\n");
    snprintf(
        expected, sizeof expected,
        "functions/logo.wasm:0: its route /logo is that of %s/functions/dup.wasm too\n"
        "functions/users/[name]/x.wasm:0: its route /users/:name/x calls \"name\" what the\n"
        "public/logo:0: its path /logo is the route of %s/functions/\n"
        "ubiq.toml:1: functions: there is no function \"logoo\", did you mean logo?\n"
        "ubiq.toml:4: functions.\"a\".methods: %s/functions/a.wasm exports no function PUT\n"
        "ubiq.toml:5: functions.\"a\".middleware: jwt needs [middleware.jwt]\n"
        "ubiq.toml:5: functions.\"a\".middleware: there is no middleware \"a\"\n"
        "ubiq.toml:9: triggers: there is no function \"nobody\"\n"
        "ubiq.toml:10: triggers: %s/functions/a.wasm exports neither \"handle\" nor \"POST\"\n"
        "ubiq.toml:12: middleware.use: api_key needs [middleware.api_key]\n"
        "ubiq.toml:12: middleware.use: there is no middleware \"middleware/audt\", did you mean "
        "middleware/audit?\n"
        "ubiq.toml:12: middleware.use: there is no middleware \"request-id\", did you mean "
        "request_id?\n"
        "ubiq.toml:14: limits.memory: expected a text in quotes, found a number\n",
        p.path, p.path, p.path, p.path);
    open_bad(expected);
}

static void test_cron_lines_and_permissions(void **state)
{
    (void)state;
    add_function("functions/a.wasm", "handle");
    project_write_text(&p, "ubiq.toml",
                       "[triggers]\n"
                       "'*/5 * * * *' = 'a'\n"
                       "'61 * * * *' = 'a'\n"
                       "'TZ=Nowhere/Here 0 * * * *' = 'a'\n"
                       "'@sometimes' = 'a'\n"
                       "[functions.a]\n"
                       "permissions = ['kv:read:*',\n"
                       "  'kv:reed:*', 'kv:write:*',\n"
                       "  'nonsense']\n");
    open_bad(
        "ubiq.toml:3: triggers.\"61 * * * *\": minute: \n"
        "ubiq.toml:4: triggers.\"TZ=Nowhere/Here 0 * * * *\": \n"
        "ubiq.toml:5: triggers.\"@sometimes\": \n"
        "ubiq.toml:8: functions.\"a\".permissions: \"kv:reed:*\": there is no such permission\n"
        "ubiq.toml:9: functions.\"a\".permissions: \"nonsense\": there is no such permission\n");
    project_write_text(&p, "ubiq.toml",
                       "[project]\ntime_zone = 'Nowhere'\n[triggers]\n'0 * * * *' = 'a'\n");
    open_bad("ubiq.toml:2: project.time_zone: \n");
}

static void test_public_directories_and_functions(void **state)
{
    char expected[400];

    (void)state;
    add_function("functions/docs.wasm", "handle");
    add_function("functions/index.wasm", "handle");
    project_write_text(&p, "public/docs/index.html", "");
    project_write_text(&p, "public/index.html", "");
    snprintf(expected, sizeof expected,
             "public/docs/index.html:0: its path /docs/ is the route of %s/functions/docs.wasm\n"
             "public/index.html:0: its path / is the route of %s/functions/index.wasm\n",
             p.path, p.path);
    open_bad(expected);
}

static void test_the_first_problem_is_the_error(void **state)
{
    error err = {0};
    app *a;

    (void)state;
    project_write_text(&p, "ubiq.toml", "b = 1\na = 1\n");
    assert_int_equal(app_open(&a, p.path, ENVIRONMENT_TEST, &err), E_INVALID);
    assert_non_null(strstr(error_text(&err), "/ubiq.toml:1: b: unknown key (and 1 more: see"));
    assert_int_equal(app_open(&a, "/nowhere", ENVIRONMENT_TEST, &err), E_NOT_FOUND);
    error_deinit(&err);
    app_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_methods_of_exports, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_methods_without_exports_of_theirs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_builds_are_looked_at, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_settings_reach_functions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_does_not_fit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cron_lines_and_permissions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_public_directories_and_functions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_first_problem_is_the_error, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
