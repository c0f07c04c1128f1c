#include "cli/data.h"

#include "base/json.h"
#include "cli/cli.h"
#include "cli/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_limit(data_command *c, const char *text)
{
    char *end;

    errno = 0;
    c->limit = strtol(text, &end, 10);
    if (errno || *end || c->limit < 1)
        return options_refuse(c->name, "--limit takes a number from 1, not", text);
    return -1;
}

static int take_option(void *arg, int letter)
{
    data_command *c = arg;

    switch (letter) {
    case 'n':
        return read_limit(c, optarg);
    case 'C':
        c->project = optarg;
        break;
    case 'E':
        c->environment = optarg;
        break;
    case 'a':
        c->after = optarg;
        break;
    case 't':
        c->ttl = optarg;
        break;
    case 'A':
        c->all = true;
        break;
    case 'd':
        c->dead = true;
        break;
    default:
        c->json = true;
    }
    return -1;
}

static int read_arguments(data_command *c, int argc, char **argv, const char *usage)
{
    static const struct option names[] = {
        {"project", required_argument, NULL, 'C'}, {"env", required_argument, NULL, 'E'},
        {"after", required_argument, NULL, 'a'},   {"limit", required_argument, NULL, 'n'},
        {"ttl", required_argument, NULL, 't'},     {"all", no_argument, NULL, 'A'},
        {"dead", no_argument, NULL, 'd'},          {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    const options_reader reader = {c->name, usage, ":C:h", names, take_option, c};
    int rc = options_read(&reader, argc, argv);

    if (rc >= 0)
        return rc;
    c->argc = argc - optind;
    c->argv = argv + optind;
    return c->argc ? -1 : options_refuse(c->name, "what is to be done?", NULL);
}

static bool has(const char *project, const char *name)
{
    struct stat st;
    char *path;
    bool there = asprintf(&path, "%s/%s", project, name) >= 0;

    if (there) {
        there = stat(path, &st) == 0;
        free(path);
    }
    return there;
}

/* A directory that is not there is not made, and in one that is no project nothing is. */
static int check_project(const char *path, error *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return error_set(err, E_NOT_FOUND, "%s: %s", path, strerrordesc_np(errno));
    if (!S_ISDIR(st.st_mode))
        return error_set(err, E_INVALID, "%s is no directory", path);
    return has(path, "functions") || has(path, "ubiq.toml")
               ? 0
               : error_set(err, E_NOT_FOUND,
                           "%s is no project, there is no functions directory in it: --project DIR "
                           "names one",
                           path);
}

/* What is kept depends on [services]. What is wrong in other parts, such as a secret that is set for the
 * server alone, is not for those who look at it. */
static bool is_elsewhere(const struct problem *p)
{
    static const char *const parts[] = {"env",    "functions",  "limits",
                                        "server", "middleware", "triggers"};

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t len = strlen(parts[i]);

        if (strncmp(p->text, parts[i], len) == 0 && (p->text[len] == '.' || p->text[len] == ':'))
            return true;
    }
    return false;
}

static int conclude(const problems *found, error *err)
{
    problems kept = *found;

    while (kept.count > 0 && is_elsewhere(kept.item)) {
        kept.item++;
        kept.count--;
    }
    return problems_conclude(&kept, err);
}

static int open_data(data_command *c, error *err)
{
    problems found = {0};
    int rc = check_project(c->project, err);

    rc = rc ? rc
            : config_read(&c->config, c->project,
                          c->environment ? c->environment : ENVIRONMENT_DEVELOPMENT, &found, err);
    if (rc) {
        problems_deinit(&found);
        return rc;
    }
    rc = conclude(&found, err);
    problems_deinit(&found);
    rc = rc ? rc : services_open(&c->services, c->project, &c->config, err);
    if (rc) {
        config_deinit(&c->config);
        return rc;
    }
    operation_waiter_init(&c->waiter);
    return 0;
}

static void close_data(data_command *c)
{
    operation_waiter_deinit(&c->waiter);
    services_close(&c->services);
    config_deinit(&c->config);
}

static const data_verb *find_verb(const data_command *c, const data_verb *verbs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(verbs[i].name, c->argv[0]) == 0)
            return &verbs[i];
    }
    return NULL;
}

int data_run(const char *name, const data_verb *verbs, size_t count, const char *usage, int argc,
             char **argv)
{
    data_command c = {.name = name, .project = ".", .limit = 100};
    const data_verb *verb;
    error err = {0};
    int rc = read_arguments(&c, argc, argv, usage);

    if (rc >= 0)
        return rc;
    verb = find_verb(&c, verbs, count);
    if (!verb)
        return options_refuse(name, "there is no", c.argv[0]);
    if (c.argc - 1 < verb->least || c.argc - 1 > verb->most)
        return options_refuse(
            name, c.argc - 1 < verb->least ? "something is missing behind" : "too much behind",
            verb->name);
    if (open_data(&c, &err)) {
        fprintf(stderr, "ubiq %s: %s\n", name, error_text(&err));
        error_deinit(&err);
        return CLI_FAILED;
    }
    rc = verb->run(&c);
    close_data(&c);
    return rc;
}

/* Reads the members of an element up to `member`, a text, and passes over the others. */
static int read_member(json_reader *r, const char *member, buf *name, buf *text)
{
    int rc = json_enter(r, JSON_OBJECT, NULL);

    for (size_t i = 0; rc == 0 && (rc = json_next(r, JSON_OBJECT, i, NULL)) > 0; i++) {
        buf_clear(name);
        rc = json_name(r, name, NULL);
        if (rc == 0 && slice_equal_str(buf_slice(name), member))
            rc = json_string(r, text, NULL);
        else
            rc = rc ? rc : json_copy(r, NULL, NULL);
    }
    return rc;
}

static int read_elements(json_reader *r, const char *member, buf *name, buf *lines)
{
    int rc = json_enter(r, JSON_ARRAY, NULL);

    for (size_t i = 0; rc == 0 && (rc = json_next(r, JSON_ARRAY, i, NULL)) > 0; i++) {
        rc = member ? read_member(r, member, name, lines) : json_string(r, lines, NULL);
        rc = rc ? rc : buf_append_byte(lines, '\n');
    }
    return rc;
}

static int print_list(const data_command *c, slice json, const char *list, const char *member)
{
    json_reader r = {.text = json};
    bool more = false;
    buf name, lines;
    int rc;

    buf_init(&name, json.len);
    buf_init(&lines, json.len);
    rc = json_enter(&r, JSON_OBJECT, NULL);
    for (size_t i = 0; rc == 0 && (rc = json_next(&r, JSON_OBJECT, i, NULL)) > 0; i++) {
        buf_clear(&name);
        rc = json_name(&r, &name, NULL);
        if (rc == 0 && slice_equal_str(buf_slice(&name), list)) {
            rc = read_elements(&r, member, &name, &lines);
        } else if (rc == 0) {
            more =
                more || (slice_equal_str(buf_slice(&name), "next") && json_peek(&r) != JSON_NULL);
            rc = json_copy(&r, NULL, NULL);
        }
    }
    rc = rc ? CLI_FAILED : data_print(c, buf_slice(&lines));
    if (rc == 0 && more)
        fprintf(stderr, "ubiq %s: there are more: --after and --limit\n", c->name);
    buf_deinit(&name);
    buf_deinit(&lines);
    return rc;
}

int data_failed(const data_command *c, operation *op)
{
    const char *text = error_text(&op->err);
    size_t len = strlen(c->name);

    if (op->code == SERVICE_OK)
        return 0;
    /* Services begin with their names, which are the commands'. */
    if (strncmp(text, c->name, len) == 0 && strncmp(text + len, ": ", 2) == 0)
        text += len + 2;
    fprintf(stderr, "ubiq %s: %s\n", c->name, text);
    operation_deinit(op);
    return CLI_FAILED;
}

int data_end_delete(const data_command *c, operation *op, int rc, const char *what)
{
    if (rc == 0 && op->number == 0) {
        fprintf(stderr, "ubiq %s: there is no such %s\n", c->name, what);
        rc = CLI_FAILED;
    }
    operation_deinit(op);
    return rc;
}

int data_end_list(const data_command *c, operation *op, int rc, const char *array,
                  const char *member)
{
    if (rc == 0)
        rc = c->json ? data_print(c, buf_slice(&op->result))
                     : print_list(c, buf_slice(&op->result), array, member);
    operation_deinit(op);
    return rc;
}

int data_print(const data_command *c, slice bytes)
{
    if (fwrite(bytes.data, 1, bytes.len, stdout) == bytes.len && fflush(stdout) == 0)
        return 0;
    fprintf(stderr, "ubiq %s: standard output: %s\n", c->name, strerrordesc_np(errno));
    return CLI_FAILED;
}

int data_read_input(buf *out, error *err)
{
    int rc = 0;
    ssize_t n;

    do {
        rc = buf_reserve(out, 65536);
        if (rc)
            return error_set(err, rc, "what is on standard input is too much");
        n = read(STDIN_FILENO, out->data + out->len, 65536);
        if (n > 0)
            out->len += (size_t)n;
    } while (n > 0 || (n < 0 && errno == EINTR));
    return n < 0 ? error_set(err, E_IO, "standard input: %s", strerrordesc_np(errno)) : 0;
}
