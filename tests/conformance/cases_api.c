#include "case.h"

/* The C ABI itself: ids, versions, null pointers, booleans. */

static void version(void)
{
    const char *v = extism.version();
    int numbers[3] = {0};
    int end = 0;

    /* Each library has a version of its own; both are of the form N.N.N. */
    observe_bool("three numbers",
                 sscanf(v, "%d.%d.%d%n", &numbers[0], &numbers[1], &numbers[2], &end) == 3 &&
                     v[end] == '\0');
    observe_int("major", numbers[0]);
    observe_bool("same pointer", v == extism.version());
}

static void ids(void)
{
    ExtismPlugin *a = plugin_open("(module)");
    ExtismPlugin *b = plugin_open("(module)");
    const uint8_t *id = extism.plugin_id(a);
    uint8_t copy[16];

    memcpy(copy, id, 16);
    observe_int("version", copy[6] >> 4);
    observe_int("variant", copy[8] >> 6);
    observe_bool("same again", memcmp(extism.plugin_id(a), copy, 16) == 0);
    observe_bool("another's differs", memcmp(extism.plugin_id(b), copy, 16) != 0);
    extism.plugin_call(a, "nothing", NULL, 0);
    extism.plugin_reset(a);
    observe_bool("same after a call", memcmp(extism.plugin_id(a), copy, 16) == 0);
    extism.plugin_free(a);
    extism.plugin_free(b);
}

static void null_plugin(void)
{
    observe_bool("id", extism.plugin_id(NULL) != NULL);
    observe_bool("host context", extism.current_plugin_host_context(NULL) != NULL);
    observe_bool("memory", extism.current_plugin_memory(NULL) != NULL);
    observe_int("alloc", (int64_t)extism.current_plugin_memory_alloc(NULL, 1));
    observe_int("length", (int64_t)extism.current_plugin_memory_length(NULL, 1));
    extism.current_plugin_memory_free(NULL, 1);
    observe_bool("cancel handle", extism.plugin_cancel_handle(NULL) != NULL);
    observe_bool("config", extism.plugin_config(NULL, (const uint8_t *)"{}", 2));
    observe_bool("function exists", extism.plugin_function_exists(NULL, "run"));
    observe_int("call", extism.plugin_call(NULL, "run", NULL, 0));
    observe_int("call with context",
                extism.plugin_call_with_host_context(NULL, "run", NULL, 0, NULL));
    observe_text("error", extism.plugin_error(NULL));
    observe_text("error", extism.error(NULL));
    observe_int("output length", (int64_t)extism.plugin_output_length(NULL));
    observe_bool("output data", extism.plugin_output_data(NULL) != NULL);
}

static void free_null(void)
{
    extism.plugin_free(NULL);
    extism.compiled_plugin_free(NULL);
    extism.function_free(NULL);
    extism.plugin_new_error_free(NULL);
    observe_bool("alive", true);
}

static void reset_null(void)
{
    observe_bool("reset", extism.plugin_reset(NULL));
}

static void cancel_null(void)
{
    observe_bool("cancel", extism.plugin_cancel(NULL));
}

static void headers_of_null(void)
{
    extism.plugin_allow_http_response_headers(NULL);
    observe_bool("alive", true);
}

static void from_compiled_null(void)
{
    char *err = NULL;

    observe_bool("plugin", extism.plugin_new_from_compiled(NULL, &err) != NULL);
    observe_text("error", err);
}

static void namespace_of_null(void)
{
    extism.function_set_namespace(NULL, "ns");
    observe_bool("alive", true);
}

static void call_without_a_name(void)
{
    ExtismPlugin *p = plugin_open("(module (func (export 'run')))");

    observe_call_bytes(p, "call", NULL, NULL, 0);
    extism.plugin_free(p);
}

static void exists_without_a_name(void)
{
    ExtismPlugin *p = plugin_open("(module (func (export 'run')))");

    observe_bool("exists", extism.plugin_function_exists(p, NULL));
    extism.plugin_free(p);
}

static void config_without_text(void)
{
    ExtismPlugin *p = plugin_open("(module (func (export 'run')))");

    observe_bool("null of 0", extism.plugin_config(p, NULL, 0));
    observe_bool("null of 5", extism.plugin_config(p, NULL, 5));
    extism.plugin_free(p);
}

static void drain_without_a_handler(void)
{
    extism.log_drain(NULL);
    observe_bool("alive", true);
}

/* Nobody wants the error. */
static void errors_not_wanted(void)
{
    ExtismCompiledPlugin *c =
        extism.compiled_plugin_new((const uint8_t *)"(module)", 8, NULL, 0, false, NULL);
    ExtismFunction *f = extism.function_new("f", NULL, 0, NULL, 0, NULL, NULL, NULL);
    const ExtismFunction *with_null[] = {f, NULL};

    observe_bool("plugin",
                 extism.plugin_new((const uint8_t *)"x", 1, NULL, 0, false, NULL) != NULL);
    observe_bool("compiled",
                 extism.compiled_plugin_new((const uint8_t *)"x", 1, NULL, 0, false, NULL) != NULL);
    observe_bool("fuel", extism.plugin_new_with_fuel_limit((const uint8_t *)"x", 1, NULL, 0, false,
                                                           1, NULL) != NULL);
    observe_bool("functions", extism.plugin_new((const uint8_t *)"(module)", 8, with_null, 2, false,
                                                NULL) != NULL);
    extism.plugin_free(extism.plugin_new_from_compiled(c, NULL));
    extism.compiled_plugin_free(c);
    observe_bool("alive", true);
}

/* A success leaves the caller's pointer alone. */
static void error_pointer_on_success(void)
{
    char *err = (char *)"untouched";
    ExtismPlugin *p = extism.plugin_new((const uint8_t *)"(module)", 8, NULL, 0, false, &err);

    observe_text("plugin_new", err);
    extism.plugin_free(p);
}

/* Some languages read a bool as four bytes. */
static int32_t call_as_i32(bool (*f)(ExtismPlugin *, const char *), ExtismPlugin *p, const char *s)
{
    int32_t (*wide)(ExtismPlugin *, const char *) = NULL;

    memcpy(&wide, &f, sizeof wide);
    return wide(p, s);
}

static void booleans_are_32_bits(void)
{
    ExtismPlugin *p = plugin_open("(module (func (export 'run')))");
    int32_t (*config)(ExtismPlugin *, const uint8_t *, ExtismSize) = NULL;
    int32_t (*reset)(ExtismPlugin *) = NULL;
    int32_t (*cancel)(const ExtismCancelHandle *) = NULL;

    memcpy(&config, &extism.plugin_config, sizeof config);
    memcpy(&reset, &extism.plugin_reset, sizeof reset);
    memcpy(&cancel, &extism.plugin_cancel, sizeof cancel);
    observe_int("exists", call_as_i32(extism.plugin_function_exists, p, "run"));
    observe_int("exists not", call_as_i32(extism.plugin_function_exists, p, "nothing"));
    observe_int("config", config(p, (const uint8_t *)"{}", 2));
    observe_int("config not", config(p, (const uint8_t *)"{", 1));
    observe_int("reset", reset(p));
    observe_int("cancel", cancel(extism.plugin_cancel_handle(p)));
    extism.plugin_free(p);
}

/* A bool that is passed may have anything in its upper bytes. */
static void wide_boolean_argument(void)
{
    ExtismPlugin *(*wide)(const uint8_t *, ExtismSize, const ExtismFunction **, ExtismSize, int32_t,
                          char **) = NULL;
    ExtismPlugin *p;

    memcpy(&wide, &extism.plugin_new, sizeof wide);
    p = wide((const uint8_t *)"(module)", 8, NULL, 0, 1, NULL);
    observe_bool("1", p != NULL);
    extism.plugin_free(p);
    p = wide((const uint8_t *)"(module)", 8, NULL, 0, 0x5500, NULL);
    observe_bool("0x5500", p != NULL);
    extism.plugin_free(p);
}

static void functions_without_a_list(void)
{
    char *err = NULL;
    ExtismPlugin *p = extism.plugin_new((const uint8_t *)"(module)", 8, NULL, 7, false, &err);

    observe_bool("plugin", p != NULL);
    observe_text("error", err);
    extism.plugin_free(p);
}

static const test_case cases[] = {
    {"version", version},
    {"ids", ids},
    {"null_plugin", null_plugin},
    {"free_null", free_null},
    {"reset_null", reset_null},
    {"cancel_null", cancel_null},
    {"headers_of_null", headers_of_null},
    {"from_compiled_null", from_compiled_null},
    {"namespace_of_null", namespace_of_null},
    {"call_without_a_name", call_without_a_name},
    {"exists_without_a_name", exists_without_a_name},
    {"config_without_text", config_without_text},
    {"drain_without_a_handler", drain_without_a_handler},
    {"errors_not_wanted", errors_not_wanted},
    {"error_pointer_on_success", error_pointer_on_success},
    {"booleans_are_32_bits", booleans_are_32_bits},
    {"wide_boolean_argument", wide_boolean_argument},
    {"functions_without_a_list", functions_without_a_list},
    {NULL, NULL},
};

const case_group api_cases = {"api", cases, false};
