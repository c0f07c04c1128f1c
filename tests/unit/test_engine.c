#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "extism/engine_stacks.h"
#include "extism/limits.h"
#include "guest.h"

/* An engine is made once a process, so each of these runs in a child. */

/* Of several exports, so that it matters which function is found; "get" and "add" keep a number. */
#define KEEPS_A_NUMBER                                                                             \
    "(module (import \"extism:host/env\" \"alloc\" (func $alloc (param i64) (result i64)))"        \
    "(import \"extism:host/env\" \"store_u64\" (func $store (param i64 i64)))"                     \
    "(import \"extism:host/env\" \"output_set\" (func $output (param i64 i64)))"                   \
    "(memory 1) (global $n (mut i64) (i64.const 0))"                                               \
    "(func (export \"a\") unreachable) (func (export \"b\") unreachable)"                          \
    "(func (export \"add\") (global.set $n (i64.add (global.get $n) (i64.const 1)))"               \
    " (i64.store (i32.const 8) (global.get $n)))"                                                  \
    "(func (export \"get\") (local i64) (local.set 0 (call $alloc (i64.const 8)))"                 \
    " (call $store (local.get 0) (i64.load (i32.const 8)))"                                        \
    " (call $output (local.get 0) (i64.const 8)))"                                                 \
    "(func (export \"spin\") (loop $on (br $on)))"                                                 \
    "(func (export \"z\") unreachable))"

static compiled_plugin *compile(const char *text, bool fibers)
{
    compiled_options options = {.http = fibers ? &guest_http : NULL};
    compiled_plugin *code = NULL;
    error err = {0};

    guest_require(setenv("UBIQ_CACHE_DIR", "", 1) == 0);
    if (compiled_plugin_create(&code, slice_str(text), &options, &err) != 0)
        fprintf(stderr, "%s\n", error_text(&err));
    guest_require(code != NULL && !compiled_plugin_problem(code));
    return code;
}

static plugin *make(compiled_plugin *code)
{
    error err = {0};
    plugin *p = NULL;
    if (plugin_create(&p, code, &err) != 0)
        fprintf(stderr, "%s\n", error_text(&err));
    guest_require(p != NULL);
    return p;
}

static int64_t get(plugin *p)
{
    int64_t n = -1;
    int32_t rc = plugin_call(p, "get", slice_of("", 0), NULL);
    if (rc != 0)
        fprintf(stderr, "%s\n", plugin_error(p));
    guest_require(rc == 0 && plugin_output(p).len == 8);
    memcpy(&n, plugin_output(p).data, 8);
    return n;
}

static void add(plugin *p, int64_t times)
{
    while (times-- > 0)
        guest_require(plugin_call(p, "add", slice_of("", 0), NULL) == 0);
}

/* Many more plug-ins than slots are alive at once; the rest run without slots. */
static void more_plugins_than_slots(void *unused)
{
    enum { PLUGINS = 20 };
    plugin *plugins[PLUGINS];
    compiled_plugin *code;

    (void)unused;
    engine_set_instances(4, NULL);
    code = compile(KEEPS_A_NUMBER, false);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < PLUGINS; i++) {
            plugins[i] = make(code);
            add(plugins[i], i + 1);
        }
        for (int i = 0; i < PLUGINS; i++) {
            guest_require(get(plugins[i]) == i + 1);
            guest_require(plugin_call(plugins[i], "z", slice_of("", 0), NULL) == 134);
            guest_require(get(plugins[i]) == i + 1);
        }
        for (int i = 0; i < PLUGINS; i++)
            plugin_destroy(plugins[i]);
        /* Both kinds wait for the next round. */
        guest_require(code->idle_count >= 4 && code->idle_count < PLUGINS);
        guest_require(code->spare && code->spare->idle_count + code->idle_count == PLUGINS);
    }
    compiled_plugin_unref(code);
}

static void more_calls_than_slots(void *unused)
{
    enum { CALLS = 20 };
    call *calls[CALLS];
    compiled_plugin *code;

    (void)unused;
    engine_set_instances(4, NULL);
    code = compile(KEEPS_A_NUMBER, true);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < CALLS; i++) {
            call_options options = {.function = i % 2 ? "add" : "get"};
            guest_require(call_start(&calls[i], code, &options, NULL) == 0);
        }
        for (int i = CALLS; i-- > 0;) {
            guest_require(call_poll(calls[i]) == CALL_DONE);
            guest_require(call_code(calls[i]) == 0);
            if (i % 2 == 0)
                guest_require(slice_equal(call_output(calls[i]), slice_of("\0\0\0\0\0\0\0\0", 8)));
        }
        for (int i = 0; i < CALLS; i++)
            call_destroy(calls[i]);
    }
    compiled_plugin_unref(code);
}

/* A slot that only waits makes room for whoever needs it. */
static void idle_instances_make_room(void *unused)
{
    compiled_plugin *codes[6];
    plugin *p[3];

    (void)unused;
    engine_set_instances(4, NULL);
    for (int c = 0; c < 6; c++)
        codes[c] = compile(KEEPS_A_NUMBER, false);
    for (int round = 0; round < 4; round++) {
        for (int c = 0; c < 6; c++) {
            for (int i = 0; i < 3; i++) {
                p[i] = make(codes[c]);
                add(p[i], 2);
            }
            for (int i = 0; i < 3; i++) {
                guest_require(get(p[i]) == 2);
                plugin_destroy(p[i]);
            }
            guest_require(codes[c]->idle_count == 3 && !codes[c]->spare);
        }
    }
    for (int c = 0; c < 6; c++)
        compiled_plugin_unref(codes[c]);
}

static void linked_modules_without_slots(void *unused)
{
    char *lib = guest_base64(guest_binary("(module (memory (export \"m\") 1)"
                                          "(global (export \"g\") (mut i64) (i64.const 1)))"));
    char *main_module = guest_base64(guest_binary(
        "(module (import \"lib\" \"m\" (memory 1)) (import \"lib\" \"g\" (global $g (mut i64)))"
        "(import \"extism:host/env\" \"alloc\" (func $alloc (param i64) (result i64)))"
        "(import \"extism:host/env\" \"store_u64\" (func $store (param i64 i64)))"
        "(import \"extism:host/env\" \"output_set\" (func $output (param i64 i64)))"
        "(func (export \"add\") (global.set $g (i64.add (global.get $g) (i64.const 1))))"
        "(func (export \"get\") (local i64) (local.set 0 (call $alloc (i64.const 8)))"
        " (call $store (local.get 0) (global.get $g)) (call $output (local.get 0) (i64.const "
        "8))))"));
    plugin *p[12];
    char *text;

    (void)unused;
    engine_set_instances(4, NULL);
    guest_require(asprintf(&text,
                           "{\"wasm\": [{\"name\": \"lib\", \"data\": \"%s\"}, {\"name\": \"main\","
                           " \"data\": \"%s\"}]}",
                           lib, main_module) > 0);
    compiled_plugin *code = compile(text, false);
    for (int i = 0; i < 12; i++) {
        p[i] = make(code);
        add(p[i], i);
    }
    for (int i = 0; i < 12; i++) {
        guest_require(get(p[i]) == i + 1);
        plugin_destroy(p[i]);
    }
    compiled_plugin_unref(code);
    free(text);
    free(lib);
    free(main_module);
}

static void some_calls(void)
{
    compiled_plugin *code = compile(KEEPS_A_NUMBER, false);
    plugin *p[3];

    for (int i = 0; i < 3; i++) {
        p[i] = make(code);
        add(p[i], i);
        guest_require(get(p[i]) == i);
    }
    for (int i = 0; i < 3; i++)
        plugin_destroy(p[i]);
    compiled_plugin_unref(code);
}

static size_t mappings(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    size_t lines = 0;

    guest_require(maps != NULL);
    for (int c; (c = getc(maps)) != EOF;)
        lines += c == '\n';
    fclose(maps);
    return lines;
}

/* Slots cost no mappings, where the system has guards for their stacks that cost none; and an instance
 * costs two for each memory, where its data is copied. */
static void few_mappings(void *unused)
{
    enum { SLOTS = 500, INSTANCES = 200, OTHERS = 200 };
    static const char guest[] = "(module (memory 1) (data (i32.const 65000) \"x\")"
                                "(func (export \"f\") (i32.store (i32.const 0) (i32.const 1))))";
    instance *instances[INSTANCES];
    plugin_state state;
    size_t before = mappings();
    compiled_plugin *code;

    (void)unused;
    guest_require(engine_set_instances(SLOTS, NULL) == SLOTS);
    code = compile(guest, true);
    plugin_state_init(&state, &code->manifest);
    if (engine_stacks_can_merge())
        guest_require(mappings() < before + OTHERS);
    before = mappings();
    for (int i = 0; i < INSTANCES; i++)
        guest_require(instance_acquire(&instances[i], code, &state, NULL) == 0);
    guest_require(mappings() < before + 4 * INSTANCES + OTHERS);
    for (int i = 0; i < INSTANCES; i++)
        instance_release(instances[i]);
    plugin_state_deinit(&state);
    compiled_plugin_unref(code);
}

/* More than the system's limits allow are not promised, and it is said which limit that is. */
static void a_shortage(void *unused)
{
    error shortage = {0};

    (void)unused;
    guest_require(engine_set_instances(10, &shortage) == 10);
    guest_require(shortage.code == 0);
    guest_require(engine_set_instances(SIZE_MAX, &shortage) < LIMIT_POOLED_INSTANCES_MAX);
    guest_require(shortage.code == E_TOO_LARGE);
    guest_require(strstr(error_text(&shortage), "vm.max_map_count is ") ||
                  strstr(error_text(&shortage), "address space for no more than "));
    error_deinit(&shortage);
}

static void no_slots_at_all(void *unused)
{
    (void)unused;
    engine_set_instances(0, NULL);
    some_calls();
}

static void more_slots_than_there_can_be(void *unused)
{
    (void)unused;
    engine_set_instances(SIZE_MAX, NULL);
    some_calls();
}

/* `arg`: the address space that there is, in bytes. */
static void little_address_space(void *arg)
{
    struct rlimit limit = {*(rlim_t *)arg, *(rlim_t *)arg};
    guest_require(setrlimit(RLIMIT_AS, &limit) == 0);
    some_calls();
}

/* Where even one memory is too much there is a reason and no crash. */
static void no_address_space(void *arg)
{
    struct rlimit limit = {*(rlim_t *)arg, *(rlim_t *)arg};
    compiled_plugin *code = NULL;
    plugin *p = NULL;
    error err = {0};

    guest_require(setenv("UBIQ_CACHE_DIR", "", 1) == 0);
    guest_require(setrlimit(RLIMIT_AS, &limit) == 0);
    int rc = compiled_plugin_create(&code, slice_str(KEEPS_A_NUMBER), &(compiled_options){0}, &err);
    rc = rc ? rc : plugin_create(&p, code, &err);
    if (rc == 0 && plugin_call(p, "add", slice_of("", 0), NULL) != 0)
        guest_require(plugin_error(p) && *plugin_error(p));
    guest_require(rc == 0 || err.text);
    plugin_destroy(p);
    compiled_plugin_unref(code);
    error_deinit(&err);
}

static compiled_plugin *forked_code;
static plugin *forked;

/* What a child does with what it has from its parent, and with what it makes itself. */
static void in_the_child(void *unused)
{
    (void)unused;
    guest_require(get(forked) == 2);
    add(forked, 3);
    guest_require(get(forked) == 5);
    for (int n = 0; n < 3; n++) /* with a deadline, for which a thread is started anew */
        guest_require(plugin_call(forked, "spin", slice_of("", 0), NULL) == 134);
    plugin *p = make(forked_code);
    add(p, 7);
    guest_require(get(p) == 7);
    plugin_destroy(p);
    p = make(forked_code);
    guest_require(get(p) == 0);
    plugin_destroy(p);
    some_calls();
}

static void after_fork(void *unused)
{
    char *encoded = guest_base64(guest_binary(KEEPS_A_NUMBER)), *text;

    (void)unused;
    guest_require(
        asprintf(&text, "{\"wasm\": [{\"data\": \"%s\"}], \"timeout_ms\": 100}", encoded) > 0);
    forked_code = compile(text, false);
    forked = make(forked_code);
    guest_require(plugin_call(forked, "spin", slice_of("", 0), NULL) == 134);
    add(forked, 2);
    for (int n = 0; n < 3; n++) {
        guest_in_child(in_the_child, NULL);
        guest_require(get(forked) == 2);
        guest_require(plugin_call(forked, "spin", slice_of("", 0), NULL) == 134);
    }
    plugin_destroy(forked);
    compiled_plugin_unref(forked_code);
    free(text);
    free(encoded);
}

static compiled_plugin *shared[3];

static void *fresh_calls(void *arg)
{
    compiled_plugin *code = shared[(size_t)(uintptr_t)arg % 3];
    for (int n = 0; n < 100; n++) {
        call_options options = {.function = n % 2 ? "add" : "get"};
        call *c;
        guest_require(call_start(&c, code, &options, NULL) == 0);
        while (call_poll(c) != CALL_DONE)
            ;
        guest_require(call_code(c) == 0);
        if (n % 2 == 0)
            guest_require(slice_equal(call_output(c), slice_of("\0\0\0\0\0\0\0\0", 8)));
        call_destroy(c);
    }
    return NULL;
}

static void *kept_plugins(void *arg)
{
    compiled_plugin *code = shared[(size_t)(uintptr_t)arg % 3];
    for (int n = 0; n < 25; n++) {
        plugin *p = make(code);
        add(p, 3);
        guest_require(get(p) == 3);
        plugin_destroy(p);
    }
    return NULL;
}

/* Compiles, calls and lets go, so that idle instances of one plug-in end while others are made. */
static void *whole_lives(void *arg)
{
    (void)arg;
    for (int n = 0; n < 3; n++)
        some_calls();
    return NULL;
}

static void run_threads(void *(*const work[])(void *), size_t kinds, bool fibers)
{
    pthread_t threads[8];

    for (int i = 0; i < 3; i++)
        shared[i] = compile(KEEPS_A_NUMBER, fibers);
    for (size_t i = 0; i < 8; i++)
        guest_require(pthread_create(&threads[i], NULL, work[i % kinds], (void *)(uintptr_t)i) ==
                      0);
    for (size_t i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 3; i++)
        compiled_plugin_unref(shared[i]);
}

static void threads_with_fresh_calls(void *unused)
{
    void *(*const work[])(void *) = {fresh_calls};
    (void)unused;
    engine_set_instances(40, NULL);
    run_threads(work, 1, true);
}

static void threads_without_room(void *unused)
{
    void *(*const work[])(void *) = {kept_plugins, whole_lives};
    (void)unused;
    engine_set_instances(3, NULL);
    run_threads(work, 2, false);
}

static void threads_that_tick(void *unused)
{
    void *(*const work[])(void *) = {fresh_calls, whole_lives};
    (void)unused;
    engine_set_instances(5, NULL);
    guest_start_ticks();
    run_threads(work, 2, true);
    guest_stop_ticks();
}

#define IN_CHILD(name, run)                                                                        \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        guest_in_child(run, NULL);                                                                 \
    }

IN_CHILD(test_more_plugins_than_slots, more_plugins_than_slots)
IN_CHILD(test_more_calls_than_slots, more_calls_than_slots)
IN_CHILD(test_idle_instances_make_room, idle_instances_make_room)
IN_CHILD(test_linked_modules_without_slots, linked_modules_without_slots)
IN_CHILD(test_a_shortage, a_shortage)
IN_CHILD(test_no_slots_at_all, no_slots_at_all)
IN_CHILD(test_more_slots_than_there_can_be, more_slots_than_there_can_be)
IN_CHILD(test_threads_with_fresh_calls, threads_with_fresh_calls)
IN_CHILD(test_threads_without_room, threads_without_room)
IN_CHILD(test_threads_that_tick, threads_that_tick)

static void test_few_mappings(void **state)
{
    (void)state;
#if BUILT_FOR(thread_sanitizer)
    skip(); /* it leaves no address space for as many slots */
#endif
    guest_in_child(few_mappings, NULL);
}

static void test_fork(void **state)
{
    (void)state;
#if BUILT_FOR(thread_sanitizer)
    skip(); /* it ends a child that has threads */
#endif
    guest_in_child(after_fork, NULL);
}

static void test_little_address_space(void **state)
{
    static rlim_t enough[] = {(rlim_t)1 << 40, (rlim_t)100 << 30, (rlim_t)40 << 30};
    static rlim_t too_little[] = {(rlim_t)8 << 30, (rlim_t)2 << 30, (rlim_t)512 << 20};

    (void)state;
#if BUILT_FOR(address_sanitizer) || BUILT_FOR(thread_sanitizer)
    skip(); /* they need terabytes themselves */
#endif
    for (size_t i = 0; i < sizeof enough / sizeof *enough; i++)
        guest_in_child(little_address_space, &enough[i]);
    for (size_t i = 0; i < sizeof too_little / sizeof *too_little; i++)
        guest_in_child(no_address_space, &too_little[i]);
}

static void test_root_causes(void **state)
{
    static const char *const cases[][2] = {
        {"plain", "plain"},
        {"a\n\nCaused by:\n    b", "b"},
        {"a\n\nCaused by:\n    0: b\n    1: c", "c"},
        {"a\n\nCaused by:\n    0: b\n    1: c: d\n    2: e\n       more of e",
         "e\n       more of e"},
        {"a\n\nCaused by:\n", ""},
        {"", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(engine_root_cause(cases[i][0]), cases[i][1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_more_plugins_than_slots),
        cmocka_unit_test(test_more_calls_than_slots),
        cmocka_unit_test(test_idle_instances_make_room),
        cmocka_unit_test(test_linked_modules_without_slots),
        cmocka_unit_test(test_few_mappings),
        cmocka_unit_test(test_a_shortage),
        cmocka_unit_test(test_no_slots_at_all),
        cmocka_unit_test(test_more_slots_than_there_can_be),
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_threads_with_fresh_calls),
        cmocka_unit_test(test_threads_without_room),
        cmocka_unit_test(test_threads_that_tick),
        cmocka_unit_test(test_little_address_space),
        cmocka_unit_test(test_root_causes),
    };

    return cmocka_run_group_tests(tests, guest_start, NULL);
}
