#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "guest.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static char alternate[256 * 1024];
static volatile sig_atomic_t ran, on_alternate;

static void handle(int number, siginfo_t *info, void *context)
{
    const char *here = (const char *)&number;

    (void)info, (void)context;
    ran = 1;
    on_alternate = here >= alternate && here < alternate + sizeof alternate;
}

/* What the handler for SIGFPE that was there before the engine sees of a signal that is not the
 * engine's. */
static void see_signal(void *flags)
{
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    struct sigaction own = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | *(int *)flags}, now;
    wasm_engine_t *engine;

    guest_require(sigaction(SIGFPE, &own, NULL) == 0);
    guest_require(sigaltstack(&stack, NULL) == 0);
    guest_require(engine_get(ENGINE_ON_DEMAND, &engine, NULL) == 0);
    guest_require(sigaction(SIGFPE, NULL, &now) == 0);
    guest_require(now.sa_sigaction != handle);
    guest_require(sigaction(SIGSEGV, NULL, &now) == 0 && (now.sa_flags & SA_ONSTACK));
    guest_require(raise(SIGFPE) == 0);
    guest_require(ran);
    guest_require(on_alternate == (*(int *)flags == SA_ONSTACK));
}

static void test_a_handler_keeps_its_stack(void **state)
{
    int none = 0, on_stack = SA_ONSTACK;

    (void)state;
    if (BUILT_FOR(address_sanitizer) || BUILT_FOR(thread_sanitizer))
        skip(); /* their own handlers are in between */
    guest_in_child(see_signal, &none);
    guest_in_child(see_signal, &on_stack);
}

/* Guests' own faults are still traps. */
static void see_traps(void *unused)
{
    struct sigaction own = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO};

    (void)unused;
    guest_require(sigaction(SIGFPE, &own, NULL) == 0);
    guest_require(sigaction(SIGILL, &own, NULL) == 0);
    compiled_plugin *code = guest_compile("(module (func (export \"divide\") (result i32)"
                                          " (i32.div_s (i32.const 1) (i32.const 0)))"
                                          " (func (export \"trap\") unreachable))");
    plugin *p;
    guest_require(plugin_create(&p, code, NULL) == 0);
    for (int i = 0; i < 3; i++) {
        guest_require(plugin_call(p, "divide", slice_of("", 0), NULL) == 134);
        guest_require(strstr(plugin_error(p), "divide by zero") != NULL);
        guest_require(plugin_call(p, "trap", slice_of("", 0), NULL) == 134);
    }
    guest_require(!ran);
    plugin_destroy(p);
    compiled_plugin_unref(code);
}

static void test_traps(void **state)
{
    (void)state;
    guest_in_child(see_traps, NULL);
}

static stack_t at_the_end;

static void see_stack(void *unused)
{
    (void)unused;
    sigaltstack(NULL, &at_the_end);
}

static void *call_in_thread(void *plugin)
{
    stack_t stack = {.ss_sp = alternate, .ss_size = 16 * 1024}, now;
    pthread_key_t key;

    guest_require(pthread_key_create(&key, see_stack) == 0);
    guest_require(pthread_setspecific(key, &key) == 0);
    guest_require(sigaltstack(&stack, NULL) == 0);
    guest_require(plugin_call(plugin, "f", slice_of("", 0), NULL) == 0);
    guest_require(sigaltstack(NULL, &now) == 0);
    guest_require(now.ss_sp != alternate); /* else the test says nothing */
    return NULL;
}

/* A thread ends with the alternate stack that it had before it ran a guest. */
static void test_a_thread_keeps_its_alternate_stack(void **state)
{
    compiled_plugin *code;
    pthread_t thread;
    plugin *p;

    (void)state;
    if (BUILT_FOR(address_sanitizer) || BUILT_FOR(thread_sanitizer))
        skip(); /* they have alternate stacks of their own */
    code = guest_compile("(module (func (export \"f\")))");
    assert_int_equal(plugin_create(&p, code, NULL), 0);
    for (int i = 0; i < 2; i++) {
        at_the_end = (stack_t){0};
        assert_int_equal(pthread_create(&thread, NULL, call_in_thread, p), 0);
        pthread_join(thread, NULL);
        assert_ptr_equal(at_the_end.ss_sp, alternate);
    }
    plugin_destroy(p);
    compiled_plugin_unref(code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_handler_keeps_its_stack),
        cmocka_unit_test(test_traps),
        cmocka_unit_test(test_a_thread_keeps_its_alternate_stack),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
