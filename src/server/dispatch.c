#include "server/dispatch.h"

#include "server/invocation.h"
#include "server/reply.h"
#include "server/worker.h"

#include <stdio.h>

#define ALLOW_BYTES 1024

static void answer_health(connection *c)
{
    bool get = slice_equal_str(c->request.method, "GET");

    if (!get && !slice_equal_str(c->request.method, "HEAD")) {
        reply_error(c, 405, "Allow: GET, HEAD\r\n", "method_not_allowed",
                    slice_str("/healthz takes GET"));
        return;
    }
    if (c->worker->draining)
        reply_error(c, 503, RETRY_AFTER, "draining", slice_str("the server is stopping"));
    else
        reply_send(c, &(reply){.status = 200,
                               .type = "text/plain; charset=utf-8",
                               .body = slice_str("ok\n")});
}

/* Lists what the function takes; its length was limited when the project was opened. */
static void refuse_method(connection *c, const function *f)
{
    char allow[ALLOW_BYTES];
    size_t len = (size_t)snprintf(allow, sizeof allow, "Allow: ");

    for (size_t i = 0; i < f->methods.count && len < sizeof allow; i++)
        len += (size_t)snprintf(allow + len, sizeof allow - len, "%s%s", i > 0 ? ", " : "",
                                f->methods.item[i]);
    if (len < sizeof allow)
        len += (size_t)snprintf(allow + len, sizeof allow - len, "\r\n");
    reply_error(c, 405, len < sizeof allow ? allow : NULL, "method_not_allowed",
                slice_str("the function does not take this method"));
}

void dispatch(connection *c, slice body)
{
    route_match match;
    function *f;

    if (slice_equal_str(c->request.path, "/healthz")) {
        answer_health(c);
        return;
    }
    worker_next_id(c->worker, c->request.id);
    f = app_find(c->worker->shared->app, c->request.path, &match);
    if (!f)
        reply_error(c, 404, NULL, "not_found", slice_str("no function has this route"));
    else if (!function_takes(f, c->request.method))
        refuse_method(c, f);
    else
        invocation_begin(c, f, body);
}
