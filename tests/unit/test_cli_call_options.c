#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The program's own files are in no library that a test could link. */
#include "cli/call_options.c"

#define MAX_ARGUMENTS 16

/* Parses the words of `line`, which must live as long as `out`, as what stands behind "ubiq". */
static int parse(char *line, call_options *out, error *err)
{
    static char *argv[MAX_ARGUMENTS + 1];
    int argc = 0;

    for (char *word = strtok(line, " "); word && argc < MAX_ARGUMENTS; word = strtok(NULL, " "))
        argv[argc++] = word;
    argv[argc] = NULL;
    return call_options_parse(argc, argv, out, err);
}

static void assert_refused(const char *arguments, const char *text)
{
    char line[256];
    call_options o;
    error err = {0};

    snprintf(line, sizeof line, "call %s", arguments);
    assert_int_equal(parse(line, &o, &err), E_INVALID);
    assert_string_equal(error_text(&err), text);
    call_options_deinit(&o);
    error_deinit(&err);
}

static void assert_config(const call_options *o, const char *key, const char *value)
{
    slice found;

    assert_true(strmap_get(&o->config, slice_str(key), &found));
    assert_true(slice_equal_str(found, value));
}

static void test_without_flags_the_defaults_hold(void **state)
{
    char line[] = "call file function";
    call_options o;

    (void)state;
    assert_int_equal(parse(line, &o, NULL), 0);
    assert_string_equal(o.file, "file");
    assert_string_equal(o.function, "function");
    assert_null(o.input);
    assert_string_equal(o.log_level, "error");
    assert_int_equal(o.loop, 1);
    assert_int_equal(o.timeout_ms, 0);
    assert_int_equal(o.memory_pages, 0);
    assert_int_equal(o.http_response_max, -1);
    assert_int_equal(o.var_max, -1);
    assert_false(o.read_stdin || o.is_manifest || o.wasi || o.http_response_headers || o.help);
    assert_int_equal(o.config.count + o.links.count + o.hosts.count + o.paths.count, 0);
    call_options_deinit(&o);
}

static void test_flags_stand_before_between_and_behind_the_arguments(void **state)
{
    char line[] = "call --wasi file -mi=x --timeout=1000 function --log-level debug --loop 0x10";
    call_options o;

    (void)state;
    assert_int_equal(parse(line, &o, NULL), 0);
    assert_string_equal(o.file, "file");
    assert_string_equal(o.function, "function");
    assert_true(o.wasi && o.is_manifest);
    assert_string_equal(o.input, "x");
    assert_int_equal(o.timeout_ms, 1000);
    assert_string_equal(o.log_level, "debug");
    assert_int_equal(o.loop, 16);
    call_options_deinit(&o);
}

static void test_two_dashes_end_the_flags(void **state)
{
    char line[] = "call -- --wasi --help";
    call_options o;

    (void)state;
    assert_int_equal(parse(line, &o, NULL), 0);
    assert_string_equal(o.file, "--wasi");
    assert_string_equal(o.function, "--help");
    assert_false(o.wasi || o.help);
    call_options_deinit(&o);
}

static void test_an_input_keeps_its_signs(void **state)
{
    static const struct {
        const char *flag;
        const char *input;
    } cases[] = {
        {"-i x=y", "x=y"}, {"-ix", "x"},    {"-i=x", "x"},        {"-i==x", "=x"},
        {"-i =x", "=x"},   {"-i= f", ""},   {"--input =x", "=x"}, {"--input==x", "=x"},
        {"--input=", ""},  {"-i -m", "-m"}, {"--input -x", "-x"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char line[64];
        call_options o;

        snprintf(line, sizeof line, "call a %s%s", cases[i].flag,
                 strchr(cases[i].flag, 'f') ? "" : " f");
        assert_int_equal(parse(line, &o, NULL), 0);
        assert_string_equal(o.input, cases[i].input);
        call_options_deinit(&o);
    }
}

static void test_switches_take_a_value(void **state)
{
    char line[] = "call --wasi=false --stdin=T -m --manifest=0 --help=f "
                  "--enable-http-response-headers=1 a b";
    call_options o;

    (void)state;
    assert_int_equal(parse(line, &o, NULL), 0);
    assert_false(o.wasi || o.is_manifest || o.help);
    assert_true(o.read_stdin && o.http_response_headers);
    call_options_deinit(&o);
}

static void test_flags_that_repeat_keep_their_order(void **state)
{
    char line[] = "call a b --link x=1 --allow-host h1 --link 2 --allow-path p:q --allow-host h2";
    call_options o;

    (void)state;
    assert_int_equal(parse(line, &o, NULL), 0);
    assert_int_equal(o.links.count, 2);
    assert_string_equal(o.links.item[0], "x=1");
    assert_string_equal(o.links.item[1], "2");
    assert_int_equal(o.hosts.count, 2);
    assert_string_equal(o.hosts.item[1], "h2");
    assert_int_equal(o.paths.count, 1);
    assert_string_equal(o.paths.item[0], "p:q");
    call_options_deinit(&o);
}

static void test_config_goes_before_set_config(void **state)
{
    char line[] = "call a b --config k=1 --set-config {\"k\":\"2\",\"l\":\"3\"} --config m "
                  "--config n=x=y --config n==";
    call_options o;

    (void)state;
    assert_int_equal(parse(line, &o, NULL), 0);
    assert_int_equal(o.config.count, 4);
    assert_config(&o, "k", "1");
    assert_config(&o, "l", "3");
    assert_config(&o, "m", "");
    assert_config(&o, "n", "=");
    call_options_deinit(&o);
}

static void test_help_asks_for_nothing_else(void **state)
{
    char line[] = "call --help --nonsense";
    call_options o;

    (void)state;
    assert_int_equal(parse(line, &o, NULL), 0);
    assert_true(o.help);
    call_options_deinit(&o);
}

static void test_bad_arguments_are_refused(void **state)
{
    (void)state;
    assert_refused("", "a file and a function are missing");
    assert_refused("a", "the name of a function is missing");
    assert_refused("a b c", "one argument too many: c");
    assert_refused("a b -x", "unknown flag -x");
    assert_refused("-mx a b", "unknown flag -x");
    assert_refused("--wasi -mx a b", "unknown flag -x");
    assert_refused("a b --wsai", "unknown flag --wsai");
    assert_refused("a b --wsai=1", "unknown flag --wsai=1");
    assert_refused("a b -i", "--input needs a value");
    assert_refused("a b --timeout", "--timeout needs a value");
    assert_refused("a b -i x --stdin", "--input and --stdin exclude each other");
    assert_refused("a b --wasi=yes", "--wasi takes true or false, not \"yes\"");
    assert_refused("a b --log-level=loud",
                   "--log-level takes trace, debug, info, warn or error, not \"loud\"");
}

static void test_bad_numbers_are_refused(void **state)
{
    (void)state;
    assert_refused("a b --loop=", "--loop takes a whole number, not \"\"");
    assert_refused("a b --loop=1.5", "--loop takes a whole number, not \"1.5\"");
    assert_refused("a b --loop=9223372036854775808",
                   "--loop takes a whole number, not \"9223372036854775808\"");
    assert_refused("a b --var-max=\t1", "--var-max takes a whole number, not \"\t1\"");
    assert_refused("a b --memory-max=4294967296",
                   "--memory-max: 4294967296 is more than the maximum, 4294967295");
    assert_refused("a b --timeout=-1", "--timeout takes a number of milliseconds, not \"-1\"");
    assert_refused("a b --timeout=18446744073709551616",
                   "--timeout takes a number of milliseconds, not \"18446744073709551616\"");
}

static void test_numbers_reach_their_ends(void **state)
{
    char line[] = "call a b --timeout 18446744073709551615 --memory-max 4294967295 "
                  "--var-max 9223372036854775807 --http-response-max 0 --loop -5";
    char negative[] = "call a b --memory-max -1";
    call_options o;

    (void)state;
    assert_int_equal(parse(line, &o, NULL), 0);
    assert_true(o.timeout_ms == UINT64_MAX);
    assert_true(o.memory_pages == UINT32_MAX);
    assert_true(o.var_max == INT64_MAX);
    assert_int_equal(o.http_response_max, 0);
    assert_int_equal(o.loop, -5);
    call_options_deinit(&o);
    assert_int_equal(parse(negative, &o, NULL), 0);
    assert_int_equal(o.memory_pages, 0);
    call_options_deinit(&o);
}

static void test_bad_configuration_is_refused(void **state)
{
    (void)state;
    assert_refused("a b --set-config []", "--set-config: expected an object, found an array");
    assert_refused("a b --set-config {\"k\":null}",
                   "--set-config: k: expected a string, found null");
    assert_refused("a b --set-config \xff", "--set-config: not UTF-8");
    assert_refused("a b --config k=\xc0\x80", "--config: \"k=\xc0\x80\" is not UTF-8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_flags_the_defaults_hold),
        cmocka_unit_test(test_flags_stand_before_between_and_behind_the_arguments),
        cmocka_unit_test(test_two_dashes_end_the_flags),
        cmocka_unit_test(test_an_input_keeps_its_signs),
        cmocka_unit_test(test_switches_take_a_value),
        cmocka_unit_test(test_flags_that_repeat_keep_their_order),
        cmocka_unit_test(test_config_goes_before_set_config),
        cmocka_unit_test(test_help_asks_for_nothing_else),
        cmocka_unit_test(test_bad_arguments_are_refused),
        cmocka_unit_test(test_bad_numbers_are_refused),
        cmocka_unit_test(test_numbers_reach_their_ends),
        cmocka_unit_test(test_bad_configuration_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
