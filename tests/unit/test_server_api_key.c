#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/hash.h"
#include "server/api_key.h"

static char header_name[] = "X-Api-Key";
static char first[] = "first key";
static char second[] = "0123456789abcdef0123456789abcdef";
static char *const keys[] = {first, second};

static const config_api_key two_keys = {
    .header = header_name,
    .keys = {.item = (char **)(uintptr_t)keys, .count = 2},
};

static void test_who_gets_in(void **state)
{
    static const struct {
        const char *lines;
        const char *key; /* that was found, or NULL */
    } cases[] = {
        {"X-Api-Key: first key\r\n", first},
        {"x-api-key:  0123456789abcdef0123456789abcdef \r\n", second},
        {"X-Api-Key: 0123456789abcdef0123456789abcde\r\n", NULL},
        {"X-Api-Key: 0123456789abcdef0123456789abcdef0\r\n", NULL},
        {"X-Api-Key: FIRST KEY\r\n", NULL},
        {"X-Api-Key: first key, first key\r\n", NULL},
        {"X-Api-Key:\r\n", NULL},
        {"Authorization: first key\r\n", NULL},
        {"", NULL},
        /* Which one would whoever stands in front of us have looked at? */
        {"X-Api-Key: first key\r\nX-Api-Key: first key\r\n", NULL},
    };
    error err = {0};
    api_key *k;

    (void)state;
    assert_int_equal(api_key_create(&k, &two_keys, &err), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char id[API_KEY_ID_BYTES] = "";
        char hex[SHA256_HEX_BYTES] = "";

        assert_int_equal(api_key_check(k, slice_str(cases[i].lines), id), cases[i].key != NULL);
        if (cases[i].key)
            assert_int_equal(sha256_hex(slice_str(cases[i].key), hex), 0);
        hex[API_KEY_ID_BYTES - 1] = '\0';
        assert_string_equal(id, hex);
    }
    api_key_destroy(k);
}

static void test_refusal(void **state)
{
    slice value;
    response r;
    api_key *k;

    (void)state;
    assert_int_equal(api_key_create(&k, &two_keys, NULL), 0);
    response_init(&r);
    api_key_refuse(k, &r, "0123456789abcdef");
    assert_int_equal(r.status, 401);
    assert_int_equal(headers_find(buf_slice(&r.headers), slice_str("www-authenticate"), &value), 1);
    assert_true(slice_equal_str(value, "ApiKey header=\"X-Api-Key\""));
    assert_true(slice_equal_str(r.body, "{\"error\":{\"code\":\"unauthorized\",\"message\":"
                                        "\"the header X-Api-Key has no valid key\","
                                        "\"invocation\":\"0123456789abcdef\"}}\n"));
    response_deinit(&r);
    api_key_destroy(k);
}

static void test_what_cannot_be_configured(void **state)
{
    static char *bad[] = {"", " x", "x\t", "a\nb", "\x7f"};
    static char no_name[] = "a b";
    const config_api_key nothing = {.header = header_name};
    const config_api_key nameless = {.header = no_name, .keys = two_keys.keys};
    error err = {0};
    api_key *k;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const config_api_key c = {.header = header_name, .keys = {.item = &bad[i], .count = 1}};

        assert_int_equal(api_key_create(&k, &c, &err), E_INVALID);
        assert_null(k);
        assert_non_null(strstr(error_text(&err), "keys[0]"));
        if (*bad[i])
            assert_null(strstr(error_text(&err), bad[i]));
    }
    assert_int_equal(api_key_create(&k, &nothing, &err), E_INVALID);
    assert_int_equal(api_key_create(&k, &nameless, &err), E_INVALID);
    error_deinit(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_gets_in),
        cmocka_unit_test(test_refusal),
        cmocka_unit_test(test_what_cannot_be_configured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
