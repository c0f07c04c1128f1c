#ifndef BENCH_GUEST_H
#define BENCH_GUEST_H

#include "base/buf.h"

/* A plug-in's function that is measured. */
typedef struct guest {
    const char *label;
    const char *file; /* in the directory of plug-ins */
    const char *function;
    bool wasi;
    bool large; /* its compilation takes seconds */
} guest;

/* All of them, ended by one without a label. */
extern const guest guests[];

/* Reads a guest's module. False, with a line that says so, when it was not built. */
bool guest_read(const guest *g, const char *directory, buf *out);

#endif
