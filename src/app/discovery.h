#ifndef UBIQ_APP_DISCOVERY_H
#define UBIQ_APP_DISCOVERY_H

#include "base/error.h"

#include <stddef.h>

/* A function's file. Both texts are owned. */
typedef struct discovered {
    char *name; /* "users/list" */
    char *path; /* of the file, symbolic links resolved */
} discovered;

typedef struct discovery {
    discovered *item; /* in byte order of names */
    size_t count;
} discovery;

/* Finds every *.wasm under the project's functions/. Directories and files whose names begin with
 * a dot are passed over. E_NOT_FOUND when there is no functions/; E_INVALID for a name with
 * anything but letters, digits, '-', '_' and '.' in it, for a symbolic link that leads out of the
 * project, and for directories nested too deep. On success the caller ends `out` with
 * discovery_deinit; on failure it is empty. */
int discover(discovery *out, const char *project, error *err) MUST_CHECK;

/* Frees the content. Takes an all-zero one. */
void discovery_deinit(discovery *d);

#endif
