#include "build/esbuild.h"

#include "base/file.h"
#include "base/json.h"
#include "build/limits.h"
#include "build/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION "0.28.2"

#ifdef __aarch64__
#define PACKAGE "linux-arm64"
#define ARCHIVE_SHA256 "a96dbfa41d3ef5dbd1ef22b1c10d5187be9267e86093a870f06402a7ec931596"
#else
#define PACKAGE "linux-x64"
#define ARCHIVE_SHA256 "9573bb2233aab0f9ea7647d5cca9726113cc1768de61d66b17267f4db84488f6"
#endif

const char *esbuild_version(void)
{
    const char *own = getenv("UBIQ_ESBUILD");

    return own && *own ? own : VERSION;
}

static int no_memory(error *err)
{
    return error_set(err, E_NO_MEMORY, "out of memory");
}

/* Runs a program: 1 when it went well, 0 when it did not. */
static int run(const build_job *job, const arguments *a, const char *directory, buf *said,
               error *err)
{
    const command c = {.arguments = a, .directory = directory};
    int status = 0;
    int rc = process_run(job->processes, &c, said, &status, err);

    return rc ? rc : status == 0;
}

/* Has npm fetch the archive into `work`. */
static int fetch(const build_job *job, const char *npm, error *err)
{
    arguments a = {0};
    buf said;
    int rc;

    buf_init(&said, LIMIT_BUILD_SAID_BYTES);
    arguments_add(&a, "%s", npm);
    arguments_add(&a, "pack");
    arguments_add(&a, "--silent");
    arguments_add(&a, "@esbuild/" PACKAGE "@" VERSION);
    rc = run(job, &a, job->work, &said, err);
    if (rc == 0)
        rc = error_set(err, E_IO, "npm could not fetch esbuild " VERSION ": %.*s", (int)said.len,
                       (const char *)said.data);
    arguments_deinit(&a);
    buf_deinit(&said);
    return rc;
}

static int check_archive(const char *path, error *err)
{
    char hash[SHA256_HEX_BYTES];
    buf archive;
    int rc;

    buf_init(&archive, LIMIT_BUILD_MODULE_BYTES);
    rc = file_read(path, &archive, err);
    rc = rc ? rc : sha256_hex(buf_slice(&archive), hash);
    buf_deinit(&archive);
    if (rc == 0 && strcmp(hash, ARCHIVE_SHA256) != 0)
        rc = error_set(err, E_INVALID,
                       "what npm fetched is not esbuild " VERSION ": its SHA-256 is %s", hash);
    return rc;
}

static int unpack(const build_job *job, const char *archive, const char *to, error *err)
{
    arguments a = {0};
    char *tar = tools_find("tar");
    int rc;

    if (!tar)
        return error_set(err, E_NOT_FOUND, "there is no tar to unpack esbuild with");
    arguments_add(&a, "%s", tar);
    arguments_add(&a, "-xzf");
    arguments_add(&a, "%s", archive);
    arguments_add(&a, "-C");
    arguments_add(&a, "%s", to);
    rc = run(job, &a, NULL, job->said, err);
    arguments_deinit(&a);
    free(tar);
    return rc == 0 ? error_set(err, E_IO, "esbuild could not be unpacked") : rc;
}

/* Puts the program where it is kept, which may be another file system than the project's. Whoever else
 * does the same puts the same there. */
static int keep(const build_job *job, const char *archive, const char *program, error *err)
{
    char *directory = NULL, *unpacked = NULL;
    int rc;

    if (asprintf(&directory, "%s/.new-XXXXXX", job->kept) < 0)
        return no_memory(err);
    if (!mkdtemp(directory)) {
        rc = error_set(err, E_IO, "%s: %s", directory, strerrordesc_np(errno));
        free(directory);
        return rc;
    }
    if (asprintf(&unpacked, "%s/package/bin/esbuild", directory) < 0)
        unpacked = NULL;
    rc = unpacked ? unpack(job, archive, directory, err) : no_memory(err);
    if (rc == 1)
        rc = rename(unpacked, program) == 0
                 ? 0
                 : error_set(err, E_IO, "%s: %s", program, strerrordesc_np(errno));
    output_remove_directory(directory);
    free(directory);
    free(unpacked);
    return rc;
}

static int install(const build_job *job, const char *program, error *err)
{
    char *npm = tools_find("npm"), *archive = NULL;
    int rc;

    if (!npm)
        return error_set(
            err, E_NOT_FOUND,
            "TypeScript and imports of other files need esbuild, which npm fetches: install "
            "npm (Debian's package is npm), or let UBIQ_ESBUILD name the program");
    if (asprintf(&archive, "%s/esbuild-" PACKAGE "-" VERSION ".tgz", job->work) < 0)
        archive = NULL;
    rc = archive ? fetch(job, npm, err) : no_memory(err);
    if (rc == 1 && (rc = check_archive(archive, err)) == 0)
        rc = keep(job, archive, program, err);
    free(npm);
    free(archive);
    return rc;
}

/* The program: the one that UBIQ_ESBUILD names, or the kept one; the caller frees it. */
static int find_program(const build_job *job, char **out, error *err)
{
    const char *own = getenv("UBIQ_ESBUILD");

    *out = NULL;
    if (own && *own)
        return (*out = strdup(own)) ? 0 : no_memory(err);
    if (!job->kept)
        return error_set(err, E_IO, "there is no cache directory to keep esbuild in");
    if (asprintf(out, "%s/esbuild-" VERSION, job->kept) < 0) {
        *out = NULL;
        return no_memory(err);
    }
    return access(*out, X_OK) == 0 ? 0 : install(job, *out, err);
}

/* Adds the files that esbuild says it has read: the names of the members of "inputs". */
static int add_inputs(const build_job *job, slice meta, error *err)
{
    json_reader r = {.text = meta};
    buf name;
    int rc, more;

    buf_init(&name, LIMIT_BUILD_RECORD_BYTES);
    rc = json_enter(&r, JSON_OBJECT, err);
    for (size_t i = 0; rc == 0 && (more = json_next(&r, JSON_OBJECT, i, err)) != 0; i++) {
        buf_clear(&name);
        rc = more < 0 ? more : json_name(&r, &name, err);
        if (rc == 0 && !slice_equal_str(buf_slice(&name), "inputs")) {
            rc = json_copy(&r, NULL, err);
            continue;
        }
        rc = rc ? rc : json_enter(&r, JSON_OBJECT, err);
        for (size_t k = 0; rc == 0 && (more = json_next(&r, JSON_OBJECT, k, err)) != 0; k++) {
            char *path = NULL;
            buf_clear(&name);
            rc = more < 0 ? more : json_name(&r, &name, err);
            if (rc == 0 &&
                asprintf(&path, "%s/%.*s", job->root, (int)name.len, (char *)name.data) < 0)
                rc = no_memory(err);
            rc = rc ? rc : inputs_add(job->inputs, job->root, path, err);
            rc = rc == E_NOT_FOUND ? 0 : rc; /* what esbuild made up itself */
            rc = rc ? rc : json_copy(&r, NULL, err);
            free(path);
        }
    }
    buf_deinit(&name);
    return rc;
}

/* What names mean in each file is said by more files, which esbuild does not list. */
static int add_configuration(const build_job *job, error *err)
{
    int rc = inputs_add_above(job->inputs, job->root, "package.json", NULL, err);

    return rc ? rc
              : inputs_add_above(job->inputs, job->root, "tsconfig.json", "/node_modules/", err);
}

/* Runs esbuild in the project, so that the names it gives do not depend on where that is. */
static int bundle(const build_job *job, const char *program, const char *script, const char *meta,
                  error *err)
{
    size_t project = strcmp(job->project, ".") == 0 ? 0 : strlen(job->project) + 1;
    arguments a = {0};
    int rc;

    arguments_add(&a, "%s", program);
    arguments_add(&a, "./%s", job->source + project);
    arguments_add(&a, "--bundle");
    arguments_add(&a, "--format=esm");
    arguments_add(&a, "--platform=neutral");
    arguments_add(&a, "--main-fields=module,main");
    arguments_add(&a, "--conditions=module,import");
    arguments_add(&a, "--target=es2023");
    arguments_add(&a, "--external:ubiq");
    arguments_add(&a, "--charset=utf8");
    arguments_add(&a, "--sourcemap=external");
    arguments_add(&a, "--sources-content=false");
    arguments_add(&a, "--source-root=");
    arguments_add(&a, "--log-level=warning");
    arguments_add(&a, "--color=%s", job->colours ? "true" : "false");
    arguments_add(&a, "--metafile=%s", meta);
    arguments_add(&a, "--outfile=%s", script);
    rc = run(job, &a, job->root, job->said, err);
    arguments_deinit(&a);
    return rc;
}

/* Sources are named relative to where the source map lies. */
static int read_lines(const build_job *job, const char *script, source_lines *lines, error *err)
{
    char *path = NULL, *prefix = NULL;
    size_t depth = 0, root = strlen(job->root);
    buf map, up;
    int rc = 0;

    buf_init(&map, LIMIT_BUILD_RECORD_BYTES);
    buf_init(&up, LIMIT_BUILD_NAME_BYTES * 8);
    for (const char *p = job->work + root + 1; *p; p++)
        depth += *p == '/';
    for (size_t i = 0; i <= depth && rc == 0; i++)
        rc = buf_append_str(&up, "../");
    prefix = rc ? NULL : buf_take_str(&up);
    if (!prefix || asprintf(&path, "%s.map", script) < 0) {
        path = NULL;
        rc = no_memory(err);
    }
    rc = rc ? rc : file_read(path, &map, err);
    rc = rc ? rc : source_lines_read(lines, buf_slice(&map), prefix, err);
    buf_deinit(&map);
    buf_deinit(&up);
    free(path);
    free(prefix);
    return rc;
}

int esbuild_bundle(const build_job *job, buf *out, source_lines *lines, error *err)
{
    char *program = NULL, *script = NULL, *meta = NULL;
    buf text;
    int rc;

    buf_init(&text, LIMIT_BUILD_RECORD_BYTES);
    if (asprintf(&script, "%s/bundle.js", job->work) < 0)
        script = NULL;
    if (asprintf(&meta, "%s/meta.json", job->work) < 0)
        meta = NULL;
    rc = script && meta ? find_program(job, &program, err) : no_memory(err);
    rc = rc ? rc : bundle(job, program, script, meta, err);
    if (rc == 1) {
        rc = file_read(script, out, err);
        rc = rc ? rc : file_read(meta, &text, err);
        rc = rc ? rc : add_inputs(job, buf_slice(&text), err);
        rc = rc ? rc : add_configuration(job, err);
        rc = rc ? rc : read_lines(job, script, lines, err);
        rc = rc ? rc : 1;
    }
    buf_deinit(&text);
    free(program);
    free(script);
    free(meta);
    return rc;
}
