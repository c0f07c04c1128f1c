#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

static void assert_sha256(slice data, const char *hex)
{
    char found[SHA256_HEX_BYTES];

    assert_int_equal(sha256_hex(data, found), 0);
    assert_string_equal(found, hex);
}

/* FIPS 180-2, appendix B. */
static void test_sha256_of_known_texts(void **state)
{
    static char million[1000000];

    (void)state;
    assert_sha256(slice_str(NULL),
                  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_sha256(slice_str("abc"),
                  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_sha256(slice_str("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    memset(million, 'a', sizeof million);
    assert_sha256(slice_of(million, sizeof million),
                  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void test_sha256_of_bytes(void **state)
{
    uint8_t digest[SHA256_BYTES];

    (void)state;
    assert_int_equal(sha256(slice_of("\0asm\1\0\0\0", 8), digest), 0);
    assert_memory_equal(digest, "\x93\xa4\x4b\xbb\x96\xc7\x51\x21\x8e\x4c", 10);
}

/* RFC 4648, section 10, and each letter once. */
static void test_base64_decodes(void **state)
{
    static const struct {
        const char *text;
        const char *bytes;
    } cases[] = {{"", ""},
                 {"Zg==", "f"},
                 {"Zm8=", "fo"},
                 {"Zm9v", "foo"},
                 {"Zm9vYg==", "foob"},
                 {"Zm9vYmE=", "fooba"},
                 {"Zm9vYmFy", "foobar"}};
    static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    buf out;

    (void)state;
    buf_init(&out, 48);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&out);
        assert_int_equal(base64_decode(slice_str(cases[i].text), &out), 0);
        assert_true(slice_equal_str(buf_slice(&out), cases[i].bytes));
    }
    buf_clear(&out);
    assert_int_equal(base64_decode(slice_str(all), &out), 0);
    assert_int_equal(out.len, 48);
    for (size_t i = 0; i < 64; i++) {
        size_t at = i * 6 / 8;
        unsigned next = at < 47 ? out.data[at + 1] : 0;

        assert_int_equal(((unsigned)out.data[at] << 8 | next) >> (10 - i * 6 % 8) & 63, i);
    }
    buf_deinit(&out);
}

static void test_base64_refuses_everything_else(void **state)
{
    static const char *const bad[] = {
        "A",    "AA",     "AAA",  "A===", "====",    "=AAA",    "AA=A",  "AA==AA==", "-_-_",
        "AA A", "AAAA\n", "AB==", "AAB=", "AAA\x80", "A\xff==", "AAAA=", "AAAAA===", "AAAA===="};
    buf out;

    (void)state;
    buf_init(&out, 1000);
    assert_int_equal(buf_append_str(&out, "kept"), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(base64_decode(slice_str(bad[i]), &out), E_INVALID);
    assert_int_equal(base64_decode(slice_of("AA\0A", 4), &out), E_INVALID);
    assert_true(slice_equal_str(buf_slice(&out), "kept"));
    buf_deinit(&out);
}

static void test_base64_keeps_the_maximum(void **state)
{
    buf out;

    (void)state;
    buf_init(&out, 2);
    assert_int_equal(base64_decode(slice_str("Zm9v"), &out), E_TOO_LARGE);
    assert_int_equal(base64_decode(slice_str("Zm8="), &out), 0);
    buf_deinit(&out);
}

/* RFC 4648 section 10, and the letters that differ. */
static void test_base64_encodes(void **state)
{
    static const struct {
        const char *bytes;
        const char *text;
        const char *url;
    } cases[] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"\xfb\xff\xfe", "+//+", "-__-"},
    };
    buf out;

    (void)state;
    buf_init(&out, 8);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&out);
        assert_int_equal(base64_encode(slice_str(cases[i].bytes), &out), 0);
        assert_true(slice_equal_str(buf_slice(&out), cases[i].text));
        buf_clear(&out);
        assert_int_equal(base64url_decode(slice_str(cases[i].url), &out), 0);
        assert_true(slice_equal_str(buf_slice(&out), cases[i].bytes));
    }
    buf_clear(&out);
    assert_int_equal(base64_encode(slice_str("foobars"), &out), E_TOO_LARGE);
    assert_int_equal(out.len, 0);
    buf_deinit(&out);
}

static void test_base64url_refuses_everything_else(void **state)
{
    static const char *const bad[] = {"Z",     "Zg==",   "Zm8=", "+//+", "Zh",   "Zm9",
                                      "Zm9vZ", "Zm9v\n", "Zm 9", "Zm9=", "====", "\xc3\xbc"};
    buf out;

    (void)state;
    buf_init(&out, 100);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(base64url_decode(slice_str(bad[i]), &out), E_INVALID);
    assert_int_equal(out.len, 0);
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256_of_known_texts),
        cmocka_unit_test(test_sha256_of_bytes),
        cmocka_unit_test(test_base64_decodes),
        cmocka_unit_test(test_base64_refuses_everything_else),
        cmocka_unit_test(test_base64_keeps_the_maximum),
        cmocka_unit_test(test_base64_encodes),
        cmocka_unit_test(test_base64url_refuses_everything_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
