#ifndef UBIQ_BUILD_BUILD_H
#define UBIQ_BUILD_BUILD_H

#include "base/error.h"
#include "base/slice.h"

/* Makes modules of a project's functions: <project>/functions/<name>.<ending> and
 * <project>/middleware/<name>.<ending> become <project>/.ubiq/build/<name>.wasm and
 * <project>/.ubiq/build/middleware/<name>.wasm, each replaced as a whole. Only what changed is compiled,
 * and only what no project of this user has compiled before. With a manifest, they become
 * <project>/.ubiq/manifest/<name>.wasm, each with a <name>.json beside it, which any Extism host runs. */
typedef struct build build;

enum build_result {
    BUILD_UNCHANGED, /* the module is what the source makes already */
    BUILD_CACHED,    /* it was made before */
    BUILD_BUILT,
    BUILD_WRONG,  /* the source is wrong: the compiler says why */
    BUILD_FAILED, /* it could not be tried: tools are missing, the disk is full */
    BUILD_STOPPED /* by build_stop */
};

/* What became of one function. Borrowed. */
typedef struct build_outcome {
    const char *name;     /* of the function */
    const char *source;   /* as the user would name it */
    const char *language; /* "C" */
    enum build_result result;
    slice said;          /* what the compiler printed, warnings too */
    const char *problem; /* BUILD_FAILED: what is wrong */
    uint64_t ns;         /* how long it took */
} build_outcome;

typedef struct build_options {
    const char *project; /* directory; borrowed */
    unsigned jobs;       /* how many at once; 0: one a core */
    bool colours;        /* compilers may print them */
    bool manifest;       /* for other hosts */
    /* Told of each function when it is done, in the thread that did it, one at a time. May be NULL. */
    void (*report)(const build_outcome *o, void *arg);
    void *arg;
} build_options;

/* How many functions came to what. */
typedef struct build_summary {
    size_t count[BUILD_STOPPED + 1]; /* by enum build_result */
} build_summary;

/* Finds the functions of a project. E_NOT_FOUND when it, or its functions/, is not there; E_INVALID for
 * two files of which the same function would be made and for names that cannot be one; E_IO,
 * E_NO_MEMORY. */
int build_create(build **out, const build_options *options, error *err) MUST_CHECK;

/* Builds them all, and removes the modules of functions that are gone. Once. */
void build_run(build *b, build_summary *summary);

/* Ends what is being built and begins nothing any more. Any thread. */
void build_stop(build *b);

/* Frees it. Takes NULL. */
void build_destroy(build *b);

/* Reports each function of a project that has a module, of which a source or another file that it was made of
 * has been written since: as build_outcome.source. Nothing is built, and what cannot be looked at is
 * passed over. */
void build_find_changed(const char *project, void (*report)(const char *source, void *arg), void *arg);

#endif
