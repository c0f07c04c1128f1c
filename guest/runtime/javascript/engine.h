#ifndef UBIQ_JS_ENGINE_H
#define UBIQ_JS_ENGINE_H

#include <quickjs.h>

/* What the runtime needs of QuickJS-ng that its interface does not offer. */

/* Makes a stack that has grown down to `lowest` a RangeError. QuickJS leaves its check out on WASI. */
void engine_limit_stack(JSRuntime *rt, uintptr_t lowest);

/* Everything there is now stays for ever, and references to it are not counted any more. With `close`,
 * what is allocated later lies elsewhere. */
void engine_freeze(JSRuntime *rt, bool close);

/* Calls `found` with the name of each export of a module: its own ones and those it passes on by name,
 * not those of `export * from`. */
void engine_module_exports(JSContext *ctx, JSValueConst module,
                           void (*found)(void *arg, const char *name), void *arg);

/* Calls `found` with the name of each module it imports from, and each name it takes of that ("*" for
 * all). */
void engine_module_imports(JSContext *ctx, JSValueConst module,
                           void (*found)(void *arg, const char *from, const char *name), void *arg);

#endif
