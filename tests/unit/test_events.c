#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events_case.h"

#include <stdio.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const trigger orders[] = {
    {.pattern = "order.*", .function = "receipt"},
    {.pattern = "*.paid", .function = "ship"},
    {.pattern = "*", .function = "audit"},
    {.pattern = "order.p*", .function = "receipt"},
};

static const trigger all_to_one[] = {{.pattern = "*", .function = "one"}};

static events_case c;

static void open_case(const trigger *triggers, size_t count, const events_limits *limits)
{
    events_case_open(&c, triggers, count, limits);
    events_case_start(&c);
}

static size_t seen_by(const char *function)
{
    size_t count = 0;

    for (size_t i = 0; i < c.count; i++)
        count += strcmp(c.seen[i].function, function) == 0;
    return count;
}

static void test_events_reach_the_functions_that_want_them(void **state)
{
    char id[200];

    (void)state;
    open_case(orders, COUNT(orders), &small_limits);
    assert_int_equal(
        events_case_emit(&c, "order.paid", slice_str("{\"total\": 1.50}"), "checkout", 2, id),
        SERVICE_OK);
    assert_int_equal(strlen(id), 32);
    events_case_wait(&c, 3);
    events_case_wait_idle(&c);
    assert_int_equal(events_case_count(&c), 3);
    /* two patterns match for it */
    assert_int_equal(seen_by("receipt"), 1);
    assert_int_equal(seen_by("ship"), 1);
    assert_int_equal(seen_by("audit"), 1);
    for (size_t i = 0; i < 3; i++) {
        char expected[400];
        char *time = strstr(c.seen[i].input, "\"time\":\"");

        assert_string_equal(c.seen[i].id, id);
        assert_int_equal(c.seen[i].attempt, 1);
        assert_int_equal(c.seen[i].hops, 2);
        assert_false(c.seen[i].is_cron);
        assert_non_null(time);
        snprintf(
            expected, sizeof expected,
            "{\"topic\":\"order.paid\",\"id\":\"%s\",\"time\":\"%.24s\",\"source\":\"checkout\","
            "\"attempt\":1,\"payload\":{\"total\": 1.50}}",
            id, time + 8);
        assert_string_equal(c.seen[i].input, expected);
        assert_int_equal(time[8 + 10], 'T');
        assert_int_equal(time[8 + 23], 'Z');
    }
    events_case_emit_text(&c, "user.new", "1");
    events_case_wait(&c, 4);
    assert_string_equal(c.seen[3].function, "audit");
    assert_non_null(strstr(c.seen[3].input, "\"source\":null,"));
    events_case_close(&c);
}

static void test_an_event_that_nobody_wants_is_accepted(void **state)
{
    char id[200];

    (void)state;
    open_case(orders, 2, &small_limits);
    assert_int_equal(events_case_emit(&c, "user.new", slice_str("x"), NULL, 0, id), SERVICE_OK);
    assert_int_equal(strlen(id), 32);
    assert_int_equal(events_case_pending(c.store), 0);
    events_case_close(&c);
}

static void test_payloads_become_json(void **state)
{
    static const struct {
        slice payload;
        const char *json;
    } cases[] = {
        {{(const uint8_t *)"{\"a\":[1,2,{}]}", 14}, "{\"a\":[1,2,{}]}"},
        {{(const uint8_t *)" 12345678901234567890.50 ", 25}, " 12345678901234567890.50 "},
        {{(const uint8_t *)"null", 4}, "null"},
        {{(const uint8_t *)"\"\"", 2}, "\"\""},
        {{(const uint8_t *)"hello", 5}, "\"hello\""},
        {{(const uint8_t *)"", 0}, "\"\""},
        {{NULL, 0}, "\"\""},
        {{(const uint8_t *)"{\"a\":1", 6}, "\"{\\\"a\\\":1\""},
        {{(const uint8_t *)"1 2", 3}, "\"1 2\""},
        {{(const uint8_t *)"01", 2}, "\"01\""},
        {{(const uint8_t *)"NaN", 3}, "\"NaN\""},
        {{(const uint8_t *)"gr\xc3\xbc\xc3\x9f\n\0", 8}, "\"gr\xc3\xbc\xc3\x9f\\u000a\\u0000\""},
        {{(const uint8_t *)"\xff\xfe", 2}, "{\"base64\":\"//4=\"}"},
        {{(const uint8_t *)"\"\xff\"", 3}, "{\"base64\":\"Iv8i\"}"},
    };

    (void)state;
    open_case(all_to_one, 1, &small_limits);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *payload;

        assert_int_equal(events_case_emit(&c, "t", cases[i].payload, NULL, 0, NULL), SERVICE_OK);
        events_case_wait(&c, i + 1);
        payload = strstr(c.seen[i].input, "\"payload\":") + 10;
        assert_int_equal(strlen(payload), strlen(cases[i].json) + 1);
        assert_memory_equal(payload, cases[i].json, strlen(cases[i].json));
    }
    events_case_close(&c);
}

static void test_what_is_not_as_it_must_be_is_refused(void **state)
{
    static const struct {
        const char *topic;
        size_t payload;
        unsigned hops;
        int code;
        const char *says;
    } cases[] = {
        {"", 0, 0, SERVICE_INVALID, "events: an event's topic is empty"},
        {"a b", 0, 0, SERVICE_INVALID, "a space or a control character at byte 1"},
        {"a\n", 0, 0, SERVICE_INVALID, "at byte 1"},
        {"\x7f", 0, 0, SERVICE_INVALID, "at byte 0"},
        {"ab\xc2\x85", 0, 0, SERVICE_INVALID, "at byte 2"},
        {"a\xff", 0, 0, SERVICE_INVALID, "not UTF-8"},
        {"0123456789012345678901234567890123456789012345678901234567890123", 0, 0, SERVICE_OK, ""},
        {"01234567890123456789012345678901234567890123456789012345678901234", 0, 0,
         SERVICE_TOO_LARGE, "the topic has 65 bytes, and may have at most 64"},
        {"gr\xc3\xbc\xc3\x9f\x65", 0, 0, SERVICE_OK, ""},
        {"t", 100000, 0, SERVICE_OK, ""},
        {"t", 100001, 0, SERVICE_TOO_LARGE, "the payload has 100001 bytes"},
        {"t", 0, 4, SERVICE_OK, ""},
        {"t", 0, 5, SERVICE_DENIED, "go in a circle"},
    };
    static uint8_t zeros[100001];
    char text[200];

    (void)state;
    open_case(all_to_one, 1, &small_limits);
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(events_case_emit(&c, cases[i].topic, slice_of(zeros, cases[i].payload),
                                          NULL, cases[i].hops, text),
                         cases[i].code);
        if (cases[i].code != SERVICE_OK && !strstr(text, cases[i].says))
            fail_msg("%s", text);
    }
    events_case_wait_idle(&c);
    events_case_close(&c);
}

static enum verdict hold(events_case *all, const delivery *d)
{
    (void)all, (void)d;
    return HOLD;
}

/* The next one of a topic and function does not begin before the one before it has ended. */
static void test_a_topic_is_in_order(void **state)
{
    (void)state;
    events_case_open(&c, all_to_one, 1, &small_limits);
    events_case_judge(&c, hold);
    for (int i = 0; i < 5; i++) {
        char text[16];

        snprintf(text, sizeof text, "%d", i);
        events_case_emit_text(&c, "t", text);
    }
    events_case_start(&c);
    for (size_t i = 0; i < 5; i++) {
        events_case_wait(&c, i + 1);
        usleep(20000);
        assert_int_equal(events_case_count(&c), i + 1);
        events_case_release(&c, i, NULL);
    }
    events_case_wait_idle(&c);
    assert_string_equal(events_case_payloads(&c, "one"), "0,1,2,3,4");
    events_case_close(&c);
}

static void test_topics_and_functions_go_their_own_ways(void **state)
{
    static const trigger both[] = {{.pattern = "*", .function = "one"},
                                   {.pattern = "*", .function = "two"}};

    (void)state;
    events_case_open(&c, both, 2, &small_limits);
    events_case_judge(&c, hold);
    events_case_start(&c);
    events_case_emit_text(&c, "a", "1");
    events_case_emit_text(&c, "a", "2");
    events_case_emit_text(&c, "b", "3");
    events_case_wait(&c, 4);
    usleep(50000);
    assert_int_equal(events_case_count(&c), 4);
    assert_string_equal(events_case_payloads(&c, "one"), "1,3");
    assert_string_equal(events_case_payloads(&c, "two"), "1,3");
    events_case_close(&c);
}

static void test_no_more_than_the_limit_at_once(void **state)
{
    (void)state;
    events_case_open(&c, all_to_one, 1, &small_limits);
    events_case_judge(&c, hold);
    events_case_start(&c);
    for (int i = 0; i < 20; i++) {
        char topic[16];

        snprintf(topic, sizeof topic, "t%d", i);
        events_case_emit_text(&c, topic, topic);
    }
    events_case_wait(&c, 8);
    usleep(50000);
    assert_int_equal(events_case_count(&c), 8);
    for (size_t i = 0; i < 20; i++) {
        events_case_wait(&c, i + 1);
        events_case_release(&c, i, NULL);
    }
    events_case_wait_idle(&c);
    assert_int_equal(events_case_count(&c), 20);
    events_case_close(&c);
}

static enum verdict fail_first(events_case *all, const delivery *d)
{
    (void)all;
    return d->attempt < 3 ? FAIL : SUCCEED;
}

static void test_a_failure_is_tried_again_with_growing_pauses(void **state)
{
    events_limits limits = small_limits;

    (void)state;
    limits.attempts = 4;
    limits.first_retry_ms = 100;
    limits.last_retry_ms = 200;
    events_case_open(&c, all_to_one, 1, &limits);
    events_case_judge(&c, fail_first);
    events_case_emit_text(&c, "t", "1");
    events_case_emit_text(&c, "t", "2");
    events_case_start(&c);
    events_case_wait(&c, 6);
    events_case_wait_idle(&c);
    assert_string_equal(events_case_payloads(&c, "one"), "1,1,1,2,2,2");
    for (size_t i = 0; i < 6; i++) {
        static const uint64_t least[] = {0, 100, 200};
        uint64_t pause = i ? (c.seen[i].at_ns - c.seen[i - 1].at_ns) / 1000000 : 0;

        assert_int_equal(c.seen[i].attempt, i % 3 + 1);
        /* milliseconds of two clocks may differ by one */
        if (pause + 2 < least[i % 3] || pause > 5 * least[i % 3] + 2000)
            fail_msg("attempt %zu came after %llu ms", i, (unsigned long long)pause);
        assert_string_equal(c.seen[i].id, c.seen[i - i % 3].id);
    }
    assert_int_equal(events_case_dead(c.store), 0);
    events_case_close(&c);
}

static enum verdict postpone_some(events_case *all, const delivery *d)
{
    (void)d;
    return events_case_count(all) < 3 ? POSTPONE : SUCCEED;
}

static void test_what_is_postponed_is_the_same_attempt(void **state)
{
    (void)state;
    events_case_open(&c, all_to_one, 1, &small_limits);
    events_case_judge(&c, postpone_some);
    events_case_start(&c);
    events_case_emit_text(&c, "t", "1");
    events_case_emit_text(&c, "t", "2");
    events_case_wait(&c, 5);
    events_case_wait_idle(&c);
    assert_string_equal(events_case_payloads(&c, "one"), "1,1,1,1,2");
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(c.seen[i].attempt, 1);
    events_case_close(&c);
}

static void test_what_was_not_delivered_is_after_a_restart(void **state)
{
    (void)state;
    events_case_open(&c, all_to_one, 1, &small_limits);
    events_case_judge(&c, hold);
    events_case_start(&c);
    for (int i = 0; i < 10; i++) {
        char text[16];

        snprintf(text, sizeof text, "%d", i);
        events_case_emit_text(&c, i % 2 ? "a" : "b", text);
    }
    events_case_wait(&c, 2);
    events_case_close(&c); /* which gives the first two back as done */

    open_case(all_to_one, 1, &small_limits);
    events_case_wait(&c, 8);
    events_case_wait_idle(&c);
    assert_int_equal(events_case_count(&c), 8);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(c.seen[i].attempt, 1);
    events_case_close(&c);
}

static void test_after_stop_nothing_is_delivered(void **state)
{
    (void)state;
    events_case_open(&c, all_to_one, 1, &small_limits);
    events_case_judge(&c, hold);
    events_case_start(&c);
    events_case_emit_text(&c, "t", "1");
    events_case_wait(&c, 1);
    events_stop(c.e);
    events_case_emit_text(&c, "t", "2");
    events_case_emit_text(&c, "u", "3");
    events_case_release(&c, 0, NULL);
    for (int i = 0; events_case_pending(c.store) != 2; i++) {
        assert_true(i < 1000);
        usleep(5000);
    }
    assert_int_equal(events_case_count(&c), 1);
    events_case_close(&c);
}

/* Retries that lie far ahead were put there before the clock was set back. */
static void test_a_clock_that_was_set_back_stalls_nothing(void **state)
{
    (void)state;
    events_case_open(&c, all_to_one, 1, &small_limits);
    events_case_emit_text(&c, "t", "1");
    events_case_sql("UPDATE event_delivery SET due = due + 3600000");
    events_case_start(&c);
    events_case_wait(&c, 1);
    events_case_wait_idle(&c);
    events_case_close(&c);
}

/* Nothing is lost of what could not be written: it is once there is room. */
static void test_a_full_disk_is_waited_for(void **state)
{
    char text[200];

    (void)state;
    mount_small("small", 512);
    assert_int_equal(chdir("small"), 0);
    events_case_open(&c, all_to_one, 1, &small_limits);
    events_case_judge(&c, hold);
    events_case_start(&c);
    events_case_emit_text(&c, "t", "1");
    events_case_emit_text(&c, "t", "2");
    events_case_wait(&c, 1);
    fill_disk("filler");
    for (int i = 0; events_case_emit(&c, "t", slice_str("3"), NULL, 0, text) == SERVICE_OK; i++)
        assert_true(i < 1000);
    assert_non_null(strstr(text, "full"));
    assert_int_equal(c.stalls, 0);
    events_case_release(&c, 0, NULL);
    usleep(300000);
    assert_int_equal(events_case_count(&c), 1);
    assert_int_equal(c.stalls, 1);
    assert_int_equal(unlink("filler"), 0);
    events_case_wait(&c, 2);
    assert_int_equal(strncmp(events_case_payloads(&c, "one"), "1,2", 3), 0);
    events_case_close(&c);
    assert_int_equal(chdir(".."), 0);
    unmount_small("small");
}

/* Many threads emit at once, and each one's events of a topic come in its order. */
static void *emit_many(void *arg)
{
    events *e = c.e;
    int number = *(int *)arg;
    home h;

    home_init(&h);
    for (int i = 0; i < 100; i++) {
        char topic[16], text[16];
        events_emission o = {0};

        snprintf(topic, sizeof topic, "t%d", number);
        snprintf(text, sizeof text, "%d", i);
        o.topic = slice_str(topic);
        o.payload = slice_str(text);
        home_prepare(&h, &o.op, 64);
        if (!events_emit(e, &o))
            home_wait(&h, h.done + 1);
        assert_int_equal(o.op.code, SERVICE_OK);
        operation_deinit(&o.op);
    }
    home_deinit(&h);
    return NULL;
}

static void test_many_threads(void **state)
{
    int numbers[4] = {0, 1, 2, 3}, next[4] = {0};
    pthread_t threads[4];

    (void)state;
    open_case(all_to_one, 1, &small_limits);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, emit_many, &numbers[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    events_case_wait(&c, 400);
    events_case_wait_idle(&c);
    assert_int_equal(events_case_count(&c), 400);
    for (size_t i = 0; i < 400; i++) {
        int topic, payload;

        assert_int_equal(sscanf(c.seen[i].input, "{\"topic\":\"t%d\"", &topic), 1);
        assert_int_equal(
            sscanf(strstr(c.seen[i].input, "\"payload\":"), "\"payload\":%d", &payload), 1);
        assert_int_equal(payload, next[topic]++);
    }
    events_case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_events_reach_the_functions_that_want_them),
        IN_DIRECTORY(test_an_event_that_nobody_wants_is_accepted),
        IN_DIRECTORY(test_payloads_become_json),
        IN_DIRECTORY(test_what_is_not_as_it_must_be_is_refused),
        IN_DIRECTORY(test_a_topic_is_in_order),
        IN_DIRECTORY(test_topics_and_functions_go_their_own_ways),
        IN_DIRECTORY(test_no_more_than_the_limit_at_once),
        IN_DIRECTORY(test_a_failure_is_tried_again_with_growing_pauses),
        IN_DIRECTORY(test_what_is_postponed_is_the_same_attempt),
        IN_DIRECTORY(test_what_was_not_delivered_is_after_a_restart),
        IN_DIRECTORY(test_after_stop_nothing_is_delivered),
        IN_DIRECTORY(test_a_clock_that_was_set_back_stalls_nothing),
        IN_DIRECTORY(test_a_full_disk_is_waited_for),
        IN_DIRECTORY(test_many_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
