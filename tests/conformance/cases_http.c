#include "case.h"

#include "http_server.h"

#include <stdlib.h>

/* http_request, http_status_code, http_headers and allowed_hosts, against a server of the test's
 * own. */

static unsigned port;

/* The input is the request; `post` sends "a body" with it. The return code is the status. */
static const char CLIENT[] =
    "(data (i32.const 4096) 'a body')"
    "(func $show (param $h i64)"
    "  (call $output_set (local.get $h) (call $length (local.get $h))))"
    "(func (export 'get') (result i32)"
    "  (call $show (call $http_request (call $input_offset) (i64.const 0)))"
    "  (call $http_status_code))"
    "(func (export 'post') (result i32)"
    "  (call $show (call $http_request (call $input_offset)"
    "    (call $put (i32.const 4096) (i32.const 6))))"
    "  (call $http_status_code))"
    "(func (export 'headers') (result i32)"
    "  (drop (call $http_request (call $input_offset) (i64.const 0)))"
    "  (call $show (call $http_headers)) (call $http_status_code))"
    "(func (export 'headers_alone') (call $show (call $http_headers)))"
    "(func (export 'status_alone') (result i32) (call $http_status_code))"
    "(func (export 'taken') (local $r i64) (local $b i64)"
    "  (local.set $r (call $input_offset))"
    "  (local.set $b (call $put (i32.const 4096) (i32.const 6)))"
    "  (drop (call $http_request (local.get $r) (local.get $b)))"
    "  (call $emit (call $length (local.get $b))) (call $flush))";

static ExtismPlugin *open_client(const char *rest)
{
    if (port == 0)
        port = http_server_start();
    write_text("client.wat", guest(CLIENT));
    return plugin_open(quoted_format("{'wasm':[{'path':'client.wat'}]%s}", rest));
}

#define LOOPBACK ",'allowed_hosts':['127.0.0.1']"

static void fetch(ExtismPlugin *p, const char *function, const char *path)
{
    observe_call(p, path, function, quoted_format("{'url':'http://127.0.0.1:%u%s'}", port, path));
}

static void gets(void)
{
    ExtismPlugin *p = open_client(LOOPBACK);

    fetch(p, "get", "/hello");
    fetch(p, "get", "/echo?a=1&b=%20c");
    fetch(p, "get", "/chunked");
    fetch(p, "get", "/empty");
    fetch(p, "get", "/bytes/0");
    fetch(p, "get", "/bytes/100000");
    fetch(p, "post", "/echo");
    extism.plugin_free(p);
}

static void statuses(void)
{
    static const char *const paths[] = {"/status/200", "/status/201", "/status/400", "/status/401",
                                        "/status/404", "/status/418", "/status/500", "/status/503",
                                        "/status/599", "/status/304"};
    ExtismPlugin *p = open_client(LOOPBACK);

    observe_call(p, "before", "status_alone", "");
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        fetch(p, "get", paths[i]);
    observe_call(p, "kept for the next call", "status_alone", "");
    extism.plugin_free(p);
}

static void methods(void)
{
    static const char *const names[] = {"GET",    "get",   "POST",    "Put",
                                        "DELETE", "PATCH", "OPTIONS", "TRACE"};
    ExtismPlugin *p = open_client(LOOPBACK);

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *r = quoted_format("{'url':'http://127.0.0.1:%u/echo','method':'%s'}", port, names[i]);

        observe_call(p, names[i], "get", r);
        observe_call(p, quoted_format("%s with a body", names[i]), "post", r);
    }
    extism.plugin_free(p);
}

static void head(void)
{
    ExtismPlugin *p = open_client(LOOPBACK);

    observe_call(p, "HEAD", "get",
                 quoted_format("{'url':'http://127.0.0.1:%u/empty','method':'HEAD'}", port));
    extism.plugin_free(p);
}

static void odd_methods(void)
{
    static const char *const names[] = {"", "WITH SPACE", "PURGE", "a\\r\\nb", "GËT"};
    ExtismPlugin *p = open_client(LOOPBACK);

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        observe_call(
            p, names[i], "get",
            quoted_format("{'url':'http://127.0.0.1:%u/echo','method':'%s'}", port, names[i]));
    extism.plugin_free(p);
}

static void headers_sent(void)
{
    static const char *const headers[] = {
        "{'X-Sent':'value'}",       "{'x-sent':'v','X-Other':'w'}",
        "{'Content-Type':'t/s'}",   "{'X-Sent':''}",
        "{'X Sent':'bad name'}",    "{'X-Sent':'two\\r\\nlines'}",
        "{'':'no name'}",           "{'X-Sent':'é'}",
        "{'Host':'other.example'}", "{'X-Sent':'  spaces  '}"};
    ExtismPlugin *p = open_client(LOOPBACK);

    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        observe_call(
            p, headers[i], "get",
            quoted_format("{'url':'http://127.0.0.1:%u/headers','headers':%s}", port, headers[i]));
    extism.plugin_free(p);
}

static void headers_not_allowed(void)
{
    ExtismPlugin *p = open_client(LOOPBACK);

    fetch(p, "headers", "/hello");
    observe_call(p, "alone", "headers_alone", "");
    extism.plugin_free(p);
}

/* Dates and the like are absent: the server sends only what is listed. */
static void headers_allowed(void)
{
    ExtismPlugin *p = open_client(LOOPBACK);

    extism.plugin_allow_http_response_headers(p);
    observe_call(p, "before", "headers_alone", "");
    fetch(p, "headers", "/hello");
    observe_call(p, "kept", "headers_alone", "");
    fetch(p, "headers", "/empty");
    extism.plugin_free(p);
}

static void headers_of_a_redirect(void)
{
    ExtismPlugin *p = open_client(LOOPBACK);

    extism.plugin_allow_http_response_headers(p);
    fetch(p, "headers", "/redirect/2");
    extism.plugin_free(p);
}

static void one_host(const char *hosts, const char *url)
{
    ExtismPlugin *p = open_client(quoted_format(",'allowed_hosts':%s", hosts));

    observe_call(p, quoted_format("%s %s", hosts, url), "get",
                 quoted_format("{'url':'http://%s:%u/hello'}", url, port));
    extism.plugin_free(p);
}

static void hosts_denied(void)
{
    ExtismPlugin *p = open_client("");

    fetch(p, "get", "/hello");
    extism.plugin_free(p);
    one_host("[]", "127.0.0.1");
    one_host("['127.0.0.2']", "127.0.0.1");
    one_host("['example.com']", "127.0.0.1");
    one_host("['127.0.0']", "127.0.0.1");
    one_host("['27.0.0.1']", "127.0.0.1");
    one_host("['127.0.0.1:80']", "127.0.0.1");
    one_host("['http://127.0.0.1']", "127.0.0.1");
    one_host("['localhost']", "127.0.0.1");
    one_host("['']", "127.0.0.1");
    one_host("['127.0.0.?']", "localhost");
    one_host("['LOCALHOST']", "localhost");
    one_host("['127.0.0.1']", "user@127.0.0.2");
    one_host("['127.0.0.1']", "127.0.0.1@127.0.0.2");
    one_host("['*.example.com']", "127.0.0.1");
    one_host("['[!1]*']", "127.0.0.1");
}

static void hosts_allowed(void)
{
    one_host("['127.0.0.1']", "127.0.0.1");
    one_host("['*']", "127.0.0.1");
    one_host("['127.*']", "127.0.0.1");
    one_host("['127.?.?.?']", "127.0.0.1");
    one_host("['[0-9]*']", "127.0.0.1");
    one_host("['**']", "127.0.0.1");
    one_host("['other','127.0.0.1']", "127.0.0.1");
    one_host("['localhost']", "localhost");
    one_host("['localhost']", "LocalHost");
    one_host("['local*']", "localhost");
    one_host("['127.0.0.1']", "user:password@127.0.0.1");
    one_host("['127.0.0.1']", "0x7f.1");
    one_host("['127.0.0.1']", "2130706433");
}

static void redirects(void)
{
    static const char *const paths[] = {"/redirect/1",   "/redirect/3",   "/redirect-301",
                                        "/redirect-302", "/redirect-303", "/redirect-307",
                                        "/redirect-308"};
    ExtismPlugin *p = open_client(LOOPBACK);

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        fetch(p, "get", paths[i]);
        fetch(p, "post", paths[i]);
    }
    extism.plugin_free(p);
}

static void too_many_redirects(void)
{
    ExtismPlugin *p = open_client(LOOPBACK);

    fetch(p, "get", "/redirect/10");
    fetch(p, "get", "/redirect/11");
    fetch(p, "get", "/loop");
    extism.plugin_free(p);
}

/* Upstream asks the first host's permission only. */
static void redirect_to_another_host(void)
{
    ExtismPlugin *p = open_client(LOOPBACK);

    fetch(p, "get", "/redirect-to-name");
    extism.plugin_free(p);
}

static void redirect_to_another_host_allowed(void)
{
    ExtismPlugin *p = open_client(",'allowed_hosts':['127.0.0.1','localhost']");

    fetch(p, "get", "/redirect-to-name");
    extism.plugin_free(p);
}

static void bad_urls(void)
{
    static const char *const urls[] = {"",
                                       "hello",
                                       "http://",
                                       "http:///path",
                                       "/path",
                                       "ftp://127.0.0.1/x",
                                       "file:///etc/passwd",
                                       "http://127.0.0.1:99999/",
                                       "http://[::1",
                                       "http://127.0.0.1:x/",
                                       "http://a b/",
                                       "data:text/plain,hello",
                                       "http://127.0.0.1:1/",
                                       "gopher://127.0.0.1/"};
    ExtismPlugin *p = open_client(",'allowed_hosts':['*']");

    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        observe_call(p, urls[i], "get", quoted_format("{'url':'%s'}", urls[i]));
    extism.plugin_free(p);
}

static void bad_requests(void)
{
    static const char *const requests[] = {"",
                                           "{",
                                           "[]",
                                           "null",
                                           "{'method':'GET'}",
                                           "{'url':1}",
                                           "{'url':null}",
                                           "{'url':'http://127.0.0.1:1/','extra':1}",
                                           "{'url':'http://127.0.0.1:1/','headers':[]}",
                                           "{'url':'http://127.0.0.1:1/','headers':{'a':1}}",
                                           "{'url':'http://127.0.0.1:1/','method':1}",
                                           "http://127.0.0.1:1/",
                                           "{'url':'http://127.0.0.1:1/'} x",
                                           "{'url':'a','url':'b'}"};
    ExtismPlugin *p = open_client(LOOPBACK);

    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        observe_call(p, requests[i], "get", quoted(requests[i]));
    extism.plugin_free(p);
}

static void header_alternatives(void)
{
    ExtismPlugin *p = open_client(LOOPBACK);

    observe_call(p, "null method", "get",
                 quoted_format("{'url':'http://127.0.0.1:%u/echo','method':null}", port));
    observe_call(p, "singular header", "get",
                 quoted_format("{'url':'http://127.0.0.1:%u/echo','header':{'X-Sent':'1'}}", port));
    extism.plugin_free(p);
}

static void response_limits(void)
{
    ExtismPlugin *p = open_client(LOOPBACK ",'memory':{'max_http_response_bytes':1000}");

    fetch(p, "get", "/bytes/1000");
    fetch(p, "get", "/bytes/1001");
    fetch(p, "get", "/bytes/100000");
    fetch(p, "get", "/hello");
    extism.plugin_free(p);
}

static void response_limit_of_0(void)
{
    ExtismPlugin *p = open_client(LOOPBACK ",'memory':{'max_http_response_bytes':0}");

    fetch(p, "get", "/bytes/0");
    fetch(p, "get", "/bytes/1");
    extism.plugin_free(p);
}

static void default_response_limit(void)
{
    ExtismPlugin *p = open_client(LOOPBACK);

    fetch(p, "get", "/bytes/52428800");
    fetch(p, "get", "/bytes/52428801");
    extism.plugin_free(p);
}

static void timeouts(void)
{
    ExtismPlugin *p = open_client(LOOPBACK ",'timeout_ms':300");
    double start = seconds_now();

    fetch(p, "get", "/slow/5000");
    observe_bool("in time", seconds_now() - start < 4);
    fetch(p, "get", "/slow/10");
    extism.plugin_free(p);
}

static void timeout_in_the_body(void)
{
    ExtismPlugin *p = open_client(LOOPBACK ",'timeout_ms':300");
    double start = seconds_now();

    fetch(p, "get", "/slow-body/5000");
    observe_bool("in time", seconds_now() - start < 4);
    extism.plugin_free(p);
}

static void slow_without_a_timeout(void)
{
    ExtismPlugin *p = open_client(LOOPBACK);

    fetch(p, "get", "/slow/700");
    extism.plugin_free(p);
}

static void broken_answers(void)
{
    static const char *const paths[] = {"/close", "/garbage", "/short"};
    ExtismPlugin *p = open_client(LOOPBACK);

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        fetch(p, "get", paths[i]);
    fetch(p, "get", "/hello");
    extism.plugin_free(p);
}

static void handles_are_taken(void)
{
    ExtismPlugin *p = open_client(LOOPBACK);

    observe_call_numbers(p, "call", "taken",
                         quoted_format("{'url':'http://127.0.0.1:%u/hello'}", port));
    extism.plugin_free(p);
}

static void many_requests(void)
{
    ExtismPlugin *p = open_client(LOOPBACK);
    char *r = quoted_format("{'url':'http://127.0.0.1:%u/hello'}", port);
    int wrong = 0;

    for (int i = 0; i < 100; i++)
        wrong += extism.plugin_call(p, "get", (const uint8_t *)r, strlen(r)) != 200;
    observe_int("wrong", wrong);
    extism.plugin_free(p);
}

static const test_case cases[] = {
    {"gets", gets},
    {"statuses", statuses},
    {"methods", methods},
    {"head", head},
    {"odd_methods", odd_methods},
    {"headers_sent", headers_sent},
    {"headers_not_allowed", headers_not_allowed},
    {"headers_allowed", headers_allowed},
    {"headers_of_a_redirect", headers_of_a_redirect},
    {"hosts_denied", hosts_denied},
    {"hosts_allowed", hosts_allowed},
    {"redirects", redirects},
    {"too_many_redirects", too_many_redirects},
    {"redirect_to_another_host", redirect_to_another_host},
    {"redirect_to_another_host_allowed", redirect_to_another_host_allowed},
    {"bad_urls", bad_urls},
    {"bad_requests", bad_requests},
    {"header_alternatives", header_alternatives},
    {"response_limits", response_limits},
    {"response_limit_of_0", response_limit_of_0},
    {"default_response_limit", default_response_limit},
    {"timeouts", timeouts},
    {"timeout_in_the_body", timeout_in_the_body},
    {"slow_without_a_timeout", slow_without_a_timeout},
    {"broken_answers", broken_answers},
    {"handles_are_taken", handles_are_taken},
    {"many_requests", many_requests},
    {NULL, NULL},
};

const case_group http_cases = {"http", cases, false};
