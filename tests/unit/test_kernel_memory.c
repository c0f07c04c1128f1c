#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "extism/kernel_memory.h"
#include "extism/kernel_wasm.h"
#include "guest.h"

#define PAGES 4u

static kernel_memory make(uint64_t allowance)
{
    kernel_memory m = {.base = calloc(PAGES, KERNEL_PAGE), .size = PAGES * KERNEL_PAGE};
    assert_non_null(m.base);
    kernel_memory_init(m, allowance);
    return m;
}

static uint64_t alloc(kernel_memory m, uint64_t n)
{
    uint64_t pages;
    bool denied;

    assert_true(kernel_memory_missing(m, n, &pages, &denied));
    assert_int_equal(pages, 0);
    uint64_t p = kernel_memory_alloc(m, n);
    assert_int_not_equal(p, 0);
    return p;
}

static struct kernel_block *header(kernel_memory m, uint64_t p)
{
    return (struct kernel_block *)(void *)(m.base + p - sizeof(struct kernel_block));
}

static void test_a_new_memory(void **state)
{
    kernel_memory m = make(7);
    const struct kernel_root *r = kernel_memory_root(m);

    (void)state;
    assert_int_equal(r->position, KERNEL_HEAP);
    assert_int_equal(r->length, KERNEL_PAGE);
    assert_int_equal(r->pages_left, 7);
    assert_int_equal(r->out_of_memory, 0);
    assert_true(sizeof *r <= KERNEL_HEAP);
    assert_int_equal(kernel_memory_length(m, KERNEL_HEAP), 0);
    free(m.base);
}

static void test_a_memory_too_small(void **state)
{
    uint8_t bytes[64];
    (void)state;
    assert_null(kernel_memory_root((kernel_memory){.base = bytes, .size = sizeof bytes}));
}

static void test_allocation(void **state)
{
    kernel_memory m = make(KERNEL_UNLIMITED_PAGES);
    uint64_t a = alloc(m, 1), b = alloc(m, 8), c = alloc(m, 9);

    (void)state;
    assert_int_equal(a, KERNEL_HEAP + 16);
    assert_int_equal(b, a + 8 + 16);
    assert_int_equal(c, b + 8 + 16);
    assert_int_equal(kernel_memory_length(m, a), 1);
    assert_int_equal(kernel_memory_length(m, b), 8);
    assert_int_equal(kernel_memory_length(m, c), 9);
    assert_int_equal(kernel_memory_length(m, a + 8), 0);
    assert_int_equal(kernel_memory_length(m, 0), 0);
    assert_int_equal(kernel_memory_length(m, UINT64_MAX), 0);
    kernel_memory_free(m, b);
    kernel_memory_free(m, b);
    kernel_memory_free(m, a + 1);
    kernel_memory_free(m, UINT64_MAX - 7);
    assert_int_equal(kernel_memory_length(m, b), 0);
    assert_int_equal(kernel_memory_length(m, c), 9);
    free(m.base);
}

/* What was written before is not in what is handed out after a reset. */
static void test_allocations_are_zero(void **state)
{
    kernel_memory m = make(KERNEL_UNLIMITED_PAGES);

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (int n = 0; n < 20; n++) {
            uint64_t p = alloc(m, 1000 + (uint64_t)(n * 37 * (round + 1)));
            for (uint64_t i = 0; i < kernel_memory_length(m, p); i++)
                assert_int_equal(m.base[p + i], 0);
            memset(m.base + p, 0xee, header(m, p)->size);
        }
        assert_true(kernel_memory_root(m)->dirty >= kernel_memory_root(m)->position);
        kernel_memory_reset(m);
    }
    free(m.base);
}

static void test_what_is_missing(void **state)
{
    kernel_memory m = make(KERNEL_UNLIMITED_PAGES);
    uint64_t pages = 99;
    bool denied = true;

    (void)state;
    assert_true(kernel_memory_missing(m, PAGES * KERNEL_PAGE - KERNEL_HEAP - 16, &pages, &denied));
    assert_int_equal(pages, 0);
    assert_true(kernel_memory_missing(m, PAGES * KERNEL_PAGE - KERNEL_HEAP - 15, &pages, &denied));
    assert_int_equal(pages, 1);
    assert_false(denied);
    /* Without the growth that is missing there is no allocation. */
    assert_int_equal(kernel_memory_alloc(m, PAGES * KERNEL_PAGE), 0);
    assert_false(kernel_memory_missing(m, 0, &pages, &denied));
    assert_false(denied);
    assert_true(kernel_memory_missing(m, 0xffff0000 - 0x100 - 7, &pages, &denied));
    assert_false(kernel_memory_missing(m, 0xffffffff, &pages, &denied));
    assert_false(kernel_memory_missing(m, UINT64_MAX, &pages, &denied));
    assert_false(denied);
    assert_int_equal(kernel_memory_alloc(m, UINT64_MAX), 0);
    assert_int_equal(kernel_memory_root(m)->position, KERNEL_HEAP);
    free(m.base);
}

/* The first page is free; each one behind it counts, though the memory has it already. */
static void test_the_allowance(void **state)
{
    kernel_memory m = make(2);
    uint64_t pages;
    bool denied;

    (void)state;
    alloc(m, KERNEL_PAGE - KERNEL_HEAP - 16);
    assert_int_equal(kernel_memory_root(m)->pages_left, 2);
    alloc(m, 1);
    assert_int_equal(kernel_memory_root(m)->pages_left, 1);
    assert_int_equal(kernel_memory_root(m)->length, 2 * KERNEL_PAGE);
    assert_false(kernel_memory_missing(m, 2 * KERNEL_PAGE, &pages, &denied));
    assert_true(denied);
    assert_int_equal(kernel_memory_alloc(m, 2 * KERNEL_PAGE), 0);
    alloc(m, KERNEL_PAGE);
    assert_int_equal(kernel_memory_root(m)->pages_left, 0);
    assert_false(kernel_memory_missing(m, KERNEL_PAGE, &pages, &denied));
    assert_true(denied);
    /* A reset gives no pages back: they stay the guest's. */
    kernel_memory_reset(m);
    alloc(m, 3 * KERNEL_PAGE - KERNEL_HEAP - 16);
    assert_int_equal(kernel_memory_root(m)->pages_left, 0);
    free(m.base);
}

static void test_reset(void **state)
{
    kernel_memory m = make(KERNEL_UNLIMITED_PAGES);
    struct kernel_root *r = kernel_memory_root(m);
    uint64_t p = alloc(m, 100);

    (void)state;
    r->error = r->output_offset = r->input_offset = p;
    r->output_length = r->input_length = 100;
    kernel_memory_reset(m);
    assert_int_equal(kernel_memory_length(m, p), 0);
    assert_int_equal(r->error | r->output_offset | r->output_length, 0);
    assert_int_equal(r->input_offset | r->input_length | r->input_words, 0);
    assert_int_equal(alloc(m, 1), p);
    free(m.base);
}

static void test_freeing_the_input(void **state)
{
    kernel_memory m = make(KERNEL_UNLIMITED_PAGES);
    uint64_t p = alloc(m, 100);

    (void)state;
    kernel_memory_set_input(m, p, 100);
    assert_int_equal(kernel_memory_root(m)->input_words, 93);
    kernel_memory_free(m, p);
    assert_int_equal(kernel_memory_root(m)->input_length, 0);
    assert_int_equal(kernel_memory_root(m)->input_words, 0);
    kernel_memory_set_input(m, p, 7);
    assert_int_equal(kernel_memory_root(m)->input_words, 0);
    kernel_memory_set_input(m, p, 8);
    assert_int_equal(kernel_memory_root(m)->input_words, 1);
    free(m.base);
}

static void test_views(void **state)
{
    kernel_memory m = make(KERNEL_UNLIMITED_PAGES);
    slice s = kernel_memory_view(m, m.size - 3, 10);

    (void)state;
    assert_ptr_equal(s.data, m.base + m.size - 3);
    assert_int_equal(s.len, 3);
    assert_int_equal(kernel_memory_view(m, m.size, 1).len, 0);
    assert_int_equal(kernel_memory_view(m, m.size + 1, 1).len, 0);
    assert_int_equal(kernel_memory_view(m, UINT64_MAX, UINT64_MAX).len, 0);
    assert_int_equal(kernel_memory_view(m, 0, UINT64_MAX).len, m.size);
    assert_int_equal(kernel_memory_view(m, 1, UINT64_MAX).len, m.size - 1);
    free(m.base);
}

/* A guest writes what it wants into headers, its own and ones that it makes up. What the host takes
 * for a block ends where the last allocation does: nobody clears what lies behind. */
static void test_forged_headers(void **state)
{
    kernel_memory m = make(KERNEL_UNLIMITED_PAGES);
    uint64_t p = alloc(m, 100), q = alloc(m, 50);

    (void)state;
    header(m, p)->used = UINT32_MAX;
    header(m, p)->size = UINT32_MAX;
    assert_int_equal(kernel_memory_length(m, p), kernel_memory_root(m)->position - p);
    *header(m, p + 40) = (struct kernel_block){.tag = KERNEL_BLOCK_ACTIVE, .used = 5};
    assert_int_equal(kernel_memory_length(m, p + 40), 5);
    *header(m, q + 56) = (struct kernel_block){.tag = KERNEL_BLOCK_ACTIVE, .used = 500};
    assert_int_equal(kernel_memory_length(m, q + 56), 0); /* it begins where the last one ends */
    assert_int_equal(kernel_memory_length(m, q + 57), 0);
    header(m, q)->tag = 0;
    assert_int_equal(kernel_memory_length(m, q), 0);
    kernel_memory_free(m, p + 40);
    assert_int_equal(header(m, p + 40)->tag, KERNEL_BLOCK_FREE);
    assert_int_equal(alloc(m, 8), q + 56 + 16); /* allocation does not look at headers */
    free(m.base);
}

typedef struct kernel {
    wasmtime_store_t *store;
    wasmtime_context_t *context;
    wasmtime_instance_t instance;
    wasmtime_memory_t memory;
} kernel;

static kernel start_kernel(uint64_t allowance)
{
    kernel k;
    wasm_engine_t *engine;
    wasmtime_module_t *module;
    wasmtime_extern_t item;
    wasm_trap_t *trap = NULL;

    guest_take_signals();
    assert_int_equal(engine_get(ENGINE_ON_DEMAND, &engine, NULL), 0);
    k.store = wasmtime_store_new(engine, NULL, NULL);
    k.context = wasmtime_store_context(k.store);
    wasmtime_context_set_epoch_deadline(k.context, 1000000);
    assert_null(wasmtime_module_new(engine, kernel_wasm, kernel_wasm_len, &module));
    assert_null(wasmtime_instance_new(k.context, module, NULL, 0, &k.instance, &trap));
    assert_null(trap);
    wasmtime_module_delete(module);
    assert_true(wasmtime_instance_export_get(k.context, &k.instance, "memory", 6, &item));
    k.memory = item.of.memory;
    kernel_memory_init((kernel_memory){.base = wasmtime_memory_data(k.context, &k.memory),
                                       .size = wasmtime_memory_data_size(k.context, &k.memory)},
                       allowance);
    return k;
}

static kernel_memory memory_of(kernel *k)
{
    return (kernel_memory){.base = wasmtime_memory_data(k->context, &k->memory),
                           .size = wasmtime_memory_data_size(k->context, &k->memory)};
}

/* Calls a function of the kernel's; false when it traps. */
static bool call_kernel(kernel *k, const char *name, uint64_t a, uint64_t b, uint64_t *result)
{
    wasmtime_val_raw_t raw[2] = {{.i64 = (int64_t)a}, {.i64 = (int64_t)b}};
    wasmtime_extern_t item;
    wasm_trap_t *trap = NULL;

    assert_true(wasmtime_instance_export_get(k->context, &k->instance, name, strlen(name), &item));
    assert_null(wasmtime_func_call_unchecked(k->context, &item.of.func, raw, 2, &trap));
    if (trap) {
        wasm_trap_delete(trap);
        return false;
    }
    if (result)
        *result = (uint64_t)raw[0].i64;
    return true;
}

static uint64_t kernel_number(kernel *k, const char *name, uint64_t a)
{
    uint64_t n;
    assert_true(call_kernel(k, name, a, 0, &n));
    return n;
}

/* Guest and host allocate in turns: blocks do not overlap and are known to both sides. */
static void test_both_sides_agree(void **state)
{
    enum { BLOCKS = 300 };
    kernel k = start_kernel(KERNEL_UNLIMITED_PAGES);
    uint64_t offset[BLOCKS], length[BLOCKS], x = 1;

    (void)state;
    for (size_t n = 0; n < BLOCKS; n++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        length[n] = 1 + (x >> 33) % 3000;
        offset[n] = n % 2 ? kernel_number(&k, "alloc", length[n]) : alloc(memory_of(&k), length[n]);
        assert_int_not_equal(offset[n], 0);
        memset(memory_of(&k).base + offset[n], (int)(n & 0xff), length[n]);
        if (n % 7 == 3) {
            kernel_memory_free(memory_of(&k), offset[n - 2]);
            assert_true(call_kernel(&k, "free", offset[n - 3], 0, NULL));
            length[n - 2] = length[n - 3] = 0;
        }
    }
    for (size_t n = 0; n < BLOCKS; n++) {
        if (length[n] == 0)
            continue; /* freed; its place may be another block's now */
        assert_int_equal(kernel_number(&k, "length", offset[n]), length[n]);
        assert_int_equal(kernel_memory_length(memory_of(&k), offset[n]), length[n]);
        for (uint64_t i = 0; i < length[n]; i++)
            assert_int_equal(memory_of(&k).base[offset[n] + i], n & 0xff);
    }
    const struct kernel_root *r = kernel_memory_root(memory_of(&k));
    assert_true(r->position <= r->dirty && r->dirty <= r->length &&
                r->length <= memory_of(&k).size);
    wasmtime_store_delete(k.store);
}

/* When the space is used up, freed blocks are handed out again before the memory grows. */
static void test_freed_blocks_are_used_again(void **state)
{
    kernel k = start_kernel(0);
    uint64_t a = kernel_number(&k, "alloc", 30000), b = kernel_number(&k, "alloc", 30000);

    (void)state;
    assert_true(call_kernel(&k, "free", a, 0, NULL));
    assert_int_equal(kernel_number(&k, "alloc", 20000), a);
    assert_int_equal(kernel_number(&k, "length", a), 20000);
    assert_false(call_kernel(&k, "alloc", 20000, 0, NULL)); /* no page is left */
    assert_int_equal(kernel_memory_root(memory_of(&k))->out_of_memory, 1);
    assert_int_equal(kernel_number(&k, "length", b), 30000);
    wasmtime_store_delete(k.store);
}

/* A freed block whose header was forged is not larger than the space there is. */
static void test_forged_freed_block(void **state)
{
    kernel k = start_kernel(0);
    uint64_t p = kernel_number(&k, "alloc", 65000);

    (void)state;
    assert_true(call_kernel(&k, "free", p, 0, NULL));
    header(memory_of(&k), p)->size = 0x7ffffff8;
    assert_false(call_kernel(&k, "alloc", 66000, 0, NULL));
    assert_int_equal(kernel_number(&k, "alloc", 64000), p);
    wasmtime_store_delete(k.store);
}

static void test_addresses_out_of_range(void **state)
{
    static const uint64_t bad[] = {
        0, 1, 127, 0x100000, 0xfffffff8, 0x100000080, UINT64_MAX - 7, UINT64_MAX};
    kernel k = start_kernel(KERNEL_UNLIMITED_PAGES);
    const struct kernel_root *r = kernel_memory_root(memory_of(&k));
    struct kernel_root before = *r;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_true(call_kernel(&k, "store_u8", bad[i], 255, NULL));
        assert_true(call_kernel(&k, "store_u64", bad[i], UINT64_MAX, NULL));
        assert_int_equal((uint32_t)kernel_number(&k, "load_u8", bad[i]), 0);
        assert_int_equal(kernel_number(&k, "load_u64", bad[i]), 0);
        assert_true(call_kernel(&k, "free", bad[i], 0, NULL));
        assert_int_equal(kernel_number(&k, "length", bad[i]), 0);
        assert_true(call_kernel(&k, "input_set", bad[i], 10, NULL));
        assert_true(call_kernel(&k, "output_set", bad[i], 10, NULL));
        assert_true(call_kernel(&k, "output_set", 200, bad[i] | 0x10000, NULL));
        if (bad[i])
            assert_true(call_kernel(&k, "error_set", bad[i], 0, NULL));
        assert_memory_equal(r, &before, sizeof before);
    }
    wasmtime_store_delete(k.store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_memory),
        cmocka_unit_test(test_a_memory_too_small),
        cmocka_unit_test(test_allocation),
        cmocka_unit_test(test_allocations_are_zero),
        cmocka_unit_test(test_what_is_missing),
        cmocka_unit_test(test_the_allowance),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_freeing_the_input),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_forged_headers),
        cmocka_unit_test(test_both_sides_agree),
        cmocka_unit_test(test_freed_blocks_are_used_again),
        cmocka_unit_test(test_forged_freed_block),
        cmocka_unit_test(test_addresses_out_of_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
