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

/* Finds the functions of a project, whose directory the user named as `project`, with the real path
 * `root`: see app/discovery.h. E_NOT_FOUND when it is no project; E_INVALID, with all that is wrong, for
 * names that cannot be a function's and for two files of one name; E_IO, E_NO_MEMORY. On success the
 * caller ends `out` with build_sources_deinit; on failure it is empty. */
int build_sources_find(build_sources *out, const char *project, const char *root,
                       error *err) MUST_CHECK;

/* The one of this name, or NULL. */
const build_source *build_sources_get(const build_sources *s, const char *name);

/* Frees the content. Takes an all-zero one. */
void build_sources_deinit(build_sources *s);

#endif
