#include "case.h"

#include <pthread.h>
#include <stdlib.h>

/* What host functions see and may do: values of each type, the plug-in's memory, the host context,
 * calls of plug-ins from within. */

typedef ExtismCurrentPlugin current;

static ExtismPlugin *open_with_function(const char *text, ExtismFunction *f)
{
    const ExtismFunction *list[] = {f};
    char *t = quoted(text);

    return plugin_open_with("new", t, strlen(t), list, 1, false);
}

static const ExtismValType I64[] = {ExtismValType_I64};

static ExtismFunction *function(ExtismFunctionType f, ExtismSize n_inputs, ExtismSize n_outputs,
                                void *data)
{
    static const ExtismValType types[] = {ExtismValType_I64, ExtismValType_I64, ExtismValType_I64,
                                          ExtismValType_I64};

    return extism.function_new("f", types, n_inputs, types, n_outputs, f, data, NULL);
}

static void see_values(current *plugin, const ExtismVal *inputs, ExtismSize n_inputs,
                       ExtismVal *outputs, ExtismSize n_outputs, void *data)
{
    (void)plugin;
    (void)data;
    observe_int("inputs", (int64_t)n_inputs);
    observe_int("outputs", (int64_t)n_outputs);
    observe_int("types", inputs[0].t * 1000 + inputs[1].t * 100 + inputs[2].t * 10 + inputs[3].t);
    observe_int("i32", inputs[0].v.i32);
    observe_int("i64", inputs[1].v.i64);
    observe_int("f32", (int64_t)(inputs[2].v.f32 * 1000));
    observe_int("f64", (int64_t)(inputs[3].v.f64 * 1000));
    observe_int("types of results",
                outputs[0].t * 1000 + outputs[1].t * 100 + outputs[2].t * 10 + outputs[3].t);
    outputs[0].v.i32 = -5;
    outputs[1].v.i64 = -6000000000;
    outputs[2].v.f32 = -0.25f;
    outputs[3].v.f64 = 1e300;
}

static void value_types(void)
{
    static const ExtismValType types[] = {ExtismValType_I32, ExtismValType_I64, ExtismValType_F32,
                                          ExtismValType_F64};
    ExtismFunction *f = extism.function_new("f", types, 4, types, 4, see_values, NULL, NULL);
    ExtismPlugin *p = open_with_function(
        "(module (import 'extism:host/user' 'f'"
        "  (func $f (param i32 i64 f32 f64) (result i32 i64 f32 f64)))"
        "(global $a (mut f64) (f64.const 0))"
        "(func (export 'run') (result i32) (local $d f64) (local $c f32) (local $b i64)"
        "  (call $f (i32.const -2147483648) (i64.const 9000000000) (f32.const 1.5)"
        "    (f64.const -2.25))"
        "  (local.set $d) (local.set $c) (local.set $b)"
        "  (if (f64.ne (local.get $d) (f64.const 1e300)) (then unreachable))"
        "  (if (f32.ne (local.get $c) (f32.const -0.25)) (then unreachable))"
        "  (if (i64.ne (local.get $b) (i64.const -6000000000)) (then unreachable))))",
        f);

    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
}

static void change_types(current *plugin, const ExtismVal *inputs, ExtismSize n_inputs,
                         ExtismVal *outputs, ExtismSize n_outputs, void *data)
{
    (void)plugin;
    (void)inputs;
    (void)n_inputs;
    (void)n_outputs;
    (void)data;
    outputs[0].t = ExtismValType_I32;
    outputs[0].v.i64 = 5;
}

/* A function that says it gives an i64 and then an i32. */
static void other_type_than_declared(void)
{
    ExtismPlugin *p = open_with_function("(module (import 'extism:host/user' 'f'"
                                         "  (func $f (result i64)))"
                                         "(func (export 'run') (result i32)"
                                         "  (i32.wrap_i64 (call $f))))",
                                         function(change_types, 0, 1, NULL));

    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
}

static void see_nothing(current *plugin, const ExtismVal *inputs, ExtismSize n_inputs,
                        ExtismVal *outputs, ExtismSize n_outputs, void *data)
{
    (void)plugin;
    observe_bool("inputs", inputs != NULL);
    observe_int("inputs", (int64_t)n_inputs);
    observe_bool("outputs", outputs != NULL);
    observe_int("outputs", (int64_t)n_outputs);
    observe_bool("data", data != NULL);
}

static void no_values(void)
{
    ExtismFunction *f = extism.function_new("f", NULL, 5, NULL, 5, see_nothing, NULL, NULL);
    ExtismPlugin *p = open_with_function("(module (import 'extism:host/user' 'f' (func $f))"
                                         "(func (export 'run') (call $f)))",
                                         f);

    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
}

static void result_left_alone(void)
{
    ExtismPlugin *p = open_with_function("(module (import 'extism:host/user' 'f'"
                                         "  (func $f (param i64) (result i64 i64)))"
                                         "(func (export 'run') (result i32)"
                                         "  (i32.wrap_i64 (i64.add (call $f (i64.const 1))))))",
                                         function(see_nothing, 1, 2, NULL));

    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
}

static void unsupported_types(void)
{
    static const ExtismValType types[] = {ExtismValType_V128, ExtismValType_FuncRef,
                                          ExtismValType_ExternRef};
    static const char *const names[] = {"v128", "funcref", "externref"};

    for (size_t i = 0; i < 3; i++) {
        ExtismFunction *f =
            extism.function_new("f", types + i, 1, NULL, 0, see_nothing, NULL, NULL);

        extism.plugin_free(open_with_function(
            quoted_format("(module (import 'extism:host/user' 'f' (func $f (param %s)))"
                          "(func (export 'run')))",
                          names[i]),
            f));
        observe_text("opened", names[i]);
    }
}

static void v128_argument(void)
{
    static const ExtismValType type = ExtismValType_V128;
    ExtismPlugin *p =
        open_with_function("(module (import 'extism:host/user' 'f' (func $f (param v128)))"
                           "(func (export 'run') (call $f (v128.const i64x2 1 2))))",
                           extism.function_new("f", &type, 1, NULL, 0, see_nothing, NULL, NULL));

    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
}

static void externref_result(void)
{
    static const ExtismValType type = ExtismValType_ExternRef;
    ExtismPlugin *p =
        open_with_function("(module (import 'extism:host/user' 'f' (func $f (result externref)))"
                           "(func (export 'run') (drop (call $f))))",
                           extism.function_new("f", NULL, 0, &type, 1, see_nothing, NULL, NULL));

    observe_call(p, "call", "run", "");
    extism.plugin_free(p);
}

/* Turns the text of its argument into upper case, in a new block. */
static void shout(current *plugin, const ExtismVal *inputs, ExtismSize n_inputs, ExtismVal *outputs,
                  ExtismSize n_outputs, void *data)
{
    uint64_t h = (uint64_t)inputs[0].v.i64;
    uint64_t len = extism.current_plugin_memory_length(plugin, h);
    uint64_t to = extism.current_plugin_memory_alloc(plugin, len);
    uint8_t *memory = extism.current_plugin_memory(plugin);

    (void)n_inputs;
    (void)n_outputs;
    (void)data;
    for (uint64_t i = 0; i < len; i++)
        memory[to + i] = (uint8_t)(memory[h + i] >= 'a' && memory[h + i] <= 'z' ? memory[h + i] - 32
                                                                                : memory[h + i]);
    outputs[0].v.i64 = (int64_t)to;
}

#define WITH_F                                                                                     \
    "(module (import 'extism:host/user' 'f' (func $f (param i64) (result i64)))"                   \
    "(import 'extism:host/env' 'input_offset' (func $input_offset (result i64)))"                  \
    "(import 'extism:host/env' 'length' (func $length (param i64) (result i64)))"                  \
    "(import 'extism:host/env' 'alloc' (func $alloc (param i64) (result i64)))"                    \
    "(import 'extism:host/env' 'output_set' (func $output_set (param i64 i64)))"                   \
    "(func (export 'run') (result i32) (local $h i64)"                                             \
    "  (local.set $h (call $f (call $input_offset)))"                                              \
    "  (call $output_set (local.get $h) (call $length (local.get $h))) (i32.const 0))"

static void memory_read_and_made(void)
{
    ExtismPlugin *p = open_with_function(WITH_F ")", function(shout, 1, 1, NULL));

    observe_call(p, "call", "run", "hello, world");
    observe_call(p, "empty", "run", "");
    observe_call(p, "again", "run", "again");
    extism.plugin_free(p);
}

static void probe_memory(current *plugin, const ExtismVal *inputs, ExtismSize n_inputs,
                         ExtismVal *outputs, ExtismSize n_outputs, void *data)
{
    uint64_t h = (uint64_t)inputs[0].v.i64;
    uint64_t n;

    (void)n_inputs;
    (void)n_outputs;
    (void)data;
    observe_int("length", (int64_t)extism.current_plugin_memory_length(plugin, h));
    observe_int("length of 0", (int64_t)extism.current_plugin_memory_length(plugin, 0));
    observe_int("length inside", (int64_t)extism.current_plugin_memory_length(plugin, h + 1));
    observe_int("length far", (int64_t)extism.current_plugin_memory_length(plugin, 99999999));
    observe_int("length of -1", (int64_t)extism.current_plugin_memory_length(plugin, UINT64_MAX));
    observe_int("alloc 0", (int64_t)extism.current_plugin_memory_alloc(plugin, 0));
    observe_int("alloc 8 GiB", (int64_t)extism.current_plugin_memory_alloc(plugin, 1ull << 33));
    n = extism.current_plugin_memory_alloc(plugin, 300000);
    observe_bool("alloc 300000", n != 0);
    memset(extism.current_plugin_memory(plugin) + n, 'z', 300000);
    observe_int("its length", (int64_t)extism.current_plugin_memory_length(plugin, n));
    extism.current_plugin_memory_free(plugin, n);
    observe_int("freed", (int64_t)extism.current_plugin_memory_length(plugin, n));
    extism.current_plugin_memory_free(plugin, n);
    extism.current_plugin_memory_free(plugin, 0);
    extism.current_plugin_memory_free(plugin, 99999999);
    extism.current_plugin_memory_free(plugin, h + 1);
    observe_int("length still", (int64_t)extism.current_plugin_memory_length(plugin, h));
    outputs[0].v.i64 = (int64_t)h;
}

static void memory_probed(void)
{
    ExtismPlugin *p = open_with_function(WITH_F ")", function(probe_memory, 1, 1, NULL));

    observe_call(p, "call", "run", "some input");
    extism.plugin_free(p);
}

static void see_context(current *plugin, const ExtismVal *inputs, ExtismSize n_inputs,
                        ExtismVal *outputs, ExtismSize n_outputs, void *data)
{
    const char *context = extism.current_plugin_host_context(plugin);

    (void)n_inputs;
    (void)n_outputs;
    (void)data;
    observe_text("context", context);
    outputs[0].v.i64 = inputs[0].v.i64;
}

static void host_context(void)
{
    ExtismPlugin *p = open_with_function(WITH_F ")", function(see_context, 1, 1, NULL));

    observe_int("without", extism.plugin_call(p, "run", NULL, 0));
    observe_int("with", extism.plugin_call_with_host_context(p, "run", (const uint8_t *)"x", 1,
                                                             (void *)"of the call"));
    observe_result(p, "with", 0, false);
    observe_int("another",
                extism.plugin_call_with_host_context(p, "run", NULL, 0, (void *)"of another"));
    observe_int("null", extism.plugin_call_with_host_context(p, "run", NULL, 0, NULL));
    observe_int("without again", extism.plugin_call(p, "run", NULL, 0));
    observe_int("missing function",
                extism.plugin_call_with_host_context(p, "nothing", NULL, 0, (void *)"lost"));
    observe_int("without again", extism.plugin_call(p, "run", NULL, 0));
    extism.plugin_free(p);
}

static ExtismPlugin *inner;

static void call_inner(current *plugin, const ExtismVal *inputs, ExtismSize n_inputs,
                       ExtismVal *outputs, ExtismSize n_outputs, void *data)
{
    (void)plugin;
    (void)n_inputs;
    (void)n_outputs;
    (void)data;
    observe_call(inner, "inner", "run", "from within");
    outputs[0].v.i64 = inputs[0].v.i64;
}

static void plugin_within_a_plugin(void)
{
    ExtismPlugin *p = open_with_function(WITH_F ")", function(call_inner, 1, 1, NULL));

    inner = plugin_open(guest("(func (export 'run') (call $echo))"));
    observe_call(p, "outer", "run", "outer input");
    observe_call(p, "outer", "run", "again");
    extism.plugin_free(p);
    extism.plugin_free(inner);
}

static void trap_within(void)
{
    ExtismPlugin *p = open_with_function(WITH_F ")", function(call_inner, 1, 1, NULL));

    inner = plugin_open(guest("(func (export 'run') unreachable)"));
    observe_call(p, "outer", "run", "outer goes on");
    extism.plugin_free(p);
    extism.plugin_free(inner);
}

static void call_the_next(current *plugin, const ExtismVal *inputs, ExtismSize n_inputs,
                          ExtismVal *outputs, ExtismSize n_outputs, void *data)
{
    ExtismPlugin **next = data;
    uint64_t len;
    uint64_t to;

    (void)inputs;
    (void)n_inputs;
    (void)n_outputs;
    extism.plugin_call(*next, "run", (const uint8_t *)"innermost", 9);
    len = extism.plugin_output_length(*next);
    to = extism.current_plugin_memory_alloc(plugin, len + 1);
    memcpy(extism.current_plugin_memory(plugin) + to, extism.plugin_output_data(*next), len);
    extism.current_plugin_memory(plugin)[to + len] = '+';
    outputs[0].v.i64 = (int64_t)to;
}

static void plugins_ten_deep(void)
{
    ExtismPlugin *all[11];

    all[0] = plugin_open(guest("(func (export 'run') (call $echo))"));
    for (int i = 1; i < 11; i++)
        all[i] = open_with_function(WITH_F ")", function(call_the_next, 1, 1, &all[i - 1]));
    observe_call(all[10], "outermost", "run", "");
    for (int i = 0; i < 11; i++)
        extism.plugin_free(all[i]);
}

/* The plug-in that is running calls itself. Upstream waits for its own lock, for ever. */
static void call_self(current *plugin, const ExtismVal *inputs, ExtismSize n_inputs,
                      ExtismVal *outputs, ExtismSize n_outputs, void *data)
{
    (void)plugin;
    (void)n_inputs;
    (void)n_outputs;
    (void)data;
    observe_int("rc", extism.plugin_call(inner, "run", NULL, 0));
    outputs[0].v.i64 = inputs[0].v.i64;
}

static void plugin_within_itself(void)
{
    inner = open_with_function(WITH_F ")", function(call_self, 1, 1, NULL));
    alarm_after(3);
    observe_call(inner, "call", "run", "outer input");
    extism.plugin_free(inner);
}

static void *call_in_a_thread(void *p)
{
    observe_call(p, "in a thread", "run", "threaded");
    return NULL;
}

static void made_in_one_thread_called_in_another(void)
{
    ExtismPlugin *p = open_with_function(WITH_F ")", function(shout, 1, 1, NULL));
    pthread_t t;

    observe_call(p, "here", "run", "here");
    pthread_create(&t, NULL, call_in_a_thread, p);
    pthread_join(t, NULL);
    observe_call(p, "here again", "run", "here again");
    extism.plugin_free(p);
}

typedef struct busy {
    ExtismPlugin *p;
    int wrong;
} busy;

static void *call_often(void *arg)
{
    busy *b = arg;

    for (int i = 0; i < 500; i++)
        if (extism.plugin_call(b->p, "run", (const uint8_t *)"abc", 3) != 0 ||
            extism.plugin_output_length(b->p) != 3 ||
            memcmp(extism.plugin_output_data(b->p), "ABC", 3) != 0)
            b->wrong++;
    return NULL;
}

static void plugins_in_threads(void)
{
    busy all[4] = {{NULL, 0}};
    pthread_t threads[4];

    for (int i = 0; i < 4; i++) {
        all[i].p = open_with_function(WITH_F ")", function(shout, 1, 1, NULL));
        pthread_create(&threads[i], NULL, call_often, &all[i]);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        observe_int("wrong", all[i].wrong);
        extism.plugin_free(all[i].p);
    }
}

static void called_from_initialize(void)
{
    ExtismFunction *f = extism.function_new("f", I64, 1, I64, 1, see_context, NULL, NULL);
    ExtismPlugin *p = open_with_function(WITH_F "(func (export '_initialize')"
                                                "  (drop (call $f (i64.const 0)))))",
                                         f);

    observe_text("opened", "");
    observe_int("rc", extism.plugin_call_with_host_context(p, "run", NULL, 0, (void *)"of a call"));
    extism.plugin_free(p);
}

static const test_case cases[] = {
    {"value_types", value_types},
    {"other_type_than_declared", other_type_than_declared},
    {"no_values", no_values},
    {"result_left_alone", result_left_alone},
    {"unsupported_types", unsupported_types},
    {"v128_argument", v128_argument},
    {"externref_result", externref_result},
    {"memory_read_and_made", memory_read_and_made},
    {"memory_probed", memory_probed},
    {"host_context", host_context},
    {"plugin_within_a_plugin", plugin_within_a_plugin},
    {"trap_within", trap_within},
    {"plugins_ten_deep", plugins_ten_deep},
    {"plugin_within_itself", plugin_within_itself},
    {"made_in_one_thread_called_in_another", made_in_one_thread_called_in_another},
    {"plugins_in_threads", plugins_in_threads},
    {"called_from_initialize", called_from_initialize},
    {NULL, NULL},
};

const case_group host_more_cases = {"host_more", cases, false};
