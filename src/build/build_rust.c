#include "base/file.h"
#include "base/json.h"
#include "build/builder.h"
#include "build/depfile.h"
#include "build/limits.h"
#include "build/lock.h"
#include "build/output.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Rust, with cargo: a crate in a directory of its own, or a single file, around which a crate is made. All
 * is built in one directory of the cache, so that what functions share is compiled once; that directory
 * is one build's at a time. */

enum {
    CARGO,
    RUSTC,
    SDK,   /* of our guest SDK: a directory */
    ASKED, /* from here on, what was found out by asking */
    USED_RUSTC = ASKED,
    LINKER /* of a rustc without the target's standard library, which is built along; or NULL */
};

#define TARGET "wasm32-unknown-unknown"
#define DEBIAN_RUSTC "/usr/bin/rustc"
#define DEBIAN_SOURCE "/usr/lib/rustlib/src/rust/library/Cargo.toml"

#define HOW_TO_GET                                                                                 \
    "https://rustup.rs has it: `rustup target add " TARGET "`. On Debian 12 it can be built from " \
    "the packages rustc-web, cargo-web and rust-web-src with lld of the same LLVM (lld-22)"

/* Appends how a file or directory looks. */
static int put_stamp(buf *text, const char *path)
{
    stamp s = stamp_of(path);

    return buf_printf(text, "%s %" PRId64 " %" PRId64 "\n", path, s.size, s.changed_ns);
}

/* Appends how each of rustup's toolchains looks: the programs it puts in $PATH say nothing of it. */
static int put_toolchains(buf *text)
{
    const char *home = getenv("RUSTUP_HOME"), *user = getenv("HOME");
    char *path = NULL, *inner;
    struct dirent **entry = NULL;
    int count, rc;

    if (asprintf(&path, home ? "%s" : "%s/.rustup", home ? home : user ? user : "") < 0)
        return E_NO_MEMORY;
    if (asprintf(&inner, "%s/settings.toml", path) < 0) {
        free(path);
        return E_NO_MEMORY;
    }
    rc = put_stamp(text, inner);
    free(inner);
    if (rc == 0 && asprintf(&inner, "%s/toolchains", path) >= 0) {
        count = scandir(inner, &entry, NULL, alphasort);
        for (int i = 0; i < count; i++) {
            char *libraries;

            if (rc == 0 &&
                asprintf(&libraries, "%s/%s/lib/rustlib", inner, entry[i]->d_name) >= 0) {
                rc = put_stamp(text, libraries);
                free(libraries);
            }
            free(entry[i]);
        }
        free(entry);
        free(inner);
    }
    free(path);
    return rc;
}

static int put_environment(buf *text, const char *name)
{
    const char *value = getenv(name);

    return buf_printf(text, "%s=%s\n", name, value ? value : "");
}

static int find_rust(build_tools *t, error *err)
{
    buf text;
    int rc;

    t->path[CARGO] = tools_find("cargo");
    t->path[RUSTC] = tools_find("rustc");
    if (!t->path[CARGO] || !t->path[RUSTC])
        return error_set(err, E_NOT_FOUND, "there is no %s. " HOW_TO_GET,
                         t->path[CARGO] ? "rustc" : "cargo");
    rc = tools_guest_directory("rust", &t->path[SDK], err);
    if (rc)
        return rc;
    buf_init(&text, LIMIT_BUILD_RECORD_BYTES);
    rc = put_toolchains(&text);
    rc = rc ? rc : put_stamp(&text, DEBIAN_RUSTC);
    rc = rc ? rc : put_stamp(&text, DEBIAN_SOURCE);
    rc = rc ? rc : put_environment(&text, "RUSTFLAGS");
    rc = rc ? rc : put_environment(&text, "RUSTUP_TOOLCHAIN");
    rc = rc ? rc : buf_append_byte(&text, '\0');
    rc = rc ? error_set(err, rc, "stamping tools: %s", error_code_name(rc))
            : tools_stamp(t, (const char *)text.data, err);
    buf_deinit(&text);
    return rc;
}

static int ask_version(processes *p, const char *rustc, char **out, error *err)
{
    arguments a = {0};
    int rc;

    arguments_add(&a, "%s", rustc);
    arguments_add(&a, "-vV");
    rc = tools_ask(p, &a, NULL, out, err);
    arguments_deinit(&a);
    return rc;
}

/* 1 when the compiler has the target's standard library. */
static int has_library(processes *p, const char *rustc, error *err)
{
    arguments a = {0};
    char *directory = NULL;
    struct stat st;
    int rc;

    arguments_add(&a, "%s", rustc);
    arguments_add(&a, "--print");
    arguments_add(&a, "target-libdir");
    arguments_add(&a, "--target");
    arguments_add(&a, TARGET);
    rc = tools_ask(p, &a, NULL, &directory, err);
    arguments_deinit(&a);
    if (rc == 0)
        rc = stat(directory, &st) == 0 && S_ISDIR(st.st_mode);
    else if (rc == E_INVALID)
        rc = 0; /* one that does not know the target */
    free(directory);
    return rc;
}

/* Takes Debian's compiler, of which the standard library is built along. */
static int take_debian(build_tools *t, processes *p, error *err)
{
    const char *llvm;
    char linker[32];
    int rc;

    if (access(DEBIAN_RUSTC, X_OK) != 0 || access(DEBIAN_SOURCE, R_OK) != 0)
        return error_set(err, E_NOT_FOUND, "%s has no standard library for " TARGET ". " HOW_TO_GET,
                         t->path[RUSTC]);
    rc = ask_version(p, DEBIAN_RUSTC, &t->version, err);
    if (rc)
        return rc;
    llvm = strstr(t->version, "LLVM version: ");
    snprintf(linker, sizeof linker, "wasm-ld-%d", llvm ? atoi(llvm + strlen("LLVM version: ")) : 0);
    t->path[LINKER] = tools_find(linker);
    t->path[USED_RUSTC] = strdup(DEBIAN_RUSTC);
    if (!t->path[LINKER])
        return error_set(err, E_NOT_FOUND,
                         "there is no %s, with which " DEBIAN_RUSTC " links. " HOW_TO_GET, linker);
    return t->path[USED_RUSTC] ? 0 : error_set(err, E_NO_MEMORY, "out of memory");
}

static int ask_rust(build_tools *t, const build_cache *c, processes *p, error *err)
{
    int rc;

    if (tools_recall(t, ASKED, c))
        return 0;
    rc = has_library(p, t->path[RUSTC], err);
    if (rc == 0) {
        rc = take_debian(t, p, err);
    } else if (rc == 1) {
        rc = ask_version(p, t->path[RUSTC], &t->version, err);
        t->path[USED_RUSTC] = strdup(t->path[RUSTC]);
        if (rc == 0 && !t->path[USED_RUSTC])
            rc = error_set(err, E_NO_MEMORY, "out of memory");
    }
    if (rc == 0) {
        tools_remember(t, ASKED, c);
    } else {
        free(t->version);
        t->version = NULL;
    }
    return rc;
}

/* The crate around a single file. Its own workspace, so that cargo looks for none above it; and without
 * optimising at link time, which makes modules a quarter smaller and builds take four times as long. */
static int put_crate(const build_job *job, const char *directory, const char *source, error *err)
{
    char *path = NULL;
    buf text;
    int rc;

    buf_init(&text, LIMIT_BUILD_RECORD_BYTES);
    rc = buf_append_str(&text, "[package]\nname = \"function\"\nversion = \"0.0.0\"\n"
                               "edition = \"2021\"\n\n[workspace]\n\n"
                               "[lib]\ncrate-type = [\"cdylib\"]\npath = ");
    rc = rc ? rc : json_put_string(&text, slice_str(source)); /* which is one of TOML, too */
    rc = rc ? rc : buf_append_str(&text, "\n\n[dependencies]\nubiq = { path = ");
    rc = rc ? rc : json_put_string(&text, slice_str(job->tools->path[SDK]));
    rc = rc ? rc
            : buf_append_str(&text, " }\nserde = { version = \"1\", features = [\"derive\"] }\n"
                                    "serde_json = \"1\"\n\n[profile.release]\nlto = \"off\"\n"
                                    "panic = \"abort\"\nstrip = \"debuginfo\"\n");
    if (asprintf(&path, "%s/Cargo.toml", directory) < 0) {
        path = NULL;
        rc = E_NO_MEMORY;
    }
    rc = rc ? error_set(err, rc, "a crate: %s", error_code_name(rc))
            : output_write(path, buf_slice(&text), err);
    free(path);
    buf_deinit(&text);
    return rc;
}

/* Where the only module in a directory is; the caller frees it. NULL when there is none, or more. */
static char *find_module(const char *directory)
{
    DIR *dir = opendir(directory);
    struct dirent *entry;
    char *found = NULL;
    size_t count = 0;

    while (dir && (entry = readdir(dir))) {
        size_t len = strlen(entry->d_name);

        if (len < 5 || strcmp(entry->d_name + len - 5, ".wasm") != 0)
            continue;
        free(found);
        if (asprintf(&found, "%s/%s", directory, entry->d_name) < 0)
            found = NULL;
        count++;
    }
    if (dir)
        closedir(dir);
    if (count > 1) {
        free(found);
        found = NULL;
    }
    return found;
}

/* Removes what cargo put there for other crates. */
static void remove_modules(const char *directory)
{
    DIR *dir = opendir(directory);
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        size_t len = strlen(entry->d_name);

        if (len >= 5 && strcmp(entry->d_name + len - 5, ".wasm") == 0)
            unlinkat(dirfd(dir), entry->d_name, 0);
    }
    if (dir)
        closedir(dir);
}

static int cargo(const build_job *job, const char *manifest, const char *target, error *err)
{
    char *const *path = job->tools->path;
    arguments a = {0}, environment = {0};
    command c = {.arguments = &a};
    int status = 0, rc;

    arguments_add(&a, "%s", path[CARGO]);
    arguments_add(&a, "rustc");
    arguments_add(&a, "--quiet");
    arguments_add(&a, "--color=%s", job->colours ? "always" : "never");
    arguments_add(&a, "--lib");
    arguments_add(&a, "--release");
    arguments_add(&a, "--target=" TARGET);
    arguments_add(&a, "--target-dir=%s", target);
    arguments_add(&a, "--manifest-path=%s", manifest);
    if (path[LINKER])
        arguments_add(&a, "-Zbuild-std=std,panic_abort");
    /* cargo tells what changed by when it was written; this tells it by content. */
    arguments_add(&a, "--");
    arguments_add(&a, "--cfg=ubiq_build=\"%s\"", job->key);
    arguments_add(&environment, "RUSTC=%s", path[USED_RUSTC]);
    if (path[LINKER]) {
        arguments_add(&environment, "RUSTC_BOOTSTRAP=1");
        arguments_add(&environment, "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=%s", path[LINKER]);
    }
    c.environment = (const char *const *)environment.item;
    rc = environment.no_memory ? error_set(err, E_NO_MEMORY, "out of memory")
                               : process_run(job->processes, &c, job->said, &status, err);
    arguments_deinit(&a);
    arguments_deinit(&environment);
    return rc ? rc : status == 0;
}

static int add_input(const char *path, void *arg, error *err)
{
    const build_job *job = arg;

    return inputs_add(job->inputs, job->root, path, err);
}

/* Adds what cargo lists, beside a module, that it was made of. */
static int read_list(const build_job *job, const char *module, error *err)
{
    char *list;
    buf text;
    int rc;

    if (asprintf(&list, "%.*s.d", (int)(strlen(module) - strlen(".wasm")), module) < 0)
        return error_set(err, E_NO_MEMORY, "out of memory");
    buf_init(&text, LIMIT_BUILD_RECORD_BYTES);
    rc = file_read(list, &text, err);
    rc = rc ? rc : depfile_read(buf_slice(&text), add_input, (void *)(uintptr_t)job, err);
    /* It lists sources only. */
    rc = rc ? rc : inputs_add_above(job->inputs, job->root, "Cargo.toml", NULL, err);
    rc = rc ? rc : inputs_add_above(job->inputs, job->root, "Cargo.lock", NULL, err);
    buf_deinit(&text);
    free(list);
    return rc;
}

/* Takes the module from where cargo puts it. */
static int collect(const build_job *job, const char *directory, error *err)
{
    char *module = find_module(directory);
    buf content;
    int rc;

    if (!module)
        return buf_printf(job->said,
                          "%s: the crate makes no module: [lib] needs crate-type = [\"cdylib\"]\n",
                          job->source);
    buf_init(&content, LIMIT_BUILD_MODULE_BYTES);
    rc = read_list(job, module, err);
    rc = rc ? rc : file_read(module, &content, err);
    rc = rc ? rc : output_write(job->module, buf_slice(&content), err);
    buf_deinit(&content);
    free(module);
    return rc ? rc : 1;
}

/* Builds the crate of a manifest in the directory `target`, which nobody else uses meanwhile. */
static int build_crate(const build_job *job, const char *manifest, const char *target, error *err)
{
    char *directory;
    int rc;

    if (asprintf(&directory, "%s/" TARGET "/release", target) < 0)
        return error_set(err, E_NO_MEMORY, "out of memory");
    remove_modules(directory);
    rc = cargo(job, manifest, target, err);
    if (rc == 1)
        rc = collect(job, directory, err);
    free(directory);
    return rc;
}

static int build_rust(const build_job *job, error *err)
{
    const char *home = job->kept ? job->kept : job->work;
    char *target = NULL, *manifest = NULL, *crate = NULL, *real = realpath(job->source, NULL);
    build_lock lock = {.fd = -1};
    struct stat st;
    int rc;

    bool is_file = stat(job->source, &st) == 0 && S_ISREG(st.st_mode);

    if (asprintf(&target, "%s/target", home) < 0)
        target = NULL;
    if (asprintf(&crate, "%s/crate", home) < 0)
        crate = NULL;
    if (asprintf(&manifest, "%s/Cargo.toml", is_file && crate ? crate : job->source) < 0)
        manifest = NULL;
    rc = target && crate && manifest ? build_lock_take(&lock, home, job->processes, err)
                                     : error_set(err, E_NO_MEMORY, "out of memory");
    if (rc == 0 && !real)
        rc = error_set(err, E_IO, "%s cannot be read", job->source);
    if (rc == 0 && is_file)
        rc = put_crate(job, crate, real, err);
    rc = rc ? rc : build_crate(job, manifest, target, err);
    build_lock_release(&lock);
    free(target);
    free(manifest);
    free(crate);
    free(real);
    return rc;
}

static const char *const endings[] = {".rs", NULL};

const builder builder_rust = {
    .language = "Rust",
    .folder = "rust",
    .endings = endings,
    .marker = "Cargo.toml",
    .program = USED_RUSTC,
    .find = find_rust,
    .ask = ask_rust,
    .build = build_rust,
};
