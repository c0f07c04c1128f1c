#include "base/json.h"
#include "server/reply.h"
#include "server/worker.h"

#include <string.h>

#define MESSAGE_BYTES 4096

/* Where in the code of a function it happened is for its developers, who have the log too. */
static slice without_stack(slice message)
{
    static const char stack[] = "\n    at ";
    const uint8_t *at =
        message.len ? memmem(message.data, message.len, stack, sizeof stack - 1) : NULL;

    return at ? slice_of(message.data, (size_t)(at - message.data)) : message;
}

void reply_error(connection *c, int status, const char *extra, const char *code, slice message)
{
    reply r = {.status = status, .extra = extra, .type = "application/json"};
    buf body;
    int rc;

    if (!app_config(c->worker->shared->app)->is_development)
        message = without_stack(message);
    message.len = slice_utf8_prefix(
        slice_of(message.data, message.len < MESSAGE_BYTES ? message.len : MESSAGE_BYTES));
    buf_init(&body, MESSAGE_BYTES * 6 + 256);
    rc = buf_printf(&body, "{\"error\":{\"code\":\"%s\",\"message\":", code);
    rc = rc ? rc : json_put_string(&body, message);
    rc = rc ? rc : buf_append_str(&body, ",\"invocation\":");
    rc = rc ? rc
            : buf_printf(&body, *c->exchange.request.id ? "\"%s\"" : "null", c->exchange.request.id);
    rc = rc ? rc : buf_append_str(&body, "}}\n");
    if (rc)
        buf_clear(&body);
    r.body = buf_slice(&body);
    reply_send(c, &r);
    buf_deinit(&body);
}

void reply_refuse(connection *c, int status)
{
    static const struct {
        int status;
        const char *code;
        const char *message;
    } known[] = {
        {408, "timeout", "the request did not come in time"},
        {413, "too_large", "the request's body is larger than it may be"},
        {414, "too_large", "the request's target is longer than it may be"},
        {431, "too_large", "the request's headers are larger than they may be"},
        {501, "not_implemented", "the server does not do what the request asks for"},
        {503, "busy", "the server is busy"},
        {505, "not_implemented", "the server speaks HTTP/1.1"},
        {400, "bad_request", "this is not a request that HTTP/1.1 knows"},
    };
    size_t i = 0;

    while (known[i].status != status && known[i].status != 400)
        i++;
    c->exchange.request.keep_alive = false;
    c->lingers = true;
    reply_error(c, status, status == 503 ? RETRY_AFTER : NULL, known[i].code,
                slice_str(known[i].message));
}
