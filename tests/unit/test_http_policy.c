#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <curl/curl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "http_case.h"

/* A policy that allows all but some hosts and all private addresses but one, and notes what it was
 * asked. */
struct judge {
    const char *refused_host;
    const char *refused_path;
    const char *allowed_address; /* "*" for all */
    char asked[4096];
};

static const char *const questions[] = {"request", "redirect", "site", "address"};

static int allow(void *context, const http_target *t, error *err)
{
    struct judge *j = context;
    size_t len = strlen(j->asked);
    bool all = j->allowed_address && strcmp(j->allowed_address, "*") == 0;
    bool refused = (j->refused_host && slice_equal_str(t->host, j->refused_host)) ||
                   (j->refused_path && slice_equal_str(t->path, j->refused_path));

    if (t->asking == HTTP_ASK_ADDRESS)
        refused = !all && !(j->allowed_address && slice_equal_str(t->address, j->allowed_address));
    else
        assert_int_equal(t->address.len, 0);
    snprintf(j->asked + len, sizeof j->asked - len, "%s %.*s %.*s://%.*s:%u%.*s%s%.*s\n",
             questions[t->asking], (int)t->method.len, (const char *)t->method.data,
             (int)t->scheme.len, (const char *)t->scheme.data, (int)t->host.len,
             (const char *)t->host.data, t->port, (int)t->path.len, (const char *)t->path.data,
             t->address.len ? " " : "", (int)t->address.len,
             t->address.len ? (const char *)t->address.data : "");
    return refused
               ? error_set(err, E_DENIED, "no %.*s", (int)t->host.len, (const char *)t->host.data)
               : 0;
}

static http_server *everywhere; /* on all addresses of loopback */

static int start_servers(void **state)
{
    everywhere = http_server_start("0.0.0.0");
    return everywhere && case_start(state) == 0 ? 0 : -1;
}

static int stop_servers(void **state)
{
    http_server_stop(everywhere);
    return case_stop(state);
}

static http_case *judged(struct judge *j, http_case *x)
{
    x->options.allowed_hosts_count = 0;
    x->options.policy = allow;
    x->options.policy_context = j;
    return x;
}

/* Makes the request, with what `host` is found at, as in "h.test:80:127.0.0.1"; on a multi handle of
 * the caller's, or NULL. */
static int run_at(http_case *x, const char *found, CURLM *multi)
{
    struct curl_slist *list = curl_slist_append(NULL, found);
    http_request *r = NULL;
    int code = 0, running, left;

    x->rc = http_request_prepare(&r, &x->options, &x->err);
    if (x->rc)
        goto done;
    curl_easy_setopt(http_request_easy(r), CURLOPT_RESOLVE, list);
    if (!multi) {
        code = http_request_perform(r);
    } else {
        do {
            CURLMsg *m;

            curl_multi_add_handle(multi, http_request_easy(r));
            while (curl_multi_perform(multi, &running) == CURLM_OK && running > 0)
                curl_multi_poll(multi, NULL, 0, 1000, NULL);
            m = curl_multi_info_read(multi, &left);
            assert_non_null(m);
            code = (int)m->data.result;
            curl_multi_remove_handle(multi, http_request_easy(r));
        } while (http_request_again(r, code));
    }
    x->rc = http_request_finish(r, code, &x->response, &x->err);
done:
    http_request_destroy(r);
    curl_slist_free_all(list);
    return x->rc;
}

static char *found_at(const char *host, const http_server *s, const char *addresses)
{
    char *text = NULL;

    assert_true(asprintf(&text, "%s:%u:%s", host, http_server_port(s), addresses) > 0);
    return text;
}

static void assert_asked(const struct judge *j, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void assert_asked(const struct judge *j, const char *format, ...)
{
    char expected[4096];
    va_list args;

    va_start(args, format);
    vsnprintf(expected, sizeof expected, format, args);
    va_end(args);
    assert_string_equal(j->asked, expected);
}

static void test_what_is_asked(void **state)
{
    struct judge j = {.allowed_address = "127.0.0.1"};
    unsigned port = http_server_port(case_server);
    http_case *x = judged(&j, case_local("put", "/echo?secret#fragment"));

    (void)state;
    assert_int_equal(case_run(x), 0);
    case_end(x);
    assert_asked(&j,
                 "request put http://127.0.0.1:%u/echo\n"
                 "address put http://127.0.0.1:%u/echo 127.0.0.1\n"
                 "address put http://127.0.0.1:%u/echo 127.0.0.1\n",
                 port, port, port);
}

static void test_a_refused_request(void **state)
{
    static const char *const bad[] = {"https://h.test/", "http://H.test:99/x",
                                      "http://u:p@h.test/"};
    unsigned before = http_server_connections(case_server);

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct judge j = {.refused_host = "h.test", .allowed_address = "*"};
        http_case *x = judged(&j, case_local("GET", ""));

        x->options.url = slice_str(bad[i]);
        case_fails(x, E_DENIED, "no h.test");
    }
    assert_int_equal(http_server_connections(case_server), before);
}

static void test_redirects(void **state)
{
    struct judge j = {.refused_host = "127.0.0.2", .allowed_address = "*"};
    struct judge k = {.allowed_address = "127.0.0.1"};
    struct judge l = {.refused_path = "/secret", .allowed_address = "*"};
    unsigned before = http_server_connections(case_other);
    char *there = NULL;

    (void)state;
    assert_true(asprintf(&there, "http://127.0.0.2:%u/echo", http_server_port(case_other)) > 0);
    case_fails(judged(&j, case_redirect("POST", 302, there)), E_DENIED, "no 127.0.0.2");
    assert_non_null(strstr(j.asked, "redirect get http://127.0.0.2:"));
    case_fails(judged(&k, case_redirect("GET", 302, there)), E_DENIED, "no 127.0.0.2");
    assert_non_null(strstr(k.asked, "/echo 127.0.0.2\n"));
    case_fails(judged(&l, case_redirect("GET", 302, "/x/../secret")), E_DENIED, "no 127.0.0.1");
    assert_int_equal(http_server_connections(case_other), before);
    k.allowed_address = "*";
    case_fails(judged(&k, case_redirect("GET", 302, "gopher://127.0.0.1/")), E_INVALID,
               "bad uri: unknown scheme: gopher");
    free(there);
}

/* The Host header is judged too, with each path that it goes with. */
static void test_the_host_header(void **state)
{
    struct judge j = {.refused_host = "inner.test", .allowed_address = "*"};
    struct judge k = {.allowed_address = "*"};
    http_case *x = judged(&j, case_local("GET", "/echo"));
    char same[32];

    (void)state;
    case_header(x, "Host", "inner.test");
    case_fails(x, E_DENIED, "no inner.test");

    x = judged(&k, case_redirect("GET", 302, "/echo"));
    case_header(x, "Host", "Outer.test:81");
    assert_int_equal(case_run(x), 0);
    assert_true(case_body_has(x, "Host: Outer.test:81"));
    case_end(x);
    assert_non_null(strstr(k.asked, "site get http://outer.test:81/to/302/"));
    assert_non_null(strstr(k.asked, "site get http://outer.test:81/echo\n"));

    k.asked[0] = '\0';
    x = judged(&k, case_local("GET", "/echo"));
    snprintf(same, sizeof same, "127.0.0.1:%u", http_server_port(case_server));
    case_header(x, "Host", same);
    assert_int_equal(case_run(x), 0);
    case_end(x);
    assert_null(strstr(k.asked, "site"));
}

/* Whatever a name is found at, it is the address that counts. */
static void test_names_of_private_addresses(void **state)
{
    static const char *const addresses[] = {
        "127.0.0.1", "127.0.0.2,127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]",
    };
    unsigned before = http_server_connections(everywhere);

    (void)state;
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        struct judge j = {0};
        char host[16];
        char *found;
        http_case *x;

        snprintf(host, sizeof host, "n%zu.test", i);
        found = found_at(host, everywhere, addresses[i]);
        x = judged(&j, case_make("GET", host, http_server_port(everywhere), "/echo"));
        run_at(x, found, NULL);
        assert_int_equal(x->rc, E_DENIED);
        assert_true(strncmp(error_text(&x->err), "no n", 4) == 0);
        case_end(x);
        free(found);
    }
    assert_int_equal(http_server_connections(everywhere), before);
}

/* Each way of writing an address or of hiding one. */
static void test_forms_of_private_addresses(void **state)
{
    static const char *const hosts[] = {
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0177.0.0.1",
        "2130706433",
        "0x7f000001",
        "127.0.0.1.",
        "0",
        "0.0.0.0",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "[::1]",
        "[::]",
        "[0:0::1]",
        "u:p@127.1",
        "8.8.8.8@0",
        "%31%32%37.1",
        "%6cocalhost",
        "127%2e1",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "\xe2\x93\x9bocalhost",
        "\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.1",
        "127\xe3\x80\x82"
        "0\xe3\x80\x82"
        "0\xe3\x80\x82"
        "1",
    };
    unsigned before = http_server_connections(everywhere);

    (void)state;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct judge j = {0};
        http_case *x =
            judged(&j, case_make("GET", hosts[i], http_server_port(everywhere), "/echo"));

        /* Some resolvers do not know "localhost.". */
        if (case_run(x) != E_DENIED && x->rc != E_INVALID && strcmp(hosts[i], "localhost."))
            fail_msg("%s: %d %s", hosts[i], x->rc, error_text(&x->err));
        case_end(x);
    }
    assert_int_equal(http_server_connections(everywhere), before);
}

/* One of a name's addresses is enough. */
static void test_one_good_address(void **state)
{
    struct judge j = {.allowed_address = "127.0.0.3"};
    char *found = found_at("m.test", everywhere, "127.0.0.1,127.0.0.3");
    http_case *x = judged(&j, case_make("GET", "m.test", http_server_port(everywhere), "/echo"));

    (void)state;
    run_at(x, found, NULL);
    assert_true(case_body_has(x, "Host: m.test"));
    case_end(x);
    free(found);
}

/* A connection that one function has opened is not for another that may not open it. */
static void check_kept_connection(CURLM *multi)
{
    struct judge trusted = {.allowed_address = "*"}, other = {0};
    struct judge third = {.allowed_address = "127.0.0.4"};
    char *found = found_at("k.test", everywhere, "127.0.0.1");
    char *elsewhere = found_at("k.test", everywhere, "127.0.0.4");
    unsigned before = http_server_connections(everywhere);
    http_case *x;

    for (int i = 0; i < 2; i++) {
        x = judged(&trusted, case_make("GET", "k.test", http_server_port(everywhere), "/echo"));
        assert_int_equal(run_at(x, found, multi), 0);
        case_end(x);
    }
    assert_int_equal(http_server_connections(everywhere), before + 1);

    x = judged(&other, case_make("GET", "k.test", http_server_port(everywhere), "/echo"));
    assert_int_equal(run_at(x, found, multi), E_DENIED);
    assert_string_equal(error_text(&x->err), "no k.test");
    case_end(x);
    assert_int_equal(http_server_connections(everywhere), before + 1);

    x = judged(&trusted, case_make("GET", "k.test", http_server_port(everywhere), "/echo"));
    assert_int_equal(run_at(x, found, multi), 0);
    case_end(x);
    /* It gets a connection of its own. */
    x = judged(&third, case_make("GET", "k.test", http_server_port(everywhere), "/echo"));
    if (run_at(x, elsewhere, multi))
        fail_msg("%s", error_text(&x->err));
    case_end(x);
    assert_non_null(strstr(third.asked, "/echo 127.0.0.1\n"));
    assert_non_null(strstr(third.asked, "/echo 127.0.0.4\n"));
    free(found);
    free(elsewhere);
}

static void test_kept_connections(void **state)
{
    CURLM *multi = curl_multi_init();

    (void)state;
    assert_non_null(multi);
    check_kept_connection(NULL);
    check_kept_connection(multi);
    curl_multi_cleanup(multi);
}

/* It would look names up by itself. */
static void test_no_proxy(void **state)
{
    struct judge j = {0};
    char *proxy = NULL, *found = found_at("p.test", everywhere, "127.0.0.1");
    unsigned before = http_server_connections(case_other);
    http_case *x = judged(&j, case_make("GET", "p.test", http_server_port(everywhere), "/echo"));

    (void)state;
    assert_true(asprintf(&proxy, "http://127.0.0.2:%u", http_server_port(case_other)) > 0);
    setenv("http_proxy", proxy, 1);
    run_at(x, found, NULL);
    unsetenv("http_proxy");
    assert_int_equal(x->rc, E_DENIED);
    assert_int_equal(http_server_connections(case_other), before);
    case_end(x);
    free(proxy);
    free(found);
}

static void test_no_file_descriptor(void **state)
{
    struct judge j = {.allowed_address = "*"};
    http_case *x = judged(&j, case_local("POST", "/echo"));
    struct rlimit old, none;
    http_request *r = NULL;
    int code;

    (void)state;
    getrlimit(RLIMIT_NOFILE, &old);
    none = (struct rlimit){.rlim_cur = (rlim_t)dup(0), .rlim_max = old.rlim_max};
    close((int)none.rlim_cur);
    assert_int_equal(http_request_prepare(&r, &x->options, &x->err), 0);
    setrlimit(RLIMIT_NOFILE, &none);
    code = http_request_perform(r);
    setrlimit(RLIMIT_NOFILE, &old);
    assert_int_equal(http_request_finish(r, code, &x->response, &x->err), E_BUSY);
    assert_string_equal(error_text(&x->err), "io: Too many open files (os error 24)");
    http_request_destroy(r);
    case_end(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_asked),
        cmocka_unit_test(test_a_refused_request),
        cmocka_unit_test(test_redirects),
        cmocka_unit_test(test_the_host_header),
        cmocka_unit_test(test_names_of_private_addresses),
        cmocka_unit_test(test_forms_of_private_addresses),
        cmocka_unit_test(test_one_good_address),
        cmocka_unit_test(test_kept_connections),
        cmocka_unit_test(test_no_proxy),
        cmocka_unit_test(test_no_file_descriptor),
    };

    return cmocka_run_group_tests(tests, start_servers, stop_servers);
}
