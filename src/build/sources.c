#include "build/sources.h"

#include "app/discovery.h"
#include "build/limits.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int no_memory(error *err)
{
    return error_set(err, E_NO_MEMORY, "out of memory while looking for functions");
}

/* The builder of a file's ending; NULL when there is none. */
static const builder *builder_of_file(const char *path)
{
    for (size_t b = 0; builders[b]; b++) {
        for (const char *const *e = builders[b]->endings; *e; e++) {
            size_t len = strlen(*e), all = strlen(path);

            if (all > len && strcmp(path + all - len, *e) == 0)
                return builders[b];
        }
    }
    return NULL;
}

/* The builder that makes a function of a directory; NULL when there is none. */
static const builder *builder_of_directory(const char *path)
{
    for (size_t b = 0; builders[b]; b++) {
        char *marker;
        bool is_there;

        if (!builders[b]->marker || asprintf(&marker, "%s/%s", path, builders[b]->marker) < 0)
            continue;
        is_there = stamp_of(marker).size >= 0;
        free(marker);
        if (is_there)
            return builders[b];
    }
    return NULL;
}

static int add_tree(inputs *in, const char *root, const char *path, unsigned depth, error *err);

/* Adds a file, or what is in a directory but what cargo makes (target/) and hidden files. */
static int add_entry(inputs *in, const char *root, const char *path, const char *base,
                     unsigned depth, error *err)
{
    struct stat st;

    if (base[0] == '.' || strcmp(base, "target") == 0 || stat(path, &st) != 0)
        return 0; /* a link to nothing, too: whoever needs it will say so */
    if (S_ISDIR(st.st_mode))
        return add_tree(in, root, path, depth + 1, err);
    return S_ISREG(st.st_mode) ? inputs_add(in, root, path, err) : 0;
}

/* In byte order, so that what is found does not depend on the file system. */
static int add_tree(inputs *in, const char *root, const char *path, unsigned depth, error *err)
{
    struct dirent **entry = NULL;
    int count, rc = 0;

    if (depth > LIMIT_BUILD_DEPTH)
        return error_set(err, E_INVALID, "%s: directories nested more than %d deep", path,
                         LIMIT_BUILD_DEPTH);
    count = scandir(path, &entry, NULL, alphasort);
    if (count < 0)
        return error_set(err, E_IO, "%s: %s", path, strerrordesc_np(errno));
    for (int i = 0; i < count; i++) {
        char *child = NULL;

        if (rc == 0 && asprintf(&child, "%s/%s", path, entry[i]->d_name) < 0) {
            child = NULL;
            rc = no_memory(err);
        }
        rc = rc ? rc : add_entry(in, root, child, entry[i]->d_name, depth, err);
        free(child);
        free(entry[i]);
    }
    free(entry);
    return rc;
}

/* What the user would name in place of "./functions/a.c" is "functions/a.c". */
static const char *usual_name(const char *path)
{
    return path[0] == '.' && path[1] == '/' ? path + 2 : path;
}

/* Adds a file that is a function, and what belongs to it. */
static int add_file(build_source *s, const char *root, const char *path, error *err)
{
    int rc = inputs_add(&s->inputs, root, path, err);
    char *beside = rc == 0 && s->builder->beside ? s->builder->beside(path) : NULL;

    if (beside)
        rc = inputs_add(&s->inputs, root, beside, err);
    free(beside);
    return rc;
}

static int take(build_source *s, const discovered *d, const char *root, error *err)
{
    int rc;

    s->name = strdup(d->name);
    s->path = strdup(usual_name(d->source));
    if (!s->name || !s->path)
        return no_memory(err);
    if (!d->is_built)
        return 0;
    s->builder = d->is_directory ? builder_of_directory(d->source) : builder_of_file(d->source);
    if (!s->builder)
        return error_set(err, E_INVALID, "%s: this program does not build functions of its kind",
                         d->source);
    rc = d->is_directory ? add_tree(&s->inputs, root, d->source, 0, err)
                         : add_file(s, root, d->source, err);
    s->inputs.sources = s->inputs.count;
    return rc;
}

int build_sources_find(build_sources *out, const char *project, const char *root, error *err)
{
    problems found = {0};
    discovery d = {0};
    int rc = discover(&d, project, &found, err);

    *out = (build_sources){0};
    rc = rc ? rc : problems_conclude(&found, err);
    if (rc == 0 && d.count && !(out->item = calloc(d.count, sizeof *out->item)))
        rc = no_memory(err);
    for (size_t i = 0; rc == 0 && i < d.count; i++) {
        out->count++;
        rc = take(&out->item[i], &d.item[i], root, err);
    }
    if (rc)
        build_sources_deinit(out);
    discovery_deinit(&d);
    problems_deinit(&found);
    return rc;
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const build_source *)a)->name, ((const build_source *)b)->name);
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
