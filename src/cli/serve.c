#include "build/build.h"
#include "cli/cli.h"

#include "cli/options.h"
#include "server/limits.h"
#include "server/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define ROUTES_SHOWN 20
#define CODE_STOP_MS 1000 /* for code that is being compiled when all else has ended */

static const char usage[] =
    "usage: ubiq serve [DIR] [--listen ADDRESS:PORT] [--workers N]\n"
    "                  [--access-log PATH] [--env NAME]\n"
    "\n"
    "Serves the functions of the project in DIR, which is the working directory\n"
    "without it, over HTTP. What `ubiq build` makes of DIR/functions/a/b.c\n"
    "answers at /a/b, and an index for its directory. A request's body is the\n"
    "function's input, the output is the response's body, and each request runs in\n"
    "an instance of its own. GET /healthz answers \"ok\".\n"
    "\n"
    "  -l, --listen ADDRESS:PORT  where to listen: 127.0.0.1:3000, unless [server] of\n"
    "                             DIR/ubiq.toml says otherwise\n"
    "  -w, --workers N            threads; 0, as it is without, is one a core\n"
    "      --access-log PATH      where a line of JSON for each request goes: a file,\n"
    "                             - for standard output, as it is without, or off\n"
    "      --env NAME             the environment, for [env] of ubiq.toml: production,\n"
    "                             unless said\n"
    "  -h, --help                 print this\n";

typedef struct serve_options {
    server_options server;
    const char *directory;
    const char *environment;
} serve_options;

static int read_workers(const char *text, server_options *o)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end || n > LIMIT_WORKERS)
        return options_refuse("serve", "--workers takes a number from 0 to 256, not", text);
    o->workers = (uint32_t)n;
    o->has_workers = true;
    return -1;
}

static int take_option(void *arg, int letter)
{
    serve_options *o = arg;

    switch (letter) {
    case 'w':
        return read_workers(optarg, &o->server);
    case 'l':
        o->server.listen = optarg;
        break;
    case 'a':
        o->server.access_log = optarg;
        break;
    default:
        o->environment = optarg;
    }
    return -1;
}

/* Reads the command line. -1 to go on, otherwise the exit code. */
static int read_arguments(int argc, char **argv, serve_options *o)
{
    static const struct option names[] = {
        {"listen", required_argument, NULL, 'l'},
        {"workers", required_argument, NULL, 'w'},
        {"access-log", required_argument, NULL, 'a'},
        {"env", required_argument, NULL, 'e'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const options_reader reader = {"serve", usage, ":l:w:h", names, take_option, o};
    int rc = options_read(&reader, argc, argv);

    return rc >= 0 ? rc : options_read_directory("serve", argc, argv, &o->directory);
}

/* The options of the curl command that calls it. */
static const char *curl_options(const function *f)
{
    static char other[64];

    if (function_takes(f, slice_str("POST")))
        return "-d 'some text' ";
    if (function_takes(f, slice_str("GET")))
        return "";
    snprintf(other, sizeof other, "-X %s ", f->methods.count ? f->methods.item[0] : "GET");
    return other;
}

/* What a newcomer can type now. To standard error, since standard output has the access log. */
static void print_start(const server *s, app *a, const char *directory)
{
    size_t count;
    const function *f = app_functions(a, &count);
    size_t width = 0;

    for (size_t i = 0; i < count && i < ROUTES_SHOWN; i++)
        width = f[i].route && strlen(f[i].route) > width ? strlen(f[i].route) : width;
    fprintf(stderr, "ubiq %s serves %s at http://%s with %u worker%s\n\n", UBIQ_VERSION, directory,
            server_address(s), server_worker_count(s), server_worker_count(s) == 1 ? "" : "s");
    for (size_t i = 0; i < count && i < ROUTES_SHOWN; i++) {
        if (!f[i].route)
            continue;
        fprintf(stderr, "  %-*s  curl %shttp://%s%s\n", (int)width, f[i].route, curl_options(&f[i]),
                server_address(s), f[i].route);
    }
    if (count > ROUTES_SHOWN)
        fprintf(stderr, "  and %zu more\n", count - ROUTES_SHOWN);
    if (server_admin_address(s))
        fprintf(stderr, "\n  for you alone: http://%s, with the token in %s/.ubiq/admin-token\n",
                server_admin_address(s), directory);
    if (count == 0)
        fprintf(stderr, "  There are no functions yet: put a .wasm file into %s/functions.\n",
                directory);
    fprintf(stderr, "\n");
}

/* As many files as the system lets us have: each connection is one. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void end_at_once(int number)
{
    (void)number;
    _exit(CLI_FAILED);
}

/* The signals that stop the server are waited for, and must find no other thread. */
static void set_up_process(sigset_t *stop)
{
    sigemptyset(stop);
    sigaddset(stop, SIGTERM);
    sigaddset(stop, SIGINT);
    pthread_sigmask(SIG_BLOCK, stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    store_tune_process();
}

static void warn_changed(const char *source, void *arg)
{
    (void)arg;
    fprintf(stderr,
            "ubiq serve: %s has been changed since it was built, what is served is as it was: "
            "`ubiq build` changes that\n",
            source);
}

/* Serves until a signal comes. A second one ends the process. */
static int run(server *s, const char *directory, const sigset_t *stop, error *err)
{
    int got, rc = server_start(s, err);

    if (rc == 0) {
        /* Nobody's first request waits for this. */
        build_find_changed(directory, warn_changed, NULL);
        sigwait(stop, &got);
    }
    signal(SIGTERM, end_at_once);
    signal(SIGINT, end_at_once);
    pthread_sigmask(SIG_UNBLOCK, stop, NULL);
    server_stop(s, LIMIT_DRAIN_MS);
    return rc;
}

int cli_serve(int argc, char **argv)
{
    serve_options o = {.environment = ENVIRONMENT_PRODUCTION};
    error err = {0};
    server *s = NULL;
    app *a = NULL;
    sigset_t stop;
    int rc = read_arguments(argc, argv, &o);

    if (rc >= 0)
        return rc;
    set_up_process(&stop);
    rc = app_open(&a, o.directory, o.environment, &err);
    rc = rc ? rc : server_create(&s, a, &o.server, &err);
    if (rc == 0) {
        print_start(s, a, o.directory);
        rc = run(s, o.directory, &stop, &err);
    }
    if (rc)
        fprintf(stderr, "ubiq serve: %s%s\n", error_text(&err),
                rc == E_BUSY ? ": --listen ADDRESS:PORT says where else" : "");
    error_deinit(&err);
    if (!server_destroy(s, CODE_STOP_MS))
        _exit(rc ? CLI_FAILED : 0);
    app_close(a);
    return rc ? CLI_FAILED : 0;
}
