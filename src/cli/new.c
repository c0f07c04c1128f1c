#include "cli/cli.h"

#include "build/scaffold.h"
#include "cli/options.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: ubiq new NAME [--lang LANGUAGE]\n"
    "       ubiq new function NAME [--lang LANGUAGE] [--project DIR]\n"
    "\n"
    "Makes a project: the directory NAME with ubiq.toml and a function in it. Or makes\n"
    "a function of a project: DIR/functions/NAME and the language's ending; \"[id]\" in\n"
    "a name stands for a parameter, as in \"users/[id]\".\n"
    "\n"
    "  -l, --lang LANGUAGE  c, c++, rust, go, javascript (as it is without) or\n"
    "                       typescript\n"
    "  -p, --project DIR    the project; the working directory without it\n"
    "  -h, --help           print this\n";

struct options {
    const char *language;
    const char *project;
};

static int take_option(void *arg, int letter)
{
    struct options *o = arg;

    if (letter == 'l')
        o->language = optarg;
    else
        o->project = optarg;
    return -1;
}

/* Reads the command line's options. -1 to go on, otherwise the exit code. */
static int read_options(int argc, char **argv, struct options *o)
{
    static const struct option names[] = {
        {"lang", required_argument, NULL, 'l'},
        {"project", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };

    return options_read(&(options_reader){"new", usage, ":l:p:h", names, take_option, o}, argc,
                        argv);
}

static void tell(const char *path, void *arg)
{
    (void)arg;
    puts(path);
}

int cli_new(int argc, char **argv)
{
    struct options o = {.language = "javascript", .project = NULL};
    error err = {0};
    int rc = read_options(argc, argv, &o), count = argc - optind;
    bool is_function = count > 0 && strcmp(argv[optind], "function") == 0;

    if (rc >= 0)
        return rc;
    if (count < (is_function ? 2 : 1))
        return options_refuse("new", "a name is missing", NULL);
    if (count > (is_function ? 2 : 1))
        return options_refuse("new", "one name at a time, not also", argv[argc - 1]);
    if (!is_function && o.project)
        return options_refuse("new", "--project is for functions", NULL);
    if (is_function)
        rc = scaffold_function(o.project ? o.project : ".", argv[optind + 1], o.language, tell,
                               NULL, &err);
    else
        rc = scaffold_project(argv[optind], o.language, tell, NULL, &err);
    if (rc)
        fprintf(stderr, "ubiq new: %s\n", error_text(&err));
    else if (!is_function)
        printf("\nNow: ubiq build %s && ubiq serve %s\n", argv[optind], argv[optind]);
    error_deinit(&err);
    return rc == E_INVALID ? CLI_USAGE : rc ? CLI_FAILED : 0;
}
