#include "embed/embed_internal.h"

#include "base/http_text.h"
#include "server/headers.h"

/* What is about a connection, of which there is none. */
static const char *const refused[] = {
    "Connection",        "Keep-Alive", "Proxy-Connection", "TE",
    "Transfer-Encoding", "Trailer",    "Upgrade",          "Expect"};

static bool is_refused(slice name)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        if (headers_name_equal(name, slice_str(refused[i])))
            return true;
    }
    return false;
}

static bool is_target(slice s)
{
    if (s.len == 0 || (s.data[0] != '/' && !slice_equal_str(s, "*")))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] <= ' ' || s.data[i] == 0x7f)
            return false;
    }
    return true;
}

static int wrong(const char **problem, const char *text)
{
    *problem = text;
    return E_INVALID;
}

static int put_header(const ubiq_request *r, size_t i, buf *out, bool *has_host,
                      const char **problem)
{
    const char *const *pair = r->headers + 2 * i;
    slice name = slice_str(pair[0]);
    int rc;

    if (!pair[0] || !pair[1])
        return wrong(problem, "a header of the request has no name or no value");
    if (is_refused(name))
        return wrong(problem, "a header of the request is about its connection, and there is none");
    if (headers_name_equal(name, slice_str("Content-Length")))
        return 0;
    *has_host = *has_host || headers_name_equal(name, slice_str("Host"));
    rc = headers_put(out, name, slice_str(pair[1]));
    return rc == E_INVALID ? wrong(problem, "a header of the request has a name or a value that no "
                                            "header can have")
                           : rc;
}

int request_write(const ubiq_request *r, buf *out, const char **problem)
{
    bool has_host = false;
    int rc;

    if (!r->method || !http_is_token(slice_str(r->method)))
        return wrong(problem, "the request's method is none that HTTP knows");
    if (!r->target || !is_target(slice_str(r->target)))
        return wrong(problem, "the request's target does not begin with \"/\", or has a space or a "
                              "control character in it");
    rc = buf_printf(out, "%s %s HTTP/1.1\r\n", r->method, r->target);
    for (size_t i = 0; i < r->header_count && rc == 0; i++)
        rc = put_header(r, i, out, &has_host, problem);
    if (rc == 0 && !has_host)
        rc = buf_append_str(out, "Host: localhost\r\n");
    if (rc == 0 && r->body_len)
        rc = buf_printf(out, "Content-Length: %zu\r\n", r->body_len);
    rc = rc ? rc : buf_append_str(out, "Connection: close\r\n\r\n");
    return rc ? rc : buf_append(out, r->body, r->body_len);
}
