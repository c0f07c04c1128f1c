#ifndef UBIQ_BUILD_INPUTS_H
#define UBIQ_BUILD_INPUTS_H

#include "base/buf.h"
#include "base/hash.h"
#include "build/stamp.h"

/* A file that a module is made of, or that would have been read were it there. */
typedef struct input {
    char *path; /* real; relative to the project when it is in there, otherwise absolute */
    stamp stamp;
} input;

/* The files that one module is made of: its sources, which are known beforehand (a file, or all that is
 * in a directory), and behind them what the compiler was found to have read besides. */
typedef struct inputs {
    input *item;
    size_t count;
    size_t sources; /* how many of them are sources */
} inputs;

/* Frees the content. Takes an all-zero one. */
void inputs_deinit(inputs *in);

/* Adds a file, if it is not there yet, by a path that is real or not. `root` is the real path of the
 * project. E_NOT_FOUND when there is no such file, E_TOO_LARGE, E_NO_MEMORY. */
int inputs_add(inputs *in, const char *root, const char *path, error *err) MUST_CHECK;

/* Adds, for each file that is there, the files of this name beside it and in all directories above, as
 * tools look for what configures them: those that are not there as well, as they count once they are. Not
 * for files with `except` in their path, if it is not NULL. E_TOO_LARGE, E_NO_MEMORY. */
int inputs_add_above(inputs *in, const char *root, const char *name, const char *except,
                     error *err) MUST_CHECK;

/* Adds a file whose path is as in struct input. */
int inputs_add_real(inputs *in, const char *path, stamp s, error *err) MUST_CHECK;

/* The file of this path, or NULL. */
const input *inputs_find(const inputs *in, const char *path);

/* The whole path of an input; the caller frees it. NULL when memory runs out. */
char *input_path(const char *root, const char *path);

/* The stamp that an input has now. */
stamp input_stamp(const char *root, const char *path);

/* The SHA-256 of an input's content. E_NOT_FOUND, E_IO, E_NO_MEMORY. */
int input_hash(const char *root, const char *path, char out[SHA256_HEX_BYTES],
               error *err) MUST_CHECK;

#endif
