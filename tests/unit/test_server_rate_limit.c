#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>

#include "server/limits.h"
#include "server/rate_limit.h"

#define MS UINT64_C(1000000)
#define START (UINT64_C(1000000) * MS)
#define THREADS 4
#define TAKES_OF_A_THREAD 20000

static const config_rate_limit by_address = {.requests = 10, .per_ms = 1000, .burst = 5};

static rate_limit *make(const config_rate_limit *c)
{
    rate_limit *l;
    error err = {0};

    if (rate_limit_create(&l, c, &err))
        fail_msg("%s", error_text(&err));
    return l;
}

/* Takes for the client at an address, in text. */
static rate_verdict take_from(rate_limit *l, const char *address, uint64_t now_ns)
{
    uint8_t bytes[16];
    bool is_6 = strchr(address, ':') != NULL;

    assert_int_equal(inet_pton(is_6 ? AF_INET6 : AF_INET, address, bytes), 1);
    return rate_limit_take(l, &(rate_subject){.address = slice_of(bytes, is_6 ? 16 : 4)}, now_ns);
}

static rate_verdict take_with(rate_limit *l, const char *headers, uint64_t now_ns)
{
    static const uint8_t here[4] = {127, 0, 0, 1};
    const rate_subject s = {.headers = slice_str(headers), .address = slice_of(here, 4)};

    return rate_limit_take(l, &s, now_ns);
}

/* Five at once, then one every 100 ms; and after a pause five again, and no more. */
static void test_a_bucket_empties_and_fills(void **state)
{
    rate_limit *l = make(&by_address);
    uint64_t now = START;
    rate_verdict v;

    (void)state;
    for (int pause = 0; pause < 2; pause++) {
        for (uint64_t left = 5; left-- > 0;) {
            v = take_from(l, "192.0.2.1", now);
            assert_true(v.allowed);
            assert_int_equal(v.left, left);
            assert_int_equal(v.reset_ms, (5 - left) * 100);
        }
        v = take_from(l, "192.0.2.1", now);
        assert_false(v.allowed);
        assert_int_equal(v.left, 0);
        assert_int_equal(v.retry_ms, 100);
        assert_int_equal(v.reset_ms, 500);
        v = take_from(l, "192.0.2.1", now + 99 * MS);
        assert_false(v.allowed);
        assert_int_equal(v.retry_ms, 1);
        assert_true(take_from(l, "192.0.2.1", now + 100 * MS).allowed);
        assert_false(take_from(l, "192.0.2.1", now + 100 * MS).allowed);
        now += 60 * 1000 * MS;
    }
    rate_limit_destroy(l);
}

/* What a client is refused costs it nothing, and over a long time the rate is exact. */
static void test_the_rate_is_kept(void **state)
{
    rate_limit *l = make(&by_address);
    size_t allowed = 0;

    (void)state;
    for (uint64_t ms = 0; ms < 100000; ms += 7)
        allowed += take_from(l, "192.0.2.1", START + ms * MS).allowed;
    assert_in_range(allowed, 1000, 1005);
    rate_limit_destroy(l);
}

/* Addresses that share a bucket, and those that do not. */
static void test_owners_of_addresses(void **state)
{
    static const struct {
        const char *one, *other;
        bool same;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false},
        {"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
        {"2001:db8:1:2::1", "2001:db8:1:3::1", false},
        {"::1", "::2", true},
        {"::1", "0.0.0.0", false},
    };
    const config_rate_limit one_a_minute = {.requests = 1, .per_ms = 60000, .burst = 1};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rate_limit *l = make(&one_a_minute);

        assert_true(take_from(l, cases[i].one, START).allowed);
        assert_int_equal(take_from(l, cases[i].other, START).allowed, !cases[i].same);
        rate_limit_destroy(l);
    }
}

static void test_by_header(void **state)
{
    char header[] = "X-Customer";
    const config_rate_limit c = {
        .requests = 1, .per_ms = 60000, .burst = 1, .by = RATE_BY_HEADER, .header = header};
    rate_limit *l = make(&c);

    (void)state;
    assert_true(take_with(l, "X-Customer: a\r\n", START).allowed);
    assert_false(take_with(l, "x-customer: a\r\n", START).allowed);
    assert_true(take_with(l, "X-Customer: b\r\n", START).allowed);
    assert_true(take_with(l, "X-Customer: \x7f\r\n", START).allowed);
    /* Without it, by address; an empty one is one. */
    assert_true(take_with(l, "", START).allowed);
    assert_false(take_with(l, "X-Other: a\r\n", START).allowed);
    assert_true(take_with(l, "X-Customer:\r\n", START).allowed);
    assert_false(take_with(l, "X-Customer: \r\n", START).allowed);
    rate_limit_destroy(l);
}

static void test_by_route(void **state)
{
    const config_rate_limit c = {.requests = 1, .per_ms = 60000, .burst = 1, .by = RATE_BY_ROUTE};
    rate_limit *l = make(&c);
    const rate_subject a = {.route = slice_str("/a")};
    const rate_subject b = {.route = slice_str("/b")};

    (void)state;
    assert_true(rate_limit_take(l, &a, START).allowed);
    assert_false(rate_limit_take(l, &a, START).allowed);
    assert_true(rate_limit_take(l, &b, START).allowed);
    rate_limit_destroy(l);
}

/* However many keys come, the buckets do not become more; the clients that were limited stay so as
 * long as fuller buckets can go. */
static void test_hostile_keys(void **state)
{
    const config_rate_limit c = {.requests = 100, .per_ms = 100000, .burst = 100};
    rate_limit *l = make(&c);
    size_t limited = 0;

    (void)state;
    for (uint32_t i = 0; i < 100; i++)
        assert_true(take_from(l, "192.0.2.1", START).allowed);
    for (uint32_t i = 0; i < 20 * LIMIT_RATE_BUCKETS; i++)
        limited += !rate_limit_take(l, &(rate_subject){.address = slice_of(&i, 4)}, START).allowed;
    assert_int_equal(limited, 0);
    assert_false(take_from(l, "192.0.2.1", START).allowed);
    rate_limit_destroy(l);
}

static void assert_headers(const rate_limit *l, const rate_verdict *v, const char *expected)
{
    buf headers;

    buf_init(&headers, 1000);
    /* In place of those that a function may have set. */
    assert_int_equal(headers_put(&headers, slice_str("ratelimit-limit"), slice_str("0")), 0);
    assert_int_equal(rate_limit_put_headers(l, v, &headers), 0);
    assert_true(slice_equal_str(buf_slice(&headers), expected));
    buf_deinit(&headers);
}

static void test_headers(void **state)
{
    const config_rate_limit c = {.requests = 1, .per_ms = 1500, .burst = 2};
    rate_limit *l = make(&c);
    rate_verdict v = take_from(l, "::1", START);

    (void)state;
    assert_headers(l, &v, "RateLimit-Limit: 2\r\nRateLimit-Remaining: 1\r\nRateLimit-Reset: 2\r\n");
    (void)take_from(l, "::1", START);
    v = take_from(l, "::1", START + 501 * MS);
    assert_false(v.allowed);
    assert_headers(l, &v,
                   "RateLimit-Limit: 2\r\nRateLimit-Remaining: 0\r\nRateLimit-Reset: 3\r\n"
                   "Retry-After: 1\r\n");
    rate_limit_destroy(l);
}

static void test_rates_that_cannot_be(void **state)
{
    static const config_rate_limit bad[] = {
        {.requests = 0, .per_ms = 1, .burst = 1},
        {.requests = 1, .per_ms = 0, .burst = 1},
        {.requests = 1, .per_ms = 1, .burst = 0},
        {.requests = 1, .per_ms = UINT64_MAX, .burst = 1},
        {.requests = 1000001, .per_ms = 1, .burst = 1},
        {.requests = 1, .per_ms = 1000, .burst = UINT64_MAX},
        {.requests = 1, .per_ms = 1, .burst = 1, .by = RATE_BY_HEADER},
    };
    const config_rate_limit most = {.requests = 1000000, .per_ms = 1, .burst = INT64_MAX};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rate_limit *l = (rate_limit *)state;
        error err = {0};

        assert_int_equal(rate_limit_create(&l, &bad[i], &err), E_INVALID);
        assert_null(l);
        assert_non_null(strstr(error_text(&err), "middleware.rate_limit"));
        error_deinit(&err);
    }
    rate_limit *l = make(&most);
    assert_true(take_from(l, "::1", START).allowed);
    rate_limit_destroy(l);
}

struct taker {
    pthread_t thread;
    rate_limit *limit;
    size_t allowed;
};

static void *take_many(void *arg)
{
    struct taker *t = arg;

    for (uint32_t i = 0; i < TAKES_OF_A_THREAD; i++)
        t->allowed += take_from(t->limit, "192.0.2.1", START).allowed;
    return NULL;
}

/* Workers that take from one bucket at the same time get no more than is in it. */
static void test_threads(void **state)
{
    const config_rate_limit c = {.requests = 1, .per_ms = 1000, .burst = 2 * TAKES_OF_A_THREAD};
    struct taker taker[THREADS] = {0};
    rate_limit *l = make(&c);
    size_t allowed = 0;

    (void)state;
    for (size_t i = 0; i < THREADS; i++) {
        taker[i].limit = l;
        assert_int_equal(pthread_create(&taker[i].thread, NULL, take_many, &taker[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(taker[i].thread, NULL);
        allowed += taker[i].allowed;
    }
    assert_int_equal(allowed, 2 * TAKES_OF_A_THREAD);
    rate_limit_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_bucket_empties_and_fills),
        cmocka_unit_test(test_the_rate_is_kept),
        cmocka_unit_test(test_owners_of_addresses),
        cmocka_unit_test(test_by_header),
        cmocka_unit_test(test_by_route),
        cmocka_unit_test(test_hostile_keys),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_rates_that_cannot_be),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
