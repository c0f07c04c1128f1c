#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <event2/event.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "extism/http.h"
#include "http_server.h"
#include "server/outbound.h"

#define MS UINT64_C(1000000)

static pid_t server; /* a process of its own, with descriptors of its own */
static uint16_t port;
static struct event_base *base;
static outbound o;

static int start(void **state)
{
    int fd[2];

    (void)state;
    if (pipe(fd) || (server = fork()) < 0)
        return -1;
    if (server == 0) {
        http_server *s = http_server_start("127.0.0.1");

        port = s ? http_server_port(s) : 0;
        if (write(fd[1], &port, sizeof port) == sizeof port)
            pause();
        _exit(1);
    }
    if (read(fd[0], &port, sizeof port) != sizeof port || port == 0)
        return -1;
    close(fd[0]);
    close(fd[1]);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    kill(server, SIGKILL);
    return waitpid(server, NULL, 0) == server ? 0 : -1;
}

static int start_loop(void **state)
{
    (void)state;
    base = event_base_new();
    if (!base || outbound_init(&o, base, NULL))
        return -1;
    outbound_use(&o);
    return 0;
}

static int stop_loop(void **state)
{
    (void)state;
    outbound_deinit(&o);
    event_base_free(base);
    return 0;
}

/* A request on its way. */
typedef struct fetch {
    http_request *request;
    void *started;
    bool done;
    int code;
} fetch;

static int allow(void *context, const http_target *target, error *err)
{
    (void)context, (void)target, (void)err;
    return 0;
}

static void on_done(void *arg, int code)
{
    fetch *f = arg;

    assert_false(f->done);
    f->done = true;
    f->code = code;
}

static void begin(fetch *f, const char *host, uint64_t timeout_ms)
{
    char url[128];
    http_options options = {.max_response = 1 << 20, .policy = allow};

    snprintf(url, sizeof url, "http://%s:%u/echo", host, port);
    options.url = slice_str(url);
    options.has_timeout = true;
    options.timeout_ms = timeout_ms;
    *f = (fetch){0};
    assert_int_equal(http_request_prepare(&f->request, &options, NULL), 0);
    f->started = outbound_driver.start(f->request, on_done, f);
    assert_non_null(f->started);
}

/* Ends one that is done; its outcome. */
static int end(fetch *f)
{
    http_response response = {0};
    int rc = http_request_finish(f->request, f->code, &response, NULL);

    if (rc == 0)
        assert_int_equal(response.status, 200);
    http_response_deinit(&response);
    http_request_destroy(f->request);
    return rc;
}

/* Runs the loop until all are done. What was held back at most. */
static void run(const fetch *fetches, size_t count, size_t *held)
{
    uint64_t until = clock_ns() + 60000 * MS;

    for (size_t done = 0; done < count;) {
        size_t waiting = 0;

        assert_true(clock_ns() < until);
        event_base_loop(base, EVLOOP_ONCE);
        for (task *t = o.held.next; t != &o.held; t = t->next)
            waiting++;
        if (held && waiting > *held)
            *held = waiting;
        while (done < count && fetches[done].done)
            done++;
    }
}

/* More than a group holds; the further groups go when nobody needs them. */
static void test_many(void **state)
{
    enum { COUNT = 2 * LIMIT_OUTBOUND_GROUP + 50 };
    static fetch fetches[COUNT];

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < COUNT; i++)
            begin(&fetches[i], "127.0.0.1", 30000);
        assert_true(o.group[0] && o.group[1] && o.group[2] && !o.group[3]);
        run(fetches, COUNT, NULL);
        for (size_t i = 0; i < COUNT; i++)
            assert_int_equal(end(&fetches[i]), 0);
        assert_true(o.group[0] && !o.group[1] && !o.group[2]);
        assert_int_equal(o.resolving, 0);
    }
}

/* So many descriptors are left. */
static void leave_descriptors(struct rlimit *old, unsigned count)
{
    int next = dup(0);
    struct rlimit few;

    close(next);
    getrlimit(RLIMIT_NOFILE, old);
    few = (struct rlimit){.rlim_cur = (rlim_t)next + count, .rlim_max = old->rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
}

static void test_few_descriptors(void **state)
{
    enum { COUNT = 100 };
    static fetch fetches[COUNT];
    struct rlimit old;
    size_t held = 0;

    (void)state;
    leave_descriptors(&old, 6);
    for (size_t i = 0; i < COUNT; i++)
        begin(&fetches[i], "127.0.0.1", 30000);
    run(fetches, COUNT, &held);
    setrlimit(RLIMIT_NOFILE, &old);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(end(&fetches[i]), 0);
    assert_true(held > 0);
}

static void test_no_descriptor_in_time(void **state)
{
    uint64_t start_ns = clock_ns();
    struct rlimit old;
    size_t held = 0;
    fetch f;

    (void)state;
    /* curl's own, and no more. */
    begin(&f, "127.0.0.1", 30000);
    run(&f, 1, NULL);
    assert_int_equal(end(&f), 0);
    leave_descriptors(&old, 0);
    begin(&f, "127.0.0.2", 300);
    run(&f, 1, &held);
    setrlimit(RLIMIT_NOFILE, &old);
    assert_int_equal(end(&f), E_TIMEOUT);
    assert_int_equal(held, 1);
    assert_in_range(clock_ns() - start_ns, 290 * MS, 10000 * MS);
}

/* While as many names are looked up as may be, others wait. */
static void test_names(void **state)
{
    enum { COUNT = 5 };
    fetch fetches[COUNT];
    size_t held = 0;

    (void)state;
    o.resolving = LIMIT_RESOLVING;
    for (size_t i = 0; i < COUNT; i++)
        begin(&fetches[i], "127.0.0.1", 30000);
    while (held < COUNT) {
        event_base_loop(base, EVLOOP_ONCE);
        held = 0;
        for (task *t = o.held.next; t != &o.held; t = t->next)
            held++;
    }
    assert_int_equal(o.resolving, LIMIT_RESOLVING);
    o.resolving = 0;
    run(fetches, COUNT, NULL);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(end(&fetches[i]), 0);
    assert_int_equal(o.resolving, 0);
}

static void test_cancelling(void **state)
{
    fetch fetches[3];
    struct rlimit old;

    (void)state;
    begin(&fetches[0], "127.0.0.1", 30000);
    event_base_loop(base, EVLOOP_ONCE);
    leave_descriptors(&old, 0);
    begin(&fetches[1], "127.0.0.2", 30000);
    while (!task_first(&o.held))
        event_base_loop(base, EVLOOP_ONCE);
    setrlimit(RLIMIT_NOFILE, &old);
    begin(&fetches[2], "127.0.0.1", 30000);
    for (size_t i = 0; i < 3; i++) {
        if (!fetches[i].done)
            outbound_driver.cancel(fetches[i].started);
        http_request_destroy(fetches[i].request);
    }
    assert_null(task_first(&o.held));
    assert_int_equal(o.resolving, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_many, start_loop, stop_loop),
        cmocka_unit_test_setup_teardown(test_few_descriptors, start_loop, stop_loop),
        cmocka_unit_test_setup_teardown(test_no_descriptor_in_time, start_loop, stop_loop),
        cmocka_unit_test_setup_teardown(test_names, start_loop, stop_loop),
        cmocka_unit_test_setup_teardown(test_cancelling, start_loop, stop_loop),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
