#ifndef UBIQ_BUILD_SOURCES_H
#define UBIQ_BUILD_SOURCES_H

#include "build/builder.h"

/* What a function of a project is made of. */
typedef struct build_source {
    char *name;             /* "users/[id]", "middleware/audit" */
    char *path;             /* of the file or directory, as the user would name it */
    const builder *builder; /* NULL: a module, which is used as it is */
    inputs inputs;          /* its sources, without anything else */
} build_source;

typedef struct build_sources {
    build_source *item; /* in byte order of names */
    size_t count;
} build_sources;

/* Finds all functions under functions/ and middleware/ of a project, whose directory the user named as
 * `project`, with the real path `root`. Names that begin with a dot and tests (hello.test.c) are passed
 * over. E_NOT_FOUND when there is no functions/; E_INVALID for two files of which the same function would
 * be made, and for a name with anything but letters, digits, "-", "_", ".", "[" and "]" in it; E_IO,
 * E_NO_MEMORY. On success the caller ends `out` with build_sources_deinit; on failure it is empty. */
int build_sources_find(build_sources *out, const char *project, const char *root,
                       error *err) MUST_CHECK;

/* The one of this name, or NULL. */
const build_source *build_sources_get(const build_sources *s, const char *name);

/* Frees the content. Takes an all-zero one. */
void build_sources_deinit(build_sources *s);

#endif
