#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

static void test_set_returns_the_code_and_keeps_the_text(void **state)
{
    error err = {0};

    (void)state;
    assert_int_equal(error_set(&err, E_IO, "%s: %d", "disk", 7), E_IO);
    assert_int_equal(err.code, E_IO);
    assert_string_equal(error_text(&err), "disk: 7");
    error_deinit(&err);
    assert_int_equal(err.code, 0);
    assert_null(err.text);
}

static void test_set_may_use_the_old_text(void **state)
{
    error err = {0};

    (void)state;
    error_set(&err, E_INVALID, "inner");
    error_set(&err, E_DENIED, "outer (%s)", error_text(&err));
    assert_string_equal(error_text(&err), "outer (inner)");
    assert_int_equal(err.code, E_DENIED);
    error_deinit(&err);
}

static void test_prefix_goes_before_the_text(void **state)
{
    error err = {0};

    (void)state;
    error_set(&err, E_INVALID, "not a module");
    assert_int_equal(error_prefix(&err, "functions/%s.wasm", "a"), E_INVALID);
    assert_string_equal(error_text(&err), "functions/a.wasm: not a module");
    error_deinit(&err);
}

static void test_prefix_without_text_uses_the_name(void **state)
{
    error err = {.code = E_TIMEOUT};

    (void)state;
    assert_int_equal(error_prefix(&err, "call"), E_TIMEOUT);
    assert_string_equal(error_text(&err), "call: timeout");
    error_deinit(&err);
}

static void test_null_is_taken(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, E_BUSY, "lost"), E_BUSY);
    assert_int_equal(error_prefix(NULL, "lost"), 0);
    error_deinit(NULL);
}

static void test_every_code_has_its_own_name(void **state)
{
    static const int codes[] = {
#define X(name, value, text) name,
        ERROR_CODES(X)
#undef X
    };
    size_t count = sizeof codes / sizeof *codes;

    (void)state;
    for (size_t i = 0; i < count; i++) {
        assert_true(codes[i] < 0);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(error_code_name(codes[i]), error_code_name(codes[j]));
    }
    assert_string_equal(error_code_name(E_TIMEOUT), "timeout");
    assert_string_equal(error_code_name(0), "success");
    assert_string_equal(error_code_name(-1000), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_returns_the_code_and_keeps_the_text),
        cmocka_unit_test(test_set_may_use_the_old_text),
        cmocka_unit_test(test_prefix_goes_before_the_text),
        cmocka_unit_test(test_prefix_without_text_uses_the_name),
        cmocka_unit_test(test_null_is_taken),
        cmocka_unit_test(test_every_code_has_its_own_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
