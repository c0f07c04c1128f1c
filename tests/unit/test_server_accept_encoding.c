#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/accept_encoding.h"

static void test_weights(void **state)
{
    static const struct {
        const char *text;
        int weight;
    } cases[] = {
        {"", 1000},        {";q=1", 1000},     {";q=0", 0},      {" ; q=0.5", 500},
        {";Q=0.123", 123}, {";q=1.000", 1000}, {";\tq=0.", 0},   {";q=1.", 1000},
        {";q=0.05", 50},   {";q=1.001", -1},   {";q=2", -1},     {";q=0.1234", -1},
        {";q=.5", -1},     {";q=", -1},        {";q", -1},       {";", -1},
        {" ", -1},         {"q=1", -1},        {";q=0,5", -1},   {";q=-1", -1},
        {";q=1;x=y", -1},  {";q=01", -1},      {";level=9", -1}, {";q =1", -1},
        {";q=1 ", -1},     {";q=0.5x", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (accept_encoding_weight(slice_str(cases[i].text)) != cases[i].weight)
            fail_msg("\"%s\"", cases[i].text);
    }
}

static void test_choices(void **state)
{
    static const struct {
        const char *lines;
        enum coding coding;
    } cases[] = {
        {"", CODING_IDENTITY},
        {"Accept-Encoding:\r\n", CODING_IDENTITY},
        {"Accept-Encoding: gzip\r\n", CODING_GZIP},
        {"accept-encoding: GZip\r\n", CODING_GZIP},
        {"Accept-Encoding: x-gzip\r\n", CODING_GZIP},
        {"Accept-Encoding: zstd\r\n", CODING_ZSTD},
        {"Accept-Encoding: gzip, deflate, br, zstd\r\n", CODING_ZSTD},
        {"Accept-Encoding: zstd, gzip\r\n", CODING_ZSTD},
        {"Accept-Encoding: br, deflate, compress\r\n", CODING_IDENTITY},
        {"Accept-Encoding: gzip;q=1.0, zstd;q=0.9\r\n", CODING_GZIP},
        {"Accept-Encoding: gzip;q=0.5, zstd;q=0.501\r\n", CODING_ZSTD},
        {"Accept-Encoding: gzip;q=0, zstd;q=0\r\n", CODING_IDENTITY},
        {"Accept-Encoding: gzip;q=0.000\r\n", CODING_IDENTITY},
        {"Accept-Encoding: gzip;q=0.001\r\n", CODING_GZIP},
        {"Accept-Encoding: *\r\n", CODING_ZSTD},
        {"Accept-Encoding: *;q=0\r\n", CODING_IDENTITY},
        {"Accept-Encoding: zstd;q=0, *\r\n", CODING_GZIP},
        {"Accept-Encoding: *;q=0.5, gzip\r\n", CODING_GZIP},
        {"Accept-Encoding: identity\r\n", CODING_IDENTITY},
        {"Accept-Encoding: identity, gzip\r\n", CODING_GZIP},
        {"Accept-Encoding: identity, gzip;q=0.5\r\n", CODING_IDENTITY},
        {"Accept-Encoding: identity;q=0.5, gzip;q=0.6\r\n", CODING_GZIP},
        {"Accept-Encoding: identity;q=0\r\n", CODING_IDENTITY},
        {"Accept-Encoding: gzip\r\nAccept-Encoding: zstd\r\n", CODING_ZSTD},
        {"Accept-Encoding: gzip;q=0\r\nX: y\r\nAccept-Encoding: gzip\r\n", CODING_IDENTITY},
        {"Accept-Encoding: gzipped, gzi, gzip2\r\n", CODING_IDENTITY},
        {"Accept-Encoding: gzip;q=x\r\n", CODING_IDENTITY},
        {"Accept-Encoding: gzip zstd\r\n", CODING_IDENTITY},
        {"Accept-Encoding: \"gzip\"\r\n", CODING_IDENTITY},
        {"Accept-Encoding: ,,gzip ; q=0.5 ,\r\n", CODING_GZIP},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (accept_encoding_choose(slice_str(cases[i].lines)) != cases[i].coding)
            fail_msg("%s", cases[i].lines);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_choices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
