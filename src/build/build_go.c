#include "base/file.h"
#include "base/json.h"
#include "build/builder.h"
#include "build/limits.h"
#include "build/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Go, with Go's own compiler: a module in a directory of its own, or a single file, around which a module
 * is made. Go keeps what it compiled in a cache of its own. */

enum {
    GO,
    SDK /* of our guest SDK: a directory */
};

#define OLDEST_GO 24 /* of 1.x: earlier ones cannot export functions */
#define HOW_TO_GET "Version 1.24 or later is needed, from https://go.dev/dl"

static int find_go(build_tools *t, error *err)
{
    const char *flags = getenv("GOFLAGS");
    char *found = tools_find("go");
    int rc;

    if (!found)
        return error_set(err, E_NOT_FOUND, "there is no go. " HOW_TO_GET);
    t->path[GO] = realpath(found, NULL); /* what `go` is a link to changes with the version */
    free(found);
    if (!t->path[GO])
        return error_set(err, E_NOT_FOUND, "there is no go. " HOW_TO_GET);
    rc = tools_guest_directory("go", &t->path[SDK], err);
    return rc ? rc : tools_stamp(t, flags ? flags : "", err);
}

/* What is set for each run of go. */
static void set_environment(arguments *environment)
{
    arguments_add(environment, "GOOS=wasip1");
    arguments_add(environment, "GOARCH=wasm");
    arguments_add(environment, "GOTOOLCHAIN=local");
    arguments_add(environment, "GOWORK=off");
}

static int ask_go(build_tools *t, const build_cache *c, processes *p, error *err)
{
    arguments a = {0}, environment = {0};
    int rc, minor = 0;

    if (tools_recall(t, TOOL_PATHS, c))
        return 0;
    arguments_add(&a, "%s", t->path[GO]);
    arguments_add(&a, "version");
    set_environment(&environment);
    rc = tools_ask(p, &a, (const char *const *)environment.item, &t->version, err);
    arguments_deinit(&a);
    arguments_deinit(&environment);
    if (rc)
        return rc;
    if (sscanf(t->version, "go version go1.%d", &minor) == 1 && minor < OLDEST_GO) {
        rc = error_set(err, E_NOT_FOUND, "%s is %s. " HOW_TO_GET, t->path[GO], t->version);
        free(t->version);
        t->version = NULL;
        return rc;
    }
    tools_remember(t, TOOL_PATHS, c);
    return 0;
}

/* Runs go in a directory: 1 when it went well, 0 when it says that something is wrong with the source. */
static int run(const build_job *job, arguments *a, const char *directory, buf *said, error *err)
{
    arguments environment = {0};
    command c = {.arguments = a, .directory = directory};
    int status = 0, rc;

    set_environment(&environment);
    c.environment = (const char *const *)environment.item;
    rc = environment.no_memory ? error_set(err, E_NO_MEMORY, "out of memory")
                               : process_run(job->processes, &c, said, &status, err);
    arguments_deinit(&environment);
    return rc ? rc : status == 0;
}

/* <directory>/<name>, to be freed. */
static char *path_in(const char *directory, const char *name)
{
    char *path;

    return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

static int append_file(buf *to, const char *directory, const char *name, error *err)
{
    char *path = path_in(directory, name);
    int rc = path ? file_read(path, to, err) : error_set(err, E_NO_MEMORY, "out of memory");

    free(path);
    return rc;
}

static int put_file(slice content, const char *directory, const char *name, error *err)
{
    char *path = path_in(directory, name);
    int rc = path ? output_write(path, content, err) : error_set(err, E_NO_MEMORY, "out of memory");

    free(path);
    return rc;
}

/* Writes, as `to` in job->work, a module's go.mod that finds the SDK, and its go.sum. `directory` is of a
 * module; NULL: the SDK's requirements are all it has. */
static int put_mod(const build_job *job, const char *directory, const char *to, const char *sum,
                   error *err)
{
    const char *sdk = job->tools->path[SDK];
    buf mod, sums;
    int rc;

    buf_init(&mod, LIMIT_BUILD_RECORD_BYTES);
    buf_init(&sums, LIMIT_BUILD_RECORD_BYTES);
    rc = append_file(&mod, directory ? directory : sdk, "go.mod", err);
    if (rc == 0 && !directory) {
        const uint8_t *end =
            memchr(mod.data, '\n', mod.len); /* of the line that names the module */
        size_t line = end ? (size_t)(end - mod.data) : mod.len;

        memmove(mod.data, mod.data + line, mod.len - line);
        mod.len -= line;
        rc = buf_append_str(&mod, "\nmodule function\n\nrequire ubiq v0.0.0\n");
    }
    rc = rc ? rc : buf_append_str(&mod, "\nreplace ubiq => ");
    rc = rc ? rc : json_put_string(&mod, slice_str(sdk)); /* which is one of Go, too */
    rc = rc ? rc : buf_append_byte(&mod, '\n');
    rc = rc ? rc : put_file(buf_slice(&mod), job->work, to, err);
    if (rc == 0)
        rc = append_file(&sums, sdk, "go.sum", err);
    if (rc == 0 && directory) {
        rc = append_file(&sums, directory, "go.sum", err);
        rc = rc == E_NOT_FOUND ? 0 : rc;
    }
    rc = rc ? rc : put_file(buf_slice(&sums), job->work, sum, err);
    buf_deinit(&mod);
    buf_deinit(&sums);
    return rc;
}

/* Copies a single file, under its own name, into the module in job->work. */
static int put_source(const build_job *job, const char *base, error *err)
{
    buf content;
    int rc;

    buf_init(&content, LIMIT_BUILD_SOURCE_BYTES);
    rc = file_read(job->source, &content, err);
    rc = rc ? rc : put_file(buf_slice(&content), job->work, base, err);
    buf_deinit(&content);
    return rc;
}

/* Adds the files that were compiled, but for those of Go itself and of modules that go.sum pins. */
static int add_inputs(const build_job *job, const char *directory, bool with_mod, error *err)
{
    arguments a = {0};
    char *list, *line, *rest = NULL;
    buf said;
    int rc;

    buf_init(&said, LIMIT_BUILD_RECORD_BYTES);
    arguments_add(&a, "%s", job->tools->path[GO]);
    arguments_add(&a, "list");
    if (with_mod)
        arguments_add(&a, "-modfile=%s/ubiq.mod", job->work);
    arguments_add(&a, "-deps");
    arguments_add(&a,
                  "-f={{$d := .Dir}}{{if .Module}}{{if not .Module.Version}}{{range .GoFiles}}"
                  "{{$d}}/{{.}}\n{{end}}{{else if .Module.Replace}}{{range .GoFiles}}{{$d}}/{{.}}\n"
                  "{{end}}{{end}}{{end}}");
    arguments_add(&a, ".");
    rc = run(job, &a, directory, &said, err);
    arguments_deinit(&a);
    list = rc == 1 ? buf_take_str(&said) : NULL;
    rc = rc < 0 ? rc : 0;
    for (line = list ? strtok_r(list, "\n", &rest) : NULL; rc == 0 && line;
         line = strtok_r(NULL, "\n", &rest)) {
        if (line[0] == '/' && strncmp(line, job->work, strlen(job->work)) != 0)
            rc = inputs_add(job->inputs, job->root, line, err);
    }
    rc = rc ? rc : inputs_add_above(job->inputs, job->root, "go.mod", NULL, err);
    free(list);
    buf_deinit(&said);
    return rc;
}

static int compile(const build_job *job, const char *directory, bool with_mod, buf *said,
                   error *err)
{
    arguments a = {0};
    int rc;

    arguments_add(&a, "%s", job->tools->path[GO]);
    arguments_add(&a, "build");
    if (with_mod)
        arguments_add(&a, "-modfile=%s/ubiq.mod", job->work);
    arguments_add(&a, "-buildmode=c-shared");
    arguments_add(&a, "-trimpath");
    arguments_add(&a, "-buildvcs=false");
    arguments_add(&a, "-ldflags=-s -w");
    arguments_add(&a, "-o=%s", job->module);
    arguments_add(&a, ".");
    rc = run(job, &a, directory, said, err);
    arguments_deinit(&a);
    return rc;
}

/* Appends what go said, in which a single file is called by its name in job->work, with the name that the
 * user knows. */
static int put_said(const build_job *job, const char *base, const buf *said)
{
    slice rest = buf_slice(said);
    char *name;
    int rc = 0;

    if (asprintf(&name, "./%s:", base) < 0)
        return E_NO_MEMORY;
    while (rc == 0 && rest.len) {
        const uint8_t *at = memmem(rest.data, rest.len, name, strlen(name));
        size_t before = at ? (size_t)(at - rest.data) : rest.len;

        rc = buf_append(job->said, rest.data, before);
        rest = slice_of(rest.data + before, rest.len - before);
        if (rc == 0 && at) {
            rc = buf_printf(job->said, "%s:", job->source);
            rest = slice_of(rest.data + strlen(name), rest.len - strlen(name));
        }
    }
    free(name);
    return rc == E_TOO_LARGE ? 0 : rc;
}

static int build_file(const build_job *job, error *err)
{
    const char *slash = strrchr(job->source, '/'), *base = slash ? slash + 1 : job->source;
    buf said;
    int rc, put;

    buf_init(&said, LIMIT_BUILD_SAID_BYTES);
    rc = put_mod(job, NULL, "go.mod", "go.sum", err);
    rc = rc ? rc : put_source(job, base, err);
    rc = rc ? rc : compile(job, job->work, false, &said, err);
    put = put_said(job, base, &said);
    if (rc >= 0 && put)
        rc = error_set(err, put, "%s: %s", job->source, error_code_name(put));
    if (rc == 1)
        rc = add_inputs(job, job->work, false, err) ? E_IO : 1;
    buf_deinit(&said);
    return rc;
}

static int build_module(const build_job *job, error *err)
{
    int rc = put_mod(job, job->source, "ubiq.mod", "ubiq.sum", err);

    rc = rc ? rc : compile(job, job->source, true, job->said, err);
    if (rc == 1)
        rc = add_inputs(job, job->source, true, err) ? E_IO : 1;
    return rc;
}

static int build_go(const build_job *job, error *err)
{
    struct stat st;

    if (stat(job->source, &st) == 0 && S_ISDIR(st.st_mode))
        return build_module(job, err);
    return build_file(job, err);
}

static const char *const endings[] = {".go", NULL};

const builder builder_go = {
    .language = "Go",
    .folder = "go",
    .endings = endings,
    .marker = "go.mod",
    .program = GO,
    .find = find_go,
    .ask = ask_go,
    .build = build_go,
};
