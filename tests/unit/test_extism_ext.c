#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/stack.h"
#include "extism_ext.h"
#include "guest.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#define GUEST                                                                                      \
    "(module"                                                                                      \
    " (import \"extism:host/env\" \"input_offset\" (func $input (result i64)))"                    \
    " (import \"extism:host/env\" \"input_length\" (func $input_length (result i64)))"             \
    " (import \"extism:host/env\" \"output_set\" (func $output (param i64 i64)))"                  \
    " (import \"extism:host/env\" \"length\" (func $length (param i64) (result i64)))"             \
    " (import \"extism:host/env\" \"http_request\" (func $http (param i64 i64) (result i64)))"     \
    " (import \"extism:host/user\" \"ask\" (func $ask (param i64) (result i64)))"                  \
    " (memory 1)"                                                                                  \
    " (global $count (mut i32) (i32.const 0))"                                                     \
    " (func $show (param i64) (call $output (local.get 0) (call $length (local.get 0))))"          \
    " (func (export \"echo\") (call $output (call $input) (call $input_length)))"                  \
    " (func (export \"ask\") (call $show (call $ask (call $input))))"                              \
    " (func (export \"twice\") (call $show (call $ask (call $ask (call $input)))))"                \
    " (func (export \"http\") (call $show (call $http (call $input) (i64.const 0))))"              \
    " (func (export \"count\") (result i32)"                                                       \
    "  (global.set $count (i32.add (global.get $count) (i32.const 1))) (global.get $count))"       \
    " (func (export \"trap\") unreachable)"                                                        \
    " (func (export \"spin\") (loop $on (br $on))))"

static const ExtismValType i64[] = {ExtismValType_I64};

/* How the host function `ask` behaves. */
static struct {
    enum { AT_ONCE, LATER, FAILING, FAILING_LATER, NEVER } mode;
    pthread_mutex_t lock;
    ExtismPending *waiting[20000];
    size_t waiting_count;
    atomic_size_t gone;
    pthread_t thread; /* that `ask` ran in last */
    bool on_stack;
    void *context;
} host = {.lock = PTHREAD_MUTEX_INITIALIZER};

static atomic_size_t done_count;

/* Gives "<input>!". */
static void answer(ExtismCurrentPlugin *p, ExtismMemoryHandle in, ExtismVal *out)
{
    ExtismSize n = extism_current_plugin_memory_length(p, in);
    ExtismMemoryHandle h = extism_current_plugin_memory_alloc(p, n + 1);

    memcpy(extism_current_plugin_memory(p) + h, extism_current_plugin_memory(p) + in, (size_t)n);
    extism_current_plugin_memory(p)[h + n] = '!';
    out->v.i64 = (int64_t)h;
}

static void ask(ExtismCurrentPlugin *p, const ExtismVal *in, ExtismSize n_in, ExtismVal *out,
                ExtismSize n_out, void *data)
{
    guest_require(n_in == 1 && n_out == 1 && data == &host);
    host.thread = pthread_self();
    host.on_stack = stack_suffices(64 * 1024);
    host.context = extism_current_plugin_host_context(p);
    if (host.mode == FAILING) {
        extism_current_plugin_fail(p, "forgotten", 9);
        extism_current_plugin_fail(p, "no answer to that, and none beyond", 17);
    } else {
        answer(p, (ExtismMemoryHandle)in[0].v.i64, out);
    }
}

static void finish_ask(ExtismCurrentPlugin *p, ExtismVal *out, ExtismSize n_out, void *arg)
{
    ExtismMemoryHandle *in = arg;

    if (!p) {
        guest_require(!out && n_out == 0);
        atomic_fetch_add(&host.gone, 1);
    } else if (host.mode == FAILING_LATER) {
        extism_current_plugin_fail(p, "no answer later", 15);
    } else {
        guest_require(n_out == 1 && out[0].t == ExtismValType_I64);
        answer(p, *in, out);
    }
    free(in);
}

static void *finish_from_elsewhere(void *pending)
{
    ExtismMemoryHandle *in = malloc(sizeof *in);
    *in = *(ExtismMemoryHandle *)((void **)pending)[1];
    usleep(2000);
    extism_pending_finish(((void **)pending)[0], finish_ask, in);
    free(((void **)pending)[1]);
    free(pending);
    return NULL;
}

static void start_ask(ExtismCurrentPlugin *p, const ExtismVal *in, ExtismSize n_in,
                      ExtismPending *pending, void *data)
{
    ExtismMemoryHandle *handle = malloc(sizeof *handle);
    pthread_t thread;

    guest_require(n_in == 1 && data == &host);
    guest_require(extism_current_plugin_memory_length(p, (ExtismMemoryHandle)in[0].v.i64) > 0);
    *handle = (ExtismMemoryHandle)in[0].v.i64;
    if (host.mode == LATER || host.mode == FAILING_LATER) {
        void **both = malloc(2 * sizeof *both);
        both[0] = pending;
        both[1] = handle;
        guest_require(pthread_create(&thread, NULL, finish_from_elsewhere, both) == 0);
        pthread_detach(thread);
    } else if (host.mode == NEVER) {
        free(handle);
        pthread_mutex_lock(&host.lock);
        host.waiting[host.waiting_count++] = pending;
        pthread_mutex_unlock(&host.lock);
    } else {
        extism_pending_finish(pending, finish_ask, handle);
    }
}

static ExtismFunction *sync_function(void)
{
    return extism_function_new("ask", i64, 1, i64, 1, ask, &host, NULL);
}

static ExtismFunction *async_function(void)
{
    return extism_function_new_async("ask", i64, 1, i64, 1, start_ask, &host, NULL);
}

static ExtismCompiledPlugin *compile_text(const char *source, ExtismFunction *f,
                                          const uint64_t *fuel)
{
    const ExtismFunction *functions[] = {f};
    char *message = NULL;

    guest_take_signals();
    ExtismCompiledPlugin *c = extism_compiled_plugin_new_async(
        (const uint8_t *)source, strlen(source), functions, 1, false, fuel, &message);
    if (!c)
        fail_msg("%s", message);
    extism_function_free(f);
    return c;
}

static ExtismCompiledPlugin *compile(ExtismFunction *f)
{
    return compile_text(GUEST, f, NULL);
}

static ExtismPlugin *plugin_of(ExtismFunction *f)
{
    const ExtismFunction *functions[] = {f};

    guest_take_signals();
    ExtismPlugin *p =
        extism_plugin_new((const uint8_t *)GUEST, strlen(GUEST), functions, 1, false, NULL);
    assert_non_null(p);
    extism_function_free(f);
    return p;
}

static void count_done(ExtismCall *c, void *arg)
{
    guest_require(extism_call_is_done(c) == 1 && arg == &done_count);
    atomic_fetch_add(&done_count, 1);
}

static ExtismCall *start(const ExtismCompiledPlugin *c, const char *function, const char *input,
                         uint64_t timeout_ms)
{
    ExtismCall *call = extism_call_start(c, function, (const uint8_t *)input, strlen(input), NULL,
                                         timeout_ms, count_done, &done_count);
    assert_non_null(call);
    return call;
}

static void wait_done(const ExtismCall *c)
{
    uint64_t until = clock_ns() + 20000000000u;
    while (!extism_call_is_done(c) && clock_ns() < until)
        usleep(100);
    assert_true(extism_call_is_done(c));
}

static void gives(const ExtismCompiledPlugin *c, const char *function, const char *input,
                  const char *output)
{
    ExtismCall *call = start(c, function, input, 0);

    wait_done(call);
    if (extism_call_error(call))
        fail_msg("%s", extism_call_error(call));
    assert_int_equal(extism_call_code(call), 0);
    assert_int_equal(extism_call_output_length(call), strlen(output));
    assert_memory_equal(extism_call_output_data(call), output, strlen(output));
    extism_call_free(call);
}

static void fails(const ExtismCompiledPlugin *c, const char *function, uint64_t timeout_ms,
                  int32_t code, const char *words)
{
    ExtismCall *call = start(c, function, "x", timeout_ms);

    wait_done(call);
    assert_int_equal(extism_call_code(call), code);
    if (!extism_call_error(call) || !strstr(extism_call_error(call), words))
        fail_msg("%s", extism_call_error(call));
    extism_call_free(call);
}

static void test_a_failure_ends_the_call(void **state)
{
    ExtismPlugin *p = plugin_of(sync_function());

    (void)state;
    host.mode = FAILING;
    assert_int_equal(extism_plugin_call(p, "ask", (const uint8_t *)"x", 1), -1);
    assert_non_null(strstr(extism_plugin_error(p), "no answer to that"));
    assert_null(strstr(extism_plugin_error(p), "beyond"));
    assert_null(strstr(extism_plugin_error(p), "forgotten"));
    host.mode = AT_ONCE;
    assert_int_equal(extism_plugin_call(p, "ask", (const uint8_t *)"x", 1), 0);
    assert_memory_equal(extism_plugin_output_data(p), "x!", 2);
    extism_plugin_free(p);
}

static void test_results_at_once(void **state)
{
    ExtismPlugin *p = plugin_of(sync_function());
    ExtismResult r;

    (void)state;
    host.mode = AT_ONCE;
    assert_int_equal(extism_plugin_call_result(p, "ask", (const uint8_t *)"x", 1, &host, &r), 0);
    assert_int_equal(r.output_length, 2);
    assert_memory_equal(r.output, "x!", 2);
    assert_null(r.error);
    assert_ptr_equal(host.context, &host);
    assert_int_equal(extism_plugin_call_result(p, "trap", NULL, 0, NULL, &r), 134);
    assert_null(r.output);
    assert_int_equal(r.output_length, 0);
    assert_ptr_equal(r.error, extism_plugin_error(p));
    assert_int_equal(extism_plugin_call_result(p, "count", NULL, 0, NULL, &r), 1);
    assert_null(r.error);
    assert_int_equal(extism_plugin_call_result(NULL, "count", NULL, 0, NULL, &r), -1);
    assert_null(r.error);
    extism_plugin_free(p);
}

static void *call_with_little_stack(void *plugin)
{
    ExtismResult r;

    guest_require(extism_plugin_call_result(plugin, "ask", (const uint8_t *)"x", 1, NULL, &r) ==
                  EXTISM_STACK_TOO_SMALL);
    guest_require(!r.output && !r.error && r.output_length == 0);
    /* The C API's own call goes on to another stack. */
    guest_require(extism_plugin_call(plugin, "ask", (const uint8_t *)"x", 1) == 0);
    return NULL;
}

static void test_little_stack(void **state)
{
    ExtismPlugin *p = plugin_of(sync_function());
    pthread_attr_t attr;
    pthread_t thread;

    (void)state;
    host.mode = AT_ONCE;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 512 * 1024);
    assert_int_equal(pthread_create(&thread, &attr, call_with_little_stack, p), 0);
    pthread_attr_destroy(&attr);
    pthread_join(thread, NULL);
    extism_plugin_free(p);
}

static void test_a_plugin_waits_for_a_function(void **state)
{
    ExtismPlugin *p = plugin_of(async_function());

    (void)state;
    for (host.mode = AT_ONCE; host.mode <= LATER; host.mode++) {
        assert_int_equal(extism_plugin_call(p, "twice", (const uint8_t *)"x", 1), 0);
        assert_int_equal(extism_plugin_output_length(p), 3);
        assert_memory_equal(extism_plugin_output_data(p), "x!!", 3);
    }
    host.mode = FAILING_LATER;
    assert_int_equal(extism_plugin_call(p, "ask", (const uint8_t *)"x", 1), -1);
    assert_non_null(strstr(extism_plugin_error(p), "no answer later"));
    extism_plugin_free(p);
}

static void *cancel_soon(void *plugin)
{
    usleep(30000);
    extism_plugin_cancel(extism_plugin_cancel_handle(plugin));
    return NULL;
}

static void test_a_plugin_does_not_wait_for_ever(void **state)
{
    ExtismPlugin *p = plugin_of(async_function());
    pthread_t thread;

    (void)state;
    host.mode = NEVER;
    host.waiting_count = 0;
    atomic_store(&host.gone, 0);
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, p), 0);
    assert_int_equal(extism_plugin_call(p, "ask", (const uint8_t *)"x", 1), 134);
    assert_string_equal(extism_plugin_error(p), "timeout");
    pthread_join(thread, NULL);
    extism_plugin_free(p);
    assert_int_equal(host.waiting_count, 1);
    extism_pending_finish(host.waiting[0], finish_ask, NULL);
    assert_int_equal(atomic_load(&host.gone), 1);
}

static void test_calls(void **state)
{
    (void)state;
    for (int async = 0; async < 2; async++) {
        ExtismCompiledPlugin *c = compile(async ? async_function() : sync_function());
        host.mode = AT_ONCE;
        gives(c, "echo", "", "");
        gives(c, "echo", "text", "text");
        gives(c, "ask", "x", "x!");
        gives(c, "twice", "x", "x!!");
        host.mode = FAILING;
        if (!async)
            fails(c, "ask", 0, -1, "no answer to that");
        host.mode = LATER;
        gives(c, "twice", "x", "x!!");
        host.mode = FAILING_LATER;
        if (async)
            fails(c, "ask", 0, -1, "no answer later");
        fails(c, "trap", 0, 134, "unreachable");
        fails(c, "nothing", 0, -1, "Function not found: nothing");
        fails(c, "spin", 20, 134, "timeout");
        extism_compiled_plugin_free(c);
    }
}

/* The embedder's code runs on the stack of a thread, and not in the caller's thread. */
static void test_where_functions_run(void **state)
{
    ExtismCompiledPlugin *c = compile(sync_function());
    ExtismCall *call;
    int context;

    (void)state;
    host.mode = AT_ONCE;
    call = extism_call_start(c, "ask", (const uint8_t *)"x", 1, &context, 0, NULL, NULL);
    wait_done(call);
    assert_ptr_equal(host.context, &context);
    assert_false(pthread_equal(host.thread, pthread_self()));
    assert_true(host.on_stack);
    extism_call_free(call);
    extism_compiled_plugin_free(c);
}

static void test_each_call_is_fresh(void **state)
{
    ExtismCompiledPlugin *c = compile(sync_function());

    (void)state;
    for (int i = 0; i < 20; i++) {
        ExtismCall *call = start(c, "count", "", 0);
        wait_done(call);
        assert_int_equal(extism_call_code(call), 1);
        assert_null(extism_call_error(call));
        extism_call_free(call);
    }
    extism_compiled_plugin_free(c);
}

/* Large blocks of the guest's memory, of the host's making and of the guest's. */
static void test_much_data(void **state)
{
    ExtismCompiledPlugin *c = compile(async_function());
    size_t n = 5000000;
    char *input = malloc(n + 1);

    (void)state;
    memset(input, 'a', n);
    input[n] = '\0';
    host.mode = LATER;
    ExtismCall *call = start(c, "twice", input, 0);
    wait_done(call);
    assert_int_equal(extism_call_output_length(call), n + 2);
    assert_memory_equal(extism_call_output_data(call), input, n);
    assert_memory_equal(extism_call_output_data(call) + n, "!!", 2);
    extism_call_free(call);
    extism_compiled_plugin_free(c);
    free(input);
}

#define MANY (BUILT_FOR(address_sanitizer) || BUILT_FOR(thread_sanitizer) ? 200 : 2000)

/* Calls that wait hold no thread, and others go on beside them. */
static void test_many_that_wait(void **state)
{
    ExtismCompiledPlugin *c = compile(async_function());
    ExtismCall **calls = calloc(MANY, sizeof *calls);
    ExtismMemoryHandle *handle;

    (void)state;
    host.mode = NEVER;
    host.waiting_count = 0;
    atomic_store(&done_count, 0);
    for (size_t i = 0; i < MANY; i++)
        calls[i] = start(c, "ask", "x", 0);
    for (size_t seen = 0; seen < MANY; usleep(1000)) {
        pthread_mutex_lock(&host.lock);
        seen = host.waiting_count;
        pthread_mutex_unlock(&host.lock);
    }
    assert_int_equal(atomic_load(&done_count), 0);
    gives(c, "echo", "beside", "beside");
    host.mode = AT_ONCE;
    for (size_t i = 0; i < MANY; i++) {
        handle = calloc(1, sizeof *handle);
        *handle = 0;
        extism_pending_finish(host.waiting[i], finish_ask, handle);
    }
    for (size_t i = 0; i < MANY; i++) {
        wait_done(calls[i]);
        assert_int_equal(extism_call_code(calls[i]), 0);
        assert_memory_equal(extism_call_output_data(calls[i]), "!", 1);
        extism_call_free(calls[i]);
    }
    assert_int_equal(atomic_load(&done_count), MANY + 1);
    free(calls);
    extism_compiled_plugin_free(c);
}

/* Calls that compute do not keep others from their turn, and end when they are told to. */
static void test_computing_gives_way(void **state)
{
    ExtismCompiledPlugin *c = compile(sync_function());
    ExtismCall *spinning[20];

    (void)state;
    for (size_t i = 0; i < 20; i++)
        spinning[i] = start(c, "spin", "", 0);
    for (int i = 0; i < 5; i++)
        gives(c, "echo", "between", "between");
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(extism_call_is_done(spinning[i]), 0);
        assert_int_equal(extism_call_code(spinning[i]), -1);
        extism_call_cancel(spinning[i]);
        extism_call_cancel(spinning[i]);
    }
    for (size_t i = 0; i < 20; i++) {
        wait_done(spinning[i]);
        assert_int_equal(extism_call_code(spinning[i]), 134);
        assert_string_equal(extism_call_error(spinning[i]), "timeout");
        extism_call_cancel(spinning[i]);
        extism_call_free(spinning[i]);
    }
    extism_compiled_plugin_free(c);
}

/* A call that has ended while its host function was at work: the function's end is told so. */
static void test_ends_while_it_waits(void **state)
{
    ExtismCompiledPlugin *c = compile(async_function());
    ExtismCall *call;

    (void)state;
    host.mode = NEVER;
    host.waiting_count = 0;
    atomic_store(&host.gone, 0);
    atomic_store(&done_count, 0);
    fails(c, "ask", 30, 134, "timeout");
    call = start(c, "ask", "x", 0);
    for (size_t seen = 0; seen < 2; usleep(1000)) {
        pthread_mutex_lock(&host.lock);
        seen = host.waiting_count;
        pthread_mutex_unlock(&host.lock);
    }
    extism_call_free(call); /* nobody waits for it any more; it is told to end */
    while (atomic_load(&done_count) < 2)
        usleep(1000);
    extism_pending_finish(host.waiting[0], finish_ask, NULL);
    extism_pending_finish(host.waiting[1], finish_ask, NULL);
    while (atomic_load(&host.gone) < 2)
        usleep(1000);
    extism_compiled_plugin_free(c);
}

static void test_fuel(void **state)
{
    const uint64_t fuel = 10000;
    ExtismCompiledPlugin *c = compile_text(GUEST, sync_function(), &fuel);

    (void)state;
    for (int i = 0; i < 20; i++) /* each has all of it */
        gives(c, "echo", "x", "x");
    fails(c, "spin", 0, -1, "fuel");
    gives(c, "echo", "x", "x");
    extism_compiled_plugin_free(c);
}

static void *serve_once(void *listener)
{
    char request[4096];
    int fd = accept(*(int *)listener, NULL, NULL);

    guest_require(recv(fd, request, sizeof request, 0) > 0);
    usleep(20000);
    static const char answer_text[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfound";
    guest_require(send(fd, answer_text, sizeof answer_text - 1, 0) > 0);
    close(fd);
    return NULL;
}

static void test_http(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    slice binary = guest_binary(GUEST);
    char *base64 = guest_base64(binary), *manifest, *request;
    pthread_t thread;

    (void)state;
    assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    assert_true(asprintf(&manifest,
                         "{\"wasm\": [{\"data\": \"%s\"}], \"allowed_hosts\": [\"127.0.0.1\"]}",
                         base64) > 0);
    assert_true(asprintf(&request, "{\"url\": \"http://127.0.0.1:%d/\"}", ntohs(address.sin_port)) >
                0);
    assert_int_equal(pthread_create(&thread, NULL, serve_once, &listener), 0);
    ExtismCompiledPlugin *c = compile_text(manifest, sync_function(), NULL);
    gives(c, "http", request, "found");
    pthread_join(thread, NULL);
    close(listener);
    fails(c, "http", 0, -1, "");
    extism_compiled_plugin_free(c);
    free(request);
    free(manifest);
    free(base64);
}

static void test_what_is_refused(void **state)
{
    ExtismCompiledPlugin *c = compile(sync_function()), *plain;
    const uint8_t wasm[] = "(module)";
    char *message = NULL;

    (void)state;
    assert_null(extism_plugin_new_from_compiled(c, &message));
    assert_string_equal(message,
                        "Unable to create Extism plugin: it was compiled for extism_call_start");
    extism_plugin_new_error_free(message);
    assert_null(extism_call_start(NULL, "f", NULL, 0, NULL, 0, NULL, NULL));
    assert_null(extism_call_start(c, NULL, NULL, 0, NULL, 0, NULL, NULL));
    assert_null(extism_call_start(c, "f", NULL, 1, NULL, 0, NULL, NULL));
    plain = extism_compiled_plugin_new(wasm, sizeof wasm - 1, NULL, 0, false, NULL);
    assert_null(extism_call_start(plain, "f", NULL, 0, NULL, 0, NULL, NULL));
    extism_compiled_plugin_free(plain);
    extism_compiled_plugin_free(c);
    message = NULL;
    assert_null(extism_compiled_plugin_new_async((const uint8_t *)"nonsense", 8, NULL, 0, false,
                                                 NULL, &message));
    assert_non_null(message);
    extism_plugin_new_error_free(message);
    assert_null(extism_function_new_async("\xff", NULL, 0, NULL, 0, start_ask, &host, NULL));
    assert_null(extism_function_new_async("f", NULL, 0, NULL, 0, NULL, &host, NULL));
    extism_call_free(NULL);
    extism_call_cancel(NULL);
    extism_pending_finish(NULL, finish_ask, NULL);
    extism_current_plugin_fail(NULL, "x", 1);
    assert_int_equal(extism_call_code(NULL), -1);
    assert_int_equal(extism_call_is_done(NULL), 0);
    assert_int_equal(extism_call_output_length(NULL), 0);
    assert_null(extism_call_output_data(NULL));
    assert_null(extism_call_error(NULL));
}

static size_t freed;

static void count_free(void *data)
{
    assert_ptr_equal(data, &freed);
    freed++;
}

/* User data lives as long as anything that may call the function. */
static void test_who_keeps_it(void **state)
{
    ExtismFunction *f =
        extism_function_new_async("ask", i64, 1, i64, 1, start_ask, &freed, count_free);

    (void)state;
    freed = 0;
    ExtismCompiledPlugin *c = compile(f);
    assert_int_equal(freed, 0);
    extism_compiled_plugin_free(c);
    assert_int_equal(freed, 1);
    extism_function_free(
        extism_function_new_async("ask", i64, 1, i64, 1, start_ask, &freed, count_free));
    assert_int_equal(freed, 2);
}

static void call_in_child(void *compiled)
{
    host.mode = AT_ONCE;
    gives(compiled, "ask", "child", "child!");
}

/* The threads are the parent's; a child makes its own. */
static void test_a_forked_child(void **state)
{
    ExtismCompiledPlugin *c;

    (void)state;
    if (BUILT_FOR(thread_sanitizer))
        skip(); /* it allows no threads in a child of a program that has some */
    c = compile(sync_function());
    host.mode = AT_ONCE;
    gives(c, "ask", "parent", "parent!");
    guest_in_child(call_in_child, c);
    extism_compiled_plugin_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_failure_ends_the_call),
        cmocka_unit_test(test_results_at_once),
        cmocka_unit_test(test_little_stack),
        cmocka_unit_test(test_a_plugin_waits_for_a_function),
        cmocka_unit_test(test_a_plugin_does_not_wait_for_ever),
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_where_functions_run),
        cmocka_unit_test(test_each_call_is_fresh),
        cmocka_unit_test(test_much_data),
        cmocka_unit_test(test_many_that_wait),
        cmocka_unit_test(test_computing_gives_way),
        cmocka_unit_test(test_ends_while_it_waits),
        cmocka_unit_test(test_fuel),
        cmocka_unit_test(test_http),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_who_keeps_it),
        cmocka_unit_test(test_a_forked_child),
    };

    return cmocka_run_group_tests(tests, guest_start, NULL);
}
