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

static void run_kv(const admin_request *r, const kv_operation *o, const char *type)
{
    operation_waiter *w = &r->admin->waiter;
    kv_operation prepared = *o;

    operation_waiter_prepare(w, &prepared.op, LIMIT_HOST_RESULT_BYTES);
    operation_waiter_wait(w, kv_submit(app_services(r->admin->options.app)->kv, &prepared));
    answer(r, &prepared.op, type);
}

static void run_storage(const admin_request *r, const storage_operation *o, const char *type)
{
    operation_waiter *w = &r->admin->waiter;
    storage_operation prepared = *o;

    operation_waiter_prepare(w, &prepared.op, LIMIT_HOST_FILE_BYTES);
    operation_waiter_wait(w,
                          storage_submit(app_services(r->admin->options.app)->storage, &prepared));
    answer(r, &prepared.op, type);
}

/* What is asked for. */
enum verb { VERB_NONE, VERB_READ, VERB_LIST, VERB_WRITE, VERB_DELETE };

/* VERB_NONE: there is an answer already. */
static enum verb verb_of(const admin_request *r)
{
    if (!app_services(r->admin->options.app)->store) {
        admin_error(r, HTTP_NOTFOUND, "not_found", "no function of the project may use services");
        return VERB_NONE;
    }
    switch (r->method) {
    case EVHTTP_REQ_GET:
    case EVHTTP_REQ_HEAD:
        return r->rest.len ? VERB_READ : VERB_LIST;
    case EVHTTP_REQ_PUT:
        return VERB_WRITE;
    case EVHTTP_REQ_DELETE:
        return VERB_DELETE;
    default:
        admin_refuse_method(r, "GET, HEAD, PUT, DELETE");
        return VERB_NONE;
    }
}

static void put_key(const admin_request *r)
{
    int64_t ttl_ms = admin_query_number(r, "ttl_ms", INT64_MAX);
    kv_operation o = {.verb = KV_SET, .key = r->rest};
    buf body;

    if (ttl_ms == 0) {
        admin_error(r, HTTP_BADREQUEST, "invalid", "ttl_ms is a number from 1");
        return;
    }
    if (!take_body(r, &body))
        return;
    o.ttl_ms = ttl_ms == INT64_MAX ? 0 : ttl_ms;
    o.value = buf_slice(&body);
    run_kv(r, &o, NULL);
    buf_deinit(&body);
}

static void put_file(const admin_request *r)
{
    storage_operation o = {.verb = STORAGE_WRITE, .path = r->rest};
    buf body;

    if (!take_body(r, &body))
        return;
    o.data = buf_slice(&body);
    run_storage(r, &o, NULL);
    buf_deinit(&body);
}

void admin_kv(const admin_request *r)
{
    switch (verb_of(r)) {
    case VERB_NONE:
        return;
    case VERB_READ:
        run_kv(r, &(kv_operation){.verb = KV_GET, .key = r->rest}, "application/octet-stream");
        return;
    case VERB_LIST:
        run_kv(r,
               &(kv_operation){.verb = KV_LIST,
                               .key = admin_query(r, "prefix"),
                               .after = admin_query(r, "after"),
                               .limit = admin_query_number(r, "limit", LIST_DEFAULT)},
               "application/json");
        return;
    case VERB_WRITE:
        put_key(r);
        return;
    case VERB_DELETE:
        run_kv(r, &(kv_operation){.verb = KV_DELETE, .key = r->rest}, NULL);
        return;
    }
}

void admin_storage(const admin_request *r)
{
    switch (verb_of(r)) {
    case VERB_NONE:
        return;
    case VERB_READ:
        run_storage(r, &(storage_operation){.verb = STORAGE_READ, .path = r->rest},
                    storage_type(r->rest));
        return;
    case VERB_LIST:
        run_storage(r,
                    &(storage_operation){.verb = STORAGE_LIST,
                                         .path = admin_query(r, "prefix"),
                                         .after = admin_query(r, "after"),
                                         .limit = admin_query_number(r, "limit", LIST_DEFAULT)},
                    "application/json");
        return;
    case VERB_WRITE:
        put_file(r);
        return;
    case VERB_DELETE:
        run_storage(r, &(storage_operation){.verb = STORAGE_DELETE, .path = r->rest}, NULL);
        return;
    }
}
