/* Prints how the compiler lays out the types of extism.h, a line each: kind, name, numbers. */

#include "extism.h"

#include <stddef.h>
#include <stdio.h>

#define TYPE(T) printf("type " #T " %zu %zu\n", sizeof(T), _Alignof(T))
#define FIELD(T, F) printf("field " #T "." #F " %zu %zu\n", offsetof(T, F), sizeof(((T *)NULL)->F))
#define VALUE(V) printf("value " #V " %d\n", (int)V)

int main(void)
{
    TYPE(ExtismValType);
    TYPE(ExtismValUnion);
    TYPE(ExtismVal);
    TYPE(ExtismSize);
    TYPE(ExtismMemoryHandle);
    TYPE(ExtismFunctionType);
    TYPE(ExtismLogDrainFunctionType);
    FIELD(ExtismVal, t);
    FIELD(ExtismVal, v);
    FIELD(ExtismValUnion, i32);
    FIELD(ExtismValUnion, i64);
    FIELD(ExtismValUnion, f32);
    FIELD(ExtismValUnion, f64);
    VALUE(ExtismValType_I32);
    VALUE(ExtismValType_I64);
    VALUE(ExtismValType_F32);
    VALUE(ExtismValType_F64);
    VALUE(ExtismValType_V128);
    VALUE(ExtismValType_FuncRef);
    VALUE(ExtismValType_ExternRef);
    return 0;
}
