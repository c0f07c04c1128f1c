#ifndef UBIQ_CLI_DATA_H
#define UBIQ_CLI_DATA_H

#include "app/services.h"
#include "services/operation_waiter.h"

/* What the commands have in common that look into a project's data: `ubiq kv`, `ubiq storage`,
 * `ubiq events`. They work on the same files as a server that runs. */
typedef struct data_command {
    const char *name;    /* "kv" */
    const char *project; /* "." unless --project says otherwise */
    const char *environment;
    const char *after;
    long limit; /* 100 unless --limit says otherwise */
    const char *ttl;
    bool all;
    bool dead;
    bool json;
    int argc; /* what is not an option: the verb and what it is about */
    char **argv;

    config config;
    services services;
    operation_waiter waiter;
} data_command;

/* One of a command's verbs: `run` gives the exit code; between `least` and `most` words follow it. */
typedef struct data_verb {
    const char *name;
    int (*run)(data_command *c);
    int least;
    int most;
} data_verb;

/* The whole of a command: reads the command line, opens the project's data, runs the verb and closes.
 * The exit code. */
int data_run(const char *name, const data_verb *verbs, size_t count, const char *usage, int argc,
             char **argv);

/* Says why the operation could not be done and frees it; returns the exit code. 0 when it was done;
 * nothing is said or freed then. */
int data_failed(const data_command *c, operation *op);

/* Writes bytes to standard output. The exit code. */
int data_print(const data_command *c, slice bytes);

/* Ends the operation of `list`, which had the exit code `rc`, and frees it: prints what it gave, an object
 * of JSON, with --json, and else a line for each text of the array `array` in it, or, where the array has
 * objects, for each one's text `member`. The last line says, on standard error, if there is more. The exit
 * code. */
int data_end_list(const data_command *c, operation *op, int rc, const char *array, const char *member);

/* The same of `delete`: says when there was nothing to delete, where `what` is "key". */
int data_end_delete(const data_command *c, operation *op, int rc, const char *what);

/* Reads all of standard input. */
int data_read_input(buf *out, error *err) MUST_CHECK;

#endif
