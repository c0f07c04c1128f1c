#ifndef UBIQ_BUILD_JAVASCRIPT_OWN_H
#define UBIQ_BUILD_JAVASCRIPT_OWN_H

#include "build/host_interface.h"

/* The parts of a JavaScript function's module that are about functions of the host which the source
 * declares (host_interface.h). All give 0, E_TOO_LARGE or E_NO_MEMORY. */

#define JAVASCRIPT_OWN_MODULE "extism:host/"

/* Appends the function's type. */
int javascript_own_type(buf *out, const declared_function *f) MUST_CHECK;

/* Appends the two names of its import. */
int javascript_own_import(buf *out, const declared_function *f) MUST_CHECK;

/* Appends the body of a function (i32 number, i32 at) that calls the function with this number, with
 * arguments of 8 bytes each that stand in memory from `at` on, and puts the result there. `first` is the
 * first one's number in the module. */
int javascript_own_dispatch(buf *out, const host_interface *own, uint32_t first) MUST_CHECK;

#endif
