#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "server/error_log.h"

#define SHOWN 16384

static buf logged;

static void keep(void *arg, int level, const char *lines, size_t len)
{
    (void)arg, (void)level;
    assert_int_equal(buf_append(&logged, lines, len), 0);
}

/* Writes one line; what stands behind the function's name, with a NUL behind it. */
static const char *write_line(slice text, slice attributes)
{
    log_writer *w;
    const char *at;

    buf_deinit(&logged);
    buf_init(&logged, SIZE_MAX);
    assert_int_equal(log_writer_create_for(&w, keep, NULL, NULL), 0);
    error_log_write_line(w, ERROR_LOG_INFO, "f", NULL, text, attributes);
    log_writer_destroy(w);
    assert_int_equal(buf_append_byte(&logged, '\0'), 0);
    at = strstr((const char *)logged.data, " f: ");
    assert_non_null(at);
    return at + 4;
}

/* `len` letters; the caller frees them. */
static slice letters(size_t len)
{
    uint8_t *data = malloc(len);

    assert_non_null(data);
    memset(data, 'a', len);
    return slice_of(data, len);
}

static void test_short_ones_are_whole(void **state)
{
    slice text = letters(SHOWN);
    const char *line;

    (void)state;
    assert_string_equal(write_line(slice_str("hello\nyou\n"), slice_str("{\"a\":1}")),
                        "hello\n    you {\"a\":1}\n");
    line = write_line(text, slice_of(NULL, 0));
    assert_int_equal(strlen(line), SHOWN + 1);
    assert_int_equal(line[SHOWN], '\n');
    free((void *)(uintptr_t)text.data);
}

static void test_a_cut_text_says_so(void **state)
{
    slice text = letters(SHOWN + 100);
    uint8_t *data = (uint8_t *)(uintptr_t)text.data;

    (void)state;
    assert_string_equal(write_line(text, slice_str("{}")) + SHOWN, "... (100 bytes more) {}\n");
    /* Not within a character. */
    memcpy(data + SHOWN - 1, "\xe2\x82\xac", 3);
    assert_string_equal(write_line(text, slice_of(NULL, 0)) + SHOWN - 1, "... (101 bytes more)\n");
    /* What is none may be cut anywhere. */
    memset(data, 0x80, text.len);
    assert_non_null(strstr(write_line(text, slice_of(NULL, 0)), "?... (10"));
    free(data);
}

static void test_attributes_are_whole_or_left_out(void **state)
{
    slice text = letters(SHOWN + 1);

    (void)state;
    assert_string_equal(write_line(slice_str("hi"), text),
                        "hi (attributes of 16385 bytes left out)\n");
    text.len--;
    assert_int_equal(strlen(write_line(slice_str("hi"), text)), SHOWN + 4);
    free((void *)(uintptr_t)text.data);
    buf_deinit(&logged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_ones_are_whole),
        cmocka_unit_test(test_a_cut_text_says_so),
        cmocka_unit_test(test_attributes_are_whole_or_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
