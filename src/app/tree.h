#ifndef UBIQ_APP_TREE_H
#define UBIQ_APP_TREE_H

#include "app/problems.h"

/* The files in a directory of a project, however deep. What begins with a dot is passed over, and a
 * symbolic link may lead to a file or directory within the project. */
typedef struct tree {
    const char *project; /* its directory as it was given */
    const char *name;    /* of the directory in it: "functions" */
    problems *found; /* gets links that lead out of the project or nowhere, what cannot be read, and
                            directories nested too deep */
    /* Whether a file of this name is looked for; NULL: any is. */
    bool (*wants)(const char *base);
    /* Whether a directory is taken as a whole, like a file, in place of what is in it; NULL: none is. */
    bool (*is_whole)(const char *path);
    /* Gets each of those, and such directories. `path` begins with the project's directory as it was given, `name` is what
     * stands behind the directory's name in it, and `real` is where the file is, without links: they are
     * only lent. Something other than 0 ends the walk and is returned. */
    int (*take)(void *arg, const char *path, const char *name, const char *real, error *err);
    void *arg;
} tree;

/* Walks. E_NOT_FOUND when there is no such directory, without a text; E_NO_MEMORY; what take returns. */
int tree_walk(const tree *t, error *err) MUST_CHECK;

#endif
