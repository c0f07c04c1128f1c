#include "server/admin_internal.h"

#include "app/limits.h"

#include <event2/buffer.h>
#include <stdlib.h>

/* The project's keys and files: /kv and /storage. */

#define LIST_DEFAULT 100

static int status_of(enum service_code code)
{
    switch (code) {
    case SERVICE_NOT_FOUND:
        return HTTP_NOTFOUND;
    case SERVICE_INVALID:
        return HTTP_BADREQUEST;
    case SERVICE_TOO_LARGE:
    case SERVICE_OVER_QUOTA:
        return 413;
    case SERVICE_CONFLICT:
        return 409;
    default:
        return HTTP_SERVUNAVAIL;
    }
}

/* Answers with what came of an operation, and frees it. */
static void answer(const admin_request *r, operation *op, const char *type)
{
    if (op->code != SERVICE_OK)
        admin_error(r, status_of(op->code), service_code_name(op->code), error_text(&op->err));
    else
        admin_answer(r, type ? HTTP_OK : HTTP_NOCONTENT, type ? type : "text/plain",
                     buf_slice(&op->result));
    operation_deinit(op);
}

/* The body of the request, in one piece; the caller frees it. False, with an answer, when memory runs
 * out. */
static bool take_body(const admin_request *r, buf *out)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(r->request);
    size_t len = evbuffer_get_length(in);

    buf_init(out, len);
    if (buf_reserve(out, len) == 0) {
        ssize_t n = evbuffer_remove(in, out->data, len);

        out->len = n > 0 ? (size_t)n : 0;
        return true;
    }
    admin_error(r, HTTP_SERVUNAVAIL, "busy", "out of memory");
    return false;
}

static void run_kv(const admin_request *r, kv_operation *o, const char *type)
{
    operation_waiter *w = &r->admin->waiter;
    kv_operation prepared = *o;

    operation_waiter_prepare(w, &prepared.op, LIMIT_HOST_RESULT_BYTES);
    operation_waiter_wait(w, kv_submit(app_services(r->admin->options.app)->kv, &prepared));
    answer(r, &prepared.op, type);
}

static void run_storage(const admin_request *r, storage_operation *o, const char *type)
{
    operation_waiter *w = &r->admin->waiter;
    storage_operation prepared = *o;

    operation_waiter_prepare(w, &prepared.op, LIMIT_HOST_FILE_BYTES);
    operation_waiter_wait(w, storage_submit(app_services(r->admin->options.app)->storage, &prepared));
    answer(r, &prepared.op, type);
}

static bool has_services(const admin_request *r)
{
    if (app_services(r->admin->options.app)->store)
        return true;
    admin_error(r, HTTP_NOTFOUND, "not_found", "no function of the project may use services");
    return false;
}

static void put_key(const admin_request *r, kv_operation *o)
{
    int64_t ttl_ms = admin_query_number(r, "ttl_ms", INT64_MAX);
    buf body;

    if (ttl_ms == 0) {
        admin_error(r, HTTP_BADREQUEST, "invalid", "ttl_ms is a number from 1");
        return;
    }
    if (!take_body(r, &body))
        return;
    o->verb = KV_SET;
    o->ttl_ms = ttl_ms == INT64_MAX ? 0 : ttl_ms;
    o->value = buf_slice(&body);
    run_kv(r, o, NULL);
    buf_deinit(&body);
}

void admin_kv(const admin_request *r)
{
    kv_operation o = {.key = r->rest};

    if (!has_services(r))
        return;
    switch (r->method) {
    case EVHTTP_REQ_GET:
    case EVHTTP_REQ_HEAD:
        if (r->rest.len) {
            o.verb = KV_GET;
            run_kv(r, &o, "application/octet-stream");
            return;
        }
        o.verb = KV_LIST;
        o.key = admin_query(r, "prefix");
        o.after = admin_query(r, "after");
        o.limit = admin_query_number(r, "limit", LIST_DEFAULT);
        run_kv(r, &o, "application/json");
        return;
    case EVHTTP_REQ_PUT:
        put_key(r, &o);
        return;
    case EVHTTP_REQ_DELETE:
        o.verb = KV_DELETE;
        run_kv(r, &o, NULL);
        return;
    default:
        admin_refuse_method(r, "GET, HEAD, PUT, DELETE");
    }
}

void admin_storage(const admin_request *r)
{
    storage_operation o = {.path = r->rest};
    buf body;

    if (!has_services(r))
        return;
    switch (r->method) {
    case EVHTTP_REQ_GET:
    case EVHTTP_REQ_HEAD:
        if (r->rest.len) {
            o.verb = STORAGE_READ;
            run_storage(r, &o, storage_type(r->rest));
            return;
        }
        o.verb = STORAGE_LIST;
        o.path = admin_query(r, "prefix");
        o.after = admin_query(r, "after");
        o.limit = admin_query_number(r, "limit", LIST_DEFAULT);
        run_storage(r, &o, "application/json");
        return;
    case EVHTTP_REQ_PUT:
        if (!take_body(r, &body))
            return;
        o.verb = STORAGE_WRITE;
        o.data = buf_slice(&body);
        run_storage(r, &o, NULL);
        buf_deinit(&body);
        return;
    case EVHTTP_REQ_DELETE:
        o.verb = STORAGE_DELETE;
        run_storage(r, &o, NULL);
        return;
    default:
        admin_refuse_method(r, "GET, HEAD, PUT, DELETE");
    }
}
