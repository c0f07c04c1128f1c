#ifndef UBIQ_JS_NATIVE_H
#define UBIQ_JS_NATIVE_H

#include <quickjs.h>
#include <stddef.h>
#include <stdint.h>

/* What the functions that the preludes are given have in common. */

#define ARGS JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv
#define UNUSED_ARGS (void)self, (void)argc

/* A block with the value's bytes, 0 for null. -1 with an exception. */
int64_t native_put_value(JSContext *ctx, JSValueConst v);

/* Copies a block: its bytes, freed with free(). NULL when there is no memory. */
uint8_t *native_copy_block(uint64_t block, size_t *size);

/* Adds those of native_own.c. */
void native_define_own(JSContext *ctx, JSValueConst object);

#endif
