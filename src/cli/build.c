#include "cli/cli.h"

#include "build/build.h"
#include "build/limits.h"
#include "cli/options.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: ubiq build [DIR] [--jobs N] [--manifest]\n"
    "\n"
    "Compiles the functions of the project in DIR, which is the working directory\n"
    "without it: DIR/functions/a/b.c becomes DIR/.ubiq/build/a/b.wasm. What has not\n"
    "changed is left as it is.\n"
    "\n"
    "      --manifest  make what any Extism host runs, in DIR/.ubiq/manifest: a manifest\n"
    "                  for each function, its module, and the runtime of its language\n"
    "  -j, --jobs N    how many to compile at once; 0, as it is without, is one a core\n"
    "  -h, --help      print this\n"
    "\n"
    "Exit status: 0 when all went well, 2 when a source is wrong, 1 otherwise.\n";

static int read_jobs(const char *text, build_options *o)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || n > LIMIT_BUILD_JOBS)
        return options_refuse("build", "--jobs takes a number from 0 to 256, not", text);
    o->jobs = (unsigned)n;
    return -1;
}

static int take_option(void *arg, int letter)
{
    build_options *o = arg;

    if (letter == 'j')
        return read_jobs(optarg, o);
    o->manifest = true;
    return -1;
}

/* Reads the command line. -1 to go on, otherwise the exit code. */
static int read_arguments(int argc, char **argv, build_options *o)
{
    static const struct option names[] = {
        {"jobs", required_argument, NULL, 'j'},
        {"manifest", no_argument, NULL, 'm'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const options_reader reader = {"build", usage, ":j:h", names, take_option, o};
    int rc = options_read(&reader, argc, argv);

    return rc >= 0 ? rc : options_read_directory("build", argc, argv, &o->project);
}

/* What a compiler prints appears as it is, on standard error. */
static void report(const build_outcome *o, void *arg)
{
    (void)arg;
    fwrite(o->said.data, 1, o->said.len, stderr);
    if (o->said.len && o->said.data[o->said.len - 1] != '\n')
        fputc('\n', stderr);
    if (o->result == BUILD_FAILED)
        fprintf(stderr, "ubiq build: %s: %s\n", o->source, o->problem);
    else if (o->result == BUILD_BUILT)
        printf("%s: built in %.0f ms\n", o->source, (double)o->ns / 1e6);
    else if (o->result == BUILD_CACHED)
        printf("%s: as built before\n", o->source);
}

/* Waits for a signal that is to end the process. */
static void *await_signal(void *arg)
{
    sigset_t signals;
    int got;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    if (sigwait(&signals, &got) == 0) {
        build_stop(arg);
        return (void *)(intptr_t)got;
    }
    return NULL;
}

/* build_run, with signals turned into build_stop. The signal that came, or 0. */
static int run(build *b, build_summary *summary)
{
    sigset_t signals, before;
    pthread_t waiter;
    void *got = NULL;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    signal(SIGCHLD, SIG_DFL); /* or nobody learns how a compiler ended */
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    if (pthread_create(&waiter, NULL, await_signal, b) != 0) {
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        build_run(b, summary);
        return 0;
    }
    build_run(b, summary);
    pthread_cancel(waiter);
    pthread_join(waiter, &got);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return got == PTHREAD_CANCELED ? 0 : (int)(intptr_t)got;
}

static int conclude(const build_summary *s)
{
    size_t total = 0;

    for (size_t i = 0; i <= BUILD_STOPPED; i++)
        total += s->count[i];
    if (s->count[BUILD_UNCHANGED] == total)
        printf(total ? "all up to date\n" : "there is nothing to build\n");
    if (s->count[BUILD_WRONG])
        return CLI_USAGE;
    return s->count[BUILD_FAILED] ? CLI_FAILED : 0;
}

int cli_build(int argc, char **argv)
{
    build_options options = {.report = report};
    build_summary summary = {0};
    error err = {0};
    build *b = NULL;
    int rc = read_arguments(argc, argv, &options), stopped;

    if (rc >= 0)
        return rc;
    options.colours = isatty(STDERR_FILENO);
    rc = build_create(&b, &options, &err);
    if (rc) {
        fprintf(stderr, "ubiq build: %s\n", error_text(&err));
        error_deinit(&err);
        return rc == E_INVALID ? CLI_USAGE : CLI_FAILED;
    }
    stopped = run(b, &summary);
    build_destroy(b);
    fflush(stdout);
    if (stopped)
        raise(stopped); /* and so ends as what is ended by a signal */
    return conclude(&summary);
}
