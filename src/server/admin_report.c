#include "server/admin_internal.h"

#include "base/clock.h"
#include "base/json.h"

/* What the server is and does: /health, /functions, /counters. */

typedef int (*put_report)(const admin *a, buf *out);

static void report(const admin_request *r, put_report put)
{
    buf json;

    if (r->method != EVHTTP_REQ_GET && r->method != EVHTTP_REQ_HEAD) {
        admin_refuse_method(r, "GET, HEAD");
        return;
    }
    buf_init(&json, SIZE_MAX);
    if (put(r->admin, &json))
        admin_error(r, HTTP_SERVUNAVAIL, "busy", "out of memory");
    else
        admin_json(r, &json);
    buf_deinit(&json);
}

static int put_text(buf *out, const char *name, const char *text)
{
    int rc = buf_printf(out, "\"%s\":", name);

    if (rc == 0)
        rc = text ? json_put_bytes(out, slice_str(text)) : buf_append_str(out, "null");
    return rc ? rc : buf_append_byte(out, ',');
}

static int put_list(buf *out, const char *name, const config_list *l)
{
    int rc = buf_printf(out, "\"%s\":[", name);

    for (size_t i = 0; l && i < l->count && rc == 0; i++) {
        if (i > 0)
            rc = buf_append_byte(out, ',');
        rc = rc ? rc : json_put_bytes(out, slice_str(l->item[i]));
    }
    return rc ? rc : buf_append_str(out, "],");
}

static int put_health(const admin *a, buf *out)
{
    const config *c = app_config(a->options.app);
    int rc = buf_append_byte(out, '{');

    rc = rc ? rc : put_text(out, "project", c->name);
    rc = rc ? rc : put_text(out, "version", c->version);
    return rc ? rc
              : buf_printf(out, "\"status\":\"ok\",\"ubiq\":\"" UBIQ_VERSION
                           "\",\"workers\":%zu,\"seconds\":%llu}\n", a->options.worker_count,
                           (unsigned long long)((clock_ns() - a->started_ns) / 1000000000));
}

/* What its workers have counted of a function. */
static int put_function_counters(const admin *a, const function *f, buf *out)
{
    uint64_t calls = 0, failures = 0, cpu_ns = 0, wall_ns = 0;

    for (size_t i = 0; i < a->options.worker_count; i++) {
        const function_counters *c = &a->options.workers[i]->function_counters[f->index];

        calls += counter_read(&c->calls);
        failures += counter_read(&c->failures);
        cpu_ns += counter_read(&c->cpu_ns);
        wall_ns += counter_read(&c->wall_ns);
    }
    return buf_printf(out, "\"counters\":{\"calls\":%llu,\"failures\":%llu,\"cpu_us\":%llu,"
                      "\"wall_us\":%llu}}", (unsigned long long)calls, (unsigned long long)failures,
                      (unsigned long long)cpu_ns / 1000, (unsigned long long)wall_ns / 1000);
}

static int put_limits(const config_limits *l, buf *out)
{
    return buf_printf(out, "\"limits\":{\"cpu_ms\":%llu,\"wall_ms\":%llu,\"memory_bytes\":%llu,"
                      "\"request_bytes\":%llu,\"response_bytes\":%llu,\"http_response_bytes\":%llu,"
                      "\"http_requests\":%u},", (unsigned long long)l->cpu_ms,
                      (unsigned long long)l->wall_ms, (unsigned long long)l->memory_bytes,
                      (unsigned long long)l->request_bytes, (unsigned long long)l->response_bytes,
                      (unsigned long long)l->http_response_bytes, l->http_requests);
}

static int put_function(const admin *a, const function *f, buf *out)
{
    static const char *const states[] = {"listed", "ready", "broken"};
    const config_function *c = app_function_config(a->options.app, f);
    int rc = buf_append_byte(out, '{');

    rc = rc ? rc : put_text(out, "name", f->name);
    rc = rc ? rc : put_text(out, "route", f->route);
    rc = rc ? rc : put_text(out, "state", states[function_state_of(f)]);
    rc = rc ? rc : put_text(out, "instances", f->reuse ? "reuse" : "fresh");
    rc = rc ? rc : put_list(out, "methods", &f->methods);
    rc = rc ? rc : put_list(out, "permissions", c ? &c->permissions : NULL);
    rc = rc ? rc : put_limits(&f->limits, out);
    return rc ? rc : put_function_counters(a, f, out);
}

static int put_functions(const admin *a, buf *out)
{
    size_t count;
    const function *f = app_functions(a->options.app, &count);
    int rc = buf_append_str(out, "{\"functions\":[");

    for (size_t i = 0; i < count && rc == 0; i++) {
        if (i > 0)
            rc = buf_append_byte(out, ',');
        rc = rc ? rc : put_function(a, &f[i], out);
    }
    return rc ? rc : buf_append_str(out, "]}\n");
}

static int put_counters(const admin *a, buf *out)
{
    uint64_t total[3] = {0};

    for (size_t i = 0; i < a->options.worker_count; i++) {
        const worker_counters *c = &a->options.workers[i]->counters;

        total[0] += counter_read(&c->requests);
        total[1] += counter_read(&c->calls);
        total[2] += counter_read(&c->connections);
    }
    return buf_printf(out, "{\"requests\":%llu,\"calls_in_flight\":%llu,\"connections\":%llu}\n",
                      (unsigned long long)total[0], (unsigned long long)total[1],
                      (unsigned long long)total[2]);
}

void admin_health(const admin_request *r)
{
    report(r, put_health);
}

void admin_functions(const admin_request *r)
{
    report(r, put_functions);
}

void admin_counters(const admin_request *r)
{
    report(r, put_counters);
}
