#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/request_id.h"

#define SIXTY_FOUR "0123456789abcdef0123456789abcdef0123456789ABCDEF0123456789ABCDEF"

static void test_ids(void **state)
{
    static const struct {
        const char *lines;
        const char *id;
    } cases[] = {
        {"", "own"},
        {"X-Request-Id: abc\r\n", "abc"},
        {"x-request-id: 7f3c-._~+/=:@Z\r\n", "7f3c-._~+/=:@Z"},
        {"X-Request-Id: " SIXTY_FOUR "\r\n", SIXTY_FOUR},
        {"X-Request-Id: " SIXTY_FOUR "0\r\n", "own"},
        {"X-Request-Id:\r\n", "own"},
        {"X-Request-Id: a b\r\n", "own"},
        {"X-Request-Id: a,b\r\n", "own"},
        {"X-Request-Id: \"a\"\r\n", "own"},
        {"X-Request-Id: <a>\r\n", "own"},
        {"X-Request-Id: a\\b\r\n", "own"},
        {"X-Request-Id: a%0ab\r\n", "own"},
        {"X-Request-Id: \xc3\xbc\r\n", "own"},
        {"X-Request-Id: a\r\nX-Request-Id: b\r\n", "own"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char id[REQUEST_ID_BYTES];

        request_id_take(slice_str(cases[i].lines), "own", id);
        assert_string_equal(id, cases[i].id);
    }
    char id[REQUEST_ID_BYTES];
    request_id_take(slice_of("X-Request-Id: a\0b\r\n", 19), "own", id);
    assert_string_equal(id, "own");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
