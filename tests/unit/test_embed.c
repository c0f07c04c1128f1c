#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "embed_case.h"
#include "guest.h"

#define KV "[functions.count]\npermissions = [\"kv:read:*\", \"kv:write:*\"]\n"

static void test_functions(void **state)
{
    embed_case e;
    ubiq_result *r;
    size_t len;

    (void)state;
    embed_make(&e, "");
    embed_open(&e, NULL);
    assert_string_equal(embed_invoke(&e, "echo", "some words", 0), "0:some words");
    assert_string_equal(embed_invoke(&e, "echo", "", 10000), "0:");
    assert_string_equal(embed_invoke(&e, "missing", "", 0),
                        "-1:the project has no function of this name");
    assert_string_equal(embed_invoke(&e, "", "", 0), "-1:the project has no function of this name");
    assert_string_equal(embed_invoke(&e, "says", "its own words", 0), "-8:its own words");
    assert_int_equal(ubiq_project_invoke(e.open, "echo", "a\0b", 3, 0, &r), 0);
    assert_memory_equal(ubiq_result_output(r, &len), "a\0b", 4);
    assert_int_equal(len, 3);
    assert_int_equal(ubiq_result_status(r), 0);
    assert_int_equal(ubiq_result_header_count(r), 0);
    assert_int_equal(strlen(ubiq_result_invocation(r)), 16);
    assert_string_equal(ubiq_result_error(r), "");
    ubiq_result_free(r);
    assert_string_equal(ubiq_project_address(e.open), "");
    embed_end(&e);
}

static void test_a_function_that_fails_is_in_the_log(void **state)
{
    embed_case e;
    ubiq_result *r;
    char words[128];

    (void)state;
    embed_make(&e, "");
    embed_open(&e, NULL);
    assert_int_equal(ubiq_project_invoke(e.open, "trap", NULL, 0, 0, &r), UBIQ_FAILED);
    snprintf(words, sizeof words, " ERROR trap invocation %s: ", ubiq_result_invocation(r));
    assert_true(embed_logged(&e, words));
    assert_true(embed_logged(&e, "unreachable"));
    ubiq_result_free(r);
    assert_string_equal(embed_invoke(&e, "prints", "to be read", 0), "0:");
    assert_true(embed_logged(&e, " INFO  prints invocation "));
    assert_true(embed_logged(&e, ": to be read\n"));
    assert_non_null(strstr(e.log, "info|"));
    assert_non_null(strstr(e.log, "error|"));
    embed_end(&e);
}

static void test_limits_and_permissions(void **state)
{
    embed_case e;
    uint64_t begun;

    (void)state;
    embed_make(&e, "[limits]\nrequest = \"8B\"\n[functions.loop.limits]\ncpu_time = \"50ms\"\n");
    embed_open(&e, NULL);
    assert_string_equal(embed_invoke(&e, "echo", "12345678", 0), "0:12345678");
    assert_string_equal(embed_invoke(&e, "echo", "123456789", 0),
                        "-4:the input is larger than the function takes");
    begun = embed_now_ms();
    assert_string_equal(embed_invoke(&e, "loop", "", 0),
                        "-7:the function used more CPU time than it may");
    assert_true(embed_now_ms() - begun < 5000);
    assert_string_equal(embed_invoke(&e, "count", "", 0),
                        "-8:the function failed; the server's log says more");
    assert_true(embed_logged(&e, "denied"));
    embed_end(&e);
}

static void test_services_last(void **state)
{
    embed_case e;

    (void)state;
    embed_make(&e, KV);
    embed_open(&e, NULL);
    assert_string_equal(embed_invoke(&e, "count", "", 0), "0:1");
    assert_string_equal(embed_invoke(&e, "count", "", 0), "0:2");
    assert_int_equal(ubiq_project_free(e.open), 0);
    embed_open(&e, NULL);
    assert_string_equal(embed_invoke(&e, "count", "", 0), "0:3");
    embed_end(&e);
}

static void test_a_caller_has_a_time_of_its_own(void **state)
{
    const ubiq_request request = {.method = "GET", .target = "/loop"};
    embed_case e;
    ubiq_result *r;
    uint64_t begun;

    (void)state;
    embed_make(&e, "[limits]\ncpu_time = \"1m\"\nwall_time = \"1m\"\n");
    embed_open(&e, NULL);
    begun = embed_now_ms();
    assert_string_equal(embed_invoke(&e, "loop", "", 100),
                        "-7:it took longer than its caller gave it");
    assert_true(embed_now_ms() - begun >= 90);
    assert_int_equal(ubiq_project_request(e.open, &request, 100, &r), UBIQ_TIMEOUT);
    assert_int_equal(ubiq_result_status(r), 0);
    ubiq_result_free(r);
    assert_true(embed_now_ms() - begun < 10000);
    assert_string_equal(embed_invoke(&e, "echo", "x", UINT64_MAX), "0:x");
    embed_end(&e);
}

/* --- Requests --- */

static const char *header(const ubiq_result *r, const char *name)
{
    for (size_t i = 0; i < ubiq_result_header_count(r); i++) {
        if (strcasecmp(ubiq_result_header_name(r, i), name) == 0)
            return ubiq_result_header_value(r, i);
    }
    return "";
}

static ubiq_result *request(embed_case *e, const ubiq_request *q)
{
    ubiq_result *r;

    assert_int_equal(ubiq_project_request(e->open, q, 20000, &r), UBIQ_OK);
    return r;
}

static void assert_answer(embed_case *e, const ubiq_request *q, int status, const char *body)
{
    ubiq_result *r = request(e, q);
    size_t len;

    assert_int_equal(ubiq_result_status(r), status);
    if (body)
        assert_string_equal(ubiq_result_output(r, &len), body);
    ubiq_result_free(r);
}

static void test_requests(void **state)
{
    static const char *const pairs[] = {"Content-Type", "text/plain", "content-length", "99"};
    const ubiq_request with_body = {"POST", "/echo?a=b", pairs, 2, "some words", 10};
    embed_case e;
    ubiq_result *r;

    (void)state;
    embed_make(&e, "[functions.count]\nmethods = [\"GET\"]\n");
    embed_open(&e, NULL);
    r = request(&e, &with_body);
    assert_int_equal(ubiq_result_status(r), 200);
    assert_string_equal(header(r, "Content-Length"), "10");
    assert_string_equal(header(r, "X-Invocation"), ubiq_result_invocation(r));
    assert_string_equal(header(r, "Connection"), "");
    assert_string_equal(ubiq_result_header_name(r, 100), "");
    ubiq_result_free(r);
    assert_answer(&e, &with_body, 200, "some words");
    assert_answer(&e, &(ubiq_request){.method = "GET", .target = "/echo"}, 200, "");
    assert_answer(&e, &(ubiq_request){.method = "GET", .target = "/missing"}, 404, NULL);
    assert_answer(&e, &(ubiq_request){.method = "GET", .target = "/trap"}, 500, NULL);
    assert_answer(&e, &(ubiq_request){.method = "GET", .target = "/healthz"}, 200, "ok\n");
    r = request(&e, &(ubiq_request){.method = "DELETE", .target = "/count"});
    assert_int_equal(ubiq_result_status(r), 405);
    assert_string_equal(header(r, "Allow"), "GET, HEAD, OPTIONS");
    ubiq_result_free(r);
    embed_end(&e);
}

static void test_large_requests(void **state)
{
    embed_case e;
    ubiq_result *r;
    size_t len, size = 1000000;
    char *body = malloc(2 * size);

    (void)state;
    assert_non_null(body);
    for (size_t i = 0; i < 2 * size; i++)
        body[i] = (char)(i * 7 / 3);
    embed_make(&e, "");
    project_write(&e.project, "public/large.bin", slice_of(body, size));
    embed_open(&e, NULL);
    r = request(&e, &(ubiq_request){"POST", "/echo", NULL, 0, body, size});
    assert_memory_equal(ubiq_result_output(r, &len), body, size);
    assert_int_equal(len, size);
    ubiq_result_free(r);
    r = request(&e, &(ubiq_request){.method = "GET", .target = "/large.bin"});
    assert_memory_equal(ubiq_result_output(r, &len), body, size);
    assert_int_equal(len, size);
    ubiq_result_free(r);
    r = request(&e, &(ubiq_request){.method = "HEAD", .target = "/large.bin"});
    ubiq_result_output(r, &len);
    assert_int_equal(len, 0);
    assert_string_equal(header(r, "content-length"), "1000000");
    ubiq_result_free(r);
    assert_answer(&e, &(ubiq_request){"POST", "/echo", NULL, 0, body, 2 * size}, 413, NULL);
    embed_end(&e);
    free(body);
}

static void test_middleware(void **state)
{
    static const char *const pairs[] = {"Origin", "http://shop.example"};
    embed_case e;
    ubiq_result *r;

    (void)state;
    embed_make(&e, "[middleware]\nuse = [\"cors\", \"rate_limit\"]\n"
                   "[middleware.cors]\norigins = [\"http://shop.example\"]\n"
                   "[middleware.rate_limit]\nrequests = 2\nper = \"1h\"\n");
    embed_open(&e, NULL);
    for (int n = 0; n < 3; n++) {
        r = request(&e, &(ubiq_request){"GET", "/echo", pairs, 1, NULL, 0});
        assert_int_equal(ubiq_result_status(r), n < 2 ? 200 : 429);
        assert_string_equal(header(r, "Access-Control-Allow-Origin"), "http://shop.example");
        ubiq_result_free(r);
    }
    embed_end(&e);
}

static void assert_refused(embed_case *e, const char *method, const char *target, const char *name,
                           const char *value)
{
    const char *const pairs[] = {name, value};
    const ubiq_request q = {method, target, pairs, 1, NULL, 0};
    ubiq_result *r;

    assert_int_equal(ubiq_project_request(e->open, &q, 0, &r), UBIQ_INVALID);
    assert_int_equal(ubiq_result_status(r), 0);
    assert_true(strlen(ubiq_result_error(r)) > 10);
    ubiq_result_free(r);
}

static void test_what_is_no_request(void **state)
{
    static char target[10000];
    embed_case e;

    (void)state;
    embed_make(&e, "");
    embed_open(&e, NULL);
    assert_refused(&e, "GET ", "/echo", "X", "y");
    assert_refused(&e, "", "/echo", "X", "y");
    assert_refused(&e, NULL, "/echo", "X", "y");
    assert_refused(&e, "GET", "echo", "X", "y");
    assert_refused(&e, "GET", "", "X", "y");
    assert_refused(&e, "GET", "/echo HTTP/1.1\r\nX: y", "X", "y");
    assert_refused(&e, "GET", "/echo", "X: y\r\nZ", "y");
    assert_refused(&e, "GET", "/echo", "X", "y\r\nZ: y");
    assert_refused(&e, "GET", "/echo", "", "y");
    assert_refused(&e, "GET", "/echo", "X", NULL);
    assert_refused(&e, "GET", "/echo", "transfer-encoding", "chunked");
    assert_refused(&e, "GET", "/echo", "Expect", "100-continue");
    /* What only the server can tell is answered. */
    memset(target, 'a', sizeof target - 1);
    target[0] = '/';
    target[sizeof target - 1] = '\0';
    assert_answer(&e, &(ubiq_request){.method = "GET", .target = target}, 414, NULL);
    embed_end(&e);
}

/* --- A project that is none --- */

static void assert_not_opened(const char *directory, const ubiq_options *o, int code,
                              const char *words)
{
    ubiq_project *p;
    char *text;

    assert_int_equal(ubiq_project_open(&p, directory, o, &text), code);
    assert_null(p);
    assert_non_null(text);
    if (!strstr(text, words))
        fail_msg("no \"%s\" in: %s", words, text);
    ubiq_text_free(text);
    assert_int_equal(ubiq_project_open(&p, directory, o, NULL), code);
}

static void test_projects_with_errors(void **state)
{
    const ubiq_options older = {.size = 8};
    embed_case e;

    (void)state;
    embed_make(&e, "[server]\nworker = 2\n");
    assert_not_opened("/nowhere/at/all", NULL, UBIQ_NOT_FOUND, "/nowhere/at/all");
    assert_not_opened(e.project.path, NULL, UBIQ_INVALID, "ubiq.toml:2");
    assert_not_opened(e.project.path, &older, UBIQ_INVALID, "version");
    project_write_text(&e.project, "ubiq.toml", "");
    assert_not_opened(e.project.path,
                      &(ubiq_options){.size = sizeof(ubiq_options), .listen = "nonsense"},
                      UBIQ_INVALID, "nonsense");
    project_write_text(&e.project, "functions/broken.wasm", "this is no module");
    embed_open(&e, NULL);
    assert_string_equal(embed_invoke(&e, "broken", "", 0),
                        "-8:the function's code cannot be used; the server's log says why");
    assert_true(embed_logged(&e, "ERROR broken: "));
    assert_string_equal(embed_invoke(&e, "echo", "well", 0), "0:well");
    embed_end(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_a_function_that_fails_is_in_the_log),
        cmocka_unit_test(test_limits_and_permissions),
        cmocka_unit_test(test_services_last),
        cmocka_unit_test(test_a_caller_has_a_time_of_its_own),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_large_requests),
        cmocka_unit_test(test_middleware),
        cmocka_unit_test(test_what_is_no_request),
        cmocka_unit_test(test_projects_with_errors),
    };

    return cmocka_run_group_tests(tests, guest_start, NULL);
}
