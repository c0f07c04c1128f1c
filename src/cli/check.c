#include "app/host_functions.h"
#include "cli/check_report.h"
#include "cli/cli.h"
#include "server/middleware.h"

#include <getopt.h>
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

static int bad_usage(const char *what, const char *value)
{
    fprintf(stderr, "ubiq check: %s%s%s%s\nTry `ubiq check --help`.\n", what, value ? " \"" : "",
            value ? value : "", value ? "\"" : "");
    return CLI_USAGE;
}

/* Reads the command line. -1 to go on, otherwise the exit code. */
static int read_arguments(int argc, char **argv, check_options *o)
{
    static const struct option options[] = {
        {"env", required_argument, NULL, 'e'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;

    opterr = 0;
    while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        switch (c) {
        case 'e':
            o->environment = optarg;
            break;
        case 'j':
            o->json = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        case ':':
            return bad_usage("a value is missing for", argv[optind - 1]);
        default:
            return bad_usage("unknown option", argv[optind - 1]);
        }
    }
    if (argc - optind > 1)
        return bad_usage("more than one directory", NULL);
    o->directory = argc == optind ? "." : argv[optind];
    return -1;
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

static function *find_function(void *a, slice name)
{
    return app_function(a, name);
}

/* Makes the middleware of a function (NULL: of none) as a server would. */
static int check_chain(app *a, middleware_set *set, const function *f, error *err)
{
    static const config_list none;
    const middleware_options options = {
        .use = app_middleware(a, f),
        .route = f ? f->route : "",
        .methods = f ? &f->methods : &none,
        .find = find_function,
        .arg = a,
    };
    middleware *chain = NULL;
    int rc = middleware_create(&chain, set, &options, err);

    middleware_destroy(chain);
    return rc;
}

/* What a server would say of the settings of middleware; once, however many functions it is for. */
static void check_middleware(app *a, const char *toml, problems *found)
{
    middleware_set *set = NULL;
    error err = {0};
    size_t count;
    const function *f = app_functions(a, &count);
    int rc = middleware_set_create(&set, &app_config(a)->middleware, app_path(a), &err);

    rc = rc ? rc : check_chain(a, set, NULL, &err);
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = f[i].route ? check_chain(a, set, &f[i], &err) : 0;
    if (rc)
        problems_add(found, toml, 0, "middleware: %s", error_text(&err));
    middleware_set_destroy(set);
    error_deinit(&err);
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
