#ifndef UBIQ_JS_RUNTIME_H
#define UBIQ_JS_RUNTIME_H

#include "engine.h"

#include <stdbool.h>

/* One JavaScript context, made when the runtime is built, and the function that runs in it. */

/* Size of the part of the stack that JavaScript may use, and of what is kept for C functions that it
 * calls; scripts/javascript.sh gives the linker their sum. A host has 512 KiB for what lies beside it on its
 * own stack: all recursions of tests/unit/test_javascript.c end here before they end there. */
#define STACK_JS (144 * 1024)
#define STACK_RESERVE (64 * 1024)

extern JSContext *runtime_context;

/* The module that an import named last and that is not there, or NULL. */
extern char *runtime_missing;

/* What the preludes have set in their object `hooks`. */
JSValue runtime_hook(const char *name);

/* While a function's top level runs ahead of its calls, nothing may be asked that a later call would
 * have to be answered differently. Notes that it was; true: the caller must give up with an exception,
 * which this has thrown. */
bool runtime_impure(const char *what);

/* The same where no exception can be thrown. */
void runtime_note_impure(void);

/* From now on the top level runs ahead of its calls. */
void runtime_prepare(void);

/* Runs jobs, and waits for what is under way, until `promise` is settled or nothing is left that could
 * settle it. */
JSPromiseStateEnum runtime_settle(JSValueConst promise);

/* The pending exception as text with its stack, which the caller frees with JS_FreeCString. NULL, without
 * `*size`, when it cannot be put into words. */
const char *runtime_exception_text(size_t *size);

/* What a function's module carries: its kind, the names of its exports, where its lines come from
 * (src/build/source_lines.h), the functions of the host that it declares, "name:params:result" a line, and
 * bytecode. */
enum { BLOB_MODULE = 0, BLOB_COMMONJS = 1, BLOB_HAS_HOST = 0x40, BLOB_HAS_LINES = 0x80 };

/* Evaluates compiled code, takes `code`, and leaves what it exports: a namespace or module.exports. */
JSValue runtime_evaluate(int kind, JSValue code);

/* Makes a text known to the preludes, as a member of `hooks`. */
void runtime_tell(const char *name, const char *text, size_t size);

/* Adds the functions that the preludes are given. */
void native_define(JSContext *ctx, JSValueConst object);

#endif
