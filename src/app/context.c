#include "app/context.h"

#include "app/limits.h"
#include "base/clock.h"

#include <stdio.h>

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

void context_inherit(context *c, const context *from)
{
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

void context_log(const context *c, enum context_log_level level, const char *format, ...)
{
    char text[1024];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len > 0)
        c->host->log(c, (int)level, slice_str(text), slice_of(NULL, 0));
}
