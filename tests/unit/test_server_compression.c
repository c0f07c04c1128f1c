#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <zlib.h>
#include <zstd.h>

#include "server/compression.h"
#include "server/limits.h"

#define BODY_BYTES_MAX (LIMIT_COMPRESSED_BYTES + 1)
#define MIN_BYTES 100

static char *usual_types[] = {"text/*", "application/json", "image/svg+xml"};
static const config_compression usual = {.min_bytes = MIN_BYTES,
                                         .types = {.item = usual_types, .count = 3}};
static compressor *with;

/* Text that can be compressed by about half. */
static uint8_t *make_text(size_t len)
{
    uint8_t *text = malloc(len ? len : 1);
    uint64_t seed = 1;

    for (size_t i = 0; i < len; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407U;
        text[i] = (uint8_t)('a' + (seed >> 60));
    }
    return text;
}

static void assert_decodes(enum coding coding, slice compressed, slice expected)
{
    uint8_t *out = malloc(expected.len + 1);
    size_t len;

    if (coding == CODING_ZSTD) {
        len = ZSTD_decompress(out, expected.len + 1, compressed.data, compressed.len);
        assert_false(ZSTD_isError(len));
    } else {
        z_stream z = {.next_in = (Bytef *)(uintptr_t)compressed.data,
                      .avail_in = (uInt)compressed.len,
                      .next_out = out,
                      .avail_out = (uInt)expected.len + 1};

        assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
        assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
        assert_int_equal(z.avail_in, 0);
        len = z.total_out;
        inflateEnd(&z);
    }
    assert_true(slice_equal(slice_of(out, len), expected));
    free(out);
}

/* One compressor for bodies of all sizes, in turn. */
static void test_round_trips(void **state)
{
    static const size_t sizes[] = {1, 2, 100, 4095, 65536, 1000000, 3};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *text = make_text(sizes[i]);

        for (int coding = CODING_GZIP; coding <= CODING_ZSTD; coding++) {
            slice data = slice_of(text, sizes[i]);
            buf out;

            buf_init(&out, 2 * BODY_BYTES_MAX);
            assert_int_equal(buf_append_byte(&out, 'x'), 0);
            assert_int_equal(compressor_run(with, (enum coding)coding, data, &out), 0);
            assert_decodes((enum coding)coding, slice_of(out.data + 1, out.len - 1), data);
            buf_deinit(&out);
            /* After a failure it works as before. */
            buf_init(&out, 1);
            assert_int_equal(compressor_run(with, (enum coding)coding, data, &out), E_TOO_LARGE);
            assert_int_equal(out.len, 0);
            buf_deinit(&out);
        }
        free(text);
    }
}

struct answer {
    int status;
    const char *headers;
    size_t len; /* of the body */
};

static void apply(const config_compression *from, const char *request, const struct answer *a,
                  response *r)
{
    uint8_t *text = make_text(a->len);
    compression *c;
    buf body;

    assert_int_equal(compression_create(&c, from, NULL), 0);
    response_init(r);
    r->status = a->status;
    assert_int_equal(buf_append_str(&r->headers, a->headers), 0);
    buf_init(&body, BODY_BYTES_MAX);
    assert_int_equal(buf_append(&body, text, a->len), 0);
    response_take_body(r, &body);
    assert_int_equal(compression_apply(c, with, slice_str(request), r), 0);
    if (r->body.len != a->len) {
        slice value;
        bool zstd;

        assert_int_equal(
            headers_find(buf_slice(&r->headers), slice_str("content-encoding"), &value), 1);
        zstd = slice_equal_str(value, "zstd");
        assert_true(zstd || slice_equal_str(value, "gzip"));
        assert_decodes(zstd ? CODING_ZSTD : CODING_GZIP, r->body, slice_of(text, a->len));
    } else {
        assert_true(slice_equal(r->body, slice_of(text, a->len)));
    }
    compression_destroy(c);
    free(text);
}

static void test_what_is_compressed(void **state)
{
    static const struct {
        struct answer answer;
        const char *headers; /* afterwards, for a client that takes gzip */
    } cases[] = {
        {{200, "Content-Type: text/html; charset=utf-8\r\n", 1000},
         "Content-Type: text/html; charset=utf-8\r\nVary: Accept-Encoding\r\n"
         "Content-Encoding: gzip\r\n"},
        {{404, "content-type: APPLICATION/JSON\r\nvary: Origin, accept-encoding\r\n", MIN_BYTES},
         "content-type: APPLICATION/JSON\r\nvary: Origin, accept-encoding\r\n"
         "Content-Encoding: gzip\r\n"},
        {{200, "Content-Type: image/svg+xml\r\nETag: \"a\"\r\n", 1000},
         "Content-Type: image/svg+xml\r\nVary: Accept-Encoding\r\nETag: W/\"a\"\r\n"
         "Content-Encoding: gzip\r\n"},
        {{200, "Content-Type: text/x\r\nETag: W/\"a\"\r\n", 1000},
         "Content-Type: text/x\r\nETag: W/\"a\"\r\nVary: Accept-Encoding\r\n"
         "Content-Encoding: gzip\r\n"},
        {{200, "Content-Type: text/x\r\n", LIMIT_COMPRESSED_BYTES},
         "Content-Type: text/x\r\nVary: Accept-Encoding\r\nContent-Encoding: gzip\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        response r;

        apply(&usual, "Accept-Encoding: gzip\r\n", &cases[i].answer, &r);
        assert_true(r.body.len < cases[i].answer.len);
        assert_true(slice_equal_str(buf_slice(&r.headers), cases[i].headers));
        response_deinit(&r);
    }
}

static void test_what_stays_as_it_is(void **state)
{
    static const struct answer cases[] = {
        {200, "Content-Type: text/x\r\n", MIN_BYTES - 1},
        {200, "Content-Type: text/x\r\n", 0},
        {200, "Content-Type: text/x\r\n", LIMIT_COMPRESSED_BYTES + 1},
        {200, "", 1000},
        {200, "Content-Type: image/png\r\n", 1000},
        {200, "Content-Type: application/jsonx\r\n", 1000},
        {200, "Content-Type: application/jso\r\n", 1000},
        {200, "Content-Type: text\r\n", 1000},
        {200, "Content-Type: text/x\r\nContent-Type: text/x\r\n", 1000},
        {200, "Content-Type: text/x\r\nContent-Encoding: br\r\n", 1000},
        {200, "Content-Type: text/x\r\nCache-Control: max-age=1, No-Transform\r\n", 1000},
        {204, "Content-Type: text/x\r\n", 1000},
        {205, "Content-Type: text/x\r\n", 1000},
        {206, "Content-Type: text/x\r\nContent-Range: bytes 0-999/2000\r\n", 1000},
        {304, "Content-Type: text/x\r\n", 1000},
        {416, "Content-Type: text/x\r\nContent-Range: bytes */2000\r\n", 1000},
        {101, "Content-Type: text/x\r\n", 1000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        response r;

        apply(&usual, "Accept-Encoding: gzip, zstd\r\n", &cases[i], &r);
        assert_int_equal(r.body.len, cases[i].len);
        assert_true(slice_equal_str(buf_slice(&r.headers), cases[i].headers));
        response_deinit(&r);
    }
}

static void test_whom_it_is_compressed_for(void **state)
{
    static const struct answer answer = {200, "Content-Type: text/x\r\n", 1000};
    static const struct {
        const char *request;
        const char *headers;
    } cases[] = {
        {"", "Content-Type: text/x\r\nVary: Accept-Encoding\r\n"},
        {"Accept-Encoding: br\r\n", "Content-Type: text/x\r\nVary: Accept-Encoding\r\n"},
        {"Accept-Encoding: gzip;q=0\r\n", "Content-Type: text/x\r\nVary: Accept-Encoding\r\n"},
        {"Accept-Encoding: gzip, zstd\r\n",
         "Content-Type: text/x\r\nVary: Accept-Encoding\r\nContent-Encoding: zstd\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        response r;

        apply(&usual, cases[i].request, &answer, &r);
        assert_int_equal(r.body.len < answer.len, i == 3);
        assert_true(slice_equal_str(buf_slice(&r.headers), cases[i].headers));
        response_deinit(&r);
    }
}

/* What compression would make longer. */
static void test_noise(void **state)
{
    const config_compression all = {.min_bytes = 1, .types = usual.types};
    static const struct answer answer = {200, "Content-Type: text/x\r\nETag: \"a\"\r\n", 10};
    response r;

    (void)state;
    apply(&all, "Accept-Encoding: gzip\r\n", &answer, &r);
    assert_int_equal(r.body.len, 10);
    assert_true(slice_equal_str(buf_slice(&r.headers), "Content-Type: text/x\r\nETag: \"a\"\r\n"
                                                       "Vary: Accept-Encoding\r\n"));
    response_deinit(&r);
}

static void test_types(void **state)
{
    char *types[] = {"application/wasm", "Font/*"};
    const config_compression own = {.min_bytes = 1, .types = {.item = types, .count = 2}};
    static const struct {
        const char *headers;
        bool compressed;
    } cases[] = {
        {"Content-Type: application/wasm\r\n", true},
        {"Content-Type: font/woff\r\n", true},
        {"Content-Type: text/html\r\n", false},
        {"Content-Type: application/wasm2\r\n", false},
        {"Content-Type: font\r\n", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct answer answer = {200, cases[i].headers, 1000};
        response r;

        apply(&own, "Accept-Encoding: gzip\r\n", &answer, &r);
        assert_int_equal(r.body.len < 1000, cases[i].compressed);
        response_deinit(&r);
    }
}

static void test_what_is_no_type(void **state)
{
    static char *bad[] = {"", "text", "/", "text/", "/html", "*/*", "*/html", "text/html; q=1"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const config_compression from = {.types = {.item = &bad[i], .count = 1}};
        error err = {0};
        compression *c;

        assert_int_equal(compression_create(&c, &from, &err), E_INVALID);
        assert_null(c);
        assert_non_null(strstr(error_text(&err), "middleware.compression"));
        error_deinit(&err);
    }
}

static int set_up(void **state)
{
    (void)state;
    return compressor_create(&with);
}

static int tear_down(void **state)
{
    (void)state;
    compressor_destroy(with);
    compressor_destroy(NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_what_is_compressed),
        cmocka_unit_test(test_what_stays_as_it_is),
        cmocka_unit_test(test_whom_it_is_compressed_for),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_what_is_no_type),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
