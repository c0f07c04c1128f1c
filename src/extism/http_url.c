#include "extism/http_url.h"

#include "base/http_text.h"
#include "extism/http_host.h"

#include <curl/curl.h>
#include <stdlib.h>

#define URL_MAX 65534 /* bytes; upstream's own */

static const char uri_character[] = "invalid uri character";

typedef struct url_parts {
    slice scheme;
    bool two_slashes; /* exactly "//" stands behind the scheme */
    bool has_user_info;
    slice user_info;
    slice host;
    slice port; /* with its colon, or empty */
    slice rest; /* path, query, fragment */
} url_parts;

static slice slice_range(slice s, size_t from, size_t to)
{
    return slice_of(s.data + from, to - from);
}

static size_t find_any(slice s, size_t from, const char *set)
{
    while (from < s.len && (s.data[from] == '\0' || !strchr(set, s.data[from])))
        from++;
    return from;
}

/* The length of the scheme that `s` begins with, or 0 when no scheme and colon stand there. */
static size_t scheme_length(slice s)
{
    size_t i = 0;

    for (; i < s.len && s.data[i] != ':'; i++) {
        uint8_t lower = s.data[i] | 0x20;
        bool letter = lower >= 'a' && lower <= 'z';
        bool other = s.data[i] != '\0' && strchr("0123456789+-.", s.data[i]);

        if (!letter && (i == 0 || !other))
            return 0;
    }
    return i < s.len ? i : 0;
}

static bool is_http(const url_parts *p)
{
    return http_is_word(p->scheme, "http") || http_is_word(p->scheme, "https");
}

static void split_authority(url_parts *p, slice authority)
{
    size_t host_at = authority.len;
    size_t port_at;

    while (host_at > 0 && authority.data[host_at - 1] != '@')
        host_at--;
    p->has_user_info = host_at > 0;
    if (p->has_user_info)
        p->user_info = slice_range(authority, 0, host_at - 1);
    port_at = host_at;
    if (port_at < authority.len && authority.data[port_at] == '[')
        port_at = find_any(authority, port_at, "]");
    port_at = find_any(authority, port_at, ":");
    p->host = slice_range(authority, host_at, port_at);
    p->port = slice_range(authority, port_at, authority.len);
}

/* Finds the parts the way the WHATWG URL standard does: http and https take any run of slashes and
 * backslashes for "//", and a backslash ends their authority too. */
static bool split(slice text, url_parts *p)
{
    size_t scheme = scheme_length(text);
    size_t start = scheme + 1;
    size_t end;

    *p = (url_parts){0};
    if (scheme == 0)
        return false;
    p->scheme = slice_range(text, 0, scheme);
    while (start < text.len && (text.data[start] == '/' || text.data[start] == '\\') &&
           (is_http(p) || start < scheme + 3))
        start++;
    p->two_slashes =
        start == scheme + 3 && text.data[scheme + 1] == '/' && text.data[scheme + 2] == '/';
    if (!is_http(p) && !p->two_slashes) {
        p->rest = slice_range(text, scheme + 1, text.len);
        return true;
    }
    end = find_any(text, start, is_http(p) ? "/\\?#" : "/?#");
    split_authority(p, slice_range(text, start, end));
    p->rest = slice_range(text, end, text.len);
    return true;
}

static const char *parse_port(const url_parts *p, http_url *url)
{
    uint32_t port = 0;

    url->https = http_is_word(p->scheme, "https");
    url->port = url->https ? 443 : 80;
    if (p->port.len <= 1)
        return NULL;
    for (size_t i = 1; i < p->port.len; i++) {
        uint8_t c = p->port.data[i];

        if (c < '0' || c > '9')
            return "InvalidPort";
        port = port * 10 + (c - '0');
        if (port > UINT16_MAX)
            return "InvalidPort";
    }
    if (port == 0)
        return "InvalidPort";
    url->port = (uint16_t)port;
    return NULL;
}

/* Host and port. Returns as http_host_normalize. */
static const char *parse_authority(const url_parts *p, http_url *url)
{
    buf host;
    const char *problem;

    if (p->host.len == 0 && (is_http(p) || p->has_user_info || p->port.len > 0))
        return "EmptyHost";
    buf_init(&host, URL_MAX);
    problem = http_host_normalize(p->host, &host);
    if (!problem && host.len == 0 && p->host.len > 0)
        problem = "EmptyHost";
    if (!problem)
        problem = parse_port(p, url);
    if (!problem) {
        url->host = buf_take_str(&host);
        problem = url->host ? NULL : "";
    }
    buf_deinit(&host);
    return problem;
}

static int unescape_text(slice text, char **out)
{
    buf b;
    int rc;

    buf_init(&b, URL_MAX);
    rc = http_unescape(text, &b);
    *out = rc ? NULL : buf_take_str(&b);
    buf_deinit(&b);
    return *out ? 0 : E_NO_MEMORY;
}

static int parse_user_info(const url_parts *p, http_url *url)
{
    size_t colon = find_any(p->user_info, 0, ":");
    slice password = {0};
    int rc;

    if (!p->has_user_info)
        return 0;
    if (colon < p->user_info.len)
        password = slice_range(p->user_info, colon + 1, p->user_info.len);
    rc = unescape_text(slice_range(p->user_info, 0, colon), &url->user);
    return rc ? rc : unescape_text(password, &url->password);
}

static int parse_target(const url_parts *p, http_url *url)
{
    size_t end = find_any(p->rest, 0, "#");
    const char *root = end > 0 && p->rest.data[0] == '/' ? "" : "/";
    buf b;
    int rc;

    buf_init(&b, URL_MAX + 1);
    rc = buf_append_str(&b, root);
    if (rc == 0)
        rc = buf_append(&b, p->rest.data, end);
    url->target = rc ? NULL : buf_take_str(&b);
    buf_deinit(&b);
    return url->target ? 0 : E_NO_MEMORY;
}

/* Whether all characters are printable and none is of `refused`. */
static bool has_only(slice s, const char *refused, bool ascii)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.data[i];

        if (c <= ' ' || c == 0x7f || (ascii && c > 0x7f) || strchr(refused, c))
            return false;
    }
    return true;
}

/* Such a NUL would end the user's name early. */
static bool holds_escaped_nul(slice s)
{
    return s.len > 0 && memmem(s.data, s.len, "%00", 3);
}

/* What the grammar that upstream's HTTP client has for a URL makes of one that is valid. */
static const char *refusal_of(const url_parts *p)
{
    size_t end = find_any(p->rest, 0, "#");
    size_t query = find_any(p->rest, 0, "?#");

    if (!p->two_slashes)
        return "invalid format";
    if (!has_only(p->user_info, "\"<>[\\]^`{|}", true) || !has_only(p->host, "\"`{}", true))
        return uri_character;
    if (find_any(p->host, 0, "%") < p->host.len || holds_escaped_nul(p->user_info))
        return "invalid authority";
    if (p->rest.len > 0 && p->rest.data[0] == '\\')
        return uri_character;
    if (!has_only(slice_range(p->rest, 0, query), "<>`", false) ||
        !has_only(slice_range(p->rest, query, end), "\"<>", false))
        return uri_character;
    return NULL;
}

static int parse_refusal(const url_parts *p, http_url *url)
{
    const char *refusal;
    int len = 0;

    if (!is_http(p)) {
        len = asprintf(&url->refusal, "bad uri: unknown scheme: %.*s", (int)p->scheme.len,
                       (const char *)p->scheme.data);
    } else if ((refusal = refusal_of(p))) {
        len = asprintf(&url->refusal, "%s", refusal);
    }
    if (len >= 0)
        return 0;
    url->refusal = NULL;
    return E_NO_MEMORY;
}

int http_url_parse(http_url *out, slice text, error *err)
{
    http_url url = {0};
    const char *problem = "RelativeUrlWithoutBase";
    url_parts parts;
    int rc = E_NO_MEMORY;

    if (text.len > URL_MAX)
        return error_set(err, E_INVALID, "uri too long");
    if (!slice_is_utf8(text))
        return error_set(err, E_INVALID, "%s", uri_character);
    if (split(text, &parts))
        problem = parse_authority(&parts, &url);
    if (problem && *problem) {
        rc = error_set(err, E_INVALID, "Invalid URL: %s", problem);
        goto done;
    }
    if (problem || parse_user_info(&parts, &url) || parse_target(&parts, &url) ||
        parse_refusal(&parts, &url)) {
        rc = error_set(err, E_NO_MEMORY, "a URL of %zu bytes", text.len);
        goto done;
    }
    *out = url;
    url = (http_url){0};
    rc = 0;
done:
    http_url_deinit(&url);
    return rc;
}

int http_url_print(const http_url *url, buf *out)
{
    return buf_printf(out, "%s://%s:%u%s", url->https ? "https" : "http", url->host, url->port,
                      url->target);
}

int http_url_resolve(const http_url *base, const char *location, buf *out, error *err)
{
    CURLU *parts = curl_url();
    char *resolved = NULL;
    char *from = NULL;
    buf b;
    int rc;

    buf_init(&b, 2 * URL_MAX);
    rc = http_url_print(base, &b);
    from = rc ? NULL : buf_take_str(&b);
    if (!parts || !from) {
        rc = error_set(err, E_NO_MEMORY, "a redirect");
        goto done;
    }
    /* A scheme that is not http is let through, for http_url_parse to refuse by its name. */
    if (curl_url_set(parts, CURLUPART_URL, from, 0) ||
        curl_url_set(parts, CURLUPART_URL, location, CURLU_URLENCODE | CURLU_NON_SUPPORT_SCHEME) ||
        curl_url_get(parts, CURLUPART_URL, &resolved, 0)) {
        rc = error_set(err, E_IO, "protocol: location header is malformed: %s", location);
        goto done;
    }
    rc = buf_append_str(out, resolved);
    if (rc)
        error_set(err, rc, "a redirect to %s", resolved);
done:
    curl_free(resolved);
    curl_url_cleanup(parts);
    free(from);
    buf_deinit(&b);
    return rc;
}

void http_url_deinit(http_url *url)
{
    free(url->host);
    free(url->user);
    free(url->password);
    free(url->target);
    free(url->refusal);
    *url = (http_url){0};
}
