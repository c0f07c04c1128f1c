#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>

#include "extism/compiled_plugin_internal.h"
#include "extism/engine.h"
#include "extism/instance_internal.h"
#include "guest.h"

/* "ubiq_prepare" (extism/call.h): runs once, and all calls begin with what it left behind. */

/* A guest that tells what it finds: bytes 0..8 of its memory and its global, and changes both. */
#define GUEST(prepare)                                                                             \
    "(module"                                                                                      \
    "  (import \"extism:host/env\" \"alloc\" (func $alloc (param i64) (result i64)))"              \
    "  (import \"extism:host/env\" \"store_u64\" (func $store (param i64 i64)))"                   \
    "  (import \"extism:host/env\" \"output_set\" (func $output (param i64 i64)))"                 \
    "  (import \"extism:host/env\" \"input_length\" (func $input (result i64)))"                   \
    "  (import \"extism:host/env\" \"var_get\" (func $var (param i64) (result i64)))"              \
    "  (import \"extism:host/env\" \"config_get\" (func $config (param i64) (result i64)))"        \
    "  (import \"extism:host/user\" \"own\" (func $own (param i64) (result i64)))"                 \
    "  (memory (export \"memory\") 2)"                                                             \
    "  (global $g (mut i64) (i64.const 5))"                                                        \
    "  (data (i32.const 0) \"12345678\")"                                                          \
    "  (func (export \"ubiq_prepare\") (result i32)" prepare ")"                                   \
    "  (func (export \"look\") (result i32) (local $p i64)"                                        \
    "    (local.set $p (call $alloc (i64.const 24)))"                                              \
    "    (call $store (local.get $p) (i64.load (i32.const 0)))"                                    \
    "    (call $store (i64.add (local.get $p) (i64.const 8)) (global.get $g))"                     \
    "    (call $store (i64.add (local.get $p) (i64.const 16)) (call $input))"                      \
    "    (call $output (local.get $p) (i64.const 24))"                                             \
    "    (i64.store (i32.const 0) (i64.add (i64.load (i32.const 0)) (i64.const 1)))"               \
    "    (i64.store (i32.const 70000) (i64.const 99))"                                             \
    "    (global.set $g (i64.add (global.get $g) (i64.const 1)))"                                  \
    "    (i32.const 0)))"

#define WRITE "(i64.store (i32.const 0) (i64.const 7)) (global.set $g (i64.const 8))"

static int called; /* the host's own function, */

static void own(ExtismCurrentPlugin *p, const ExtismVal *in, ExtismSize n_in, ExtismVal *out,
                ExtismSize n_out, void *data)
{
    (void)p, (void)in, (void)n_in, (void)n_out, (void)data;
    called++;
    out[0].v.i64 = 0;
}

static compiled_plugin *compile(const char *text)
{
    static const ExtismValType i64 = ExtismValType_I64;
    host_function *f;
    compiled_plugin *code;

    called = 0;
    assert_int_equal(host_function_create(&f, "own", &i64, 1, &i64, 1, NULL), 0);
    f->call = own;
    code = guest_compile_with(
        text, &(compiled_options){.http = &guest_http, .functions = &f, .function_count = 1});
    host_function_unref(f);
    return code;
}

/* What a call finds, which must be the same for each of several. */
static void finds(compiled_plugin *code, uint64_t memory, uint64_t global)
{
    for (int i = 0; i < 3; i++) {
        guest_result r = guest_call(code, "look", slice_str("input"));
        uint64_t seen[3];

        if (r.code != 0)
            fail_msg("%s", r.error);
        assert_int_equal(r.output_len, sizeof seen);
        memcpy(seen, r.output, sizeof seen);
        assert_int_equal(seen[0], memory);
        assert_int_equal(seen[1], global);
        assert_int_equal(seen[2], 5);
        guest_result_free(&r);
    }
}

#define UNPREPARED 0x3837363534333231u

static void test_calls_begin_behind_it(void **state)
{
    compiled_plugin *code = compile(GUEST(WRITE "(i32.const 0)"));

    (void)state;
    finds(code, 7, 8);
    assert_int_equal(code->prepare_stage, PREPARE_DONE);
    /* New instances too. */
    instance_destroy_idle(code);
    finds(code, 7, 8);
    compiled_plugin_unref(code);
}

static void test_it_is_no_entry(void **state)
{
    compiled_plugin *code = compile(GUEST("(i32.const 0)"));

    (void)state;
    assert_string_equal(compiled_plugin_entry(code, "handle"), "look");
    compiled_plugin_unref(code);
}

/* An instance that was put back before there was anything to begin behind. */
static void test_idle_instances_catch_up(void **state)
{
    compiled_plugin *code = compile(GUEST(WRITE "(i32.const 0)"));
    plugin_state a, b;
    instance *first, *second;

    (void)state;
    plugin_state_init(&a, &code->manifest);
    plugin_state_init(&b, &code->manifest);
    first = guest_instance(code, &a);
    second = guest_instance(code, &b);
    instance_release(first);
    instance_release(second);
    assert_int_equal(code->idle_count, 2);
    /* The first call prepares in one of the two; then both are used at once. */
    finds(code, 7, 8);
    first = guest_instance(code, &a);
    second = guest_instance(code, &b);
    assert_true(first->prepared && second->prepared);
    for (int i = 0; i < 2; i++) {
        instance *one = i ? second : first;
        uint64_t value;
        memcpy(&value, wasmtime_memory_data(one->context, &one->members[0].memories[0]),
               sizeof value);
        assert_int_equal(value, 7);
        instance_release(one);
    }
    plugin_state_deinit(&a);
    plugin_state_deinit(&b);
    compiled_plugin_unref(code);
}

/* Whatever it has done then counts for nothing. */
static void test_refused(void **state)
{
    static const char *const guests[] = {
        GUEST(WRITE "(i32.const 1)"),
        GUEST(WRITE "unreachable"),
        GUEST(WRITE "(drop (call $own (i64.const 0))) (i32.const 0)"),
        GUEST(WRITE "(drop (call $var (i64.const 0))) (i32.const 0)"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof guests / sizeof guests[0]; i++) {
        compiled_plugin *code = compile(guests[i]);
        finds(code, UNPREPARED, 5);
        assert_int_equal(code->prepare_stage, PREPARE_REFUSED);
        assert_int_equal(called, 0);
        compiled_plugin_unref(code);
    }
}

/* What a start-up function leaves behind would be kept with it, so it may not ask the host either; what
 * it does when nothing is kept, it may. */
static void test_start_up_that_asks(void **state)
{
    static const char *const texts[] = {
        "(module"
        "  (import \"extism:host/user\" \"own\" (func $own (param i64) (result i64)))"
        "  (memory (export \"memory\") 1)"
        "  (func (export \"_initialize\")"
        "    (i64.store (i32.const 0) (i64.add (i64.const 1) (call $own (i64.const 0)))))"
        "  (func (export \"ubiq_prepare\") (result i32) (i32.const 0))"
        "  (func (export \"look\") (result i32) (i32.load (i32.const 0))))",
        "(module"
        "  (import \"extism:host/user\" \"own\" (func $own (param i64) (result i64)))"
        "  (memory (export \"memory\") 1)"
        "  (func $start"
        "    (i64.store (i32.const 0) (i64.add (i64.const 1) (call $own (i64.const 0)))))"
        "  (start $start)"
        "  (func (export \"ubiq_prepare\") (result i32) (i32.const 0))"
        "  (func (export \"look\") (result i32) (i32.load (i32.const 0))))",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        compiled_plugin *code = compile(texts[i]);
        for (int n = 1; n <= 3; n++) {
            guest_result r = guest_call(code, "look", slice_str("input"));
            assert_int_equal(r.code, 1);
            guest_result_free(&r);
            assert_int_equal(called, n); /* in each call */
        }
        assert_int_equal(code->prepare_stage, PREPARE_REFUSED);
        compiled_plugin_unref(code);
    }
}

/* Nor may what is kept depend on the time, or be a random number that all calls have. */
static void test_time_and_chance(void **state)
{
    static const char *const texts[] = {
        "(module"
        "  (import \"wasi_snapshot_preview1\" \"random_get\" (func $f (param i32 i32) (result "
        "i32)))"
        "  (memory (export \"memory\") 1)"
        "  (func (export \"ubiq_prepare\") (result i32) (call $f (i32.const 8) (i32.const 8)))"
        "  (func (export \"look\") (result i32) (i64.ne (i64.load (i32.const 8)) (i64.const 0))))",
        "(module"
        "  (import \"wasi_snapshot_preview1\" \"clock_time_get\""
        "    (func $f (param i32 i64 i32) (result i32)))"
        "  (memory (export \"memory\") 1)"
        "  (func (export \"ubiq_prepare\") (result i32)"
        "    (call $f (i32.const 0) (i64.const 1) (i32.const 8)))"
        "  (func (export \"look\") (result i32) (i64.ne (i64.load (i32.const 8)) (i64.const 0))))",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        compiled_plugin *code =
            guest_compile_with(texts[i], &(compiled_options){.http = &guest_http, .wasi = true});
        guest_result r = guest_call(code, "look", slice_str(""));
        assert_int_equal(r.code, 0);
        guest_result_free(&r);
        assert_int_equal(code->prepare_stage, PREPARE_REFUSED);
        compiled_plugin_unref(code);
    }
}

static void test_start_up_is_kept(void **state)
{
    compiled_plugin *code =
        compile("(module (memory (export \"memory\") 1)"
                "  (func (export \"_initialize\")"
                "    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 3))))"
                "  (func (export \"ubiq_prepare\") (result i32) (i32.const 0))"
                "  (func (export \"look\") (result i32) (i32.load (i32.const 0))))");

    (void)state;
    for (int n = 0; n < 3; n++) {
        guest_result r = guest_call(code, "look", slice_str("input"));
        assert_int_equal(r.code, 3);
        guest_result_free(&r);
    }
    assert_int_equal(code->prepare_stage, PREPARE_DONE);
    compiled_plugin_unref(code);
}

static void test_configuration_may_be_asked_for(void **state)
{
    compiled_plugin *code =
        compile(GUEST(WRITE "(drop (call $config (call $alloc (i64.const 1)))) (i32.const 0)"));

    (void)state;
    finds(code, 7, 8);
    assert_int_equal(code->prepare_stage, PREPARE_DONE);
    compiled_plugin_unref(code);
}

/* It has no input, and grows what can be put back. */
static void test_grows(void **state)
{
    compiled_plugin *code =
        compile(GUEST("(i64.store (i32.const 0) (i64.extend_i32_s (memory.grow (i32.const 3))))"
                      "(i64.store (i32.const 300000) (i64.const 1))"
                      "(global.set $g (i64.add (call $input) (i64.extend_i32_u (memory.size))))"
                      "(i32.const 0)"));

    (void)state;
    finds(code, 2, 5);
    assert_int_equal(code->prepare_stage, PREPARE_DONE);
    compiled_plugin_unref(code);
}

/* Where it grows out of that, instances begin before it. */
static void test_grows_too_far(void **state)
{
    compiled_plugin *code =
        compile(GUEST(WRITE "(drop (memory.grow (i32.const 100))) (i32.const 0)"));

    (void)state;
    guest_result r = guest_call(code, "look", slice_str("input"));
    assert_int_equal(r.code, 0);
    guest_result_free(&r);
    assert_int_equal(code->prepare_stage, PREPARE_REFUSED);
    finds(code, UNPREPARED, 5);
    compiled_plugin_unref(code);
}

struct caller {
    compiled_plugin *code;
    size_t wrong;
};

static void do_not_wake(call *c, void *arg)
{
    (void)c, (void)arg;
}

static void *call_often(void *arg)
{
    struct caller *me = arg;
    const call_options options = {
        .function = "look", .input = slice_str("input"), .wake = do_not_wake};

    for (int i = 0; i < 200; i++) {
        uint64_t seen[3] = {0};
        call *c;
        guest_require(call_start(&c, me->code, &options, NULL) == 0);
        while (call_poll(c) != CALL_DONE)
            ;
        if (call_output(c).len == sizeof seen)
            memcpy(seen, call_output(c).data, sizeof seen);
        me->wrong += seen[0] != 7 || seen[1] != 8 || seen[2] != 5;
        call_destroy(c);
        if (i % 50 == 0)
            engine_trim();
    }
    return NULL;
}

/* Calls that begin at the same time, before it has run and after; and idle instances are given back. */
static void test_threads(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        compiled_plugin *code = compile(GUEST(WRITE "(i32.const 0)"));
        struct caller caller[4];
        pthread_t thread[4];

        for (int i = 0; i < 4; i++) {
            caller[i] = (struct caller){.code = code};
            assert_int_equal(pthread_create(&thread[i], NULL, call_often, &caller[i]), 0);
        }
        for (int i = 0; i < 4; i++) {
            pthread_join(thread[i], NULL);
            assert_int_equal(caller[i].wrong, 0);
        }
        compiled_plugin_unref(code);
    }
}

/* The C API does not know it. */
static void test_c_api_leaves_it_alone(void **state)
{
    static const ExtismValType i64 = ExtismValType_I64;
    host_function *f;
    compiled_plugin *code;
    plugin *p;

    (void)state;
    assert_int_equal(host_function_create(&f, "own", &i64, 1, &i64, 1, NULL), 0);
    f->call = own;
    code = guest_compile_with(GUEST(WRITE "(i32.const 0)"),
                              &(compiled_options){.functions = &f, .function_count = 1});
    host_function_unref(f);
    assert_int_equal(plugin_create(&p, code, NULL), 0);
    guest_result r = guest_plugin_call(p, "look", slice_str(""));
    uint64_t seen;
    memcpy(&seen, r.output, sizeof seen);
    assert_int_equal(seen, UNPREPARED);
    guest_result_free(&r);
    plugin_destroy(p);
    compiled_plugin_unref(code);
}

/* --- Libraries --- */

static const char library_text[] =
    "(module (memory (export \"memory\") 1)"
    "  (global $n (mut i32) (i32.const 0))"
    "  (data (i32.const 8) \"library\")"
    "  (func (export \"next\") (result i32)"
    "    (global.set $n (i32.add (global.get $n) (i32.const 1)))"
    "    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))"
    "    (i32.add (global.get $n) (i32.load (i32.const 0)))))";

/* The main module's data goes into the library's memory. */
#define USER(data)                                                                                 \
    "(module (import \"lib@1\" \"next\" (func $next (result i32)))"                                \
    "  (import \"lib@1\" \"memory\" (memory 1))"                                                   \
    "  (data (i32.const 16) \"" data "\")"                                                         \
    "  (func (export \"next\") (result i32) (call $next))"                                         \
    "  (func (export \"data\") (result i32) (i32.load8_u (i32.const 16))))"

static int32_t code_of(compiled_plugin *code, const char *function)
{
    guest_result r = guest_call(code, function, slice_str(""));
    int32_t result = r.code;
    guest_result_free(&r);
    return result;
}

static void test_library(void **state)
{
    slice bytes = guest_binary(library_text);
    slice users[2] = {guest_binary(USER("a")), guest_binary(USER("b"))};
    compiled_plugin *code[2];
    library *l;
    compiled_options options = {.http = &guest_http, .libraries = &l, .library_count = 1};

    (void)state;
    assert_int_equal(library_create(&l, "lib@1", bytes, NULL), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(compiled_plugin_create(&code[i], users[i], &options, NULL), 0);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 2; i++) {
            assert_int_equal(code_of(code[i], "next"), 2);
            assert_int_equal(code_of(code[i], "data"), i ? 'b' : 'a');
        }
    }
    /* One copy of its code and its image. */
    assert_ptr_equal(code[0]->members[0].mod, code[1]->members[0].mod);
    library_destroy(l);
    assert_int_equal(code_of(code[1], "next"), 2);
    compiled_plugin_unref(code[0]);
    compiled_plugin_unref(code[1]);
    free((void *)(uintptr_t)users[0].data);
    free((void *)(uintptr_t)users[1].data);
    free((void *)(uintptr_t)bytes.data);
}

static void test_library_that_is_not_there(void **state)
{
    slice user = guest_binary("(module (import \"ubiq:js@0\" \"f\" (func)) (func (export \"g\")))");
    compiled_plugin *code;

    (void)state;
    assert_int_equal(
        compiled_plugin_create(&code, user, &(compiled_options){.http = &guest_http}, NULL), 0);
    assert_string_equal(error_text(compiled_plugin_problem(code)),
                        "it was built for the runtime ubiq:js@0, which is not here: build it "
                        "again, or with --manifest for "
                        "programs that have no runtimes");
    compiled_plugin_unref(code);
    free((void *)(uintptr_t)user.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_begin_behind_it),
        cmocka_unit_test(test_it_is_no_entry),
        cmocka_unit_test(test_idle_instances_catch_up),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_start_up_that_asks),
        cmocka_unit_test(test_time_and_chance),
        cmocka_unit_test(test_start_up_is_kept),
        cmocka_unit_test(test_configuration_may_be_asked_for),
        cmocka_unit_test(test_grows),
        cmocka_unit_test(test_grows_too_far),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_c_api_leaves_it_alone),
        cmocka_unit_test(test_library),
        cmocka_unit_test(test_library_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, guest_start, NULL);
}
