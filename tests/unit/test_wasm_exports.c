#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "extism/wasm_exports.h"
#include "project.h"

static project p;

static int set_up(void **state)
{
    (void)state;
    project_make(&p);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    project_remove(&p, "");
    return 0;
}

static void take(void *arg, slice name)
{
    buf *names = arg;

    assert_int_equal(buf_append(names, name.data, name.len), 0);
    assert_int_equal(buf_append_byte(names, ';'), 0);
}

/* Writes the module, and reads the names, each with a semicolon behind it. */
static int read_names(slice module, buf *names, error *err)
{
    char path[64];

    project_write(&p, "a.wasm", module);
    snprintf(path, sizeof path, "%s/a.wasm", p.path);
    buf_clear(names);
    return wasm_exports_of_file(path, take, names, err);
}

static void test_names(void **state)
{
    static const char *const exports[] = {"GET", "", "handle"};
    slice module = project_module(exports, 3);
    buf names;

    (void)state;
    buf_init(&names, 1000);
    assert_int_equal(read_names(module, &names, NULL), 0);
    assert_true(slice_equal_str(buf_slice(&names), "GET;;handle;"));
    free((void *)(uintptr_t)module.data);
    module = project_module(exports, 0);
    assert_int_equal(read_names(module, &names, NULL), 0);
    assert_int_equal(names.len, 0);
    free((void *)(uintptr_t)module.data);
    buf_deinit(&names);
}

/* What is exported and no function is not told, and where the section stands does not matter. */
static void test_other_exports_and_far_sections(void **state)
{
    static const uint8_t start[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    static const uint8_t exports[] = {7, 13, 3, 1, 'm', 2, 0, 1, 'f', 0, 0, 1, 'g', 3, 0};
    static const size_t gaps[] = {0, 1, 4078, 4082, 4083, 4084, 4085, 4086, 4090, 9000, 3000000};
    buf module, names;

    (void)state;
    buf_init(&names, 1000);
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) {
        uint32_t len = (uint32_t)gaps[i] + 2;

        buf_init(&module, 4000000);
        assert_int_equal(buf_append(&module, start, sizeof start), 0);
        /* A custom section, its length in five bytes. */
        assert_int_equal(buf_append_byte(&module, 0), 0);
        for (int k = 0; k < 5; k++)
            assert_int_equal(
                buf_append_byte(&module, (uint8_t)((len >> 7 * k & 0x7f) | (k < 4 ? 0x80 : 0))), 0);
        assert_int_equal(buf_append(&module, "\1x", 2), 0);
        assert_int_equal(buf_reserve(&module, gaps[i] + 1), 0);
        memset(module.data + module.len, 7, gaps[i]);
        module.len += gaps[i];
        assert_int_equal(buf_append(&module, exports, sizeof exports), 0);
        assert_int_equal(read_names(buf_slice(&module), &names, NULL), 0);
        assert_true(slice_equal_str(buf_slice(&names), "f;"));
        buf_deinit(&module);
    }
    buf_deinit(&names);
}

static void test_what_is_no_module(void **state)
{
    static const char *const exports[] = {"GET", "POST"};
    slice module = project_module(exports, 2);
    error err = {0};
    buf names;
    size_t i;

    (void)state;
    buf_init(&names, 1000);
    assert_int_equal(wasm_exports_of_file("/nowhere.wasm", take, &names, &err), E_NOT_FOUND);
    assert_int_equal(wasm_exports_of_file("/", take, &names, &err), E_IO);
    /* Cut off within its head or the exports it is refused; elsewhere the names are right or missing. */
    for (i = 0; i < module.len; i++) {
        int rc = read_names(slice_of(module.data, i), &names, &err);

        if (rc == 0)
            assert_true(names.len == 0 || slice_equal_str(buf_slice(&names), "GET;POST;"));
        else
            assert_int_equal(rc, E_INVALID);
        if (i < 8)
            assert_int_equal(rc, E_INVALID);
    }
    assert_int_equal(read_names(slice_str("\0asm\r\0\1\0 a component"), &names, &err), E_INVALID);
    assert_int_equal(read_names(slice_str("(module)"), &names, &err), E_INVALID);
    assert_int_equal(
        read_names(slice_of("\0asm\1\0\0\0\7\xff\xff\xff\xff\xff\xff", 15), &names, &err),
        E_INVALID);
    assert_int_equal(
        read_names(slice_of("\0asm\1\0\0\0\7\xff\xff\xff\xff\x0f\1", 15), &names, &err), E_INVALID);
    assert_int_equal(
        read_names(slice_of("\0asm\1\0\0\0\7\6\xff\xff\xff\xff\x0f\1", 16), &names, &err),
        E_INVALID);
    error_deinit(&err);
    buf_deinit(&names);
    free((void *)(uintptr_t)module.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_exports_and_far_sections, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_no_module, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
