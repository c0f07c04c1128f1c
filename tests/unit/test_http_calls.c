#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "extism/http.h"
#include "extism/limits.h"
#include "guest.h"

/* ubiq_http_start and its kin: requests of one call beside each other. The driver here does nothing until it
 * is told to. */

static const char guest[] =
    "(module"
    "  (import \"extism:host/env\" \"input_length\" (func $length (result i64)))"
    "  (import \"extism:host/env\" \"input_load_u8\" (func $load (param i64) (result i32)))"
    "  (import \"extism:host/env\" \"alloc\" (func $alloc (param i64) (result i64)))"
    "  (import \"extism:host/env\" \"store_u8\" (func $store (param i64 i32)))"
    "  (import \"extism:host/env\" \"length\" (func $size (param i64) (result i64)))"
    "  (import \"extism:host/env\" \"output_set\" (func $output (param i64 i64)))"
    "  (import \"extism:host/user\" \"ubiq_http_start\" (func $start (param i64 i64) (result i64)))"
    "  (import \"extism:host/user\" \"ubiq_http_wait\" (func $wait (param i64) (result i64)))"
    "  (import \"extism:host/user\" \"ubiq_http_head\" (func $head (param i64) (result i64)))"
    "  (import \"extism:host/user\" \"ubiq_http_body\" (func $body (param i64) (result i64)))"
    /* The input as a block. */
    "  (func $request (result i64) (local $p i64) (local $i i64)"
    "    (local.set $p (call $alloc (call $length)))"
    "    (loop $l"
    "      (call $store (i64.add (local.get $p) (local.get $i)) (call $load (local.get $i)))"
    "      (local.set $i (i64.add (local.get $i) (i64.const 1)))"
    "      (br_if $l (i64.lt_u (local.get $i) (call $length))))"
    "    (local.get $p))"
    /* Starts seven and waits for all; the code is the number of those that were told of. */
    "  (func (export \"seven\") (result i32) (local $n i32)"
    "    (loop $l"
    "      (drop (call $start (call $request) (i64.const 0)))"
    "      (local.set $n (i32.add (local.get $n) (i32.const 1)))"
    "      (br_if $l (i32.lt_u (local.get $n) (i32.const 7))))"
    "    (local.set $n (i32.const 0))"
    "    (block $done (loop $l"
    "      (br_if $done (i64.lt_s (call $wait (i64.const -1)) (i64.const 0)))"
    "      (local.set $n (i32.add (local.get $n) (i32.const 1)))"
    "      (br $l)))"
    "    (local.get $n))"
    /* Starts one, waits, and puts out its head. */
    "  (func (export \"head\") (result i32) (local $id i64) (local $head i64)"
    "    (drop (call $start (call $request) (i64.const 0)))"
    "    (local.set $id (call $wait (i64.const -1)))"
    "    (local.set $head (call $head (local.get $id)))"
    "    (call $output (local.get $head) (call $size (local.get $head)))"
    "    (drop (call $body (local.get $id)))"
    "    (i32.and (i64.eq (call $head (local.get $id)) (i64.const -3))"
    "             (i64.eq (call $body (local.get $id)) (i64.const -3))))"
    /* Nothing is under way; one is, for which 1 ms is too short; its head is not there yet. */
    "  (func (export \"early\") (result i32)"
    "    (if (i64.ne (call $wait (i64.const -1)) (i64.const -1)) (then (return (i32.const 1))))"
    "    (drop (call $start (call $request) (i64.const 0)))"
    "    (if (i64.ne (call $wait (i64.const 1)) (i64.const 0)) (then (return (i32.const 2))))"
    "    (if (i64.ne (call $head (i64.const 1)) (i64.const -3)) (then (return (i32.const 3))))"
    "    (i32.const 0))"
    /* More than there may be. */
    "  (func (export \"many\") (result i32) (local $n i32)"
    "    (loop $l"
    "      (drop (call $start (call $request) (i64.const 0)))"
    "      (local.set $n (i32.add (local.get $n) (i32.const 1)))"
    "      (br_if $l (i32.le_u (local.get $n) (i32.const 100))))"
    "    (i32.wrap_i64 (call $wait (i64.const -1))))"
    /* So many more that none of those that are too much is started either. */
    "  (func (export \"far_too_many\") (result i32) (local $n i32)"
    "    (loop $l"
    "      (drop (call $start (call $request) (i64.const 0)))"
    "      (local.set $n (i32.add (local.get $n) (i32.const 1)))"
    "      (br_if $l (i32.lt_u (local.get $n) (i32.const 150))))"
    "    (local.set $n (i32.const 0))"
    "    (block $done (loop $l"
    "      (br_if $done (i64.eqz (call $wait (i64.const 0))))"
    "      (local.set $n (i32.add (local.get $n) (i32.const 1)))"
    "      (br $l)))"
    "    (local.get $n))"
    /* Does not wait for it. */
    "  (func (export \"leave\") (result i32)"
    "    (drop (call $start (call $request) (i64.const 0)))"
    "    (i32.const 0))"
    /* Without end. */
    "  (func (export \"endless\") (result i32)"
    "    (loop $l"
    "      (drop (call $start (i64.const 0) (i64.const 0)))"
    "      (br $l))"
    "    (i32.const 0)))";

static struct transfer {
    void (*done)(void *arg, int curl_code);
    void *arg;
    bool cancelled;
} transfer[200];

static size_t started, woken;
static bool deny;

static void *start_http(struct http_request *request, void (*done)(void *arg, int curl_code),
                        void *arg)
{
    assert_non_null(request);
    transfer[started] = (struct transfer){.done = done, .arg = arg};
    return &transfer[started++];
}

static void cancel_http(void *one)
{
    ((struct transfer *)one)->cancelled = true;
}

static int judge(void *host_context, const http_target *target, error *err)
{
    (void)host_context, (void)target;
    return deny ? error_set(err, E_DENIED, "not \"this\"") : 0;
}

static void wake(call *c, void *arg)
{
    (void)c, (void)arg;
    woken++;
}

static compiled_plugin *code;

static call *begin(const char *function)
{
    const call_options options = {
        .function = function, .input = slice_str("{\"url\": \"http://a.test/\"}"), .wake = wake};
    call *c;

    started = woken = 0;
    guest_take_signals();
    assert_int_equal(call_start(&c, code, &options, NULL), 0);
    return c;
}

static void test_five_run_at_once(void **state)
{
    call *c = begin("seven");

    (void)state;
    assert_int_equal(call_poll(c), CALL_WAITING);
    assert_int_equal(started, LIMIT_HTTP_AT_ONCE);
    for (size_t i = 0; i < 7; i++) {
        size_t before = woken;
        assert_true(i < started);
        transfer[i].done(transfer[i].arg, 7 /* it could not connect */);
        assert_int_equal(woken, before + 1);
        assert_int_equal(call_poll(c), i < 6 ? CALL_WAITING : CALL_DONE);
        assert_int_equal(started, i < 2 ? LIMIT_HTTP_AT_ONCE + i + 1 : 7);
    }
    guest_result r = guest_finish(c);
    assert_int_equal(r.code, 7);
    guest_result_free(&r);
}

/* Several that end before the guest goes on are told one after the other, without another wait. */
static void test_ends_together(void **state)
{
    call *c = begin("seven");

    (void)state;
    assert_int_equal(call_poll(c), CALL_WAITING);
    for (size_t i = 0; i < 7; i++)
        transfer[i].done(transfer[i].arg, 7);
    assert_int_equal(woken, 1);
    assert_int_equal(call_poll(c), CALL_DONE);
    guest_result r = guest_finish(c);
    assert_int_equal(r.code, 7);
    guest_result_free(&r);
}

static void test_a_call_that_goes_cancels(void **state)
{
    call *c = begin("seven");

    (void)state;
    assert_int_equal(call_poll(c), CALL_WAITING);
    transfer[1].done(transfer[1].arg, 7);
    call_destroy(c);
    for (size_t i = 0; i < started; i++)
        assert_int_equal(transfer[i].cancelled, i != 1);
}

/* A call that has ended may be kept for another one, which is somebody else's. */
static void test_none_outlive_their_call(void **state)
{
    call *c = begin("leave");

    (void)state;
    assert_int_equal(call_poll(c), CALL_DONE);
    assert_int_equal(started, 1);
    assert_true(transfer[0].cancelled);
    call_destroy(c);
}

static void gives_head(const char *head)
{
    call *c = begin("head");

    if (!deny) {
        assert_int_equal(call_poll(c), CALL_WAITING);
        transfer[0].done(transfer[0].arg, 7);
    }
    assert_int_equal(call_poll(c), CALL_DONE);
    guest_result r = guest_finish(c);
    assert_int_equal(r.code, 1);
    if (!strstr(r.output, head))
        fail_msg("%s", r.output);
    guest_result_free(&r);
}

static void test_heads_of_failures(void **state)
{
    (void)state;
    gives_head("{\"error\":{\"code\":\"unavailable\",\"message\":\"");
    deny = true;
    gives_head("{\"error\":{\"code\":\"denied\",\"message\":\"not \\\"this\\\"\"}}");
    deny = false;
    assert_int_equal(started, 0);
}

static void test_waits_that_find_nothing(void **state)
{
    call *c = begin("early");
    enum call_status status;

    (void)state;
    while ((status = call_poll(c)) == CALL_READY)
        ;
    assert_int_equal(status, CALL_DONE);
    guest_result r = guest_finish(c);
    assert_int_equal(r.code, 0);
    guest_result_free(&r);
}

static void test_too_many(void **state)
{
    call *c = begin("many");

    (void)state;
    /* The one that is too much has ended at once. */
    assert_int_equal(call_poll(c), CALL_DONE);
    guest_result r = guest_finish(c);
    assert_int_equal(r.code, LIMIT_HTTP_CALLS + 1);
    guest_result_free(&r);
}

static void test_far_too_many(void **state)
{
    call *c = begin("far_too_many");

    (void)state;
    while (call_poll(c) == CALL_READY)
        ;
    guest_result r = guest_finish(c);
    assert_int_equal(r.code, 150 - LIMIT_HTTP_CALLS);
    guest_result_free(&r);
}

/* What is told of those that are too much takes the host's memory. */
static void test_without_end(void **state)
{
    call *c = begin("endless");

    (void)state;
    assert_int_equal(call_poll(c), CALL_DONE);
    guest_result r = guest_finish(c);
    assert_non_null(strstr(r.error, "more than 100 requests are under way"));
    guest_result_free(&r);
}

static int set_up(void **state)
{
    static const http_driver driver = {.start = start_http, .cancel = cancel_http};
    int rc = guest_start(state);

    code = guest_compile_with(guest, &(compiled_options){.http = &driver, .http_policy = judge});
    return rc;
}

static int tear_down(void **state)
{
    (void)state;
    compiled_plugin_unref(code);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_five_run_at_once),
        cmocka_unit_test(test_ends_together),
        cmocka_unit_test(test_a_call_that_goes_cancels),
        cmocka_unit_test(test_heads_of_failures),
        cmocka_unit_test(test_waits_that_find_nothing),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_none_outlive_their_call),
        cmocka_unit_test(test_far_too_many),
        cmocka_unit_test(test_without_end),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
