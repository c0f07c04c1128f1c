#include "cli/cli.h"

#include "build/doctor.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: ubiq doctor [LANGUAGE...]\n"
    "\n"
    "Says which languages functions can be built in on this machine, with what, and\n"
    "what is missing for others and how to get it: of all languages, or of those that\n"
    "are named.\n"
    "\n"
    "Exit status: 0 when all of them can be built, 1 when one cannot.\n";

static void report(const doctor_finding *f, void *arg)
{
    (void)arg;
    printf("%-10s  %-5s  ", f->language, f->problem ? "no" : "yes");
    if (f->problem)
        printf("%s\n", f->problem);
    else if (f->program)
        printf("%s (%s)\n", f->version, f->program);
    else
        printf("%s\n", f->version);
    if (f->lacks)
        printf("%-10s  %-5s  %s\n", "", "", f->lacks);
}

int cli_doctor(int argc, char **argv)
{
    error err = {0};
    int rc;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(usage, stdout);
            return 0;
        }
    }
    signal(SIGCHLD, SIG_DFL); /* or nobody learns what compilers say */
    rc = doctor_examine(argv + 1, (unsigned)(argc - 1), report, NULL, &err);
    if (rc < 0)
        fprintf(stderr, "ubiq doctor: %s\n", error_text(&err));
    error_deinit(&err);
    return rc == E_INVALID ? CLI_USAGE : rc ? CLI_FAILED : 0;
}
