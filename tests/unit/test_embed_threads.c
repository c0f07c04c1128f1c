#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "embed_case.h"
#include "guest.h"

#define THREADS 8
#define CALLS 200

#define LONG "[limits]\ncpu_time = \"1m\"\nwall_time = \"1m\"\n"
#define KV "[functions.count]\npermissions = [\"kv:read:*\", \"kv:write:*\"]\n"

static void sleep_ms(unsigned ms)
{
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    nanosleep(&time, NULL);
}

/* --- What came of asynchronous calls --- */

typedef struct outcome {
    atomic_int count; /* how often it was told */
    int code;
    char output[64];
} outcome;

static void on_done(void *user, ubiq_result *r)
{
    outcome *o = user;
    size_t len;
    const char *output = ubiq_result_output(r, &len);

    o->code = ubiq_result_code(r);
    snprintf(o->output, sizeof o->output, "%s", output);
    ubiq_result_free(r);
    atomic_fetch_add(&o->count, 1);
}

static bool is_told(outcome *o)
{
    for (uint64_t end = embed_now_ms() + 10000;
         atomic_load(&o->count) == 0 && embed_now_ms() < end;)
        sleep_ms(1);
    return atomic_load(&o->count) == 1;
}

static void test_asynchronous(void **state)
{
    const ubiq_request request = {"POST", "/echo", NULL, 0, "a request", 9},
                       wrong = {.method = "GET"};
    outcome function = {0}, missing = {0}, answer = {0}, refused = {0}, late = {0};
    char input[] = "a call";
    embed_case e;

    (void)state;
    embed_make(&e, LONG);
    embed_open(&e, NULL);
    assert_int_equal(
        ubiq_project_invoke_async(e.open, "echo", input, 6, 0, on_done, &function, NULL), 0);
    memset(input, 'x', 6); /* it was copied */
    assert_int_equal(ubiq_project_invoke_async(e.open, "no", "", 0, 0, on_done, &missing, NULL), 0);
    assert_int_equal(ubiq_project_request_async(e.open, &request, 0, on_done, &answer, NULL), 0);
    assert_int_equal(ubiq_project_request_async(e.open, &wrong, 0, on_done, &refused, NULL), 0);
    assert_int_equal(ubiq_project_invoke_async(e.open, "loop", "", 0, 50, on_done, &late, NULL), 0);
    assert_true(is_told(&function) && is_told(&missing) && is_told(&answer) && is_told(&refused) &&
                is_told(&late));
    assert_string_equal(function.output, "a call");
    assert_int_equal(missing.code, UBIQ_NOT_FOUND);
    assert_string_equal(answer.output, "a request");
    assert_int_equal(refused.code, UBIQ_INVALID);
    assert_int_equal(late.code, UBIQ_TIMEOUT);
    embed_end(&e);
}

static void test_cancelled(void **state)
{
    const ubiq_request request = {.method = "GET", .target = "/loop"};
    outcome function = {0}, answer = {0}, ended = {0};
    ubiq_call *calls[3];
    embed_case e;

    (void)state;
    embed_make(&e, LONG);
    embed_open(&e, NULL);
    ubiq_project_invoke_async(e.open, "echo", "well", 4, 0, on_done, &ended, &calls[0]);
    assert_true(is_told(&ended));
    ubiq_project_invoke_async(e.open, "loop", "", 0, 0, on_done, &function, &calls[1]);
    ubiq_project_request_async(e.open, &request, 0, on_done, &answer, &calls[2]);
    sleep_ms(50);
    for (int i = 0; i < 3; i++) {
        ubiq_call_cancel(calls[i]);
        ubiq_call_cancel(calls[i]);
    }
    assert_true(is_told(&function) && is_told(&answer));
    assert_int_equal(function.code, UBIQ_CANCELLED);
    assert_int_equal(answer.code, UBIQ_CANCELLED);
    embed_end(&e);
    /* The handles outlive the project. */
    for (int i = 0; i < 3; i++) {
        ubiq_call_cancel(calls[i]);
        ubiq_call_free(calls[i]);
    }
    assert_int_equal(atomic_load(&ended.count), 1);
    ubiq_call_free(NULL);
}

/* --- Callbacks --- */

struct nested {
    embed_case *e;
    int invoked;
    int stopped;
    int freed;
    outcome second;
    atomic_bool done;
};

static void on_first_done(void *user, ubiq_result *r)
{
    struct nested *n = user;

    ubiq_result_free(r);
    n->invoked = ubiq_project_invoke(n->e->open, "echo", "", 0, 0, &r);
    ubiq_result_free(r);
    n->stopped = ubiq_project_stop(n->e->open, 0);
    n->freed = ubiq_project_free(n->e->open);
    ubiq_project_invoke_async(n->e->open, "echo", "again", 5, 0, on_done, &n->second, NULL);
    atomic_store(&n->done, true);
}

static void test_callbacks_may_not_wait(void **state)
{
    struct nested n = {0};
    embed_case e;

    (void)state;
    embed_make(&e, "");
    embed_open(&e, &(ubiq_options){.size = sizeof(ubiq_options), .workers = 1});
    n.e = &e;
    assert_int_equal(ubiq_project_invoke_async(e.open, "echo", "", 0, 0, on_first_done, &n, NULL),
                     0);
    assert_true(is_told(&n.second));
    assert_string_equal(n.second.output, "again");
    assert_int_equal(n.invoked, UBIQ_INVALID);
    assert_int_equal(n.stopped, UBIQ_INVALID);
    assert_int_equal(n.freed, UBIQ_INVALID);
    embed_end(&e);
}

/* --- Many threads --- */

struct caller {
    pthread_t thread;
    embed_case *e;
    int number;
    int failed;
    int stopped;
};

static void *call_many(void *arg)
{
    struct caller *c = arg;
    char text[64], expected[80];
    ubiq_result *r;

    for (int i = 0; i < CALLS; i++) {
        int len = snprintf(text, sizeof text, "%d of thread %d", i, c->number);
        const ubiq_request request = {"POST", "/echo", NULL, 0, text, (size_t)len};

        snprintf(expected, sizeof expected, "0:%s", text);
        if (i % 2)
            c->failed +=
                strcmp(embed_invoke(c->e, "echo", text, i % 4 == 1 ? 30000 : 0), expected) != 0;
        else
            c->failed += ubiq_project_request(c->e->open, &request, 0, &r) != 0 ||
                         strcmp(embed_result(r), expected) != 0;
    }
    return NULL;
}

static void begin_all(struct caller *c, embed_case *e, void *(*body)(void *))
{
    for (int i = 0; i < THREADS; i++) {
        c[i] = (struct caller){.e = e, .number = i};
        assert_int_equal(pthread_create(&c[i].thread, NULL, body, &c[i]), 0);
    }
}

static void test_many_threads(void **state)
{
    struct caller callers[THREADS];
    embed_case e;

    (void)state;
    embed_make(&e, "");
    embed_open(&e, NULL);
    begin_all(callers, &e, call_many);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].failed, 0);
    }
    embed_end(&e);
}

/* Calls what ends and what does not until the project has been stopped. */
static void *call_until_stopped(void *arg)
{
    struct caller *c = arg;
    const char *name = c->number % 2 ? "echo" : "loop";

    while (!c->stopped) {
        const char *result = embed_invoke(c->e, name, "x", 0);

        if (strncmp(result, "-11:", 4) == 0)
            c->stopped++;
        else
            c->failed += strcmp(result, "0:x") != 0;
    }
    return NULL;
}

static void test_stopped_while_calls_run(void **state)
{
    const ubiq_request request = {.method = "GET", .target = "/loop"};
    struct caller callers[THREADS];
    outcome function = {0}, answer = {0}, none = {0};
    embed_case e;
    ubiq_result *r;
    uint64_t begun;

    (void)state;
    embed_make(&e, LONG);
    embed_open(&e, NULL);
    begin_all(callers, &e, call_until_stopped);
    ubiq_project_invoke_async(e.open, "loop", "", 0, 30000, on_done, &function, NULL);
    ubiq_project_request_async(e.open, &request, 0, on_done, &answer, NULL);
    sleep_ms(100);
    begun = embed_now_ms();
    assert_int_equal(ubiq_project_stop(e.open, 50), 0);
    assert_true(embed_now_ms() - begun < 10000);
    /* All have been told when it returns. */
    assert_int_equal(atomic_load(&function.count), 1);
    assert_int_equal(atomic_load(&answer.count), 1);
    assert_int_equal(function.code, UBIQ_STOPPED);
    assert_int_equal(answer.code, UBIQ_STOPPED);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].failed, 0);
    }
    assert_int_equal(ubiq_project_stop(e.open, 0), 0);
    assert_int_equal(ubiq_project_invoke_async(e.open, "echo", "", 0, 0, on_done, &none, NULL),
                     UBIQ_STOPPED);
    assert_int_equal(ubiq_project_request(e.open, &request, 0, &r), UBIQ_STOPPED);
    ubiq_result_free(r);
    assert_true(embed_logged(&e, "calls that did not end within 0.05 s"));
    embed_end(&e);
    assert_int_equal(atomic_load(&none.count), 0);
}

static void test_stop_lets_calls_end(void **state)
{
    outcome function = {0};
    embed_case e;

    (void)state;
    embed_make(&e, LONG);
    embed_open(&e, NULL);
    assert_string_equal(embed_invoke(&e, "echo", "x", 0), "0:x");
    ubiq_project_invoke_async(e.open, "loop", "", 0, 300, on_done, &function, NULL);
    sleep_ms(50);
    assert_int_equal(ubiq_project_stop(e.open, 20000), 0);
    assert_int_equal(function.code, UBIQ_TIMEOUT);
    embed_end(&e);
}

/* Opened and freed at once, with code that is still being compiled. */
static void test_opened_and_freed(void **state)
{
    outcome outcomes[10] = {0};
    embed_case e;

    (void)state;
    embed_make(&e, KV "[triggers]\n\"a\" = \"count\"\n");
    for (int i = 0; i < 10; i++) {
        embed_open(&e, NULL);
        if (i % 2)
            ubiq_project_invoke_async(e.open, "count", "", 0, 0, on_done, &outcomes[i], NULL);
        if (i < 9)
            assert_int_equal(ubiq_project_free(e.open), 0);
        assert_true(i == 9 || atomic_load(&outcomes[i].count) == i % 2);
    }
    embed_end(&e);
    assert_int_equal(ubiq_project_free(NULL), 0);
}

/* --- Events --- */

#define EVENTS                                                                                     \
    KV "[functions.emits]\npermissions = [\"events:emit:*\"]\n[triggers]\n\"order.*\" = "          \
       "\"count\"\n"

static int counted(embed_case *e)
{
    return atoi(embed_invoke(e, "count", "", 0) + 2);
}

/* Whether the function has been called once besides those that look, which are `looks`. */
static bool comes_to_more(embed_case *e, int *looks)
{
    for (uint64_t end = embed_now_ms() + 10000; embed_now_ms() < end; sleep_ms(5)) {
        if (counted(e) > ++*looks)
            return true;
    }
    return false;
}

static void test_events(void **state)
{
    embed_case e;
    int looks = 0;

    (void)state;
    embed_make(&e, EVENTS);
    embed_open(&e, NULL);
    assert_string_equal(embed_invoke(&e, "emits", "order.new", 0), "0:");
    assert_true(comes_to_more(&e, &looks));
    embed_end(&e);
}

static void test_events_are_held(void **state)
{
    const ubiq_options holding = {.size = sizeof holding, .hold_events = 1, .workers = 1};
    embed_case e;
    int looks = 0;

    (void)state;
    embed_make(&e, EVENTS);
    embed_open(&e, &holding);
    assert_string_equal(embed_invoke(&e, "emits", "order.new", 0), "0:");
    sleep_ms(200);
    assert_int_equal(counted(&e), ++looks);
    assert_int_equal(ubiq_project_free(e.open), 0);
    embed_open(&e, NULL);
    assert_true(comes_to_more(&e, &looks));
    embed_end(&e);
}

/* --- Several --- */

static void test_several_projects(void **state)
{
    embed_case a, b;
    ubiq_project *again;
    ubiq_result *r;

    (void)state;
    embed_make(&a, KV);
    embed_make(&b, KV);
    embed_open(&a, NULL);
    embed_open(&b, NULL);
    assert_int_equal(ubiq_project_open(&again, a.project.path, NULL, NULL), 0);
    assert_string_equal(embed_invoke(&a, "count", "", 0), "0:1");
    assert_string_equal(embed_invoke(&b, "count", "", 0), "0:1");
    ubiq_project_invoke(again, "count", NULL, 0, 0, &r);
    assert_string_equal(embed_result(r), "0:2");
    assert_string_equal(embed_invoke(&a, "count", "", 0), "0:3");
    embed_end(&b);
    assert_int_equal(ubiq_project_free(again), 0);
    assert_string_equal(embed_invoke(&a, "count", "", 0), "0:4");
    embed_end(&a);
}

/* Opens a project, calls a function that keeps something and frees it, again and again. */
static void *open_and_free(void *arg)
{
    struct caller *c = arg;
    ubiq_project *p;
    ubiq_result *r;

    for (int i = 0; i < 5; i++) {
        if (ubiq_project_open(&p, c->e->project.path, NULL, NULL) != 0) {
            c->failed++;
            continue;
        }
        c->failed += ubiq_project_invoke(p, "count", NULL, 0, 0, &r) != 0;
        ubiq_result_free(r);
        c->failed += ubiq_project_free(p) != 0;
    }
    return NULL;
}

static void test_opened_by_several_threads(void **state)
{
    struct caller callers[THREADS];
    embed_case e;

    (void)state;
    embed_make(&e, KV);
    begin_all(callers, &e, open_and_free);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].failed, 0);
    }
    embed_open(&e, NULL);
    assert_string_equal(embed_invoke(&e, "count", "", 0), "0:41");
    embed_end(&e);
}

/* --- The process --- */

static void test_it_listens_if_asked_to(void **state)
{
    const ubiq_options listening = {
        .size = sizeof listening, .listen = "127.0.0.1:0", .workers = 1};
    static const char ask[] = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char answer[32] = "";
    embed_case e;
    int fd;

    (void)state;
    embed_make(&e, "");
    embed_open(&e, &listening);
    assert_memory_equal(ubiq_project_address(e.open), "127.0.0.1:", 10);
    to.sin_port = htons((uint16_t)atoi(ubiq_project_address(e.open) + 10));
    fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(fd, ask, sizeof ask - 1, MSG_NOSIGNAL), sizeof ask - 1);
    assert_true(recv(fd, answer, 15, MSG_WAITALL) == 15);
    assert_string_equal(answer, "HTTP/1.1 200 OK");
    close(fd);
    embed_end(&e);
}

static const int program_signals[] = {SIGTERM, SIGINT, SIGPIPE, SIGHUP, SIGCHLD};

static void test_the_process_is_left_alone(void **state)
{
    struct sigaction before[5], after;
    struct rlimit files = {0}, files_after;
    sigset_t mask, mask_after;
    embed_case e;
    char said[64];
    int error_before, pipes[2];

    (void)state;
    embed_make(&e, LONG);
    for (int i = 0; i < 5; i++)
        sigaction(program_signals[i], NULL, &before[i]);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_cur < 512 ? files.rlim_cur : 512;
    setrlimit(RLIMIT_NOFILE, &files);
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    assert_int_equal(pipe2(pipes, O_NONBLOCK), 0);
    error_before = dup(STDERR_FILENO);
    dup2(pipes[1], STDERR_FILENO);

    embed_open(&e, NULL);
    embed_invoke(&e, "trap", "", 0);
    embed_invoke(&e, "prints", "words", 0);
    assert_int_equal(ubiq_project_stop(e.open, 0), 0);

    dup2(error_before, STDERR_FILENO);
    assert_int_equal(read(pipes[0], said, sizeof said), -1);
    pthread_sigmask(SIG_BLOCK, NULL, &mask_after);
    getrlimit(RLIMIT_NOFILE, &files_after);
    assert_int_equal(files_after.rlim_cur, files.rlim_cur);
    for (int i = 0; i < 5; i++) {
        sigaction(program_signals[i], NULL, &after);
        assert_true(after.sa_handler == before[i].sa_handler);
        assert_int_equal(sigismember(&mask, program_signals[i]),
                         sigismember(&mask_after, program_signals[i]));
    }
    close(pipes[0]);
    close(pipes[1]);
    close(error_before);
    embed_end(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_asynchronous),
        cmocka_unit_test(test_cancelled),
        cmocka_unit_test(test_callbacks_may_not_wait),
        cmocka_unit_test(test_many_threads),
        cmocka_unit_test(test_stopped_while_calls_run),
        cmocka_unit_test(test_stop_lets_calls_end),
        cmocka_unit_test(test_opened_and_freed),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_events_are_held),
        cmocka_unit_test(test_several_projects),
        cmocka_unit_test(test_opened_by_several_threads),
        cmocka_unit_test(test_it_listens_if_asked_to),
        cmocka_unit_test(test_the_process_is_left_alone),
    };

    return cmocka_run_group_tests(tests, guest_start, NULL);
}
