#include "cli/cli.h"

#include "cli/data.h"
#include "services/events_admin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "usage: ubiq events list [--dead] [--after NUMBER] [--limit N]\n"
    "       ubiq events replay ID | --all\n"
    "       ubiq events drop ID | --all\n"
    "\n"
    "Shows what waits to be delivered to functions of the project in the working\n"
    "directory, whether a server runs or not, or with --dead what was given up after\n"
    "all attempts. A dead letter can be delivered again, with all attempts before it,\n"
    "or dropped.\n"
    "\n"
    "  -C, --project DIR   another project\n"
    "      --env NAME      its environment, for ubiq.toml: development, unless said\n"
    "      --dead          dead letters\n"
    "      --after NUMBER  from behind the one with this number\n"
    "      --limit N       so many at the most, up to 1000: 100, unless said\n"
    "      --all           all dead letters\n"
    "  -h, --help          print this\n"
    "\n"
    "The list is JSON: docs/events.md.\n";

static int failed(error *err)
{
    fprintf(stderr, "ubiq events: %s\n", error_text(err));
    error_deinit(err);
    return CLI_FAILED;
}

/* The number of --after; 0 when that is none. */
static int64_t read_number(const char *text)
{
    char *end;
    long long n;

    errno = 0;
    n = strtoll(text, &end, 10);
    return errno || *end || n < 1 ? 0 : n;
}

static int list(data_command *c)
{
    int64_t after = c->after ? read_number(c->after) : 0;
    error err = {0};
    buf out;
    int rc;

    if (c->after && after == 0) {
        fprintf(stderr, "ubiq events: --after takes a number from 1, not \"%s\"\n", c->after);
        return CLI_USAGE;
    }
    buf_init(&out, SIZE_MAX);
    rc = events_admin_prepare(c->services.store, &err);
    rc = rc ? rc
            : events_admin_list(c->services.store, c->dead ? EVENTS_DEAD : EVENTS_PENDING,
                                after, c->limit, &out, &err);
    rc = rc ? failed(&err) : data_print(c, buf_slice(&out));
    rc = rc ? rc : data_print(c, slice_str("\n"));
    buf_deinit(&out);
    return rc;
}

/* Does it to one dead letter, or to all. */
static int change(data_command *c, int (*how)(store *, const char *, uint64_t *, error *),
                  const char *done)
{
    const char *id = c->argc > 1 ? c->argv[1] : NULL;
    uint64_t count = 0;
    error err = {0};
    int rc;

    if (!id == !c->all) {
        fprintf(stderr, "ubiq events: say the id of one event, or --all\n");
        return CLI_USAGE;
    }
    rc = events_admin_prepare(c->services.store, &err);
    rc = rc ? rc : how(c->services.store, id, &count, &err);
    if (rc)
        return failed(&err);
    if (count == 0 && id) {
        fprintf(stderr, "ubiq events: there is no dead letter with this id\n");
        return CLI_FAILED;
    }
    printf("%llu %s\n", (unsigned long long)count, done);
    return 0;
}

static int replay(data_command *c)
{
    return change(c, events_admin_replay, "to be delivered again");
}

static int drop(data_command *c)
{
    return change(c, events_admin_drop, "dropped");
}

int cli_events(int argc, char **argv)
{
    static const data_verb verbs[] = {
        {"list", list, 0, 0}, {"replay", replay, 0, 1}, {"drop", drop, 0, 1}};

    return data_run("events", verbs, sizeof verbs / sizeof *verbs, usage, argc, argv);
}
