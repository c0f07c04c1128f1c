#include "server/response.h"

#include "app/limits.h"
#include "base/json.h"

#define MESSAGE_BYTES 4096
#define ERROR_BYTES (MESSAGE_BYTES * 6 + 256) /* of the body: each byte may be escaped */

void response_init(response *r)
{
    *r = (response){.status = 200};
    buf_init(&r->headers, LIMIT_RESPONSE_HEAD_BYTES);
}

void response_deinit(response *r)
{
    buf_deinit(&r->headers);
    buf_deinit(&r->own);
    r->body = slice_of(NULL, 0);
}

void response_take_body(response *r, buf *body)
{
    buf_deinit(&r->own);
    r->own = *body;
    r->body = buf_slice(&r->own);
    buf_init(body, body->max);
}

int response_keep_body(response *r)
{
    buf copy;
    int rc;

    if (r->body.len == 0 || r->body.data == r->own.data)
        return 0;
    buf_init(&copy, r->body.len);
    rc = buf_append(&copy, r->body.data, r->body.len);
    if (rc == 0)
        response_take_body(r, &copy);
    return rc;
}

const char *response_type_of(slice body)
{
    if (!slice_is_utf8(body))
        return "application/octet-stream";
    if (body.len && (body.data[0] == '{' || body.data[0] == '['))
        return "application/json";
    return "text/plain; charset=utf-8";
}

static int put_error(buf *out, const char *code, slice message, const char *invocation)
{
    int rc = buf_printf(out, "{\"error\":{\"code\":\"%s\",\"message\":", code);

    rc = rc ? rc : json_put_string(out, message);
    rc = rc ? rc : buf_append_str(out, ",\"invocation\":");
    rc = rc ? rc : buf_printf(out, *invocation ? "\"%s\"" : "null", invocation);
    return rc ? rc : buf_append_str(out, "}}\n");
}

void response_set_error(response *r, int status, const char *code, slice message,
                        const char *invocation)
{
    buf body;

    message.len = slice_utf8_prefix(
        slice_of(message.data, message.len < MESSAGE_BYTES ? message.len : MESSAGE_BYTES));
    r->status = status;
    buf_clear(&r->headers);
    buf_init(&body, ERROR_BYTES);
    if (put_error(&body, code, message, invocation) != 0 ||
        headers_put(&r->headers, slice_str("Content-Type"), slice_str("application/json")) != 0)
        buf_clear(&body);
    response_take_body(r, &body);
}

void response_set_unauthorized(response *r, slice message, const char *challenge,
                               const char *invocation)
{
    response_set_error(r, 401, "unauthorized", message, invocation);
    /* The header must be there; without memory for it, the server is what has failed. */
    if (headers_put(&r->headers, slice_str("WWW-Authenticate"), slice_str(challenge)) != 0)
        r->status = 503;
}
