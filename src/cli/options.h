#ifndef UBIQ_CLI_OPTIONS_H
#define UBIQ_CLI_OPTIONS_H

#include <getopt.h>

/* What the commands have in common that read their options with getopt_long. */

typedef struct options_reader {
    const char *command; /* "kv" */
    const char *usage;   /* what --help prints */
    const char *letters; /* as getopt_long takes them: a colon first, and h among them */
    const struct option *names;

    /* Takes an option, whose value is in `optarg`; -1 to go on, otherwise the exit code. */
    int (*take)(void *arg, int letter);
    void *arg;
} options_reader;

/* Reads the options; what else there is stands behind optind then. -1 to go on, otherwise the exit
 * code. */
int options_read(const options_reader *o, int argc, char **argv);

/* The one directory that may stand behind the options; "." without one. As options_read. */
int options_read_directory(const char *command, int argc, char **argv, const char **out);

/* Says that the command line is not understood, and why; `value`, unless it is NULL, is put between
 * quotation marks. The exit code. */
int options_refuse(const char *command, const char *what, const char *value);

#endif
