#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "extism/kernel_memory.h"
#include "extism/kernel_wasm.h"
#include "extism/wasm_link.h"
#include "extism/wasm_module.h"
#include "guest.h"

/* How a module is run: as it is, or linked in one of three ways. */
enum way { PLAIN, MERGED, MERGED_WITH_SLACK, IMPORTED, WAYS };

#define ENV_NAME "extism:host/env"
#define SLACK 16

/* A module that runs, and what it did. */
typedef struct world {
    enum way way;
    wasmtime_store_t *store;
    wasmtime_context_t *context;
    wasmtime_instance_t instance;
    wasmtime_memory_t memory; /* 0 of the guest's, when it has any */
    wasmtime_memory_t kernel;
    uint32_t open, slack_end; /* in pages: what of memory 0 is not protected, and where it ends */
    buf trace;                /* one line a call, and what the guest told the host */
} world;

static slice kernel(void)
{
    return slice_of(kernel_wasm, kernel_wasm_len);
}

static int link_it(linked_module *out, slice module, enum way way, error *err)
{
    link_options options = {
        .mode = way == IMPORTED ? LINK_IMPORTED : LINK_MERGED,
        .kernel = kernel(),
        .slack_pages = way == MERGED_WITH_SLACK ? SLACK : 0,
    };
    return wasm_link(out, module, &options, err);
}

/* Where the host leaves slack unprotected, guests that import WASI have some too. */
static void test_slack_with_wasi(void **state)
{
    slice binary = guest_binary(
        "(module (import \"wasi_snapshot_preview1\" \"sched_yield\" (func (result i32)))"
        "(memory 2))");
    link_options options = {.kernel = kernel(), .slack_pages = SLACK, .slack_with_wasi = true};
    linked_module linked;

    (void)state;
    assert_int_equal(wasm_link(&linked, binary, &options, NULL), 0);
    assert_int_equal(linked.told_pages, 2);
    assert_int_equal(linked.slack_pages, SLACK);
    linked_module_deinit(&linked);
    free((void *)(uintptr_t)binary.data);
}

static void must(wasmtime_error_t *e, wasm_trap_t *trap)
{
    error err = {0};
    if (engine_error(&err, E_INVALID, e, trap) != 0)
        fail_msg("%s", error_text(&err));
}

static wasmtime_module_t *compile(slice bytes)
{
    wasmtime_module_t *module = NULL;
    wasm_engine_t *engine;

    assert_int_equal(engine_get(ENGINE_ON_DEMAND, &engine, NULL), 0);
    must(wasmtime_module_new(engine, bytes.data, bytes.len, &module), NULL);
    return module;
}

static wasm_trap_t *note(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw, size_t n)
{
    world *w = env;
    (void)caller, (void)n;
    assert_int_equal(buf_printf(&w->trace, "note %lld\n", (long long)raw[0].i64), 0);
    return NULL;
}

static wasm_trap_t *twice(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw, size_t n)
{
    (void)env, (void)caller, (void)n;
    raw[0].i32 *= 2;
    return NULL;
}

static void protect(world *w, uint32_t first, uint32_t end, int protection)
{
    if (first >= end)
        return;
    uint8_t *base = wasmtime_memory_data(w->context, &w->memory);
    assert_int_equal(mprotect(base + first * 65536u, (end - first) * 65536u, protection), 0);
}

static wasm_trap_t *open_slack(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw,
                               size_t n)
{
    world *w = env;
    uint32_t end = (uint32_t)raw[1].i32 < w->slack_end ? (uint32_t)raw[1].i32 : w->slack_end;
    (void)caller, (void)n;
    assert_true((uint32_t)raw[0].i32 <= (uint32_t)raw[1].i32);
    protect(w, w->open, end, PROT_READ | PROT_WRITE);
    w->open = end > w->open ? end : w->open;
    return NULL;
}

static void define(wasmtime_linker_t *linker, world *w, const char *module, const char *name,
                   const char *params, const char *results, wasmtime_func_unchecked_callback_t call)
{
    wasm_valtype_vec_t types[2];
    for (int part = 0; part < 2; part++) {
        const char *text = part ? results : params;
        wasm_valtype_vec_new_uninitialized(&types[part], strlen(text));
        for (size_t i = 0; text[i]; i++)
            types[part].data[i] = wasm_valtype_new(text[i] == 'I' ? WASM_I64 : WASM_I32);
    }
    wasm_functype_t *type = wasm_functype_new(&types[0], &types[1]);
    must(wasmtime_linker_define_func_unchecked(linker, module, strlen(module), name, strlen(name),
                                               type, call, w, NULL),
         NULL);
    wasm_functype_delete(type);
}

static wasmtime_extern_t get(world *w, const wasmtime_instance_t *instance, const char *name)
{
    wasmtime_extern_t item = {0};
    assert_true(wasmtime_instance_export_get(w->context, instance, name, strlen(name), &item));
    return item;
}

/* The kernel as an instance of its own, and its memory. */
static wasmtime_memory_t add_kernel(world *w, wasmtime_linker_t *linker)
{
    wasmtime_module_t *module = compile(kernel());
    wasmtime_instance_t instance;
    wasm_trap_t *trap = NULL;

    must(wasmtime_instance_new(w->context, module, NULL, 0, &instance, &trap), trap);
    must(wasmtime_linker_define_instance(linker, w->context, ENV_NAME, strlen(ENV_NAME), &instance),
         NULL);
    wasmtime_module_delete(module);
    return get(w, &instance, "memory").of.memory;
}

static kernel_memory kernel_of(world *w)
{
    return (kernel_memory){.base = wasmtime_memory_data(w->context, &w->kernel),
                           .size = wasmtime_memory_data_size(w->context, &w->kernel)};
}

static void init_kernel(world *w, uint64_t pages)
{
    kernel_memory_init(kernel_of(w), pages);
}

static void call_line(world *w, const char *name, const wasmtime_func_t *f);

static void after_instantiation(world *w, const linked_module *linked)
{
    wasmtime_extern_t item;

    if (w->way == MERGED || w->way == MERGED_WITH_SLACK)
        w->kernel = get(w, &w->instance, LINK_EXPORT_KERNEL_MEMORY).of.memory;
    init_kernel(w, KERNEL_UNLIMITED_PAGES);
    if (w->way == PLAIN)
        return;
    if (linked->memory_count > 0)
        w->memory = get(w, &w->instance, LINK_EXPORT_MEMORY "0").of.memory;
    if (linked->slack_pages) {
        w->open = linked->told_pages;
        w->slack_end = linked->told_pages + linked->slack_pages;
        protect(w, w->open, w->slack_end, PROT_NONE);
    }
    if (linked->has_start) {
        item = get(w, &w->instance, LINK_EXPORT_START);
        call_line(w, NULL, &item.of.func);
    }
}

/* Instantiates the binary; how that went is the first line of the trace. */
static bool world_make(world *w, slice binary, enum way way, linked_module *linked)
{
    wasm_engine_t *engine;
    wasmtime_linker_t *linker;
    wasm_trap_t *trap = NULL;
    error err = {0};

    guest_take_signals();
    *w = (world){.way = way};
    buf_init(&w->trace, 1 << 20);
    *linked = (linked_module){0};
    if (way != PLAIN && link_it(linked, binary, way, &err) != 0)
        fail_msg("%s", error_text(&err));
    assert_int_equal(engine_get(ENGINE_ON_DEMAND, &engine, NULL), 0);
    w->store = wasmtime_store_new(engine, NULL, NULL);
    w->context = wasmtime_store_context(w->store);
    wasmtime_context_set_epoch_deadline(w->context, 1000000);
    linker = wasmtime_linker_new(engine);
    define(linker, w, "host", "note", "I", "", note);
    define(linker, w, "host", "twice", "i", "i", twice);
    define(linker, w, ENV_NAME, LINK_IMPORT_OPEN, "ii", "", open_slack);
    if (way == PLAIN || way == IMPORTED)
        w->kernel = add_kernel(w, linker);
    wasmtime_module_t *module = compile(way == PLAIN ? binary : buf_slice(&linked->wasm));
    wasmtime_error_t *e =
        wasmtime_linker_instantiate(linker, w->context, module, &w->instance, &trap);
    wasmtime_trap_code_t code = 0;
    must(e, NULL);
    if (trap && !wasmtime_trap_code(trap, &code))
        must(NULL, trap);
    if (!trap)
        after_instantiation(w, linked);
    assert_int_equal(buf_printf(&w->trace, "instantiated: %d\n", trap ? code + 1 : 0), 0);
    if (trap)
        wasm_trap_delete(trap);
    wasmtime_module_delete(module);
    wasmtime_linker_delete(linker);
    return !trap;
}

static void world_end(world *w)
{
    protect(w, w->open, w->slack_end, PROT_READ | PROT_WRITE);
    wasmtime_store_delete(w->store);
    buf_deinit(&w->trace);
}

static void print_value(buf *out, wasmtime_val_t *v)
{
    uint64_t bits[2] = {0};
    size_t size = v->kind == WASMTIME_V128                             ? 16
                  : v->kind == WASMTIME_I32 || v->kind == WASMTIME_F32 ? 4
                                                                       : 8;
    memcpy(bits, &v->of, size);
    assert_true(v->kind <= WASMTIME_V128);
    assert_int_equal(
        buf_printf(out, " %llx:%llx", (unsigned long long)bits[1], (unsigned long long)bits[0]), 0);
}

/* Calls a function and writes down its results or its trap. A start function's success is not
 * told. */
static void call_line(world *w, const char *name, const wasmtime_func_t *f)
{
    wasmtime_val_t results[4];
    wasm_functype_t *type = wasmtime_func_type(w->context, f);
    size_t n = wasm_functype_results(type)->size;
    wasm_trap_t *trap = NULL;
    wasmtime_trap_code_t code = 0;

    wasm_functype_delete(type);
    assert_true(n <= 4);
    must(wasmtime_func_call(w->context, f, NULL, 0, results, n, &trap), NULL);
    if (!trap && !name)
        return;
    if (trap && !wasmtime_trap_code(trap, &code))
        must(NULL, trap);
    assert_int_equal(buf_printf(&w->trace, "%s:", name), 0);
    if (trap)
        assert_int_equal(buf_printf(&w->trace, " trap %d", code), 0);
    for (size_t i = 0; !trap && i < n; i++)
        print_value(&w->trace, &results[i]);
    assert_int_equal(buf_append_byte(&w->trace, '\n'), 0);
    if (trap)
        wasm_trap_delete(trap);
}

static uint64_t checksum(const uint8_t *bytes, size_t len)
{
    uint64_t sum = 14695981039346656037u;
    for (size_t i = 0; i < len; i++)
        sum = (sum ^ bytes[i]) * 1099511628211u;
    return sum;
}

/* What stands in the kernel's root, but for the allowance of pages, which not all ways charge. */
static void print_root(world *w)
{
    const struct kernel_root *r = kernel_memory_root(kernel_of(w));
    assert_int_equal(
        buf_printf(&w->trace, "kernel: %llx %llx %llx %llx %llx %llx %llx %llx %llx\n",
                   (unsigned long long)r->position, (unsigned long long)r->length,
                   (unsigned long long)r->dirty, (unsigned long long)r->error,
                   (unsigned long long)r->input_offset, (unsigned long long)r->input_length,
                   (unsigned long long)r->input_words, (unsigned long long)r->output_offset,
                   (unsigned long long)r->output_length),
        0);
}

/* Calls all exported functions; writes down the exported globals and the memory. */
static void run_exports(world *w)
{
    wasmtime_extern_t item;
    char *name;
    size_t len;

    for (size_t i = 0;
         wasmtime_instance_export_nth(w->context, &w->instance, i, &name, &len, &item); i++) {
        char text[64];
        snprintf(text, sizeof text, "%.*s", (int)len, name);
        if (text[0] == '\x01')
            continue;
        if (item.kind == WASMTIME_EXTERN_FUNC)
            call_line(w, text, &item.of.func);
        if (item.kind == WASMTIME_EXTERN_GLOBAL) {
            wasmtime_val_t value;
            wasmtime_global_get(w->context, &item.of.global, &value);
            assert_int_equal(buf_printf(&w->trace, "%s is", text), 0);
            print_value(&w->trace, &value);
            assert_int_equal(buf_append_byte(&w->trace, '\n'), 0);
        }
    }
    print_root(w);
    if (!wasmtime_instance_export_get(w->context, &w->instance, "memory", 6, &item))
        return;
    /* With slack the memory is larger than the guest knows: what it knows is what is open. */
    size_t size = wasmtime_memory_data_size(w->context, &item.of.memory);
    if (w->slack_end && size == w->slack_end * 65536u)
        size = w->open * 65536u;
    uint64_t sum = checksum(wasmtime_memory_data(w->context, &item.of.memory), size);
    assert_int_equal(buf_printf(&w->trace, "memory: %zu %llx\n", size, (unsigned long long)sum), 0);
}

static void assert_same_trace(const char *name, const world *plain, const world *other)
{
    if (!slice_equal(buf_slice(&plain->trace), buf_slice(&other->trace)))
        fail_msg("%s, way %d:\n%.*s---- plain:\n%.*s", name, other->way, (int)other->trace.len,
                 (char *)other->trace.data, (int)plain->trace.len, (char *)plain->trace.data);
}

static void compare(const char *name, slice binary)
{
    linked_module none, linked;
    world plain, other;

    bool runs = world_make(&plain, binary, PLAIN, &none);
    for (int round = 0; runs && round < 2; round++)
        run_exports(&plain);
    for (enum way way = MERGED; way < WAYS; way++) {
        assert_int_equal(world_make(&other, binary, way, &linked), runs);
        for (int round = 0; runs && round < 2; round++)
            run_exports(&other);
        assert_same_trace(name, &plain, &other);
        world_end(&other);
        linked_module_deinit(&linked);
    }
    world_end(&plain);
}

/* Runs `test` on the binary of each module in wat/link. Their exported functions take nothing and
 * are called in order. */
static void for_each_module(void (*test)(const char *name, slice binary))
{
    struct dirent **names;
    int count = scandir("wat/link", &names, NULL, alphasort), tested = 0;

    for (int i = 0; i < count; i++) {
        char path[512];
        snprintf(path, sizeof path, "link/%s", names[i]->d_name);
        if (names[i]->d_name[0] != '.') {
            slice binary = guest_wat_binary(path);
            test(names[i]->d_name, binary);
            free((void *)(uintptr_t)binary.data);
            tested++;
        }
        free(names[i]);
    }
    free(names);
    assert_true(tested >= 20);
}

/* A linked module does what it did before. */
static void test_behaviour(void **state)
{
    (void)state;
    for_each_module(compare);
}

/* ... also where it fails before anything runs. */
static void test_data_behind_the_memory(void **state)
{
    static const char *const offsets[] = {
        "(i32.const 65533)", "(i32.const 65537)", "(i32.const -1)",
        "(i32.add (i32.const 65536) (i32.const 0))", "(i32.const 65532)"};

    (void)state;
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "(module (memory (export \"memory\") 1) (data \"passive\") (data %s \"four\"))",
                 offsets[i]);
        slice binary = guest_binary(text);
        compare(offsets[i], binary);
        free((void *)(uintptr_t)binary.data);
    }
}

/* The segments of the test above have each of the eight forms. */
static void test_all_forms_of_element_segments(void **state)
{
    slice binary = guest_wat_binary("link/element_segments.wat");
    wasm_module m;
    unsigned seen = 0;

    (void)state;
    assert_int_equal(wasm_module_parse(&m, binary, NULL), 0);
    wasm_reader r = wasm_reader_of(m.section[WASM_SECTION_ELEMENT]);
    for (uint32_t n = wasm_read_u32(&r); n > 0; n--) {
        uint32_t flags = wasm_read_u32(&r);
        seen |= 1u << flags;
        if (flags == 2 || flags == 6)
            wasm_read_u32(&r);
        if (!(flags & 1))
            assert_int_equal(wasm_read_bytes(&r, 3).len, 3); /* i32.const, a byte, end */
        if (flags & 3)
            wasm_read_byte(&r);
        for (uint32_t k = wasm_read_u32(&r); k > 0; k--)
            assert_int_equal(wasm_read_bytes(&r, flags & 4 ? 3 : 1).len, flags & 4 ? 3 : 1);
    }
    assert_false(r.failed || wasm_reader_more(&r));
    assert_int_equal(seen, 0xff);
    free((void *)(uintptr_t)binary.data);
}

static void find_global(world *w, const char *name, wasmtime_val_t *value)
{
    wasmtime_extern_t item = get(w, &w->instance, name);
    wasmtime_global_get(w->context, &item.of.global, value);
}

/* The added reset function puts every global back. */
static void test_reset(void **state)
{
    static const char *const names[] = {"i", "j", "k", "l", "far", "wide"};
    slice binary = guest_wat_binary("link/globals.wat");
    wasmtime_val_t before[6], after[6];
    linked_module linked;
    world w;

    (void)state;
    assert_true(world_make(&w, binary, MERGED, &linked));
    wasmtime_extern_t reset = get(&w, &w.instance, LINK_EXPORT_RESET);
    wasmtime_extern_t d = get(&w, &w.instance, "d");
    for (size_t n = 0; n < 6; n++)
        find_global(&w, names[n], &before[n]);
    buf_clear(&w.trace);
    run_exports(&w);
    assert_int_equal(buf_append_byte(&w.trace, 0), 0);
    assert_non_null(strstr((char *)w.trace.data, "d: 900000009:900000009 0:0\n"));
    call_line(&w, "reset", &reset.of.func);
    for (size_t n = 0; n < 6; n++) {
        find_global(&w, names[n], &after[n]);
        assert_int_equal(before[n].kind, after[n].kind);
        if (after[n].kind == WASMTIME_I32 || after[n].kind == WASMTIME_F32)
            assert_int_equal(before[n].of.i32, after[n].of.i32);
        else
            assert_int_equal(before[n].of.i64, after[n].of.i64);
    }
    buf_clear(&w.trace);
    call_line(&w, "d", &d.of.func);
    assert_true(slice_equal_str(buf_slice(&w.trace), "d: 400000003:200000001 0:1a\n"));
    world_end(&w);
    linked_module_deinit(&linked);
    free((void *)(uintptr_t)binary.data);
}

/* Growth of every memory is charged, and refused with a trap. */
static void test_charging(void **state)
{
    slice binary = guest_binary("(module (memory 1) (memory $l i64 1) (func (export \"a\") (result "
                                "i32) (memory.grow (i32.const 2)))"
                                "(func (export \"b\") (result i64) (memory.grow $l (i64.const 1)))"
                                "(func (export \"c\") (result i32) (memory.size)))");

    (void)state;
    for (enum way way = MERGED; way < IMPORTED; way++) {
        linked_module linked;
        world w;
        assert_true(world_make(&w, binary, way, &linked));
        init_kernel(&w, 4);
        buf_clear(&w.trace);
        for (int n = 0; n < 6; n++) {
            const char name[] = {(char)('a' + n % 3), 0};
            wasmtime_extern_t item = get(&w, &w.instance, name);
            call_line(&w, name, &item.of.func);
        }
        /* 2 + 1 of 4 pages; then 2 are refused and 1 is not. */
        assert_true(slice_equal_str(buf_slice(&w.trace), "a: 0:1\nb: 0:1\nc: 0:3\n"
                                                         "a: trap 9\nb: 0:2\nc: 0:3\n"));
        const struct kernel_root *root = kernel_memory_root(kernel_of(&w));
        assert_int_equal(root->out_of_memory, 1);
        assert_int_equal(root->pages_left, 0);
        world_end(&w);
        linked_module_deinit(&linked);
    }
    free((void *)(uintptr_t)binary.data);
}

static linked_module link_text(const char *text, enum way way)
{
    slice binary = guest_binary(text);
    linked_module linked;
    error err = {0};

    if (link_it(&linked, binary, way, &err) != 0)
        fail_msg("%s: %s", text, error_text(&err));
    free((void *)(uintptr_t)binary.data);
    return linked;
}

static void assert_slack(const char *text, uint32_t told, uint32_t slack)
{
    linked_module linked = link_text(text, MERGED_WITH_SLACK);
    if (linked.slack_pages != slack || (slack && linked.told_pages != told))
        fail_msg("%s: %u and %u", text, linked.told_pages, linked.slack_pages);
    linked_module_deinit(&linked);
}

static void test_who_gets_slack(void **state)
{
    (void)state;
    assert_slack("(module (memory 3))", 3, SLACK);
    assert_slack("(module (memory 3 10))", 3, 7);
    assert_slack("(module (memory 3 3))", 3, 0);
    assert_slack("(module (memory 0))", 0, SLACK);
    assert_slack("(module (memory 65530))", 65530, 6);
    assert_slack("(module)", 0, 0);
    assert_slack("(module (memory 1) (memory 1))", 0, 0);
    assert_slack("(module (memory i64 1))", 0, 0);
    assert_slack("(module (import \"m\" \"m\" (memory 1)))", 0, 0);
    assert_slack("(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))", 0, 0);
    assert_slack("(module (import \"wasi_snapshot_preview1\" \"sched_yield\" (func (result i32)))"
                 "(memory 1))",
                 0, 0);
    assert_slack("(module (memory 1) (data (i32.const 65532) \"four\"))", 1, SLACK);
    assert_slack("(module (memory 1) (data (i32.const 65533) \"four\"))", 0, 0);
    assert_slack("(module (memory 32769) (data (i32.const -2147483648) \"x\"))", 32769, SLACK);
    assert_slack(
        "(module (import \"m\" \"g\" (global $g i32)) (memory 1) (data (global.get $g) \"x\"))", 0,
        0);
}

static void assert_recyclable(const char *text, bool expected)
{
    for (enum way way = MERGED; way < WAYS; way++) {
        linked_module linked = link_text(text, way);
        if (linked.recyclable != expected)
            fail_msg("%s", text);
        linked_module_deinit(&linked);
    }
}

/* What cannot be put back makes an instance good for one use only. */
static void test_what_is_recyclable(void **state)
{
    (void)state;
    assert_recyclable("(module)", true);
    assert_recyclable(
        "(module (memory 1) (global $g (mut i32) (i32.const 0)) (table 1 funcref)"
        "(elem (i32.const 0) $f) (data $d \"d\")"
        "(func $f (global.set $g (i32.const 1)) (i32.store (i32.const 0) (i32.const 1))"
        "(drop (memory.grow (i32.const 1))) (drop (table.get (i32.const 0)))"
        "(call_indirect (i32.const 0))"
        "(memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))))",
        true);
    assert_recyclable("(module (table 1 funcref) (func (table.set (i32.const 0) (ref.null func))))",
                      false);
    assert_recyclable("(module (data $d \"d\") (func (data.drop $d)))", false);
    assert_recyclable("(module (elem $e funcref) (func (elem.drop $e)))", false);
    assert_recyclable("(module (type $s (struct (field (mut i32))))"
                      "(func (drop (struct.new_default $s))))",
                      false);
    assert_recyclable("(module (type $s (struct (field (mut i32))))"
                      "(global (mut (ref $s)) (struct.new_default $s)))",
                      false);
    assert_recyclable("(module (tag $e) (func (throw $e)))", false);
}

static void assert_refused(const char *text, int rc, const char *words)
{
    slice binary = guest_binary(text);
    for (enum way way = MERGED; way < WAYS; way++) {
        linked_module linked;
        error err = {0};
        assert_int_equal(link_it(&linked, binary, way, &err), rc);
        if (!strstr(error_text(&err), words))
            fail_msg("%s", error_text(&err));
        assert_null(linked.wasm.data);
        error_deinit(&err);
    }
    free((void *)(uintptr_t)binary.data);
}

/* What the linker adds is out of a guest's reach, whichever module it is in. */
static void test_names_that_are_kept(void **state)
{
    (void)state;
    assert_refused("(module (func (export \"\\01ubiq:reset\")))", E_INVALID, "control character");
    assert_refused("(module (func (export \"\\01\")))", E_INVALID, "control character");
    assert_refused("(module (import \"extism:host/env\" \"\\01ubiq:open\" (func (param i32 i32))))",
                   E_INVALID, "control character");
    assert_refused("(module (import \"extism:host/env\" \"\\01ubiq:charge\""
                   " (func (param i64) (result i64))))",
                   E_INVALID, "control character");
    assert_refused("(module (import \"other\" \"\\01ubiq:memory:0\" (memory 1)))", E_INVALID,
                   "control character");
    assert_refused("(module (import \"other\" \"\\01ubiq:reset\" (func)))", E_INVALID,
                   "control character");
}

static void test_imports_of_the_wrong_type(void **state)
{
    slice binary = guest_binary("(module (import \"extism:host/env\" \"alloc\""
                                " (func (param i32 (ref null extern)) (result i64))))");
    linked_module linked;
    error err = {0};

    (void)state;
    assert_int_not_equal(link_it(&linked, binary, MERGED, &err), 0);
    assert_string_equal(error_text(&err),
                        "types incompatible: expected type `(func (param i32 ref) "
                        "(result i64))`, found type `(func (param i64) (result i64))`");
    error_deinit(&err);
    free((void *)(uintptr_t)binary.data);
}

static void test_a_kernel_that_is_none(void **state)
{
    slice binary = guest_binary("(module)");
    link_options options = {.mode = LINK_MERGED, .kernel = binary};
    linked_module linked;
    error err = {0};

    (void)state;
    assert_int_equal(wasm_link(&linked, binary, &options, &err), E_INTERNAL);
    error_deinit(&err);
    options.kernel = slice_str("no module");
    assert_int_equal(wasm_link(&linked, binary, &options, &err), E_INVALID);
    error_deinit(&err);
    free((void *)(uintptr_t)binary.data);
}

/* The names in a backtrace are the guest's own, in spite of the new numbers. */
static void test_names_in_backtraces(void **state)
{
    slice binary =
        guest_binary("(module $shop (import \"host\" \"note\" (func $note (param i64)))"
                     "(import \"extism:host/env\" \"reset\" (func $reset)) (memory 1)"
                     "(func $inner unreachable) (func $outer (call $reset) (call $inner))"
                     "(func $unused) (export \"a\" (func $outer)))");

    (void)state;
    for (enum way way = PLAIN; way < WAYS; way++) {
        linked_module linked;
        wasm_trap_t *trap = NULL;
        wasm_message_t message;
        world w;
        assert_true(world_make(&w, binary, way, &linked));
        wasmtime_extern_t a = get(&w, &w.instance, "a");
        must(wasmtime_func_call(w.context, &a.of.func, NULL, 0, NULL, 0, &trap), NULL);
        assert_non_null(trap);
        wasm_trap_message(trap, &message);
        assert_non_null(strstr(message.data, "shop!inner"));
        assert_non_null(strstr(message.data, "shop!outer"));
        assert_null(strstr(message.data, "note"));
        wasm_byte_vec_delete(&message);
        wasm_trap_delete(trap);
        world_end(&w);
        linked_module_deinit(&linked);
    }
    free((void *)(uintptr_t)binary.data);
}

/* A name section may be anything. */
static void test_broken_name_sections(void **state)
{
    static const uint8_t sections[][16] = {
        {0, 5, 4, 'n', 'a', 'm', 'e'},
        {0, 7, 4, 'n', 'a', 'm', 'e', 1, 9},                       /* longer than the section */
        {0, 9, 4, 'n', 'a', 'm', 'e', 1, 2, 0x7f, 0},              /* more names than it has */
        {0, 11, 4, 'n', 'a', 'm', 'e', 1, 4, 1, 0x7f, 1, 'x'},     /* of a function there is not */
        {0, 11, 4, 'n', 'a', 'm', 'e', 1, 4, 1, 0, 0x7f, 'x'},     /* a name that is cut off */
        {0, 12, 4, 'n', 'a', 'm', 'e', 0x40, 1, 0, 0, 2, 1, 0x41}, /* unknown parts */
    };
    slice binary = guest_binary("(module (func (export \"a\") (result i32) (i32.const 3)))");

    (void)state;
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++) {
        buf bytes;
        buf_init(&bytes, 4096);
        assert_int_equal(buf_append(&bytes, binary.data, binary.len), 0);
        assert_int_equal(buf_append(&bytes, sections[i], 2u + sections[i][1]), 0);
        compare("a broken name section", buf_slice(&bytes));
        buf_deinit(&bytes);
    }
    free((void *)(uintptr_t)binary.data);
}

static bool valid(slice bytes)
{
    wasm_engine_t *engine;
    /* Without threads it is faster. */
    assert_int_equal(engine_get(ENGINE_COMPILER, &engine, NULL), 0);
    wasmtime_error_t *e = wasmtime_module_validate(engine, bytes.data, bytes.len);
    if (e)
        wasmtime_error_delete(e);
    return !e;
}

/* Links bytes that may be anything, in all ways: what is valid stays valid, unless it is refused
 * with a reason. */
static void link_anything(slice bytes)
{
    for (enum way way = MERGED; way < WAYS; way++) {
        linked_module linked;
        error err = {0};
        int rc = link_it(&linked, bytes, way, &err);
        if (rc != 0)
            assert_non_null(err.text);
        else if (valid(bytes) && !valid(buf_slice(&linked.wasm)))
            fail_msg("a valid module has become invalid");
        if (rc == 0)
            linked_module_deinit(&linked);
        error_deinit(&err);
    }
}

static void change_each_byte(const char *name, slice binary)
{
    static const uint8_t changes[] = {0x01, 0x80, 0xff, 0x40};
    uint8_t *bytes = (uint8_t *)(uintptr_t)binary.data;

    (void)name;
    for (size_t i = 0; i < binary.len; i++) {
        bytes[i] ^= changes[i % 4];
        link_anything(binary);
        bytes[i] ^= changes[i % 4];
    }
}

static void test_one_wrong_byte_anywhere(void **state)
{
    (void)state;
    for_each_module(change_each_byte);
}

static void cut_off(const char *name, slice binary)
{
    (void)name;
    for (size_t len = 0; len < binary.len; len += 3) {
        uint8_t *exact = malloc(len + 1);
        assert_non_null(exact);
        memcpy(exact + 1, binary.data, len);
        link_anything(slice_of(exact + 1, len));
        free(exact);
    }
}

static void test_cut_off_anywhere(void **state)
{
    (void)state;
    for_each_module(cut_off);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_behaviour),
        cmocka_unit_test(test_data_behind_the_memory),
        cmocka_unit_test(test_all_forms_of_element_segments),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_charging),
        cmocka_unit_test(test_who_gets_slack),
        cmocka_unit_test(test_slack_with_wasi),
        cmocka_unit_test(test_what_is_recyclable),
        cmocka_unit_test(test_names_that_are_kept),
        cmocka_unit_test(test_imports_of_the_wrong_type),
        cmocka_unit_test(test_a_kernel_that_is_none),
        cmocka_unit_test(test_names_in_backtraces),
        cmocka_unit_test(test_broken_name_sections),
        cmocka_unit_test(test_one_wrong_byte_anywhere),
        cmocka_unit_test(test_cut_off_anywhere),
    };

    return cmocka_run_group_tests(tests, guest_start, NULL);
}
