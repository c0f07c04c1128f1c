#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/calendar.h"

#include <time.h>

static void test_every_day_agrees_with_the_c_library(void **state)
{
    (void)state;
    for (int64_t day = -200000; day < 400000; day++) {
        time_t at = day * CALENDAR_DAY_SECONDS;
        calendar_date date = calendar_date_of(day);
        struct tm tm;

        gmtime_r(&at, &tm);
        assert_int_equal(date.year, tm.tm_year + 1900);
        assert_int_equal(date.month, tm.tm_mon + 1);
        assert_int_equal(date.day, tm.tm_mday);
        assert_int_equal(calendar_weekday(day), tm.tm_wday);
        assert_int_equal(calendar_days(date.year, date.month, date.day), day);
    }
}

static void test_months_end_where_the_next_one_begins(void **state)
{
    (void)state;
    for (int64_t year = 1600; year < 2500; year++)
        for (int month = 1; month <= 12; month++) {
            int64_t next =
                month == 12 ? calendar_days(year + 1, 1, 1) : calendar_days(year, month + 1, 1);

            assert_int_equal(calendar_month_days(year, month),
                             next - calendar_days(year, month, 1));
        }
}

static void test_times_are_written_as_rfc_3339_has_them(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {1709210096789, "2024-02-29T12:34:56.789Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
        {INT64_MIN, "0000-01-01T00:00:00.000Z"},
    };
    char text[CALENDAR_TIME_BYTES];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        calendar_put_time(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_day_agrees_with_the_c_library),
        cmocka_unit_test(test_months_end_where_the_next_one_begins),
        cmocka_unit_test(test_times_are_written_as_rfc_3339_has_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
