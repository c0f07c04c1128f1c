#ifndef UBIQ_APP_DISCOVERY_H
#define UBIQ_APP_DISCOVERY_H

#include "app/problems.h"

/* A function's file. All texts are owned. */
typedef struct discovered {
    char *name;   /* "users/[id]", "middleware/audit" */
    char *source; /* the file that makes it a function: "shop/functions/users/[id].js" */
    char *path; /* of its WebAssembly: that file without links, or what `ubiq build` makes of it */
    bool is_middleware;
    bool is_built;     /* `path` is what `ubiq build` makes */
    bool is_directory; /* `source` is one: a crate, a Go module */
} discovered;

typedef struct discovery {
    discovered *item; /* in byte order of names */
    size_t count;
} discovery;

/* Finds the functions of a project: each file in functions/ and middleware/ that is WebAssembly or in a
 * language that `ubiq build` compiles, but for NAME.test.*, and each directory in them with a Cargo.toml
 * or a go.mod. The name is the path without its ending, and
 * in middleware/ begins with "middleware/". What is built stands in .ubiq/build/NAME.wasm; whether it
 * does is not looked at. Files that cannot be functions are added to `found`, as are two files of one
 * name. E_NOT_FOUND when there is no such project, nor anything in it that makes it one: ubiq.toml,
 * functions/ or public/. E_NO_MEMORY, E_TOO_LARGE. On success the caller ends `out` with
 * discovery_deinit; on failure it is empty. */
int discover(discovery *out, const char *project, problems *found, error *err) MUST_CHECK;

/* Frees the content. Takes an all-zero one. */
void discovery_deinit(discovery *d);

/* The length of a file's name without the ending that makes it a function, and whether it is to be
 * built; 0 for what is none. */
size_t discovery_stem(const char *file, bool *is_built);

#endif
