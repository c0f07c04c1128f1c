#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <sys/un.h>

#include "extism/http_address.h"

static bool is_public(const char *text)
{
    int family = strchr(text, ':') ? AF_INET6 : AF_INET;
    uint8_t address[16];

    if (inet_pton(family, text, address) != 1)
        fail_msg("%s is no address", text);
    return http_address_is_public(family, address);
}

/* The first and last address of each range, and their neighbours outside of it. */
static void test_ranges(void **state)
{
    static const struct {
        const char *before; /* NULL: not public either, or none */
        const char *first;
        const char *last;
        const char *after;
    } ranges[] = {
        {NULL, "0.0.0.0", "0.255.255.255", "1.0.0.0"},
        {"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
        {"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
        {"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
        {"168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17"},
        {"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
        {"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
        {"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"},
        {"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
        {"192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"},
        {"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
        {"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
        {"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"},
        {"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"},
        {"223.255.255.255", "224.0.0.0", "255.255.255.255", NULL},
        {NULL, "::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"},
        {"2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
         "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"},
        {"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
         "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"},
        {"2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
         "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"},
        {"3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
         "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"},
        {"3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
         "4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        if (is_public(ranges[i].first) || is_public(ranges[i].last))
            fail_msg("%s to %s", ranges[i].first, ranges[i].last);
        if (ranges[i].before && !is_public(ranges[i].before))
            fail_msg("%s", ranges[i].before);
        if (ranges[i].after && !is_public(ranges[i].after))
            fail_msg("%s", ranges[i].after);
    }
}

static void test_what_is_not_public(void **state)
{
    static const char *const list[] = {
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "100.100.100.200",
        "255.255.255.255",
        "239.1.2.3",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:0:127.0.0.1",
        "64:ff9b::8.8.8.8",
        "64:ff9b::127.0.0.1",
        "64:ff9b:1::10.0.0.1",
        "100::1",
        "2001:0:808:808::1",
        "2001:2::1",
        "2001:10::1",
        "2001:20::1",
        "2002:7f00:1::1",
        "2002:808:808::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        if (is_public(list[i]))
            fail_msg("%s", list[i]);
    }
}

static void test_what_is_public(void **state)
{
    static const char *const list[] = {
        "1.1.1.1",
        "8.8.8.8",
        "93.184.215.14",
        "2606:4700:4700::1111",
        "2a00:1450:4001:81b::200e",
        "2001:4860:4860::8888",
    };

    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        if (!is_public(list[i]))
            fail_msg("%s", list[i]);
    }
    assert_false(http_address_is_public(AF_UNIX, "\x08\x08\x08\x08"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_what_is_not_public),
        cmocka_unit_test(test_what_is_public),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
