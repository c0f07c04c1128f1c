#include "app/host_functions.h"
#include "build/build.h"
#include "cli/check_report.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "server/middleware_chains.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: ubiq check [DIR] [--env NAME] [--json]\n"
    "\n"
    "Looks at all of the project in DIR, which is the working directory without it,\n"
    "that `ubiq serve` would use, and says what is wrong with it: in ubiq.toml, in\n"
    "routes, permissions and middleware, and whether each function's module can be\n"
    "used. When nothing is, it prints the routes with what applies to each.\n"
    "\n"
    "      --env NAME  for which environment; production without\n"
    "      --json      print all of it as JSON\n"
    "  -h, --help      print this\n"
    "\n"
    "Exit status: 0 when nothing is wrong, 1 when something is, 2 when the command line\n"
    "was not understood.\n";

typedef struct check_options {
    const char *directory;
    const char *environment;
    bool json;
} check_options;

static int take_option(void *arg, int letter)
{
    check_options *o = arg;

    if (letter == 'e')
        o->environment = optarg;
    else
        o->json = true;
    return -1;
}

/* Reads the command line. -1 to go on, otherwise the exit code. */
static int read_arguments(int argc, char **argv, check_options *o)
{
    static const struct option names[] = {
        {"env", required_argument, NULL, 'e'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const options_reader reader = {"check", usage, ":h", names, take_option, o};
    int rc = options_read(&reader, argc, argv);

    return rc >= 0 ? rc : options_read_directory("check", argc, argv, &o->directory);
}

/* Loads the code of each function as a server would. */
static void check_code(app *a, problems *found)
{
    static const http_driver never_used;
    host_functions host = {0};
    function_options options = {.http = &never_used};
    error err = {0};
    size_t count;
    function *f = app_functions(a, &count);

    if (host_functions_init(&host, &err)) {
        found->no_memory = true;
        error_deinit(&err);
        return;
    }
    options.functions = host.item;
    options.function_count = host.count;
    for (size_t i = 0; i < count; i++) {
        if (function_load(&f[i], &options, &err))
            problems_add(found, f[i].source, 0, "%s", error_text(&err));
        error_deinit(&err);
    }
    host_functions_deinit(&host);
}

/* What a server would say of the settings of middleware; once, however many functions it is for. */
static void check_middleware(app *a, const char *toml, problems *found)
{
    middleware_chains *chains = NULL;
    error err = {0};

    if (middleware_chains_create(&chains, a, &err))
        problems_add(found, toml, 0, "middleware: %s", error_text(&err));
    middleware_chains_destroy(chains);
    error_deinit(&err);
}

static void add_changed(const char *source, void *found)
{
    problems_add(found, source, 0, "it has been changed since it was built: `ubiq build` does that");
}

static void check_all(const check_options *o, app **a, problems *found)
{
    error err = {0};
    char *toml = NULL;

    if (app_inspect(a, o->directory, o->environment, found, &err)) {
        problems_add(found, o->directory, 0, "%s", error_text(&err));
    } else if (asprintf(&toml, "%s/ubiq.toml", o->directory) < 0) {
        toml = NULL;
        found->no_memory = true;
    } else {
        /* With names in it that are unknown, it would be said twice. */
        if (found->count == 0)
            check_middleware(*a, toml, found);
        check_code(*a, found);
        build_find_changed(o->directory, add_changed, found);
        problems_sort(found);
    }
    free(toml);
    error_deinit(&err);
}

static void print_problems(const problems *found)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct problem *p = &found->item[i];

        if (p->line)
            fprintf(stderr, "%s:%u: %s\n", p->file, p->line, p->text);
        else
            fprintf(stderr, "%s: %s\n", p->file, p->text);
    }
    if (found->more)
        fprintf(stderr, "and %zu more\n", found->more);
}

/* The exit code. */
static int report(const check_options *o, const check_facts *c)
{
    bool wrong = c->found->count > 0;
    int rc = 0;
    buf out;

    buf_init(&out, SIZE_MAX);
    if (c->found->no_memory)
        rc = E_NO_MEMORY;
    else if (o->json)
        rc = check_put_json(c, &out);
    else if (wrong)
        print_problems(c->found);
    else
        rc = check_put_text(c, &out);
    if (rc) {
        fprintf(stderr, "ubiq check: out of memory\n");
        wrong = true;
    } else if (out.len &&
               (fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) != 0)) {
        fprintf(stderr, "ubiq check: the standard output cannot be written to\n");
        wrong = true;
    }
    buf_deinit(&out);
    return wrong ? CLI_FAILED : 0;
}

int cli_check(int argc, char **argv)
{
    check_options o = {.environment = ENVIRONMENT_PRODUCTION};
    problems found = {0};
    app *a = NULL;
    int rc = read_arguments(argc, argv, &o);

    if (rc >= 0)
        return rc;
    check_all(&o, &a, &found);
    rc = report(
        &o, &(check_facts){
                .directory = o.directory, .environment = o.environment, .app = a, .found = &found});
    app_close(a);
    problems_deinit(&found);
    return rc;
}
