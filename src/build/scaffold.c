#include "build/scaffold.h"

#include "app/discovery.h"
#include "app/route_text.h"
#include "base/file.h"
#include "base/json.h"
#include "build/limits.h"
#include "build/templates.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct language {
    const char *names[3];
    const char *ending;
    const unsigned char *text;
    const size_t *len;
} languages[] = {
    {{"c"}, ".c", template_c, &template_c_len},
    {{"c++", "cpp"}, ".cpp", template_cpp, &template_cpp_len},
    {{"rust", "rs"}, ".rs", template_rs, &template_rs_len},
    {{"go"}, ".go", template_go, &template_go_len},
    {{"javascript", "js"}, ".js", template_js, &template_js_len},
    {{"typescript", "ts"}, ".ts", template_ts, &template_ts_len},
};

#define LANGUAGES (sizeof languages / sizeof *languages)

static int no_memory(error *err)
{
    return error_set(err, E_NO_MEMORY, "out of memory");
}

static const struct language *find_language(const char *name, error *err)
{
    for (size_t i = 0; i < LANGUAGES; i++) {
        for (size_t n = 0; n < 3 && languages[i].names[n]; n++) {
            if (strcasecmp(languages[i].names[n], name) == 0)
                return &languages[i];
        }
    }
    error_set(err, E_INVALID,
              "there is no language \"%s\": those are c, c++, rust, go, javascript and typescript",
              name);
    return NULL;
}

/* Writes a new file, and the directories it is in. */
static int put_file(const char *path, slice content, scaffold_made made, void *arg, error *err)
{
    char *directory = strdup(path);
    ssize_t put;
    int fd, rc;

    if (!directory)
        return no_memory(err);
    *strrchr(directory, '/') = '\0';
    rc = file_make_dirs(directory, err);
    free(directory);
    if (rc)
        return rc;
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_set(err, errno == EEXIST ? E_INVALID : E_IO, "%s: %s", path,
                         strerrordesc_np(errno));
    put = write(fd, content.data, content.len);
    if (close(fd) != 0 || put != (ssize_t)content.len)
        return error_set(err, E_IO, "%s cannot be written", path);
    made(path, arg);
    return 0;
}

/* Whether a file of this name would be a function. */
static bool is_found(const char *name, const char *ending)
{
    bool found = true, is_built;
    char *file;

    for (const char *part = name; found && part; part = strchr(part, '/')) {
        part += part > name; /* the slash before it */
        found = *part && *part != '.' && *part != '/';
    }
    if (!found || asprintf(&file, "%s%s", name, ending) < 0)
        return false;
    found = discovery_stem(file, &is_built) == strlen(name);
    free(file);
    return found;
}

/* Whether the name can be that of a function which is not there yet. */
static int check_name(const char *project, const char *name, const char *ending, error *err)
{
    static const char middleware[] = "middleware/";
    problems found = {0};
    discovery d = {0};
    error why = {0};
    buf route;
    int rc;

    if (strncmp(name, middleware, strlen(middleware)) == 0)
        return error_set(
            err, E_INVALID,
            "\"%s\" is a name of middleware, a file %s%s that exports before, after or "
            "both",
            name, name, ending);
    if (!is_found(name, ending))
        return error_set(err, E_INVALID, "\"%s\" cannot be a function's name", name);
    buf_init(&route, LIMIT_BUILD_NAME_BYTES * 2);
    rc = route_of_name(name, &route, &why);
    if (rc)
        rc = error_set(err, E_INVALID, "\"%s\" cannot be a function's name: %s", name,
                       error_text(&why));
    buf_deinit(&route);
    error_deinit(&why);
    if (rc)
        return rc;
    rc = discover(&d, project, &found, err);
    if (rc == E_NOT_FOUND)
        rc = error_set(err, E_INVALID, "%s is no project: `ubiq new NAME` makes one", project);
    for (size_t i = 0; rc == 0 && i < d.count; i++) {
        if (strcmp(d.item[i].name, name) == 0)
            rc = error_set(err, E_INVALID, "there is a function \"%s\" already: %s", name,
                           d.item[i].source);
    }
    discovery_deinit(&d);
    problems_deinit(&found);
    return rc;
}

static int put_function(const char *project, const char *name, const struct language *l,
                        scaffold_made made, void *arg, error *err)
{
    bool here = strcmp(project, ".") == 0;
    char *path;
    int rc;

    if (asprintf(&path, "%s%sfunctions/%s%s", here ? "" : project, here ? "" : "/", name,
                 l->ending) < 0)
        return no_memory(err);
    rc = put_file(path, slice_of(l->text, *l->len), made, arg, err);
    free(path);
    return rc;
}

int scaffold_function(const char *project, const char *name, const char *language,
                      scaffold_made made, void *arg, error *err)
{
    const struct language *l = find_language(language, err);
    int rc = l ? check_name(project, name, l->ending, err) : E_INVALID;

    return rc ? rc : put_function(project, name, l, made, arg, err);
}

/* ubiq.toml, in which the project's name stands. */
static int put_manifest(const char *project, scaffold_made made, void *arg, error *err)
{
    static const char place[] = "{{name}}";
    slice text = slice_of(template_toml, template_toml_len);
    const uint8_t *at = memmem(text.data, text.len, place, sizeof place - 1);
    const char *slash = strrchr(project, '/');
    size_t before = (size_t)(at - text.data), after = before + sizeof place - 1;
    char *path = NULL;
    buf content;
    int rc;

    buf_init(&content, LIMIT_BUILD_RECORD_BYTES);
    rc = buf_append(&content, text.data, before);
    rc = rc ? rc : json_put_string(&content, slice_str(slash ? slash + 1 : project));
    rc = rc ? rc : buf_append(&content, text.data + after, text.len - after);
    if (rc || asprintf(&path, "%s/ubiq.toml", project) < 0) {
        path = NULL;
        rc = no_memory(err);
    }
    rc = rc ? rc : put_file(path, buf_slice(&content), made, arg, err);
    free(path);
    buf_deinit(&content);
    return rc;
}

static int put_ignored(const char *project, scaffold_made made, void *arg, error *err)
{
    char *path;
    int rc;

    if (asprintf(&path, "%s/.gitignore", project) < 0)
        return no_memory(err);
    rc = put_file(path, slice_of(template_gitignore, template_gitignore_len), made, arg, err);
    free(path);
    return rc;
}

int scaffold_project(const char *path, const char *language, scaffold_made made, void *arg,
                     error *err)
{
    const struct language *l = find_language(language, err);
    size_t len = strlen(path);
    char *project;
    int rc = 0;

    if (!l)
        return E_INVALID;
    while (len > 1 && path[len - 1] == '/')
        len--;
    if (!(project = strndup(path, len)))
        return no_memory(err);
    if (!slice_is_utf8(slice_str(project)))
        rc = error_set(err, E_INVALID, "the project's name is not UTF-8");
    else if (mkdir(project, 0777) != 0)
        rc = error_set(err, errno == EEXIST ? E_INVALID : E_IO, "%s: %s", project,
                       strerrordesc_np(errno));
    rc = rc ? rc : put_manifest(project, made, arg, err);
    rc = rc ? rc : put_function(project, "hello", l, made, arg, err);
    rc = rc ? rc : put_ignored(project, made, arg, err);
    free(project);
    return rc;
}
