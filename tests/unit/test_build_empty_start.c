#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "build/empty_start.h"
#include "guest.h"

#define DO_NOTHING "(func (export \"__wasm_call_ctors\"))"
#define DO_SOMETHING "(func (export \"__wasm_call_ctors\") (global.set 0 (i32.const 1)))"
#define REST "(global (mut i32) (i32.const 0)) (memory (export \"memory\") 1)"
#define HANDLE "(func (export \"handle\") (result i32) (i32.const 0))"

/* What becomes of a module in text, to be freed. */
static slice dropped(const char *text)
{
    slice module = guest_binary(text);
    buf out;

    buf_init(&out, 1 << 16);
    assert_int_equal(empty_start_drop(module, &out, NULL), 0);
    free((void *)(uintptr_t)module.data);
    return buf_slice(&out);
}

static void assert_becomes(const char *from, const char *to)
{
    slice module = dropped(from), wanted = guest_binary(to);

    assert_int_equal(module.len, wanted.len);
    assert_memory_equal(module.data, wanted.data, wanted.len);
    free((void *)(uintptr_t)module.data);
    free((void *)(uintptr_t)wanted.data);
}

static void test_empty_one_goes(void **state)
{
    (void)state;
    assert_becomes("(module (import \"a\" \"b\" (func)) " REST DO_NOTHING HANDLE ")",
                   "(module (import \"a\" \"b\" (func)) " REST "(func)" HANDLE ")");
    assert_becomes("(module " REST HANDLE DO_NOTHING ")", "(module " REST HANDLE "(func))");
}

static void test_others_stay(void **state)
{
    static const char *const modules[] = {
        "(module)",
        "(module " REST HANDLE ")",
        "(module " REST DO_SOMETHING HANDLE ")",
        "(module (func (export \"__wasm_call_ctors\") (local i32)))",
        "(module (import \"a\" \"b\" (func)) (export \"__wasm_call_ctors\" (func 0)))",
        "(module (memory (export \"__wasm_call_ctors\") 1))",
        "(module (func (export \"_initialize\")))",
    };

    (void)state;
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++)
        assert_becomes(modules[i], modules[i]);
}

static void test_cut_off(void **state)
{
    slice module = guest_binary("(module " REST DO_NOTHING HANDLE ")");
    buf out;

    (void)state;
    buf_init(&out, 1 << 16);
    assert_int_equal(empty_start_drop(slice_str("no module"), &out, NULL), E_INVALID);
    for (size_t len = 0; len < module.len; len++) {
        uint8_t *cut = malloc(len + 1); /* so that a read behind it is noticed */

        memcpy(cut, module.data, len);
        buf_clear(&out);
        if (empty_start_drop(slice_of(cut, len), &out, NULL) == 0)
            assert_true(out.len <= len);
        free(cut);
    }
    free((void *)(uintptr_t)module.data);
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_one_goes),
        cmocka_unit_test(test_others_stay),
        cmocka_unit_test(test_cut_off),
    };

    return cmocka_run_group_tests(tests, guest_start, NULL);
}
