#include "extism/http_host.h"

#include <arpa/inet.h>

#define IPV6_GROUPS 8

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int http_unescape(slice text, buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        int rc;

        if (c == '%' && text.len - i > 2) {
            int high = hex_digit(text.data[i + 1]);
            int low = hex_digit(text.data[i + 2]);

            if (high >= 0 && low >= 0) {
                c = (uint8_t)(high << 4 | low);
                i += 2;
            }
        }
        rc = buf_append_byte(out, c);
        if (rc)
            return rc;
    }
    return 0;
}

/* Reads a part of an IPv4 address: decimal, 0x hexadecimal or 0 octal. What exceeds 32 bits is
 * UINT64_MAX. */
static bool ipv4_number(slice s, uint64_t *out)
{
    int base = 10;
    uint64_t value = 0;

    if (s.len == 0)
        return false;
    if (s.len >= 2 && s.data[0] == '0') {
        size_t prefix = (s.data[1] | 0x20) == 'x' ? 2 : 1;

        base = prefix == 2 ? 16 : 8;
        s = slice_of(s.data + prefix, s.len - prefix);
    }
    for (size_t i = 0; i < s.len; i++) {
        int digit = hex_digit(s.data[i]);

        if (digit < 0 || digit >= base)
            return false;
        if (value != UINT64_MAX)
            value = value * (uint64_t)base + (uint64_t)digit;
        if (value > UINT32_MAX)
            value = UINT64_MAX;
    }
    *out = value;
    return true;
}

static bool all_digits(slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
    }
    return s.len > 0;
}

/* Takes the last part, behind the last dot, off `*s`. */
static slice take_last_part(slice *s)
{
    size_t start = s->len;
    slice part;

    while (start > 0 && s->data[start - 1] != '.')
        start--;
    part = slice_of(s->data + start, s->len - start);
    s->len = start > 0 ? start - 1 : 0;
    return part;
}

/* A host whose last part is a number can only be an IPv4 address. */
static bool ends_in_number(slice host)
{
    uint64_t ignored;
    slice last;

    if (host.len > 0 && host.data[host.len - 1] == '.')
        host.len--;
    last = take_last_part(&host);
    return all_digits(last) || ipv4_number(last, &ignored);
}

/* Reads one to four parts, the last of which fills all the bytes that the others leave. */
static bool ipv4_parse(slice host, uint32_t *out)
{
    uint64_t number[4];
    size_t count = 0;
    size_t dots = 0;
    uint64_t address;

    if (host.len > 0 && host.data[host.len - 1] == '.')
        host.len--;
    for (size_t i = 0; i < host.len; i++)
        dots += host.data[i] == '.';
    if (dots > 3)
        return false;
    for (size_t i = dots + 1; i-- > 0; count++) {
        if (!ipv4_number(take_last_part(&host), &number[i]))
            return false;
    }
    address = number[dots];
    if (address > UINT32_MAX >> (8 * dots))
        return false;
    for (size_t i = 0; i < dots; i++) {
        if (number[i] > 255)
            return false;
        address |= number[i] << (8 * (3 - i));
    }
    *out = (uint32_t)address;
    return true;
}

/* The longest run of zero groups, the first of them if there are several; none if it is a lone
 * one. */
static void longest_zeros(const uint16_t *group, size_t *start, size_t *len)
{
    size_t run = 0;

    *start = IPV6_GROUPS;
    *len = 1;
    for (size_t i = 0; i < IPV6_GROUPS; i++) {
        run = group[i] ? 0 : run + 1;
        if (run > *len) {
            *len = run;
            *start = i + 1 - run;
        }
    }
}

static int ipv6_print(const uint8_t address[16], buf *out)
{
    uint16_t group[IPV6_GROUPS];
    size_t zeros_at;
    size_t zeros;
    int rc = buf_append_byte(out, '[');

    for (size_t i = 0; i < IPV6_GROUPS; i++)
        group[i] = (uint16_t)(address[2 * i] << 8 | address[2 * i + 1]);
    longest_zeros(group, &zeros_at, &zeros);
    for (size_t i = 0; i < IPV6_GROUPS && rc == 0; i++) {
        if (i == zeros_at) {
            rc = buf_append_str(out, i == 0 ? "::" : ":");
            i += zeros - 1;
        } else {
            rc = buf_printf(out, i == IPV6_GROUPS - 1 ? "%x" : "%x:", group[i]);
        }
    }
    return rc ? rc : buf_append_byte(out, ']');
}

static const char *normalize_ipv6(slice host, buf *out)
{
    char text[INET6_ADDRSTRLEN] = "";
    uint8_t address[16];
    size_t len = host.len - 2;

    if (host.len < 3 || host.data[host.len - 1] != ']' || len >= sizeof text)
        return "InvalidIpv6Address";
    memcpy(text, host.data + 1, len);
    if (strlen(text) != len || inet_pton(AF_INET6, text, address) != 1)
        return "InvalidIpv6Address";
    return ipv6_print(address, out) ? "" : NULL;
}

/* The forbidden domain code points of the WHATWG URL standard. */
static bool is_forbidden(uint8_t c)
{
    return c <= ' ' || c == 0x7f || strchr("#/:<>?@[\\]^|%", c);
}

const char *http_host_normalize(slice host, buf *out)
{
    size_t start = out->len;
    uint32_t address;
    slice name;

    if (host.len == 0)
        return NULL;
    if (host.data[0] == '[')
        return normalize_ipv6(host, out);
    if (http_unescape(host, out))
        return "";
    for (size_t i = start; i < out->len; i++) {
        if (is_forbidden(out->data[i]))
            return "IdnaError";
        if (out->data[i] >= 'A' && out->data[i] <= 'Z')
            out->data[i] |= 0x20;
    }
    name = slice_of(out->data + start, out->len - start);
    if (!slice_is_utf8(name))
        return "IdnaError";
    if (!ends_in_number(name))
        return NULL;
    if (!ipv4_parse(name, &address))
        return "InvalidIpv4Address";
    out->len = start;
    return buf_printf(out, "%u.%u.%u.%u", address >> 24, address >> 16 & 0xff, address >> 8 & 0xff,
                      address & 0xff)
               ? ""
               : NULL;
}
