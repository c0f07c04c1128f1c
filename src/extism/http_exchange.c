#include "extism/http_internal.h"

#include "base/clock.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#define IDLE_SECONDS 15 /* after which a kept connection is not used again */

/* Sets an option of the handle `easy` and notes in `failed` whether that failed. */
#define SET(option, value) (failed |= (unsigned)curl_easy_setopt(easy, option, value))

/* Keeps the failure for http_request_finish and makes curl stop. */
static size_t stop(http_request *r, int rc, error *failure)
{
    if (rc == E_TOO_LARGE && !failure->text)
        error_set(failure, rc,
                  "HTTP response exceeds the configured maximum number of bytes: %" PRIu64,
                  r->max_response);
    else if (!failure->text)
        error_set(failure, rc, "%s", error_code_name(rc));
    error_deinit(&r->failure);
    r->failure = *failure;
    return 0;
}

static size_t on_header(char *data, size_t size, size_t count, void *user)
{
    http_request *r = user;
    error failure = {0};
    int rc = http_head_add(&r->head, slice_of(data, size * count), &failure);

    if (rc)
        return stop(r, rc, &failure);
    /* Behind 101 there is no HTTP any more. */
    return r->head.complete && r->head.status == 101 ? 0 : size * count;
}

static int take_body(http_request *r, slice piece, error *failure)
{
    if (http_head_is_redirect(&r->head)) {
        r->skipped += piece.len;
        return r->skipped > r->max_response ? E_TOO_LARGE : 0;
    }
    if (!r->gunzip && http_head_is_gzip(&r->head)) {
        int rc = http_gunzip_create(&r->gunzip, failure);

        if (rc)
            return rc;
    }
    if (r->gunzip)
        return http_gunzip_write(r->gunzip, piece, &r->response, failure);
    return buf_append(&r->response, piece.data, piece.len);
}

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
    http_request *r = user;
    error failure = {0};
    int rc = take_body(r, slice_of(data, size * count), &failure);

    return rc ? stop(r, rc, &failure) : size * count;
}

int http_exchange_init(http_request *r, error *err)
{
    CURL *easy = r->easy;
    unsigned failed = 0;

    SET(CURLOPT_ERRORBUFFER, r->curl_error);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, (void *)r);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, (void *)r);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L); /* see follow() */
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_USERAGENT, "ubiquitous");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_QUICK_EXIT, 1L); /* a timeout does not wait for the resolver's thread */
    SET(CURLOPT_MAXAGE_CONN, (long)IDLE_SECONDS);
    return failed ? error_set(err, E_NO_MEMORY, "an HTTP request") : http_connect_init(r, err);
}

/* Milliseconds that are left, for curl, which takes 0 for no limit. */
static long remaining_ms(const http_request *r)
{
    uint64_t now = clock_ns();
    uint64_t left;

    if (r->deadline_ns == UINT64_MAX)
        return 0;
    left = r->deadline_ns > now ? (r->deadline_ns - now) / HTTP_NS_PER_MS : 0;
    if (left > INT_MAX)
        return INT_MAX;
    return left > 0 ? (long)left : 1;
}

static unsigned set_up_method(http_request *r)
{
    bool has_body = r->body.len > 0 || http_method_is(r, "POST") || http_method_is(r, "PUT") ||
                    http_method_is(r, "PATCH");
    /* On a connection that is used again curl repeats a request that got no answer, which it must
     * not when doing it twice differs from doing it once. */
    bool fresh = r->fresh || http_method_is(r, "POST") || http_method_is(r, "PATCH");
    CURL *easy = r->easy;
    unsigned failed = 0;

    SET(CURLOPT_HTTPGET, 1L);
    SET(CURLOPT_CUSTOMREQUEST, r->method);
    if (http_method_is(r, "HEAD")) {
        SET(CURLOPT_CUSTOMREQUEST, (char *)NULL);
        SET(CURLOPT_NOBODY, 1L);
    } else if (has_body) {
        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDS, r->body.data ? (const char *)r->body.data : "");
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
    }
    SET(CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
    return failed;
}

int http_exchange_begin(http_request *r, error *err)
{
    char *url = NULL;
    unsigned failed = set_up_method(r);
    CURL *easy = r->easy;
    buf b;

    buf_init(&b, SIZE_MAX);
    if (http_url_print(&r->url, &b) == 0)
        url = buf_take_str(&b);
    buf_deinit(&b);
    if (!url)
        return error_set(err, E_NO_MEMORY, "an HTTP request");
    SET(CURLOPT_URL, url);
    SET(CURLOPT_USERNAME, r->url.user);
    SET(CURLOPT_PASSWORD, r->url.password);
    SET(CURLOPT_HTTPHEADER, r->fields);
    SET(CURLOPT_TIMEOUT_MS, remaining_ms(r));
    free(url);
    r->curl_error[0] = '\0';
    http_head_deinit(&r->head);
    buf_clear(&r->response);
    r->skipped = 0;
    error_deinit(&r->obstacle);
    r->opened = false;
    r->unfit = false;
    return failed ? error_set(err, E_NO_MEMORY, "an HTTP request") : 0;
}

bool http_exchange_has_answer(const http_request *r, int curl_code)
{
    return r->failure.code == 0 && r->head.complete &&
           (curl_code == CURLE_OK || (curl_code == CURLE_WRITE_ERROR && r->head.status == 101));
}

int http_exchange_explain(const http_request *r, int curl_code, error *err)
{
    const char *text = r->curl_error[0] ? r->curl_error : curl_easy_strerror((CURLcode)curl_code);
    const char *layer = r->head.complete ? "" : "io: ";
    long os_error = 0;

    if (r->obstacle.code &&
        (curl_code == CURLE_COULDNT_CONNECT || curl_code == CURLE_ABORTED_BY_CALLBACK))
        return error_set(err, r->obstacle.code, "%s", error_text(&r->obstacle));
    switch (curl_code) {
    case CURLE_OPERATION_TIMEDOUT:
        return error_set(err, E_TIMEOUT, "timeout");
    case CURLE_OUT_OF_MEMORY:
        return error_set(err, E_NO_MEMORY, "out of memory in an HTTP request");
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_URL_MALFORMAT: /* curl knows beforehand that such a host cannot be found */
        return error_set(err, E_IO,
                         "io: failed to lookup address information: "
                         "Name or service not known");
    case CURLE_COULDNT_CONNECT:
        curl_easy_getinfo(r->easy, CURLINFO_OS_ERRNO, &os_error);
        if (os_error)
            return error_set(err, E_IO, "io: %s (os error %ld)", strerrordesc_np((int)os_error),
                             os_error);
        return error_set(err, E_IO, "io: %s", text);
    case CURLE_OK:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
        return error_set(err, E_IO, "%sPeer disconnected", layer);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        return error_set(err, E_IO, "protocol: http parse fail: %s", text);
    default:
        return error_set(err, E_IO, "%s%s", layer, text);
    }
}
