#include "app/tree.h"

#include "app/limits.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define STOP 1 /* a problem behind which there is no sense in looking on */

struct walk {
    const tree *tree;
    char *root;     /* the project's directory without links */
    size_t name_at; /* where a file's name begins in its path */
};

static int walk_directory(const struct walk *w, const char *path, unsigned depth, error *err);

static bool is_within(const char *path, const char *root)
{
    size_t len = strlen(root);

    return strncmp(path, root, len) == 0 && (path[len] == '/' || path[len] == '\0' || len == 1);
}

/* Takes a file, or walks through a directory, at `path`, which is `real`. */
static int enter(const struct walk *w, const char *path, const char *real, unsigned depth,
                 error *err)
{
    const tree *t = w->tree;
    struct stat st;

    if (!is_within(real, w->root)) {
        problems_add(t->found, path, 0, "a symbolic link that leads out of the project");
        return 0;
    }
    if (stat(real, &st) != 0) {
        problems_add(t->found, path, 0, "%s", strerrordesc_np(errno));
        return 0;
    }
    if (S_ISDIR(st.st_mode) && !(t->is_whole && t->is_whole(real)))
        return walk_directory(w, path, depth + 1, err);
    if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
        return t->take(t->arg, path, path + w->name_at, real, err);
    problems_add(t->found, path, 0, "not a file");
    return 0;
}

/* Whether an entry may be a directory, or is a file that is looked for. */
static bool is_of_interest(const struct walk *w, const char *path, const char *base)
{
    const tree *t = w->tree;
    struct stat st;

    if (!t->wants || t->wants(base))
        return true;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int take_entry(const struct walk *w, const char *path, const char *base, unsigned depth,
                      error *err)
{
    char *real;
    int rc;

    if (!is_of_interest(w, path, base))
        return 0;
    real = realpath(path, NULL);
    if (!real && errno == ENOMEM)
        return error_set(err, E_NO_MEMORY, "out of memory while looking at %s", path);
    if (!real) {
        problems_add(w->tree->found, path, 0, "%s", strerrordesc_np(errno));
        return 0;
    }
    rc = enter(w, path, real, depth, err);
    free(real);
    return rc;
}

/* Depth ends what links that lead in a circle begin. */
static int walk_directory(const struct walk *w, const char *path, unsigned depth, error *err)
{
    struct dirent *entry;
    int rc = 0;
    DIR *dir;

    if (depth > LIMIT_DIRECTORY_DEPTH) {
        problems_add(w->tree->found, path, 0, "directories nested more than %d deep",
                     LIMIT_DIRECTORY_DEPTH);
        return STOP;
    }
    if (!(dir = opendir(path))) {
        if (depth == 0 && (errno == ENOENT || errno == ENOTDIR))
            return E_NOT_FOUND;
        problems_add(w->tree->found, path, 0, "%s", strerrordesc_np(errno));
        return 0;
    }
    while (rc == 0 && (errno = 0, entry = readdir(dir))) {
        char *child;

        if (entry->d_name[0] == '.')
            continue;
        if (asprintf(&child, "%s/%s", path, entry->d_name) < 0) {
            rc = error_set(err, E_NO_MEMORY, "out of memory while looking at %s", path);
            break;
        }
        rc = take_entry(w, child, entry->d_name, depth, err);
        free(child);
    }
    if (rc == 0 && errno)
        problems_add(w->tree->found, path, 0, "%s", strerrordesc_np(errno));
    closedir(dir);
    return rc;
}

int tree_walk(const tree *t, error *err)
{
    struct walk w = {.tree = t, .root = realpath(t->project, NULL)};
    char *path = NULL;
    int rc;

    if (!w.root)
        return errno == ENOMEM ? error_set(err, E_NO_MEMORY, "out of memory for a project")
                               : E_NOT_FOUND;
    if (asprintf(&path, "%s/%s", t->project, t->name) < 0) {
        free(w.root);
        return error_set(err, E_NO_MEMORY, "out of memory for a project");
    }
    w.name_at = strlen(path) + 1;
    rc = walk_directory(&w, path, 0, err);
    free(path);
    free(w.root);
    return rc == STOP ? 0 : rc;
}
