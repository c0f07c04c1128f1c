#include "case.h"

#include <stdlib.h>

/* Host functions: how they are made, given, called and freed. */

static int freed;

static void count_free(void *data)
{
    (void)data;
    freed++;
}

/* Adds its arguments: i32 and i64 into an i64, with the number that its data points to. */
static void add(ExtismCurrentPlugin *plugin, const ExtismVal *inputs, ExtismSize n_inputs,
                ExtismVal *outputs, ExtismSize n_outputs, void *data)
{
    int64_t sum = data != NULL ? *(int *)data : 0;

    (void)plugin;
    for (ExtismSize i = 0; i < n_inputs; i++)
        sum += inputs[i].t == ExtismValType_I32 ? inputs[i].v.i32 : inputs[i].v.i64;
    if (n_outputs > 0)
        outputs[0].v.i64 = sum;
}

static const ExtismValType I64S[] = {ExtismValType_I64, ExtismValType_I64, ExtismValType_I64};
static const ExtismValType I32S[] = {ExtismValType_I32, ExtismValType_I32, ExtismValType_I32};

static ExtismFunction *adder(const char *name, int *data)
{
    return extism.function_new(name, I64S, 2, I64S, 1, add, data, count_free);
}

static const char ADDS[] = "(module (import 'extism:host/user' 'add'"
                           "  (func $add (param i64 i64) (result i64)))"
                           "(func (export 'run') (result i32)"
                           "  (i32.wrap_i64 (call $add (i64.const 30) (i64.const 4)))))";

static ExtismPlugin *open_with_functions(const char *text, const ExtismFunction **f, size_t count)
{
    char *t = quoted(text);

    return plugin_open_with("new", t, strlen(t), f, count, false);
}

static void called(void)
{
    int seven = 7;
    ExtismFunction *f = adder("add", &seven);
    const ExtismFunction *list[] = {f};
    ExtismPlugin *p = open_with_functions(ADDS, list, 1);

    observe_call(p, "first", "run", "");
    seven = 100;
    observe_call(p, "second", "run", "");
    observe_int("freed before", freed);
    extism.plugin_free(p);
    observe_int("freed by plugin_free", freed);
    extism.function_free(f);
    observe_int("freed after both", freed);
}

static void freed_before_the_plugin(void)
{
    int seven = 7;
    ExtismFunction *f = adder("add", &seven);
    const ExtismFunction *list[] = {f};
    ExtismPlugin *p = open_with_functions(ADDS, list, 1);

    extism.function_free(f);
    observe_int("freed by function_free", freed);
    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
    observe_int("freed after both", freed);
}

static void never_given(void)
{
    int seven = 7;
    ExtismFunction *f = adder("add", &seven);

    observe_bool("made", f != NULL);
    extism.function_free(f);
    observe_int("freed", freed);
}

static void no_data(void)
{
    ExtismFunction *f = adder("add", NULL);
    const ExtismFunction *list[] = {f};
    ExtismPlugin *p = open_with_functions(ADDS, list, 1);

    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
    extism.function_free(f);
    observe_int("freed", freed);
}

static void no_free_function(void)
{
    int seven = 7;
    ExtismFunction *f = extism.function_new("add", I64S, 2, I64S, 1, add, &seven, NULL);
    const ExtismFunction *list[] = {f};
    ExtismPlugin *p = open_with_functions(ADDS, list, 1);

    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
    extism.function_free(f);
    observe_bool("alive", true);
}

static void given_twice(void)
{
    int seven = 7;
    ExtismFunction *f = adder("add", &seven);
    const ExtismFunction *list[] = {f};
    ExtismPlugin *p = open_with_functions(ADDS, list, 1);
    ExtismPlugin *q = open_with_functions(ADDS, list, 1);

    observe_call(p, "the first goes on", "run", "");
    extism.plugin_free(p);
    extism.plugin_free(q);
    extism.function_free(f);
    observe_int("freed", freed);
}

static void twice_in_one_list(void)
{
    int seven = 7;
    ExtismFunction *f = adder("add", &seven);
    const ExtismFunction *list[] = {f, f};

    extism.plugin_free(open_with_functions(ADDS, list, 2));
    extism.function_free(f);
    observe_int("freed", freed);
}

static void null_in_the_list(void)
{
    int seven = 7;
    ExtismFunction *f = adder("add", &seven);
    const ExtismFunction *list[] = {f, NULL};

    extism.plugin_free(open_with_functions(ADDS, list, 2));
    list[0] = NULL;
    extism.plugin_free(open_with_functions(ADDS, list, 1));
    extism.function_free(f);
    observe_int("freed", freed);
}

/* What a plug-in that could not be made does with its functions. */
static void lost_with_a_bad_plugin(void)
{
    int seven = 7;
    ExtismFunction *f = adder("add", &seven);
    const ExtismFunction *list[] = {f};

    extism.plugin_free(open_with_functions("(module (broken))", list, 1));
    extism.plugin_free(open_with_functions(ADDS, list, 1));
    extism.function_free(f);
    observe_int("freed", freed);
}

static void more_than_are_imported(void)
{
    int one = 1;
    const ExtismFunction *list[] = {adder("other", &one), adder("add", &one), adder("third", &one)};
    ExtismPlugin *p = open_with_functions(ADDS, list, 3);

    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
}

static void same_name_twice(void)
{
    int one = 1;
    int thousand = 1000;
    const ExtismFunction *list[] = {adder("add", &one), adder("add", &thousand)};
    ExtismPlugin *p = open_with_functions(ADDS, list, 2);

    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
}

static void wrong_signature(void)
{
    ExtismFunction *narrow = extism.function_new("add", I32S, 2, I64S, 1, add, NULL, NULL);
    ExtismFunction *one = extism.function_new("add", I64S, 1, I64S, 1, add, NULL, NULL);
    ExtismFunction *mute = extism.function_new("add", I64S, 2, NULL, 0, add, NULL, NULL);
    const ExtismFunction *list[] = {narrow};

    extism.plugin_free(open_with_functions(ADDS, list, 1));
    list[0] = one;
    extism.plugin_free(open_with_functions(ADDS, list, 1));
    list[0] = mute;
    extism.plugin_free(open_with_functions(ADDS, list, 1));
}

static void names(void)
{
    static const char *const tried[] = {"add", "", "with space", "имя", "a\xff", "\xe4\xb8"};

    for (size_t i = 0; i < sizeof tried / sizeof *tried; i++) {
        ExtismFunction *f = adder(tried[i], NULL);

        observe_bool(quoted_format("name %zu", i), f != NULL);
        extism.function_free(f);
    }
}

/* The data of a function that could not be made. */
static void bad_name_and_data(void)
{
    int seven = 7;
    ExtismFunction *f = adder("a\xff", &seven);

    observe_bool("made", f != NULL);
    observe_int("freed", freed);
}

static void name_of_null(void)
{
    ExtismFunction *f = extism.function_new(NULL, I64S, 2, I64S, 1, add, NULL, NULL);

    observe_bool("made", f != NULL);
}

static void unknown_type(void)
{
    static const int types[] = {99, -1};
    ExtismFunction *f =
        extism.function_new("add", (const ExtismValType *)types, 2, I64S, 1, add, NULL, NULL);
    const ExtismFunction *list[] = {f};

    observe_bool("made", f != NULL);
    if (f != NULL)
        extism.plugin_free(open_with_functions(ADDS, list, 1));
    observe_bool("alive", true);
}

static void namespaces(void)
{
    int seven = 7;
    ExtismFunction *f = adder("add", &seven);
    const ExtismFunction *list[] = {f};
    ExtismPlugin *p;

    extism.function_set_namespace(f, "my:space");
    p = open_with_functions("(module (import 'my:space' 'add'"
                            "  (func $add (param i64 i64) (result i64)))"
                            "(func (export 'run') (result i32)"
                            "  (i32.wrap_i64 (call $add (i64.const 30) (i64.const 4)))))",
                            list, 1);
    observe_call(p, "call", "run", "");
    /* Too late, and no harm. */
    extism.function_set_namespace(f, "other");
    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
    extism.function_free(f);

    f = adder("add", &seven);
    extism.function_set_namespace(f, "elsewhere");
    list[0] = f;
    extism.plugin_free(open_with_functions(ADDS, list, 1));
    f = adder("add", &seven);
    extism.function_set_namespace(f, "first");
    extism.function_set_namespace(f, "extism:host/user");
    list[0] = f;
    p = open_with_functions(ADDS, list, 1);
    observe_call(p, "set twice", "run", "");
    extism.plugin_free(p);
}

static void namespace_not_utf8(void)
{
    ExtismFunction *f = adder("add", NULL);
    const ExtismFunction *list[] = {f};
    ExtismPlugin *p;

    extism.function_set_namespace(f, "a\xff");
    p = open_with_functions("(module (import 'a\xef\xbf\xbd' 'add'"
                            "  (func $add (param i64 i64) (result i64)))"
                            "(func (export 'run') (result i32)"
                            "  (i32.wrap_i64 (call $add (i64.const 30) (i64.const 4)))))",
                            list, 1);
    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
}

static void namespace_of_null(void)
{
    ExtismFunction *f = adder("add", NULL);

    extism.function_set_namespace(f, NULL);
    observe_bool("alive", true);
}

/* Host functions in place of the kernel's, WASI's, or of a linked module's. */
static void shadowing(void)
{
    int seven = 7;
    ExtismFunction *f = adder("add", &seven);
    const ExtismFunction *list[] = {f};
    ExtismPlugin *p;

    extism.function_set_namespace(f, "lib");
    write_text("lib.wat", "(module (func (export 'add') (param i64 i64) (result i64)"
                          "  (i64.const 99)))");
    write_text("main.wat", "(module (import 'lib' 'add'"
                           "  (func $add (param i64 i64) (result i64)))"
                           "(func (export 'run') (result i32)"
                           "  (i32.wrap_i64 (call $add (i64.const 30) (i64.const 4)))))");
    p = open_with_functions("{'wasm':[{'path':'lib.wat','name':'lib'},{'path':'main.wat'}]}", list,
                            1);
    observe_call(p, "a linked module's", "run", "");
    extism.plugin_free(p);
}

static void in_place_of_the_hosts_own(void)
{
    ExtismFunction *f = extism.function_new("var_get", I64S, 1, I64S, 1, add, NULL, NULL);
    const ExtismFunction *list[] = {f};
    ExtismPlugin *p;

    extism.function_set_namespace(f, "extism:host/env");
    p = open_with_functions(guest("(func (export 'run') (call $emit"
                                  "  (call $var_get (i64.const 1234))) (call $flush))"),
                            list, 1);
    observe_call_numbers(p, "var_get", "run", "");
    extism.plugin_free(p);
}

static const test_case cases[] = {
    {"called", called},
    {"freed_before_the_plugin", freed_before_the_plugin},
    {"never_given", never_given},
    {"no_data", no_data},
    {"no_free_function", no_free_function},
    {"given_twice", given_twice},
    {"twice_in_one_list", twice_in_one_list},
    {"null_in_the_list", null_in_the_list},
    {"lost_with_a_bad_plugin", lost_with_a_bad_plugin},
    {"more_than_are_imported", more_than_are_imported},
    {"same_name_twice", same_name_twice},
    {"wrong_signature", wrong_signature},
    {"names", names},
    {"bad_name_and_data", bad_name_and_data},
    {"name_of_null", name_of_null},
    {"unknown_type", unknown_type},
    {"namespaces", namespaces},
    {"namespace_not_utf8", namespace_not_utf8},
    {"namespace_of_null", namespace_of_null},
    {"shadowing", shadowing},
    {"in_place_of_the_hosts_own", in_place_of_the_hosts_own},
    {NULL, NULL},
};

const case_group host_cases = {"host", cases, false};
