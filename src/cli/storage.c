#include "cli/cli.h"

#include "app/limits.h"
#include "base/file.h"
#include "cli/data.h"

#include <stdio.h>

static const char usage[] =
    "usage: ubiq storage get PATH\n"
    "       ubiq storage put PATH [FILE]\n"
    "       ubiq storage stat PATH\n"
    "       ubiq storage delete PATH\n"
    "       ubiq storage list [PREFIX] [--after PATH] [--limit N] [--json]\n"
    "\n"
    "Reads and writes the stored files of the project in the working directory,\n"
    "whether a server runs or not. `get` writes to standard output, and `put` reads\n"
    "standard input where there is no FILE.\n"
    "\n"
    "  -C, --project DIR  another project\n"
    "      --env NAME     its environment, for ubiq.toml: development, unless said\n"
    "      --after PATH   files behind this one\n"
    "      --limit N      so many at the most, up to 1000: 100, unless said\n"
    "      --json         as the functions get it\n"
    "  -h, --help         print this\n";

/* Has it done; the exit code. What it gave is the caller's to free on success. */
static int run(data_command *c, storage_operation *o)
{
    operation_waiter_wait(&c->waiter, storage_submit(c->services.storage, o));
    return data_failed(c, &o->op);
}

static storage_operation prepare(data_command *c, enum storage_verb verb, const char *path)
{
    storage_operation o = {.verb = verb, .path = slice_str(path)};

    operation_waiter_prepare(&c->waiter, &o.op, LIMIT_HOST_FILE_BYTES);
    return o;
}

/* Prints what it gives; `end` behind it. */
static int print(data_command *c, enum storage_verb verb, const char *end)
{
    storage_operation o = prepare(c, verb, c->argv[1]);
    int rc = run(c, &o);

    rc = rc ? rc : data_print(c, buf_slice(&o.op.result));
    rc = rc ? rc : data_print(c, slice_str(end));
    operation_deinit(&o.op);
    return rc;
}

static int get(data_command *c)
{
    return print(c, STORAGE_READ, "");
}

static int stat_file(data_command *c)
{
    return print(c, STORAGE_STAT, "\n");
}

static int put(data_command *c)
{
    storage_operation o = prepare(c, STORAGE_WRITE, c->argv[1]);
    error err = {0};
    buf data;
    int rc;

    buf_init(&data, LIMIT_HOST_FILE_BYTES);
    rc = c->argc > 2 ? file_read(c->argv[2], &data, &err) : data_read_input(&data, &err);
    if (rc)
        fprintf(stderr, "ubiq storage: %s\n", error_text(&err));
    o.data = buf_slice(&data);
    rc = rc ? CLI_FAILED : run(c, &o);
    operation_deinit(&o.op);
    buf_deinit(&data);
    error_deinit(&err);
    return rc;
}

static int delete(data_command *c)
{
    storage_operation o = prepare(c, STORAGE_DELETE, c->argv[1]);
    int rc = run(c, &o);

    return data_end_delete(c, &o.op, rc, "file");
}

static int list(data_command *c)
{
    storage_operation o = prepare(c, STORAGE_LIST, c->argc > 1 ? c->argv[1] : "");
    int rc;

    o.after = slice_str(c->after);
    o.limit = c->limit;
    rc = run(c, &o);
    return data_end_list(c, &o.op, rc, "items", "path");
}

int cli_storage(int argc, char **argv)
{
    static const data_verb verbs[] = {{"get", get, 1, 1},
                                      {"put", put, 1, 2},
                                      {"stat", stat_file, 1, 1},
                                      {"delete", delete, 1, 1},
                                      {"list", list, 0, 1}};

    return data_run("storage", verbs, sizeof verbs / sizeof *verbs, usage, argc, argv);
}
