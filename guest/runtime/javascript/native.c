/* What the preludes are given: the host, bytes and text, time and chance. */
#include "native.h"

#include "host.h"
#include "runtime.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wasi/api.h>

/* The bytes of a string, in UTF-8, or of a buffer or a view of one. */
typedef struct bytes {
    const uint8_t *data;
    size_t size;
    const char *text; /* to be freed, if it is text */
    JSValue buffer;
} bytes;

static bool bytes_of(JSContext *ctx, JSValueConst v, bytes *out)
{
    size_t offset, length, each;

    *out = (bytes){.buffer = JS_UNDEFINED};
    if (JS_IsString(v))
        return (out->data = (const uint8_t *)(out->text = JS_ToCStringLen(ctx, &out->size, v))) !=
               NULL;
    if (JS_GetTypedArrayType(v) >= 0) {
        out->buffer = JS_GetTypedArrayBuffer(ctx, v, &offset, &length, &each);
        uint8_t *data = JS_GetArrayBuffer(ctx, &out->size, out->buffer);
        if (!data && out->size)
            return false;
        out->data = data + offset;
        out->size = length;
        return true;
    }
    out->data = JS_GetArrayBuffer(ctx, &out->size, v);
    if (out->data || !JS_HasException(ctx))
        return true;
    JS_FreeValue(ctx, JS_GetException(ctx));
    JS_ThrowTypeError(ctx, "neither text nor bytes");
    return false;
}

static void bytes_free(JSContext *ctx, bytes *b)
{
    JS_FreeCString(ctx, b->text);
    JS_FreeValue(ctx, b->buffer);
}

int64_t native_put_value(JSContext *ctx, JSValueConst v)
{
    bytes b;

    if (JS_IsNull(v) || JS_IsUndefined(v))
        return 0;
    if (!bytes_of(ctx, v, &b))
        return -1;
    int64_t block = (int64_t)host_put(b.data, b.size);
    bytes_free(ctx, &b);
    return block;
}

static JSValue native_bound(ARGS)
{
    int32_t f = 0;
    UNUSED_ARGS;
    JS_ToInt32(ctx, &f, argv[0]);
    return JS_NewBool(ctx, f >= 0 && f < HOST_FUNCTION_COUNT && host_bound >> f & 1);
}

/* host(number, ...arguments): numbers as they are, all else as a block of its bytes. */
static JSValue native_host(ARGS)
{
    int64_t arguments[HOST_PARAMS_MAX] = {0}, result;
    int32_t f = 0;

    UNUSED_ARGS;
    JS_ToInt32(ctx, &f, argv[0]);
    if (runtime_impure("a function of the host"))
        return JS_EXCEPTION;
    if (!(host_bound >> f & 1))
        return JS_ThrowInternalError(ctx, "this host does not offer that");
    for (unsigned i = 0; i < host_params(f) && (int)i + 1 < argc; i++) {
        JSValueConst v = argv[i + 1];
        if (JS_IsNumber(v)) {
            JS_ToInt64(ctx, &arguments[i], v);
        } else if ((arguments[i] = native_put_value(ctx, v)) < 0) {
            return JS_EXCEPTION;
        }
    }
    result = host_call(f, arguments);
    for (unsigned i = 0; i < host_params(f) && (int)i + 1 < argc; i++) {
        if (!JS_IsNumber(argv[i + 1]) && arguments[i])
            extism_free((uint64_t)arguments[i]);
    }
    return JS_NewInt64(ctx, result);
}

uint8_t *native_copy_block(uint64_t block, size_t *size)
{
    *size = block ? (size_t)extism_length(block) : 0;
    uint8_t *data = malloc(*size + 1);
    if (data && block)
        host_get(block, data, *size);
    return data;
}

/* Takes a block: its bytes, freed with free(). */
static uint8_t *take_block(uint64_t block, size_t *size)
{
    uint8_t *data = native_copy_block(block, size);
    if (data && block)
        extism_free(block);
    return data;
}

/* A string, or a Uint8Array, of these bytes, which are freed; NULL stands for no memory. */
static JSValue text_of_data(JSContext *ctx, uint8_t *data, size_t size)
{
    JSValue v = data ? text_decode(ctx, data, size, 0) : JS_ThrowOutOfMemory(ctx);
    free(data);
    return v;
}

static JSValue bytes_of_data(JSContext *ctx, uint8_t *data, size_t size)
{
    JSValue v = data ? JS_NewUint8ArrayCopy(ctx, data, size) : JS_ThrowOutOfMemory(ctx);
    free(data);
    return v;
}

static JSValue text_of_block(JSContext *ctx, uint64_t block)
{
    size_t size;
    uint8_t *data = take_block(block, &size);
    return text_of_data(ctx, data, size);
}

static JSValue bytes_of_block(JSContext *ctx, uint64_t block)
{
    size_t size;
    uint8_t *data = take_block(block, &size);
    return bytes_of_data(ctx, data, size);
}

static JSValue native_text(ARGS)
{
    int64_t block = 0;
    UNUSED_ARGS;
    JS_ToInt64(ctx, &block, argv[0]);
    return text_of_block(ctx, (uint64_t)block);
}

static JSValue native_bytes(ARGS)
{
    int64_t block = 0;
    UNUSED_ARGS;
    JS_ToInt64(ctx, &block, argv[0]);
    return bytes_of_block(ctx, (uint64_t)block);
}

static JSValue native_input_size(ARGS)
{
    (void)argv;
    UNUSED_ARGS;
    if (runtime_impure("the input"))
        return JS_EXCEPTION;
    return JS_NewInt64(ctx, (int64_t)extism_input_length());
}

static JSValue native_input_text(ARGS)
{
    size_t size;
    uint8_t *data;
    (void)argv;
    UNUSED_ARGS;
    if (runtime_impure("the input"))
        return JS_EXCEPTION;
    data = host_input(&size);
    return text_of_data(ctx, data, size);
}

static JSValue native_input_bytes(ARGS)
{
    size_t size;
    uint8_t *data;
    (void)argv;
    UNUSED_ARGS;
    if (runtime_impure("the input"))
        return JS_EXCEPTION;
    data = host_input(&size);
    return bytes_of_data(ctx, data, size);
}

static JSValue native_output(ARGS)
{
    bytes b;
    UNUSED_ARGS;
    if (runtime_impure("the output") || !bytes_of(ctx, argv[0], &b))
        return JS_EXCEPTION;
    host_output(b.data, b.size);
    bytes_free(ctx, &b);
    return JS_UNDEFINED;
}

/* The configuration is the same for all calls, so the top level may ask for it. */
static JSValue native_config(ARGS)
{
    UNUSED_ARGS;
    int64_t key = native_put_value(ctx, argv[0]);
    if (key < 0)
        return JS_EXCEPTION;
    uint64_t value = extism_config_get((uint64_t)key);
    return value ? text_of_block(ctx, value) : JS_NULL;
}

static JSValue native_var_get(ARGS)
{
    UNUSED_ARGS;
    if (runtime_impure("a variable"))
        return JS_EXCEPTION;
    int64_t key = native_put_value(ctx, argv[0]);
    if (key < 0)
        return JS_EXCEPTION;
    uint64_t value = extism_var_get((uint64_t)key);
    return value ? bytes_of_block(ctx, value) : JS_NULL;
}

static JSValue native_var_set(ARGS)
{
    UNUSED_ARGS;
    if (runtime_impure("a variable"))
        return JS_EXCEPTION;
    int64_t key = native_put_value(ctx, argv[0]), value = native_put_value(ctx, argv[1]);
    if (key < 0 || value < 0)
        return JS_EXCEPTION;
    extism_var_set((uint64_t)key, (uint64_t)value);
    return JS_UNDEFINED;
}

/* httpRequest(head, body): the block of the response's body; waits for it. */
static JSValue native_http_request(ARGS)
{
    UNUSED_ARGS;
    if (runtime_impure("a request"))
        return JS_EXCEPTION;
    int64_t head = native_put_value(ctx, argv[0]), body = native_put_value(ctx, argv[1]);
    if (head < 0 || body < 0)
        return JS_EXCEPTION;
    return JS_NewInt64(ctx, (int64_t)extism_http_request((uint64_t)head, (uint64_t)body));
}

static JSValue native_http_status(ARGS)
{
    (void)argv;
    UNUSED_ARGS;
    return JS_NewInt32(ctx, extism_http_status_code());
}

static JSValue native_http_headers(ARGS)
{
    (void)argv;
    UNUSED_ARGS;
    return text_of_block(ctx, extism_http_headers());
}

static JSValue native_log(ARGS)
{
    static void (*const write[])(uint64_t) = {extism_log_trace, extism_log_debug, extism_log_info,
                                              extism_log_warn, extism_log_error};
    int32_t level = 0;
    UNUSED_ARGS;
    if (runtime_impure("the log"))
        return JS_EXCEPTION;
    JS_ToInt32(ctx, &level, argv[0]);
    int64_t text = native_put_value(ctx, argv[1]);
    if (text < 0)
        return JS_EXCEPTION;
    if (text == 0)
        return JS_UNDEFINED;
    write[level < 0 || level > 4 ? 4 : level]((uint64_t)text);
    return JS_UNDEFINED;
}

static JSValue native_encode(ARGS)
{
    size_t size;
    UNUSED_ARGS;
    const char *text = JS_ToCStringLen(ctx, &size, argv[0]);
    if (!text)
        return JS_EXCEPTION;
    JSValue v = text_encode(ctx, text, size);
    JS_FreeCString(ctx, text);
    return v;
}

/* decode(bytes, flags of text_decode) */
static JSValue native_decode(ARGS)
{
    int32_t flags = 0;
    bytes b;
    UNUSED_ARGS;
    JS_ToInt32(ctx, &flags, argv[1]);
    if (!bytes_of(ctx, argv[0], &b))
        return JS_EXCEPTION;
    JSValue v = text_decode(ctx, b.data, b.size, (unsigned)flags);
    bytes_free(ctx, &b);
    return v;
}

static JSValue native_base64_encode(ARGS)
{
    bytes b;
    UNUSED_ARGS;
    if (!bytes_of(ctx, argv[0], &b))
        return JS_EXCEPTION;
    JSValue v = text_base64_encode(ctx, b.data, b.size);
    bytes_free(ctx, &b);
    return v;
}

/* undefined for what is not base64. */
static JSValue native_base64_decode(ARGS)
{
    size_t size;
    UNUSED_ARGS;
    const char *text = JS_ToCStringLen(ctx, &size, argv[0]);
    if (!text)
        return JS_EXCEPTION;
    JSValue v = text_base64_decode(ctx, text, size);
    JS_FreeCString(ctx, text);
    return v;
}

static JSValue native_random(ARGS)
{
    bytes b;
    UNUSED_ARGS;
    if (runtime_impure("chance") || !bytes_of(ctx, argv[0], &b))
        return JS_EXCEPTION;
    if (b.size && __wasi_random_get((uint8_t *)b.data, b.size) != 0) {
        bytes_free(ctx, &b);
        return JS_ThrowInternalError(ctx, "the host has no random numbers");
    }
    bytes_free(ctx, &b);
    return JS_UNDEFINED;
}

static uint64_t random_state;

/* Math.random: xorshift64*, seeded by the host in each instance that asks. */
static JSValue math_random(ARGS)
{
    (void)argv;
    UNUSED_ARGS;
    if (runtime_impure("chance"))
        return JS_EXCEPTION;
    while (random_state == 0) {
        if (__wasi_random_get((uint8_t *)&random_state, sizeof random_state) != 0)
            random_state = 0x9e3779b97f4a7c15;
    }
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return JS_NewFloat64(ctx, (double)(random_state * 0x2545f4914f6cdd1d >> 11) * 0x1p-53);
}

/* Milliseconds of a clock that only goes forward. */
static JSValue native_monotonic(ARGS)
{
    struct timespec t;
    (void)argv;
    UNUSED_ARGS;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return JS_NewFloat64(ctx, (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6);
}

static JSValue native_sleep(ARGS)
{
    double ms = 0;
    UNUSED_ARGS;
    if (runtime_impure("a timer"))
        return JS_EXCEPTION;
    JS_ToFloat64(ctx, &ms, argv[0]);
    __wasi_subscription_t s = {0};
    __wasi_event_t event;
    __wasi_size_t n;
    s.u.tag = __WASI_EVENTTYPE_CLOCK;
    s.u.u.clock.id = __WASI_CLOCKID_MONOTONIC;
    s.u.u.clock.timeout = (__wasi_timestamp_t)(ms * 1e6);
    if (ms > 0 && __wasi_poll_oneoff(&s, &event, 1, &n) != 0)
        return JS_ThrowInternalError(ctx, "the host cannot wait");
    return JS_UNDEFINED;
}

static JSValue native_clone(ARGS)
{
    size_t size;
    UNUSED_ARGS;
    uint8_t *data = JS_WriteObject(ctx, &size, argv[0], JS_WRITE_OBJ_REFERENCE);
    if (!data)
        return JS_EXCEPTION;
    JSValue v = JS_ReadObject(ctx, data, size, JS_READ_OBJ_REFERENCE);
    js_free(ctx, data);
    return v;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("bound", 1, native_bound),
    JS_CFUNC_DEF("host", 1, native_host),
    JS_CFUNC_DEF("text", 1, native_text),
    JS_CFUNC_DEF("bytes", 1, native_bytes),
    JS_CFUNC_DEF("inputSize", 0, native_input_size),
    JS_CFUNC_DEF("inputText", 0, native_input_text),
    JS_CFUNC_DEF("inputBytes", 0, native_input_bytes),
    JS_CFUNC_DEF("output", 1, native_output),
    JS_CFUNC_DEF("config", 1, native_config),
    JS_CFUNC_DEF("varGet", 1, native_var_get),
    JS_CFUNC_DEF("varSet", 2, native_var_set),
    JS_CFUNC_DEF("httpRequest", 2, native_http_request),
    JS_CFUNC_DEF("httpStatus", 0, native_http_status),
    JS_CFUNC_DEF("httpHeaders", 0, native_http_headers),
    JS_CFUNC_DEF("log", 2, native_log),
    JS_CFUNC_DEF("encode", 1, native_encode),
    JS_CFUNC_DEF("decode", 2, native_decode),
    JS_CFUNC_DEF("base64Encode", 1, native_base64_encode),
    JS_CFUNC_DEF("base64Decode", 1, native_base64_decode),
    JS_CFUNC_DEF("random", 1, native_random),
    JS_CFUNC_DEF("monotonic", 0, native_monotonic),
    JS_CFUNC_DEF("sleep", 1, native_sleep),
    JS_CFUNC_DEF("clone", 1, native_clone),
};

void native_define(JSContext *ctx, JSValueConst object)
{
    JSValue global = JS_GetGlobalObject(ctx), math = JS_GetPropertyStr(ctx, global, "Math");

    JS_SetPropertyFunctionList(ctx, object, functions, sizeof functions / sizeof functions[0]);
    native_define_own(ctx, object);
    JS_DefinePropertyValueStr(ctx, math, "random", JS_NewCFunction(ctx, math_random, "random", 0),
                              JS_PROP_WRITABLE | JS_PROP_CONFIGURABLE);
    JSValue numbers = JS_NewObject(ctx);
#define NUMBER(name, params) JS_SetPropertyStr(ctx, numbers, #name, JS_NewInt32(ctx, HOST_##name));
    HOST_FUNCTIONS(NUMBER)
#undef NUMBER
    JS_SetPropertyStr(ctx, object, "numbers", numbers);
    JS_FreeValue(ctx, math);
    JS_FreeValue(ctx, global);
}
