#include "app/discovery.h"

#include "app/limits.h"
#include "app/route_text.h"
#include "app/tree.h"
#include "base/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is being looked for. */
struct search {
    discovery *out;
    char *root; /* the project's directory without links */
    bool in_middleware;
    problems *found;
};

size_t discovery_stem(const char *file, bool *is_built)
{
    static const char *const endings[] = {".wasm", ".c",  ".cc", ".cpp", ".js",
                                          ".mjs",  ".ts", ".rs", ".go"};
    size_t len = strlen(file);

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t ending = strlen(endings[i]);
        size_t stem = len > ending ? len - ending : 0;

        if (stem == 0 || strcmp(file + stem, endings[i]) != 0)
            continue;
        if ((stem >= 5 && strncmp(file + stem - 5, ".test", 5) == 0) ||
            (i > 0 && stem >= 2 && strncmp(file + stem - 2, ".d", 2) == 0))
            return 0;
        *is_built = i > 0;
        return stem;
    }
    return 0;
}

static bool is_function(const char *base)
{
    bool is_built;

    return discovery_stem(base, &is_built) > 0;
}

static int no_memory(error *err)
{
    return error_set(err, E_NO_MEMORY, "out of memory while looking for functions");
}

/* Whether there is a file or directory of this name in a directory. */
static bool has(const char *directory, const char *name)
{
    char *path;
    bool there;

    if (asprintf(&path, "%s/%s", directory, name) < 0)
        return false;
    there = access(path, F_OK) == 0;
    free(path);
    return there;
}

/* Crates and Go modules are one function each. */
static bool is_function_directory(const char *path)
{
    return has(path, "Cargo.toml") || has(path, "go.mod");
}

static bool is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Whether a name is one that a route can be made of. */
static bool check_name(const struct search *s, const char *path, const char *name)
{
    error why = {0};
    buf route;
    int rc;

    buf_init(&route, 2 * LIMIT_ROUTE_BYTES);
    rc = route_of_name(name, &route, &why);
    if (rc == E_NO_MEMORY)
        s->found->no_memory = true;
    else if (rc)
        problems_add(s->found, path, 0, "the name of a function: %s", error_text(&why));
    buf_deinit(&route);
    error_deinit(&why);
    return rc == 0;
}

static int add(struct search *s, discovered *d, error *err)
{
    discovery *out = s->out;
    discovered *more = record_make_room(out->item, out->count, sizeof *more);

    if (!more)
        return no_memory(err);
    out->item = more;
    if (out->count == LIMIT_FUNCTIONS)
        return error_set(err, E_TOO_LARGE, "there are more than %d functions", LIMIT_FUNCTIONS);
    more[out->count++] = *d;
    *d = (discovered){0};
    return 0;
}

static void free_discovered(discovered *d)
{
    free(d->name);
    free(d->source);
    free(d->path);
}

static int take_file(void *arg, const char *path, const char *file, const char *real, error *err)
{
    struct search *s = arg;
    discovered d = {.is_middleware = s->in_middleware, .is_directory = is_directory(real)};
    int stem = (int)(d.is_directory ? strlen(file) : discovery_stem(file, &d.is_built));
    int rc = 0;

    d.is_built = d.is_built || d.is_directory;
    if (asprintf(&d.name, "%s%.*s", s->in_middleware ? "middleware/" : "", stem, file) < 0)
        d.name = NULL;
    d.source = strdup(path);
    if (!d.is_built)
        d.path = strdup(real);
    else if (d.name && asprintf(&d.path, "%s/.ubiq/build/%s.wasm", s->root, d.name) < 0)
        d.path = NULL;
    if (!d.name || !d.source || !d.path)
        rc = no_memory(err);
    else if (check_name(s, path, d.name))
        rc = add(s, &d, err);
    free_discovered(&d);
    return rc;
}

static int compare(const void *a, const void *b)
{
    const discovered *one = a, *other = b;
    int order = strcmp(one->name, other->name);

    return order ? order : strcmp(one->source, other->source);
}

/* Of the files of one name the first stays, so that names are unique. */
static void drop_doubles(discovery *out, problems *found)
{
    size_t kept = 0;

    for (size_t i = 0; i < out->count; i++) {
        discovered *d = &out->item[i];

        if (kept > 0 && strcmp(out->item[kept - 1].name, d->name) == 0) {
            problems_add(found, d->source, 0, "its name, \"%s\", is that of %s too", d->name,
                         out->item[kept - 1].source);
            free_discovered(d);
        } else {
            out->item[kept++] = *d;
        }
    }
    out->count = kept;
}

static int search_in(struct search *s, const char *project, const char *directory, error *err)
{
    const tree t = {
        .project = project,
        .name = directory,
        .found = s->found,
        .wants = is_function,
        .is_whole = is_function_directory,
        .take = take_file,
        .arg = s,
    };

    return tree_walk(&t, err);
}

static int search_all(struct search *s, const char *project, error *err)
{
    int rc = search_in(s, project, "functions", err);

    if (rc == E_NOT_FOUND && !has(project, "ubiq.toml") && !has(project, "public"))
        return error_set(err, rc,
                         "%s/functions: there is no such directory, which a project's functions "
                         "stand in",
                         project);
    if (rc && rc != E_NOT_FOUND)
        return rc;
    s->in_middleware = true;
    rc = search_in(s, project, "middleware", err);
    return rc == E_NOT_FOUND ? 0 : rc;
}

int discover(discovery *out, const char *project, problems *found, error *err)
{
    struct search s = {.out = out, .found = found, .root = realpath(project, NULL)};
    int rc;

    *out = (discovery){0};
    if (!s.root)
        return error_set(err, errno == ENOMEM ? E_NO_MEMORY : E_NOT_FOUND, "%s: %s", project,
                         strerrordesc_np(errno));
    rc = search_all(&s, project, err);
    if (rc) {
        discovery_deinit(out);
    } else {
        if (out->count > 1)
            qsort(out->item, out->count, sizeof *out->item, compare);
        drop_doubles(out, found);
    }
    free(s.root);
    return rc;
}

void discovery_deinit(discovery *d)
{
    for (size_t i = 0; i < d->count; i++)
        free_discovered(&d->item[i]);
    free(d->item);
    *d = (discovery){0};
}
