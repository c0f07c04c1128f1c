#include "extism/http_calls.h"

#include "base/clock.h"
#include "base/json.h"
#include "extism/call.h"
#include "extism/http.h"
#include "extism/imports_internal.h"
#include "extism/limits.h"

#include <stdlib.h>

/* Requests that a guest has under way beside each other: ubiq_http_start, ubiq_http_wait, ubiq_http_head and
 * ubiq_http_body. What goes wrong with one is told by its head, like an answer. */

#define TOO_MANY "more than %d requests are under way"

struct http_call {
    struct http_calls *all;
    struct http_call *next; /* in the order in which they were started */
    int64_t id;
    http_request *request; /* NULL: it could not be prepared */
    void *started; /* what the driver cancels; NULL: it has its turn before it, or behind it */
    bool begun;
    bool ended;
    bool told; /* by a wait */
    int curl_code;
    bool finished; /* what follows stands */
    http_response response;
    error err;
};

struct http_calls {
    instance *instance;
    const http_driver *driver;
    struct http_call *first;
    int64_t last_id;
    size_t count;
    size_t running;
    bool waiting; /* a wait has suspended the guest */
};

static struct http_calls *calls_of(instance *i)
{
    plugin_state *s = instance_state(i);

    if (!s->http_calls && (s->http_calls = calloc(1, sizeof *s->http_calls))) {
        s->http_calls->instance = i;
        s->http_calls->driver = instance_code(i)->options.http;
    }
    return s->http_calls;
}

static void call_free(struct http_call *c)
{
    http_request_destroy(c->request);
    http_response_deinit(&c->response);
    error_deinit(&c->err);
    free(c);
}

void http_calls_destroy(struct http_calls *all)
{
    if (!all)
        return;
    for (struct http_call *c = all->first, *next; c; c = next) {
        next = c->next;
        if (c->started)
            all->driver->cancel(c->started);
        call_free(c);
    }
    free(all);
}

static void on_done(void *arg, int curl_code);

/* Begins as many of those that have not begun as may run. */
static void begin_next(struct http_calls *all)
{
    for (struct http_call *c = all->first; c && all->running < LIMIT_HTTP_AT_ONCE; c = c->next) {
        if (c->begun)
            continue;
        c->begun = true;
        c->started = all->driver->start(c->request, on_done, c);
        all->running += c->started != NULL;
        if (!c->started) {
            c->ended = c->finished = true;
            error_set(&c->err, E_NO_MEMORY, "out of memory for a request");
        }
    }
}

static void on_done(void *arg, int curl_code)
{
    struct http_call *c = arg;
    struct http_calls *all = c->all;

    c->started = NULL;
    c->ended = true;
    c->curl_code = curl_code;
    all->running--;
    begin_next(all);
    if (all->waiting) {
        all->waiting = false;
        call_wake(all->instance);
    }
}

static struct http_call *find(const struct http_calls *all, int64_t id)
{
    struct http_call *c = all ? all->first : NULL;

    while (c && c->id != id)
        c = c->next;
    return c;
}

wasm_trap_t *imports_http_start(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw,
                                size_t n)
{
    instance *i = instance_of_caller(caller);
    struct http_calls *all = calls_of(i);
    struct http_call *c = calloc(1, sizeof *c), **end;

    (void)env, (void)n;
    if (!all || !c || instance_state(i)->preparing) {
        free(c);
        return imports_trap("%s", all && c ? IMPORTS_TOO_EARLY : "out of memory");
    }
    if (all->count == LIMIT_HTTP_CALLS_KEPT) {
        free(c);
        return imports_trap(TOO_MANY, LIMIT_HTTP_CALLS);
    }
    c->all = all;
    c->id = ++all->last_id;
    for (end = &all->first; *end;)
        end = &(*end)->next;
    *end = c;
    if (all->count++ >= LIMIT_HTTP_CALLS)
        error_set(&c->err, E_TOO_LARGE, TOO_MANY, LIMIT_HTTP_CALLS);
    else if (imports_http_prepare(i, (uint64_t)raw[0].i64, (uint64_t)raw[1].i64, &c->request,
                                  &c->err) != 0 &&
             c->err.code == 0)
        c->err.code = E_NO_MEMORY;
    c->begun = c->ended = c->finished = c->err.code != 0;
    begin_next(all);
    raw[0].i64 = c->id;
    return NULL;
}

/* --- ubiq_http_wait --- */

struct wait {
    struct http_calls *all;
    uint64_t until_ns; /* of clock_ns; UINT64_MAX: for ever */
    wasmtime_val_t *result;
};

/* The first that has ended and of which nobody was told; 0 for none, -1 when none is under way. */
static int64_t next_ended(struct http_calls *all)
{
    int64_t none = -1;

    for (struct http_call *c = all->first; c; c = c->next) {
        if (c->ended && !c->told) {
            c->told = true;
            return c->id;
        }
        if (!c->ended)
            none = 0;
    }
    return none;
}

static bool wait_is_over(void *env)
{
    struct wait *w = env;
    int64_t id = next_ended(w->all);

    if (id == 0 && clock_ns() < w->until_ns) {
        /* With a time limit it is asked again and again, as imports_wasi.c has it. */
        w->all->waiting = w->until_ns == UINT64_MAX;
        instance_state(w->all->instance)->waiting = w->all->waiting;
        return false;
    }
    w->all->waiting = false;
    *w->result = (wasmtime_val_t){.kind = WASMTIME_I64, .of.i64 = id};
    return true;
}

static void wait_free(void *env)
{
    struct wait *w = env;

    w->all->waiting = false;
    free(w);
}

void imports_http_wait(void *env, wasmtime_caller_t *caller, const wasmtime_val_t *args,
                       size_t n_args, wasmtime_val_t *results, size_t n_results, wasm_trap_t **trap,
                       wasmtime_async_continuation_t *continuation)
{
    instance *i = instance_of_caller(caller);
    struct http_calls *all = calls_of(i);
    struct wait *w = calloc(1, sizeof *w);
    int64_t ms = args[0].of.i64;

    (void)env, (void)n_args, (void)n_results;
    *continuation = (wasmtime_async_continuation_t){.callback = imports_done_at_once};
    if (!all || !w || instance_state(i)->preparing) {
        free(w);
        *trap = imports_trap("%s", all && w ? IMPORTS_TOO_EARLY : "out of memory");
        return;
    }
    *w = (struct wait){.all = all, .until_ns = UINT64_MAX, .result = results};
    if (ms >= 0 && ms < INT64_MAX / 2000000)
        w->until_ns = clock_ns() + (uint64_t)ms * 1000000u;
    *continuation =
        (wasmtime_async_continuation_t){.callback = wait_is_over, .env = w, .finalizer = wait_free};
}

/* --- What came of them --- */

static const char *code_name(int code)
{
    switch (code) {
    case E_DENIED:
        return "denied";
    case E_INVALID:
        return "invalid";
    case E_TOO_LARGE:
        return "too_large";
    case E_TIMEOUT:
        return "timeout";
    case E_BUSY:
        return "busy";
    default:
        return "unavailable";
    }
}

static int put_head(const struct http_call *c, buf *out)
{
    int rc;

    if (c->err.code != 0) {
        rc = buf_printf(out, "{\"error\":{\"code\":\"%s\",\"message\":", code_name(c->err.code));
        rc = rc ? rc : json_put_bytes(out, slice_str(error_text(&c->err)));
        return rc ? rc : buf_append_str(out, "}}");
    }
    rc = buf_printf(out, "{\"status\":%u,\"headers\":", c->response.status);
    rc = rc ? rc : imports_put_headers(&c->response.headers, out);
    return rc ? rc : buf_append_byte(out, '}');
}

static void finish(struct http_call *c)
{
    int rc;

    if (c->finished)
        return;
    c->finished = true;
    rc = http_request_finish(c->request, c->curl_code, &c->response, &c->err);
    imports_http_log_denial(c->all->instance, rc, &c->err);
    if (rc != 0 && c->err.code == 0)
        c->err.code = E_NO_MEMORY; /* for the text too */
}

wasm_trap_t *imports_http_head(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw,
                               size_t n)
{
    instance *i = instance_of_caller(caller);
    struct http_call *c = find(instance_state(i)->http_calls, raw[0].i64);
    wasm_trap_t *trap;
    buf text;

    (void)env, (void)n;
    if (!c || !c->ended) {
        raw[0].i64 = -3; /* invalid */
        return NULL;
    }
    finish(c);
    buf_init(&text, LIMIT_HTTP_RESPONSE_BYTES);
    if (put_head(c, &text) != 0)
        trap = imports_trap("out of memory");
    else
        trap = imports_return_bytes(i, buf_slice(&text), &raw[0].i64);
    buf_deinit(&text);
    return trap;
}

static void forget(struct http_calls *all, struct http_call *c)
{
    struct http_call **at = &all->first;

    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    all->count--;
    call_free(c);
}

wasm_trap_t *imports_http_body(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *raw,
                               size_t n)
{
    instance *i = instance_of_caller(caller);
    struct http_call *c = find(instance_state(i)->http_calls, raw[0].i64);
    wasm_trap_t *trap;

    (void)env, (void)n;
    if (!c || !c->ended) {
        raw[0].i64 = -3; /* invalid */
        return NULL;
    }
    finish(c);
    trap = imports_return_bytes(i, buf_slice(&c->response.body), &raw[0].i64);
    forget(c->all, c);
    return trap;
}
