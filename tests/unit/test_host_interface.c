#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "build/host_interface.h"

#define USER(text) "declare module \"extism:host\" { interface user { " text " } }"

/* What is read, as it is written for the runtime. */
static void reads(const char *text, const char *written)
{
    host_interface in;
    size_t line, column;
    error err = {0};
    buf out;

    buf_init(&out, SIZE_MAX);
    if (host_interface_read(&in, slice_str(text), &line, &column, &err) != 0)
        fail_msg("%s: %zu:%zu: %s", text, line, column, error_text(&err));
    assert_int_equal(host_interface_write(&out, &in), 0);
    assert_int_equal(buf_append_byte(&out, 0), 0);
    assert_string_equal((const char *)out.data, written);
    host_interface_deinit(&in);
    buf_deinit(&out);
}

static void refuses(const char *text, size_t at_line, size_t at_column, const char *words)
{
    host_interface in;
    size_t line, column;
    error err = {0};

    assert_int_equal(host_interface_read(&in, slice_str(text), &line, &column, &err), E_INVALID);
    if (!strstr(error_text(&err), words) || line != at_line || column != at_column)
        fail_msg("%s: %zu:%zu: %s", text, line, column, error_text(&err));
    assert_null(in.item);
    error_deinit(&err);
}

static void test_reads(void **state)
{
    (void)state;
    reads("", "");
    reads(" // nothing", "");
    reads(USER("a(x: I32, y: I64, z: F32, u: F64, v: PTR): PTR;"), "a:iIfFI:I");
    reads(USER("a(): void, b()\n c(p: i32,): f64"), "a::\nb::\nc:i:F");
    reads("\xef\xbb\xbf/* \xc3\xa9 */ declare module 'main' { export function f(a: I32): I32; }\r\n"
          "declare module 'extism:host' { export interface user { $_1(/* p */ p: PTR): I32 }\n"
          "interface more { other(): F32 } }\ndeclare module 'extism:host' {}",
          "$_1:I:i\nother::f");
}

static void test_names_the_interface(void **state)
{
    host_interface in;
    size_t line, column;

    (void)state;
    assert_int_equal(host_interface_read(&in,
                                         slice_str("declare module 'extism:host' { interface own { "
                                                   "f(): I32 } }"),
                                         &line, &column, NULL),
                     0);
    assert_int_equal(in.count, 1);
    assert_true(slice_equal_str(in.item[0].module, "own"));
    host_interface_deinit(&in);
}

static void test_refuses(void **state)
{
    char many[64 * 1024] = "declare module 'extism:host' { interface user {";
    size_t len = strlen(many);

    (void)state;
    refuses("declare module 'other' {}", 1, 16, "\"extism:host\" or \"main\" expected, not other");
    refuses("declare module main {}", 1, 16, "expected, not main");
    refuses("type A = number;", 1, 1, "declare expected, not type");
    refuses(USER("a(x: string): I32"), 1, 54, "I32, I64, F32, F64 or PTR expected, not string");
    refuses(USER("a(x): I32"), 1, 52, ": expected, not )");
    refuses(USER("a(x: I32): number"), 1, 60, "or void expected, not number");
    refuses(USER("a: I32"), 1, 50, "( expected");
    refuses(USER("1a(): I32"), 1, 49, "the name of a function expected, not 1a");
    refuses(USER("a(): I32;\n a(): I64"), 2, 2, "declared twice");
    refuses(USER("a(a: I32, b: I32, c: I32, d: I32, e: I32, f: I32): I32"), 1, 91, "at most 5");
    refuses("declare module 'extism:host' {\n  interface user {", 2, 19, "expected, not the end");
    refuses("/* a", 1, 1, "a comment that does not end");
    refuses("declare module 'a\n'", 1, 16, "quotes");
    refuses("declare module 'a\\'", 1, 16, "quotes");
    refuses("declare module \xff", 1, 16, "not UTF-8");
    refuses("declare \xe2\x82\xac", 1, 9, "not \xe2\x82\xac");
    for (int i = 0; i <= LIMIT_BUILD_HOST_FUNCTIONS; i++)
        len += (size_t)snprintf(many + len, sizeof many - len, "f%d();\n", i);
    snprintf(many + len, sizeof many - len, "}}");
    refuses(many, LIMIT_BUILD_HOST_FUNCTIONS + 1, 1, "too many");
}

static void test_is(void **state)
{
    (void)state;
    assert_true(host_interface_is(slice_str(USER(""))));
    assert_false(host_interface_is(slice_str("declare module '*.svg';")));
    assert_false(host_interface_is(slice_str("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_names_the_interface),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
