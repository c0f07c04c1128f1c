#include "extism/http_internal.h"

#include "base/clock.h"
#include "base/http_text.h"
#include "extism/http_easy.h"
#include "extism/http_fields.h"
#include "extism/http_glob.h"

#include <stdio.h>
#include <stdlib.h>

#define REDIRECTS_MAX 10

bool http_host_allowed(slice host, const char *const *patterns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        slice pattern = slice_str(patterns[i]);

        if (slice_equal(pattern, host) || http_glob_matches(pattern, host))
            return true;
    }
    return false;
}

static bool is_allowed(const http_request *r, slice host)
{
    return r->any_host || r->policy ||
           http_host_allowed(host, (const char *const *)r->allowed_hosts, r->allowed_hosts_count);
}

int http_ask(const http_request *r, enum http_asking asking, slice address, error *err)
{
    char method[HTTP_METHOD_BYTES];
    http_target target = {
        .asking = asking,
        .scheme = slice_str(r->url.https ? "https" : "http"),
        .host = slice_str(asking == HTTP_ASK_SITE ? r->site : r->url.host),
        .port = asking == HTTP_ASK_SITE ? r->site_port : r->url.port,
        .path = slice_of(r->url.target, strcspn(r->url.target, "?")),
        .address = address,
    };

    strcpy(method, r->method);
    for (char *c = method; *c; c++)
        *c |= 0x20;
    target.method = slice_str(method);
    return r->policy(r->policy_context, &target, err);
}

/* Asks whether the request may go where it is set up to go. */
static int check_policy(const http_request *r, enum http_asking asking, error *err)
{
    static const slice none = {0};
    int rc = 0;

    if (r->policy)
        rc = http_ask(r, asking, none, err);
    if (rc == 0 && r->site)
        rc = http_ask(r, HTTP_ASK_SITE, none, err);
    return rc;
}

/* Reads the URL and checks that it may be asked for. */
static int set_url(http_request *r, slice text, error *err)
{
    http_url url;
    int rc = http_url_parse(&url, text, err);

    if (rc)
        return rc;
    if (!is_allowed(r, slice_str(url.host))) {
        rc = error_set(err, E_DENIED, "HTTP request to %.*s is not allowed", (int)text.len,
                       (const char *)text.data);
    } else if (url.refusal) {
        rc = error_set(err, E_INVALID, "%s", url.refusal);
    } else {
        http_url_deinit(&r->url);
        r->url = url;
        return 0;
    }
    http_url_deinit(&url);
    return rc;
}

static int refuse_method(const char *method, error *err)
{
    char upper[65];

    snprintf(upper, sizeof upper, "%s", method);
    for (char *c = upper; *c; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c & ~0x20 : *c);
    return error_set(err, E_INVALID, "protocol: %s not valid for HTTP version HTTP/1.1", upper);
}

static int set_method(http_request *r, const char *method, error *err)
{
    static const struct {
        const char *lower;
        const char *upper;
    } known[] = {
        {"get", "GET"},       {"head", "HEAD"},       {"post", "POST"},   {"put", "PUT"},
        {"delete", "DELETE"}, {"options", "OPTIONS"}, {"trace", "TRACE"}, {"patch", "PATCH"},
    };

    if (!method)
        method = "GET";
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (http_is_word(slice_str(method), known[i].lower)) {
            strcpy(r->method, known[i].upper);
            return 0;
        }
    }
    if (!http_is_token(slice_str(method)))
        return error_set(err, E_INVALID, "invalid HTTP method");
    return refuse_method(method, err);
}

/* A Host header chooses among the sites that share an address, so it needs to be allowed as much as
 * a URL's host. */
static int check_host_field(http_request *r, slice value, error *err)
{
    const char *scheme = r->url.https ? "https://" : "http://";
    http_url url = {0};
    char *text = NULL, *host;
    int rc = 0;

    if (!value.data)
        return 0;
    if (asprintf(&text, "%s%.*s", scheme, (int)value.len, (const char *)value.data) < 0)
        return error_set(err, E_NO_MEMORY, "a host header");
    host = text + strlen(scheme);
    rc = http_url_parse(&url, slice_str(text), NULL);
    if (rc == E_NO_MEMORY)
        error_set(err, rc, "a host header");
    else if (rc || url.refusal || url.user || strcmp(url.target, "/") || strpbrk(host, "/?#"))
        rc = error_set(err, E_INVALID, "protocol: host header is not a host");
    else if (strcmp(url.host, r->url.host) && !is_allowed(r, slice_str(url.host)))
        rc = error_set(err, E_DENIED, "HTTP request to %s is not allowed", host);
    if (rc == 0 && r->policy && (url.port != r->url.port || strcmp(url.host, r->url.host))) {
        r->site = url.host;
        r->site_port = url.port;
        url.host = NULL;
    }
    http_url_deinit(&url);
    free(text);
    return rc;
}

static int set_fields(http_request *r, const http_options *options, error *err)
{
    slice host;
    int rc = http_fields_build(&r->fields, options->headers, r->body.len, &host, err);

    return rc ? rc : check_host_field(r, host, err);
}

static int copy_options(http_request *r, const http_options *options, error *err)
{
    size_t count = options->any_host ? 0 : options->allowed_hosts_count;

    r->any_host = options->any_host;
    r->policy = options->policy;
    r->policy_context = options->policy_context;
    r->max_response = options->max_response;
    r->deadline_ns = UINT64_MAX;
    if (options->has_timeout) {
        uint64_t now = clock_ns();

        if (options->timeout_ms == 0)
            return error_set(err, E_TIMEOUT, "timeout");
        if (options->timeout_ms < (UINT64_MAX - now) / HTTP_NS_PER_MS)
            r->deadline_ns = now + options->timeout_ms * HTTP_NS_PER_MS;
    }
    buf_init(&r->response, options->max_response < SIZE_MAX ? options->max_response : SIZE_MAX);
    buf_init(&r->body, options->body.len);
    r->allowed_hosts = calloc(count ? count : 1, sizeof *r->allowed_hosts);
    if (!r->allowed_hosts || buf_append(&r->body, options->body.data, options->body.len))
        return error_set(err, E_NO_MEMORY, "an HTTP request");
    for (; r->allowed_hosts_count < count; r->allowed_hosts_count++) {
        char *host = strdup(options->allowed_hosts[r->allowed_hosts_count]);

        if (!host)
            return error_set(err, E_NO_MEMORY, "an HTTP request");
        r->allowed_hosts[r->allowed_hosts_count] = host;
    }
    return 0;
}

int http_request_prepare(http_request **out, const http_options *options, error *err)
{
    http_request *r = calloc(1, sizeof *r);
    int rc;

    *out = NULL;
    if (!r)
        return error_set(err, E_NO_MEMORY, "an HTTP request");
    rc = copy_options(r, options, err);
    if (rc == 0)
        rc = set_url(r, options->url, err);
    if (rc == 0)
        rc = set_method(r, options->method, err);
    if (rc == 0)
        rc = set_fields(r, options, err);
    if (rc == 0)
        rc = check_policy(r, HTTP_ASK_REQUEST, err);
    if (rc)
        goto done;
    r->easy = http_easy_take();
    if (!r->easy) {
        rc = error_set(err, E_NO_MEMORY, "an HTTP request");
        goto done;
    }
    rc = http_exchange_init(r, err);
    if (rc == 0)
        rc = http_exchange_begin(r, err);
    if (rc)
        goto done;
    *out = r;
    r = NULL;
done:
    http_request_destroy(r);
    return rc;
}

void *http_request_easy(http_request *r)
{
    return r->easy;
}

/* Chooses the method for where a redirect leads. The body stays behind. */
static int redirect_method(http_request *r, error *err)
{
    bool keeps_method = r->head.status == 307 || r->head.status == 308;

    if (keeps_method && (http_method_is(r, "POST") || http_method_is(r, "PUT") ||
                         http_method_is(r, "PATCH") || http_method_is(r, "DELETE")))
        return error_set(err, E_IO, "redirect failed");
    if (!keeps_method && !http_method_is(r, "HEAD"))
        strcpy(r->method, "GET");
    buf_deinit(&r->body);
    return 0;
}

/* Goes on to another URL. Only the server that had the user's name before gets it again. */
static int redirect_url(http_request *r, slice target, error *err)
{
    http_url from = r->url;
    bool same_host;
    int rc;

    r->url = (http_url){0};
    rc = set_url(r, target, err);
    if (rc) {
        r->url = from;
        return rc;
    }
    same_host = from.https == r->url.https && from.port == r->url.port &&
                strcmp(from.host, r->url.host) == 0;
    if (same_host && !r->url.user) {
        r->url.user = from.user;
        r->url.password = from.password;
        from.user = NULL;
        from.password = NULL;
    }
    http_url_deinit(&from);
    if (!same_host) {
        free(r->site);
        r->site = NULL;
    }
    rc = http_fields_redirect(&r->fields, same_host);
    return rc ? error_set(err, rc, "an HTTP request") : check_policy(r, HTTP_ASK_REDIRECT, err);
}

/* Redirects are followed here and not by curl, which would neither check the new host nor change
 * method and headers as upstream's client does. */
static int follow(http_request *r, error *err)
{
    buf target;
    int rc;

    if (r->redirects++ == REDIRECTS_MAX)
        return error_set(err, E_IO, "too many redirects");
    if (!r->head.location)
        return error_set(err, E_IO, "protocol: missing a location header");
    if (r->deadline_ns != UINT64_MAX && clock_ns() >= r->deadline_ns)
        return error_set(err, E_TIMEOUT, "timeout");
    rc = redirect_method(r, err);
    if (rc)
        return rc;
    buf_init(&target, SIZE_MAX);
    rc = http_url_resolve(&r->url, r->head.location, &target, err);
    if (rc == 0)
        rc = redirect_url(r, buf_slice(&target), err);
    buf_deinit(&target);
    r->fresh = false;
    return rc ? rc : http_exchange_begin(r, err);
}

bool http_request_again(http_request *r, int curl_code)
{
    if (r->unfit && !r->fresh) {
        r->fresh = true;
        return http_exchange_begin(r, &r->failure) == 0;
    }
    if (!http_exchange_has_answer(r, curl_code) || !http_head_is_redirect(&r->head))
        return false;
    return follow(r, &r->failure) == 0;
}

bool http_request_lacks_descriptor(const http_request *r)
{
    return r->failure.code == 0 && r->obstacle.code == E_BUSY;
}

bool http_request_retry(http_request *r)
{
    if (r->deadline_ns != UINT64_MAX && clock_ns() >= r->deadline_ns)
        error_set(&r->failure, E_TIMEOUT, "timeout");
    return r->failure.code == 0 && http_exchange_begin(r, &r->failure) == 0;
}

int http_request_perform(http_request *r)
{
    int code;

    do {
        code = (int)curl_easy_perform(r->easy);
    } while (http_request_again(r, code));
    return code;
}

int http_request_finish(http_request *r, int curl_code, http_response *out, error *err)
{
    if (r->failure.code)
        return error_set(err, r->failure.code, "%s", error_text(&r->failure));
    if (!http_exchange_has_answer(r, curl_code))
        return http_exchange_explain(r, curl_code, err);
    if (http_head_is_redirect(&r->head))
        return error_set(err, E_INTERNAL, "a redirect was not followed");
    if (r->gunzip) {
        int rc = http_gunzip_finish(r->gunzip, err);

        if (rc)
            return rc;
        /* They speak of the packed body. */
        strmap_remove(&r->head.fields, slice_str("content-encoding"));
        strmap_remove(&r->head.fields, slice_str("content-length"));
    }
    *out = (http_response){r->head.status, r->head.fields, r->response};
    r->head.fields = (strmap){0};
    r->response = (buf){0};
    return 0;
}

void http_request_destroy(http_request *r)
{
    if (!r)
        return;
    http_easy_give(r->easy);
    http_url_deinit(&r->url);
    free(r->site);
    curl_slist_free_all(r->fields);
    buf_deinit(&r->body);
    for (size_t i = 0; i < r->allowed_hosts_count; i++)
        free(r->allowed_hosts[i]);
    free(r->allowed_hosts);
    http_head_deinit(&r->head);
    buf_deinit(&r->response);
    http_gunzip_destroy(r->gunzip);
    error_deinit(&r->failure);
    error_deinit(&r->obstacle);
    free(r);
}

void http_response_deinit(http_response *r)
{
    strmap_deinit(&r->headers);
    buf_deinit(&r->body);
    *r = (http_response){0};
}
