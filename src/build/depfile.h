#ifndef UBIQ_BUILD_DEPFILE_H
#define UBIQ_BUILD_DEPFILE_H

#include "base/buf.h"

/* Reads the rules that compilers write for make: "hello.o: hello.c lib\ one.h \\\n two.h". Calls `found`
 * with the path of each prerequisite, NUL-terminated; it ends when that gives something else than 0, and
 * gives that back. E_NO_MEMORY. */
int depfile_read(slice text, int (*found)(const char *path, void *arg, error *err), void *arg,
                 error *err) MUST_CHECK;

#endif
