#ifndef BENCH_PLATFORM_H
#define BENCH_PLATFORM_H

#include "extism/call.h"

/* Our host as the server uses it: each call in a fresh instance on a fiber. */

/* Makes a plug-in of a module, with one host function of type (i64) -> i64 besides. Ends the
 * process when it cannot. */
compiled_plugin *platform_compile(slice wasm, bool wasi, const char *host_function_name,
                                  host_function_start start);

/* Starts a call and runs it up to where it waits or is done; ends the process when it fails. */
call *platform_call(compiled_plugin *code, const char *function, slice input,
                    enum call_status *status);

#endif
