#include "extism/http_address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct range {
    uint8_t first[16];
    unsigned bits; /* that all its addresses share */
};

/* IANA's special-purpose registries, but for the few anycast services in them. */
static const struct range private_v4[] = {
    {{0}, 8},                 /* "this network" */
    {{10}, 8},                /* private */
    {{100, 64}, 10},          /* shared, behind a carrier's NAT */
    {{127}, 8},               /* loopback */
    {{168, 63, 129, 16}, 32}, /* a cloud's host, as its machines see it */
    {{169, 254}, 16},         /* link-local */
    {{172, 16}, 12},          /* private */
    {{192, 0, 0}, 24},        /* protocol assignments */
    {{192, 0, 2}, 24},        /* documentation */
    {{192, 88, 99}, 24},      /* 6to4 relays */
    {{192, 168}, 16},         /* private */
    {{198, 18}, 15},          /* benchmarks */
    {{198, 51, 100}, 24},     /* documentation */
    {{203, 0, 113}, 24},      /* documentation */
    {{224}, 3},               /* multicast, reserved, broadcast */
};

/* All that is in use of IPv6's unicast is in here, and none of `::`, loopback, NAT64, private,
 * link-local, site-local and multicast addresses. */
static const struct range global_v6 = {{0x20}, 3};

static const struct range private_v6[] = {
    {{0x20, 0x01}, 23},             /* protocol assignments, Teredo and benchmarks among them */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x20, 0x02}, 16},             /* 6to4 */
    {{0x3f, 0xff}, 20},             /* documentation */
};

static bool is_in(const struct range *r, const uint8_t *address)
{
    unsigned whole = r->bits / 8, rest = r->bits % 8;

    for (unsigned i = 0; i < whole; i++) {
        if (address[i] != r->first[i])
            return false;
    }
    return rest == 0 || ((address[whole] ^ r->first[whole]) >> (8 - rest)) == 0;
}

static bool is_in_any(const struct range *r, size_t count, const uint8_t *address)
{
    for (size_t i = 0; i < count; i++) {
        if (is_in(&r[i], address))
            return true;
    }
    return false;
}

bool http_address_is_public(int family, const void *address)
{
    if (family == AF_INET)
        return !is_in_any(private_v4, sizeof private_v4 / sizeof *private_v4, address);
    return family == AF_INET6 && is_in(&global_v6, address) &&
           !is_in_any(private_v6, sizeof private_v6 / sizeof *private_v6, address);
}
