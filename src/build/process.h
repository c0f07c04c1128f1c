#ifndef UBIQ_BUILD_PROCESS_H
#define UBIQ_BUILD_PROCESS_H

#include "base/buf.h"
#include "build/limits.h"

/* The compilers that run, which can be stopped all at once. */
typedef struct processes processes;

/* E_NO_MEMORY. */
int processes_create(processes **out, error *err) MUST_CHECK;

/* Ends all that run, with what they have started, and lets none begin any more. Any thread. */
void processes_stop(processes *p);

/* Whether processes_stop was called. */
bool processes_stopped(processes *p);

/* Frees it, once nothing runs. Takes NULL. */
void processes_destroy(processes *p);

/* The arguments of a program, the program's path first. All-zero to begin with. */
typedef struct arguments {
    char *item[LIMIT_BUILD_ARGUMENTS + 1];
    size_t count;
    bool no_memory; /* one could not be added */
} arguments;

/* Adds one. No shell ever sees it. */
void arguments_add(arguments *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Frees the content. Takes an all-zero one. */
void arguments_deinit(arguments *a);

typedef struct command {
    const arguments *arguments;
    const char *directory; /* to run in; NULL: this process's */
    const char *const
        *environment; /* "NAME=value" in place of or beside this process's, NULL at the
                                       end; or NULL */
} command;

/* Runs a program with nothing for standard input, waits for its end, and appends what it prints, to
 * standard error as to standard output, to `said` as far as that takes it. `*status` is its exit code,
 * or 128 and the number of the signal that ended it. E_NOT_FOUND when there is no such program, E_BUSY
 * when it was not begun or was ended because of processes_stop, E_IO, E_NO_MEMORY. Any thread. */
int process_run(processes *p, const command *c, buf *said, int *status, error *err) MUST_CHECK;

#endif
