#ifndef UBIQ_EXTISM_HTTP_HOST_H
#define UBIQ_EXTISM_HTTP_HOST_H

#include "base/buf.h"

/* Appends the host of a URL, as it stands there, in the one form in which hosts are compared and
 * reached: percent escapes undone and letters lower, an IPv4 address in four decimal parts
 * whatever it was written as (`0x7f.1`), an IPv6 address in brackets and its shortest form (RFC
 * 5952, without dotted parts). Other than ASCII stays as it is. Returns NULL, or a static word for
 * what is wrong with it, as the WHATWG URL standard judges and upstream names it: "IdnaError",
 * "InvalidIpv4Address", "InvalidIpv6Address"; or "" when memory runs out. `out` may have grown
 * then nevertheless. */
const char *http_host_normalize(slice host, buf *out) MUST_CHECK;

/* Appends `text` with its percent escapes undone; a `%` that starts none stays. */
int http_unescape(slice text, buf *out) MUST_CHECK;

#endif
