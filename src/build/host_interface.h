#ifndef UBIQ_BUILD_HOST_INTERFACE_H
#define UBIQ_BUILD_HOST_INTERFACE_H

#include "base/buf.h"
#include "base/error.h"
#include "build/limits.h"

/* What a file `NAME.d.ts` declares beside a source that is written for Extism's JavaScript PDK: the host's
 * own functions that the source may call.
 *
 *   declare module "extism:host" { interface user { lookUp(key: PTR, limit: I32): PTR; } }
 *   declare module "main" { export function handle(): I32; }
 *
 * Types are I32, I64, F32, F64 and PTR, which is I64; a result may be void. What "main" declares is read and
 * not used: the source says what it exports. Nothing else of TypeScript can be in there. */

/* Types as letters: i is I32, I is I64, f is F32, F is F64. */
typedef struct declared_function {
    slice module; /* the interface's name, "user"; functions are imported from "extism:host/user" */
    slice name;   /* a view of the text that was read, as `module` */
    char params[LIMIT_BUILD_HOST_PARAMS + 1];
    char result; /* or 0 */
} declared_function;

typedef struct host_interface {
    declared_function *item;
    size_t count;
} host_interface;

/* Whether a text is such a file at all: other declarations may stand beside a source, too. */
bool host_interface_is(slice text);

/* Reads one. `out` has views of `text`, and is empty on failure. E_INVALID, with the place, a line and a
 * column from 1; E_NO_MEMORY. */
int host_interface_read(host_interface *out, slice text, size_t *line, size_t *column,
                        error *err) MUST_CHECK;

/* Appends the functions as guest/runtime/javascript/runtime.h has them in a blob: "name:params:result", a
 * line each, without an end behind the last. */
int host_interface_write(buf *out, const host_interface *in) MUST_CHECK;

/* Frees the content. Takes an all-zero one. */
void host_interface_deinit(host_interface *in);

#endif
