#ifndef UBIQ_BUILD_UNIT_H
#define UBIQ_BUILD_UNIT_H

#include "build/build.h"
#include "build/sources.h"

#include <pthread.h>

#define UNIT_BUILDERS_MAX 8

/* What the functions of one build share. */
typedef struct unit_context {
    const char *project; /* as the user names it */
    char *root;          /* its real path */
    char *output;        /* <root>/.ubiq/build, or manifest */
    build_cache cache;
    processes *processes;
    bool colours;
    bool manifest;
    pthread_mutex_t lock; /* of what follows */
    struct {
        bool found, asked;
        int problem; /* of finding or asking, */
        error why;   /* and its text */
        build_tools tools;
    } language[UNIT_BUILDERS_MAX]; /* in the order of `builders` */
} unit_context;

/* E_NOT_FOUND when the project is not there, E_IO, E_NO_MEMORY. */
int unit_context_init(unit_context *c, const build_options *o, error *err) MUST_CHECK;

/* Frees the content. Takes an all-zero one. */
void unit_context_deinit(unit_context *c);

/* Brings the module of one function up to date. BUILD_FAILED has its text in `err`. What the compiler
 * prints is appended to `said`. Any thread. */
enum build_result unit_build(unit_context *c, const build_source *s, buf *said, error *err);

#endif
