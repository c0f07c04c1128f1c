#include "build/sources.h"

#include "base/record.h"
#include "build/limits.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.[]"

struct search {
    build_sources *out;
    const char *root;
    size_t name_at;     /* where a function's name begins in a path */
    const char *prefix; /* of names: "" or "middleware/" */
    unsigned depth;
};

static int no_memory(error *err)
{
    return error_set(err, E_NO_MEMORY, "out of memory while looking for functions");
}

static int set_errno(error *err, const char *path)
{
    return error_set(err, errno == ENOENT || errno == ENOTDIR ? E_NOT_FOUND : E_IO, "%s: %s", path,
                     strerrordesc_np(errno));
}

/* Calls `visit` for each name in a directory that does not begin with a dot, in byte order, so that what
 * is found does not depend on the file system. */
static int each_entry(const char *path,
                      int (*visit)(const char *path, const char *base, void *arg, error *err),
                      void *arg, error *err)
{
    struct dirent **entry = NULL;
    int count = scandir(path, &entry, NULL, alphasort);
    int rc = count < 0 ? set_errno(err, path) : 0;

    for (int i = 0; i < count; i++) {
        const char *base = entry[i]->d_name;
        char *child;

        if (rc == 0 && base[0] != '.') {
            if (asprintf(&child, "%s/%s", path, base) < 0) {
                rc = no_memory(err);
            } else {
                rc = visit(child, base, arg, err);
                free(child);
            }
        }
        free(entry[i]);
    }
    free(entry);
    return rc;
}

/* The builder of a file's ending, with where the ending begins; NULL when it is no function. */
static const builder *builder_of(const char *base, size_t *stem)
{
    for (size_t b = 0; builders[b]; b++) {
        for (const char *const *e = builders[b]->endings; e && *e; e++) {
            size_t len = strlen(*e), all = strlen(base);

            if (all > len && strcmp(base + all - len, *e) == 0) {
                *stem = all - len;
                return builders[b];
            }
        }
    }
    return NULL;
}

/* The builder that makes a function of a directory; NULL when it is none. */
static const builder *builder_of_directory(const char *path)
{
    for (size_t b = 0; builders[b]; b++) {
        char *marker;
        struct stat st;
        bool is_there;

        if (!builders[b]->marker || asprintf(&marker, "%s/%s", path, builders[b]->marker) < 0)
            continue;
        is_there = stat(marker, &st) == 0 && S_ISREG(st.st_mode);
        free(marker);
        if (is_there)
            return builders[b];
    }
    return NULL;
}

static bool is_test(const char *base, size_t stem)
{
    return stem > 5 && memcmp(base + stem - 5, ".test", 5) == 0;
}

/* Adds a function, whose name ends `stem` bytes into `path`. */
static int add(struct search *s, const char *path, size_t stem, const builder *b, error *err)
{
    build_source *more = record_make_room(s->out->item, s->out->count, sizeof *more);
    const char *name = path + s->name_at;
    size_t len = stem - s->name_at;
    build_source new = {.builder = b};

    if (!more)
        return no_memory(err);
    s->out->item = more;
    if (strspn(name, NAME_LETTERS "/") < len)
        return error_set(
            err, E_INVALID,
            "%s: a function's name has only letters, digits, '-', '_', '.', '[' and ']' "
            "in it",
            path);
    if (s->out->count == LIMIT_BUILD_FUNCTIONS)
        return error_set(err, E_TOO_LARGE, "there are more than %d functions",
                         LIMIT_BUILD_FUNCTIONS);
    if (len > LIMIT_BUILD_NAME_BYTES)
        return error_set(err, E_INVALID, "%s: the name is longer than %d bytes", path,
                         LIMIT_BUILD_NAME_BYTES);
    new.path = strdup(path);
    if (asprintf(&new.name, "%s%.*s", s->prefix, (int)len, name) < 0)
        new.name = NULL;
    more[s->out->count++] = new;
    return new.name &&new.path ? 0 : no_memory(err);
}

struct tree {
    build_source *to;
    const char *root;
    unsigned depth;
};

static int add_file(const char *path, const char *base, void *arg, error *err)
{
    struct tree *t = arg;
    struct stat st;
    int rc;

    if (stat(path, &st) != 0)
        return 0; /* a link to nothing; whoever needs it will say so */
    if (S_ISREG(st.st_mode))
        return inputs_add(&t->to->inputs, t->root, path, err);
    if (!S_ISDIR(st.st_mode) || strcmp(base, "target") == 0)
        return 0;
    if (t->depth == LIMIT_BUILD_DEPTH)
        return error_set(err, E_INVALID, "%s: directories nested more than %d deep", path,
                         LIMIT_BUILD_DEPTH);
    t->depth++;
    rc = each_entry(path, add_file, t, err);
    t->depth--;
    return rc;
}

/* Adds a function that is a directory, with all that is in it but what cargo makes (target/). */
static int add_directory(struct search *s, const char *path, const builder *b, error *err)
{
    struct tree t = {.root = s->root};
    int rc = add(s, path, strlen(path), b, err);

    if (rc)
        return rc;
    t.to = &s->out->item[s->out->count - 1];
    rc = each_entry(path, add_file, &t, err);
    t.to->inputs.sources = t.to->inputs.count;
    return rc;
}

static int add_source(struct search *s, const char *path, size_t stem, const builder *b, error *err)
{
    int rc = add(s, path, stem, b, err);
    inputs *in;

    if (rc)
        return rc;
    in = &s->out->item[s->out->count - 1].inputs;
    rc = inputs_add(in, s->root, path, err);
    in->sources = in->count;
    return rc;
}

static int visit(const char *path, const char *base, void *arg, error *err);

/* Depth ends what links that lead in a circle begin. */
static int visit_directory(struct search *s, const char *path, error *err)
{
    int rc;

    if (s->depth == LIMIT_BUILD_DEPTH)
        return error_set(err, E_INVALID, "%s: directories nested more than %d deep", path,
                         LIMIT_BUILD_DEPTH);
    s->depth++;
    rc = each_entry(path, visit, s, err);
    s->depth--;
    return rc;
}

static int visit(const char *path, const char *base, void *arg, error *err)
{
    struct search *s = arg;
    size_t stem = 0, len = strlen(base);
    const builder *b;
    struct stat st;

    if (stat(path, &st) != 0)
        return 0;
    if (S_ISDIR(st.st_mode)) {
        if ((b = builder_of_directory(path)))
            return add_directory(s, path, b, err);
        return visit_directory(s, path, err);
    }
    if (!S_ISREG(st.st_mode))
        return 0;
    if (len > 5 && strcmp(base + len - 5, ".wasm") == 0)
        return add(s, path, strlen(path) - 5, NULL, err);
    b = builder_of(base, &stem);
    if (!b || is_test(base, stem))
        return 0;
    return add_source(s, path, strlen(path) - len + stem, b, err);
}

/* Searches one of the project's directories. */
static int search_directory(build_sources *out, const char *project, const char *root,
                            const char *directory, const char *prefix, error *err)
{
    struct search s = {.out = out, .root = root, .prefix = prefix};
    char *path;
    int rc;

    if (asprintf(&path, "%s%s%s", strcmp(project, ".") == 0 ? "" : project,
                 strcmp(project, ".") == 0 ? "" : "/", directory) < 0)
        return no_memory(err);
    s.name_at = strlen(path) + 1;
    rc = each_entry(path, visit, &s, err);
    free(path);
    return rc;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const build_source *)a)->name, ((const build_source *)b)->name);
}

int build_sources_find(build_sources *out, const char *project, const char *root, error *err)
{
    int rc;

    *out = (build_sources){0};
    rc = search_directory(out, project, root, "functions", "", err);
    if (rc == 0) {
        rc = search_directory(out, project, root, "middleware", "middleware/", err);
        if (rc == E_NOT_FOUND)
            rc = 0;
    }
    if (rc == 0 && out->count > 1)
        qsort(out->item, out->count, sizeof *out->item, compare);
    for (size_t i = 1; rc == 0 && i < out->count; i++) {
        if (strcmp(out->item[i - 1].name, out->item[i].name) == 0)
            rc = error_set(err, E_INVALID,
                           "%s and %s would be the same function: rename one of them",
                           out->item[i - 1].path, out->item[i].path);
    }
    if (rc)
        build_sources_deinit(out);
    return rc;
}

const build_source *build_sources_get(const build_sources *s, const char *name)
{
    build_source key = {.name = (char *)(uintptr_t)name};

    return s->count ? bsearch(&key, s->item, s->count, sizeof key, compare) : NULL;
}

void build_sources_deinit(build_sources *s)
{
    for (size_t i = 0; i < s->count; i++) {
        free(s->item[i].name);
        free(s->item[i].path);
        inputs_deinit(&s->item[i].inputs);
    }
    free(s->item);
    *s = (build_sources){0};
}
