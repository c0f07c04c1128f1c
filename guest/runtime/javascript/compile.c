/* Source to bytecode, by the engine that will run it. The input is the file's name and a NUL, what it
 * declares of the host, as in a blob, and a NUL, then its text; the output
 *
 *   u8 kind, u16 count of exports, and of each u16 size and name; that is the head of the blob
 *   u32 size of the bytecode, bytecode
 *   u32 the platform's functions that it may call by what it imports from "ubiq", a bit for each,
 *   u32 and those that make the globals better where the platform is there
 *
 * or the call's error is "line:column: text", "import: name" for a module that is not "ubiq", or text
 * alone. */
#include "runtime.h"

#include "host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(name)))

#define BIT(f) (1u << HOST_##f)
#define ALWAYS (BIT(request) | BIT(response_status) | BIT(response_header) | BIT(error))
#define HTTP (BIT(http_start) | BIT(http_wait) | BIT(http_head) | BIT(http_body))

static const struct part {
    const char *name;
    uint32_t functions;
} parts[] = {
    {"kv", BIT(kv_get) | BIT(kv_set) | BIT(kv_set_if_absent) | BIT(kv_compare_and_set) |
               BIT(kv_increment) | BIT(kv_delete) | BIT(kv_list)},
    {"storage", BIT(storage_read) | BIT(storage_write) | BIT(storage_delete) | BIT(storage_stat) |
                    BIT(storage_list)},
    {"events", BIT(events_emit)},
    {"http", HTTP},
    {"log", BIT(log)},
    {"trace", BIT(trace_attribute) | BIT(trace_event)},
    {"invoke", BIT(invoke)},
    {"config", 0},
    {"request", 0},
    {"response", 0},
};

struct names {
    char **name;
    unsigned count;
};

static void add_name(void *arg, const char *name)
{
    struct names *all = arg;
    all->name = realloc(all->name, (all->count + 1) * sizeof *all->name);
    all->name[all->count++] = strdup(name);
}

static void add_part(void *arg, const char *from, const char *name)
{
    uint32_t *functions = arg;

    if (strcmp(from, "ubiq") != 0)
        return;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strcmp(name, parts[i].name) == 0) {
            *functions |= parts[i].functions;
            return;
        }
    }
    *functions = (1u << HOST_FUNCTION_COUNT) - 1;
}

static int fail_text(const char *text)
{
    host_error(text, strlen(text));
    return 1;
}

/* A syntax error's stack begins with where it is: "    at name:line:column". */
static int fail_exception(const char *file)
{
    JSContext *ctx = runtime_context;
    JSValue e = JS_GetException(ctx);
    JSValue stack = JS_GetPropertyStr(ctx, e, "stack"),
            message = JS_GetPropertyStr(ctx, e, "message");
    const char *at = JS_ToCString(ctx, stack), *text = JS_ToCString(ctx, message);
    const char *place = at ? strstr(at, file) : NULL;
    unsigned line = 0, column = 0;
    char out[1024];

    if (runtime_missing)
        snprintf(out, sizeof out, "import: %s", runtime_missing);
    else if (place && sscanf(place + strlen(file), ":%u:%u", &line, &column) == 2)
        snprintf(out, sizeof out, "%u:%u: %s", line, column, text ? text : "syntax error");
    else
        snprintf(out, sizeof out, "%s", text ? text : "out of memory");
    JS_FreeCString(ctx, at);
    JS_FreeCString(ctx, text);
    JS_FreeValue(ctx, stack);
    JS_FreeValue(ctx, message);
    JS_FreeValue(ctx, e);
    return fail_text(out);
}

static bool contains(const void *data, size_t size, const char *word)
{
    return memmem(data, size, word, strlen(word)) != NULL;
}

/* What the globals need that the code names. */
static uint32_t globals_used(const uint8_t *bytes, size_t size)
{
    return (contains(bytes, size, "fetch") ? HTTP : 0) |
           (contains(bytes, size, "console") ? BIT(log) : 0);
}

static int put_blob(int kind, const struct names *all, const uint8_t *code, size_t size,
                    uint32_t functions)
{
    size_t total = 3 + 4 + size + 8, at = 3;
    uint32_t size32 = (uint32_t)size, better;

    for (unsigned i = 0; i < all->count; i++)
        total += 2 + strlen(all->name[i]);
    uint8_t *out = malloc(total);
    if (!out)
        return fail_text("out of memory");
    out[0] = (uint8_t)kind;
    out[1] = (uint8_t)all->count;
    out[2] = (uint8_t)(all->count >> 8);
    for (unsigned i = 0; i < all->count; i++) {
        size_t n = strlen(all->name[i]);
        out[at++] = (uint8_t)n;
        out[at++] = (uint8_t)(n >> 8);
        memcpy(out + at, all->name[i], n);
        at += n;
    }
    memcpy(out + at, &size32, 4);
    memcpy(out + at + 4, code, size);
    memcpy(out + at + 4 + size, &functions, 4);
    better = ALWAYS | globals_used(code, size);
    memcpy(out + at + 8 + size, &better, 4);
    host_output(out, total);
    return 0;
}

/* Keeps those that are functions in `exports`. */
static void keep_functions(struct names *all, JSValueConst exports)
{
    JSContext *ctx = runtime_context;
    unsigned kept = 0;

    for (unsigned i = 0; i < all->count; i++) {
        JSValue v = JS_GetPropertyStr(ctx, exports, all->name[i]);
        if (JS_IsFunction(ctx, v))
            all->name[kept++] = all->name[i];
        JS_FreeValue(ctx, v);
    }
    all->count = kept;
}

static void list_properties(struct names *all, JSValueConst exports)
{
    JSContext *ctx = runtime_context;
    JSPropertyEnum *list;
    uint32_t count;

    if (!JS_IsObject(exports) || JS_GetOwnPropertyNames(ctx, &list, &count, exports,
                                                        JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY) < 0)
        return;
    for (uint32_t i = 0; i < count; i++) {
        const char *name = JS_AtomToCString(ctx, list[i].atom);
        add_name(all, name);
        JS_FreeCString(ctx, name);
    }
    JS_FreePropertyEnum(ctx, list, count);
}

static int compile_module(const char *file, JSValue code)
{
    JSContext *ctx = runtime_context;
    struct names all = {0};
    uint32_t functions = 0;
    size_t size;

    engine_module_exports(ctx, code, add_name, &all);
    engine_module_imports(ctx, code, add_part, &functions);
    uint8_t *bytes =
        JS_WriteObject(ctx, &size, code, JS_WRITE_OBJ_BYTECODE | JS_WRITE_OBJ_STRIP_SOURCE);
    if (!bytes)
        return fail_exception(file);
    runtime_prepare();
    JSValue exports = runtime_evaluate(BLOB_MODULE, code);
    if (!JS_IsException(exports))
        keep_functions(&all, exports);
    return put_blob(BLOB_MODULE, &all, bytes, size, functions);
}

/* What it exports is known once it has run. */
static int compile_commonjs(const char *file, const char *source, size_t size)
{
    static const char front[] = "(function(module,exports,require){", back[] = "\n})";
    JSContext *ctx = runtime_context;
    struct names all = {0};
    char *wrapped = malloc(size + sizeof front + sizeof back);

    if (!wrapped)
        return fail_text("out of memory");
    memcpy(wrapped, front, sizeof front - 1);
    memcpy(wrapped + sizeof front - 1, source, size);
    memcpy(wrapped + sizeof front - 1 + size, back, sizeof back);
    JSValue code = JS_Eval(ctx, wrapped, strlen(wrapped), file,
                           JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY);
    if (JS_IsException(code))
        return fail_exception(file);
    uint8_t *bytes =
        JS_WriteObject(ctx, &size, code, JS_WRITE_OBJ_BYTECODE | JS_WRITE_OBJ_STRIP_SOURCE);
    if (!bytes)
        return fail_exception(file);
    runtime_prepare();
    JSValue exports = runtime_evaluate(BLOB_COMMONJS, code);
    if (JS_IsException(exports)) {
        char why[1024];
        size_t n;
        const char *text = runtime_exception_text(&n);
        snprintf(why, sizeof why, "what it exports is found by running it, and that failed: %s",
                 text ? text : "out of memory");
        return fail_text(why);
    }
    list_properties(&all, exports);
    keep_functions(&all, exports);
    return put_blob(BLOB_COMMONJS, &all, bytes, size, 0);
}

static bool has_exports(JSValueConst module)
{
    struct names all = {0};
    uint32_t imports = 0;
    engine_module_exports(runtime_context, module, add_name, &all);
    engine_module_imports(runtime_context, module, add_part, &imports);
    return all.count > 0 || imports != 0;
}

EXPORT("compile") int32_t runtime_compile(void)
{
    JSContext *ctx = runtime_context;
    size_t size;
    char *file = (char *)host_input(&size);
    const char *host = file + strlen(file) + 1;
    const char *source = host + strlen(host) + 1;

    size -= (size_t)(source - file);
    runtime_tell("host", host, strlen(host));
    bool commonjs = strstr(source, "module.exports") || strstr(source, "exports.");
    JSValue code =
        JS_Eval(ctx, source, size, file, JS_EVAL_TYPE_MODULE | JS_EVAL_FLAG_COMPILE_ONLY);
    if (JS_IsException(code)) {
        if (!commonjs)
            return fail_exception(file);
        JS_FreeValue(ctx, JS_GetException(ctx));
        return compile_commonjs(file, source, size);
    }
    if (commonjs && !has_exports(code))
        return compile_commonjs(file, source, size);
    return compile_module(file, code);
}
