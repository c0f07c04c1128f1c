#include "app/discovery.h"

#include "app/limits.h"
#include "base/record.h"
#include "base/slice.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ENDING ".wasm"
#define ENDING_LEN (sizeof ENDING - 1)

/* What is being walked through. */
struct walk {
    discovery *out;
    char *root;     /* the project's directory, symbolic links resolved */
    size_t name_at; /* where a function's name begins in a path */
};

static int no_memory(error *err)
{
    return error_set(err, E_NO_MEMORY, "out of memory while looking for functions");
}

static bool is_name(const char *text)
{
    for (const char *c = text; *c; c++) {
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", *c))
            return false;
    }
    return true;
}

static bool is_within(const char *path, const char *root)
{
    size_t len = strlen(root);

    return strncmp(path, root, len) == 0 && (path[len] == '/' || path[len] == '\0' || len == 1);
}

/* The real path of what may be a link, which must not lead out of the project. */
static int resolve(const struct walk *w, const char *path, char **out, error *err)
{
    char *real = realpath(path, NULL);

    if (!real)
        return error_set(err, E_IO, "%s: %s", path, strerrordesc_np(errno));
    if (!is_within(real, w->root)) {
        free(real);
        return error_set(err, E_INVALID, "%s: a symbolic link that leads out of the project", path);
    }
    *out = real;
    return 0;
}

static int add(struct walk *w, const char *path, char *real, error *err)
{
    discovered *more = record_make_room(w->out->item, w->out->count, sizeof *more);
    const char *name = path + w->name_at;
    char *copy;

    if (!more)
        return no_memory(err);
    w->out->item = more;
    if (w->out->count == LIMIT_FUNCTIONS)
        return error_set(err, E_TOO_LARGE, "there are more than %d functions", LIMIT_FUNCTIONS);
    if (strlen(name) > LIMIT_ROUTE_BYTES)
        return error_set(err, E_INVALID, "%s: the name is longer than %d bytes", path,
                         LIMIT_ROUTE_BYTES);
    if (!(copy = strndup(name, strlen(name) - ENDING_LEN)))
        return no_memory(err);
    more[w->out->count++] = (discovered){.name = copy, .path = real};
    return 0;
}

static int walk_directory(struct walk *w, const char *path, unsigned depth, error *err);

static int take_entry(struct walk *w, const char *path, const char *base, unsigned depth,
                      error *err)
{
    size_t len = strlen(base);
    bool is_function = len > ENDING_LEN && strcmp(base + len - ENDING_LEN, ENDING) == 0;
    char *real = NULL;
    struct stat st;
    int rc;

    if (lstat(path, &st) != 0)
        return error_set(err, E_IO, "%s: %s", path, strerrordesc_np(errno));
    if (!is_function && !S_ISDIR(st.st_mode) && !S_ISLNK(st.st_mode))
        return 0;
    if (S_ISLNK(st.st_mode) && !is_function && (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)))
        return 0;
    rc = resolve(w, path, &real, err);
    if (rc)
        return rc;
    if (stat(real, &st) != 0)
        rc = error_set(err, E_IO, "%s: %s", path, strerrordesc_np(errno));
    else if (S_ISDIR(st.st_mode))
        rc = walk_directory(w, path, depth + 1, err);
    else if (!is_name(base))
        rc = error_set(err, E_INVALID,
                       "%s: a function's name has only letters, digits, '-', '_' and '.' in it",
                       path);
    else if (!S_ISREG(st.st_mode))
        rc = error_set(err, E_INVALID, "%s: not a file", path);
    else if ((rc = add(w, path, real, err)) == 0)
        real = NULL;
    free(real);
    return rc;
}

/* Depth ends what links that lead in a circle begin. */
static int walk_directory(struct walk *w, const char *path, unsigned depth, error *err)
{
    struct dirent *entry;
    DIR *dir;
    int rc = 0;

    if (depth > LIMIT_DIRECTORY_DEPTH)
        return error_set(err, E_INVALID, "%s: directories nested more than %d deep", path,
                         LIMIT_DIRECTORY_DEPTH);
    if (!(dir = opendir(path)))
        return error_set(err, errno == ENOENT || errno == ENOTDIR ? E_NOT_FOUND : E_IO, "%s: %s",
                         path, strerrordesc_np(errno));
    while (rc == 0 && (errno = 0, entry = readdir(dir))) {
        char *child;

        if (entry->d_name[0] == '.')
            continue;
        if (asprintf(&child, "%s/%s", path, entry->d_name) < 0) {
            rc = no_memory(err);
            break;
        }
        rc = take_entry(w, child, entry->d_name, depth, err);
        free(child);
    }
    if (rc == 0 && errno)
        rc = error_set(err, E_IO, "%s: %s", path, strerrordesc_np(errno));
    closedir(dir);
    return rc;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const discovered *)a)->name, ((const discovered *)b)->name);
}

int discover(discovery *out, const char *project, error *err)
{
    struct walk w = {.out = out, .root = realpath(project, NULL)};
    char *functions = NULL;
    int rc;

    *out = (discovery){0};
    if (!w.root)
        return error_set(err, errno == ENOENT ? E_NOT_FOUND : E_IO, "%s: %s", project,
                         strerrordesc_np(errno));
    if (asprintf(&functions, "%s/functions", project) < 0) {
        functions = NULL;
        rc = no_memory(err);
        goto done;
    }
    w.name_at = strlen(functions) + 1;
    rc = walk_directory(&w, functions, 0, err);
    if (rc == E_NOT_FOUND)
        error_set(err, rc, "%s: there is no such directory, which a project's functions stand in",
                  functions);
    if (rc)
        discovery_deinit(out);
    else if (out->count > 1)
        qsort(out->item, out->count, sizeof *out->item, compare);
done:
    free(functions);
    free(w.root);
    return rc;
}

void discovery_deinit(discovery *d)
{
    for (size_t i = 0; i < d->count; i++) {
        free(d->item[i].name);
        free(d->item[i].path);
    }
    free(d->item);
    *d = (discovery){0};
}
