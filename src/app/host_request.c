#include "app/host_internal.h"

#include "app/limits.h"
#include "app/reserved_headers.h"
#include "base/clock.h"
#include "base/http_text.h"
#include "base/json.h"

/* What a function is told of its request and says of its response and itself: ubiq_request,
 * ubiq_response_*, ubiq_log, ubiq_trace_*, ubiq_error. */

static bool request(host_call *h)
{
    buf text;

    buf_init(&text, LIMIT_REQUEST_JSON_BYTES);
    if (h->context->host->describe(h->context, &text))
        h->wait->failure = "out of memory";
    else
        host_return_bytes(h->wait, buf_slice(&text));
    buf_deinit(&text);
    return true;
}

static bool response_status(host_call *h)
{
    int status = h->inputs[0].v.i32;

    if (status < 200 || status > 599)
        return host_fail(h->wait, h->context, SERVICE_INVALID, "%d is no status of a response: those are "
                         "200 to 599", status);
    h->context->status = status;
    return host_return(h->wait, 0);
}

static bool response_header(host_call *h)
{
    context *c = h->context;
    slice name, value;
    int rc;

    if (!host_bytes(h, 0, &name) || !host_bytes(h, 1, &value))
        return true;
    if (!http_is_token(name))
        return host_fail(h->wait, c, SERVICE_INVALID, "a header's name has letters, digits and "
                         "!#$%%&'*+-.^_`|~ in it, and nothing else");
    if (!http_is_field_value(value))
        return host_fail(h->wait, c, SERVICE_INVALID, "the value of the header %.*s has control "
                         "characters in it", host_shown(name), (const char *)name.data);
    if (reserved_headers_has(name))
        return host_fail(h->wait, c, SERVICE_DENIED, "the header %.*s is the server's to write",
                         host_shown(name), (const char *)name.data);
    if (c->header_count == LIMIT_RESPONSE_HEADERS)
        return host_fail(h->wait, c, SERVICE_TOO_LARGE, "a response has at most %d headers",
                         LIMIT_RESPONSE_HEADERS);
    rc = buf_reserve(&c->headers, name.len + value.len + 4);
    if (rc == E_TOO_LARGE)
        return host_fail(h->wait, c, SERVICE_TOO_LARGE, "the response's headers are larger than %d bytes",
                         LIMIT_RESPONSE_HEAD_BYTES);
    rc = rc ? rc : buf_append(&c->headers, name.data, name.len);
    rc = rc ? rc : buf_append_str(&c->headers, ": ");
    rc = rc ? rc : buf_append(&c->headers, value.data, value.len);
    rc = rc ? rc : buf_append_str(&c->headers, "\r\n");
    if (rc) {
        h->wait->failure = "out of memory";
        return true;
    }
    c->header_count++;
    c->has_type = c->has_type || http_is_word(name, "content-type");
    return host_return(h->wait, 0);
}

/* A JSON object of at most `most` bytes or nothing, in input number `n`; false: the guest has its answer. */
static bool take_attributes(host_call *h, unsigned n, unsigned long most, slice *out)
{
    json_reader r;

    if (!host_bytes(h, n, out))
        return false;
    if (out->len > most) {
        host_fail(h->wait, h->context, SERVICE_TOO_LARGE, "the attributes are larger than %lu bytes", most);
        return false;
    }
    if (out->len == 0)
        return true;
    r = (json_reader){.text = *out};
    if (slice_is_utf8(*out) && json_peek(&r) == JSON_OBJECT && json_copy(&r, NULL, NULL) == 0 &&
        json_end(&r, NULL) == 0)
        return true;
    host_fail(h->wait, h->context, SERVICE_INVALID, "the attributes are not a JSON object");
    return false;
}

static bool write_log(host_call *h)
{
    context *c = h->context;
    int level = h->inputs[0].v.i32;
    slice message, attributes;

    if (!host_bytes(h, 1, &message) || !take_attributes(h, 2, LIMIT_LOGGED_BYTES, &attributes))
        return true;
    if (level < CONTEXT_TRACE || level > CONTEXT_ERROR)
        return host_fail(h->wait, c, SERVICE_INVALID, "%d is no level of the log: those are 0 trace, "
                         "1 debug, 2 info, 3 warn, 4 error", level);
    if (!context_write_log(c, (enum context_log_level)level, message, attributes))
        return host_fail(h->wait, c, SERVICE_OVER_QUOTA, "one call may log %lu bytes", LIMIT_LOGGED_BYTES);
    return host_return(h->wait, 0);
}

/* Begins an element of the trace: what it is, and its name. As buf_append. */
static int begin_traced(const context *c, buf *part, const char *what, slice name)
{
    int rc;

    buf_init(part, LIMIT_TRACE_BYTES);
    rc = buf_printf(part, "%s{\"%s\":", c->trace.len ? "," : "", what);
    return rc ? rc : json_put_string(part, name);
}

/* Ends it, and appends it to the trace: all of it or nothing. `rc` says how its making went. */
static bool end_traced(host_call *h, buf *part, const char *what, int rc)
{
    context *c = h->context;

    rc = rc ? rc : buf_append_byte(part, '}');
    if (rc) {
        host_fail(h->wait, c, SERVICE_TOO_LARGE, "the %s is larger than %d bytes", what,
                  LIMIT_TRACE_BYTES);
        goto done;
    }
    rc = buf_append(&c->trace, part->data, part->len);
    if (rc == E_TOO_LARGE)
        host_fail(h->wait, c, SERVICE_TOO_LARGE, "the invocation's trace is larger than %d bytes",
                  LIMIT_TRACE_BYTES);
    else if (rc)
        h->wait->failure = "out of memory";
    else
        host_return(h->wait, 0);
done:
    buf_deinit(part);
    return true;
}

static bool trace_attribute(host_call *h)
{
    context *c = h->context;
    slice key, value;
    buf part;
    int rc;

    if (!host_bytes(h, 0, &key) || !host_bytes(h, 1, &value))
        return true;
    if (key.len > LIMIT_TRACE_BYTES || value.len > LIMIT_TRACE_BYTES)
        return host_fail(h->wait, c, SERVICE_TOO_LARGE, "the attribute is larger than %d bytes",
                         LIMIT_TRACE_BYTES);
    if (key.len == 0 || !slice_is_utf8(key) || !slice_is_utf8(value))
        return host_fail(h->wait, c, SERVICE_INVALID,
                         "a trace's attribute has a name, and both name and value are UTF-8");
    rc = begin_traced(c, &part, "attribute", key);
    rc = rc ? rc : buf_append_str(&part, ",\"value\":");
    rc = rc ? rc : json_put_string(&part, value);
    return end_traced(h, &part, "attribute", rc);
}

static bool trace_event(host_call *h)
{
    context *c = h->context;
    slice name, attributes;
    buf part;
    int rc;

    if (!host_bytes(h, 0, &name) || !take_attributes(h, 1, LIMIT_TRACE_BYTES, &attributes))
        return true;
    if (name.len > LIMIT_TRACE_BYTES)
        return host_fail(h->wait, c, SERVICE_TOO_LARGE, "the event is larger than %d bytes",
                         LIMIT_TRACE_BYTES);
    if (name.len == 0 || !slice_is_utf8(name))
        return host_fail(h->wait, c, SERVICE_INVALID, "a trace's event has a name, which is UTF-8");
    rc = begin_traced(c, &part, "event", name);
    rc = rc ? rc : buf_printf(&part, ",\"micros\":%llu",
                              (unsigned long long)(clock_ns() - c->started_ns) / 1000);
    if (rc == 0 && attributes.len) {
        rc = buf_append_str(&part, ",\"attributes\":");
        rc = rc ? rc : json_copy(&(json_reader){.text = attributes}, &part, NULL);
    }
    return end_traced(h, &part, "event", rc);
}

static bool last_error(host_call *h)
{
    context *c = h->context;
    buf text;
    int rc;

    if (c->code == SERVICE_OK)
        return host_return(h->wait, 0);
    buf_init(&text, SIZE_MAX);
    rc = buf_printf(&text, "{\"code\":\"%s\",\"message\":", service_code_name(c->code));
    rc = rc ? rc : json_put_bytes(&text, slice_str(error_text(&c->err)));
    rc = rc ? rc : buf_append_byte(&text, '}');
    if (rc)
        h->wait->failure = "out of memory";
    else
        host_return_bytes(h->wait, buf_slice(&text));
    buf_deinit(&text);
    return true;
}

const host_definition host_request[] = {
    {"ubiq_request", request, 0, 0},
    {"ubiq_response_status", response_status, 1, 1},
    {"ubiq_response_header", response_header, 2, 0},
    {"ubiq_log", write_log, 3, 1},
    {"ubiq_trace_attribute", trace_attribute, 2, 0},
    {"ubiq_trace_event", trace_event, 2, 0},
    {"ubiq_error", last_error, 0, 0},
};
const size_t host_request_count = sizeof host_request / sizeof *host_request;
