#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "extism/wasm_module.h"
#include "guest.h"

/* The parameters and results of type `index`; false when it is not a function type. */
static bool func_type(const wasm_module *m, uint32_t index, slice *params, slice *results)
{
    wasm_signature *types = NULL;
    bool found = false;

    assert_int_equal(0, wasm_module_list_types(m, &types, NULL));
    if (index < m->type_count && types[index].params.data) {
        *params = types[index].params;
        *results = types[index].results;
        found = true;
    }
    free(types);
    return found;
}

#define LARGE                                                                                      \
    "(module"                                                                                      \
    "(type $a (func (param i32 i64) (result f32)))"                                                \
    "(rec (type $s (struct (field i8) (field (ref null $t)))) (type $t (array (mut (ref $s)))))"   \
    "(type $base (sub (func (param externref))))"                                                  \
    "(type $derived (sub final $base (func (param externref))))"                                   \
    "(import \"m\" \"f\" (func (type $a)))"                                                        \
    "(import \"m\" \"t\" (table 1 2 funcref))"                                                     \
    "(import \"m\" \"mem\" (memory 3))"                                                            \
    "(import \"m\" \"g\" (global (mut (ref null $s))))"                                            \
    "(import \"m\" \"e\" (tag (param i32)))"                                                       \
    "(import \"m\" \"f2\" (func (type $derived)))"                                                 \
    "(memory 1 2) (memory i64 5) (memory 1)"                                                       \
    "(global i32 (i32.const 1)) (global (mut i64) (i64.const 2))"                                  \
    "(func $named (type $a) (local v128) (f32.const 1))"                                           \
    "(func (export \"x\"))"                                                                        \
    "(data \"passive\"))"

static void test_parts(void **state)
{
    slice binary = guest_binary(LARGE);
    error err = {0};
    wasm_module m;

    (void)state;
    assert_int_equal(wasm_module_parse(&m, binary, &err), 0);
    assert_int_equal(m.type_count, 7); /* with (param i32) and () */
    assert_int_equal(m.import_count, 6);
    assert_int_equal(m.imported[WASM_KIND_FUNC], 2);
    assert_int_equal(m.imported[WASM_KIND_TABLE], 1);
    assert_int_equal(m.imported[WASM_KIND_MEMORY], 1);
    assert_int_equal(m.imported[WASM_KIND_GLOBAL], 1);
    assert_int_equal(m.imported[WASM_KIND_TAG], 1);
    assert_int_equal(m.func_count, 2);
    assert_int_equal(m.memory_count, 3);
    assert_int_equal(m.global_count, 2);
    assert_true(m.names.len > 0);
    assert_int_equal(m.section[WASM_SECTION_START].len, 0);
    assert_int_equal(m.section[WASM_SECTION_EXPORT].len, 5);
    free((void *)(uintptr_t)binary.data);
}

static void test_function_types(void **state)
{
    slice binary = guest_binary(LARGE), params, results;
    wasm_module m;

    (void)state;
    assert_int_equal(wasm_module_parse(&m, binary, NULL), 0);
    assert_true(func_type(&m, 0, &params, &results));
    assert_true(slice_equal_str(params, "\x02\x7f\x7e"));
    assert_true(slice_equal_str(results, "\x01\x7d"));
    assert_false(func_type(&m, 1, &params, &results)); /* a struct, */
    assert_false(func_type(&m, 2, &params, &results)); /* an array */
    assert_true(func_type(&m, 4, &params, &results));
    assert_true(slice_equal_str(params, "\x01\x6f"));
    assert_int_equal(results.len, 1);
    assert_false(func_type(&m, 7, &params, &results));
    assert_false(func_type(&m, UINT32_MAX, &params, &results));
    free((void *)(uintptr_t)binary.data);
}

static void test_imports(void **state)
{
    static const struct {
        const char *name;
        enum wasm_extern_kind kind;
    } expected[] = {{"f", WASM_KIND_FUNC},   {"t", WASM_KIND_TABLE}, {"mem", WASM_KIND_MEMORY},
                    {"g", WASM_KIND_GLOBAL}, {"e", WASM_KIND_TAG},   {"f2", WASM_KIND_FUNC}};
    slice binary = guest_binary(LARGE);
    wasm_module m;
    size_t raw = 0;

    (void)state;
    assert_int_equal(wasm_module_parse(&m, binary, NULL), 0);
    wasm_reader r = wasm_reader_of(m.section[WASM_SECTION_IMPORT]);
    assert_int_equal(wasm_read_u32(&r), 6);
    for (size_t i = 0; i < 6; i++) {
        wasm_import import;
        wasm_read_import(&r, &import);
        assert_true(slice_equal_str(import.module, "m"));
        assert_true(slice_equal_str(import.name, expected[i].name));
        assert_int_equal(import.kind, expected[i].kind);
        raw += import.raw.len;
        if (i == 5)
            assert_int_equal(import.type, 4);
    }
    assert_int_equal(raw + 1, m.section[WASM_SECTION_IMPORT].len);
    assert_false(r.failed || wasm_reader_more(&r));
    free((void *)(uintptr_t)binary.data);
}

static void test_limits(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        wasm_limits expected;
    } cases[] = {
        {"\x00\x05", 2, {.min = 5, .page_size_log2 = 16}},
        {"\x01\x05\x80\x80\x04", 5, {.flags = 1, .min = 5, .max = 65536, .page_size_log2 = 16}},
        {"\x03\x01\x01", 3, {.flags = 3, .min = 1, .max = 1, .page_size_log2 = 16}},
        {"\x05\x80\x80\x80\x80\x80\x80\x40\x00",
         9,
         {.flags = 5, .min = 1ull << 48, .max = 0, .page_size_log2 = 16}},
        {"\x08\x07\x00", 3, {.flags = 8, .min = 7, .page_size_log2 = 0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wasm_reader r = wasm_reader_of(slice_of(cases[i].bytes, cases[i].len));
        wasm_limits found;
        wasm_read_limits(&r, &found);
        assert_false(r.failed || wasm_reader_more(&r));
        assert_int_equal(found.flags, cases[i].expected.flags);
        assert_int_equal(found.min, cases[i].expected.min);
        assert_int_equal(found.max, cases[i].expected.max);
        assert_int_equal(found.page_size_log2, cases[i].expected.page_size_log2);
    }
}

static void test_what_is_no_module(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        {"", 0},
        {"\0asm", 4},
        {"\0asm\2\0\0\0", 8},
        {"\0asm\x0d\0\1\0", 8},            /* a component */
        {"\0asm\1\0\0\0\x0e\0", 10},       /* a section that does not exist */
        {"\0asm\1\0\0\0\1", 9},            /* a section without its size, */
        {"\0asm\1\0\0\0\1\5\1", 11},       /* cut off, */
        {"\0asm\1\0\0\0\1\2\1\x7f", 12},   /* and of types that are none */
        {"\0asm\1\0\0\0\2\4\1\0\0\5", 14}, /* an import of a kind that does not exist */
        {"\0asm\1\0\0\0\1\6\xff\xff\xff\xff\x0f\x60", 16}, /* too many types for its size */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error err = {0};
        wasm_module m;
        assert_int_equal(wasm_module_parse(&m, slice_of(cases[i].bytes, cases[i].len), &err),
                         E_INVALID);
        assert_non_null(err.text);
        error_deinit(&err);
    }
}

/* A module that is cut off anywhere ends between two sections or is refused. */
static void test_cut_off_anywhere(void **state)
{
    slice binary = guest_binary(LARGE);
    size_t taken = 0;

    (void)state;
    for (size_t len = 0; len < binary.len; len++) {
        uint8_t *exact = malloc(len + 1);
        wasm_module m;
        assert_non_null(exact);
        memcpy(exact + 1, binary.data, len);
        taken += wasm_module_parse(&m, slice_of(exact + 1, len), NULL) == 0;
        free(exact);
    }
    assert_int_equal(taken, 9); /* behind the preamble and each section but the last */
    free((void *)(uintptr_t)binary.data);
}

static void test_one_wrong_byte_anywhere(void **state)
{
    slice binary = guest_binary(LARGE), params, results;
    uint8_t *bytes = (uint8_t *)(uintptr_t)binary.data;

    (void)state;
    for (size_t i = 0; i < binary.len; i++) {
        for (unsigned wrong = 0; wrong < 256; wrong++) {
            uint8_t right = bytes[i];
            wasm_module m;
            bytes[i] = (uint8_t)wrong;
            if (wasm_module_parse(&m, binary, NULL) == 0)
                func_type(&m, 3, &params, &results);
            bytes[i] = right;
        }
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_function_types),
        cmocka_unit_test(test_imports),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_what_is_no_module),
        cmocka_unit_test(test_cut_off_anywhere),
        cmocka_unit_test(test_one_wrong_byte_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
