#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events_case.h"

#include "services/events_queue.h"
#include "services/events_schedule.h"
#include "services/events_statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define MINUTE_MS 60000
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24LL * HOUR_MS)
#define NOON 1767268800000 /* 2026-01-01T12:00:00Z, a Thursday */

/* The schedules of a process at a time of the test's. */
typedef struct clockwork {
    store_write write;
    schedules all;
    int64_t now;
    bool starts;
} clockwork;

static int apply(store_write *w, store *s, error *err)
{
    clockwork *k = (clockwork *)w;
    int rc = k->starts ? schedules_remember(&k->all, s, k->now, err) : 0;

    return rc ? rc : schedules_queue(&k->all, s, k->now, err);
}

static void clockwork_init(clockwork *k, const char *line, const char *function)
{
    error err = {0};

    memset(k, 0, sizeof *k);
    k->write.apply = apply;
    k->all.item = calloc(1, sizeof *k->all.item);
    assert_non_null(k->all.item);
    if (schedules_add(&k->all, line, function, "UTC", &err))
        fail_msg("%s", error_text(&err));
}

/* Has it see a time, for the first time when `starts`; how many ticks are queued now. */
static size_t see(clockwork *k, store *s, int64_t now, bool starts)
{
    error err = {0};

    k->now = now;
    k->starts = starts;
    if (store_write_now(s, &k->write, &err))
        fail_msg("%s", error_text(&err));
    schedules_advance(&k->all, now);
    return events_case_pending(s);
}

static store *open_store(void)
{
    store *s;

    assert_int_equal(store_open(&s, "ubiq.db", NULL), 0);
    assert_int_equal(events_admin_prepare(s, NULL), 0);
    return s;
}

static void test_a_tick_is_queued_once(void **state)
{
    store *s = open_store();
    clockwork k;

    (void)state;
    clockwork_init(&k, "*/5 * * * *", "clean");
    assert_int_equal(see(&k, s, NOON, true), 0);
    assert_int_equal(k.all.item[0].next, NOON + 5 * MINUTE_MS);
    assert_int_equal(see(&k, s, NOON + 5 * MINUTE_MS - 1, false), 0);
    assert_int_equal(see(&k, s, NOON + 5 * MINUTE_MS, false), 1);
    assert_int_equal(see(&k, s, NOON + 5 * MINUTE_MS + 10, false), 1);
    assert_int_equal(see(&k, s, NOON + 10 * MINUTE_MS + 3000, false), 2);
    schedules_deinit(&k.all);
    store_close(s);
}

/* A restart within the same minute, and another process. */
static void test_a_tick_is_queued_once_whoever_sees_it(void **state)
{
    store *s = open_store(), *other = open_store();
    clockwork a, b;

    (void)state;
    clockwork_init(&a, "* * * * *", "clean");
    clockwork_init(&b, "* * * * *", "clean");
    assert_int_equal(see(&a, s, NOON, true), 0);
    assert_int_equal(see(&b, other, NOON, true), 0);
    assert_int_equal(see(&a, s, NOON + MINUTE_MS, false), 1);
    assert_int_equal(see(&b, other, NOON + MINUTE_MS + 1, false), 1);
    schedules_deinit(&a.all);
    clockwork_init(&a, "* * * * *", "clean");
    assert_int_equal(see(&a, s, NOON + MINUTE_MS + 5000, true), 1);
    assert_int_equal(see(&b, other, NOON + 2 * MINUTE_MS, false), 2);
    assert_int_equal(see(&a, s, NOON + 2 * MINUTE_MS, false), 2);
    schedules_deinit(&a.all);
    schedules_deinit(&b.all);
    store_close(other);
    store_close(s);
}

static void test_the_last_missed_tick_is_made_up_for(void **state)
{
    static const struct {
        const char *line;
        int64_t away_ms;
        size_t ticks;
    } cases[] = {
        {"* * * * *", 30000, 0},
        {"* * * * *", MINUTE_MS, 1},
        {"* * * * *", 10 * MINUTE_MS, 1},
        {"0 * * * *", 10 * MINUTE_MS, 0},
        {"0 * * * *", 5 * HOUR_MS, 1},
        {"0 9 * * *", 20 * HOUR_MS, 0},
        {"0 9 * * *", 22 * HOUR_MS, 1},
        {"0 9 * * *", 10 * DAY_MS, 1},
        {"0 9 * * fri", 3 * DAY_MS, 0}, /* it is Sunday noon: more than a day ago */
        {"0 13 * * fri", 2 * DAY_MS - 1, 1},
        {"0 0 1 1 *", 100 * DAY_MS, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        store *s = open_store();
        clockwork k;

        clockwork_init(&k, cases[i].line, "clean");
        assert_int_equal(see(&k, s, NOON, true), 0);
        schedules_deinit(&k.all);
        clockwork_init(&k, cases[i].line, "clean");
        assert_int_equal(see(&k, s, NOON + cases[i].away_ms, true), cases[i].ticks);
        assert_int_equal(see(&k, s, NOON + cases[i].away_ms + 1, true), cases[i].ticks);
        schedules_deinit(&k.all);
        store_close(s);
        assert_int_equal(unlink("ubiq.db"), 0);
    }
}

/* A computer that slept is like a server that was down. */
static void test_a_clock_that_jumps_ahead(void **state)
{
    store *s = open_store();
    clockwork k;

    (void)state;
    clockwork_init(&k, "* * * * *", "clean");
    assert_int_equal(see(&k, s, NOON, true), 0);
    assert_int_equal(see(&k, s, NOON + 3 * HOUR_MS, false), 1);
    assert_int_equal(see(&k, s, NOON + 3 * HOUR_MS + MINUTE_MS, false), 2);
    schedules_deinit(&k.all);
    store_close(s);
}

static void test_a_clock_that_is_set_back(void **state)
{
    store *s = open_store();
    clockwork k;

    (void)state;
    clockwork_init(&k, "* * * * *", "clean");
    assert_int_equal(see(&k, s, NOON, true), 0);
    assert_int_equal(see(&k, s, NOON + 2 * MINUTE_MS, false), 1);
    /* it has had these */
    assert_int_equal(see(&k, s, NOON + MINUTE_MS, false), 1);
    assert_int_equal(see(&k, s, NOON + 2 * MINUTE_MS, false), 1);
    assert_int_equal(see(&k, s, NOON + 3 * MINUTE_MS, false), 2);
    /* the clock was years ahead: what it recorded then does not count */
    assert_int_equal(see(&k, s, NOON + 1000 * DAY_MS, false), 3);
    assert_int_equal(see(&k, s, NOON + 4 * MINUTE_MS, false), 3);
    assert_int_equal(see(&k, s, NOON + 5 * MINUTE_MS, false), 4);
    assert_int_equal(see(&k, s, NOON + 5 * MINUTE_MS + 1, false), 4);
    schedules_deinit(&k.all);
    store_close(s);
}

static void test_a_line_that_is_new_has_nothing_to_make_up_for(void **state)
{
    store *s = open_store();
    clockwork k;

    (void)state;
    clockwork_init(&k, "0 9 * * *", "clean");
    assert_int_equal(see(&k, s, NOON, true), 0);
    schedules_deinit(&k.all);
    /* taken out of the project and put in again */
    clockwork_init(&k, "0 8 * * *", "clean");
    assert_int_equal(see(&k, s, NOON + MINUTE_MS, true), 0);
    schedules_deinit(&k.all);
    clockwork_init(&k, "0 9 * * *", "clean");
    assert_int_equal(see(&k, s, NOON + 2 * DAY_MS, true), 0);
    schedules_deinit(&k.all);
    store_close(s);
}

/* Adds events of one topic and function to the queue. */
typedef struct batch {
    store_write write;
    const char *topic;
    const char *function;
    enum event_kind kind;
    int64_t count;
    bool fail; /* each becomes a dead letter at once */
} batch;

static int bury_last(store *s, error *err)
{
    int64_t number = 0;
    int rc = events_numbers(s, "SELECT max(number) FROM event_delivery", NULL, 0, &number, 1, err);

    return rc < 0 ? rc : events_queue_bury(s, number, slice_str("no luck"), NOON, err);
}

static int apply_batch(store_write *w, store *s, error *err)
{
    const batch *b = (batch *)w;
    int rc = 0;

    for (int64_t i = 0; i < b->count && rc == 0; i++) {
        queued_event event = {
            .id = "id", .topic = slice_str(b->topic), .time = NOON + i, .kind = b->kind};

        rc = events_queue_add(s, &event, &b->function, 1, NOON, err);
        if (rc == 0 && b->fail)
            rc = bury_last(s, err);
    }
    return rc;
}

static void add_batch(store *s, const char *topic, const char *function, enum event_kind kind,
                      int64_t count, bool fail)
{
    batch b = {{.apply = apply_batch}, topic, function, kind, count, fail};
    error err = {0};

    if (store_write_now(s, &b.write, &err))
        fail_msg("%s", error_text(&err));
}

static int64_t number(store *s, const char *sql)
{
    int64_t n = -1;

    assert_int_equal(events_numbers(s, sql, NULL, 0, &n, 1, NULL), 1);
    return n;
}

#define CLEANED " FROM event_delivery JOIN event ON event.number = event WHERE function = 'clean'"

/* A line that always fails does not use up the room of events. */
static void test_of_dead_ticks_the_newest_stay(void **state)
{
    store *s = open_store();

    (void)state;
    /* an event may be called like a line */
    add_batch(s, "@daily", "clean", EVENT_JSON, 150, true);
    add_batch(s, "@daily", "other", EVENT_TICK, 3, true);
    add_batch(s, "@hourly", "clean", EVENT_TICK, 3, true);
    add_batch(s, "@daily", "clean", EVENT_TICK, 100, true);
    assert_int_equal(number(s, "SELECT count(*) FROM event_delivery"), 256);
    add_batch(s, "@daily", "clean", EVENT_TICK, 130, true);
    assert_int_equal(number(s, "SELECT count(*) FROM event_delivery WHERE state = 3"), 256);
    assert_int_equal(number(s, "SELECT deliveries FROM event_total"), 256);
    assert_int_equal(number(s, "SELECT count(*) FROM event"), 256);
    assert_int_equal(
        number(s, "SELECT min(time)" CLEANED " AND kind = 3 AND event.topic = '@daily'"),
        NOON + 30);
    assert_int_equal(number(s, "SELECT count(*)" CLEANED " AND kind = 0"), 150);
    store_close(s);
}

/* A function that is slower than its line falls behind only so far. */
static void test_of_waiting_ticks_the_newest_stay(void **state)
{
    store *s = open_store();

    (void)state;
    add_batch(s, "@daily", "clean", EVENT_TICK, 150, false);
    /* the first one is not waiting, but due */
    assert_int_equal(number(s, "SELECT count(*)" CLEANED), 101);
    assert_int_equal(number(s, "SELECT min(time)" CLEANED), NOON);
    assert_int_equal(number(s, "SELECT min(time)" CLEANED " AND state = 0"), NOON + 50);
    assert_int_equal(number(s, "SELECT max(time)" CLEANED), NOON + 149);
    store_close(s);
}

static const trigger every_minute[] = {
    {.pattern = "* * * * *", .is_cron = true, .function = "clean"}};

static events_case c, d;

/* Waits until a minute has begun and is not over soon. */
static void wait_for_a_quiet_minute(void)
{
    while (time(NULL) % 60 > 50 || time(NULL) % 60 < 1)
        usleep(100000);
}

static void test_a_function_is_given_its_ticks(void **state)
{
    char time_text[32];
    time_t now;
    struct tm tm;
    char expected[100];

    (void)state;
    wait_for_a_quiet_minute();
    events_case_open(&c, every_minute, 1, &small_limits);
    events_case_start(&c);
    events_case_close(&c);
    events_case_sql("UPDATE event_schedule SET last = last - 120000");
    events_case_open(&c, every_minute, 1, &small_limits);
    events_case_start(&c);
    events_case_wait(&c, 1);
    events_case_wait_idle(&c);
    now = time(NULL) / 60 * 60;
    gmtime_r(&now, &tm);
    strftime(time_text, sizeof time_text, "%Y-%m-%dT%H:%M:00.000Z", &tm);
    snprintf(expected, sizeof expected, "{\"schedule\":\"* * * * *\",\"time\":\"%s\"}", time_text);
    assert_string_equal(c.seen[0].input, expected);
    assert_string_equal(c.seen[0].function, "clean");
    assert_true(c.seen[0].is_cron);
    assert_int_equal(c.seen[0].attempt, 1);
    assert_int_equal(c.seen[0].hops, 0);
    assert_int_equal(strlen(c.seen[0].id), 32);
    events_case_close(&c);
}

static enum verdict fail_once(events_case *all, const delivery *delivery)
{
    (void)all;
    return delivery->attempt == 1 ? FAIL : SUCCEED;
}

static void test_a_run_that_fails_is_tried_again(void **state)
{
    (void)state;
    wait_for_a_quiet_minute();
    events_case_open(&c, every_minute, 1, &small_limits);
    events_case_judge(&c, fail_once);
    events_case_start(&c);
    events_case_close(&c);
    events_case_sql("UPDATE event_schedule SET last = last - 120000");
    events_case_open(&c, every_minute, 1, &small_limits);
    events_case_judge(&c, fail_once);
    events_case_start(&c);
    events_case_wait(&c, 2);
    events_case_wait_idle(&c);
    assert_int_equal(events_case_count(&c), 2);
    assert_int_equal(c.seen[1].attempt, 2);
    assert_string_equal(c.seen[1].id, c.seen[0].id);
    assert_string_equal(c.seen[1].input, c.seen[0].input);
    events_case_close(&c);
}

static void test_two_servers_run_a_tick_once(void **state)
{
    (void)state;
    wait_for_a_quiet_minute();
    events_case_open(&c, every_minute, 1, &small_limits);
    events_case_start(&c);
    events_case_close(&c);
    events_case_sql("UPDATE event_schedule SET last = last - 120000");
    events_case_open(&c, every_minute, 1, &small_limits);
    events_case_open(&d, every_minute, 1, &small_limits);
    events_case_start(&c);
    events_case_start(&d);
    for (int i = 0; events_case_count(&c) + events_case_count(&d) == 0 && i < 2000; i++)
        usleep(10000);
    events_case_wait_idle(&c);
    usleep(1200000);
    assert_int_equal(events_case_count(&c) + events_case_count(&d), 1);
    events_case_close(&d);
    events_case_close(&c);
}

static void test_a_line_that_is_none_is_named(void **state)
{
    static const trigger bad[] = {{.pattern = "0 0 30 2 *", .is_cron = true, .function = "clean"}};
    events_options options = {.triggers = bad, .trigger_count = 1, .limits = small_limits};
    error err = {0};
    events *e;

    (void)state;
    options.store = open_store();
    assert_int_equal(events_create(&e, &options, &err), E_INVALID);
    assert_non_null(strstr(error_text(&err), "the cron line \"0 0 30 2 *\": no month"));
    error_deinit(&err);
    options.time_zone = "Europe/Atlantis";
    assert_int_equal(events_create(&e, &options, &err), E_INVALID);
    assert_non_null(strstr(error_text(&err), "Europe/Atlantis"));
    error_deinit(&err);
    store_close(options.store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_a_tick_is_queued_once),
        IN_DIRECTORY(test_a_tick_is_queued_once_whoever_sees_it),
        IN_DIRECTORY(test_the_last_missed_tick_is_made_up_for),
        IN_DIRECTORY(test_a_clock_that_jumps_ahead),
        IN_DIRECTORY(test_a_clock_that_is_set_back),
        IN_DIRECTORY(test_a_line_that_is_new_has_nothing_to_make_up_for),
        IN_DIRECTORY(test_of_dead_ticks_the_newest_stay),
        IN_DIRECTORY(test_of_waiting_ticks_the_newest_stay),
        IN_DIRECTORY(test_a_function_is_given_its_ticks),
        IN_DIRECTORY(test_a_run_that_fails_is_tried_again),
        IN_DIRECTORY(test_two_servers_run_a_tick_once),
        IN_DIRECTORY(test_a_line_that_is_none_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
