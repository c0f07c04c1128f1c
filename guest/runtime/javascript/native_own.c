/* Functions of the host that a source declares (src/build/host_interface.h), and the blocks of memory that it
 * shares with them. */
#include "native.h"

#include "host.h"
#include "runtime.h"

#include <stdlib.h>
#include <string.h>

/* A number as an integer: what is too large for one is the largest. */
static int64_t integer_of(double d)
{
    return d >= 0x1p63 ? INT64_MAX : d <= -0x1p63 ? INT64_MIN : d != d ? 0 : (int64_t)d;
}

/* An argument's bits in the type that a letter of src/build/host_interface.h names. */
static bool own_argument(JSContext *ctx, char type, JSValueConst v, int64_t *bits)
{
    double d = 0;

    *bits = 0;
    if (JS_IsUndefined(v) || JS_IsNull(v))
        return true;
    if (JS_IsBigInt(v) && (type == 'I' || type == 'i'))
        return JS_ToBigInt64(ctx, bits, v) == 0;
    if (!JS_IsNumber(v) && !JS_IsBool(v)) {
        JS_ThrowTypeError(ctx, "the host's function takes numbers; Memory.fromString(text).offset "
                               "is one for text");
        return false;
    }
    JS_ToFloat64(ctx, &d, v);
    if (type == 'F') {
        memcpy(bits, &d, sizeof d);
    } else if (type == 'f') {
        float f = (float)d;
        memcpy(bits, &f, sizeof f);
    } else {
        *bits = integer_of(d);
    }
    return true;
}

static JSValue own_result(JSContext *ctx, char type, int64_t bits)
{
    double d;
    float f;

    switch (type) {
    case 'i':
        return JS_NewInt32(ctx, (int32_t)bits);
    case 'I':
        return JS_NewNumber(ctx, (double)(uint64_t)bits);
    case 'f':
        memcpy(&f, &bits, sizeof f);
        return JS_NewNumber(ctx, (double)f);
    case 'F':
        memcpy(&d, &bits, sizeof d);
        return JS_NewNumber(ctx, d);
    default:
        return JS_UNDEFINED;
    }
}

/* own(number, params, result, arguments): calls what the source declares of the host. */
static JSValue native_own(ARGS)
{
    int64_t values[HOST_OWN_PARAMS_MAX] = {0};
    uint32_t number = 0;
    bool fine = true;

    UNUSED_ARGS;
    if (runtime_impure("a function of the host"))
        return JS_EXCEPTION;
    const char *params = JS_ToCString(ctx, argv[1]), *result = JS_ToCString(ctx, argv[2]);
    JS_ToUint32(ctx, &number, argv[0]);
    for (unsigned i = 0; fine && params && i < HOST_OWN_PARAMS_MAX && params[i]; i++) {
        JSValue v = JS_GetPropertyUint32(ctx, argv[3], i);
        fine = own_argument(ctx, params[i], v, &values[i]);
        JS_FreeValue(ctx, v);
    }
    JSValue back = JS_EXCEPTION;
    if (fine && params && result) {
        host_call_own(number, values);
        back = own_result(ctx, result[0], values[0]);
    }
    JS_FreeCString(ctx, params);
    JS_FreeCString(ctx, result);
    return back;
}

/* The number of a block, which may be a BigInt; 0 if it is none. */
static uint64_t block_of(JSContext *ctx, JSValueConst v)
{
    double d = 0;
    int64_t block = 0;

    if (JS_IsBigInt(v))
        JS_ToBigInt64(ctx, &block, v);
    else if (JS_IsNumber(v) && JS_ToFloat64(ctx, &d, v) == 0)
        block = integer_of(d);
    return (uint64_t)block;
}

/* Blocks that the source has itself, until it frees them: Extism's Memory. */
static JSValue native_block_put(ARGS)
{
    UNUSED_ARGS;
    if (runtime_impure("the host's memory"))
        return JS_EXCEPTION;
    int64_t block = native_put_value(ctx, argv[0]);
    return block < 0 ? JS_EXCEPTION : JS_NewInt64(ctx, block);
}

static JSValue native_block_size(ARGS)
{
    UNUSED_ARGS;
    if (runtime_impure("the host's memory"))
        return JS_EXCEPTION;
    uint64_t block = block_of(ctx, argv[0]);
    return JS_NewInt64(ctx, block ? (int64_t)extism_length(block) : 0);
}

static JSValue native_block_bytes(ARGS)
{
    size_t size;
    UNUSED_ARGS;
    if (runtime_impure("the host's memory"))
        return JS_EXCEPTION;
    uint8_t *data = native_copy_block(block_of(ctx, argv[0]), &size);
    JSValue v = data ? JS_NewArrayBufferCopy(ctx, data, size) : JS_ThrowOutOfMemory(ctx);
    free(data);
    return v;
}

static JSValue native_block_free(ARGS)
{
    UNUSED_ARGS;
    if (runtime_impure("the host's memory"))
        return JS_EXCEPTION;
    uint64_t block = block_of(ctx, argv[0]);
    if (block)
        extism_free(block);
    return JS_UNDEFINED;
}

static const JSCFunctionListEntry functions[] = {
    JS_CFUNC_DEF("own", 4, native_own),
    JS_CFUNC_DEF("blockPut", 1, native_block_put),
    JS_CFUNC_DEF("blockSize", 1, native_block_size),
    JS_CFUNC_DEF("blockBytes", 1, native_block_bytes),
    JS_CFUNC_DEF("blockFree", 1, native_block_free),
};

void native_define_own(JSContext *ctx, JSValueConst object)
{
    JS_SetPropertyFunctionList(ctx, object, functions, sizeof functions / sizeof functions[0]);
}
