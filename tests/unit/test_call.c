#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/clock.h"
#include "extism/http.h"
#include "guest.h"

/* How the host function `wait` behaves, and what is on its way. */
static struct {
    enum { AT_ONCE, AT_ONCE_FAILING, WRONG_TYPE, EARLY, LATER, NEVER } mode;
    host_wait *waiting[1000];
    size_t waiting_count;
    size_t started, cancelled, woken;
    uint64_t notes[100];
    size_t note_count;
} host;

static compiled_plugin *code;

static void cancelled(void *state)
{
    assert_ptr_equal(state, &host);
    host.cancelled++;
}

static void fill(host_wait *w, int32_t i, int64_t n)
{
    assert_int_equal(w->n_outputs, 2);
    assert_int_equal(w->outputs[0].t, ExtismValType_I64);
    assert_int_equal(w->outputs[1].t, ExtismValType_I32);
    w->outputs[0].v.i64 = n * 2;
    w->outputs[1].v.i32 = i + 1;
}

static bool start_wait(struct instance *caller, const ExtismVal *inputs, size_t n, host_wait *w,
                       void *data)
{
    assert_ptr_equal(data, &host);
    assert_ptr_equal(w->caller, caller);
    assert_int_equal(n, 2);
    host.started++;
    w->cancel = cancelled;
    w->state = &host;
    fill(w, inputs[0].v.i32, inputs[1].v.i64);
    if (host.mode == AT_ONCE_FAILING)
        w->failure = "it cannot be had";
    if (host.mode == WRONG_TYPE)
        w->outputs[1].t = ExtismValType_F64;
    if (host.mode < EARLY)
        return true;
    if (host.mode == EARLY)
        host_wait_finish(w);
    else
        host.waiting[host.waiting_count++] = w;
    return false;
}

static void note(ExtismCurrentPlugin *p, const ExtismVal *in, ExtismSize n_in, ExtismVal *out,
                 ExtismSize n_out, void *data)
{
    (void)p, (void)n_in, (void)out, (void)n_out, (void)data;
    if (host.note_count < 100)
        host.notes[host.note_count++] = (uint64_t)in[0].v.i64;
}

static void woken(call *c, void *arg)
{
    (void)c;
    assert_ptr_equal(arg, &host);
    host.woken++;
}

static call *start_with(const char *function, slice input, uint64_t wall_ms)
{
    call_options options = {
        .function = function, .input = input, .wall_ms = wall_ms, .wake = woken, .arg = &host};
    error err = {0};
    call *c;

    guest_take_signals();
    if (call_start(&c, code, &options, &err) != 0)
        fail_msg("%s", error_text(&err));
    return c;
}

static call *start(const char *function, const char *input)
{
    return start_with(function, slice_str(input), 0);
}

/* Runs a call to its end, which no wait delays. */
static guest_result finish(call *c)
{
    while (call_poll(c) != CALL_DONE)
        ;
    return guest_finish(c);
}

static guest_result whole(const char *function, const char *input)
{
    return finish(start(function, input));
}

static void assert_result(guest_result r, int32_t code_expected, const char *error_expected)
{
    assert_int_equal(r.code, code_expected);
    if (!error_expected)
        assert_null(r.error);
    else if (!r.error || !strstr(r.error, error_expected))
        fail_msg("%s", r.error);
    guest_result_free(&r);
}

static void assert_number(guest_result r, int64_t expected)
{
    int64_t n;
    assert_int_equal(r.code, 0);
    assert_int_equal(r.output_len, 8);
    memcpy(&n, r.output, 8);
    assert_int_equal(n, expected);
    guest_result_free(&r);
}

static void test_output(void **state)
{
    guest_result r = whole("echo", "some text");

    (void)state;
    assert_string_equal(r.output, "some text");
    assert_result(r, 0, NULL);
    r = whole("echo", "");
    assert_int_equal(r.output_len, 0);
    assert_result(r, 0, NULL);
}

static void test_a_large_input(void **state)
{
    size_t len = 20u << 20;
    uint8_t *bytes = malloc(len);

    (void)state;
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 31 >> 3);
    guest_result r = finish(start_with("echo", slice_of(bytes, len), 0));
    assert_int_equal(r.output_len, len);
    assert_memory_equal(r.output, bytes, len);
    assert_result(r, 0, NULL);
    free(bytes);
}

static void test_codes_and_errors(void **state)
{
    (void)state;
    assert_result(whole("code", ""), 7, NULL);
    assert_result(whole("wide", ""), -1, NULL);
    assert_result(whole("fail", "a reason"), 3, "a reason");
    assert_result(whole("fail and trap", "a reason"), -1, "a reason");
    assert_result(whole("trap", ""), 134, "unreachable");
}

/* A result that is a reference must be let go; a leak checker tells. */
static void test_a_reference_as_result(void **state)
{
    static const char text[] = "(module (func (export \"f\") (result externref) "
                               "(extern.convert_any (ref.i31 (i32.const 1)))))";
    compiled_plugin *fibers = guest_compile_fibers(text), *plain = guest_compile(text);
    plugin *p;

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_result(guest_call(fibers, "f", slice_str("")), -1, NULL);
    assert_int_equal(plugin_create(&p, plain, NULL), 0);
    for (int i = 0; i < 5; i++)
        assert_result(guest_plugin_call(p, "f", slice_str("")), -1, NULL);
    plugin_destroy(p);
    compiled_plugin_unref(fibers);
    compiled_plugin_unref(plain);
}

static void assert_no_call(const char *function, int rc, const char *text)
{
    call_options options = {.function = function};
    error err = {0};
    call *c;

    assert_int_equal(call_start(&c, code, &options, &err), rc);
    assert_null(c);
    if (!strstr(error_text(&err), text))
        fail_msg("%s", error_text(&err));
    error_deinit(&err);
}

static void test_what_cannot_be_called(void **state)
{
    (void)state;
    assert_no_call("nothing", E_NOT_FOUND, "Function not found: nothing");
    assert_no_call("no function", E_NOT_FOUND, "Function not found: no function");
    assert_no_call("of two", E_INVALID, "expected 2 arguments, got 0");
    assert_no_call("two", E_INVALID, "2 results");
    assert_no_call("", E_NOT_FOUND, "Function not found");
    assert_no_call("\x01ubiq:reset", E_NOT_FOUND, "Function not found");
    assert_no_call("\x01ubiq:start", E_NOT_FOUND, "Function not found");
}

/* No call sees the globals of the one before it. */
static void test_thousands_of_fresh_calls(void **state)
{
    struct rusage before, after;

    (void)state;
    for (int i = 0; i < 6000; i++) {
        assert_number(whole("count", ""), 1);
        if (i == 1000)
            getrusage(RUSAGE_SELF, &before);
    }
    getrusage(RUSAGE_SELF, &after);
    if (!BUILT_FOR(address_sanitizer) &&
        !BUILT_FOR(thread_sanitizer))                           /* they keep what was freed */
        assert_true(after.ru_maxrss - before.ru_maxrss < 4096); /* KiB */
    assert_int_equal(code->idle_count, 1);
}

/* Two calls that never wait share one thread. */
static void test_calls_take_turns(void **state)
{
    call *calls[2] = {start_with("turns", slice_of("\1\x28", 2), 0),
                      start_with("turns", slice_of("\2\x28", 2), 0)};
    bool done[2] = {false, false};
    size_t switches = 0;

    (void)state;
    host.note_count = 0;
    guest_start_ticks();
    while (!done[0] || !done[1]) {
        for (int i = 0; i < 2; i++)
            done[i] = done[i] || call_poll(calls[i]) == CALL_DONE;
    }
    guest_stop_ticks();
    assert_int_equal(host.note_count, 80);
    for (size_t i = 1; i < host.note_count; i++)
        switches += host.notes[i] != host.notes[i - 1];
    assert_true(switches >= 5);
    for (int i = 0; i < 2; i++)
        assert_result(guest_finish(calls[i]), 0, NULL);
}

static void test_waiting_ends_at_once(void **state)
{
    (void)state;
    host.mode = AT_ONCE;
    host.woken = 0;
    assert_number(whole("wait", ""), 20 + 40 + 3);
    assert_int_equal(host.woken, 0);
    host.mode = EARLY;
    assert_number(whole("wait", ""), 20 + 40 + 3);
    assert_int_equal(host.woken, 2);
    host.mode = AT_ONCE_FAILING;
    assert_result(whole("wait", ""), -1, "it cannot be had");
    host.mode = WRONG_TYPE;
    assert_result(whole("wait", ""), -1, "type mismatch");
}

static void test_waiting(void **state)
{
    call *c = start("wait", "");

    (void)state;
    host.mode = LATER;
    host.waiting_count = host.woken = host.cancelled = 0;
    for (int n = 0; n < 2; n++) {
        assert_int_equal(call_poll(c), CALL_WAITING);
        assert_int_equal(call_poll(c), CALL_WAITING);
        assert_int_equal(host.waiting_count, n + 1);
        assert_int_equal(host.woken, n);
        host_wait_finish(host.waiting[n]);
        assert_int_equal(host.woken, n + 1);
    }
    assert_int_equal(call_poll(c), CALL_DONE);
    assert_number(guest_finish(c), 20 + 40 + 3);
    assert_int_equal(host.cancelled, 0);
}

static void test_waiting_fails(void **state)
{
    char text[] = "it broke\nlater";
    call *c = start("wait", "");

    (void)state;
    host.mode = LATER;
    host.waiting_count = host.cancelled = 0;
    assert_int_equal(call_poll(c), CALL_WAITING);
    host.waiting[0]->failure = text;
    host_wait_finish(host.waiting[0]);
    memset(text, 'x', sizeof text - 1); /* it was copied */
    assert_int_equal(call_poll(c), CALL_DONE);
    assert_result(guest_finish(c), -1, "it broke\nlater");
    assert_int_equal(host.cancelled, 0);
}

static void test_destroyed_while_waiting(void **state)
{
    call *c = start("wait", "");

    (void)state;
    host.mode = NEVER;
    host.cancelled = 0;
    assert_int_equal(call_poll(c), CALL_WAITING);
    call_destroy(c);
    assert_int_equal(host.cancelled, 1);
    call_destroy(start("wait", "")); /* nothing ran */
    assert_int_equal(host.cancelled, 1);
    call_destroy(NULL);
}

static void test_many_wait(void **state)
{
    enum {
        CALLS = BUILT_FOR(thread_sanitizer) ? 50 : 500
    }; /* it takes most of the address space */
    static call *calls[CALLS];

    (void)state;
    host.mode = LATER;
    host.waiting_count = 0;
    for (size_t i = 0; i < CALLS; i++) {
        calls[i] = start("wait", "");
        assert_int_equal(call_poll(calls[i]), CALL_WAITING);
    }
    /* The second round of waits joins the same list. */
    for (size_t i = 0; i < CALLS; i++) {
        host_wait_finish(host.waiting[i]);
        assert_int_equal(call_poll(calls[i]), CALL_WAITING);
    }
    for (size_t i = CALLS; i-- > 0;) {
        host_wait_finish(host.waiting[CALLS + i]);
        assert_int_equal(call_poll(calls[i]), CALL_DONE);
        assert_number(guest_finish(calls[i]), 20 + 40 + 3);
    }
}

static void test_deadlines(void **state)
{
    uint64_t begun = clock_ns();
    call *c = start_with("spin", slice_str(""), 50);

    (void)state;
    guest_start_ticks();
    assert_false(call_is_late(c));
    guest_result r = finish(c);
    guest_stop_ticks();
    assert_true(clock_ns() - begun >= 50 * 1000000u);
    assert_true(clock_ns() - begun < 5000 * 1000000ull);
    assert_result(r, 134, "timeout");
}

/* A call that waits is not stopped by itself; its host sees that it is late. When it goes on, it
 * ends. */
static void test_late_while_waiting(void **state)
{
    call *c = start_with("wait and spin", slice_str(""), 20);

    (void)state;
    host.mode = LATER;
    host.waiting_count = 0;
    assert_int_equal(call_poll(c), CALL_WAITING);
    while (!call_is_late(c))
        ;
    assert_int_equal(call_poll(c), CALL_WAITING);
    host_wait_finish(host.waiting[0]);
    guest_start_ticks();
    guest_result r = finish(c);
    guest_stop_ticks();
    assert_result(r, 134, "timeout");
}

static void test_the_manifests_timeout(void **state)
{
    static const struct {
        const char *ms;
        bool late;
    } cases[] = {{"30", true}, {"18446744073709551615", false}, {"18446744073710", false}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *encoded = guest_base64(guest_binary(
                 "(module (func (export \"f\") (local i32) (loop $on (local.set 0 (i32.add "
                 "(local.get 0)"
                 " (i32.const 1))) (br_if $on (i32.ne (local.get 0) (i32.const 0x0fffffff))))"
                 " (loop $on (br $on)))"
                 "(func (export \"g\") (local i32) (loop $on (local.set 0 (i32.add (local.get 0)"
                 " (i32.const 1))) (br_if $on (i32.ne (local.get 0) (i32.const 0x0fffff))))))")),
             *text;
        assert_true(asprintf(&text, "{\"wasm\": [{\"data\": \"%s\"}], \"timeout_ms\": %s}", encoded,
                             cases[i].ms) > 0);
        compiled_plugin *timed = guest_compile_fibers(text);
        guest_start_ticks();
        guest_result r = guest_call(timed, cases[i].late ? "f" : "g", slice_str(""));
        guest_stop_ticks();
        assert_result(r, cases[i].late ? 134 : 0, cases[i].late ? "timeout" : NULL);
        compiled_plugin_unref(timed);
        free(text);
        free(encoded);
    }
}

/* Each call has all of the fuel, whoever used its instance before. */
static void test_fuel(void **state)
{
    static const char text[] =
        "(module (func (export \"some\") (local i32) (local.set 0 (i32.const 1000))"
        " (loop $on (br_if $on (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))"
        "(func (export \"all\") (loop $on (br $on))))";
    compiled_plugin *fuelled = guest_compile_with(
        text, &(compiled_options){.http = &guest_http, .has_fuel = true, .fuel = 9000});

    (void)state;
    for (int n = 0; n < 5; n++)
        guest_gives(fuelled, "some", "", "");
    for (int n = 0; n < 2; n++) {
        guest_fails(fuelled, "all", "", "plugin ran out of fuel");
        guest_gives(fuelled, "some", "", "");
    }
    compiled_plugin_unref(fuelled);
}

/* The order of start-up: the start function, then what the language's runtime has. */
static void assert_started(const char *exports, const char *output)
{
    char *text = NULL;
    assert_true(
        asprintf(&text,
                 "(module"
                 "(import \"extism:host/env\" \"alloc\" (func $alloc (param i64) (result i64)))"
                 "(import \"extism:host/env\" \"store_u64\" (func $store (param i64 i64)))"
                 "(import \"extism:host/env\" \"output_set\" (func $output (param i64 i64)))"
                 "(global $s (mut i64) (i64.const 0))"
                 "(func $add (param i64) (global.set $s (i64.or (i64.shl (global.get $s)"
                 " (i64.const 8)) (local.get 0))))"
                 "(func $start (call $add (i64.const 0x73))) (start $start)" /* s */
                 "%s"
                 "(func (export \"f\") (local i64) (call $add (i64.const 0x66))" /* f */
                 " (local.set 0 (call $alloc (i64.const 8)))"
                 " (call $store (local.get 0) (global.get $s))"
                 " (call $output (local.get 0) (i64.const 8))))",
                 exports) > 0);
    compiled_plugin *started = guest_compile_fibers(text);
    /* Each call starts anew. The first function's letter is the number's highest byte. */
    for (int n = 0; n < 3; n++)
        guest_gives(started, "f", "", output);
    compiled_plugin_unref(started);
    free(text);
}

#define LETTER(name, letter) "(func (export \"" name "\") (call $add (i64.const " letter ")))"

static void test_start_up(void **state)
{
    (void)state;
    assert_started("", "fs");
    assert_started(LETTER("_initialize", "0x69"), "fis");
    assert_started(LETTER("__wasm_call_ctors", "0x63"), "fcs");
    assert_started(LETTER("__wasm_call_ctors", "0x63") LETTER("_initialize", "0x69"), "fcs");
    assert_started(
        "(func (export \"hs_init\") (param i32 i32) (call $add (i64.const 0x68)))" LETTER(
            "_initialize", "0x69") LETTER("__wasm_call_ctors", "0x63"),
        "fhis");
}

static void test_start_up_that_fails(void **state)
{
    static const char *const bad[] = {
        "(module (func $s unreachable) (start $s) (func (export \"f\")))",
        "(module (func (export \"_initialize\") unreachable) (func (export \"f\")))",
        "(module (func (export \"__wasm_call_ctors\") unreachable) (func (export \"f\")))",
        "(module (func (export \"hs_init\") (param i32 i32) unreachable) (func (export \"f\")))",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        compiled_plugin *c = guest_compile_fibers(bad[i]);
        for (int n = 0; n < 2; n++) {
            guest_result r = guest_call(c, "f", slice_str(""));
            assert_int_equal(r.code, -1);
            assert_non_null(strstr(r.error, "unreachable"));
            guest_result_free(&r);
        }
        compiled_plugin_unref(c);
    }
}

/* A start-up function that never ends is stopped like any other. */
static void test_start_up_that_spins(void **state)
{
    compiled_plugin *c = guest_compile_fibers("(module (func $s (loop $on (br $on))) (start $s)"
                                              "(func (export \"f\")))");
    call_options options = {.function = "f", .wall_ms = 20};
    call *started;

    (void)state;
    guest_start_ticks();
    assert_int_equal(call_start(&started, c, &options, NULL), 0);
    guest_result r = finish(started);
    guest_stop_ticks();
    assert_result(r, -1, "timeout");
    compiled_plugin_unref(c);
}

/* What cannot be linked is told when a call is started, every time. */
static void test_imports_that_nobody_has(void **state)
{
    compiled_plugin *c = NULL;
    call_options options = {.function = "f"};
    error err = {0};
    call *started;

    (void)state;
    assert_int_equal(compiled_plugin_create(&c,
                                            slice_str("(module (import \"x\" \"y\" (func))"
                                                      "(func (export \"f\")))"),
                                            &(compiled_options){.http = &guest_http}, &err),
                     0);
    assert_non_null(compiled_plugin_problem(c));
    for (int n = 0; n < 2; n++) {
        assert_int_not_equal(call_start(&started, c, &options, &err), 0);
        assert_non_null(strstr(error_text(&err), "x::y"));
        error_deinit(&err);
    }
    compiled_plugin_unref(c);
}

static struct {
    void (*done)(void *arg, int curl_code);
    void *arg;
    size_t started, cancelled;
} http;

static void *start_http(struct http_request *request, void (*done)(void *arg, int curl_code),
                        void *arg)
{
    assert_non_null(request);
    http.done = done;
    http.arg = arg;
    http.started++;
    return &http;
}

static void cancel_http(void *started)
{
    assert_ptr_equal(started, &http);
    http.cancelled++;
}

static void test_http_on_a_driver(void **state)
{
    static const http_driver driver = {.start = start_http, .cancel = cancel_http};
    static const char guest[] =
        "(module (import \"extism:host/env\" \"http_request\" (func $http (param i64 i64) (result "
        "i64)))"
        "(import \"extism:host/env\" \"input_offset\" (func $input (result i64)))"
        "(func (export \"f\") (drop (call $http (call $input) (i64.const 0)))))";
    char *encoded = guest_base64(guest_binary(guest)), *text;
    call_options options = {.function = "f",
                            .input = slice_str("{\"url\": \"http://127.0.0.1:9/\"}"),
                            .wake = woken,
                            .arg = &host};
    call *c;

    (void)state;
    assert_true(asprintf(&text, "{\"wasm\": [{\"data\": \"%s\"}], \"allowed_hosts\": [\"*\"]}",
                         encoded) > 0);
    compiled_plugin *asking = guest_compile_with(text, &(compiled_options){.http = &driver});
    host.woken = 0;
    assert_int_equal(call_start(&c, asking, &options, NULL), 0);
    assert_int_equal(call_poll(c), CALL_WAITING);
    assert_int_equal(http.started, 1);
    http.done(http.arg, 7 /* it could not connect */);
    assert_int_equal(host.woken, 1);
    assert_int_equal(call_poll(c), CALL_DONE);
    assert_int_not_equal(call_code(c), 0);
    assert_non_null(call_error(c));
    call_destroy(c);
    assert_int_equal(http.cancelled, 0);
    assert_int_equal(call_start(&c, asking, &options, NULL), 0);
    assert_int_equal(call_poll(c), CALL_WAITING);
    call_destroy(c);
    assert_int_equal(http.cancelled, 1);
    options.input = slice_str("{\"url\": 1}");
    assert_int_equal(call_start(&c, asking, &options, NULL), 0);
    assert_int_equal(call_poll(c), CALL_DONE);
    assert_non_null(call_error(c));
    call_destroy(c);
    assert_int_equal(http.started, 2);
    compiled_plugin_unref(asking);
    free(text);
    free(encoded);
}

static int set_up(void **state)
{
    static const ExtismValType in[] = {ExtismValType_I32, ExtismValType_I64};
    static const ExtismValType out[] = {ExtismValType_I64, ExtismValType_I32};
    host_function *functions[2];
    char *text;

    if (guest_start(state) != 0 ||
        host_function_create(&functions[0], "wait", in, 2, out, 2, NULL) != 0 ||
        host_function_create(&functions[1], "note", in + 1, 1, NULL, 0, NULL) != 0)
        return -1;
    functions[0]->start = start_wait;
    functions[0]->user_data = &host;
    functions[1]->call = note;
    text = guest_wat("call.wat");
    code = guest_compile_with(
        text,
        &(compiled_options){.http = &guest_http, .functions = functions, .function_count = 2});
    free(text);
    host_function_unref(functions[0]);
    host_function_unref(functions[1]);
    return 0;
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
        cmocka_unit_test(test_output),
        cmocka_unit_test(test_a_large_input),
        cmocka_unit_test(test_codes_and_errors),
        cmocka_unit_test(test_a_reference_as_result),
        cmocka_unit_test(test_what_cannot_be_called),
        cmocka_unit_test(test_thousands_of_fresh_calls),
        cmocka_unit_test(test_calls_take_turns),
        cmocka_unit_test(test_waiting_ends_at_once),
        cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_waiting_fails),
        cmocka_unit_test(test_destroyed_while_waiting),
        cmocka_unit_test(test_many_wait),
        cmocka_unit_test(test_deadlines),
        cmocka_unit_test(test_late_while_waiting),
        cmocka_unit_test(test_the_manifests_timeout),
        cmocka_unit_test(test_fuel),
        cmocka_unit_test(test_start_up),
        cmocka_unit_test(test_start_up_that_fails),
        cmocka_unit_test(test_start_up_that_spins),
        cmocka_unit_test(test_imports_that_nobody_has),
        cmocka_unit_test(test_http_on_a_driver),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
