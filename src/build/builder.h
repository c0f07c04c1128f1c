#ifndef UBIQ_BUILD_BUILDER_H
#define UBIQ_BUILD_BUILDER_H

#include "build/cache.h"
#include "build/inputs.h"
#include "build/process.h"
#include "build/tools.h"

/* How functions in one language become modules. A builder is constant; what follows calls it from any
 * thread, and for several functions at the same time. */
typedef struct builder builder;

/* One function that is to be built. All is borrowed, and there until `build` returns. */
typedef struct build_job {
    const build_tools *tools;
    const char *name;     /* of the function: "users/[id]" */
    const char *source;   /* the file or the directory it is made of, as the user would name it */
    const char *project;  /* the project's directory, likewise; `source` begins with it and a slash,
                              unless it is "." */
    const char *root;     /* the real path of the project */
    const char *work;     /* the path of a directory for this job alone, empty at first and removed
                              afterwards */
    const char *module;   /* where the module is to be written: a path in `work` */
    const char *kept;     /* a directory in which the language's tools may keep things from build to
                              build, for all projects; NULL: there is none */
    const char *key;      /* changes when a source or a tool does */
    bool colours;         /* what is printed may have them */
    bool portable;        /* the module is to run on any Extism host */
    processes *processes; /* with which programs are to be run */
    buf *said;            /* what the compiler prints goes here, as it is */
    inputs *inputs;       /* with inputs_add: what was read besides the sources */
} build_job;

struct builder {
    const char *language;       /* "C" */
    const char *folder;         /* of it in the cache: "c" */
    const char *const *endings; /* of files that are functions: ".c"; NULL at the end */
    const char *runtime;        /* of its functions, as runtime_of has it; NULL: they need none */
    const char *marker; /* a file that makes the directory it is in a function: "Cargo.toml";
                                   NULL: none does */

    /* A file beside a source that belongs to it, if there is one: a path, which the caller frees, or NULL.
     * It is a source as well, the second. NULL in place of the function: there never is. */
    char *(*beside)(const char *source);

    unsigned program; /* which of its tools' paths is the compiler; NULL there: this program is */

    /* Finds the tools by looking for files, and stamps them: everything that decides on the result
     * besides the inputs is in the stamp, or in what `ask` finds out about what is stamped. E_NOT_FOUND
     * when something is missing; the text says what, and how to get it. */
    int (*find)(build_tools *t, error *err);

    /* Asks the tools for their version and whatever else `build` must know, or recalls what they said
     * earlier. t->version is set afterwards. */
    int (*ask)(build_tools *t, const build_cache *c, processes *p, error *err);

    /* What of the language does not work with these tools for want of something else, and how to get it:
     * a static text, or NULL. NULL in place of the function: there is no such thing. */
    const char *(*lacks)(const build_tools *t);

    /* Makes the module. 1 when it is made, 0 when the source is wrong, which job->said tells in the
     * compiler's words; a negative code, with its text in `err`, when it could not be tried. */
    int (*build)(const build_job *job, error *err);
};

extern const builder builder_c;
extern const builder builder_cpp;
extern const builder builder_rust;
extern const builder builder_go;
extern const builder builder_javascript;

/* All of them, NULL at the end. */
extern const builder *const builders[];

#endif
