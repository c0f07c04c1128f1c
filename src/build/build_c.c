#include "base/file.h"
#include "build/builder.h"
#include "build/depfile.h"
#include "build/empty_start.h"
#include "build/limits.h"
#include "build/output.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* C and C++, with clang and wasm-ld. Both are run by themselves: clang's own way to the linker costs as
 * much again as compiling a small function does. What is linked comes from wasi-libc and libc++ where
 * they are installed; only what a function uses of them, so that one that does not use them is as if
 * they were not there, and one that does imports WASI only when it opens files, prints or the like. */

enum {
    CLANG,
    WASM_LD,
    SDK,         /* of our guest SDK: a directory */
    LIBC,        /* of wasi-libc */
    INCLUDE,     /* its headers: a directory */
    LIBCXX,      /* of libc++ */
    LIBCXXABI,   /* likewise */
    INCLUDE_CXX, /* its headers */
    ASKED,       /* from here on, what clang has to be asked for */
    BUILTINS = ASKED
};

#define NEWEST_CLANG 60
#define OLDEST_CLANG 12

/* The stack stands in front of all data, so that running over its end is an access outside of memory
 * and not a change of other data. */
#define STACK_BYTES 131072

#define HOW_TO_GET                                                                                 \
    "Debian's packages are clang and lld; with wasi-libc, libclang-rt-dev-wasm32, "                \
    "libc++-dev-wasm32 and libc++abi-dev-wasm32 the libraries of C and C++ can be used too. "      \
    "The wasi-sdk has all of it: set WASI_SDK_PATH to its directory"

static int find_pair(build_tools *t, const char *clang, const char *wasm_ld)
{
    t->path[CLANG] = tools_find(clang);
    t->path[WASM_LD] = t->path[CLANG] ? tools_find(wasm_ld) : NULL;
    if (t->path[WASM_LD])
        return 1;
    free(t->path[CLANG]);
    t->path[CLANG] = NULL;
    return 0;
}

/* $WASI_SDK_PATH/bin, then the plain names, then the newest version there is. */
static int find_programs(build_tools *t, error *err)
{
    const char *sdk = getenv("WASI_SDK_PATH");
    char clang[32], wasm_ld[32];

    if (sdk && *sdk) {
        if (asprintf(&t->path[CLANG], "%s/bin/clang", sdk) < 0 ||
            asprintf(&t->path[WASM_LD], "%s/bin/wasm-ld", sdk) < 0)
            return error_set(err, E_NO_MEMORY, "out of memory");
        if (access(t->path[CLANG], X_OK) != 0 || access(t->path[WASM_LD], X_OK) != 0)
            return error_set(err, E_NOT_FOUND,
                             "WASI_SDK_PATH is %s, where bin/clang and bin/wasm-ld are not", sdk);
        return 0;
    }
    if (find_pair(t, "clang", "wasm-ld"))
        return 0;
    for (int version = NEWEST_CLANG; version >= OLDEST_CLANG; version--) {
        snprintf(clang, sizeof clang, "clang-%d", version);
        snprintf(wasm_ld, sizeof wasm_ld, "wasm-ld-%d", version);
        if (find_pair(t, clang, wasm_ld))
            return 0;
    }
    return error_set(err, E_NOT_FOUND,
                     "there is no clang with a wasm-ld of the same version. " HOW_TO_GET);
}

/* The path, if there is something; the caller frees it. */
static char *existing(const char *root, const char *rest)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s", root, rest) < 0)
        return NULL;
    if (access(path, R_OK) == 0)
        return path;
    free(path);
    return NULL;
}

/* Looks for the libraries under a root, whose headers may stand apart from those of other targets or,
 * where there are no others, do not. */
static bool find_libraries(build_tools *t, const char *root)
{
    bool shared = strcmp(root, "/usr") == 0;

    t->path[LIBC] = existing(root, "lib/wasm32-wasi/libc.a");
    if (!t->path[LIBC])
        return false;
    t->path[INCLUDE] = existing(root, "include/wasm32-wasi");
    if (!t->path[INCLUDE] && !shared)
        t->path[INCLUDE] = existing(root, "include");
    t->path[LIBCXX] = existing(root, "lib/wasm32-wasi/libc++.a");
    t->path[LIBCXXABI] = existing(root, "lib/wasm32-wasi/libc++abi.a");
    t->path[INCLUDE_CXX] = existing(root, "include/wasm32-wasi/c++/v1");
    if (!t->path[INCLUDE_CXX] && !shared)
        t->path[INCLUDE_CXX] = existing(root, "include/c++/v1");
    return true;
}

static int find_c(build_tools *t, error *err)
{
    char *clang = NULL, *beside = NULL;
    int rc = find_programs(t, err);

    rc = rc ? rc : tools_guest_directory("c", &t->path[SDK], err);
    if (rc)
        return rc;
    clang = realpath(t->path[CLANG], NULL);
    if (clang && asprintf(&beside, "%s/../share/wasi-sysroot", dirname(clang)) < 0)
        beside = NULL;
    if (!beside || !find_libraries(t, beside)) {
        if (!find_libraries(t, "/usr/share/wasi-sysroot"))
            (void)find_libraries(t, "/usr");
    }
    free(clang);
    free(beside);
    return tools_stamp(t, "C", err);
}

static int ask_c(build_tools *t, const build_cache *c, processes *p, error *err)
{
    arguments version = {0}, builtins = {0};
    int rc = 0;

    if (tools_recall(t, ASKED, c))
        return 0;
    arguments_add(&version, "%s", t->path[CLANG]);
    arguments_add(&version, "--version");
    arguments_add(&builtins, "%s", t->path[CLANG]);
    arguments_add(&builtins, "--target=wasm32-wasi");
    arguments_add(&builtins, "-print-libgcc-file-name");
    rc = tools_ask(p, &builtins, NULL, &t->path[BUILTINS], err);
    rc = rc ? rc : tools_ask(p, &version, NULL, &t->version, err);
    if (rc == 0)
        tools_remember(t, ASKED, c);
    arguments_deinit(&version);
    arguments_deinit(&builtins);
    return rc;
}

static const char *lacks_c(const build_tools *t)
{
    return t->path[LIBC]
               ? NULL
               : "without the C library, whose headers are not found: Debian's package is "
                 "wasi-libc";
}

static const char *lacks_cpp(const build_tools *t)
{
    return t->path[LIBC] && t->path[LIBCXX] && t->path[INCLUDE_CXX]
               ? NULL
               : "without the C++ library, which ubiq.hpp needs: Debian's packages are "
                 "libc++-dev-wasm32, libc++abi-dev-wasm32 and wasi-libc";
}

static bool is_cpp(const char *source)
{
    const char *dot = strrchr(source, '.');

    return dot && strcmp(dot, ".c") != 0;
}

static void add_compiler_arguments(arguments *a, const build_job *job)
{
    char *const *path = job->tools->path;
    bool cpp = is_cpp(job->source);

    arguments_add(a, "%s", path[CLANG]);
    arguments_add(a, "--target=wasm32%s", path[LIBC] ? "-wasi" : "");
    arguments_add(a, "-x");
    arguments_add(a, cpp ? "c++" : "c");
    arguments_add(a, cpp ? "-std=gnu++17" : "-std=gnu17");
    arguments_add(a, "-O2");
    arguments_add(a, "-Wall");
    arguments_add(a, "-mbulk-memory");
    arguments_add(a, "-mnontrapping-fptoint");
    arguments_add(a, "-msign-ext");
    if (cpp)
        arguments_add(a, "-fno-exceptions");
    if (job->colours)
        arguments_add(a, "-fcolor-diagnostics");
    /* Names in the text of assertions must not depend on where the project is. */
    if (strcmp(job->project, ".") != 0)
        arguments_add(a, "-fmacro-prefix-map=%s/=", job->project);
    /* Only the headers of the libraries that are linked, never those of this machine. */
    arguments_add(a, "-nostdlibinc");
    arguments_add(a, "-iquote");
    arguments_add(a, "%s", job->project);
    arguments_add(a, "-isystem");
    arguments_add(a, "%s", path[SDK]);
    if (cpp && path[INCLUDE_CXX]) {
        arguments_add(a, "-isystem");
        arguments_add(a, "%s", path[INCLUDE_CXX]);
    }
    if (path[INCLUDE])
        arguments_add(a, "-idirafter%s", path[INCLUDE]);
    else
        arguments_add(a, "-ffreestanding");
}

/* Runs a program: 1 when it went well, 0 when it says that something is wrong with the source. */
static int run(const build_job *job, const arguments *a, error *err)
{
    /* Which add directories of this machine to those that headers are looked for in. */
    static const char *const environment[] = {
        "CPATH=", "C_INCLUDE_PATH=", "CPLUS_INCLUDE_PATH=", NULL};
    const command c = {.arguments = a, .environment = environment};
    int status = 0;
    int rc = process_run(job->processes, &c, job->said, &status, err);

    return rc ? rc : status == 0;
}

static int compile(const build_job *job, const char *object, const char *list, error *err)
{
    arguments a = {0};
    int rc;

    add_compiler_arguments(&a, job);
    arguments_add(&a, "-MD");
    arguments_add(&a, "-MF");
    arguments_add(&a, "%s", list);
    arguments_add(&a, "-c");
    arguments_add(&a, "-o");
    arguments_add(&a, "%s", object);
    arguments_add(&a, "--");
    /* A project's name may begin as an option does. */
    arguments_add(&a, "%s%s", job->source[0] == '-' ? "./" : "", job->source);
    rc = run(job, &a, err);
    arguments_deinit(&a);
    return rc;
}

static int link_object(const build_job *job, const char *object, const char *module, error *err)
{
    char *const *path = job->tools->path;
    arguments a = {0};
    int rc;

    arguments_add(&a, "%s", path[WASM_LD]);
    arguments_add(&a, "--no-entry");
    /* With this export the linker does not run constructors in front of each export. */
    arguments_add(&a, "--export=__wasm_call_ctors");
    arguments_add(&a, "--stack-first");
    arguments_add(&a, "-z");
    arguments_add(&a, "stack-size=%d", STACK_BYTES);
    arguments_add(&a, "--strip-debug"); /* the names of functions stay, for stack traces */
    arguments_add(&a, "--compress-relocations");
    if (job->colours)
        arguments_add(&a, "--color-diagnostics");
    arguments_add(&a, "-o");
    arguments_add(&a, "%s", module);
    arguments_add(&a, "%s", object);
    for (int i = LIBCXX; i <= LIBCXXABI && is_cpp(job->source); i++) {
        if (path[i])
            arguments_add(&a, "%s", path[i]);
    }
    if (path[LIBC])
        arguments_add(&a, "%s", path[LIBC]);
    if (path[BUILTINS] && access(path[BUILTINS], R_OK) == 0)
        arguments_add(&a, "%s", path[BUILTINS]);
    rc = run(job, &a, err);
    arguments_deinit(&a);
    return rc;
}

/* Adds what the compiler lists as included. */
static int add_input(const char *path, void *arg, error *err)
{
    const build_job *job = arg;
    int rc = inputs_add(job->inputs, job->root, path, err);

    /* clang writes a backslash in a name as a slash. A file that cannot be told is taken to change all
     * the time. */
    if (rc == E_NOT_FOUND)
        rc = inputs_add_real(job->inputs, path, (stamp){.size = -1, .changed_ns = INT64_MAX}, err);
    return rc;
}

static int read_list(const build_job *job, const char *list, error *err)
{
    buf text;
    int rc;

    buf_init(&text, LIMIT_BUILD_RECORD_BYTES);
    rc = file_read(list, &text, err);
    rc = rc ? rc : depfile_read(buf_slice(&text), add_input, (void *)(uintptr_t)job, err);
    buf_deinit(&text);
    return rc;
}

/* Makes job->module of what the linker made. */
static int finish(const build_job *job, const char *linked, error *err)
{
    buf in, out;
    int rc;

    buf_init(&in, LIMIT_BUILD_MODULE_BYTES);
    buf_init(&out, LIMIT_BUILD_MODULE_BYTES);
    rc = file_read(linked, &in, err);
    rc = rc ? rc : empty_start_drop(buf_slice(&in), &out, err);
    rc = rc ? rc : output_write(job->module, buf_slice(&out), err);
    buf_deinit(&in);
    buf_deinit(&out);
    return rc;
}

static int build_c(const build_job *job, error *err)
{
    const char *slash = strrchr(job->source, '/');
    const char *base = slash ? slash + 1 : job->source;
    char *object = NULL, *list = NULL, *linked = NULL;
    int rc;

    if (asprintf(&object, "%s/%s.o", job->work, base) < 0)
        object = NULL;
    if (asprintf(&list, "%s/%s.d", job->work, base) < 0)
        list = NULL;
    if (asprintf(&linked, "%s/%s.linked", job->work, base) < 0)
        linked = NULL;
    rc = object && list && linked ? compile(job, object, list, err)
                                  : error_set(err, E_NO_MEMORY, "out of memory");
    if (rc == 1 && (rc = read_list(job, list, err)) == 0)
        rc = link_object(job, object, linked, err);
    if (rc == 1 && (rc = finish(job, linked, err)) == 0)
        rc = 1;
    free(object);
    free(list);
    free(linked);
    return rc;
}

static const char *const c_endings[] = {".c", NULL};
static const char *const cpp_endings[] = {".cpp", ".cc", NULL};

const builder builder_c = {
    .language = "C",
    .folder = "c",
    .endings = c_endings,
    .program = CLANG,
    .find = find_c,
    .ask = ask_c,
    .lacks = lacks_c,
    .build = build_c,
};

const builder builder_cpp = {
    .language = "C++",
    .folder = "c",
    .endings = cpp_endings,
    .program = CLANG,
    .find = find_c,
    .ask = ask_c,
    .lacks = lacks_cpp,
    .build = build_c,
};
