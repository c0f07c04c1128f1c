#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events_case.h"

#include "services/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const trigger three[] = {
    {.pattern = "order.*", .function = "receipt"},
    {.pattern = "*.paid", .function = "ship"},
    {.pattern = "*", .function = "audit"},
};

static const trigger all_to_one[] = {{.pattern = "*", .function = "one"}};

static events_case c;

static enum verdict hold(events_case *all, const delivery *d)
{
    (void)all, (void)d;
    return HOLD;
}

static enum verdict fail_ones(events_case *all, const delivery *d)
{
    (void)all;
    return memmem(d->input.data, d->input.len, "\"payload\":1", 11) ? FAIL : SUCCEED;
}

static char *list(enum events_list which, int64_t after, int64_t limit)
{
    error err = {0};
    buf out;
    char *text;

    buf_init(&out, 1 << 20);
    if (events_admin_list(c.store, which, after, limit, &out, &err))
        fail_msg("%s", error_text(&err));
    text = buf_take_str(&out);
    assert_non_null(text);
    return text;
}

static void test_what_fails_too_often_is_a_dead_letter(void **state)
{
    char *text;

    (void)state;
    events_case_open(&c, all_to_one, 1, &small_limits);
    events_case_judge(&c, fail_ones);
    events_case_start(&c);
    events_case_emit_text(&c, "t", "1");
    events_case_emit_text(&c, "t", "2");
    events_case_wait(&c, 4);
    events_case_wait_idle(&c);
    assert_string_equal(events_case_payloads(&c, "one"), "1,1,1,2");
    assert_int_equal(events_case_dead(c.store), 1);
    text = list(EVENTS_DEAD, 0, 10);
    assert_non_null(strstr(text, c.seen[0].id));
    assert_non_null(strstr(text, "\"topic\":\"t\",\"function\":\"one\","));
    assert_non_null(strstr(text, "\"attempts\":3,\"state\":\"dead\","));
    assert_non_null(strstr(text, "\"problem\":\"no luck\"}],\"next\":null}"));
    free(text);
    events_case_close(&c);
}

static void test_problems_are_cut_and_readable(void **state)
{
    char *problem = malloc(10001), *text;
    const char *found;

    (void)state;
    assert_non_null(problem);
    /* the limit lies within a character */
    memset(problem, 'x', 10000);
    problem[10000] = '\0';
    problem[1] = '\xff';
    problem[2] = '"';
    memcpy(problem + LIMIT_EVENT_PROBLEM_BYTES - 1, "\xc3\xbc", 2);
    events_case_open(&c, all_to_one, 1, &small_limits);
    events_case_judge(&c, hold);
    events_case_start(&c);
    events_case_emit_text(&c, "t", "1");
    for (size_t i = 0; i < 3; i++) {
        events_case_wait(&c, i + 1);
        events_case_release(&c, i, problem);
    }
    events_case_wait_idle(&c);
    text = list(EVENTS_DEAD, 0, 10);
    found = strstr(text, "\"problem\":\"x\xef\xbf\xbd\\\"xxx");
    assert_non_null(found);
    /* behind the three bytes that were looked at, which are written as six */
    assert_int_equal(strcspn(found + 17, "\"") + 3, LIMIT_EVENT_PROBLEM_BYTES - 1);
    free(text);
    free(problem);
    events_case_close(&c);
}

static void test_dead_letters_are_replayed(void **state)
{
    char id[2][200];
    uint64_t count;

    (void)state;
    events_case_open(&c, all_to_one, 1, &small_limits);
    events_case_judge(&c, fail_ones);
    events_case_start(&c);
    assert_int_equal(events_case_emit(&c, "t", slice_str("1"), NULL, 0, id[0]), SERVICE_OK);
    assert_int_equal(events_case_emit(&c, "t", slice_str("1"), NULL, 0, id[1]), SERVICE_OK);
    events_case_wait(&c, 6);
    events_case_wait_idle(&c);
    assert_int_equal(events_case_dead(c.store), 2);
    assert_int_equal(events_admin_replay(c.store, "none of them", &count, NULL), 0);
    assert_int_equal(count, 0);
    events_case_judge(&c, NULL);
    assert_int_equal(events_admin_replay(c.store, id[1], &count, NULL), 0);
    assert_int_equal(count, 1);
    events_case_wait(&c, 7);
    events_case_wait_idle(&c);
    assert_string_equal(c.seen[6].id, id[1]);
    assert_int_equal(c.seen[6].attempt, 1);
    assert_int_equal(events_case_dead(c.store), 1);
    assert_int_equal(events_admin_replay(c.store, NULL, &count, NULL), 0);
    assert_int_equal(count, 1);
    events_case_wait(&c, 8);
    events_case_wait_idle(&c);
    assert_string_equal(c.seen[7].id, id[0]);
    assert_int_equal(events_case_dead(c.store), 0);
    events_case_close(&c);
}

/* As a command line tool does: another connection, and no server. */
static void test_dead_letters_are_dropped_and_replayed_without_a_server(void **state)
{
    char id[3][200];
    uint64_t count;
    store *s;

    (void)state;
    events_case_open(&c, all_to_one, 1, &small_limits);
    events_case_judge(&c, fail_ones);
    events_case_start(&c);
    for (int i = 0; i < 3; i++)
        assert_int_equal(events_case_emit(&c, "t", slice_str("1"), NULL, 0, id[i]), SERVICE_OK);
    events_case_wait(&c, 9);
    events_case_wait_idle(&c);
    events_case_close(&c);

    assert_int_equal(store_open(&s, "ubiq.db", NULL), 0);
    assert_int_equal(events_admin_prepare(s, NULL), 0);
    assert_int_equal(events_admin_drop(s, id[0], &count, NULL), 0);
    assert_int_equal(count, 1);
    assert_int_equal(events_admin_drop(s, id[0], &count, NULL), 0);
    assert_int_equal(count, 0);
    assert_int_equal(events_admin_replay(s, NULL, &count, NULL), 0);
    assert_int_equal(count, 2);
    assert_int_equal(events_case_dead(s), 0);
    assert_int_equal(events_case_pending(s), 2);
    store_close(s);

    events_case_open(&c, all_to_one, 1, &small_limits);
    events_case_start(&c);
    events_case_wait(&c, 2);
    events_case_wait_idle(&c);
    assert_string_equal(c.seen[0].id, id[1]);
    assert_string_equal(c.seen[1].id, id[2]);
    events_case_close(&c);
}

static void test_a_running_server_notices_what_another_process_replayed(void **state)
{
    uint64_t count;
    store *s;

    (void)state;
    events_case_open(&c, all_to_one, 1, &small_limits);
    events_case_judge(&c, fail_ones);
    events_case_start(&c);
    events_case_emit_text(&c, "t", "1");
    events_case_wait(&c, 3);
    events_case_wait_idle(&c);
    events_case_judge(&c, NULL);
    assert_int_equal(store_open(&s, "ubiq.db", NULL), 0);
    assert_int_equal(events_admin_replay(s, NULL, &count, NULL), 0);
    assert_int_equal(count, 1);
    store_close(s);
    events_case_wait(&c, 4);
    assert_true(c.seen[3].at_ns > c.seen[2].at_ns);
    events_case_wait_idle(&c);
    events_case_close(&c);
}

/* A letter that comes back while its topic is busy waits for its turn. */
static void test_a_replayed_letter_keeps_the_order(void **state)
{
    uint64_t count;

    (void)state;
    events_case_open(&c, all_to_one, 1, &small_limits);
    events_case_judge(&c, fail_ones);
    events_case_start(&c);
    events_case_emit_text(&c, "t", "1");
    events_case_wait(&c, 3);
    events_case_wait_idle(&c);
    events_case_judge(&c, hold);
    events_case_emit_text(&c, "t", "2");
    events_case_emit_text(&c, "t", "3");
    events_case_wait(&c, 4);
    assert_int_equal(events_admin_replay(c.store, NULL, &count, NULL), 0);
    usleep(1500000);
    assert_int_equal(events_case_count(&c), 4);
    events_case_release(&c, 0, NULL);
    events_case_wait(&c, 5);
    events_case_release(&c, 1, NULL);
    events_case_wait(&c, 6);
    events_case_release(&c, 2, NULL);
    events_case_wait_idle(&c);
    assert_string_equal(events_case_payloads(&c, "one"), "1,1,1,2,1,3");
    events_case_close(&c);
}

static void test_lists_come_in_pages(void **state)
{
    char *text;
    int64_t next;

    (void)state;
    events_case_open(&c, all_to_one, 1, &small_limits);
    for (int i = 0; i < 5; i++)
        events_case_emit_text(&c, i < 3 ? "a" : "b", "1");
    text = list(EVENTS_PENDING, 0, 3);
    assert_non_null(strstr(text, "\"state\":\"due\""));
    assert_non_null(strstr(text, "\"state\":\"waiting\""));
    assert_non_null(strstr(text, "\"failed\":null,\"problem\":null}"));
    assert_int_equal(sscanf(strstr(text, "\"next\":"), "\"next\":%ld}", &next), 1);
    free(text);
    text = list(EVENTS_PENDING, next, 2);
    assert_non_null(strstr(text, "\"topic\":\"b\""));
    assert_null(strstr(text, "\"topic\":\"a\""));
    assert_non_null(strstr(text, "\"next\":null}"));
    free(text);
    text = list(EVENTS_DEAD, 0, 2);
    assert_string_equal(text, "{\"items\":[],\"next\":null}");
    free(text);
    events_case_close(&c);
}

static void test_only_so_many_may_wait(void **state)
{
    events_limits limits = small_limits;
    uint64_t count;
    char text[200];

    (void)state;
    limits.pending = 5;
    events_case_open(&c, all_to_one, 1, &limits);
    events_case_judge(&c, fail_ones);
    for (int i = 0; i < 5; i++)
        events_case_emit_text(&c, "t", "1");
    assert_int_equal(events_case_emit(&c, "t", slice_str("1"), NULL, 0, text), SERVICE_OVER_QUOTA);
    assert_non_null(strstr(text, "at most 5 deliveries"));
    events_case_start(&c);
    events_case_wait(&c, 15);
    events_case_wait_idle(&c);
    /* dead letters count */
    assert_int_equal(events_case_emit(&c, "t", slice_str("2"), NULL, 0, NULL), SERVICE_OVER_QUOTA);
    assert_int_equal(events_admin_drop(c.store, NULL, &count, NULL), 0);
    assert_int_equal(count, 5);
    for (int i = 0; i < 5; i++) {
        events_case_emit_text(&c, "t", "2");
        events_case_wait_idle(&c);
    }
    events_case_close(&c);
}

static void test_a_disk_that_is_too_slow(void **state)
{
    held_write h;
    char text[200];

    (void)state;
    events_case_open(&c, all_to_one, 1, &small_limits);
    hold_store(&h, c.store, LIMIT_STORE_WAITING_BYTES);
    assert_int_equal(events_case_emit(&c, "t", slice_str("1"), NULL, 0, text), SERVICE_BUSY);
    assert_string_equal(text, "events: too much waits to be written to the disk: try again later");
    release_store(&h, c.store);
    assert_int_equal(events_case_pending(c.store), 0);
    events_case_emit_text(&c, "t", "1");
    assert_int_equal(events_case_pending(c.store), 1);
    events_case_close(&c);
}

static void test_an_event_for_several_is_stored_whole_or_not(void **state)
{
    events_limits limits = small_limits;

    (void)state;
    limits.pending = 5;
    events_case_open(&c, three, 3, &limits);
    events_case_emit_text(&c, "order.paid", "1");
    assert_int_equal(events_case_emit(&c, "order.paid", slice_str("2"), NULL, 0, NULL),
                     SERVICE_OVER_QUOTA);
    assert_int_equal(events_case_pending(c.store), 3);
    events_case_emit_text(&c, "order.new", "3");
    assert_int_equal(events_case_pending(c.store), 5);
    events_case_start(&c);
    events_case_wait_idle(&c);
    assert_int_equal(events_case_count(&c), 5);
    events_case_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_what_fails_too_often_is_a_dead_letter),
        IN_DIRECTORY(test_problems_are_cut_and_readable),
        IN_DIRECTORY(test_dead_letters_are_replayed),
        IN_DIRECTORY(test_dead_letters_are_dropped_and_replayed_without_a_server),
        IN_DIRECTORY(test_a_running_server_notices_what_another_process_replayed),
        IN_DIRECTORY(test_a_replayed_letter_keeps_the_order),
        IN_DIRECTORY(test_lists_come_in_pages),
        IN_DIRECTORY(test_only_so_many_may_wait),
        IN_DIRECTORY(test_a_disk_that_is_too_slow),
        IN_DIRECTORY(test_an_event_for_several_is_stored_whole_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
