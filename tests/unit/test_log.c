#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "extism/limits.h"
#include "extism/log.h"

/* The log is set once a process, so each case runs in a process of its own, whose standard output
 * and error are read here. What is expected was seen on upstream 1.41.0. */

#define ID "01234567-89ab-4cde-8f01-23456789abcd"

typedef struct outcome {
    char out[16384]; /* standard output, with every time replaced by TIME */
    char err[16384];
} outcome;

static void read_all(int fd, char *into, size_t size)
{
    size_t len = 0;
    ssize_t got;

    while ((got = read(fd, into + len, size - 1 - len)) > 0)
        len += (size_t)got;
    into[len] = '\0';
    close(fd);
}

/* Replaces "2024-02-03T04:05:06.123456Z" by "TIME", wherever a thing of exactly this form is. */
static void hide_times(char *text)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.ddddddZ";
    size_t len = strlen(form);

    for (char *p = text; *p; p++) {
        size_t i = 0;

        while (i < len && (form[i] == 'd' ? p[i] >= '0' && p[i] <= '9' : p[i] == form[i]))
            i++;
        if (i == len) {
            memcpy(p, "TIME", 4);
            memmove(p + 4, p + len, strlen(p + len) + 1);
        }
    }
}

/* Runs `body` in a child. It must end with status 0. */
static void run(void (*body)(const void *), const void *argument, outcome *o)
{
    char name[] = "/tmp/test_log.XXXXXX";
    int err_fd = mkstemp(name);
    int out[2];
    int status;
    pid_t child;

    assert_int_equal(pipe(out), 0);
    unlink(name);
    child = fork();
    if (child == 0) {
        dup2(out[1], STDOUT_FILENO);
        dup2(err_fd, STDERR_FILENO);
        close(out[0]);
        close(out[1]);
        body(argument);
        fflush(stdout);
        _exit(0);
    }
    close(out[1]);
    read_all(out[0], o->out, sizeof o->out);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    lseek(err_fd, 0, SEEK_SET);
    read_all(err_fd, o->err, sizeof o->err);
    hide_times(o->out);
    hide_times(o->err);
}

static void print_line(const char *line, uint64_t len)
{
    fwrite(line, 1, (size_t)len, stdout);
    if (line[len] != '\0')
        abort();
}

static void log_every_level(const char *target)
{
    log_write(LOG_ERROR, target, ID, slice_str("e"));
    log_write(LOG_WARN, target, ID, slice_str("w"));
    log_write(LOG_INFO, target, ID, slice_str("i"));
    log_write(LOG_DEBUG, target, ID, slice_str("d"));
    log_write(LOG_TRACE, target, ID, slice_str("t"));
}

static void buffer_every_level(const void *filter)
{
    printf("%d ", log_to_buffer(filter, NULL));
    log_every_level("pdk");
    log_write(LOG_TRACE, "plugin", NULL, slice_str("p"));
    log_drain(print_line);
    log_drain(print_line);
}

static void test_lines_have_upstreams_form(void **state)
{
    outcome o;

    (void)state;
    run(buffer_every_level, "trace", &o);
    assert_string_equal(o.out, "0 TIME ERROR extism::pdk: e plugin=\"" ID "\"\n"
                               "TIME  WARN extism::pdk: w plugin=\"" ID "\"\n"
                               "TIME  INFO extism::pdk: i plugin=\"" ID "\"\n"
                               "TIME DEBUG extism::pdk: d plugin=\"" ID "\"\n"
                               "TIME TRACE extism::pdk: t plugin=\"" ID "\"\n"
                               "TIME TRACE extism::plugin: p\n");
    assert_string_equal(o.err, "");
}

/* The text is one letter, which stands before the newline. */
static void print_letter(const char *line, uint64_t len)
{
    putchar(line[len - 2]);
}

/* Prints the return code, the level, and the letters of the lines that get through. */
static void try_filter(const void *filter)
{
    int rc = log_to_buffer(filter, NULL);

    printf("%d %d ", rc, (int)log_level());
    log_write(LOG_ERROR, "pdk", NULL, slice_str("E"));
    log_write(LOG_WARN, "pdk", NULL, slice_str("W"));
    log_write(LOG_INFO, "pdk", NULL, slice_str("I"));
    log_write(LOG_DEBUG, "pdk", NULL, slice_str("D"));
    log_write(LOG_TRACE, "pdk", NULL, slice_str("T"));
    log_write(LOG_DEBUG, "plugin", NULL, slice_str("p"));
    log_drain(print_letter);
}

static void test_filters_are_upstreams(void **state)
{
    static const struct {
        const char *filter;
        const char *outcome; /* code, level, levels of pdk; p: debug of plugin */
    } cases[] = {
        {NULL, "0 1 E"},
        {"error", "0 1 E"},
        {"warn", "0 2 EW"},
        {"INFO", "0 3 EWI"},
        {"debug", "0 4 EWIDp"},
        {"trace", "0 5 EWIDTp"},
        {"off", "0 0 "},
        {"0", "0 0 "},
        {"3", "0 3 EWI"},
        {"+03", "0 3 EWI"},
        {"5", "0 5 EWIDTp"},
        {"", "0 1 E"},
        {",,info,,", "0 3 EWI"},
        {"extism=debug", "0 4 EWIDp"},
        {"extism=DEBUG", "0 4 EWIDp"},
        {"extism=4", "0 4 EWIDp"},
        {"extism=off", "0 0 "},
        {"extism=", "0 5 EWIDTp"},
        {"extism", "0 5 EWIDTp"},
        {"ext=warn", "0 2 EW"},
        {"extism::pdk", "0 5 EWIDT"},
        {"extism::pdk=info", "0 3 EWI"},
        {"extism::pdk=info,extism=debug", "0 4 EWIp"},
        {"extism=debug,extism::pdk=info", "0 4 EWIp"},
        {"debug,extism::pdk=off", "0 4 p"},
        {"extism=info,extism=debug", "0 4 EWIDp"},
        {"extism=debug,extism=info", "0 4 EWI"},
        /* Upstream ignores a directive with white space before it. */
        {"extism=info, extism::plugin=debug ", "0 4 EWIp"},
        /* These are targets that are not ours, at the level trace. */
        {"6", "0 5 "},
        {"garbage", "0 5 "},
        {"warning", "0 5 "},
        {"info;debug", "0 5 "},
        {"extismx=warn", "0 2 "},
        {"cranelift=trace,extism=info", "0 5 EWI"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        outcome o;

        run(try_filter, cases[i].filter, &o);
        assert_string_equal(o.out, cases[i].outcome);
        assert_string_equal(o.err, "");
    }
}

static void test_bad_directives_are_ignored_aloud(void **state)
{
    static const struct {
        const char *filter;
        const char *outcome;
        const char *ignored;
    } cases[] = {
        {"extism=foo", "0 1 E", "ignoring `extism=foo`: expected one of "},
        {"extism=foo,info", "0 3 EWI", "ignoring `extism=foo`: expected one of "},
        {"a=b=c", "0 1 E", "ignoring `a=b=c`: expected one of "},
        {"extism=trace[x]", "0 1 E", "ignoring `extism=trace[x]`: expected one of "},
        {"=debug", "0 1 E", "ignoring `=debug`: invalid filter directive\n"},
        {"*", "0 1 E", "ignoring `*`: invalid filter directive\n"},
        {"info,!", "0 3 EWI", "ignoring `!`: invalid filter directive\n"},
        {"info, ", "0 3 EWI", "ignoring ` `: invalid filter directive\n"},
        /* Upstream takes these; no event is in a span there either. */
        {"info,[x", "0 3 EWI", "ignoring `[x`: there are no spans to select\n"},
        {"warn,extism[x]=debug", "0 2 EW", "ignoring `extism[x]=debug`: there are no spans"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        outcome o;

        run(try_filter, cases[i].filter, &o);
        assert_string_equal(o.out, cases[i].outcome);
        assert_memory_equal(o.err, cases[i].ignored, strlen(cases[i].ignored));
    }
}

static void buffer_text(const void *text)
{
    printf("%d ", log_to_buffer("info", NULL));
    log_write(LOG_INFO, "pdk", NULL, *(const slice *)text);
    log_drain(print_line);
}

static void test_text_is_made_harmless(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *line;
    } cases[] = {
        {"", 0, ""},
        {" lead trail ", 12, " lead trail "},
        {"a\nb\tc\rd\ve\x0e", 10, "a\nb\tc\rd\ve\x0e"},
        {"q\"uote\\", 7, "q\"uote\\"},
        {"\x1b[31m\a\b\f\x7f", 9, "\\x1b[31m\\x07\\x08\\x0c\\x7f"},
        {"\xc2\x80\xc2\x9f\xc2\xa0\xc3\x80", 8, "\\u{80}\\u{9f}\xc2\xa0\xc3\x80"},
        {"\xe2\x82\xac\xf0\x9f\x98\x80", 7, "\xe2\x82\xac\xf0\x9f\x98\x80"},
        /* Upstream loses a line with a NUL, and reports one that is not UTF-8 in its place. */
        {"a\0b", 3, "a\\x00b"},
        {"a\xff\x1b\xe2\x82", 5, "a\\xff\\x1b\\xe2\\x82"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        slice text = slice_of(cases[i].text, cases[i].len);
        char expected[256];
        outcome o;

        run(buffer_text, &text, &o);
        snprintf(expected, sizeof expected, "0 TIME  INFO extism::pdk: %s\n", cases[i].line);
        assert_string_equal(o.out, expected);
    }
}

static void log_to(const void *path)
{
    int rc = log_to_file(path, "trace", NULL);

    if (rc)
        printf("%d", rc);
    log_every_level("pdk");
}

#define COLOURED(colour, level, letter)                                                            \
    "\x1b[2mTIME\x1b[0m \x1b[" colour "m" level "\x1b[0m "                                         \
    "\x1b[2mextism::pdk\x1b[0m\x1b[2m:\x1b[0m " letter " "                                         \
    "\x1b[3mplugin\x1b[0m\x1b[2m=\x1b[0m\"" ID "\"\n"

static void test_streams_get_colours(void **state)
{
    static const char lines[] = COLOURED("31", "ERROR", "e") COLOURED("33", " WARN", "w")
        COLOURED("32", " INFO", "i") COLOURED("34", "DEBUG", "d") COLOURED("35", "TRACE", "t");
    static const char *const to_err[] = {"stderr", "-", NULL};
    outcome o;

    (void)state;
    run(log_to, "stdout", &o);
    assert_string_equal(o.out, lines);
    assert_string_equal(o.err, "");
    for (size_t i = 0; i < sizeof to_err / sizeof *to_err; i++) {
        run(log_to, to_err[i], &o);
        assert_string_equal(o.out, "");
        assert_string_equal(o.err, lines);
    }
}

static void test_a_file_is_created_and_appended_to(void **state)
{
    char directory[] = "/tmp/test_log.XXXXXX";
    mode_t umask_before = umask(022);
    char path[64];
    char content[4096];
    struct stat st;
    outcome o;

    (void)state;
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/log", directory);
    run(log_to, path, &o);
    run(log_to, path, &o);
    umask(umask_before);
    assert_string_equal(o.out, "");
    assert_string_equal(o.err, "");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    read_all(open(path, O_RDONLY), content, sizeof content);
    hide_times(content);
    for (int i = 0; i < 2; i++) {
        static const char head[] = "TIME ERROR extism::pdk: e plugin=\"" ID "\"\n";
        static const char half[] = "TIME TRACE extism::pdk: t plugin=\"" ID "\"\n";
        char *end = strstr(content, half) + strlen(half);

        assert_memory_equal(content, head, strlen(head));
        memmove(content, end, strlen(end) + 1);
    }
    assert_string_equal(content, "");
    unlink(path);
    rmdir(directory);
}

static void fail_to_open(const void *unused)
{
    error err = {0};

    (void)unused;
    printf("%d ", log_to_file("/nonexistent/log", "info", &err));
    printf("%s, ", error_text(&err));
    printf("%d ", log_to_file("\xff", "info", NULL));
    printf("%d ", log_to_file("stderr", "\xff", NULL));
    printf("%d ", log_to_buffer("\xff", NULL));
    printf("%d ", (int)log_level());
    log_every_level("pdk");
    log_drain(print_line);
    printf("%d ", log_to_buffer("info", NULL));
    printf("%d", (int)log_level());
    error_deinit(&err);
}

static void test_what_fails_sets_nothing(void **state)
{
    outcome o;

    (void)state;
    run(fail_to_open, NULL, &o);
    assert_string_equal(o.out, "-5 /nonexistent/log: No such file or directory, -1 -1 -1 0 0 3");
    assert_string_equal(o.err, "");
}

static void set_twice(const void *path)
{
    printf("%d ", log_to_buffer("error", NULL));
    log_write(LOG_ERROR, "pdk", NULL, slice_str("kept"));
    printf("%d ", log_to_buffer("trace", NULL));
    printf("%d ", log_to_file(path, "trace", NULL));
    printf("%d %d ", access(path, F_OK), (int)log_level());
    log_drain(print_line);
}

/* Upstream loses what was buffered when the second setting is refused. */
static void test_the_log_is_set_once(void **state)
{
    outcome o;

    (void)state;
    run(set_twice, "/tmp/test_log.never", &o);
    assert_string_equal(o.out, "0 -9 -9 -1 1 TIME ERROR extism::pdk: kept\n");
}

static void log_again(const char *line, uint64_t len)
{
    print_line(line, len);
    log_write(LOG_INFO, "pdk", NULL, slice_str("again"));
}

static void log_while_draining(const void *unused)
{
    (void)unused;
    printf("%d ", log_to_buffer("info", NULL));
    log_write(LOG_INFO, "pdk", NULL, slice_str("once"));
    log_drain(log_again);
    printf("| ");
    log_drain(print_line);
}

static void test_the_handler_may_log(void **state)
{
    outcome o;

    (void)state;
    run(log_while_draining, NULL, &o);
    assert_string_equal(o.out, "0 TIME  INFO extism::pdk: once\n| TIME  INFO extism::pdk: again\n");
}

static uint64_t drained;
static uint64_t drained_bytes;
static char first_line[128];

static void count_line(const char *line, uint64_t len)
{
    if (drained++ == 0)
        snprintf(first_line, sizeof first_line, "%s", line + 28);
    drained_bytes += len;
}

static void fill_lines(const void *unused)
{
    (void)unused;
    printf("%d ", log_to_buffer("info", NULL));
    for (int i = 0; i < LIMIT_LOG_LINES + 10; i++)
        log_printf(LOG_INFO, "pdk", NULL, "%d", i);
    log_drain(count_line);
    printf("%d %s", drained == LIMIT_LOG_LINES, first_line);
}

static void fill_bytes(const void *unused)
{
    size_t len = 1 << 20;
    char *text = calloc(1, len);

    (void)unused;
    printf("%d ", log_to_buffer("info", NULL));
    memset(text, 'x', len);
    for (int i = 0; i < 70; i++)
        log_write(LOG_INFO, "pdk", NULL, slice_of(text, len));
    log_drain(count_line);
    printf("%d %d ", (int)drained, drained_bytes <= 64 << 20);
    free(text);
}

static void test_the_buffer_is_bounded(void **state)
{
    outcome o;

    (void)state;
    run(fill_lines, NULL, &o);
    assert_string_equal(o.out, "0 1  INFO extism::pdk: 10\n");
    run(fill_bytes, NULL, &o);
    assert_string_equal(o.out, "0 63 1 ");
}

static void format_lines(const void *unused)
{
    (void)unused;
    printf("%d ", log_to_buffer("info", NULL));
    log_printf(LOG_DEBUG, "sdk", NULL, "%s", "off");
    log_printf(LOG_INFO, "sdk", ID, "%s=%d", "n", 5);
    /* The character that the limit cuts is left out. */
    log_printf(LOG_INFO, "sdk", NULL, "%4094d\xc3\xa9", 7);
    log_drain(print_line);
}

static void test_formatted_text_is_cut(void **state)
{
    char expected[8192];
    outcome o;

    (void)state;
    run(format_lines, NULL, &o);
    snprintf(expected, sizeof expected,
             "0 TIME  INFO extism::sdk: n=5 plugin=\"" ID "\"\n"
             "TIME  INFO extism::sdk: %4094d\n",
             7);
    assert_string_equal(o.out, expected);
}

static void log_nothing(const void *unused)
{
    (void)unused;
    printf("%d", (int)log_level());
    log_every_level("pdk");
    log_printf(LOG_ERROR, "pdk", NULL, "%d", 1);
    log_drain(print_line);
}

static void test_without_a_sink_nothing_happens(void **state)
{
    outcome o;

    (void)state;
    run(log_nothing, NULL, &o);
    assert_string_equal(o.out, "0");
    assert_string_equal(o.err, "");
}

static void *log_much(void *unused)
{
    (void)unused;
    for (int i = 0; i < 1000; i++)
        log_printf(LOG_INFO, "pdk", ID, "%d", i);
    return NULL;
}

static void log_from_threads(const void *unused)
{
    pthread_t threads[4];

    (void)unused;
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, log_much, NULL);
    printf("%d ", log_to_buffer("info", NULL));
    for (int i = 0; i < 100; i++)
        log_drain(count_line);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    log_much(NULL);
    log_drain(count_line);
    printf("%d", drained >= 1000 && drained <= 5000);
}

static void test_threads_may_log_while_it_is_set_and_drained(void **state)
{
    outcome o;

    (void)state;
    run(log_from_threads, NULL, &o);
    assert_string_equal(o.out, "0 1");
}

static void test_levels_are_parsed(void **state)
{
    static const char *const good[] = {"off", "Error", "WARN", "info", "debug", "trace"};
    static const char *const bad[] = {"", "6", "-1", "1.0", "+", "warning", " info", "inf"};
    enum log_level level = LOG_OFF;
    char digit[2] = "0";

    (void)state;
    for (int i = 0; i < 6; i++) {
        assert_int_equal(log_level_parse(good[i], &level), 0);
        assert_int_equal(level, i);
        digit[0] = (char)('0' + i);
        assert_int_equal(log_level_parse(digit, &level), 0);
        assert_int_equal(level, i);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(log_level_parse(bad[i], &level), E_INVALID);
    assert_int_equal(level, LOG_TRACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_have_upstreams_form),
        cmocka_unit_test(test_filters_are_upstreams),
        cmocka_unit_test(test_bad_directives_are_ignored_aloud),
        cmocka_unit_test(test_text_is_made_harmless),
        cmocka_unit_test(test_streams_get_colours),
        cmocka_unit_test(test_a_file_is_created_and_appended_to),
        cmocka_unit_test(test_what_fails_sets_nothing),
        cmocka_unit_test(test_the_log_is_set_once),
        cmocka_unit_test(test_the_handler_may_log),
        cmocka_unit_test(test_the_buffer_is_bounded),
        cmocka_unit_test(test_formatted_text_is_cut),
        cmocka_unit_test(test_without_a_sink_nothing_happens),
        cmocka_unit_test(test_threads_may_log_while_it_is_set_and_drained),
        cmocka_unit_test(test_levels_are_parsed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
