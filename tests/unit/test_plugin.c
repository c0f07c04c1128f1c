#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "guest.h"

static compiled_plugin *code;

/* What the host function `again` does: calls a function of this plug-in. */
static plugin *called_again;
static int32_t again_code;

static void again(ExtismCurrentPlugin *p, const ExtismVal *in, ExtismSize n_in, ExtismVal *out,
                  ExtismSize n_out, void *data)
{
    (void)p, (void)n_in, (void)n_out, (void)data;
    out[0].v.i64 = in[0].v.i64 + 1;
    if (called_again)
        again_code = plugin_call(called_again, "count", slice_of("", 0), NULL);
}

static plugin *make_of(compiled_plugin *c)
{
    error err = {0};
    plugin *p = NULL;

    guest_take_signals();
    if (plugin_create(&p, c, &err) != 0)
        fail_msg("%s", error_text(&err));
    return p;
}

static plugin *make(void)
{
    return make_of(code);
}

static guest_result run(plugin *p, const char *function, const char *input)
{
    return guest_plugin_call(p, function, slice_of(input, strlen(input)));
}

static void assert_text(plugin *p, const char *function, const char *input, const char *output)
{
    guest_result r = run(p, function, input);
    if (r.code != 0 || r.error)
        fail_msg("%s: %d, %s", function, r.code, r.error);
    assert_string_equal(r.output, output);
    guest_result_free(&r);
}

static void assert_number(plugin *p, const char *function, int64_t expected)
{
    guest_result r = run(p, function, "");
    int64_t n = -1;
    assert_int_equal(r.code, 0);
    if (r.output_len == 8)
        memcpy(&n, r.output, 8);
    assert_int_equal(n, expected);
    guest_result_free(&r);
}

static void assert_fails(plugin *p, const char *function, const char *input, int32_t expected,
                         const char *words)
{
    guest_result r = run(p, function, input);
    assert_int_equal(r.code, expected);
    if (!r.error || !strstr(r.error, words))
        fail_msg("%s: %s", function, r.error);
    guest_result_free(&r);
}

/* The guest's state stays from call to call, errors do not. */
static void test_a_kept_plugin(void **state)
{
    plugin *p = make(), *other = make();

    (void)state;
    assert_number(p, "count", 1);
    assert_number(p, "count", 2);
    assert_number(other, "count", 1);
    assert_fails(p, "trap", "", 134, "unreachable");
    assert_number(p, "count", 3);
    assert_fails(p, "fail", "a reason", 3, "a reason");
    assert_text(p, "echo", "an input", "an input");
    assert_text(p, "echo", "", "");
    assert_fails(p, "nothing", "", -1, "Function not found: nothing");
    assert_fails(p, "\x01ubiq:reset", "", -1, "Function not found");
    assert_number(p, "count", 4);
    plugin_destroy(p);
    plugin_destroy(other);
    plugin_destroy(NULL);
}

/* A command that ran to its end leaves nothing, and its variables go too. */
static void test_commands(void **state)
{
    plugin *p = make();

    (void)state;
    assert_number(p, "count", 1);
    assert_text(p, "set var", "value", "");
    assert_number(p, "_start", 2);
    assert_number(p, "_start", 1);
    assert_text(p, "get var", "", "");
    assert_number(p, "count", 1);
    assert_number(p, "count", 2);
    plugin_destroy(p);
}

static void test_variables(void **state)
{
    plugin *p = make(), *other = make();

    (void)state;
    assert_text(p, "get var", "", "");
    assert_text(p, "set var", "value", "");
    assert_text(p, "get var", "", "value");
    assert_text(other, "get var", "", "");
    assert_fails(p, "trap", "", 134, "");
    assert_text(p, "get var", "", "value");
    assert_text(p, "set var", "", "");
    assert_text(p, "get var", "", "");
    plugin_destroy(p);
    plugin_destroy(other);
}

static void test_configuration(void **state)
{
    plugin *p = make();

    (void)state;
    assert_fails(p, "config", "a", 134, "unreachable");
    assert_true(plugin_config(p, slice_str("{\"a\": \"1\", \"b\": \"2\"}")));
    assert_text(p, "config", "a", "1");
    assert_true(plugin_config(p, slice_str("{\"a\": null, \"c\": \"\\u0033\"}")));
    assert_fails(p, "config", "a", 134, "unreachable");
    assert_text(p, "config", "b", "2");
    assert_text(p, "config", "c", "3");
    static const char *const bad[] = {"",
                                      "{",
                                      "[]",
                                      "{\"b\": 1}",
                                      "{\"b\": \"x\"} x",
                                      "{\"b\": \"\\ud800\"}",
                                      "null",
                                      "{\"b\": \"\xff\"}"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(plugin_config(p, slice_str(bad[i])));
    assert_text(p, "config", "b", "2");
    plugin_destroy(p);
}

static void test_which_functions_exist(void **state)
{
    plugin *p = make();

    (void)state;
    assert_true(plugin_function_exists(p, "count"));
    assert_true(plugin_function_exists(p, "fail"));
    assert_false(plugin_function_exists(p, "nothing"));
    assert_false(plugin_function_exists(p, ""));
    assert_false(plugin_function_exists(p, "\xff"));
    assert_false(plugin_function_exists(p, "\x01ubiq:reset"));
    plugin_destroy(p);
}

static void test_bad_arguments(void **state)
{
    plugin *p = make();

    (void)state;
    assert_int_equal(plugin_call(p, "\xff", slice_of("", 0), NULL), -1);
    assert_non_null(strstr(plugin_error(p), "utf-8"));
    assert_int_equal(plugin_call(p, NULL, slice_of("", 0), NULL), -1);
    assert_non_null(plugin_error(p));
    assert_int_equal(plugin_call(p, "echo", slice_of(NULL, 5), NULL), -1);
    assert_non_null(plugin_error(p));
    assert_int_equal(plugin_call(p, "echo", slice_of(NULL, 0), NULL), 0);
    assert_null(plugin_error(p));
    assert_int_equal(plugin_output(p).len, 0);
    assert_non_null(plugin_output(p).data);
    plugin_destroy(p);
}

static void test_before_the_first_call(void **state)
{
    plugin *p = make();

    (void)state;
    assert_null(plugin_error(p));
    assert_int_equal(plugin_output(p).len, 0);
    assert_true(plugin_reset(p));
    plugin_cancel(p);
    assert_number(p, "count", 1);
    plugin_destroy(p);
}

static void test_ids(void **state)
{
    plugin *p = make(), *other = make();
    uint8_t id[16];

    (void)state;
    memcpy(id, plugin_id(p), 16);
    assert_number(p, "_start", 1);
    assert_number(p, "count", 1);
    assert_memory_equal(plugin_id(p), id, 16);
    assert_memory_not_equal(plugin_id(other), id, 16);
    assert_int_equal(id[6] >> 4, 4); /* RFC 9562, version 4 */
    assert_int_equal(id[8] >> 6, 2);
    plugin_destroy(p);
    plugin_destroy(other);
}

static void test_a_plugin_that_calls_itself(void **state)
{
    plugin *p = make(), *other = make();

    (void)state;
    called_again = NULL;
    assert_number(p, "again", 6);
    called_again = p;
    assert_number(p, "again", 6);
    assert_int_equal(again_code, -1);
    called_again = other; /* another one may well be called */
    assert_number(p, "again", 6);
    assert_int_equal(again_code, 0);
    assert_number(other, "count", 2);
    assert_number(p, "count", 1);
    called_again = NULL;
    plugin_destroy(p);
    plugin_destroy(other);
}

static void *cancel_later(void *p)
{
    usleep(50000);
    plugin_cancel(p);
    return NULL;
}

static void test_cancel(void **state)
{
    plugin *p = make();
    pthread_t thread;

    (void)state;
    assert_number(p, "count", 1);
    for (int n = 0; n < 3; n++) {
        assert_int_equal(pthread_create(&thread, NULL, cancel_later, p), 0);
        assert_fails(p, "spin", "", 134, "timeout");
        pthread_join(thread, NULL);
        /* What came too late, or twice, harms no later call. */
        plugin_cancel(p);
        assert_number(p, "count", n + 2);
    }
    plugin_destroy(p);
}

static compiled_plugin *with_manifest(const char *more)
{
    char *encoded = guest_base64(guest_wat_binary("plugin.wat")), *text;
    host_function *f;

    assert_int_equal(host_function_create(&f, "again", (ExtismValType[]){ExtismValType_I64}, 1,
                                          (ExtismValType[]){ExtismValType_I64}, 1, NULL),
                     0);
    f->call = again;
    assert_true(asprintf(&text, "{\"wasm\": [{\"data\": \"%s\"}]%s}", encoded, more) > 0);
    compiled_plugin *c =
        guest_compile_with(text, &(compiled_options){.functions = &f, .function_count = 1});
    host_function_unref(f);
    free(text);
    free(encoded);
    return c;
}

static void test_timeouts(void **state)
{
    compiled_plugin *c = with_manifest(", \"timeout_ms\": 40");
    plugin *p = make_of(c);
    uint64_t begun = clock_ns();

    (void)state;
    assert_number(p, "count", 1);
    assert_fails(p, "spin", "", 134, "timeout");
    assert_true(clock_ns() - begun >= 40 * 1000000u);
    assert_number(p, "count", 2);
    assert_fails(p, "spin", "", 134, "timeout");
    plugin_destroy(p);
    compiled_plugin_unref(c);
    /* Longer than the clock can tell. */
    c = with_manifest(", \"timeout_ms\": 18446744073709551615");
    p = make_of(c);
    assert_number(p, "count", 1);
    plugin_destroy(p);
    compiled_plugin_unref(c);
}

static void test_a_limit_of_pages(void **state)
{
    compiled_plugin *c = with_manifest(", \"memory\": {\"max_pages\": 20}");
    plugin *p = make_of(c);
    char *large = calloc(1, 3000000);

    (void)state;
    assert_non_null(large);
    memset(large, 'a', 2999999);
    assert_number(p, "count", 1);
    assert_fails(p, "wide output", "", -1, "oom");
    assert_number(p, "count", 2);
    assert_fails(p, "echo", large, -1, "oom");
    assert_number(p, "count", 3);
    free(large);
    plugin_destroy(p);
    compiled_plugin_unref(c);
}

/* After a large call the kernel's memory goes back to the system, but what can be asked for
 * stays. */
static void test_trimming(void **state)
{
    plugin *p = make();
    size_t len = 5000000;
    uint8_t *large = malloc(len);

    (void)state;
    assert_non_null(large);
    for (size_t i = 0; i < len; i++)
        large[i] = (uint8_t)(i >> 7);
    assert_int_equal(plugin_call(p, "echo", slice_of(large, len), NULL), 0);
    assert_int_equal(plugin_output(p).len, len);
    assert_memory_equal(plugin_output(p).data, large, len);
    guest_result r = run(p, "late error", "");
    assert_int_equal(r.code, 1); /* its text begins a page */
    assert_int_equal(strlen(r.error), 10000);
    assert_int_equal(strspn(r.error, "e"), 10000);
    guest_result_free(&r);
    assert_int_equal(plugin_call(p, "wide output", slice_of("", 0), NULL), 0);
    assert_int_equal(plugin_output(p).len, 3014512);
    assert_int_equal(plugin_output(p).data[2000000], 7);
    free(large);
    plugin_destroy(p);
}

/* An error text as long as it likes is told in full, and stands shortened in the error of its
 * call. */
static void test_a_very_long_error(void **state)
{
    plugin *p = make();
    size_t len = 3000000;
    char *text = malloc(len + 1);

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < len; i += 3)
        memcpy(text + i, "\xe2\x82\xac", 3);
    text[len] = '\0';
    assert_fails(p, "fail", text, 3, text);
    text[len - 1] = 'x';
    assert_int_equal(plugin_call(p, "fail", slice_of(text, len), NULL), 3);
    assert_memory_equal(plugin_error(p), text, len);
    free(text);
    plugin_destroy(p);
}

static plugin *shared;

static void *count_often(void *unused)
{
    (void)unused;
    for (int i = 0; i < 200; i++)
        guest_require(plugin_call(shared, "count", slice_of("", 0), NULL) == 0);
    return NULL;
}

/* A second thread waits its turn. */
static void test_one_thread_at_a_time(void **state)
{
    pthread_t threads[4];

    (void)state;
    shared = make();
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_often, NULL), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_number(shared, "count", 801);
    plugin_destroy(shared);
}

/* A plug-in outlives whoever compiled it. */
static void test_references(void **state)
{
    compiled_plugin *c = with_manifest("");
    plugin *p = make_of(c), *q = make_of(c);

    (void)state;
    compiled_plugin_unref(c);
    assert_number(p, "count", 1);
    plugin_destroy(p);
    assert_number(q, "count", 1);
    plugin_destroy(q);
}

/* What cannot be a plug-in says so when it is made. */
static void test_what_cannot_be_made(void **state)
{
    compiled_plugin *c;
    error err = {0};
    plugin *p;

    (void)state;
    assert_int_equal(compiled_plugin_create(&c, slice_str("(module (import \"x\" \"y\" (func)))"),
                                            &(compiled_options){0}, NULL),
                     0);
    assert_int_not_equal(plugin_create(&p, c, &err), 0);
    assert_null(p);
    assert_non_null(strstr(error_text(&err), "x::y"));
    error_deinit(&err);
    compiled_plugin_unref(c);
    assert_int_equal(compiled_plugin_create(&c,
                                            slice_str("(module (memory 1) (data (i32.const 70000)"
                                                      " \"x\") (func (export \"f\")))"),
                                            &(compiled_options){0}, NULL),
                     0);
    p = make_of(c);
    assert_fails(p, "f", "", -1, "out of bounds memory access");
    assert_fails(p, "f", "", -1, "out of bounds memory access");
    plugin_destroy(p);
    compiled_plugin_unref(c);
}

static int set_up(void **state)
{
    if (guest_start(state) != 0)
        return -1;
    code = with_manifest("");
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
        cmocka_unit_test(test_a_kept_plugin),
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_variables),
        cmocka_unit_test(test_configuration),
        cmocka_unit_test(test_which_functions_exist),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_before_the_first_call),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_a_plugin_that_calls_itself),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_timeouts),
        cmocka_unit_test(test_a_limit_of_pages),
        cmocka_unit_test(test_trimming),
        cmocka_unit_test(test_a_very_long_error),
        cmocka_unit_test(test_one_thread_at_a_time),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_what_cannot_be_made),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
