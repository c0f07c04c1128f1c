#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "jwt_signer.h"
#include "server/middleware.h"

#define LIST(...)                                                                                  \
    {                                                                                              \
        .item = (char *[]){__VA_ARGS__},                                                           \
        .count = sizeof((char *[]){__VA_ARGS__}) / sizeof(char *), .given = true                   \
    }

#define ID "0123456789abcdef"
#define SECRET "a secret of more than 32 bytes, as it must be"

static function audit;
static function session;

static const config_middleware settings = {
    .cors = {.origins = LIST("https://a.example"), .max_age_ms = 1000},
    .rate_limit = {.requests = 2, .per_ms = 60000, .burst = 2},
    .api_key = {.header = (char[]){"X-Api-Key"}, .keys = LIST("key")},
    .jwt = {.algorithm = (char[]){"HS256"}, .secret = (char[]){SECRET}},
    .compression = {.min_bytes = 10, .types = LIST("text/*")},
};

/* A function's chain, one request in it, and the answer. */
struct world {
    middleware_set *set;
    middleware *chain;
    middleware_run run;
    middleware_request request;
    compressor *with;
    response answer;
};

static function *find(void *arg, slice name)
{
    (void)arg;
    if (slice_equal_str(name, "middleware/audit"))
        return &audit;
    return slice_equal_str(name, "middleware/session") ? &session : NULL;
}

static const config_list all_methods;

static int make_chain(struct world *w, const config_list *use, error *err)
{
    return middleware_create(
        &w->chain, w->set,
        &(middleware_options){.use = use, .route = "/hello", .methods = &all_methods, .find = find},
        err);
}

static void begin(struct world *w, const config_list *use, const char *method, const char *headers)
{
    static const uint8_t address[4] = {192, 0, 2, 1};
    error err = {0};

    *w = (struct world){
        .request = {.method = slice_str(method),
                    .headers = slice_str(headers),
                    .address = slice_of(address, 4),
                    .id = ID,
                    .now_ns = 1000000000,
                    .now_s = 1700000000},
    };
    assert_int_equal(middleware_set_create(&w->set, &settings, ".", NULL), 0);
    if (make_chain(w, use, &err))
        fail_msg("%s", error_text(&err));
    assert_int_equal(compressor_create(&w->with), 0);
    response_init(&w->answer);
    middleware_begin(&w->run, w->chain);
}

static void end(struct world *w)
{
    middleware_end(&w->run);
    response_deinit(&w->answer);
    compressor_destroy(w->with);
    middleware_destroy(w->chain);
    middleware_set_destroy(w->set);
}

static enum middleware_next before(struct world *w)
{
    return middleware_before(&w->run, &w->request, &w->answer);
}

static enum middleware_next after(struct world *w)
{
    return middleware_after(&w->run, &w->request, w->with, &w->answer);
}

/* Gives what the function of `called` has said; no text when that makes sense. */
static enum middleware_next resume_before(struct world *w, const function *called,
                                          const char *output, const char *complaint)
{
    enum middleware_next next;
    error err = {0};

    assert_ptr_equal(middleware_function(&w->run), called);
    next = middleware_resume_before(&w->run, &w->request, slice_str(output), &w->answer, &err);
    if (complaint)
        assert_non_null(strstr(error_text(&err), complaint));
    else
        assert_int_equal(err.code, 0);
    error_deinit(&err);
    return next;
}

static enum middleware_next resume_after(struct world *w, const function *called,
                                         const char *output, const char *complaint)
{
    enum middleware_next next;
    error err = {0};

    assert_ptr_equal(middleware_function(&w->run), called);
    next =
        middleware_resume_after(&w->run, &w->request, w->with, slice_str(output), &w->answer, &err);
    if (complaint)
        assert_non_null(strstr(error_text(&err), complaint));
    else
        assert_int_equal(err.code, 0);
    error_deinit(&err);
    return next;
}

/* What the function of the route has answered. */
static void answer(struct world *w, const char *headers, const char *body)
{
    assert_int_equal(buf_append_str(&w->answer.headers, headers), 0);
    w->answer.body = slice_str(body);
}

static void assert_headers(const struct world *w, const char *expected)
{
    slice headers = buf_slice(&w->answer.headers);

    if (!slice_equal_str(headers, expected))
        fail_msg("%.*s", (int)headers.len, (const char *)headers.data);
}

static void assert_header(const struct world *w, const char *name, const char *expected)
{
    slice value;
    int count = headers_find(buf_slice(&w->answer.headers), slice_str(name), &value);

    assert_int_equal(count, expected != NULL);
    if (expected && !slice_equal_str(value, expected))
        fail_msg("%s: %.*s", name, (int)value.len, (const char *)value.data);
}

static void assert_says(const struct world *w, const char *text)
{
    if (!memmem(w->answer.body.data, w->answer.body.len, text, strlen(text)))
        fail_msg("%.*s", (int)w->answer.body.len, (const char *)w->answer.body.data);
}

static void assert_facts(const struct world *w, const char *expected)
{
    buf facts;

    buf_init(&facts, 4096);
    assert_int_equal(middleware_put_facts(&w->run, &facts), 0);
    if (!slice_equal_str(buf_slice(&facts), expected))
        fail_msg("%.*s", (int)facts.len, (const char *)facts.data);
    buf_deinit(&facts);
}

static void test_all_that_is_built_in(void **state)
{
    const config_list use =
        LIST("request_id", "cors", "compression", "rate_limit", "api_key", "jwt");
    char *token = jwt_sign_hs256("{\"alg\":\"HS256\"}", "{\"sub\": \"joe\"}", SECRET);
    char headers[500];
    struct world w;

    (void)state;
    snprintf(headers, sizeof headers,
             "Origin: https://a.example\r\nAccept-Encoding: gzip\r\nX-Request-Id: r1\r\n"
             "X-Api-Key: key\r\nAuthorization: Bearer %s\r\n",
             token);
    begin(&w, &use, "GET", headers);
    assert_int_equal(before(&w), MIDDLEWARE_GO_ON);
    assert_facts(&w, ",\"request_id\":\"r1\",\"api_key\":\"2c70e12b7a0646f9\","
                     "\"claims\":{\"sub\": \"joe\"}");
    answer(&w, "Content-Type: text/plain\r\n",
           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_int_equal(after(&w), MIDDLEWARE_GO_ON);
    assert_headers(&w, "Content-Type: text/plain\r\nVary: X-Api-Key\r\n"
                       "RateLimit-Limit: 2\r\nRateLimit-Remaining: 1\r\nRateLimit-Reset: 30\r\n"
                       "Vary: Accept-Encoding\r\nContent-Encoding: gzip\r\n"
                       "Vary: Origin\r\nAccess-Control-Allow-Origin: https://a.example\r\n"
                       "X-Request-Id: r1\r\n");
    assert_int_equal(w.answer.status, 200);
    end(&w);
    free(token);
}

/* A refusal goes back through what the request has come through, and only through that. */
static void test_refusals(void **state)
{
    const config_list use = LIST("cors", "api_key", "request_id", "jwt");
    const config_list other_way_round = LIST("api_key", "cors");
    struct world w;

    (void)state;
    begin(&w, &use, "GET", "Origin: https://a.example\r\n");
    assert_int_equal(before(&w), MIDDLEWARE_ANSWER);
    assert_int_equal(after(&w), MIDDLEWARE_GO_ON);
    assert_int_equal(w.answer.status, 401);
    assert_header(&w, "access-control-allow-origin", "https://a.example");
    assert_header(&w, "x-request-id", NULL);
    assert_says(&w, "\"code\":\"unauthorized\"");
    assert_says(&w, "\"invocation\":\"" ID "\"");
    assert_facts(&w, "");
    end(&w);

    begin(&w, &use, "GET", "X-Api-Key: key\r\n");
    assert_int_equal(before(&w), MIDDLEWARE_ANSWER);
    assert_int_equal(after(&w), MIDDLEWARE_GO_ON);
    assert_header(&w, "www-authenticate", "Bearer");
    assert_header(&w, "x-request-id", ID);
    end(&w);

    begin(&w, &other_way_round, "GET", "Origin: https://a.example\r\n");
    assert_int_equal(before(&w), MIDDLEWARE_ANSWER);
    assert_int_equal(after(&w), MIDDLEWARE_GO_ON);
    assert_header(&w, "access-control-allow-origin", NULL);
    end(&w);
}

static void test_a_preflight(void **state)
{
    const config_list use = LIST("cors", "api_key", "middleware/audit");
    struct world w;

    (void)state;
    begin(&w, &use, "OPTIONS",
          "Origin: https://a.example\r\nAccess-Control-Request-Method: PUT\r\n");
    assert_int_equal(before(&w), MIDDLEWARE_ANSWER);
    assert_int_equal(after(&w), MIDDLEWARE_GO_ON);
    assert_int_equal(w.answer.status, 204);
    assert_header(&w, "access-control-allow-origin", "https://a.example");
    assert_header(&w, "access-control-allow-methods", "PUT");
    end(&w);
}

static void test_too_many_requests(void **state)
{
    const config_list use = LIST("rate_limit");
    struct world w;

    (void)state;
    begin(&w, &use, "GET", "");
    for (int i = 0; i < 3; i++) {
        middleware_begin(&w.run, w.chain);
        assert_int_equal(before(&w), i < 2 ? MIDDLEWARE_GO_ON : MIDDLEWARE_ANSWER);
        middleware_end(&w.run);
    }
    end(&w);

    begin(&w, &use, "GET", "");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(before(&w), MIDDLEWARE_GO_ON);
        middleware_begin(&w.run, w.chain);
    }
    assert_int_equal(before(&w), MIDDLEWARE_ANSWER);
    assert_int_equal(after(&w), MIDDLEWARE_GO_ON);
    assert_int_equal(w.answer.status, 429);
    assert_header(&w, "retry-after", "30");
    assert_header(&w, "ratelimit-remaining", "0");
    end(&w);
}

/* Chains of one set share their buckets. */
static void test_functions_share_a_limit(void **state)
{
    const config_list use = LIST("rate_limit");
    middleware *first;
    struct world w;

    (void)state;
    begin(&w, &use, "GET", "");
    assert_int_equal(before(&w), MIDDLEWARE_GO_ON);
    first = w.chain;
    assert_int_equal(make_chain(&w, &use, NULL), 0);
    middleware_begin(&w.run, w.chain);
    assert_int_equal(before(&w), MIDDLEWARE_GO_ON);
    middleware_begin(&w.run, w.chain);
    assert_int_equal(before(&w), MIDDLEWARE_ANSWER);
    middleware_destroy(first);
    end(&w);
}

static void test_functions_go_on(void **state)
{
    const config_list use =
        LIST("middleware/session", "request_id", "middleware/audit", "compression");
    struct world w;

    (void)state;
    begin(&w, &use, "GET", "");
    assert_int_equal(before(&w), MIDDLEWARE_CALL);
    assert_int_equal(resume_before(&w, &session, "{\"context\":{\"user\":\"joe\"}}", NULL),
                     MIDDLEWARE_CALL);
    assert_facts(&w, ",\"request_id\":\"" ID "\",\"context\":{\"session\":{\"user\":\"joe\"}}");
    assert_int_equal(resume_before(&w, &audit, "{ \"context\" : { } }", NULL), MIDDLEWARE_GO_ON);
    assert_facts(&w, ",\"request_id\":\"" ID
                     "\",\"context\":{\"session\":{\"user\":\"joe\"},\"audit\":{}}");
    answer(&w, "X: y\r\n", "body");
    assert_int_equal(after(&w), MIDDLEWARE_CALL);
    assert_int_equal(resume_after(&w, &audit, "", NULL), MIDDLEWARE_CALL);
    assert_true(slice_equal_str(w.answer.body, "body"));
    assert_int_equal(resume_after(&w, &session, " ", NULL), MIDDLEWARE_GO_ON);
    assert_headers(&w, "X: y\r\nX-Request-Id: " ID "\r\n");
    end(&w);
}

static void test_a_function_answers(void **state)
{
    const config_list use = LIST("middleware/session", "request_id", "middleware/audit");
    struct world w;

    (void)state;
    begin(&w, &use, "GET", "");
    assert_int_equal(before(&w), MIDDLEWARE_CALL);
    assert_int_equal(resume_before(&w, &session, "", NULL), MIDDLEWARE_CALL);
    assert_int_equal(resume_before(&w, &audit,
                                   "{\"status\":302,\"headers\":{\"Location\":\"/in\"},"
                                   "\"body\":\"go there\"}",
                                   NULL),
                     MIDDLEWARE_ANSWER);
    /* Its own `after` is not called. */
    assert_int_equal(after(&w), MIDDLEWARE_CALL);
    assert_int_equal(resume_after(&w, &session, "", NULL), MIDDLEWARE_GO_ON);
    assert_int_equal(w.answer.status, 302);
    assert_true(slice_equal_str(w.answer.body, "go there"));
    assert_headers(&w, "Location: /in\r\nContent-Type: text/plain; charset=utf-8\r\n"
                       "X-Request-Id: " ID "\r\n");
    end(&w);
}

static void test_a_function_changes_the_answer(void **state)
{
    const config_list use = LIST("middleware/audit");
    static const struct {
        const char *output;
        int status;
        const char *headers;
        const char *body;
    } cases[] = {
        {"{\"status\":201}", 201, "Content-Type: a/b\r\n", "old"},
        {"{\"headers\":{\"x\":\"y\"}}", 200, "x: y\r\n", "old"},
        {"{\"headers\":{}}", 200, "", "old"},
        {"{\"body\":\"new\"}", 200, "Content-Type: a/b\r\n", "new"},
        {"{\"body\":\"\",\"headers\":{}}", 200, "", ""},
        {"{\"headers\":{},\"body\":\"{}\"}", 200, "Content-Type: application/json\r\n", "{}"},
        {"{\"headers\":{\"content-type\":\"c/d\"},\"body_base64\":\"AA==\",\"status\":599}", 599,
         "content-type: c/d\r\n", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;

        begin(&w, &use, "GET", "");
        assert_int_equal(before(&w), MIDDLEWARE_CALL);
        assert_int_equal(resume_before(&w, &audit, "", NULL), MIDDLEWARE_GO_ON);
        answer(&w, "Content-Type: a/b\r\n", "old");
        assert_int_equal(after(&w), MIDDLEWARE_CALL);
        assert_int_equal(resume_after(&w, &audit, cases[i].output, NULL), MIDDLEWARE_GO_ON);
        assert_int_equal(w.answer.status, cases[i].status);
        assert_headers(&w, cases[i].headers);
        assert_true(cases[i].body ? slice_equal_str(w.answer.body, cases[i].body)
                                  : slice_equal(w.answer.body, slice_of("", 1)));
        end(&w);
    }
}

/* What fails is never taken for leave to go on. */
static void test_functions_that_fail(void **state)
{
    const config_list use = LIST("request_id", "middleware/session", "middleware/audit");
    static const struct {
        const char *output;
        const char *complaint;
    } cases[] = {
        {"true", "its output"},
        {"{\"headers\":{}}", "needs a status"},
        {"{\"body\":\"\"}", "needs a status"},
        {"{\"status\":0}", "status: must be"},
    };
    struct world w;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(&w, &use, "GET", "");
        assert_int_equal(before(&w), MIDDLEWARE_CALL);
        assert_int_equal(resume_before(&w, &session, cases[i].output, cases[i].complaint),
                         MIDDLEWARE_ANSWER);
        assert_int_equal(after(&w), MIDDLEWARE_GO_ON);
        assert_int_equal(w.answer.status, 500);
        assert_says(&w, "middleware_failed");
        assert_header(&w, "x-request-id", ID);
        end(&w);
    }
    /* One whose call ends badly: the caller makes the answer. */
    begin(&w, &use, "GET", "");
    assert_int_equal(before(&w), MIDDLEWARE_CALL);
    assert_int_equal(resume_before(&w, &session, "", NULL), MIDDLEWARE_CALL);
    response_set_error(&w.answer, 504, "timeout", slice_str(""), ID);
    assert_int_equal(after(&w), MIDDLEWARE_CALL);
    assert_ptr_equal(middleware_function(&w.run), &session);
    response_set_error(&w.answer, 500, "function_failed", slice_str(""), ID);
    assert_int_equal(after(&w), MIDDLEWARE_GO_ON);
    assert_int_equal(w.answer.status, 500);
    assert_header(&w, "x-request-id", ID);
    end(&w);
    /* One whose `after` makes no sense. */
    begin(&w, &use, "GET", "");
    assert_int_equal(before(&w), MIDDLEWARE_CALL);
    assert_int_equal(resume_before(&w, &session, "", NULL), MIDDLEWARE_CALL);
    assert_int_equal(resume_before(&w, &audit, "", NULL), MIDDLEWARE_GO_ON);
    answer(&w, "X-Secret: x\r\n", "secret");
    assert_int_equal(after(&w), MIDDLEWARE_CALL);
    assert_int_equal(resume_after(&w, &audit, "[]", "its output"), MIDDLEWARE_CALL);
    assert_int_equal(w.answer.status, 500);
    assert_header(&w, "x-secret", NULL);
    assert_int_equal(resume_after(&w, &session, "", NULL), MIDDLEWARE_GO_ON);
    end(&w);
}

static void test_too_much_context(void **state)
{
    const config_list use = LIST("middleware/session", "middleware/audit");
    char *half = malloc(100000);
    struct world w;

    (void)state;
    sprintf(half, "{\"context\":{\"a\":\"%040000d\"}}", 0);
    begin(&w, &use, "GET", "");
    assert_int_equal(before(&w), MIDDLEWARE_CALL);
    assert_int_equal(resume_before(&w, &session, half, NULL), MIDDLEWARE_CALL);
    assert_int_equal(resume_before(&w, &audit, half, "context"), MIDDLEWARE_ANSWER);
    assert_int_equal(w.answer.status, 500);
    end(&w);
    free(half);
}

/* When the headers of an answer have no room for those of the middleware. */
static void test_no_room_for_headers(void **state)
{
    const config_list use = LIST("cors", "request_id");
    struct world w;

    (void)state;
    begin(&w, &use, "GET", "Origin: https://a.example\r\n");
    assert_int_equal(before(&w), MIDDLEWARE_GO_ON);
    assert_int_equal(buf_reserve(&w.answer.headers, w.answer.headers.max - 10), 0);
    memset(w.answer.headers.data, 'x', w.answer.headers.max - 10);
    w.answer.headers.len = w.answer.headers.max - 10;
    memcpy(w.answer.headers.data, "x:", 2);
    memcpy(w.answer.headers.data + w.answer.headers.len - 2, "\r\n", 2);
    assert_int_equal(after(&w), MIDDLEWARE_GO_ON);
    assert_int_equal(w.answer.status, 500);
    assert_says(&w, "response_too_large");
    assert_header(&w, "access-control-allow-origin", "https://a.example");
    end(&w);
}

static void test_inputs(void **state)
{
    static const char request[] = "{\"id\":\"1\"}";
    response r;
    buf out;

    (void)state;
    buf_init(&out, 1000);
    assert_int_equal(middleware_put_before(&out, slice_str(request), slice_str("a\"b")), 0);
    assert_true(slice_equal_str(buf_slice(&out), "{\"id\":\"1\",\"body\":\"a\\\"b\"}"));
    buf_clear(&out);
    assert_int_equal(middleware_put_before(&out, slice_str(request), slice_of("\xff\0", 2)), 0);
    assert_true(slice_equal_str(buf_slice(&out), "{\"id\":\"1\",\"body_base64\":\"/wA=\"}"));
    buf_clear(&out);
    response_init(&r);
    assert_int_equal(headers_put(&r.headers, slice_str("Set-Cookie"), slice_str("a=1")), 0);
    assert_int_equal(middleware_put_after(&out, slice_str(request), &r), 0);
    assert_true(slice_equal_str(buf_slice(&out),
                                "{\"request\":{\"id\":\"1\"},\"response\":{\"status\":200,"
                                "\"headers\":{\"set-cookie\":[\"a=1\"]},\"body\":\"\"}}"));
    response_deinit(&r);
    buf_deinit(&out);
}

static void test_what_cannot_be_used(void **state)
{
    const struct {
        config_list use;
        int code;
        const char *said;
    } cases[] = {
        {LIST("cros"), E_INVALID, "\"cros\" is neither built in nor a function"},
        {LIST("cors", "jwt", "cors"), E_INVALID, "twice"},
        {LIST("middleware/none"), E_NOT_FOUND, "no function \"middleware/none\""},
    };
    const config_list none = {.given = true};
    const config_list jwt_alone = LIST("jwt");
    config_middleware broken = settings;
    struct world w = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error err = {0};

        assert_int_equal(middleware_set_create(&w.set, &settings, ".", NULL), 0);
        assert_int_equal(make_chain(&w, &cases[i].use, &err), cases[i].code);
        assert_null(w.chain);
        assert_non_null(strstr(error_text(&err), cases[i].said));
        error_deinit(&err);
        middleware_set_destroy(w.set);
    }
    /* What is not used need not be configured. */
    broken.jwt = (config_jwt){0};
    assert_int_equal(middleware_set_create(&w.set, &broken, ".", NULL), 0);
    assert_int_equal(make_chain(&w, &none, NULL), 0);
    assert_null(w.chain);
    assert_int_equal(make_chain(&w, &jwt_alone, NULL), E_INVALID);
    middleware_set_destroy(w.set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_that_is_built_in),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_a_preflight),
        cmocka_unit_test(test_too_many_requests),
        cmocka_unit_test(test_functions_share_a_limit),
        cmocka_unit_test(test_functions_go_on),
        cmocka_unit_test(test_a_function_answers),
        cmocka_unit_test(test_a_function_changes_the_answer),
        cmocka_unit_test(test_functions_that_fail),
        cmocka_unit_test(test_too_much_context),
        cmocka_unit_test(test_no_room_for_headers),
        cmocka_unit_test(test_inputs),
        cmocka_unit_test(test_what_cannot_be_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
