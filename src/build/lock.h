#ifndef UBIQ_BUILD_LOCK_H
#define UBIQ_BUILD_LOCK_H

#include "build/process.h"

/* A directory that is one build's at a time, of all threads and processes. */
typedef struct build_lock {
    int fd; /* -1: not taken */
} build_lock;

/* Waits until nobody else has it. E_BUSY when processes_stop was called meanwhile, E_IO. */
int build_lock_take(build_lock *l, const char *directory, processes *p, error *err) MUST_CHECK;

/* Gives it back. Takes one that is not taken. */
void build_lock_release(build_lock *l);

#endif
