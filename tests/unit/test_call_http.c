#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "extism/http.h"
#include "extism/log.h"
#include "guest.h"

/* http_request in a call whose plug-in was compiled with a policy. */

static const char guest[] =
    "(module (import \"extism:host/env\" \"http_request\" (func $http (param i64 i64) (result "
    "i64)))"
    "(import \"extism:host/env\" \"input_offset\" (func $input (result i64)))"
    "(func (export \"f\") (drop (call $http (call $input) (i64.const 0)))))";

static char logged[4096];
static int context;
static int denied; /* what the policy returns */
static size_t started;

static void take_line(const char *line, uint64_t len)
{
    size_t at = strlen(logged);

    snprintf(logged + at, sizeof logged - at, "%.*s", (int)len, line);
}

static int judge(void *host_context, const http_target *target, error *err)
{
    assert_ptr_equal(host_context, &context);
    return denied ? error_set(err, denied, "%.*s is not for you", (int)target->host.len,
                              (const char *)target->host.data)
                  : 0;
}

/* Runs the request to its end at once. */
static void *start_http(struct http_request *request, void (*done)(void *arg, int curl_code),
                        void *arg)
{
    (void)request;
    started++;
    done(arg, 7 /* it could not connect */);
    return NULL;
}

static void cancel_http(void *unused)
{
    (void)unused;
}

static void wake(call *c, void *arg)
{
    (void)c, (void)arg;
}

/* What a call comes to that asks for the URL; the caller frees it. */
static guest_result ask(const char *input)
{
    static const http_driver driver = {.start = start_http, .cancel = cancel_http};
    const compiled_options compiled = {.http = &driver, .http_policy = judge};
    const call_options options = {
        .function = "f", .input = slice_str(input), .host_context = &context, .wake = wake};
    compiled_plugin *code = guest_compile_with(guest, &compiled);
    guest_result r;
    call *c;

    logged[0] = '\0';
    assert_int_equal(call_start(&c, code, &options, NULL), 0);
    while (call_poll(c) != CALL_DONE)
        ;
    r = guest_finish(c);
    compiled_plugin_unref(code);
    log_drain(take_line);
    return r;
}

static void test_denials_are_logged(void **state)
{
    guest_result r;

    (void)state;
    denied = E_DENIED;
    r = ask("{\"url\": \"http://a.test/\"}");
    assert_non_null(strstr(r.error, "a.test is not for you"));
    assert_non_null(strstr(logged, " WARN extism::pdk: a.test is not for you plugin="));
    assert_int_equal(started, 0);
    guest_result_free(&r);

    denied = E_TOO_LARGE;
    r = ask("{\"url\": \"http://a.test/\"}");
    assert_non_null(strstr(r.error, "a.test is not for you"));
    assert_string_equal(logged, "");
    guest_result_free(&r);

    denied = 0;
    r = ask("{\"url\": \"http://a.test/\"}");
    assert_non_null(r.error);
    assert_string_equal(logged, "");
    assert_int_equal(started, 1);
    guest_result_free(&r);
}

static int start(void **state)
{
    return log_to_buffer("info", NULL) ? -1 : guest_start(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_denials_are_logged),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
