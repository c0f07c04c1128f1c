#include "case.h"

#include <pthread.h>

/* Timeouts and cancellation. */

#define SPINS "(func (export 'spin') (loop $on (br $on)))(func (export 'fine') (call $echo))"

static ExtismPlugin *open_with_timeout(const char *functions, unsigned ms)
{
    write_text("t.wat", guest(functions));
    return plugin_open(quoted_format("{'wasm':[{'path':'t.wat'}],'timeout_ms':%u}", ms));
}

static void observe_duration(const char *label, double from, double least, double most)
{
    double seconds = seconds_now() - from;

    observe_bool(label, seconds >= least && seconds < most);
}

static void timeout(void)
{
    ExtismPlugin *p = open_with_timeout(SPINS, 200);
    double start = seconds_now();

    observe_call(p, "spin", "spin", "");
    observe_duration("in time", start, 0.15, 5);
    observe_call(p, "after it", "fine", "alive");
    start = seconds_now();
    observe_call(p, "spin again", "spin", "");
    observe_duration("in time", start, 0.15, 5);
    observe_call(p, "after it", "fine", "alive");
    extism.plugin_free(p);
}

static void timeout_not_reached(void)
{
    ExtismPlugin *p = open_with_timeout(SPINS, 10000);

    observe_call(p, "first", "fine", "quick");
    observe_call(p, "second", "fine", "quick");
    extism.plugin_free(p);
}

/* The time of one call does not count for the next. */
static void timeout_is_for_each_call(void)
{
    ExtismPlugin *p = open_with_timeout(SPINS, 300);

    for (int i = 0; i < 4; i++) {
        observe_call(p, "call", "fine", "quick");
        sleep_ms(120);
    }
    extism.plugin_free(p);
}

static void short_timeout(void)
{
    ExtismPlugin *p = open_with_timeout(SPINS, 20);

    alarm_after(20);
    observe_call(p, "spin", "spin", "");
    extism.plugin_free(p);
}

static void timeout_in_initialize(void)
{
    ExtismPlugin *p;

    alarm_after(5);
    p = open_with_timeout("(func (export '_initialize') (loop $on (br $on)))"
                          "(func (export 'run'))",
                          200);
    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
}

static void timeout_after_output(void)
{
    ExtismPlugin *p = open_with_timeout("(data (i32.const 4096) 'an error')"
                                        "(func (export 'output') (call $echo) (loop $on (br $on)))"
                                        "(func (export 'error')"
                                        "  (call $fail (i32.const 4096) (i32.const 8))"
                                        "  (loop $on (br $on)))",
                                        200);

    observe_call(p, "output", "output", "said before");
    observe_call(p, "error", "error", "");
    extism.plugin_free(p);
}

static void timeout_of_one_of_two(void)
{
    ExtismPlugin *p = open_with_timeout(SPINS, 150);
    ExtismPlugin *q = plugin_open(guest("(func (export 'count') (local $n i64)"
                                        "  (loop $on (local.set $n (i64.add (local.get $n)"
                                        "    (i64.const 1)))"
                                        "    (br_if $on (i64.lt_u (local.get $n)"
                                        "      (i64.const 3000000))))"
                                        "  (call $emit (local.get $n)) (call $flush))"));

    observe_call(p, "spin", "spin", "");
    observe_call_numbers(q, "another plug-in", "count", "");
    extism.plugin_free(p);
    extism.plugin_free(q);
}

static ExtismPlugin *second_plugin;

static void *spin_in_a_thread(void *arg)
{
    *(int *)arg = extism.plugin_call(second_plugin, "spin", NULL, 0);
    return NULL;
}

/* One that is cancelled leaves another that runs alone. */
static void others_run_on(void)
{
    ExtismPlugin *p = open_with_timeout(SPINS, 150);
    double start;
    pthread_t t;
    int rc = 0;

    write_text("u.wat", guest(SPINS));
    second_plugin = plugin_open("{'wasm':[{'path':'u.wat'}],'timeout_ms':700}");
    start = seconds_now();
    pthread_create(&t, NULL, spin_in_a_thread, &rc);
    observe_call(p, "first", "spin", "");
    pthread_join(t, NULL);
    observe_int("second", rc);
    observe_text("second's error", extism.plugin_error(second_plugin));
    observe_duration("second's time", start, 0.6, 5);
    extism.plugin_free(p);
    extism.plugin_free(second_plugin);
}

typedef struct canceller {
    const ExtismCancelHandle *handle;
    unsigned ms;
    int times;
    bool ok;
} canceller;

static void *cancel_later(void *arg)
{
    canceller *c = arg;

    sleep_ms(c->ms);
    c->ok = true;
    for (int i = 0; i < c->times; i++)
        c->ok = extism.plugin_cancel(c->handle) && c->ok;
    return NULL;
}

static void cancel_during(int times)
{
    ExtismPlugin *p = plugin_open(guest(SPINS));
    canceller c = {extism.plugin_cancel_handle(p), 150, times, false};
    double start = seconds_now();
    pthread_t t;

    alarm_after(20);
    pthread_create(&t, NULL, cancel_later, &c);
    observe_call(p, "spin", "spin", "");
    observe_duration("in time", start, 0.1, 5);
    pthread_join(t, NULL);
    observe_bool("cancelled", c.ok);
    observe_call(p, "after it", "fine", "alive");
    extism.plugin_free(p);
}

static void cancel_once(void)
{
    cancel_during(1);
}

static void cancel_many_times(void)
{
    cancel_during(5);
}

static void cancel_before(void)
{
    ExtismPlugin *p = plugin_open(guest(SPINS));

    observe_bool("cancel", extism.plugin_cancel(extism.plugin_cancel_handle(p)));
    sleep_ms(50);
    observe_call(p, "call", "fine", "not cancelled");
    extism.plugin_free(p);
}

static void cancel_after(void)
{
    ExtismPlugin *p = plugin_open(guest(SPINS));

    observe_call(p, "call", "fine", "1");
    observe_bool("cancel", extism.plugin_cancel(extism.plugin_cancel_handle(p)));
    sleep_ms(50);
    observe_call(p, "call", "fine", "2");
    extism.plugin_free(p);
}

static void cancel_twice_over(void)
{
    for (int i = 0; i < 3; i++)
        cancel_during(1);
}

static void cancel_with_a_timeout(void)
{
    ExtismPlugin *p = open_with_timeout(SPINS, 10000);
    canceller c = {extism.plugin_cancel_handle(p), 100, 1, false};
    double start = seconds_now();
    pthread_t t;

    pthread_create(&t, NULL, cancel_later, &c);
    observe_call(p, "spin", "spin", "");
    observe_duration("in time", start, 0.05, 5);
    pthread_join(t, NULL);
    extism.plugin_free(p);
}

static void handle_is_the_plugins(void)
{
    ExtismPlugin *p = plugin_open(guest(SPINS));
    const ExtismCancelHandle *h = extism.plugin_cancel_handle(p);

    observe_bool("handle", h != NULL);
    observe_bool("same", h == extism.plugin_cancel_handle(p));
    extism.plugin_free(p);
}

static void timeout_in_a_command(void)
{
    ExtismPlugin *p = open_with_timeout("(func (export '_start') (loop $on (br $on)))"
                                        "(func (export 'fine') (call $echo))",
                                        200);

    observe_call(p, "_start", "_start", "");
    observe_call(p, "fine", "fine", "alive");
    extism.plugin_free(p);
}

static const test_case cases[] = {
    {"timeout", timeout},
    {"timeout_not_reached", timeout_not_reached},
    {"timeout_is_for_each_call", timeout_is_for_each_call},
    {"short_timeout", short_timeout},
    {"timeout_in_initialize", timeout_in_initialize},
    {"timeout_after_output", timeout_after_output},
    {"timeout_of_one_of_two", timeout_of_one_of_two},
    {"others_run_on", others_run_on},
    {"cancel_once", cancel_once},
    {"cancel_many_times", cancel_many_times},
    {"cancel_before", cancel_before},
    {"cancel_after", cancel_after},
    {"cancel_twice_over", cancel_twice_over},
    {"cancel_with_a_timeout", cancel_with_a_timeout},
    {"handle_is_the_plugins", handle_is_the_plugins},
    {"timeout_in_a_command", timeout_in_a_command},
    {NULL, NULL},
};

const case_group cancel_cases = {"cancel", cases, false};
