#include "extism/imports_internal.h"

#include "base/clock.h"
#include "base/record.h"
#include "extism/call.h"
#include "extism/http.h"
#include "extism/limits.h"
#include "extism/log.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <stdlib.h>

/* What a guest asks for, as JSON: upstream's HttpRequest. */
struct guest_request {
    char *url;
    strmap headers;
    char *method;
};

static int read_url(record_reader *r, void *into)
{
    return record_text(r, &((struct guest_request *)into)->url);
}

static int read_headers(record_reader *r, void *into)
{
    return record_map(r, &((struct guest_request *)into)->headers);
}

static int read_method(record_reader *r, void *into)
{
    return record_optional_text(r, &((struct guest_request *)into)->method);
}

static const record_shape request_shape = {
    .fields = {{"url", read_url}, {"headers", read_headers}, {"method", read_method}},
    .count = 3,
    .optional_from = 1,
};

static int parse_request(slice text, struct guest_request *out, error *err)
{
    record_reader r;
    unsigned seen = 0;
    int rc;

    if (!slice_is_utf8(text))
        return error_set(err, E_INVALID, "the HTTP request is not valid utf-8");
    record_init(&r, text);
    rc = record_object(&r, &request_shape, out, &seen);
    if (rc != 0)
        error_set(err, rc, "the HTTP request's JSON is not understood: %s: %s", r.path,
                  error_text(&r.err));
    else if (!(seen & 1))
        rc = error_set(err, E_INVALID, "missing field `url`");
    else
        rc = json_end(&r.json, err);
    record_deinit(&r);
    return rc;
}

static void request_deinit(struct guest_request *q)
{
    free(q->url);
    free(q->method);
    strmap_deinit(&q->headers);
}

void imports_http_log_denial(instance *i, int rc, const error *err)
{
    if (rc == E_DENIED && instance_code(i)->options.http_policy)
        log_printf(LOG_WARN, "pdk", plugin_state_id_text(instance_state(i)), "%s", error_text(err));
}

int imports_http_prepare(instance *i, uint64_t request_offset, uint64_t body_offset,
                         http_request **out, error *err)
{
    plugin_state *s = instance_state(i);
    const manifest *m = s->manifest;
    struct guest_request q = {0};
    slice text, body = {0};
    int rc;

    s->http_status = 0;
    strmap_deinit(&s->http_headers);
    if (!imports_block(i, request_offset, &text))
        return error_set(err, E_INVALID, "invalid handle offset for http request: %" PRIu64,
                         request_offset);
    rc = parse_request(text, &q, err);
    if (rc != 0)
        goto done;
    if (!imports_block(i, body_offset, &body)) {
        rc = error_set(err, E_INVALID, "invalid handle offset for http request body: %" PRIu64,
                       body_offset);
        goto done;
    }
    uint64_t now = clock_ns();
    http_options options = {
        .url = slice_str(q.url),
        .method = q.method,
        .headers = &q.headers,
        .body = body_offset ? body : slice_of(NULL, 0),
        .max_response =
            m->has_max_http_response_bytes ? m->max_http_response_bytes : LIMIT_HTTP_RESPONSE_BYTES,
        .has_timeout = s->has_deadline,
        .timeout_ms = s->deadline_ns > now ? (s->deadline_ns - now) / 1000000 : 0,
        .allowed_hosts = (const char *const *)m->allowed_hosts,
        .allowed_hosts_count = m->allowed_hosts_count,
        .policy = instance_code(i)->options.http_policy,
        .policy_context = s->host_context,
    };
    rc = http_request_prepare(out, &options, err);
    imports_http_log_denial(i, rc, err);
    kernel_memory_free(instance_kernel(i), request_offset);
    if (body_offset)
        kernel_memory_free(instance_kernel(i), body_offset);
done:
    request_deinit(&q);
    return rc;
}

/* Takes the outcome into the plug-in; the offset of the body in `*out`. */
static int finish(instance *i, http_request *request, int curl_code, int64_t *out, error *err)
{
    plugin_state *s = instance_state(i);
    http_response response = {0};
    uint64_t offset = 0;
    int rc = http_request_finish(request, curl_code, &response, err);

    imports_http_log_denial(i, rc, err);
    if (rc == 0) {
        s->http_status = response.status;
        rc = instance_alloc_bytes(i, buf_slice(&response.body), &offset, err);
    }
    if (rc == 0 && s->keep_http_headers) {
        strmap_deinit(&s->http_headers);
        s->http_headers = response.headers;
        response.headers = (strmap){0};
    }
    /* The time of the request was the time that the call had left. */
    if (rc == E_TIMEOUT && s->has_deadline)
        s->interrupted = true;
    http_response_deinit(&response);
    *out = (int64_t)offset;
    return rc;
}

wasm_trap_t *imports_http_request(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw,
                                  size_t n)
{
    instance *i = instance_of_caller(caller);
    http_request *request = NULL;
    error err = {0};
    int64_t offset = 0;
    int rc = imports_http_prepare(i, (uint64_t)raw[0].i64, (uint64_t)raw[1].i64, &request, &err);

    (void)env, (void)n;
    rc = rc ? rc : finish(i, request, http_request_perform(request), &offset, &err);
    http_request_destroy(request);
    if (rc != 0)
        return imports_trap_error(&err);
    raw[0].i64 = offset;
    return NULL;
}

wasm_trap_t *imports_http_status_code(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw,
                                      size_t n)
{
    (void)env, (void)n;
    raw[0].i32 = (int32_t)instance_state(instance_of_caller(caller))->http_status;
    return NULL;
}

int imports_put_headers(const strmap *headers, buf *out)
{
    int rc = buf_append_byte(out, '{');
    for (size_t i = 0; i < headers->count && rc == 0; i++) {
        const strmap_entry *e = &headers->entry[i];
        if (i > 0)
            rc = buf_append_byte(out, ',');
        rc = rc ? rc : json_put_string(out, slice_of(e->key, e->key_len));
        rc = rc ? rc : buf_append_byte(out, ':');
        rc = rc ? rc : json_put_string(out, slice_of(e->value, e->value_len));
    }
    return rc ? rc : buf_append_byte(out, '}');
}

wasm_trap_t *imports_http_headers(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw,
                                  size_t n)
{
    instance *i = instance_of_caller(caller);
    const plugin_state *s = instance_state(i);
    wasm_trap_t *trap;
    buf text;

    (void)env, (void)n;
    raw[0].i64 = 0;
    if (!s->keep_http_headers)
        return NULL;
    buf_init(&text, LIMIT_HTTP_RESPONSE_BYTES);
    if (imports_put_headers(&s->http_headers, &text) != 0)
        trap = imports_trap("out of memory");
    else
        trap = imports_return_bytes(i, buf_slice(&text), &raw[0].i64);
    buf_deinit(&text);
    return trap;
}

struct pending {
    instance *instance;
    const http_driver *driver;
    http_request *request;
    void *started;
    wasmtime_val_t *result;
    wasm_trap_t **trap;
    int curl_code;
    bool done;
};

static void on_done(void *arg, int curl_code)
{
    struct pending *p = arg;
    p->curl_code = curl_code;
    p->done = true;
    call_wake(p->instance);
}

/* Asked by the engine whenever the call is polled. */
static bool is_done(void *env)
{
    struct pending *p = env;
    error err = {0};

    if (!p->done)
        return false;
    *p->result = (wasmtime_val_t){.kind = WASMTIME_I64};
    if (p->request && finish(p->instance, p->request, p->curl_code, &p->result->of.i64, &err) != 0)
        *p->trap = imports_trap_error(&err);
    return true;
}

static void pending_free(void *env)
{
    struct pending *p = env;
    if (p->started && !p->done)
        p->driver->cancel(p->started);
    http_request_destroy(p->request);
    free(p);
}

void imports_http_request_async(void *env, wasmtime_caller_t *caller, const wasmtime_val_t *args,
                                size_t n_args, wasmtime_val_t *results, size_t n_results,
                                wasm_trap_t **trap, wasmtime_async_continuation_t *continuation)
{
    instance *i = instance_of_caller(caller);
    struct pending *p = calloc(1, sizeof *p);
    error err = {0};

    (void)n_args, (void)n_results;
    if (!p || instance_state(i)->preparing) {
        *trap = imports_trap("%s", p ? IMPORTS_TOO_EARLY : "out of memory");
        free(p);
        *continuation = (wasmtime_async_continuation_t){.callback = imports_done_at_once};
        return;
    }
    *p = (struct pending){.instance = i, .driver = env, .result = results, .trap = trap};
    *continuation =
        (wasmtime_async_continuation_t){.callback = is_done, .env = p, .finalizer = pending_free};
    if (imports_http_prepare(i, (uint64_t)args[0].of.i64, (uint64_t)args[1].of.i64, &p->request,
                             &err) != 0) {
        *trap = imports_trap_error(&err);
        p->done = true;
        return;
    }
    instance_state(i)->waiting = true;
    p->started = p->driver->start(p->request, on_done, p);
    if (!p->started) {
        p->curl_code = CURLE_OUT_OF_MEMORY;
        p->done = true;
        instance_state(i)->waiting = false;
    }
}
