#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/limits.h"
#include "server/log_writer.h"

#define PIECE 65536

/* The two ends of a pipe. */
static int reading, writing;

static int set_up(void **state)
{
    int fds[2];

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    if (pipe(fds) != 0)
        return -1;
    reading = fds[0];
    writing = fds[1];
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(reading);
    close(writing);
    return 0;
}

static log_writer *make(void)
{
    log_writer *w;

    assert_int_equal(log_writer_create(&w, writing, NULL), 0);
    return w;
}

static void put(log_writer *w, const char *text)
{
    log_writer_put(w, strdup(text), strlen(text));
}

/* Puts lines of 64 bytes. */
static void put_lines(log_writer *w)
{
    char *data = malloc(PIECE);

    memset(data, 'x', PIECE);
    for (size_t i = 63; i < PIECE; i += 64)
        data[i] = '\n';
    log_writer_put(w, data, PIECE);
}

static void read_exactly(const char *expected)
{
    char text[256] = {0};
    size_t len = 0;

    while (len < strlen(expected)) {
        ssize_t n = read(reading, text + len, sizeof text - 1 - len);

        assert_true(n > 0);
        len += (size_t)n;
    }
    assert_string_equal(text, expected);
}

static void test_lines_are_written_in_order(void **state)
{
    log_writer *w = make();

    (void)state;
    put(w, "one\n");
    put(w, "two\n");
    log_writer_destroy(w);
    read_exactly("one\ntwo\n");
}

/* Who puts lines never waits for who reads them: what is too much is counted. */
static void test_a_reader_that_does_not_read(void **state)
{
    const size_t all = 2 * LIMIT_LOG_BYTES / PIECE;
    size_t lines = 0, dropped = 0;
    log_writer *w = make();
    char line[256];
    FILE *f;

    (void)state;
    for (size_t i = 0; i < all; i++)
        put_lines(w);
    f = fdopen(dup(reading), "r");
    while (lines + dropped < all * PIECE / 64 && fgets(line, sizeof line, f)) {
        if (sscanf(line, "{\"dropped_lines\":%zu}", &dropped) != 1)
            lines++;
    }
    assert_int_equal(lines + dropped, all * PIECE / 64);
    assert_true(dropped > 0);
    assert_true(lines >= LIMIT_LOG_BYTES / 64 - PIECE / 64);
    log_writer_destroy(w);
    fclose(f);
}

/* /dev/full takes nothing; what was lost is told once there is room. */
static void test_a_full_disk(void **state)
{
    char path[] = "log_writer.XXXXXX";
    int full = open("/dev/full", O_WRONLY), file = mkstemp(path);
    char text[256] = {0};
    log_writer *w;

    (void)state;
    assert_true(full >= 0 && file >= 0);
    unlink(path);
    assert_int_equal(dup2(full, writing), writing);
    w = make();
    put(w, "lost\nlost too\n");
    usleep(50000);
    assert_int_equal(dup2(file, writing), writing);
    put(w, "kept\n");
    log_writer_destroy(w);
    assert_true(pread(file, text, sizeof text - 1, 0) > 0);
    assert_string_equal(text, "kept\n{\"dropped_lines\":2}\n");
    close(full);
    close(file);
}

/* A descriptor takes half a line, and nothing for a while. */
static void test_half_a_line(void **state)
{
    char *line = malloc(6000), block[4096];
    log_writer *w;

    (void)state;
    assert_int_equal(fcntl(writing, F_SETPIPE_SZ, 4096), 4096);
    assert_int_equal(fcntl(writing, F_SETFL, O_NONBLOCK), 0);
    memset(line, 'x', 6000);
    w = make();
    log_writer_put(w, line, 6000);
    usleep(50000);
    assert_int_equal(read(reading, block, sizeof block), 4096);
    put(w, "next\n");
    log_writer_destroy(w);
    assert_int_equal(fcntl(reading, F_SETFL, O_NONBLOCK), 0);
    read_exactly("\nnext\n");
}

static void test_nobody_reads_any_more(void **state)
{
    log_writer *w = make();

    (void)state;
    close(reading);
    for (int i = 0; i < 100; i++)
        put_lines(w);
    log_writer_destroy(w);
    reading = -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines_are_written_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_reader_that_does_not_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_half_a_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nobody_reads_any_more, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
