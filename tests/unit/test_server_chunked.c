#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/chunked.h"
#include "server/limits.h"

/* Decodes `coded`, handed over in pieces of `size` bytes, as a connection does: what is decoded
 * stands at the start, and the next piece behind it. */
static enum chunked_result decode(const char *coded, size_t len, size_t size, char *out,
                                  size_t *decoded, size_t *used)
{
    enum chunked_result result = CHUNKED_MORE;
    chunked c = {0};

    *decoded = *used = 0;
    while (result == CHUNKED_MORE && *used < len) {
        size_t piece = len - *used < size ? len - *used : size, n, taken;
        uint8_t *data = malloc(piece);

        memcpy(data, coded + *used, piece);
        result = chunked_decode(&c, data, piece, &n, &taken);
        assert_true(n <= taken && taken <= piece);
        if (result == CHUNKED_MORE)
            assert_int_equal(taken, piece);
        memcpy(out + *decoded, data, n);
        *decoded += n;
        *used += taken;
        free(data);
    }
    return result;
}

static void test_bodies(void **state)
{
    static const struct {
        const char *coded;
        const char *body;
        size_t behind; /* bytes that belong to what comes next */
    } cases[] = {
        {"0\r\n\r\n", "", 0},
        {"000\r\n\r\n", "", 0},
        {"5\r\nhello\r\n0\r\n\r\n", "hello", 0},
        {"5\r\nhello\r\n0\r\n\r\nGET /", "hello", 5},
        {"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n", "abc", 0},
        {"A\r\n0123456789\r\n00a;x\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789", 0},
        {"2;a=\"b\"\t\r\n\r\n\r\n0;x\r\n\r\n", "\r\n", 0},
        {"1\r\nx\r\n0\r\nTrailer: y\r\nAnother: z\r\n\r\n", "x", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = strlen(cases[i].coded);

        for (size_t size = 1; size <= len; size++) {
            char out[100];
            size_t decoded, used;

            assert_int_equal(decode(cases[i].coded, len, size, out, &decoded, &used), CHUNKED_DONE);
            assert_int_equal(decoded, strlen(cases[i].body));
            assert_memory_equal(out, cases[i].body, decoded);
            assert_int_equal(len - used, cases[i].behind);
        }
    }
}

static void test_what_is_not_chunked(void **state)
{
    static const char *const cases[] = {
        "\r\n",
        "x\r\n",
        " 5\r\n",
        "-5\r\n",
        "5\n",
        "5\rx",
        "5x\r\n",
        "5;\n",
        "5;\x01\r\n",
        "1\r\nab\r\n",
        "1\r\na\n",
        "1\r\na\r\r",
        "0\r\n\n",
        "0\r\nX: y\n",
        "0\r\n\rx",
        "5 \x7f\r\n",
        ";\r\n",
        "0x5\r\nhello\r\n",
        "ffffffffffffffff\r\n",
        "00000000000000005\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t size = 1; size <= strlen(cases[i]); size++) {
            char out[100];
            size_t decoded, used;

            assert_int_equal(decode(cases[i], strlen(cases[i]), size, out, &decoded, &used),
                             CHUNKED_MALFORMED);
        }
    }
}

static void test_bodies_that_go_on(void **state)
{
    static const char *const cases[] = {"5",
                                        "5\r",
                                        "5\r\n",
                                        "5\r\nhel",
                                        "5\r\nhello",
                                        "5\r\nhello\r\n0\r\n",
                                        "0\r\nTrailer",
                                        "0\r\nX: y\r\n"};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[100];
        size_t decoded, used;

        assert_int_equal(decode(cases[i], strlen(cases[i]), 100, out, &decoded, &used),
                         CHUNKED_MORE);
    }
}

/* Extensions and trailers are passed over, but not for ever. */
static void test_too_much_beside_the_body(void **state)
{
    static const char *const starts[] = {"5;", "0\r\n"};

    (void)state;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        size_t len = strlen(starts[i]) + LIMIT_CHUNK_EXTRA_BYTES + 1;
        char *coded = malloc(len);
        size_t decoded, used;

        memset(coded, 'x', len);
        memcpy(coded, starts[i], strlen(starts[i]));
        assert_int_equal(decode(coded, len - 1, 1000, coded, &decoded, &used), CHUNKED_MORE);
        assert_int_equal(decode(coded, len, 1000, coded, &decoded, &used), CHUNKED_MALFORMED);
        free(coded);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_what_is_not_chunked),
        cmocka_unit_test(test_bodies_that_go_on),
        cmocka_unit_test(test_too_much_beside_the_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
