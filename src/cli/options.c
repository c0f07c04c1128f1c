#include "cli/options.h"

#include "cli/cli.h"

#include <stdio.h>

int options_refuse(const char *command, const char *what, const char *value)
{
    fprintf(stderr, "ubiq %s: %s%s%s%s\nTry `ubiq %s --help`.\n", command, what, value ? " \"" : "",
            value ? value : "", value ? "\"" : "", command);
    return CLI_USAGE;
}

int options_read(const options_reader *o, int argc, char **argv)
{
    int letter, rc = -1;

    opterr = 0;
    while (rc < 0 && (letter = getopt_long(argc, argv, o->letters, o->names, NULL)) != -1) {
        switch (letter) {
        case 'h':
            fputs(o->usage, stdout);
            return 0;
        case ':':
            return options_refuse(o->command, "a value is missing for", argv[optind - 1]);
        case '?':
            return options_refuse(o->command, "unknown option", argv[optind - 1]);
        default:
            rc = o->take(o->arg, letter);
        }
    }
    return rc;
}

int options_read_directory(const char *command, int argc, char **argv, const char **out)
{
    if (argc - optind > 1)
        return options_refuse(command, "one directory at most, not also", argv[optind + 1]);
    *out = optind < argc ? argv[optind] : ".";
    return **out ? -1 : options_refuse(command, "the directory has no name", NULL);
}
