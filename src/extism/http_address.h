#ifndef UBIQ_EXTISM_HTTP_ADDRESS_H
#define UBIQ_EXTISM_HTTP_ADDRESS_H

#include <stdbool.h>

/* Whether an address, an in_addr or in6_addr by `family`, is one of the public internet: unicast, and
 * none of the ranges that are private, link-local, loopback, shared, reserved or for documentation, nor
 * an IPv6 form of an IPv4 address, whatever that is. Other families are not. */
bool http_address_is_public(int family, const void *address);

#endif
