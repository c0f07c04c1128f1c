#include "case.h"

/* Fuel limits. What a call costs is each library's own beyond the guest's instructions, so the
 * limits are either plenty or far too little. */

static ExtismPlugin *open_with_fuel(const char *text, uint64_t fuel)
{
    char *t = quoted(text);
    char *err = NULL;
    ExtismPlugin *p = extism.plugin_new_with_fuel_limit((const uint8_t *)t, strlen(t), NULL, 0,
                                                        false, fuel, &err);

    if (p == NULL) {
        observe_text("new", err);
        extism.plugin_new_error_free(err);
    }
    return p;
}

static const char LOOPS[] =
    "(func $loop (param $times i64) (loop $on"
    "  (local.set $times (i64.sub (local.get $times) (i64.const 1)))"
    "  (br_if $on (i64.gt_s (local.get $times) (i64.const 0)))))"
    "(data (i32.const 4096) 'an error')"
    "(func (export 'short') (call $loop (i64.const 10)) (call $echo))"
    "(func (export 'long') (call $loop (i64.const 10000000)) (call $echo))"
    "(func (export 'forever') (loop $on (br $on)))"
    "(func (export 'output') (call $echo) (loop $on (br $on)))"
    "(func (export 'error') (call $fail (i32.const 4096) (i32.const 8)) (loop $on (br $on)))"
    "(func (export 'rc') (result i32) (i32.const 4))"
    "(func (export 'trap') unreachable)";

static void enough(void)
{
    ExtismPlugin *p = open_with_fuel(guest(LOOPS), 10000000000);

    observe_call(p, "short", "short", "in");
    observe_call(p, "long", "long", "in");
    observe_call(p, "rc", "rc", "");
    observe_call(p, "missing", "nothing", "");
    extism.plugin_free(p);
}

static void exhausted(void)
{
    ExtismPlugin *p = open_with_fuel(guest(LOOPS), 1000000);

    observe_call(p, "forever", "forever", "");
    observe_call(p, "again", "forever", "");
    observe_call(p, "short", "short", "enough for this");
    observe_call(p, "long", "long", "");
    observe_call(p, "short", "short", "and again");
    extism.plugin_free(p);
}

static void exhausted_after_output_or_error(void)
{
    ExtismPlugin *p = open_with_fuel(guest(LOOPS), 1000000);

    observe_call(p, "output", "output", "said before");
    observe_call(p, "error", "error", "");
    extism.plugin_free(p);
}

/* Each call has the whole of it. */
static void is_for_each_call(void)
{
    ExtismPlugin *p = open_with_fuel(guest(LOOPS), 200000);
    int wrong = 0;

    for (int i = 0; i < 200; i++)
        wrong += extism.plugin_call(p, "short", (const uint8_t *)"abc", 3) != 0;
    observe_int("wrong", wrong);
    extism.plugin_free(p);
}

static void none(void)
{
    ExtismPlugin *p = open_with_fuel(guest(LOOPS), 0);

    observe_call(p, "short", "short", "");
    observe_call(p, "rc", "rc", "");
    extism.plugin_free(p);
}

static void one(void)
{
    ExtismPlugin *p = open_with_fuel(guest(LOOPS), 1);

    observe_call(p, "short", "short", "");
    extism.plugin_free(p);
}

static void most(void)
{
    ExtismPlugin *p = open_with_fuel(guest(LOOPS), UINT64_MAX);

    observe_call(p, "long", "long", "in");
    extism.plugin_free(p);
}

static void trap_with_fuel_left(void)
{
    ExtismPlugin *p = open_with_fuel(guest(LOOPS), 1000000);

    observe_call(p, "trap", "trap", "");
    extism.plugin_free(p);
}

static void in_initialize(void)
{
    ExtismPlugin *p;

    alarm_after(10);
    p = open_with_fuel(guest("(func (export '_initialize') (loop $on (br $on)))"
                             "(func (export 'run'))"),
                       100000);
    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
}

static void in_a_start_function(void)
{
    ExtismPlugin *p;

    alarm_after(10);
    p = open_with_fuel("(module (func $begin (loop $on (br $on))) (start $begin)"
                       "(func (export 'run')))",
                       100000);
    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
}

static void commands(void)
{
    ExtismPlugin *p = open_with_fuel(guest("(func (export '_start') (loop $on (br $on)))"
                                           "(func (export 'fine') (call $echo))"),
                                     100000);

    observe_call(p, "_start", "_start", "");
    observe_call(p, "fine", "fine", "alive");
    extism.plugin_free(p);
}

static void with_a_compiled_plugin(void)
{
    char *t = quoted(guest(LOOPS));
    char *err = NULL;
    ExtismCompiledPlugin *c = extism.compiled_plugin_new_with_fuel_limit(
        (const uint8_t *)t, strlen(t), NULL, 0, false, 1000000, &err);
    ExtismPlugin *a = extism.plugin_new_from_compiled(c, &err);
    ExtismPlugin *b = extism.plugin_new_from_compiled(c, &err);

    observe_call(a, "forever in a", "forever", "");
    observe_call(b, "short in b", "short", "has its own");
    observe_call(a, "short in a", "short", "again");
    extism.plugin_free(a);
    extism.plugin_free(b);
    extism.compiled_plugin_free(c);
}

static void errors(void)
{
    char *err = NULL;

    open_with_fuel("", 1000);
    open_with_fuel("(module (broken))", 1000);
    open_with_fuel("(module (import 'extism:host/user' 'nothing' (func)))", 1000000);
    observe_bool("compiled",
                 extism.compiled_plugin_new_with_fuel_limit((const uint8_t *)"(broken)", 8, NULL, 0,
                                                            false, 1000, &err) != NULL);
    observe_text("error", err);
}

static void functions(void)
{
    static const ExtismFunction *const list[] = {NULL};
    char *err = NULL;

    observe_bool("plugin", extism.plugin_new_with_fuel_limit((const uint8_t *)"(module)", 8,
                                                             (const ExtismFunction **)list, 1,
                                                             false, 1000, &err) != NULL);
    observe_text("error", err);
    observe_bool("compiled", extism.compiled_plugin_new_with_fuel_limit(
                                 (const uint8_t *)"(module)", 8, (const ExtismFunction **)list, 1,
                                 false, 1000, &err) != NULL);
    observe_text("error", err);
}

static void after_it_ran_out(void)
{
    ExtismPlugin *p = open_with_fuel(guest(LOOPS), 1000000);

    observe_int("rc", extism.plugin_call(p, "forever", NULL, 0));
    observe_bool("exists", extism.plugin_function_exists(p, "short"));
    observe_bool("config", extism.plugin_config(p, (const uint8_t *)"{}", 2));
    observe_text("error", extism.plugin_error(p));
    observe_call(p, "short", "short", "alive");
    extism.plugin_free(p);
}

static const test_case cases[] = {
    {"enough", enough},
    {"exhausted", exhausted},
    {"exhausted_after_output_or_error", exhausted_after_output_or_error},
    {"is_for_each_call", is_for_each_call},
    {"none", none},
    {"one", one},
    {"most", most},
    {"trap_with_fuel_left", trap_with_fuel_left},
    {"in_initialize", in_initialize},
    {"in_a_start_function", in_a_start_function},
    {"commands", commands},
    {"with_a_compiled_plugin", with_a_compiled_plugin},
    {"errors", errors},
    {"functions", functions},
    {"after_it_ran_out", after_it_ran_out},
    {NULL, NULL},
};

const case_group fuel_cases = {"fuel", cases, false};
