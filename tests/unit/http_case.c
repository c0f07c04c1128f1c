#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http_case.h"

http_server *case_server;
http_server *case_other;

static const char *const any[] = {"*"};

http_case *case_make(const char *method, const char *host, uint16_t port, const char *path)
{
    http_case *x = calloc(1, sizeof *x);

    assert_non_null(x);
    assert_true(asprintf(&x->url, "http://%s:%u%s", host, port, path) > 0);
    x->options = (http_options){
        .url = slice_str(x->url),
        .method = method,
        .headers = &x->headers,
        .max_response = 1 << 20,
        .has_timeout = true,
        .timeout_ms = 20000,
        .allowed_hosts = any,
        .allowed_hosts_count = 1,
    };
    return x;
}

http_case *case_local(const char *method, const char *path)
{
    return case_make(method, "127.0.0.1", http_server_port(case_server), path);
}

void case_header(http_case *x, const char *name, const char *value)
{
    assert_int_equal(strmap_set(&x->headers, slice_str(name), slice_str(value)), 0);
}

int case_run(http_case *x)
{
    http_request *r = NULL;

    x->rc = http_request_prepare(&r, &x->options, &x->err);
    if (x->rc == 0)
        x->rc = http_request_finish(r, http_request_perform(r), &x->response, &x->err);
    else
        assert_null(r);
    http_request_destroy(r);
    return x->rc;
}

void case_end(http_case *x)
{
    http_response_deinit(&x->response);
    error_deinit(&x->err);
    strmap_deinit(&x->headers);
    free(x->url);
    free(x);
}

void case_has_body(const http_case *x, const char *expected)
{
    if (x->rc)
        fail_msg("%s: %s", x->url, error_text(&x->err));
    assert_int_equal(x->response.body.len, strlen(expected));
    assert_memory_equal(x->response.body.data ? x->response.body.data : (const uint8_t *)"",
                        expected, strlen(expected));
}

bool case_body_has(const http_case *x, const char *text)
{
    if (x->rc)
        fail_msg("%s: %s", x->url, error_text(&x->err));
    return memmem(x->response.body.data, x->response.body.len, text, strlen(text)) != NULL;
}

void case_has_header(const http_case *x, const char *name, const char *expected)
{
    slice value;
    bool there = strmap_get(&x->response.headers, slice_str(name), &value);

    assert_int_equal(there, expected != NULL);
    if (expected)
        assert_true(slice_equal_str(value, expected));
}

void case_fails(http_case *x, int rc, const char *text)
{
    if (case_run(x) != rc || strcmp(error_text(&x->err), text))
        fail_msg("%s: %d '%s', expected %d '%s'", x->url, x->rc, error_text(&x->err), rc, text);
    case_end(x);
}

char *case_path(const char *kind, const char *bytes, size_t len)
{
    char *path = malloc(strlen(kind) + 2 * len + 1);
    char *at;

    assert_non_null(path);
    at = stpcpy(path, kind);
    for (size_t i = 0; i < len; i++)
        at += sprintf(at, "%02x", (uint8_t)bytes[i]);
    return path;
}

http_case *case_serve(const char *kind, const char *bytes, size_t len)
{
    char *path = case_path(kind, bytes, len);
    http_case *x = case_local("GET", path);

    free(path);
    return x;
}

http_case *case_redirect(const char *method, int status, const char *location)
{
    char kind[16];
    char *path;
    http_case *x;

    snprintf(kind, sizeof kind, "/to/%d/", status);
    path = case_path(kind, location, strlen(location));
    x = case_local(method, path);
    free(path);
    return x;
}

int case_start(void **state)
{
    static const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                          "ALL_PROXY"};

    (void)state;
    for (size_t i = 0; i < sizeof proxies / sizeof *proxies; i++)
        unsetenv(proxies[i]);
    case_server = http_server_start("127.0.0.1");
    case_other = http_server_start("127.0.0.2");
    return case_server && case_other ? 0 : -1;
}

int case_stop(void **state)
{
    (void)state;
    http_server_stop(case_server);
    http_server_stop(case_other);
    return 0;
}
