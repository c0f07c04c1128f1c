#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "services/cron.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define BERLIN "TZ=Europe/Berlin "
#define NEW_YORK "TZ=America/New_York "

/* "2026-03-29 01:00" in UTC, as seconds. */
static int64_t seconds(const char *text)
{
    struct tm tm = {0};

    assert_int_equal(sscanf(text, "%d-%d-%d %d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                            &tm.tm_hour, &tm.tm_min),
                     5);
    tm.tm_year -= 1900;
    tm.tm_mon--;
    return timegm(&tm);
}

static const char *text_of(int64_t at)
{
    static char out[32];
    time_t t = at;
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(out, sizeof out, "%Y-%m-%d %H:%M", &tm);
    return out;
}

static cron *create(const char *line)
{
    cron *c = NULL;
    error err = {0};

    if (cron_create(&c, line, "UTC", &err))
        fail_msg("%s: %s", line, error_text(&err));
    return c;
}

typedef struct tick_case {
    const char *line;
    const char *after;
    const char *ticks[6];
} tick_case;

static void check(const tick_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cron *c = create(cases[i].line);
        int64_t at = seconds(cases[i].after);

        for (size_t k = 0; k < 6 && cases[i].ticks[k]; k++) {
            assert_true(cron_next(c, at, &at));
            if (strcmp(text_of(at), cases[i].ticks[k]) != 0)
                fail_msg("%s: tick %zu is %s and not %s", cases[i].line, k, text_of(at),
                         cases[i].ticks[k]);
        }
        cron_destroy(c);
    }
}

#define CHECK(cases) check(cases, sizeof cases / sizeof *cases)

static void test_fields_say_when(void **state)
{
    /* 2026-01-01 is a Thursday. */
    static const tick_case cases[] = {
        {"* * * * *", "2026-01-01 00:00", {"2026-01-01 00:01", "2026-01-01 00:02"}},
        {"*/20 * * * *",
         "2026-01-01 00:00",
         {"2026-01-01 00:20", "2026-01-01 00:40", "2026-01-01 01:00"}},
        {"*/25 * * * *",
         "2026-01-01 00:00",
         {"2026-01-01 00:25", "2026-01-01 00:50", "2026-01-01 01:00"}},
        {"5 4 * * *", "2026-01-01 04:05", {"2026-01-02 04:05", "2026-01-03 04:05"}},
        {"59 23 31 12 *", "2026-12-31 23:58", {"2026-12-31 23:59", "2027-12-31 23:59"}},
        {"0,30 9-17/4 * * *",
         "2026-01-01 09:00",
         {"2026-01-01 09:30", "2026-01-01 13:00", "2026-01-01 13:30", "2026-01-01 17:00",
          "2026-01-01 17:30", "2026-01-02 09:00"}},
        {"1-3,2,50-52/2 0 * * *",
         "2026-01-01 00:00",
         {"2026-01-01 00:01", "2026-01-01 00:02", "2026-01-01 00:03", "2026-01-01 00:50",
          "2026-01-01 00:52", "2026-01-02 00:01"}},
        {"0 0 31 * *",
         "2026-01-01 00:00",
         {"2026-01-31 00:00", "2026-03-31 00:00", "2026-05-31 00:00"}},
        {"0 12 * feb,NOV *", "2026-02-28 11:00", {"2026-02-28 12:00", "2026-11-01 12:00"}},
        {"0 0 * jan-mar/2 1", "2026-01-26 00:00", {"2026-03-02 00:00", "2026-03-09 00:00"}},
        {"\t 5   4\t* * * ", "2026-01-01 00:00", {"2026-01-01 04:05"}},
        {"0 0 1 1 *", "1999-12-31 23:59", {"2000-01-01 00:00", "2001-01-01 00:00"}},
        {"* * * * *", "1960-01-01 00:00", {"1970-01-01 00:00"}},
    };

    (void)state;
    CHECK(cases);
}

static void test_days_of_the_week(void **state)
{
    static const tick_case cases[] = {
        {"0 0 * * 1", "2026-01-01 00:00", {"2026-01-05 00:00", "2026-01-12 00:00"}},
        {"0 0 * * Sun", "2026-01-01 00:00", {"2026-01-04 00:00", "2026-01-11 00:00"}},
        {"0 0 * * 0", "2026-01-01 00:00", {"2026-01-04 00:00"}},
        {"0 0 * * 7", "2026-01-01 00:00", {"2026-01-04 00:00"}},
        {"0 0 * * mon-fri", "2026-01-02 00:00", {"2026-01-05 00:00", "2026-01-06 00:00"}},
        {"0 0 * * fri-sun",
         "2026-01-01 00:00",
         {"2026-01-02 00:00", "2026-01-03 00:00", "2026-01-04 00:00", "2026-01-09 00:00"}},
        {"0 0 * * 5-7/2", "2026-01-01 00:00", {"2026-01-02 00:00", "2026-01-04 00:00"}},
        {"0 0 * * */2",
         "2026-01-01 12:00",
         {"2026-01-03 00:00", "2026-01-04 00:00", "2026-01-06 00:00"}},
        /* one of two restricted days is enough */
        {"0 0 13 * fri",
         "2026-01-08 00:00",
         {"2026-01-09 00:00", "2026-01-13 00:00", "2026-01-16 00:00"}},
        {"0 0 30 2 1", "2026-01-08 00:00", {"2026-02-02 00:00", "2026-02-09 00:00"}},
        /* what begins with a star is not restricted, so both must match */
        {"0 0 */10 * fri", "2026-01-01 00:00", {"2026-05-01 00:00", "2026-07-31 00:00"}},
        {"0 0 13 * */5", "2026-01-01 00:00", {"2026-02-13 00:00", "2026-03-13 00:00"}},
    };

    (void)state;
    CHECK(cases);
}

static void test_leap_years(void **state)
{
    static const tick_case cases[] = {
        {"0 0 29 2 *", "2025-01-01 00:00", {"2028-02-29 00:00", "2032-02-29 00:00"}},
        {"0 0 29 feb *", "2096-02-29 00:00", {"2104-02-29 00:00"}},
        {"0 0 29 2 *", "1999-12-01 00:00", {"2000-02-29 00:00", "2004-02-29 00:00"}},
        /* a Sunday; 1900 and 2100 have no such day */
        {"0 0 29 2 */7", "2026-01-01 00:00", {"2032-02-29 00:00", "2060-02-29 00:00"}},
        {"0 0 29 2 */7", "2088-02-29 00:00", {"2128-02-29 00:00"}},
        {"30 6 28-31 2 *", "2024-02-28 06:30", {"2024-02-29 06:30", "2025-02-28 06:30"}},
    };

    (void)state;
    CHECK(cases);
}

static void test_nicknames(void **state)
{
    static const tick_case cases[] = {
        {"@hourly", "2026-01-01 00:00", {"2026-01-01 01:00", "2026-01-01 02:00"}},
        {"@daily", "2026-01-01 00:00", {"2026-01-02 00:00", "2026-01-03 00:00"}},
        {"@midnight", "2026-01-01 00:00", {"2026-01-02 00:00"}},
        {"@weekly", "2026-01-01 00:00", {"2026-01-04 00:00", "2026-01-11 00:00"}},
        {"@monthly", "2026-01-01 00:00", {"2026-02-01 00:00", "2026-03-01 00:00"}},
        {"@yearly", "2026-01-01 00:00", {"2027-01-01 00:00", "2028-01-01 00:00"}},
        {"@annually ", "2026-01-01 00:00", {"2027-01-01 00:00"}},
        {BERLIN " @daily", "2026-01-01 00:00", {"2026-01-01 23:00", "2026-01-02 23:00"}},
    };

    (void)state;
    CHECK(cases);
}

/* Berlin: on 2026-03-29 at 01:00 UTC, 02:00 becomes 03:00; on 2026-10-25 at 01:00 UTC, 03:00 becomes
 * 02:00. */
static void test_clocks_are_changed_in_berlin(void **state)
{
    static const tick_case cases[] = {
        {BERLIN "0 9 * * *",
         "2026-03-28 00:00",
         {"2026-03-28 08:00", "2026-03-29 07:00", "2026-03-30 07:00"}},
        /* skipped: at the change */
        {BERLIN "30 2 * * *",
         "2026-03-28 00:00",
         {"2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30"}},
        {BERLIN "0 2 * * *",
         "2026-03-28 00:00",
         {"2026-03-28 01:00", "2026-03-29 01:00", "2026-03-30 00:00"}},
        {BERLIN "0 3 * * *",
         "2026-03-28 00:00",
         {"2026-03-28 02:00", "2026-03-29 01:00", "2026-03-30 01:00"}},
        /* several that were skipped are one */
        {BERLIN "5,10,20 2 * * *",
         "2026-03-28 12:00",
         {"2026-03-29 01:00", "2026-03-30 00:05", "2026-03-30 00:10"}},
        {BERLIN "15 1-3 * * *",
         "2026-03-29 00:00",
         {"2026-03-29 00:15", "2026-03-29 01:00", "2026-03-29 01:15", "2026-03-29 23:15"}},
        {BERLIN "0 */2 * * *",
         "2026-03-28 23:00",
         {"2026-03-29 01:00", "2026-03-29 02:00", "2026-03-29 04:00"}},
        /* what goes by the clock has nothing to make up for */
        {BERLIN "*/30 2 * * *", "2026-03-28 12:00", {"2026-03-30 00:00", "2026-03-30 00:30"}},
        {BERLIN "30 * * * *",
         "2026-03-28 23:30",
         {"2026-03-29 00:30", "2026-03-29 01:30", "2026-03-29 02:30"}},
        {BERLIN "*/30 * * * *",
         "2026-03-29 00:00",
         {"2026-03-29 00:30", "2026-03-29 01:00", "2026-03-29 01:30"}},
        /* comes again: the first time only */
        {BERLIN "30 2 * * *",
         "2026-10-24 12:00",
         {"2026-10-25 00:30", "2026-10-26 01:30", "2026-10-27 01:30"}},
        {BERLIN "0 2,3 * * *",
         "2026-10-24 12:00",
         {"2026-10-25 00:00", "2026-10-25 02:00", "2026-10-26 01:00"}},
        {BERLIN "59 1,2 * * *",
         "2026-10-24 12:00",
         {"2026-10-24 23:59", "2026-10-25 00:59", "2026-10-26 00:59"}},
        /* but by the clock, again */
        {BERLIN "30 * * * *",
         "2026-10-25 00:00",
         {"2026-10-25 00:30", "2026-10-25 01:30", "2026-10-25 02:30"}},
        {BERLIN "*/30 2 * * *",
         "2026-10-24 12:00",
         {"2026-10-25 00:00", "2026-10-25 00:30", "2026-10-25 01:00", "2026-10-25 01:30",
          "2026-10-26 01:00"}},
        /* a tick that would be skipped on a day that does not match is none */
        {BERLIN "30 2 * * mon", "2026-03-28 12:00", {"2026-03-30 00:30"}},
        {BERLIN "30 2 29 3 *", "2026-01-01 00:00", {"2026-03-29 01:00", "2027-03-29 00:30"}},
        /* from the rule for years that the database does not list */
        {BERLIN "30 2 * * *", "2060-03-27 12:00", {"2060-03-28 01:00", "2060-03-29 00:30"}},
    };

    (void)state;
    CHECK(cases);
}

/* New York: on 2026-03-08 at 07:00 UTC, 02:00 becomes 03:00; on 2026-11-01 at 06:00 UTC, 02:00 becomes
 * 01:00. */
static void test_clocks_are_changed_in_new_york(void **state)
{
    static const tick_case cases[] = {
        {NEW_YORK "30 2 * * *",
         "2026-03-07 00:00",
         {"2026-03-07 07:30", "2026-03-08 07:00", "2026-03-09 06:30"}},
        {NEW_YORK "0 0 * * *",
         "2026-03-07 12:00",
         {"2026-03-08 05:00", "2026-03-09 04:00", "2026-03-10 04:00"}},
        {NEW_YORK "30 1 * * *",
         "2026-10-31 12:00",
         {"2026-11-01 05:30", "2026-11-02 06:30", "2026-11-03 06:30"}},
        {NEW_YORK "@hourly",
         "2026-11-01 04:00",
         {"2026-11-01 05:00", "2026-11-01 06:00", "2026-11-01 07:00"}},
        {NEW_YORK "@daily", "2026-10-31 12:00", {"2026-11-01 04:00", "2026-11-02 05:00"}},
    };

    (void)state;
    CHECK(cases);
}

static void test_unusual_changes(void **state)
{
    static const tick_case cases[] = {
        /* half an hour: 2026-10-03 15:30 UTC, 02:00 becomes 02:30 */
        {"TZ=Australia/Lord_Howe 15 2 * * *",
         "2026-10-03 00:00",
         {"2026-10-03 15:30", "2026-10-04 15:15"}},
        {"TZ=Australia/Lord_Howe 45 1 * * *",
         "2026-04-04 00:00",
         {"2026-04-04 14:45", "2026-04-05 15:15"}},
        /* Samoa went without 2011-12-30: too great to be made up for */
        {"TZ=Pacific/Apia 0 12 * * *",
         "2011-12-29 00:00",
         {"2011-12-29 22:00", "2011-12-30 22:00", "2011-12-31 22:00"}},
        {"TZ=Asia/Kathmandu 0 0 * * *", "2026-01-01 00:00", {"2026-01-01 18:15"}},
    };

    (void)state;
    CHECK(cases);
}

static void test_lines_that_are_none_are_refused(void **state)
{
    static const struct {
        const char *line;
        const char *says;
    } bad[] = {
        {"", "0 fields"},
        {"* * * *", "4 fields"},
        {"* * * * * *", "6 fields"},
        {"60 * * * *", "minute: 60 is not from 0 to 59"},
        {"-1 * * * *", "minute: a number is missing before -1"},
        {"* 24 * * *", "hour: 24"},
        {"* * 0 * *", "day of the month: 0"},
        {"* * 32 * *", "day of the month: 32"},
        {"* * * 13 *", "month: 13"},
        {"* * * 0 *", "month: 0"},
        {"* * * * 8", "day of the week: 8"},
        {"* * * foo *", "month: there is no 'foo'"},
        {"* * * january *", "month: there is no 'january'"},
        {"* * * * ja", "day of the week: there is no 'ja'"},
        {"jan * * * *", "minute: there is no 'jan'"},
        {"5-1 * * * *", "minute: the range ends before it begins"},
        {"5/15 * * * *", "minute: a step needs a range: 5-59/15"},
        {"*/0 * * * *", "minute: a step of 0"},
        {"*/60 * * * *", "minute: a step of 60"},
        {"*/ * * * *", "minute: a number is missing"},
        {"1, * * * *", "minute: a number is missing"},
        {",1 * * * *", "minute: a number is missing"},
        {"1--2 * * * *", "minute: a number is missing"},
        {"1-2-3 * * * *", "minute: '-3' is not understood"},
        {"** * * * *", "minute: '*' is not understood"},
        {"*5 * * * *", "minute: '5' is not understood"},
        {"1.5 * * * *", "minute: '.5' is not understood"},
        {"99999999999999999999 * * * *", "minute: 99999999999999999999 is not"},
        {"0 0 30 2 *", "never"},
        {"0 0 31 2,4,6,9,11 *", "never"},
        {"0 0 30 2 */2", "never"},
        {"@reboot", "@hourly"},
        {"@daily 5", "@hourly"},
        {"@", "@hourly"},
        {"TZ=Europe/Atlantis * * * * *", "no time zone is named Europe/Atlantis"},
        {"TZ=../../etc/passwd * * * * *", "a time zone has a name"},
        {"TZ= * * * * *", "a time zone has a name"},
        {"TZ=UTC", "0 fields"},
        {"* * * * *\n", "character"},
        {"* * * * \xc3\xa4", "character"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cron *c = NULL;
        error err = {0};

        assert_int_equal(cron_create(&c, bad[i].line, "UTC", &err), E_INVALID);
        assert_null(c);
        if (!strstr(error_text(&err), bad[i].says))
            fail_msg("%s: %s", bad[i].line, error_text(&err));
        error_deinit(&err);
        assert_int_equal(cron_create(&c, bad[i].line, "UTC", NULL), E_INVALID);
    }
}

static void test_long_lines_are_refused(void **state)
{
    char line[2000];
    cron *c = NULL;

    (void)state;
    memset(line, ' ', sizeof line);
    strcpy(line + sizeof line - 10, "* * * * *");
    assert_int_equal(cron_create(&c, line, "UTC", NULL), E_INVALID);
}

static void test_the_zone_of_a_line_goes_before_the_projects(void **state)
{
    cron *c = NULL;
    int64_t at;

    (void)state;
    assert_int_equal(cron_create(&c, "0 12 * * *", "Europe/Berlin", NULL), 0);
    assert_true(cron_next(c, seconds("2026-01-01 00:00"), &at));
    assert_int_equal(at, seconds("2026-01-01 11:00"));
    cron_destroy(c);
    assert_int_equal(cron_create(&c, "TZ=UTC 0 12 * * *", "Europe/Berlin", NULL), 0);
    assert_true(cron_next(c, seconds("2026-01-01 00:00"), &at));
    assert_int_equal(at, seconds("2026-01-01 12:00"));
    cron_destroy(c);
}

static void test_the_last_tick(void **state)
{
    cron *c = create("*/15 * * * *");
    int64_t at = 0;

    (void)state;
    assert_true(cron_last(c, seconds("2026-01-01 00:00"), seconds("2026-01-01 03:44"), &at));
    assert_int_equal(at, seconds("2026-01-01 03:30"));
    assert_true(cron_last(c, seconds("2026-01-01 00:00"), seconds("2026-01-01 03:45"), &at));
    assert_int_equal(at, seconds("2026-01-01 03:45"));
    assert_false(cron_last(c, seconds("2026-01-01 03:45"), seconds("2026-01-01 03:59"), &at));
    cron_destroy(c);
}

static void test_time_ends(void **state)
{
    cron *c = create("* * * * *");
    int64_t at = 0;

    (void)state;
    assert_true(cron_next(c, seconds("9999-12-31 23:00"), &at));
    assert_false(cron_next(c, seconds("9999-12-31 23:59"), &at));
    assert_false(cron_next(c, INT64_MAX, &at));
    assert_true(cron_next(c, INT64_MIN, &at));
    assert_int_equal(at, 0);
    cron_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_say_when),
        cmocka_unit_test(test_days_of_the_week),
        cmocka_unit_test(test_leap_years),
        cmocka_unit_test(test_nicknames),
        cmocka_unit_test(test_clocks_are_changed_in_berlin),
        cmocka_unit_test(test_clocks_are_changed_in_new_york),
        cmocka_unit_test(test_unusual_changes),
        cmocka_unit_test(test_lines_that_are_none_are_refused),
        cmocka_unit_test(test_long_lines_are_refused),
        cmocka_unit_test(test_the_zone_of_a_line_goes_before_the_projects),
        cmocka_unit_test(test_the_last_tick),
        cmocka_unit_test(test_time_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
