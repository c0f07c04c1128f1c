#include "app/public.h"

#include "app/limits.h"
#include "app/tree.h"
#include "app/url_path.h"
#include "base/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INDEX "index.html"

struct public_index {
    public_file *file;
    size_t count;
    size_t mask;
    uint32_t *place; /* open addressing: numbers of files from 1, 0 where none is; half are free */
};

static int no_memory(error *err)
{
    return error_set(err, E_NO_MEMORY, "out of memory while looking at public files");
}

static void free_file(public_file *f)
{
    free(f->url);
    free(f->source);
    free(f->path);
}

/* Adds a file, and takes over what it owns. */
static int add(public_index *p, public_file *f, error *err)
{
    public_file *more = record_make_room(p->file, p->count, sizeof *more);

    if (more)
        p->file = more;
    if (more && f->url && f->source && p->count < LIMIT_PUBLIC_FILES) {
        more[p->count++] = *f;
        return 0;
    }
    free_file(f);
    if (p->count >= LIMIT_PUBLIC_FILES)
        return error_set(err, E_TOO_LARGE, "there are more than %d public files",
                         LIMIT_PUBLIC_FILES);
    return no_memory(err);
}

/* Adds a directory's index.html under the directory's own url, and the url that lacks the slash. */
static int add_directory(public_index *p, const char *path, const char *name, const char *real,
                         error *err)
{
    int len = (int)(strlen(name) - strlen(INDEX)); /* with the slash, if there is one */
    public_file f = {.source = strdup(path), .path = strdup(real), .type = public_type(INDEX)};
    int rc;

    if (asprintf(&f.url, "/%.*s", len, name) < 0)
        f.url = NULL;
    if (!f.path) {
        free_file(&f);
        return no_memory(err);
    }
    rc = add(p, &f, err);
    if (rc || len == 0)
        return rc;
    f = (public_file){.source = strdup(path)};
    if (asprintf(&f.url, "/%.*s", len - 1, name) < 0)
        f.url = NULL;
    return add(p, &f, err);
}

struct search {
    public_index *out;
    problems *found;
};

static int take_file(void *arg, const char *path, const char *name, const char *real, error *err)
{
    struct search *s = arg;
    const char *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    public_file f = {.source = strdup(path), .path = strdup(real), .type = public_type(base)};
    int rc;

    if (asprintf(&f.url, "/%s", name) < 0)
        f.url = NULL;
    if (!slice_is_utf8(slice_str(name)) || strlen(name) >= LIMIT_PATH_BYTES) {
        problems_add(s->found, path, 0, "a name that no URL can have");
        free_file(&f);
        return 0;
    }
    if (!f.path) {
        free_file(&f);
        return no_memory(err);
    }
    rc = add(s->out, &f, err);
    return rc || strcmp(base, INDEX) != 0 ? rc : add_directory(s->out, path, name, real, err);
}

static uint32_t *place_of(const public_index *p, slice url)
{
    size_t at = slice_hash(url, 0) & p->mask;

    while (p->place[at] && !slice_equal_str(url, p->file[p->place[at] - 1].url))
        at = (at + 1) & p->mask;
    return &p->place[at];
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const public_file *)a)->url, ((const public_file *)b)->url);
}

static int make_table(public_index *p, error *err)
{
    size_t places = 16;

    while (places < p->count * 2)
        places *= 2;
    p->place = calloc(places, sizeof *p->place);
    if (!p->place)
        return no_memory(err);
    p->mask = places - 1;
    if (p->count > 1)
        qsort(p->file, p->count, sizeof *p->file, compare);
    for (size_t i = 0; i < p->count; i++)
        *place_of(p, slice_str(p->file[i].url)) = (uint32_t)i + 1;
    return 0;
}

int public_create(public_index **out, const char *project, problems *found, error *err)
{
    public_index *p = calloc(1, sizeof *p);
    struct search s = {.out = p, .found = found};
    const tree t = {
        .project = project,
        .name = "public",
        .found = found,
        .take = take_file,
        .arg = &s,
    };
    int rc;

    *out = NULL;
    if (!p)
        return no_memory(err);
    rc = tree_walk(&t, err);
    if (rc == E_NOT_FOUND)
        rc = 0;
    rc = rc ? rc : make_table(p, err);
    if (rc == 0) {
        *out = p;
        p = NULL;
    }
    public_destroy(p);
    return rc;
}

const public_file *public_find(const public_index *p, slice path)
{
    uint8_t room[LIMIT_PATH_BYTES];
    uint32_t n;

    if (p->count == 0 || path.len > sizeof room || !url_path_plain(path, room, &path))
        return NULL;
    n = *place_of(p, path);
    return n ? &p->file[n - 1] : NULL;
}

const public_file *public_files(const public_index *p, size_t *count)
{
    *count = p->count;
    return p->file;
}

void public_destroy(public_index *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        free_file(&p->file[i]);
    free(p->file);
    free(p->place);
    free(p);
}
