#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int cli_version(int argc, char **argv)
{
    (void)argc, (void)argv;
    puts("ubiq " UBIQ_VERSION);
    return 0;
}

static int cli_help(int argc, char **argv);

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} commands[] = {
    {"new", cli_new, "make a project, or a function in one"},
    {"build", cli_build, "compile a project's functions"},
    {"doctor", cli_doctor, "say which languages can be built here, and what is missing"},
    {"serve", cli_serve, "serve a project's functions over HTTP"},
    {"check", cli_check, "say what is wrong with a project, and what applies in it"},
    {"call", cli_call, "call a function of a plug-in"},
    {"kv", cli_kv, "read and write a project's keys"},
    {"storage", cli_storage, "read and write a project's stored files"},
    {"events", cli_events, "see what waits for delivery, and deal with dead letters"},
    {"version", cli_version, "print the version"},
    {"help", cli_help, "print this, or what a command takes"},
};

#define COMMANDS (sizeof commands / sizeof *commands)

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static void print_usage(FILE *to)
{
    fprintf(to, "usage: ubiq COMMAND [ARGUMENT...]\n\n");
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-8s  %s\n", commands[i].name, commands[i].summary);
    fprintf(to, "\n`ubiq COMMAND --help` tells more.\n");
}

static int unknown(const char *name)
{
    fprintf(stderr, "ubiq: there is no command \"%s\"\n\n", name);
    print_usage(stderr);
    return CLI_USAGE;
}

static int cli_help(int argc, char **argv)
{
    const struct command *c;
    char option[] = "--help";

    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_usage(stdout);
        return 0;
    }
    c = find(argv[1]);
    if (!c)
        return unknown(argv[1]);
    if (c->run == cli_help || c->run == cli_version) {
        print_usage(stdout);
        return 0;
    }
    return c->run(2, (char *[]){argv[1], option, NULL});
}

/* Sockets and files must not be taken for standard files that whoever started us has closed. */
static int open_standard_files(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    return fd < 0 ? -1 : close(fd);
}

int main(int argc, char **argv)
{
    const struct command *c;

    if (open_standard_files() != 0)
        return CLI_FAILED;
    if (argc < 2) {
        print_usage(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return cli_help(1, argv);
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
        return cli_version(1, argv);
    c = find(argv[1]);
    return c ? c->run(argc - 1, argv + 1) : unknown(argv[1]);
}
