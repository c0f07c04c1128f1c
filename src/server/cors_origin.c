#include "server/cors_origin.h"

#include <stdlib.h>

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Whether it is labels with single dots between them, as a domain or an IPv4 address is. */
static bool is_domain(const char *text, size_t len)
{
    char before = '.';

    for (size_t i = 0; i < len; i++) {
        if (!is_letter_or_digit(text[i]) && text[i] != '-' && text[i] != '_' &&
            (text[i] != '.' || before == '.'))
            return false;
        before = text[i];
    }
    return before != '.';
}

static bool is_ipv6(const char *text, size_t len)
{
    return len > 4 && text[0] == '[' && text[len - 1] == ']' &&
           strspn(text + 1, "0123456789abcdef:.") == len - 2;
}

static bool is_port(const char *text)
{
    size_t len = strspn(text, "0123456789");

    return len > 0 && len <= 5 && text[len] == '\0' && text[0] != '0';
}

/* Where the host begins: behind "scheme://"; 0 when there is no scheme. */
static size_t host_start(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+.-");

    return len > 0 && strncmp(text + len, "://", 3) == 0 ? len + 3 : 0;
}

/* Checks what is behind the scheme, notes the '*', and takes off a port that browsers leave out. */
static bool read_host(cors_origin *o, size_t start)
{
    char *host = o->text + start;
    char *port = strrchr(host, ':');
    size_t len;

    if (port && strchr(port, ']'))
        port = NULL; /* a part of an IPv6 address */
    if (port && !is_port(port + 1))
        return false;
    if (port && ((strcmp(port, ":80") == 0 && strncmp(o->text, "http://", 7) == 0) ||
                 (strcmp(port, ":443") == 0 && strncmp(o->text, "https://", 8) == 0)))
        *port = '\0';
    len = port ? (size_t)(port - host) : strlen(host);
    if (len > 2 && strncmp(host, "*.", 2) == 0) {
        o->star = start;
        return is_domain(host + 2, len - 2);
    }
    return is_domain(host, len) || is_ipv6(host, len);
}

int cors_origin_read(cors_origin *out, const char *text, error *err)
{
    cors_origin o = {.text = strdup(text)};
    size_t start;

    *out = (cors_origin){0};
    if (!o.text)
        return error_set(err, E_NO_MEMORY, "middleware.cors");
    for (char *c = o.text; *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
    start = host_start(o.text);
    if (start == 0 || !read_host(&o, start)) {
        free(o.text);
        return error_set(err, E_INVALID,
                         "middleware.cors: the origin \"%s\" is not a scheme, a host and perhaps a "
                         "port, as in \"https://example.com\" or \"https://*.example.com\"",
                         text);
    }
    *out = o;
    return 0;
}

bool cors_origin_matches(const cors_origin *o, slice origin)
{
    const char *behind = o->text + o->star + 1;
    size_t behind_len;
    size_t below_len;

    if (o->star == 0)
        return slice_equal_str(origin, o->text);
    behind_len = strlen(behind);
    if (origin.len <= o->star + behind_len)
        return false;
    below_len = origin.len - o->star - behind_len;
    return memcmp(origin.data, o->text, o->star) == 0 &&
           memcmp(origin.data + o->star + below_len, behind, behind_len) == 0 &&
           is_domain((const char *)origin.data + o->star, below_len);
}
