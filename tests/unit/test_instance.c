#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "extism/instance_internal.h"
#include "extism/limits.h"
#include "guest.h"

/* The promise: of what one user of an instance did, the next one sees nothing. */

static char *dirty;

/* One way to use an instance of wat/dirty.wat. */
struct use {
    const char *function;
    bool fails;
    bool used_up; /* the instance is not used again */
};

static const struct use uses[] = {
    {"nothing", false, false},
    {"globals", false, false},
    {"ends", false, false},
    {"data", false, false},
    {"holes", false, false},
    {"all", false, false},
    {"reads", false, false},
    {"grow", false, false},
    {"grow twice", false, false},
    {"grow to the end of slack", false, false},
    {"grow behind slack", false, true},
    {"grow in vain", false, false},
    {"grow and trap", true, false},
    {"much", false, true},
    {"trap", true, false},
    {"overflow", true, false},
    {"kernel blocks", false, false},
    {"kernel all", false, false},
    {"kernel end", false, false},
    {"kernel reset", false, false},
    {"kernel grows", false, true},
    {"kernel forged", false, false},
    {"error", true, false},
};

/* What an instance holds before it is used: a copy of its memories, byte by byte. */
typedef struct snapshot {
    uint8_t *memory;
    size_t memory_len;
    uint8_t *kernel;
    size_t kernel_len;
} snapshot;

static wasmtime_memory_t *main_memory(instance *i)
{
    return &i->members[i->code->main].memories[0];
}

/* The bytes of the main memory that can be read at all. */
static slice open_memory(instance *i)
{
    const module *m = compiled_plugin_main(i->code);
    size_t len = wasmtime_memory_data_size(i->context, main_memory(i));
    if (m->slack_pages && i->slack_closed)
        len = (size_t)i->open_pages * KERNEL_PAGE;
    return slice_of(wasmtime_memory_data(i->context, main_memory(i)), len);
}

static uint8_t *copy_of(const void *bytes, size_t len)
{
    uint8_t *copy = malloc(len);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    return copy;
}

static snapshot take_snapshot(instance *i)
{
    slice memory = open_memory(i);
    kernel_memory k = instance_kernel(i);
    return (snapshot){copy_of(memory.data, memory.len), memory.len, copy_of(k.base, k.size),
                      k.size};
}

static void snapshot_free(snapshot *s)
{
    free(s->memory);
    free(s->kernel);
}

static void assert_as_new(const char *after, instance *i, const snapshot *fresh)
{
    slice memory = open_memory(i);
    kernel_memory k = instance_kernel(i);

    if (!slice_equal(memory, slice_of(fresh->memory, fresh->memory_len)))
        fail_msg("after \"%s\" the memory is not as it was", after);
    if (!slice_equal(slice_of(k.base, k.size), slice_of(fresh->kernel, fresh->kernel_len)))
        fail_msg("after \"%s\" the kernel's memory is not as it was", after);
}

/* Idle instances of `code`, and the one that comes next. */
static size_t idle(const compiled_plugin *code)
{
    return code->idle_count;
}

static snapshot fresh_snapshot(compiled_plugin *code)
{
    plugin_state state;
    plugin_state_init(&state, &code->manifest);
    assert_int_equal(idle(code), 0);
    instance *i = guest_instance(code, &state);
    snapshot s = take_snapshot(i);
    instance_spoil(i);
    instance_release(i);
    plugin_state_deinit(&state);
    return s;
}

/* What "look" gives in an instance that nobody has used. */
static guest_result fresh_look(compiled_plugin *code)
{
    guest_result look = guest_call(code, "look", slice_str("input"));
    assert_int_equal(look.code, 0);
    assert_int_equal(look.output_len, 16);
    assert_memory_equal(look.output + 8, "\0\0\0\0\0\0\0\0", 8);
    instance_destroy_idle(code);
    return look;
}

static void assert_looks_new(const char *after, compiled_plugin *code, const guest_result *fresh)
{
    guest_result look = guest_call(code, "look", slice_str("input"));
    if (look.code != 0 || look.output_len != 16 || memcmp(look.output, fresh->output, 16) != 0)
        fail_msg("after \"%s\" a guest finds traces", after);
    guest_result_free(&look);
}

/* Each use, and what the next user finds: with its own eyes, and byte by byte. */
static void check_nothing_is_left_behind(const char *text)
{
    compiled_plugin *code = guest_compile_fibers(text);
    snapshot fresh = fresh_snapshot(code);
    guest_result look = fresh_look(code);

    for (size_t n = 0; n < 2 * sizeof uses / sizeof *uses; n++) {
        const struct use *u = &uses[n % (sizeof uses / sizeof *uses)];
        plugin_state next;
        guest_result r =
            guest_call(code, u->function, slice_str("an input that is longer than others"));
        if (u->fails != (r.error != NULL))
            fail_msg("%s: %s", u->function, r.error);
        if (idle(code) != !u->used_up)
            fail_msg("after \"%s\" %zu are idle", u->function, idle(code));
        plugin_state_init(&next, &code->manifest);
        instance *i = guest_instance(code, &next);
        assert_as_new(u->function, i, &fresh);
        instance_release(i);
        plugin_state_deinit(&next);
        assert_looks_new(u->function, code, &look);
        guest_result_free(&r);
    }
    guest_result_free(&look);
    snapshot_free(&fresh);
    compiled_plugin_unref(code);
}

static void test_nothing_is_left_behind(void **state)
{
    (void)state;
    check_nothing_is_left_behind(dirty);
}

/* The same with so much data that it is mapped and not copied. */
static void test_nothing_is_left_behind_where_data_is_mapped(void **state)
{
    static char much[LIMIT_COPIED_DATA + 1];
    char *text = NULL;

    (void)state;
    memset(much, 'x', sizeof much - 1);
    assert_true(asprintf(&text, "%.*s (data (i32.const 70000) \"%s\"))",
                         (int)(strrchr(dirty, ')') - dirty), dirty, much) > 0);
    check_nothing_is_left_behind(text);
    free(text);
}

/* Calls a function of an instance of the C API's mode; whether it went well. */
static bool run(instance *i, const char *function)
{
    const struct module_export *e =
        module_interface_find(&compiled_plugin_main(i->code)->interface, slice_str(function));
    wasmtime_val_raw_t raw[1] = {{0}};
    wasmtime_func_t f;

    assert_non_null(e);
    assert_true(instance_find_function(i, e, &f));
    return instance_call(i, &f, 0, e->results, raw, NULL) == 0;
}

static void start_up(instance *i)
{
    const struct instance_initializer *next;

    while ((next = instance_next_initializer(i)) != NULL) {
        wasmtime_val_raw_t raw[1] = {{0}};
        assert_int_equal(next->params, 0);
        assert_int_equal(instance_call(i, &next->func, next->params, next->results, raw, NULL), 0);
    }
}

/* The same for plug-ins of the C API, whose slack is protected. */
static void test_nothing_is_left_behind_by_a_plugin(void **state)
{
    compiled_plugin *code = guest_compile(dirty);
    snapshot fresh = fresh_snapshot(code);
    plugin_state s;

    (void)state;
    plugin_state_init(&s, &code->manifest);
    for (size_t n = 0; n < sizeof uses / sizeof *uses; n++) {
        instance *i = guest_instance(code, &s);
        assert_as_new(n > 0 ? uses[n - 1].function : "nothing", i, &fresh);
        start_up(i);
        run(i, uses[n].function);
        instance_release(i);
        assert_int_equal(idle(code), !uses[n].used_up);
    }
    plugin_state_deinit(&s);
    snapshot_free(&fresh);
    compiled_plugin_unref(code);
}

/* The told end of the memory is where it traps, whatever those before did. */
static void test_the_end_of_memory_stays_where_it_is(void **state)
{
    compiled_plugin *code = guest_compile(
        "(module (memory 2) (global $at (mut i32) (i32.const 131072))"
        "(func (export \"over\") (drop (i32.load8_u (global.get $at))))"
        "(func (export \"over by much\") (drop (i32.load8_u offset=1048576 (global.get $at))))"
        "(func (export \"bulk\") (memory.fill (global.get $at) (i32.const 1) (i32.const 1)))"
        "(func (export \"last\") (drop (i32.load8_u (i32.sub (global.get $at) (i32.const 1)))))"
        "(func (export \"grow\") (drop (memory.grow (i32.const 3)))"
        " (global.set $at (i32.const 327680)) (i32.store8 (i32.const 327679) (i32.const 1))))");
    plugin_state s;

    (void)state;
    plugin_state_init(&s, &code->manifest);
    for (int n = 0; n < 4; n++) {
        instance *i = guest_instance(code, &s);
        assert_false(run(i, "over"));
        assert_false(run(i, "over by much"));
        assert_false(run(i, "bulk"));
        assert_true(run(i, "last"));
        assert_true(run(i, "grow"));
        assert_true(run(i, "last"));
        assert_false(run(i, "over"));
        assert_false(run(i, "bulk"));
        instance_release(i);
        assert_int_equal(idle(code), 1);
    }
    plugin_state_deinit(&s);
    compiled_plugin_unref(code);
}

/* Memories that begin empty have slack too, and leave no protected pages to whoever comes next. */
static void test_memory_of_no_pages(void **state)
{
    compiled_plugin *empty = guest_compile(
        "(module (memory 0) (func (export \"f\") (result i64) (drop (memory.grow (i32.const 2)))"
        " (i64.store (i32.const 131064) (i64.const 5)) (i64.load (i32.const 131064))))");
    compiled_plugin *full = guest_compile("(module (memory 20) (func (export \"f\") (result i64)"
                                          " (memory.fill (i32.const 0) (i32.const 1) (i32.const "
                                          "1310720)) (i64.load (i32.const 65536))))");
    plugin_state s;

    (void)state;
    plugin_state_init(&s, &empty->manifest);
    for (int n = 0; n < 3; n++) {
        instance *i = guest_instance(empty, &s);
        assert_int_equal(guest_number(i, "f"), 5);
        instance_release(i);
        if (n > 0)
            instance_destroy_idle(empty);
        i = guest_instance(full, &s);
        assert_int_equal(guest_number(i, "f"), 0x0101010101010101);
        instance_release(i);
    }
    plugin_state_deinit(&s);
    compiled_plugin_unref(empty);
    compiled_plugin_unref(full);
}

/* WASI's functions trust the size that the engine knows. So on a thread of one's own, where slack is
 * protected, a guest that imports them has none; on fibers they may write into it, as the guest may. */
static void test_growing_with_wasi(void **state)
{
    static const char text[] =
        "(module (import \"wasi_snapshot_preview1\" \"random_get\""
        " (func $random (param i32 i32) (result i32))) (memory (export \"memory\") 1)"
        "(func $count (param $at i32) (result i32) (local $sum i32)"
        " (loop $next (local.set $sum (i32.or (local.get $sum) (i32.load8_u (local.get $at))))"
        " (local.set $at (i32.add (local.get $at) (i32.const 1)))"
        " (br_if $next (i32.ne (local.get $at) (i32.mul (memory.size) (i32.const 65536)))))"
        " (local.get $sum))"
        "(func (export \"run\") (result i32)"
        " (if (i32.or (i32.ne (memory.size) (i32.const 1)) (call $count (i32.const 0)))"
        "  (then (return (i32.const 1))))"
        " (drop (memory.grow (i32.const 5)))"
        " (if (call $count (i32.const 0)) (then (return (i32.const 2))))"
        " (drop (call $random (i32.const 300000) (i32.const 64)))"
        " (if (i32.eqz (call $count (i32.const 300000))) (then (return (i32.const 3))))"
        " (call $random (i32.const 393216) (i32.const 65536))))";
    compiled_plugin *fibers =
        guest_compile_with(text, &(compiled_options){.http = &guest_http, .wasi = true});
    compiled_plugin *own = guest_compile_with(text, &(compiled_options){.wasi = true});
    guest_result r;

    (void)state;
    for (int n = 0; n < 5; n++) {
        r = guest_call(fibers, "run", slice_str(""));
        assert_null(r.error);
        assert_int_equal(r.code, 0);
        assert_int_equal(idle(fibers), 1);
        guest_result_free(&r);
    }
    assert_int_equal(compiled_plugin_main(own)->slack_pages, 0);
    compiled_plugin_unref(fibers);
    compiled_plugin_unref(own);
}

static size_t open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(d);
    while (readdir(d))
        count++;
    closedir(d);
    return count;
}

/* An instance that waits to be used again holds none of its last user's. */
static void test_files_of_idle_instances(void **state)
{
    char path[] = "/tmp/ubiq-test-XXXXXX", manifest[256];
    static const char text[] =
        "(module (import \"wasi_snapshot_preview1\" \"fd_close\" (func (param i32) (result i32)))"
        "(memory (export \"memory\") 1) (func (export \"run\")))";
    compiled_plugin *code;
    guest_result r;
    size_t before;
    int fd = mkstemp(path);

    (void)state;
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    snprintf(manifest, sizeof manifest,
             "{\"wasm\": [{\"path\": \"%s\"}], \"allowed_paths\": {\"/tmp\": \"/tmp\"}}", path);
    code = guest_compile_with(manifest, &(compiled_options){.http = &guest_http, .wasi = true});
    before = open_files();
    for (int n = 0; n < 3; n++) {
        r = guest_call(code, "run", slice_str(""));
        assert_null(r.error);
        guest_result_free(&r);
        assert_int_equal(idle(code), 1);
        assert_int_equal(open_files(), before);
    }
    compiled_plugin_unref(code);
    unlink(path);
}

static void test_an_interrupted_call(void **state)
{
    compiled_plugin *code = guest_compile(dirty);
    snapshot fresh = fresh_snapshot(code);
    plugin_state s;

    (void)state;
    plugin_state_init(&s, &code->manifest);
    instance *i = guest_instance(code, &s);
    start_up(i);
    s.has_deadline = true;
    s.deadline_ns = clock_ns();
    engine_tick();
    assert_false(run(i, "for ever"));
    assert_true(s.interrupted);
    instance_release(i);
    assert_int_equal(idle(code), 1);
    s.has_deadline = false;
    i = guest_instance(code, &s);
    assert_as_new("for ever", i, &fresh);
    instance_release(i);
    plugin_state_deinit(&s);
    snapshot_free(&fresh);
    compiled_plugin_unref(code);
}

/* A call that is given up in its middle ends its instance too. */
static void test_a_call_that_is_given_up(void **state)
{
    compiled_plugin *code = guest_compile_fibers(dirty);
    call_options options = {.function = "for ever"};
    guest_result look = fresh_look(code);
    call *c;

    (void)state;
    assert_int_equal(call_start(&c, code, &options, NULL), 0);
    guest_start_ticks();
    for (int n = 0; n < 5; n++)
        assert_int_equal(call_poll(c), CALL_READY);
    guest_stop_ticks();
    call_destroy(c);
    assert_int_equal(idle(code), 0);
    assert_looks_new("for ever", code, &look);
    guest_result_free(&look);
    compiled_plugin_unref(code);
}

static void assert_used_up(const char *text)
{
    compiled_plugin *code = guest_compile(text);
    plugin_state s;

    assert_false(code->recyclable);
    plugin_state_init(&s, &code->manifest);
    instance *i = guest_instance(code, &s);
    assert_true(run(i, "f"));
    instance_release(i);
    assert_int_equal(idle(code), 0);
    plugin_state_deinit(&s);
    compiled_plugin_unref(code);
}

/* What cannot be put back is not used again. */
static void test_hidden_state(void **state)
{
    (void)state;
    assert_used_up("(module (table 2 funcref) (func $f (export \"f\") (table.set (i32.const 0)"
                   " (ref.func $f))))");
    assert_used_up("(module (data $d \"once\") (memory 1) (func (export \"f\") (data.drop $d)))");
    assert_used_up("(module (elem $e func $f) (func $f (export \"f\") (elem.drop $e)))");
    assert_used_up("(module (type $s (struct (field (mut i32))))"
                   "(global $g (ref $s) (struct.new $s (i32.const 1)))"
                   "(func (export \"f\") (struct.set $s 0 (global.get $g) (i32.const 2))))");
}

/* Modules that are linked by name are put back together: the library's memory and globals, which
 * the main module changes, and the kernel's. */
static void test_linked_modules(void **state)
{
    static const char manifest[] = "{\"wasm\": [{\"name\": \"lib\", \"data\": \"%s\"}, {\"name\": "
                                   "\"main\", \"data\": \"%s\"}]}";
    static const char lib[] =
        "(module (memory (export \"memory\") 2) (data (i32.const 8) \"lib's data\")"
        "(global $own (mut i64) (i64.const 1)) (global (export \"shared\") (mut i64) (i64.const 2))"
        "(func (export \"change\") (global.set $own (i64.const 100)))"
        "(func (export \"own\") (result i64) (global.get $own)))";
    static const char main_module[] =
        "(module (import \"lib\" \"memory\" (memory 1))"
        "(import \"lib\" \"shared\" (global $shared (mut i64)))"
        "(import \"lib\" \"change\" (func $change)) (import \"lib\" \"own\" (func $own (result "
        "i64)))"
        "(import \"extism:host/env\" \"alloc\" (func $alloc (param i64) (result i64)))"
        "(import \"extism:host/env\" \"store_u64\" (func $store (param i64 i64)))"
        "(memory $mine 1) (data (i32.const 20) \"main's data\") (global $g (mut i64) (i64.const 3))"
        "(func (export \"dirty\") (call $change) (global.set $shared (i64.const 200))"
        " (global.set $g (i64.const 300)) (i64.store (i32.const 8) (i64.const 0))"
        " (i64.store offset=131064 (i32.const 0) (i64.const 9))"
        " (i64.store $mine (i32.const 65528) (i64.const 9))"
        " (call $store (call $alloc (i64.const 8)) (i64.const -1)))"
        "(func (export \"look\") (result i64) (i64.add (i64.add (call $own) (global.get $shared))"
        " (i64.add (global.get $g) (i64.load $mine (i32.const 65528))))))";
    char *text, *encoded[2];

    (void)state;
    encoded[0] = guest_base64(guest_binary(lib));
    encoded[1] = guest_base64(guest_binary(main_module));
    assert_true(asprintf(&text, manifest, encoded[0], encoded[1]) > 0);
    compiled_plugin *code = guest_compile(text);
    snapshot fresh = fresh_snapshot(code);
    plugin_state s;
    plugin_state_init(&s, &code->manifest);
    for (int n = 0; n < 3; n++) {
        instance *i = guest_instance(code, &s);
        wasmtime_memory_t *memory = &i->members[0].memories[0];
        assert_as_new("linked", i, &fresh);
        assert_string_equal(code->members[0].name, "lib");
        assert_memory_equal(wasmtime_memory_data(i->context, memory) + 8,
                            "lib's data\0\0main's data", 23);
        assert_int_equal(wasmtime_memory_data(i->context, memory)[131064], 0);
        assert_int_equal(guest_number(i, "look"), 6);
        assert_true(run(i, "dirty"));
        assert_int_equal(guest_number(i, "look"), 609);
        instance_release(i);
        assert_int_equal(idle(code), 1);
    }
    plugin_state_deinit(&s);
    snapshot_free(&fresh);
    compiled_plugin_unref(code);
    free(text);
    free(encoded[0]);
    free(encoded[1]);
}

/* A limit of pages counts anew for each user. */
static void test_the_allowance_of_pages(void **state)
{
    char *encoded = guest_base64(guest_binary(dirty)), *text;
    plugin_state s;

    (void)state;
    assert_true(asprintf(&text, "{\"wasm\": [{\"data\": \"%s\"}], \"memory\": {\"max_pages\": 10}}",
                         encoded) > 0);
    compiled_plugin *code = guest_compile(text);
    plugin_state_init(&s, &code->manifest);
    for (int n = 0; n < 3; n++) {
        instance *i = guest_instance(code, &s);
        start_up(i);
        assert_true(run(i, "grow twice")); /* 8 of 10 pages */
        assert_false(run(i, "grow twice"));
        assert_true(instance_out_of_memory(i));
        instance_release(i);
        assert_int_equal(idle(code), 1);
        i = guest_instance(code, &s);
        assert_false(instance_out_of_memory(i));
        start_up(i);
        assert_false(run(i, "kernel grows"));
        assert_true(instance_out_of_memory(i));
        instance_release(i);
    }
    plugin_state_deinit(&s);
    compiled_plugin_unref(code);
    free(text);
    free(encoded);
}

/* Only so many wait; the others are gone. */
static void test_how_many_are_kept(void **state)
{
    compiled_plugin *code = guest_compile(dirty);
    instance *in_use[LIMIT_IDLE_INSTANCES + 5];
    plugin_state s;

    (void)state;
    plugin_state_init(&s, &code->manifest);
    for (size_t n = 0; n < LIMIT_IDLE_INSTANCES + 5; n++)
        in_use[n] = guest_instance(code, &s);
    for (size_t n = 0; n < LIMIT_IDLE_INSTANCES + 5; n++)
        instance_release(in_use[n]);
    assert_int_equal(idle(code), LIMIT_IDLE_INSTANCES);
    instance_destroy_idle(code);
    assert_int_equal(idle(code), 0);
    plugin_state_deinit(&s);
    compiled_plugin_unref(code);
}

static int set_up(void **state)
{
    if (guest_start(state) != 0)
        return -1;
    dirty = guest_wat("dirty.wat");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(dirty);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_left_behind),
        cmocka_unit_test(test_nothing_is_left_behind_where_data_is_mapped),
        cmocka_unit_test(test_nothing_is_left_behind_by_a_plugin),
        cmocka_unit_test(test_the_end_of_memory_stays_where_it_is),
        cmocka_unit_test(test_memory_of_no_pages),
        cmocka_unit_test(test_growing_with_wasi),
        cmocka_unit_test(test_files_of_idle_instances),
        cmocka_unit_test(test_an_interrupted_call),
        cmocka_unit_test(test_a_call_that_is_given_up),
        cmocka_unit_test(test_hidden_state),
        cmocka_unit_test(test_linked_modules),
        cmocka_unit_test(test_the_allowance_of_pages),
        cmocka_unit_test(test_how_many_are_kept),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
