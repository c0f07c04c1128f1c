#include "app/context.h"

#include "app/limits.h"
#include "base/clock.h"

#include <stdio.h>

#define LOG_LINE_BYTES 80 /* about what stands before a text */

void context_init(context *c)
{
    *c = (context){0};
    buf_init(&c->headers, LIMIT_RESPONSE_HEAD_BYTES);
    buf_init(&c->trace, LIMIT_TRACE_BYTES);
}

void context_set_function(context *c, const function *f)
{
    c->function = f;
    c->http = (http_grant){
        .permissions = f->permissions,
        .function = f->name,
        .requests_max = f->limits.http_requests,
    };
}

void context_inherit(context *c, context *from)
{
    c->root = from->root ? from->root : from;
    c->app = from->app;
    c->home = from->home;
    c->depth = from->depth + 1;
    c->hops = from->hops;
    c->started_ns = clock_ns();
}

void context_deinit(context *c)
{
    buf_deinit(&c->headers);
    buf_deinit(&c->trace);
    error_deinit(&c->err);
}

bool context_count_invocation(context *c)
{
    context *root = c->root ? c->root : c;

    if (root->invocations >= LIMIT_INVOCATIONS)
        return false;
    root->invocations++;
    return true;
}

bool context_write_log(context *c, enum context_log_level level, slice text, slice attributes)
{
    static const char full[] = "it has logged more than one call may: the rest is left out";
    size_t *logged = c->root ? &c->root->logged : &c->logged;
    bool was_full = *logged > LIMIT_LOGGED_BYTES;

    *logged += was_full ? 0 : LOG_LINE_BYTES + text.len + attributes.len;
    if (*logged <= LIMIT_LOGGED_BYTES)
        c->host->log(c, (int)level, text, attributes);
    else if (!was_full)
        c->host->log(c, CONTEXT_WARN, slice_str(full), slice_of(NULL, 0));
    return *logged <= LIMIT_LOGGED_BYTES;
}

void context_log(context *c, enum context_log_level level, const char *format, ...)
{
    char text[1024];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len > 0)
        (void)context_write_log(c, level, slice_str(text), slice_of(NULL, 0));
}
