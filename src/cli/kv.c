#include "cli/cli.h"

#include "app/limits.h"
#include "app/units.h"
#include "cli/data.h"

#include <stdio.h>

#define MAX_TTL_MS (100ULL * 365 * 24 * 60 * 60 * 1000)

static const char usage[] =
    "usage: ubiq kv get KEY\n"
    "       ubiq kv set KEY VALUE [--ttl DURATION]\n"
    "       ubiq kv delete KEY\n"
    "       ubiq kv list [PREFIX] [--after KEY] [--limit N] [--json]\n"
    "\n"
    "Reads and writes the keys of the project in the working directory, whether a\n"
    "server runs or not. VALUE may be - for what comes on standard input.\n"
    "\n"
    "  -C, --project DIR   another project\n"
    "      --env NAME      its environment, for ubiq.toml: development, unless said\n"
    "      --ttl DURATION  for how long the key is there: 90s, 12h\n"
    "      --after KEY     keys behind this one\n"
    "      --limit N       so many at the most, up to 1000: 100, unless said\n"
    "      --json          as the functions get it\n"
    "  -h, --help          print this\n";

/* Has it done; the exit code. What it gave is the caller's to free on success. */
static int run(data_command *c, kv_operation *o)
{
    operation_waiter_wait(&c->waiter, kv_submit(c->services.kv, o));
    return data_failed(c, &o->op);
}

static kv_operation prepare(data_command *c, enum kv_verb verb, const char *key)
{
    kv_operation o = {.verb = verb, .key = slice_str(key)};

    operation_waiter_prepare(&c->waiter, &o.op, LIMIT_HOST_RESULT_BYTES);
    return o;
}

static int get(data_command *c)
{
    kv_operation o = prepare(c, KV_GET, c->argv[1]);
    int rc = run(c, &o);

    rc = rc ? rc : data_print(c, buf_slice(&o.op.result));
    operation_deinit(&o.op);
    return rc;
}

static int set(data_command *c)
{
    kv_operation o = prepare(c, KV_SET, c->argv[1]);
    error err = {0};
    uint64_t ttl_ms = 0;
    buf value;
    int rc = 0;

    buf_init(&value, LIMIT_HOST_RESULT_BYTES);
    o.value = slice_str(c->argv[2]);
    if (c->ttl)
        rc = units_read_duration(c->ttl, MAX_TTL_MS, &ttl_ms, &err);
    if (rc == 0 && slice_equal_str(o.value, "-")) {
        rc = data_read_input(&value, &err);
        o.value = buf_slice(&value);
    }
    if (rc)
        fprintf(stderr, "ubiq kv: %s\n", error_text(&err));
    o.ttl_ms = (int64_t)ttl_ms;
    rc = rc ? CLI_FAILED : run(c, &o);
    operation_deinit(&o.op);
    buf_deinit(&value);
    error_deinit(&err);
    return rc;
}

static int delete(data_command *c)
{
    kv_operation o = prepare(c, KV_DELETE, c->argv[1]);
    int rc = run(c, &o);

    return data_end_delete(c, &o.op, rc, "key");
}

static int list(data_command *c)
{
    kv_operation o = prepare(c, KV_LIST, c->argc > 1 ? c->argv[1] : "");
    int rc;

    o.after = slice_str(c->after);
    o.limit = c->limit;
    rc = run(c, &o);
    return data_end_list(c, &o.op, rc, "keys", NULL);
}

int cli_kv(int argc, char **argv)
{
    static const data_verb verbs[] = {
        {"get", get, 1, 1}, {"set", set, 2, 2}, {"delete", delete, 1, 1}, {"list", list, 0, 1}};

    return data_run("kv", verbs, sizeof verbs / sizeof *verbs, usage, argc, argv);
}
