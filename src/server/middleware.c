#include "base/hash.h"
#include "base/json.h"
#include "server/limits.h"
#include "server/middleware_internal.h"
#include "server/middleware_output.h"

void middleware_begin(middleware_run *r, const middleware *m)
{
    *r = (middleware_run){.chain = m};
    buf_init(&r->claims, LIMIT_TOKEN_BYTES);
    buf_init(&r->context, LIMIT_FACTS_BYTES);
}

void middleware_end(middleware_run *r)
{
    buf_deinit(&r->claims);
    buf_deinit(&r->context);
    r->chain = NULL;
}

function *middleware_function(const middleware_run *r)
{
    return r->chain->step[r->at].function;
}

/* Makes it the answer to a failure of ours. */
static void fail(response *answer, int code, const char *invocation)
{
    if (code == E_NO_MEMORY)
        response_set_error(answer, 503, "busy", slice_str("the server is out of memory"),
                           invocation);
    else if (code == E_TOO_LARGE)
        response_set_error(answer, 500, "response_too_large",
                           slice_str("the response's headers are larger than they may be"),
                           invocation);
    else
        response_set_error(answer, 500, "middleware_failed",
                           slice_str("middleware failed; the server's log says more"), invocation);
}

/* The same for what a function has said; the log has the rest. */
static void fail_output(response *answer, int code, const char *invocation)
{
    fail(answer, code == E_NO_MEMORY ? code : E_INVALID, invocation);
}

/* --- On the way there --- */

static bool take_token(middleware_run *r, const middleware_request *q, response *answer)
{
    const rate_subject subject = {
        .headers = q->headers,
        .address = q->address,
        .route = slice_str(r->chain->route),
    };

    r->rate = rate_limit_take(r->chain->set->rate_limit, &subject, q->now_ns);
    if (!r->rate.allowed)
        response_set_error(answer, 429, "rate_limited",
                           slice_str("too many requests; the header Retry-After says when to try "
                                     "again"),
                           q->id);
    return r->rate.allowed;
}

static bool check_key(middleware_run *r, const middleware_request *q, response *answer)
{
    const api_key *k = r->chain->set->api_key;

    if (api_key_check(k, q->headers, r->api_key))
        return true;
    api_key_refuse(k, answer, q->id);
    return false;
}

/* Whether the request may go on; if not, `answer` is made. */
static bool admit(middleware_run *r, enum middleware_kind kind, const middleware_request *q,
                  response *answer)
{
    const middleware *m = r->chain;
    int rc;

    switch (kind) {
    case MIDDLEWARE_CORS:
        if (!cors_is_preflight(q->method, q->headers))
            return true;
        rc = cors_answer(m->set->cors, q->headers, m->methods, answer, q->id);
        if (rc)
            fail(answer, rc, q->id);
        return false;
    case MIDDLEWARE_RATE_LIMIT:
        return take_token(r, q, answer);
    case MIDDLEWARE_API_KEY:
        return check_key(r, q, answer);
    case MIDDLEWARE_JWT:
        return jwt_admit(m->set->jwt, q->headers, q->now_s, &r->claims, answer, q->id);
    case MIDDLEWARE_REQUEST_ID:
        request_id_take(q->headers, q->id, r->request_id);
        return true;
    case MIDDLEWARE_COMPRESSION:
    case MIDDLEWARE_FUNCTION:
        break;
    }
    return true;
}

enum middleware_next middleware_before(middleware_run *r, const middleware_request *q,
                                       response *answer)
{
    while (r->at < r->chain->count) {
        enum middleware_kind kind = r->chain->step[r->at].kind;

        if (kind == MIDDLEWARE_FUNCTION)
            return MIDDLEWARE_CALL;
        /* What is built in sees its own answers come back too: it says more in their headers. */
        r->at++;
        if (!admit(r, kind, q, answer))
            return MIDDLEWARE_ANSWER;
    }
    return MIDDLEWARE_GO_ON;
}

/* Keeps what a function has found out, under its name. */
static int keep_context(middleware_run *r, slice context)
{
    size_t start = r->context.len;
    int rc = start ? buf_append_byte(&r->context, ',') : 0;

    rc = rc ? rc : json_put_bytes(&r->context, slice_str(r->chain->step[r->at].name));
    rc = rc ? rc : buf_append_byte(&r->context, ':');
    rc = rc ? rc : buf_append(&r->context, context.data, context.len);
    if (rc)
        r->context.len = start;
    return rc;
}

/* Puts what a function has said in place of what is there. */
static int take_output(response *answer, middleware_output *o)
{
    slice type = slice_str("Content-Type");
    slice there;

    if (o->status)
        answer->status = o->status;
    if (o->has_headers) {
        buf_deinit(&answer->headers);
        answer->headers = o->headers;
        o->headers = (buf){0};
    }
    if (!o->has_body)
        return 0;
    response_take_body(answer, &o->body);
    if (answer->body.len == 0 || headers_find(buf_slice(&answer->headers), type, &there) > 0)
        return 0;
    return headers_put(&answer->headers, type, slice_str(response_type_of(answer->body)));
}

enum middleware_next middleware_resume_before(middleware_run *r, const middleware_request *q,
                                              slice output, response *answer, error *err)
{
    middleware_output o;
    bool answers = false;
    int rc = middleware_output_read(&o, output, err);

    if (rc)
        goto done;
    answers = o.status || o.has_headers || o.has_body;
    if (answers && !o.status)
        rc = error_set(err, E_INVALID, "its output: an answer needs a status");
    else if (answers)
        rc = take_output(answer, &o);
    else if (o.context.len && (rc = keep_context(r, buf_slice(&o.context))) != 0)
        error_set(err, rc, "its output: there is no room for the context");
done:
    if (rc)
        fail_output(answer, rc, q->id);
    middleware_output_deinit(&o);
    if (rc || answers)
        return MIDDLEWARE_ANSWER;
    r->at++;
    return middleware_before(r, q, answer);
}

/* --- On the way back --- */

static int change(middleware_run *r, enum middleware_kind kind, const middleware_request *q,
                  compressor *with, response *answer)
{
    const middleware_set *s = r->chain->set;
    buf *headers = &answer->headers;

    switch (kind) {
    case MIDDLEWARE_CORS:
        return cors_put_headers(s->cors, q->headers, headers);
    case MIDDLEWARE_RATE_LIMIT:
        return rate_limit_put_headers(s->rate_limit, &r->rate, headers);
    case MIDDLEWARE_API_KEY:
        return api_key_put_headers(s->api_key, headers);
    case MIDDLEWARE_REQUEST_ID:
        return headers_set(headers, slice_str(REQUEST_ID_HEADER), slice_str(r->request_id));
    case MIDDLEWARE_COMPRESSION:
        return compression_apply(s->compression, with, q->headers, answer);
    case MIDDLEWARE_JWT:
    case MIDDLEWARE_FUNCTION:
        break;
    }
    return 0;
}

enum middleware_next middleware_after(middleware_run *r, const middleware_request *q,
                                      compressor *with, response *answer)
{
    while (r->at > 0) {
        enum middleware_kind kind = r->chain->step[--r->at].kind;
        int rc;

        if (kind == MIDDLEWARE_FUNCTION)
            return MIDDLEWARE_CALL;
        rc = change(r, kind, q, with, answer);
        if (rc)
            fail(answer, rc, q->id);
    }
    return MIDDLEWARE_GO_ON;
}

enum middleware_next middleware_resume_after(middleware_run *r, const middleware_request *q,
                                             compressor *with, slice output, response *answer,
                                             error *err)
{
    middleware_output o;
    int rc = middleware_output_read(&o, output, err);

    rc = rc ? rc : take_output(answer, &o);
    if (rc)
        fail_output(answer, rc, q->id);
    middleware_output_deinit(&o);
    return middleware_after(r, q, with, answer);
}

/* --- What is said of it --- */

/* Appends a body as a member of an object: as text, or in base64 if it is none. */
static int put_body(buf *out, slice body)
{
    int rc;

    if (slice_is_utf8(body)) {
        rc = buf_append_str(out, ",\"body\":");
        return rc ? rc : json_put_string(out, body);
    }
    rc = buf_append_str(out, ",\"body_base64\":\"");
    rc = rc ? rc : base64_encode(body, out);
    return rc ? rc : buf_append_byte(out, '"');
}

int middleware_put_before(buf *out, slice request, slice body)
{
    int rc = buf_append(out, request.data, request.len - 1);

    rc = rc ? rc : put_body(out, body);
    return rc ? rc : buf_append_byte(out, '}');
}

int middleware_put_after(buf *out, slice request, const response *answer)
{
    int rc = buf_append_str(out, "{\"request\":");

    rc = rc ? rc : buf_append(out, request.data, request.len);
    rc = rc ? rc : buf_printf(out, ",\"response\":{\"status\":%d,\"headers\":", answer->status);
    rc = rc ? rc : headers_put_json(out, buf_slice(&answer->headers));
    rc = rc ? rc : put_body(out, answer->body);
    return rc ? rc : buf_append_str(out, "}}");
}

int middleware_put_facts(const middleware_run *r, buf *out)
{
    int rc = 0;

    if (*r->request_id)
        rc = buf_printf(out, ",\"request_id\":\"%s\"", r->request_id);
    if (rc == 0 && *r->api_key)
        rc = buf_printf(out, ",\"api_key\":\"%s\"", r->api_key);
    if (rc == 0 && r->claims.len) {
        rc = buf_append_str(out, ",\"claims\":");
        rc = rc ? rc : buf_append(out, r->claims.data, r->claims.len);
    }
    if (rc == 0 && r->context.len) {
        rc = buf_append_str(out, ",\"context\":{");
        rc = rc ? rc : buf_append(out, r->context.data, r->context.len);
        rc = rc ? rc : buf_append_byte(out, '}');
    }
    return rc;
}
