#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "events_case.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Processes that deliver events and are killed at random moments. What they have done stands in a file
 * that outlives them. */

#define KILLS 60
#define ATTEMPTS (KILLS + 10) /* more than kills can use up */
#define TOPICS 3

static const trigger both[] = {
    {.pattern = "*", .function = "one"},
    {.pattern = "t1", .function = "two"},
    {.pattern = "poison", .function = "poison"},
};

static events_limits limits(void)
{
    events_limits l = small_limits;

    l.attempts = ATTEMPTS;
    l.pending = 100000;
    return l;
}

static events_case c;
static int log_fd;

static void put_line(const char *line)
{
    size_t len = strlen(line);

    if (write(log_fd, line, len) != (ssize_t)len)
        abort();
}

/* One in eight fails at first. */
static enum verdict note_and_judge(events_case *all, const delivery *d)
{
    char line[200];
    int number = -1;

    (void)all;
    sscanf(strstr((const char *)d->input.data, "\"payload\":") + 10, "%d", &number);
    snprintf(line, sizeof line, "deliver %s %s %u %d %.*s\n", d->id, d->function, d->attempt,
             number, (int)strcspn((const char *)d->input.data + 10, "\""),
             (const char *)d->input.data + 10);
    put_line(line);
    return number % 8 == 3 && d->attempt < 2 ? FAIL : SUCCEED;
}

static void emit_numbers(int from)
{
    for (int i = from;; i++) {
        char topic[16], text[16], id[200], line[300];

        snprintf(topic, sizeof topic, "t%d", i % TOPICS);
        snprintf(text, sizeof text, "%d", i);
        if (events_case_emit(&c, topic, slice_str(text), NULL, 0, id) != SERVICE_OK)
            abort();
        snprintf(line, sizeof line, "accepted %s %d\n", id, i);
        put_line(line);
    }
}

static void open_case(void)
{
    events_limits l = limits();

    events_case_open(&c, both, 3, &l);
    c.forgets = true;
    events_case_judge(&c, note_and_judge);
    events_case_start(&c);
}

/* Emits in another process, which is killed at a random time: after it has begun to write, or when it
 * may not have got so far. */
static void emit_and_kill(int from, bool when_it_writes)
{
    off_t before = lseek(log_fd, 0, SEEK_END);
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        open_case();
        emit_numbers(from);
    }
    for (int i = 0; when_it_writes && lseek(log_fd, 0, SEEK_END) == before; i++) {
        assert_true(i < 20000);
        usleep(1000);
    }
    usleep((useconds_t)(random() % 40000));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static char *read_log(void)
{
    off_t len = lseek(log_fd, 0, SEEK_END);
    char *text = malloc((size_t)len + 1);

    assert_non_null(text);
    assert_int_equal(pread(log_fd, text, (size_t)len, 0), len);
    text[len] = '\0';
    return text;
}

/* The last attempt and number of each topic and function, in the order of the file. */
typedef struct lane {
    char name[64];
    unsigned attempt;
    int number;
} lane;

/* Within a lane, numbers never go down, and attempts of the same one always go up. */
static void check_order(const char *text)
{
    static lane lanes[16];
    size_t count = 0;

    for (const char *at = text; (at = strstr(at, "deliver ")); at++) {
        char id[40], function[32], topic[32], name[64];
        unsigned attempt;
        int number;
        size_t i = 0;

        assert_int_equal(
            sscanf(at, "deliver %39s %31s %u %d %31s", id, function, &attempt, &number, topic), 5);
        snprintf(name, sizeof name, "%s %s", function, topic);
        while (i < count && strcmp(lanes[i].name, name) != 0)
            i++;
        if (i == count) {
            assert_true(count < 16);
            strcpy(lanes[count++].name, name);
        } else if (number == lanes[i].number) {
            assert_true(attempt > lanes[i].attempt);
        } else {
            assert_true(number > lanes[i].number);
        }
        lanes[i].attempt = attempt;
        lanes[i].number = number;
    }
    assert_int_equal(count, TOPICS + 1);
}

static bool has_line(const char *text, const char *id, const char *function)
{
    char start[100];

    snprintf(start, sizeof start, "deliver %s %s ", id, function);
    return strstr(text, start);
}

static void test_nothing_that_was_accepted_is_lost(void **state)
{
    size_t accepted = 0;
    char *text;

    (void)state;
    log_fd = open("log", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(log_fd >= 0);
    for (int i = 0; i < KILLS; i++)
        emit_and_kill(i * 10000, i % 3 != 0);
    open_case();
    events_case_wait_idle(&c);
    assert_int_equal(events_case_dead(c.store), 0);
    events_case_close(&c);
    text = read_log();
    for (const char *at = text; (at = strstr(at, "accepted ")); at++, accepted++) {
        char id[40];
        int number;

        assert_int_equal(sscanf(at, "accepted %39s %d", id, &number), 2);
        if (!has_line(text, id, "one") || (number % TOPICS == 1 && !has_line(text, id, "two")))
            fail_msg("event %d was lost", number);
    }
    assert_true(accepted > KILLS / 3);
    check_order(text);
    free(text);
    close(log_fd);
}

static enum verdict die(events_case *all, const delivery *d)
{
    note_and_judge(all, d);
    if (strcmp(d->function, "poison") == 0)
        raise(SIGKILL);
    return SUCCEED;
}

/* A function that ends the process is not called for ever. */
static void test_what_kills_the_process_is_a_dead_letter_in_the_end(void **state)
{
    static const char expected[] = "the server ended while the function had it";
    events_limits l = small_limits;
    unsigned deaths = 0;
    int status;
    error err = {0};
    buf list;
    char *text;

    (void)state;
    log_fd = open("log", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(log_fd >= 0);
    do {
        pid_t child = fork();

        assert_true(child >= 0);
        if (child == 0) {
            events_case_open(&c, both + 2, 1, &l);
            events_case_judge(&c, die);
            if (deaths == 0)
                events_case_emit_text(&c, "poison", "1");
            events_case_start(&c);
            events_case_wait_idle(&c);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        deaths += WIFSIGNALED(status);
    } while (WIFSIGNALED(status));
    assert_int_equal(deaths, l.attempts);
    events_case_open(&c, both + 2, 1, &l);
    assert_int_equal(events_case_dead(c.store), 1);
    buf_init(&list, 10000);
    assert_int_equal(events_admin_list(c.store, EVENTS_DEAD, 0, 1, &list, &err), 0);
    text = buf_take_str(&list);
    assert_non_null(text);
    assert_non_null(strstr(text, expected));
    free(text);
    events_case_close(&c);
    close(log_fd);
}

static enum verdict hold(events_case *all, const delivery *d)
{
    note_and_judge(all, d);
    return HOLD;
}

/* Another server takes over what one had that was killed, and leaves alone what one has that runs. */
static void test_another_server_takes_over(void **state)
{
    events_limits l = small_limits;
    pid_t child;
    int status;

    (void)state;
    log_fd = open("log", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(log_fd >= 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        events_case_open(&c, both, 1, &l);
        events_case_judge(&c, hold);
        events_case_emit_text(&c, "t", "1");
        events_case_emit_text(&c, "t", "2");
        events_case_start(&c);
        pause();
    }
    for (int i = 0; lseek(log_fd, 0, SEEK_END) == 0; i++) {
        assert_true(i < 2000);
        usleep(10000);
    }
    events_case_open(&c, both, 1, &l);
    events_case_judge(&c, note_and_judge);
    events_case_start(&c);
    usleep(2500000);
    assert_int_equal(events_case_count(&c), 0);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    events_case_wait(&c, 2);
    events_case_wait_idle(&c);
    assert_int_equal(c.seen[0].attempt, 2);
    assert_int_equal(c.seen[1].attempt, 1);
    events_case_close(&c);
    close(log_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_DIRECTORY(test_nothing_that_was_accepted_is_lost),
        IN_DIRECTORY(test_what_kills_the_process_is_a_dead_letter_in_the_end),
        IN_DIRECTORY(test_another_server_takes_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
