#include "app/runtimes.h"
#include "base/file.h"
#include "build/builder.h"
#include "build/esbuild.h"
#include "build/host_interface.h"
#include "build/javascript.h"
#include "build/limits.h"
#include "build/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* JavaScript and TypeScript. The runtime that is inside this program compiles; esbuild is there for
 * TypeScript and for imports of other files and of packages only. */

enum { ESBUILD = 1 }; /* that UBIQ_ESBUILD names; this program compiles */

static int find_javascript(build_tools *t, error *err)
{
    const char *own = getenv("UBIQ_ESBUILD");
    char text[256];

    if (own && *own && !(t->path[ESBUILD] = strdup(own)))
        return error_set(err, E_NO_MEMORY, "out of memory");
    snprintf(text, sizeof text, "JavaScript %s %.100s", runtime_of("js")->name, esbuild_version());
    t->version = strdup(runtime_of("js")->name);
    return t->version ? tools_stamp(t, text, err) : error_set(err, E_NO_MEMORY, "out of memory");
}

/* It is known without asking. */
static int ask_javascript(build_tools *t, const build_cache *c, processes *p, error *err)
{
    (void)t, (void)c, (void)p, (void)err;
    return 0;
}

/* Prints what is wrong as compilers do, with a path that the user knows. */
static int say(const build_job *job, const source_lines *lines, const javascript_problem *problem,
               const char *text)
{
    size_t project = strcmp(job->project, ".") == 0 ? 0 : strlen(job->project) + 1;
    slice source;
    unsigned line;

    if (problem->line == 0)
        return buf_printf(job->said, "%s: error: %s\n", job->source, text);
    if (source_lines_find(lines, problem->line, &source, &line))
        return buf_printf(job->said, "%.*s%.*s:%u: error: %s\n", (int)project, job->project,
                          (int)source.len, (const char *)source.data, line, text);
    return buf_printf(job->said, "%s:%u:%u: error: %s\n", job->source, problem->line,
                      problem->column, text);
}

/* NAME.d.ts for NAME.js, or else index.d.ts in the same directory. */
static char *interface_beside(const char *source)
{
    const char *slash = strrchr(source, '/'), *dot = strrchr(source, '.');
    size_t directory = slash ? (size_t)(slash + 1 - source) : 0;
    char *path = NULL;

    for (int i = 0; i < 2; i++) {
        if (asprintf(&path, "%.*s%s", (int)(i ? directory : (size_t)(dot - source)), source,
                     i ? "index.d.ts" : ".d.ts") < 0)
            return NULL;
        if (access(path, F_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

/* Reads what the source declares of the host, if it does; `text` gets the file, of which `out` has views. 1,
 * or 0 with what is wrong in job->said. */
static int read_interface(const build_job *job, buf *text, host_interface *out, error *err)
{
    char *path = interface_beside(job->source);
    error why = {0};
    size_t line, column;
    int rc;

    if (!path)
        return 1;
    rc = file_read(path, text, err);
    if (rc == 0 && host_interface_is(buf_slice(text))) {
        rc = host_interface_read(out, buf_slice(text), &line, &column, &why);
        if (rc == E_INVALID)
            rc = buf_printf(job->said, "%s:%zu:%zu: error: %s\n", path, line, column,
                            error_text(&why)) == 0
                     ? 1
                     : error_set(err, E_NO_MEMORY, "out of memory");
        else if (rc)
            error_set(err, rc, "%s: %s", path, error_text(&why));
    }
    error_deinit(&why);
    free(path);
    return rc < 0 ? rc : !rc;
}

/* Compiles a text: 1, or 0 with what is wrong in job->said unless it is that it needs bundling. */
static int compile(const build_job *job, slice text, const source_lines *lines,
                   const host_interface *host, bool *needs_bundling, error *err)
{
    size_t project = strcmp(job->project, ".") == 0 ? 0 : strlen(job->project) + 1;
    const javascript_source source = {
        .file = job->source + project,
        .text = text,
        .lines = buf_slice(&lines->text),
        .host = host,
        .portable = job->portable,
    };
    javascript_problem problem;
    error why = {0};
    buf module;
    int rc;

    buf_init(&module, LIMIT_BUILD_MODULE_BYTES);
    rc = javascript_build(&module, &source, &problem, &why);
    *needs_bundling = problem.needs_bundling;
    if (rc == 0)
        rc = output_write(job->module, buf_slice(&module), err);
    else if (rc == E_INVALID)
        rc = problem.needs_bundling || say(job, lines, &problem, error_text(&why)) == 0
                 ? -1
                 : error_set(err, E_NO_MEMORY, "out of memory");
    else
        error_set(err, rc, "%s", error_text(&why));
    error_deinit(&why);
    buf_deinit(&module);
    return rc == 0 ? 1 : rc == -1 ? 0 : rc;
}

static const char *lacks_javascript(const build_tools *t)
{
    const char *own = getenv("UBIQ_ESBUILD");
    char *npm = tools_find("npm");
    bool has_npm = npm;

    (void)t;
    free(npm);
    return has_npm || (own && *own)
               ? NULL
               : "without TypeScript and imports of other files: npm (nodejs.org) "
                 "fetches esbuild for them, or UBIQ_ESBUILD names one";
}

static bool is_typescript(const char *source)
{
    const char *dot = strrchr(source, '.');

    return dot && strcmp(dot, ".ts") == 0;
}

static int build_with(const build_job *job, const host_interface *host, error *err)
{
    source_lines lines = {0};
    bool bundles = is_typescript(job->source);
    buf text;
    int rc;

    buf_init(&text, LIMIT_BUILD_SOURCE_BYTES);
    rc = bundles ? 0 : file_read(job->source, &text, err);
    if (rc == 0 && !bundles)
        rc = compile(job, buf_slice(&text), &lines, host, &bundles, err);
    if (rc == 0 && bundles) {
        buf_clear(&text);
        rc = esbuild_bundle(job, &text, &lines, err);
        if (rc == 1)
            rc = compile(job, buf_slice(&text), &lines, host, &bundles, err);
    }
    source_lines_deinit(&lines);
    buf_deinit(&text);
    return rc;
}

static int build_javascript(const build_job *job, error *err)
{
    host_interface host = {0};
    buf text;
    int rc;

    buf_init(&text, LIMIT_BUILD_SOURCE_BYTES);
    rc = read_interface(job, &text, &host, err);
    if (rc == 1)
        rc = build_with(job, &host, err);
    host_interface_deinit(&host);
    buf_deinit(&text);
    return rc;
}

static const char *const endings[] = {".js", ".mjs", ".ts", NULL};

const builder builder_javascript = {
    .language = "JavaScript",
    .folder = "javascript",
    .endings = endings,
    .runtime = "js",
    .beside = interface_beside,
    .find = find_javascript,
    .ask = ask_javascript,
    .lacks = lacks_javascript,
    .build = build_javascript,
};
