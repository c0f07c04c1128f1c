#include "base/json.h"
#include "cli/check_report.h"

/* A member of an object with a text or null, and a comma behind it. */
static int put_text(buf *out, const char *name, const char *text)
{
    int rc = buf_printf(out, "\"%s\":", name);

    rc = rc ? rc : text ? json_put_bytes(out, slice_str(text)) : buf_append_str(out, "null");
    return rc ? rc : buf_append_byte(out, ',');
}

/* Likewise with an array of texts. */
static int put_list(buf *out, const char *name, const config_list *list)
{
    int rc = buf_printf(out, "\"%s\":[", name);

    for (size_t i = 0; list && i < list->count && rc == 0; i++) {
        rc = buf_append_str(out, i > 0 ? "," : "");
        rc = rc ? rc : json_put_bytes(out, slice_str(list->item[i]));
    }
    return rc ? rc : buf_append_str(out, "],");
}

static int put_limits(buf *out, const config_limits *l)
{
    return buf_printf(out,
                      "\"limits\":{\"cpu_ms\":%llu,\"wall_ms\":%llu,\"memory_bytes\":%llu,"
                      "\"request_bytes\":%llu,\"response_bytes\":%llu,"
                      "\"http_response_bytes\":%llu,\"http_requests\":%u}",
                      (unsigned long long)l->cpu_ms, (unsigned long long)l->wall_ms,
                      (unsigned long long)l->memory_bytes, (unsigned long long)l->request_bytes,
                      (unsigned long long)l->response_bytes,
                      (unsigned long long)l->http_response_bytes, l->http_requests);
}

static int put_function(const check_facts *c, buf *out, const function *f)
{
    const config_function *own = app_function_config(c->app, f);
    int rc = buf_append_byte(out, '{');

    rc = rc ? rc : put_text(out, "name", f->name);
    rc = rc ? rc : put_text(out, "source", f->source);
    rc = rc ? rc : put_text(out, "route", f->route);
    if (f->methods.given)
        rc = rc ? rc : put_list(out, "methods", &f->methods);
    else
        rc = rc ? rc : put_text(out, "methods", NULL);
    rc = rc ? rc : put_list(out, "middleware", f->route ? app_middleware(c->app, f) : NULL);
    rc = rc ? rc : put_list(out, "permissions", own ? &own->permissions : NULL);
    rc = rc ? rc : put_text(out, "instances", f->reuse ? "reuse" : "fresh");
    rc = rc ? rc : put_limits(out, &f->limits);
    return rc ? rc : buf_append_byte(out, '}');
}

static int put_functions(const check_facts *c, buf *out)
{
    size_t count;
    const function *f = app_functions(c->app, &count);
    int rc = buf_append_str(out, "\"functions\":[");

    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = buf_append_str(out, i > 0 ? "," : "");
        rc = rc ? rc : put_function(c, out, &f[i]);
    }
    return rc ? rc : buf_append_str(out, "],");
}

static int put_triggers(const config *c, buf *out)
{
    int rc = buf_append_str(out, "\"triggers\":[");

    for (size_t i = 0; i < c->trigger_count && rc == 0; i++) {
        const config_trigger *t = &c->triggers[i];

        rc = buf_append_str(out, i > 0 ? ",{" : "{");
        rc = rc ? rc : put_text(out, t->is_cron ? "cron" : "topic", t->pattern);
        rc = rc ? rc : buf_append_str(out, "\"function\":");
        rc = rc ? rc : json_put_bytes(out, slice_str(t->function));
        rc = rc ? rc : buf_append_byte(out, '}');
    }
    return rc ? rc : buf_append_str(out, "],");
}

static int put_problems(const problems *found, buf *out)
{
    int rc = buf_append_str(out, "\"problems\":[");

    for (size_t i = 0; i < found->count && rc == 0; i++) {
        const struct problem *p = &found->item[i];

        rc = buf_append_str(out, i > 0 ? ",{" : "{");
        rc = rc ? rc : put_text(out, "file", p->file);
        if (rc == 0 && p->line)
            rc = buf_printf(out, "\"line\":%u,", p->line);
        else
            rc = rc ? rc : put_text(out, "line", NULL);
        rc = rc ? rc : buf_append_str(out, "\"message\":");
        rc = rc ? rc : json_put_bytes(out, slice_str(p->text));
        rc = rc ? rc : buf_append_byte(out, '}');
    }
    return rc ? rc : buf_printf(out, "],\"ok\":%s}\n", found->count ? "false" : "true");
}

int check_put_json(const check_facts *c, buf *out)
{
    const config *conf = c->app ? app_config(c->app) : NULL;
    size_t files;
    int rc = buf_append_byte(out, '{');

    rc = rc ? rc : put_text(out, "project", conf ? conf->name : NULL);
    rc = rc ? rc : put_text(out, "version", conf ? conf->version : NULL);
    rc = rc ? rc : put_text(out, "environment", c->environment);
    if (conf) {
        public_files(app_public(c->app), &files);
        rc = rc ? rc : put_functions(c, out);
        rc = rc ? rc : put_triggers(conf, out);
        rc = rc ? rc : buf_printf(out, "\"public\":%zu,", files);
    }
    return rc ? rc : put_problems(c->found, out);
}
