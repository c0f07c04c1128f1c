#include "build/build.h"

#include "base/clock.h"
#include "build/limits.h"
#include "build/output.h"
#include "build/unit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LEFT_OVER_S 86400 /* the age from which what a killed build left is removed */

struct build {
    char *project;
    build_options options;
    unit_context context;
    build_sources sources;
    pthread_mutex_t lock; /* of what follows, and held while one reports */
    size_t next;          /* in `sources` */
    build_summary summary;
};

/* A copy without the slashes at its end. */
static char *directory_name(const char *path)
{
    size_t len = strlen(path);

    while (len > 1 && path[len - 1] == '/')
        len--;
    return strndup(path, len);
}

int build_create(build **out, const build_options *options, error *err)
{
    build *b = calloc(1, sizeof *b);
    int rc = 0;

    *out = NULL;
    if (!b || !(b->project = directory_name(options->project))) {
        free(b);
        return error_set(err, E_NO_MEMORY, "out of memory");
    }
    pthread_mutex_init(&b->lock, NULL);
    b->options = *options;
    b->options.project = b->project;
    rc = unit_context_init(&b->context, &b->options, err);
    rc = rc ? rc : build_sources_find(&b->sources, b->project, b->context.root, err);
    if (rc) {
        build_destroy(b);
        return rc;
    }
    *out = b;
    return 0;
}

/* Builds one function and tells of it. */
static void build_one(build *b, const build_source *s)
{
    uint64_t begin = clock_ns();
    build_outcome o = {.name = s->name, .source = s->path, .language = s->builder->language};
    error err = {0};
    buf said;

    buf_init(&said, LIMIT_BUILD_SAID_BYTES);
    o.result = unit_build(&b->context, s, &said, &err);
    o.said = buf_slice(&said);
    o.problem = o.result == BUILD_FAILED ? error_text(&err) : NULL;
    o.ns = clock_ns() - begin;
    pthread_mutex_lock(&b->lock);
    b->summary.count[o.result]++;
    if (b->options.report)
        b->options.report(&o, b->options.arg);
    pthread_mutex_unlock(&b->lock);
    buf_deinit(&said);
    error_deinit(&err);
}

/* Builds one function after the other until there are no more. */
static void *work(void *arg)
{
    build *b = arg;

    while (!processes_stopped(b->context.processes)) {
        const build_source *s = NULL;

        pthread_mutex_lock(&b->lock);
        if (b->next < b->sources.count)
            s = &b->sources.item[b->next++];
        pthread_mutex_unlock(&b->lock);
        if (!s)
            break;
        if (s->builder)
            build_one(b, s);
    }
    return NULL;
}

static size_t job_count(const build *b)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t jobs = b->options.jobs ? b->options.jobs : cores > 0 ? (size_t)cores : 1;

    jobs = jobs > LIMIT_BUILD_JOBS ? LIMIT_BUILD_JOBS : jobs;
    return jobs > b->sources.count ? b->sources.count : jobs;
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* Whether a file in .ubiq/build or .ubiq/manifest belongs to no function that is built. */
static bool is_left(const build *b, const char *name)
{
    const char *ending = ends_with(name, ".wasm")     ? ".wasm"
                         : ends_with(name, ".inputs") ? ".inputs"
                         : ends_with(name, ".json")   ? ".json"
                                                      : NULL;
    const build_source *s;
    char *function;

    /* Runtimes of languages beside the manifests. */
    if (b->options.manifest && strncmp(name, "ubiq-", 5) == 0)
        return false;
    if (!ending || !(function = strndup(name, strlen(name) - strlen(ending))))
        return false;
    s = build_sources_get(&b->sources, function);
    free(function);
    return !s || !s->builder;
}

static void clean(const build *b, const char *path, size_t name_at);

static void clean_entry(const build *b, const char *path, const char *base, const struct stat *st,
                        size_t name_at)
{
    if (base[0] == '.') {
        if (time(NULL) - st->st_mtime > LEFT_OVER_S)
            output_remove_directory(path);
    } else if (S_ISDIR(st->st_mode)) {
        clean(b, path, name_at);
        rmdir(path); /* if it is empty */
    } else if (is_left(b, path + name_at)) {
        unlink(path);
    }
}

/* Removes what functions that are gone, and builds that were killed, have left in a directory; `name_at`
 * is where names of functions begin in its paths. */
static void clean(const build *b, const char *path, size_t name_at)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        const char *base = entry->d_name;
        struct stat st;
        char *child;

        if (strcmp(base, ".") == 0 || strcmp(base, "..") == 0 ||
            asprintf(&child, "%s/%s", path, base) < 0)
            continue;
        if (lstat(child, &st) == 0)
            clean_entry(b, child, base, &st, name_at);
        free(child);
    }
    if (dir)
        closedir(dir);
}

void build_run(build *b, build_summary *summary)
{
    pthread_t thread[LIMIT_BUILD_JOBS];
    size_t jobs = job_count(b), begun = 0;

    while (begun + 1 < jobs && pthread_create(&thread[begun], NULL, work, b) == 0)
        begun++;
    work(b); /* so it gets done without other threads, too */
    for (size_t i = 0; i < begun; i++)
        pthread_join(thread[i], NULL);
    if (!processes_stopped(b->context.processes)) {
        clean(b, b->context.output, strlen(b->context.output) + 1);
        build_cache_clean(&b->context.cache);
    }
    *summary = b->summary;
}

void build_stop(build *b)
{
    processes_stop(b->context.processes);
}

void build_destroy(build *b)
{
    if (!b)
        return;
    build_sources_deinit(&b->sources);
    unit_context_deinit(&b->context);
    pthread_mutex_destroy(&b->lock);
    free(b->project);
    free(b);
}
