#ifndef UBIQ_H
#define UBIQ_H

/**
 * @file ubiq.h
 * Functions for Ubiquitous, and plug-ins for any Extism host, in C and C++.
 *
 * A function is an export without parameters that returns 0 when it went well. It reads its input,
 * does its work, and sets its output:
 *
 *     #include <ubiq.h>
 *
 *     UBIQ_EXPORT("handle") int32_t handle(void)
 *     {
 *         char name[64];
 *         size_t size = ubiq_input_read(0, name, sizeof name);
 *
 *         ubiq_output(name, size);
 *         return 0;
 *     }
 *
 * The export "handle" takes all requests, events, and what else a function can be called for. Exports
 * named as HTTP methods ("GET", "POST") in its place, or beside it, take the requests: those with these
 * methods, and no others.
 *
 * `ubiq build` compiles it. Nothing but clang is needed, no libc, but one may be used:
 *
 *     clang --target=wasm32 -O2 -nostdlib -fno-builtin -mbulk-memory -Wl,--no-entry \
 *         -I guest/c hello.c -o hello.wasm
 *
 * In these headers
 * - names that begin with extism_ and ubiq_host_ are imports as they are, others are built on them;
 * - texts are given with a NUL behind them, and copied into the caller's room as snprintf does it: cut
 *   off if need be, with a NUL behind them, and the whole length is returned;
 * - bytes (values, files, variables) are given by address and size, and copied without a NUL;
 * - names that end with an underscore are not for you.
 */

#include "ubiq/block.h"    /* input, output, blocks */
#include "ubiq/http.h"     /* requests to other hosts */
#include "ubiq/json.h"     /* looking things up in JSON */
#include "ubiq/request.h"  /* request, response, errors, log, trace */
#include "ubiq/services.h" /* keys, files, events, other functions, configuration */
#include "ubiq/text.h"     /* putting texts together */

#endif
