#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "build/process.h"

static processes *all;

static int set_up(void **state)
{
    (void)state;
    return processes_create(&all, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    processes_destroy(all);
    return 0;
}

/* Runs a shell's script; what it printed, to be freed. */
static char *run(const char *script, const command *c, int *status, int *rc)
{
    arguments a = {0};
    command with = c ? *c : (command){0};
    error err = {0};
    char *text;
    buf said;

    buf_init(&said, 64);
    arguments_add(&a, "/bin/sh");
    arguments_add(&a, "-c");
    arguments_add(&a, "%s", script);
    with.arguments = &a;
    *status = -1;
    *rc = process_run(all, &with, &said, status, &err);
    text = buf_take_str(&said);
    buf_deinit(&said);
    arguments_deinit(&a);
    error_deinit(&err);
    return text;
}

static void assert_runs(const char *script, const command *c, int code, const char *output)
{
    int status, rc;
    char *text = run(script, c, &status, &rc);

    assert_int_equal(rc, 0);
    assert_int_equal(status, code);
    assert_string_equal(text, output);
    free(text);
}

static void test_running(void **state)
{
    (void)state;
    assert_runs("exit 0", NULL, 0, "");
    assert_runs("echo a; echo b >&2; exit 7", NULL, 7, "a\nb\n");
    assert_runs("kill -9 $$", NULL, 137, "");
    assert_runs("read line; echo \"<$line>\"", NULL, 0, "<>\n");
}

static void test_directory_and_environment(void **state)
{
    const char *const environment[] = {"UBIQ_TEST=new", "UBIQ_MORE=more", NULL};
    const command c = {.directory = "/usr", .environment = environment};

    (void)state;
    setenv("UBIQ_TEST", "old", 1);
    setenv("UBIQ_TEST_KEPT", "kept", 1);
    assert_runs("pwd; echo $UBIQ_TEST $UBIQ_MORE $UBIQ_TEST_KEPT", &c, 0, "/usr\nnew more kept\n");
}

static void test_signals_are_as_usual(void **state)
{
    sigset_t blocked, before;

    (void)state;
    sigfillset(&blocked);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    signal(SIGPIPE, SIG_IGN);
    assert_runs("kill -PIPE $$", NULL, 128 + SIGPIPE, "");
    assert_runs("kill -TERM $$", NULL, 128 + SIGTERM, "");
    signal(SIGPIPE, SIG_DFL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void test_much_output(void **state)
{
    int status, rc;
    char *text = run("head -c 1000000 /dev/zero | tr '\\0' x", NULL, &status, &rc);

    (void)state;
    assert_int_equal(rc, 0);
    assert_int_equal(status, 0);
    assert_int_equal(strlen(text), 64);
    free(text);
}

static void test_no_program(void **state)
{
    arguments a = {0};
    command c = {.arguments = &a};
    error err = {0};
    int status = -1;
    buf said;

    (void)state;
    buf_init(&said, 64);
    assert_int_equal(process_run(all, &c, &said, &status, &err), E_NO_MEMORY);
    arguments_add(&a, "/nowhere/compiler");
    assert_int_equal(process_run(all, &c, &said, &status, &err), E_NOT_FOUND);
    assert_string_equal(error_text(&err), "/nowhere/compiler: No such file or directory");
    assert_int_equal(status, -1);
    for (int i = 0; i < LIMIT_BUILD_ARGUMENTS + 1; i++)
        arguments_add(&a, "%d", i);
    assert_true(a.no_memory);
    arguments_deinit(&a);
    error_deinit(&err);
}

static void *stop_soon(void *arg)
{
    (void)arg;
    usleep(100000);
    processes_stop(all);
    return NULL;
}

/* Children of the program end too: they would hold the pipe open. */
static void test_stopping(void **state)
{
    uint64_t begin = clock_ns();
    pthread_t thread;
    int status, rc;

    (void)state;
    assert_false(processes_stopped(all));
    assert_int_equal(pthread_create(&thread, NULL, stop_soon, NULL), 0);
    free(run("sleep 20 & sleep 20; echo x", NULL, &status, &rc));
    pthread_join(thread, NULL);
    assert_int_equal(rc, E_BUSY);
    assert_true(clock_ns() - begin < 10000000000);
    assert_true(processes_stopped(all));
    free(run("echo x", NULL, &status, &rc));
    assert_int_equal(rc, E_BUSY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_running, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_directory_and_environment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_signals_are_as_usual, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_much_output, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_program, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_stopping, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
