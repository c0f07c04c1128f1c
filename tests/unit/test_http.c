#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <curl/curl.h>
#include <pthread.h>

#include "base/clock.h"

#include "http_case.h"

#define MS 1000000u

static void *request_often(void *user)
{
    size_t *good = user;

    for (int i = 0; i < 20; i++) {
        http_case *x = case_local("GET", "/echo");

        *good += case_run(x) == 0 && x->response.status == 200;
        case_end(x);
    }
    return NULL;
}

/* Goes first, so that libcurl is initialised by several threads at once. */
static void test_threads(void **state)
{
    pthread_t thread[4];
    size_t good[4] = {0};

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, request_often, &good[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(good[i], 20);
    }
}

static void assert_times_out(http_case *x)
{
    uint64_t start = clock_ns();

    x->options.timeout_ms = 200;
    case_fails(x, E_TIMEOUT, "timeout");
    assert_in_range(clock_ns() - start, 190 * MS, 5000 * MS);
}

static void test_timeout(void **state)
{
    static const char half[] = OK_HEAD "Content-Length: 10\r\n\r\nhalf";
    http_case *x;

    (void)state;
    assert_times_out(SERVE("/open/", ""));
    assert_times_out(SERVE("/open/", half));
    assert_times_out(case_redirect("GET", 302, "/open/"));
    x = case_local("GET", "/echo");
    x->options.timeout_ms = 0;
    case_fails(x, E_TIMEOUT, "timeout");
    x = case_local("GET", "/echo");
    x->options.timeout_ms = UINT64_MAX;
    assert_int_equal(case_run(x), 0);
    case_end(x);
}

static void test_no_connection(void **state)
{
    http_server *gone = http_server_start("127.0.0.1");
    uint16_t port;
    char host[80] = "";

    (void)state;
    assert_non_null(gone);
    port = http_server_port(gone);
    http_server_stop(gone);
    case_fails(case_make("GET", "127.0.0.1", port, "/"), E_IO,
               "io: Connection refused (os error 111)");
    memset(host, 'a', 64); /* longer than a label can be */
    case_fails(case_make("GET", host, port, "/"), E_IO,
               "io: failed to lookup address information: Name or service not known");
}

static void get(const char *path)
{
    http_case *x = case_local("GET", path);

    if (case_run(x))
        fail_msg("%s: %s", path, error_text(&x->err));
    case_end(x);
}

static void test_connections_are_kept(void **state)
{
    unsigned before;
    http_case *x;
    static const char closing[] = OK_HEAD "Content-Length: 2\r\n\r\nok";
    char *path = case_path("/raw/", closing, sizeof closing - 1);

    (void)state;
    get("/echo");
    before = http_server_connections(case_server);
    get("/echo");
    get("/echo?2");
    assert_int_equal(http_server_connections(case_server), before);
    x = case_local("POST", "/echo"); /* could be done twice on one that the server is closing */
    assert_int_equal(case_run(x), 0);
    case_end(x);
    assert_int_equal(http_server_connections(case_server), before + 1);
    get(path); /* the server closes without having said so */
    get("/echo");
    free(path);
}

/* Drives a request as a host with a loop of its own does; whether it follows redirects is up to
 * it. */
static int drive(http_request *r, bool follow)
{
    CURLM *multi = curl_multi_init();
    CURL *easy = http_request_easy(r);
    int code = -1;

    assert_non_null(multi);
    for (bool again = true; again;) {
        int running = 1;
        int left;

        assert_int_equal(curl_multi_add_handle(multi, easy), CURLM_OK);
        for (;;) {
            assert_int_equal(curl_multi_perform(multi, &running), CURLM_OK);
            if (running == 0)
                break;
            assert_int_equal(curl_multi_poll(multi, NULL, 0, 1000, NULL), CURLM_OK);
        }
        code = (int)curl_multi_info_read(multi, &left)->data.result;
        assert_int_equal(curl_multi_remove_handle(multi, easy), CURLM_OK);
        again = follow && http_request_again(r, code);
    }
    curl_multi_cleanup(multi);
    return code;
}

static void test_multi(void **state)
{
    for (int follow = 0; follow < 2; follow++) {
        http_case *x = case_local("GET", "/chain/2");
        http_request *r = NULL;
        int code;

        (void)state;
        assert_int_equal(http_request_prepare(&r, &x->options, &x->err), 0);
        code = drive(r, follow);
        assert_int_equal(code, CURLE_OK);
        x->rc = http_request_finish(r, code, &x->response, &x->err);
        http_request_destroy(r);
        if (follow)
            assert_true(case_body_has(x, "GET /chain/0 "));
        else
            assert_int_equal(x->rc, E_INTERNAL);
        case_end(x);
    }
    get("/echo"); /* the handle is good for a blocking request */
}

static void test_options_may_go(void **state)
{
    char host[] = "127.0.0.1";
    const char *hosts[] = {host};
    http_case *x = case_redirect("POST", 302, "/echo");
    char body[] = "body";
    http_request *r = NULL;

    (void)state;
    x->options.allowed_hosts = hosts;
    x->options.body = slice_str(body);
    assert_int_equal(http_request_prepare(&r, &x->options, &x->err), 0);
    memset(host, 'x', sizeof host - 1);
    memset(body, 'x', sizeof body - 1);
    memset(x->url, 'x', strlen(x->url));
    x->rc = http_request_finish(r, http_request_perform(r), &x->response, &x->err);
    http_request_destroy(r);
    assert_true(case_body_has(x, "GET /echo "));
    case_end(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),       cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_no_connection), cmocka_unit_test(test_connections_are_kept),
        cmocka_unit_test(test_multi),         cmocka_unit_test(test_options_may_go),
    };

    return cmocka_run_group_tests(tests, case_start, case_stop);
}
