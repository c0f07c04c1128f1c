#include "server/middleware_output.h"

#include "app/limits.h"
#include "app/reserved_headers.h"
#include "base/hash.h"
#include "base/record.h"
#include "server/limits.h"

#define STATUS_MIN 200
#define STATUS_MAX 599

static int read_status(record_reader *r, void *into)
{
    middleware_output *o = into;
    uint64_t status;
    int rc = json_uint(&r->json, STATUS_MAX, &status, &r->err);

    if (rc)
        return rc;
    if (status < STATUS_MIN)
        return error_set(&r->err, E_INVALID, "must be from %d to %d", STATUS_MIN, STATUS_MAX);
    o->status = (int)status;
    return 0;
}

/* Reads a value of a header. Those that the server itself writes may be there, since the function
 * may have been given them by another server, and are left out. */
static int read_value(record_reader *r, slice name, middleware_output *o)
{
    buf value;
    int rc;

    buf_init(&value, LIMIT_RESPONSE_HEAD_BYTES);
    rc = json_string(&r->json, &value, &r->err);
    if (rc || reserved_headers_has(name))
        goto done;
    if (o->header_count++ == LIMIT_RESPONSE_HEADERS) {
        rc = error_set(&r->err, E_TOO_LARGE, "a response has at most %d of them",
                       LIMIT_RESPONSE_HEADERS);
        goto done;
    }
    rc = headers_put(&o->headers, name, buf_slice(&value));
    if (rc == E_INVALID)
        error_set(&r->err, rc,
                  "is no header: a name of letters, digits and '-', and a value of one "
                  "line without white space around it");
    else if (rc)
        error_set(&r->err, rc, "there is no room for all of these headers");
done:
    buf_deinit(&value);
    return rc;
}

/* Reads a value, or an array of them. */
static int read_values(record_reader *r, slice name, middleware_output *o)
{
    int rc;

    if (json_peek(&r->json) != JSON_ARRAY)
        return read_value(r, name, o);
    rc = json_enter(&r->json, JSON_ARRAY, &r->err);
    for (size_t i = 0; rc == 0; i++) {
        rc = json_next(&r->json, JSON_ARRAY, i, &r->err);
        if (rc <= 0)
            break;
        rc = read_value(r, name, o);
    }
    return rc;
}

static int read_headers(record_reader *r, void *into)
{
    middleware_output *o = into;
    int rc = json_enter(&r->json, JSON_OBJECT, &r->err);
    buf name;

    buf_init(&name, r->json.text.len);
    o->has_headers = true;
    for (size_t i = 0; rc == 0; i++) {
        rc = json_next(&r->json, JSON_OBJECT, i, &r->err);
        if (rc <= 0)
            break;
        buf_clear(&name);
        rc = json_name(&r->json, &name, &r->err);
        rc = rc ? rc : read_values(r, buf_slice(&name), o);
    }
    buf_deinit(&name);
    return rc;
}

static int begin_body(record_reader *r, middleware_output *o)
{
    if (o->has_body)
        return error_set(&r->err, E_INVALID, "there is body and body_base64");
    o->has_body = true;
    return 0;
}

static int read_body(record_reader *r, void *into)
{
    middleware_output *o = into;
    int rc = begin_body(r, o);

    return rc ? rc : json_string(&r->json, &o->body, &r->err);
}

static int read_body_base64(record_reader *r, void *into)
{
    middleware_output *o = into;
    int rc = begin_body(r, o);

    buf_clear(&r->text);
    rc = rc ? rc : json_string(&r->json, &r->text, &r->err);
    if (rc)
        return rc;
    rc = base64_decode(buf_slice(&r->text), &o->body);
    return rc ? error_set(&r->err, rc, "is not base64 with padding") : 0;
}

static int read_context(record_reader *r, void *into)
{
    middleware_output *o = into;

    if (json_peek(&r->json) != JSON_OBJECT)
        return error_set(&r->err, E_INVALID, "must be an object");
    return json_copy(&r->json, &o->context, &r->err);
}

static const record_shape output_shape = {
    .fields =
        {
            {"status", read_status},
            {"headers", read_headers},
            {"body", read_body},
            {"body_base64", read_body_base64},
            {"context", read_context},
        },
    .count = 5,
    .only_object = true,
};

int middleware_output_read(middleware_output *out, slice text, error *err)
{
    middleware_output o = {0};
    record_reader r;
    unsigned seen;
    int rc = 0;

    *out = o;
    record_init(&r, text);
    if (!slice_is_utf8(text)) {
        rc = error_set(err, E_INVALID, "its output is not UTF-8");
        goto done;
    }
    if (json_peek(&r.json) == JSON_END)
        goto done;
    buf_init(&o.headers, LIMIT_RESPONSE_HEAD_BYTES);
    buf_init(&o.body, text.len);
    buf_init(&o.context, LIMIT_FACTS_BYTES);
    rc = record_object(&r, &output_shape, &o, &seen);
    rc = rc ? rc : json_end(&r.json, &r.err);
    if (rc) {
        error_set(err, rc, "its output: %s%s%s", r.path, r.path_len ? ": " : "",
                  error_text(&r.err));
        goto done;
    }
    *out = o;
    o = (middleware_output){0};
done:
    middleware_output_deinit(&o);
    record_deinit(&r);
    return rc;
}

void middleware_output_deinit(middleware_output *o)
{
    buf_deinit(&o->headers);
    buf_deinit(&o->body);
    buf_deinit(&o->context);
}
