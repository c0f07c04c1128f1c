#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "services/time_zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define YEAR_2200 7258118400

static time_zone *open_zone(const char *name)
{
    time_zone *z = NULL;
    error err = {0};

    if (time_zone_open(&z, name, &err))
        fail_msg("%s: %s", name, error_text(&err));
    return z;
}

/* The C library, which knows one zone a process, as the judge. */
static void check_against_the_c_library(const char *name)
{
    time_zone *z = open_zone(name);
    struct tm tm;

    setenv("TZ", name, 1);
    tzset();
    for (time_t at = 0; at < YEAR_2200; at += 41 * 3600 + 1800) {
        time_zone_span span = time_zone_at(z, at);
        time_t edge[] = {at, span.from, span.until - 1};

        assert_true(span.from <= at && at < span.until);
        for (size_t i = 0; i < 3; i++) {
            if (edge[i] < 0 || edge[i] > YEAR_2200)
                continue;
            localtime_r(&edge[i], &tm);
            if (tm.tm_gmtoff != span.offset)
                fail_msg("%s at %lld: %ld and not %d", name, (long long)edge[i], tm.tm_gmtoff,
                         span.offset);
        }
    }
    time_zone_destroy(z);
}

static void test_offsets_are_those_of_the_c_library(void **state)
{
    static const char *const names[] = {
        "UTC",           "Europe/Berlin",        "America/New_York", "Australia/Lord_Howe",
        "Europe/Dublin", "Pacific/Apia",         "Asia/Kathmandu",   "Africa/Casablanca",
        "Asia/Gaza",     "America/Scoresbysund", "Etc/GMT+5",        "America/Sao_Paulo",
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check_against_the_c_library(names[i]);
    unsetenv("TZ");
    tzset();
}

static void test_names_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "/",
        "Europe",
        "Europe/",
        "/etc/passwd",
        "../zoneinfo/UTC",
        "Europe/../UTC",
        "Europe//Berlin",
        "Europe/Berlin ",
        "Europe/Atlantis",
        "tzdata.zi",
        "leapseconds",
        "right/Europe/Berlin",
        "./UTC",
        "a23456789/123456789/123456789/123456789/123456789/123456789/12345",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        time_zone *z = NULL;
        error err = {0};

        assert_int_not_equal(time_zone_open(&z, bad[i], &err), 0);
        assert_null(z);
        assert_non_null(err.text);
        error_deinit(&err);
    }
}

/* A file of version 2 without any change and with the rule `rule`. */
static int read_rule(time_zone **out, const char *rule)
{
    static const uint8_t block[44 + 6 + 4] = {'T', 'Z', 'i', 'f', '2', [39] = 1, [43] = 4};
    buf file;
    int rc;

    buf_init(&file, 10000);
    assert_int_equal(buf_append(&file, block, sizeof block), 0);
    assert_int_equal(buf_append(&file, block, sizeof block), 0);
    assert_int_equal(buf_printf(&file, "\n%s\n", rule), 0);
    rc = time_zone_read(out, buf_slice(&file), NULL);
    buf_deinit(&file);
    return rc;
}

static void test_rules_are_read(void **state)
{
    static const struct {
        const char *rule;
        int64_t at;
        int32_t offset;
        int64_t until;
    } cases[] = {
        {"CET-1", 0, 3600, INT64_MAX},
        {"<+0545>-5:45", 0, 20700, INT64_MAX},
        {"<-00:30:15>0:30:15", 0, -1815, INT64_MAX},
        /* 2026: March 29 01:00 and October 25 01:00 UTC */
        {"CET-1CEST,M3.5.0,M10.5.0/3", 1774745999, 3600, 1774746000},
        {"CET-1CEST,M3.5.0,M10.5.0/3", 1774746000, 7200, 1792890000},
        /* southern: April 5 and October 4 at 02:00 */
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", 1775318399, 39600, 1775318400},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", 1775318400, 36000, 1791043200},
        /* J60 is March 1 in every year, 59 February 29 in a leap year */
        {"A-B,J60/0,J300", 0, 0, 0},
        {"AAA0BBB,J60/0,J300/0", 1709251199, 0, 1709251200},
        {"AAA0BBB,59/0,300/0", 1709164799, 0, 1709164800},
        {"AAA0BBB,59/0,300/0", 1772323199, 0, 1772323200},
        /* hours before and after the day that is named; Greenland and Egypt had such */
        {"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 1774745999, -7200, 1774746000},
        {"EET-2EEST,M4.5.5/0,M10.5.4/24", 1776981599, 7200, 1776981600},
        /* summer time throughout */
        {"XXX3EDT4,0/0,J365/23", 1774745999, -14400, 1798772400},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        time_zone *z = NULL;
        int rc = read_rule(&z, cases[i].rule);
        time_zone_span span;

        if (cases[i].until == 0) {
            assert_int_equal(rc, E_INVALID);
            continue;
        }
        assert_int_equal(rc, 0);
        span = time_zone_at(z, cases[i].at);
        if (span.offset != cases[i].offset || span.until != cases[i].until)
            fail_msg("%s: %d until %lld", cases[i].rule, span.offset, (long long)span.until);
        time_zone_destroy(z);
    }
}

static void test_rules_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = {
        "C-1",
        "CET",
        "CET-25",
        "CET-1:60",
        "CET-1x",
        "<CET-1",
        "CET-1CEST",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M3.5.0,",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,J0,J300",
        "CET-1CEST,J366,J300",
        "CET-1CEST,366,300",
        "CET-1CEST,M3.5.0/168,M10.5.0",
        "CET-1CEST,M3.5.0,M10.5.0/3 ",
        "CET-99999999999999999999",
        "CET-1CEST,M3.5.0,M10.5.0/",
        "CET-1CEST,99999999999999999999,1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        time_zone *z = NULL;

        assert_int_equal(read_rule(&z, bad[i]), E_INVALID);
        assert_null(z);
    }
}

/* Cut off anywhere, a file is refused: what it lacks cannot be guessed. */
static void test_files_that_are_cut_off_are_refused(void **state)
{
    time_zone *z = NULL;
    buf file;

    (void)state;
    buf_init(&file, 100000);
    assert_int_equal(file_read("/usr/share/zoneinfo/Europe/Berlin", &file, NULL), 0);
    for (size_t len = 0; len < file.len; len++) {
        uint8_t *exact = malloc(len + 1);

        assert_non_null(exact);
        memcpy(exact, file.data, len);
        assert_int_equal(time_zone_read(&z, slice_of(exact, len), NULL), E_INVALID);
        free(exact);
    }
    assert_int_equal(time_zone_read(&z, buf_slice(&file), NULL), 0);
    time_zone_destroy(z);
    buf_deinit(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_offsets_are_those_of_the_c_library),
        cmocka_unit_test(test_names_that_are_none_are_refused),
        cmocka_unit_test(test_rules_are_read),
        cmocka_unit_test(test_rules_that_are_none_are_refused),
        cmocka_unit_test(test_files_that_are_cut_off_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
