#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guest.h"

static const ExtismValType all[] = {ExtismValType_I32, ExtismValType_I64, ExtismValType_F32,
                                    ExtismValType_F64};

static size_t freed;

static void count_free(void *data)
{
    assert_ptr_equal(data, &freed);
    freed++;
}

static host_function *make(const char *name, const ExtismValType *in, size_t n_in,
                           const ExtismValType *out, size_t n_out)
{
    host_function *f = NULL;
    error err = {0};
    if (host_function_create(&f, name, in, n_in, out, n_out, &err) != 0)
        fail_msg("%s", error_text(&err));
    return f;
}

static void test_making_one(void **state)
{
    ExtismValType types[4];
    char name[] = "name";

    (void)state;
    memcpy(types, all, sizeof all);
    host_function *f = make(name, types, 4, types + 1, 2);
    memset(types, 0, sizeof types);
    memset(name, 'x', 4);
    assert_string_equal(f->name, "name");
    assert_string_equal(f->name_space, "extism:host/user");
    assert_int_equal(f->n_inputs, 4);
    assert_int_equal(f->n_outputs, 2);
    assert_int_equal(f->inputs[3], ExtismValType_F64);
    assert_int_equal(f->outputs[0], ExtismValType_I64);
    assert_int_equal(host_function_set_namespace(f, "other", NULL), 0);
    assert_string_equal(f->name_space, "other");
    host_function_unref(f);
    host_function_unref(NULL);
}

static void test_what_is_refused(void **state)
{
    static const ExtismValType bad[] = {ExtismValType_I32, (ExtismValType)4},
                               worse[] = {(ExtismValType)-1};
    host_function *f;
    error err = {0};

    (void)state;
    assert_int_equal(host_function_create(&f, NULL, NULL, 0, NULL, 0, &err), E_INVALID);
    assert_null(f);
    assert_int_equal(host_function_create(&f, "\xff", NULL, 0, NULL, 0, &err), E_INVALID);
    assert_int_equal(host_function_create(&f, "f", bad, 2, NULL, 0, &err), E_INVALID);
    assert_int_equal(host_function_create(&f, "f", NULL, 0, worse, 1, &err), E_INVALID);
    assert_non_null(err.text);
    assert_null(f);
    error_deinit(&err);
}

static void test_references(void **state)
{
    host_function *f = make("f", NULL, 0, NULL, 0);

    (void)state;
    freed = 0;
    f->user_data = &freed;
    f->free_user_data = count_free;
    assert_ptr_equal(host_function_ref(f), f);
    host_function_unref(f);
    assert_int_equal(freed, 0);
    host_function_unref(f);
    assert_int_equal(freed, 1);
}

static void nothing(ExtismCurrentPlugin *p, const ExtismVal *in, ExtismSize n_in, ExtismVal *out,
                    ExtismSize n_out, void *data)
{
    (void)p, (void)in, (void)n_in, (void)out, (void)n_out, (void)data;
}

/* User data lives as long as anything that may call the function. */
static void test_who_keeps_it(void **state)
{
    host_function *f = make("f", NULL, 0, NULL, 0);
    plugin *p;

    (void)state;
    freed = 0;
    f->call = nothing;
    f->user_data = &freed;
    f->free_user_data = count_free;
    compiled_plugin *code = guest_compile_with(
        "(module (import \"extism:host/user\" \"f\" (func $f)) (func (export \"g\") (call $f)))",
        &(compiled_options){.functions = &f, .function_count = 1});
    host_function_unref(f);
    assert_int_equal(plugin_create(&p, code, NULL), 0);
    compiled_plugin_unref(code);
    assert_int_equal(plugin_call(p, "g", slice_of("", 0), NULL), 0);
    assert_int_equal(freed, 0);
    plugin_destroy(p);
    assert_int_equal(freed, 1);
}

/* Turns the arguments round: 20 of all types, with values that no conversion would leave as they
 * are. */
static void turn_round(ExtismCurrentPlugin *p, const ExtismVal *in, ExtismSize n_in, ExtismVal *out,
                       ExtismSize n_out, void *data)
{
    (void)p, (void)data;
    assert_int_equal(n_in, 20);
    assert_int_equal(n_out, 20);
    for (ExtismSize i = 0; i < 20; i++) {
        assert_int_equal(in[i].t, all[i % 4]);
        assert_int_equal(out[i].t, all[i % 4]);
        assert_int_equal(out[i].v.i64, 0);
        out[i].v = in[(19 - i) / 4 * 4 + i % 4].v;
    }
}

static void test_many_values(void **state)
{
    ExtismValType types[20];
    char *params = strdup(""), *pushes = strdup(""), *checks = strdup(""), *text, *next;

    (void)state;
    for (int i = 0; i < 20; i++) {
        static const char *const names[] = {"i32", "i64", "f32", "f64"};
        types[i] = all[i % 4];
        assert_true(asprintf(&next, "%s %s", params, names[i % 4]) > 0);
        free(params);
        params = next;
        /* NaNs with a payload */
        assert_true(asprintf(&next,
                             i % 4 == 0   ? "%s (i32.const 0x8000%04x)"
                             : i % 4 == 1 ? "%s (i64.const 0x800000000000%04x)"
                             : i % 4 == 2
                                 ? "%s (f32.reinterpret_i32 (i32.const 0x7fa0%04x))"
                                 : "%s (f64.reinterpret_i64 (i64.const 0x7ff400000000%04x))",
                             pushes, i) > 0);
        free(pushes);
        pushes = next;
    }
    for (int i = 19; i >= 0; i--) {
        int from = (19 - i) / 4 * 4 + i % 4;
        assert_true(
            asprintf(&next,
                     i % 4 == 0 ? "%s (i32.const 0x8000%04x) i32.ne (if (then unreachable))"
                     : i % 4 == 1
                         ? "%s (i64.const 0x800000000000%04x) i64.ne (if (then unreachable))"
                     : i % 4 == 2 ? "%s i32.reinterpret_f32 (i32.const 0x7fa0%04x) i32.ne"
                                    " (if (then unreachable))"
                                  : "%s i64.reinterpret_f64 (i64.const 0x7ff400000000%04x) i64.ne"
                                    " (if (then unreachable))",
                     checks, from) > 0);
        free(checks);
        checks = next;
    }
    assert_true(
        asprintf(&text,
                 "(module (import \"extism:host/user\" \"f\" (func $f (param %s) (result %s)))"
                 "(func (export \"g\") %s (call $f) %s))",
                 params, params, pushes, checks) > 0);
    host_function *f = make("f", types, 20, types, 20);
    f->call = turn_round;
    compiled_plugin *code =
        guest_compile_with(text, &(compiled_options){.functions = &f, .function_count = 1});
    plugin *p;
    assert_int_equal(plugin_create(&p, code, NULL), 0);
    if (plugin_call(p, "g", slice_of("", 0), NULL) != 0)
        fail_msg("%s", plugin_error(p));
    plugin_destroy(p);
    compiled_plugin_unref(code);
    host_function_unref(f);
    free(text);
    free(params);
    free(pushes);
    free(checks);
}

static void give_99(ExtismCurrentPlugin *p, const ExtismVal *in, ExtismSize n_in, ExtismVal *out,
                    ExtismSize n_out, void *data)
{
    (void)p, (void)in, (void)n_in, (void)n_out, (void)data;
    out[0].v.i64 = 99;
}

static int32_t call_g(const char *text, host_function *f)
{
    compiled_plugin *code =
        guest_compile_with(text, &(compiled_options){.functions = &f, .function_count = 1});
    plugin *p;
    assert_int_equal(plugin_create(&p, code, NULL), 0);
    int32_t rc = plugin_call(p, "g", slice_of("", 0), NULL);
    plugin_destroy(p);
    compiled_plugin_unref(code);
    return rc;
}

static void give_a_float(ExtismCurrentPlugin *p, const ExtismVal *in, ExtismSize n_in,
                         ExtismVal *out, ExtismSize n_out, void *data)
{
    (void)p, (void)in, (void)n_in, (void)n_out, (void)data;
    out[0] = (ExtismVal){.t = ExtismValType_F64, .v.f64 = 1};
}

/* A result of another type than it was declared with stops the call. */
static void test_a_result_of_the_wrong_type(void **state)
{
    static const ExtismValType i64[] = {ExtismValType_I64};
    host_function *f = make("f", NULL, 0, i64, 1);

    (void)state;
    f->call = give_a_float;
    assert_int_equal(call_g("(module (import \"extism:host/user\" \"f\" (func $f (result i64)))"
                            "(func (export \"g\") (drop (call $f))))",
                            f),
                     -1);
    host_function_unref(f);
}

/* A function of the embedder's goes before the kernel's of the same name, and before the host's. */
static void test_namespaces(void **state)
{
    static const ExtismValType i64[] = {ExtismValType_I64};
    host_function *f = make("alloc", i64, 1, i64, 1);

    (void)state;
    f->call = give_99;
    assert_int_equal(
        call_g("(module (import \"extism:host/user\" \"alloc\" (func $f (param i64) (result i64)))"
               "(func (export \"g\") (result i32) (i32.wrap_i64 (call $f (i64.const 8)))))",
               f),
        99);
    assert_int_equal(host_function_set_namespace(f, "extism:host/env", NULL), 0);
    assert_int_equal(
        call_g("(module (import \"extism:host/env\" \"alloc\" (func $f (param i64) (result i64)))"
               "(import \"extism:host/env\" \"length\" (func $l (param i64) (result i64)))"
               "(func (export \"g\") (result i32) (i32.wrap_i64 (i64.add (call $l (i64.const 8))"
               " (call $f (i64.const 8))))))",
               f),
        99);
    host_function_unref(f);
    f = make("config_get", i64, 1, i64, 1);
    f->call = give_99;
    assert_int_equal(host_function_set_namespace(f, "extism:host/env", NULL), 0);
    assert_int_equal(
        call_g("(module (import \"extism:host/env\" \"config_get\""
               " (func $f (param i64) (result i64)))"
               "(func (export \"g\") (result i32) (i32.wrap_i64 (call $f (i64.const 8)))))",
               f),
        99);
    host_function_unref(f);
}

/* A name or namespace that the engine does not take is an error of the plug-in, not a crash. */
static void test_odd_namespaces(void **state)
{
    static const char *const names[] = {"", "\xff\xfe", "wasi_snapshot_preview1", "a\nb"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        host_function *f = make("f", NULL, 0, NULL, 0);
        compiled_plugin *code;
        f->call = nothing;
        assert_int_equal(host_function_set_namespace(f, names[i], NULL), 0);
        assert_int_equal(
            compiled_plugin_create(&code, slice_str("(module (func (export \"g\")))"),
                                   &(compiled_options){.functions = &f, .function_count = 1}, NULL),
            0);
        if (compiled_plugin_problem(code))
            assert_non_null(error_text(compiled_plugin_problem(code)));
        compiled_plugin_unref(code);
        host_function_unref(f);
    }
}

static void test_a_signature_that_does_not_fit(void **state)
{
    static const ExtismValType i64[] = {ExtismValType_I64};
    host_function *f = make("f", i64, 1, NULL, 0);
    compiled_plugin *code;

    (void)state;
    f->call = nothing;
    assert_int_equal(
        compiled_plugin_create(
            &code, slice_str("(module (import \"extism:host/user\" \"f\" (func (param i32))))"),
            &(compiled_options){.functions = &f, .function_count = 1}, NULL),
        0);
    assert_non_null(compiled_plugin_problem(code));
    assert_non_null(strstr(error_text(compiled_plugin_problem(code)), "f"));
    compiled_plugin_unref(code);
    host_function_unref(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_making_one),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_references),
        cmocka_unit_test(test_who_keeps_it),
        cmocka_unit_test(test_many_values),
        cmocka_unit_test(test_a_result_of_the_wrong_type),
        cmocka_unit_test(test_namespaces),
        cmocka_unit_test(test_odd_namespaces),
        cmocka_unit_test(test_a_signature_that_does_not_fit),
    };

    return cmocka_run_group_tests(tests, guest_start, NULL);
}
