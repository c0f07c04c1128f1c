#include "runtime.h"

#include "host.h"

#include <stdlib.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(name)))

/* GC is for functions that make much garbage; most calls end before. */
#define GC_THRESHOLD (4 * 1024 * 1024)

JSContext *runtime_context;
char *runtime_missing;

static JSRuntime *rt;
static JSValue hooks;
static bool preparing;
static bool impure;

static uint8_t *blob;
static size_t blob_size;
static bool loaded;
static int kind;
static JSValue exports;
static JSAtom *names;
static unsigned name_count;

/* Hooks that every call needs. */
static JSValue run_hook;
static JSAtom before_name, after_name;

extern void __wasm_call_ctors(void);

JSValue runtime_hook(const char *name)
{
    return JS_GetPropertyStr(runtime_context, hooks, name);
}

void runtime_note_impure(void)
{
    impure = true;
}

void runtime_prepare(void)
{
    preparing = true;
}

bool runtime_impure(const char *what)
{
    if (!preparing)
        return false;
    impure = true;
    JSValue e = JS_NewError(runtime_context);
    JS_SetPropertyStr(runtime_context, e, "message", JS_NewString(runtime_context, what));
    JS_SetUncatchableError(runtime_context, e);
    JS_Throw(runtime_context, e);
    return true;
}

static const char *value_text(JSValueConst exception, size_t *size)
{
    JSContext *ctx = runtime_context;
    JSValue describe = runtime_hook("describe");
    JSValue text = JS_Call(ctx, describe, JS_UNDEFINED, 1, &exception);
    const char *c = JS_IsException(text) ? NULL : JS_ToCStringLen(ctx, size, text);

    JS_FreeValue(ctx, JS_GetException(ctx));
    JS_FreeValue(ctx, text);
    JS_FreeValue(ctx, describe);
    return c;
}

const char *runtime_exception_text(size_t *size)
{
    JSValue e = JS_GetException(runtime_context);
    const char *c = value_text(e, size);
    JS_FreeValue(runtime_context, e);
    return c;
}

static int fail_with(JSValueConst exception)
{
    static const char unknown[] = "the function failed, and its error cannot be put into words";
    size_t size = 0;
    const char *text = value_text(exception, &size);

    host_error(text ? text : unknown, text ? size : sizeof unknown - 1);
    JS_FreeCString(runtime_context, text);
    return 1;
}

static int fail(void)
{
    JSValue e = JS_GetException(runtime_context);
    int rc = fail_with(e);
    JS_FreeValue(runtime_context, e);
    return rc;
}

/* Runs jobs until there are none; false with an exception that no code could catch. */
static bool run_jobs(void)
{
    JSContext *ctx;
    int rc;

    while ((rc = JS_ExecutePendingJob(rt, &ctx)) > 0)
        ;
    return rc == 0;
}

JSPromiseStateEnum runtime_settle(JSValueConst promise)
{
    JSContext *ctx = runtime_context;

    for (;;) {
        if (!run_jobs() || JS_PromiseState(ctx, promise) != JS_PROMISE_PENDING)
            return JS_PromiseState(ctx, promise);
        JSValue wait = runtime_hook("wait");
        JSValue more = JS_Call(ctx, wait, JS_UNDEFINED, 0, NULL);
        int goes_on = JS_IsException(more) ? -1 : JS_ToBool(ctx, more);
        JS_FreeValue(ctx, more);
        JS_FreeValue(ctx, wait);
        if (goes_on <= 0)
            return JS_PROMISE_PENDING;
    }
}

/* The value of a promise that is to be settled now, or an exception. Takes `value`. */
static JSValue await_value(JSValue value)
{
    JSContext *ctx = runtime_context;

    if (!JS_IsPromise(value))
        return value;
    JSPromiseStateEnum state = runtime_settle(value);
    JSValue result = JS_UNDEFINED;
    if (state == JS_PROMISE_FULFILLED)
        result = JS_PromiseResult(ctx, value);
    else if (state == JS_PROMISE_REJECTED)
        result = JS_Throw(ctx, JS_PromiseResult(ctx, value));
    else if (!JS_HasException(ctx))
        result = JS_ThrowInternalError(ctx, "the function waits for a promise that nothing is left "
                                            "to settle: no timer, no request");
    else
        result = JS_EXCEPTION;
    JS_FreeValue(ctx, value);
    return result;
}

static JSValue evaluate_commonjs(JSValue code)
{
    JSContext *ctx = runtime_context;
    JSValue function = JS_EvalFunction(ctx, code);
    JSValue load = runtime_hook("loadCommonJS");
    JSValue made =
        JS_IsException(function) ? JS_EXCEPTION : JS_Call(ctx, load, JS_UNDEFINED, 1, &function);
    JS_FreeValue(ctx, load);
    JS_FreeValue(ctx, function);
    return made;
}

JSValue runtime_evaluate(int code_kind, JSValue code)
{
    JSContext *ctx = runtime_context;

    if (code_kind == BLOB_COMMONJS)
        return evaluate_commonjs(code);
    if (JS_ResolveModule(ctx, code) < 0) {
        JS_FreeValue(ctx, code);
        return JS_EXCEPTION;
    }
    JSModuleDef *m = JS_VALUE_GET_PTR(code);
    JSValue done = await_value(JS_EvalFunction(ctx, code));
    if (JS_IsException(done))
        return JS_EXCEPTION;
    JS_FreeValue(ctx, done);
    return JS_GetModuleNamespace(ctx, m);
}

void runtime_tell(const char *name, const char *text, size_t size)
{
    JS_SetPropertyStr(runtime_context, hooks, name, JS_NewStringLen(runtime_context, text, size));
}

/* Tells the preludes the text that stands at `at`. Where it ends, or 0. */
static size_t read_text(size_t at, const char *name)
{
    uint32_t size;

    if (blob_size - at < sizeof size)
        return 0;
    memcpy(&size, blob + at, sizeof size);
    at += sizeof size;
    if (size > blob_size - at)
        return 0;
    runtime_tell(name, (const char *)blob + at, size);
    return at + size;
}

/* Reads what stands before the bytecode; the size of it, or 0. */
static size_t read_head(JSContext *ctx)
{
    size_t at = 3;

    if (blob_size < at)
        return 0;
    kind = blob[0] & ~(BLOB_HAS_LINES | BLOB_HAS_HOST);
    name_count = (unsigned)(blob[1] | blob[2] << 8);
    names = calloc(name_count + 1, sizeof *names);
    for (unsigned i = 0; i < name_count && names; i++) {
        if (at + 2 > blob_size)
            return 0;
        size_t len = (size_t)(blob[at] | blob[at + 1] << 8);
        at += 2;
        if (len > blob_size - at)
            return 0;
        names[i] = JS_NewAtomLen(ctx, (const char *)blob + at, len);
        at += len;
    }
    if (names && blob[0] & BLOB_HAS_LINES)
        at = read_text(at, "lines");
    if (names && at && blob[0] & BLOB_HAS_HOST)
        at = read_text(at, "host");
    return names ? at : 0;
}

/* For the function's module: room for its `size` bytes of code, and which of the platform's functions
 * it has put into the table. 0 when the code was loaded already. */
EXPORT("begin") uint8_t *runtime_begin(size_t size, uint32_t bound)
{
    if (loaded)
        return NULL;
    blob = malloc(size);
    blob_size = size;
    host_bound = bound;
    if (!blob)
        __builtin_trap();
    return blob;
}

/* Evaluates the code that stands there now. With `ahead`, this happens before any call, for all of
 * them: anything but 0 says that it must not. */
EXPORT("load") int32_t runtime_load(int32_t ahead)
{
    JSContext *ctx = runtime_context;
    size_t head = read_head(ctx);

    if (head == 0)
        __builtin_trap();
    preparing = ahead;
    JSValue code = JS_ReadObject(ctx, blob + head, blob_size - head, JS_READ_OBJ_BYTECODE);
    /* Zeros, as what is kept of a preparation begins with. */
    memset(blob, 0, blob_size);
    free(blob);
    blob = NULL;
    exports = JS_IsException(code) ? code : runtime_evaluate(kind, code);
    if (JS_IsException(exports))
        return ahead ? 1 : fail();
    if (preparing && impure)
        return 1;
    if (preparing)
        engine_freeze(rt, false);
    preparing = false;
    loaded = true;
    return 0;
}

/* Middleware is given JSON, whatever the type of the request's body is. */
static bool is_middleware(JSAtom name)
{
    return name == before_name || name == after_name;
}

/* Calls the export with this number. */
EXPORT("invoke") int32_t runtime_invoke(uint32_t number)
{
    JSContext *ctx = runtime_context;
    JSValue handler = JS_GetProperty(ctx, exports, names[number]), result;
    JSValueConst arguments[] = {handler, JS_NewBool(ctx, kind == BLOB_COMMONJS),
                                JS_NewBool(ctx, is_middleware(names[number]))};
    int32_t code = 0;

    if (!JS_IsFunction(ctx, handler)) {
        const char *name = JS_AtomToCString(ctx, names[number]);
        JS_ThrowTypeError(ctx, "the export \"%s\" is not a function", name ? name : "");
        return fail();
    }
    result = await_value(JS_Call(ctx, run_hook, JS_UNDEFINED, 3, arguments));
    if (JS_IsException(result))
        return fail();
    if (JS_IsNumber(result))
        JS_ToInt32(ctx, &code, result);
    return code;
}

static int init_ubiq_module(JSContext *ctx, JSModuleDef *m)
{
    JSValue sdk = runtime_hook("ubiq"), keys;
    int64_t count = 0;

    keys = JS_GetPropertyStr(ctx, sdk, "names");
    JS_GetLength(ctx, keys, &count);
    for (int64_t i = 0; i < count; i++) {
        JSValue key = JS_GetPropertyInt64(ctx, keys, i);
        const char *name = JS_ToCString(ctx, key);
        JS_SetModuleExport(ctx, m, name, JS_GetPropertyStr(ctx, sdk, name));
        JS_FreeCString(ctx, name);
        JS_FreeValue(ctx, key);
    }
    JS_FreeValue(ctx, keys);
    JS_FreeValue(ctx, sdk);
    return 0;
}

static JSModuleDef *load_module(JSContext *ctx, const char *name, void *opaque)
{
    (void)opaque;
    if (strcmp(name, "ubiq") != 0) {
        free(runtime_missing);
        runtime_missing = strdup(name);
        JS_ThrowReferenceError(ctx, "the module \"%s\" is not there", name);
        return NULL;
    }
    JSModuleDef *m = JS_NewCModule(ctx, name, init_ubiq_module);
    JSValue sdk = runtime_hook("ubiq"), keys = JS_GetPropertyStr(ctx, sdk, "names");
    int64_t count = 0;

    JS_GetLength(ctx, keys, &count);
    for (int64_t i = 0; i < count && m; i++) {
        JSValue key = JS_GetPropertyInt64(ctx, keys, i);
        const char *export = JS_ToCString(ctx, key);
        JS_AddModuleExport(ctx, m, export);
        JS_FreeCString(ctx, export);
        JS_FreeValue(ctx, key);
    }
    JS_FreeValue(ctx, keys);
    JS_FreeValue(ctx, sdk);
    return m;
}

/* Names are taken as they are written: there is nothing to be relative to. */
static char *keep_name(JSContext *ctx, const char *base, const char *name, void *opaque)
{
    (void)base, (void)opaque;
    return js_strdup(ctx, name);
}

/* A file's name, and its text, each ended by a NUL. */
static int run_prelude(const char *name, const char *text, JSValueConst native)
{
    JSContext *ctx = runtime_context;
    JSValueConst arguments[] = {native, hooks};
    JSValue function = JS_Eval(ctx, text, strlen(text), name, JS_EVAL_TYPE_GLOBAL);
    JSValue result = JS_IsException(function) ? JS_EXCEPTION
                                              : JS_Call(ctx, function, JS_UNDEFINED, 2, arguments);
    bool failed = JS_IsException(result);

    JS_FreeValue(ctx, result);
    JS_FreeValue(ctx, function);
    return failed ? -1 : 0;
}

/* Takes what is free between the blocks of the heap, for ever: what is allocated from now on lies side by
 * side, so that a call writes to few pages, which the host has to put back. */
static void fill_holes(void)
{
    uint8_t *end = malloc(128 * 1024);

    free(end);
    for (size_t size = 4096; size > 0; size -= 8) {
        for (uint8_t *p; (p = malloc(size)) != NULL;) {
            if (p >= end) {
                free(p);
                break;
            }
        }
    }
}

/* When the runtime is built: the input is the number of the first entry of the table for the
 * platform's functions, four bytes, and the preludes. */
EXPORT("init") int32_t runtime_init(void)
{
    size_t size;
    __wasm_call_ctors();
    uint8_t *input = host_input(&size);

    memcpy(&host_table_base, input, sizeof host_table_base);
    rt = JS_NewRuntime();
    runtime_context = JS_NewContext(rt);
    /* The stack grows down to address 0. */
    engine_limit_stack(rt, STACK_RESERVE);
    JS_SetGCThreshold(rt, GC_THRESHOLD);
    JS_SetModuleLoaderFunc(rt, keep_name, load_module, NULL);
    hooks = JS_NewObject(runtime_context);
    JSValue native = JS_NewObject(runtime_context);
    native_define(runtime_context, native);
    for (size_t at = 4; at < size;) {
        const char *name = (const char *)input + at, *text = name + strlen(name) + 1;
        if (run_prelude(name, text, native) != 0)
            return fail();
        at = (size_t)(text - (const char *)input) + strlen(text) + 1;
    }
    JS_FreeValue(runtime_context, native);
    run_hook = runtime_hook("run");
    before_name = JS_NewAtom(runtime_context, "before");
    after_name = JS_NewAtom(runtime_context, "after");
    free(input);
    JS_RunGC(rt);
    engine_freeze(rt, true);
    fill_holes();
    impure = false;
    return 0;
}

/* When the runtime is built: all memory as the output, from which the finished module is made. */
EXPORT("dump") int32_t runtime_dump(void)
{
    size_t size = (size_t)__builtin_wasm_memory_size(0) * 65536;
    uint64_t block = extism_alloc(size);

    for (size_t at = STACK_JS + STACK_RESERVE; block && at < size; at += 8) {
        uint64_t word;
        memcpy(&word, (const uint8_t *)at, sizeof word);
        if (word)
            extism_store_u64(block + at, word);
    }
    extism_output_set(block, size);
    return block ? 0 : 1;
}
