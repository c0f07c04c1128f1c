#include "app/config_internal.h"
#include "app/limits.h"
#include "app/route_text.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* [functions] and [triggers] */

/* What stands for a limit that [functions."<name>".limits] does not say. */
static const config_limits unsaid = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
                                     UINT64_MAX, UINT64_MAX, UINT32_MAX};

/* What goes into a header of its own. */
static int read_content_type(config_reader *r, const config_key *key, void *into)
{
    char **type = into;
    int rc = config_text(r, key, into);

    if (rc)
        return rc;
    for (const char *c = *type; *c; c++) {
        if (*c < ' ' || *c > '~')
            return error_set(&r->record.err, E_INVALID, "a media type is printable ASCII");
    }
    return 0;
}

static int read_route(config_reader *r, const config_key *key, void *into)
{
    char **pattern = into;
    int rc = config_text(r, key, into);
    buf route;

    if (rc || strcmp(*pattern, ROUTE_NONE) == 0)
        return rc;
    buf_init(&route, 2 * LIMIT_ROUTE_BYTES);
    rc = route_of_pattern(*pattern, &route, &r->record.err);
    buf_deinit(&route);
    if (rc) {
        /* What is wrong is told once. */
        free(*pattern);
        *pattern = NULL;
    }
    return rc;
}

static int check_method(config_reader *r, const char *text)
{
    size_t len = strlen(text);

    if (len > 0 && len <= LIMIT_METHOD_BYTES && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_") == len)
        return 0;
    return error_set(&r->record.err, E_INVALID, "\"%s\" is not a method, such as \"GET\"", text);
}

static int read_methods(config_reader *r, const config_key *key, void *into)
{
    config_list *methods = into;
    size_t at = r->record.json.at, before = config_problem_count(r);
    int rc = config_read_list(r, methods, check_method);

    (void)key;
    if (rc || config_problem_count(r) > before ||
        (methods->count > 0 && methods->count <= LIMIT_METHODS))
        return rc;
    r->at = at;
    return error_set(&r->record.err, E_INVALID, "a function takes 1 to %d methods", LIMIT_METHODS);
}

static int read_instances(config_reader *r, const config_key *key, void *into)
{
    char *word = NULL;
    int rc = config_word(r, key, &word);

    if (rc == 0)
        *(bool *)into = strcmp(word, "reuse") == 0;
    free(word);
    return rc;
}

static const char *const instances[] = {"fresh", "reuse", NULL};

static const config_key function_keys[] = {
    {"entry", config_text, .offset = offsetof(config_function, entry), .max = LIMIT_NAME_BYTES},
    {"route", read_route, .offset = offsetof(config_function, route), .max = LIMIT_ROUTE_BYTES},
    {"methods", read_methods, .offset = offsetof(config_function, methods)},
    {"content_type", read_content_type, .offset = offsetof(config_function, content_type),
     .max = LIMIT_CONTENT_TYPE_BYTES},
    {"permissions", config_texts, .offset = offsetof(config_function, permissions)},
    {"middleware", config_texts, .offset = offsetof(config_function, middleware)},
    {"config", config_map, .offset = offsetof(config_function, config)},
    {"limits", config_sub, .offset = offsetof(config_function, limits),
     .table = &config_limits_table},
    {"instances", read_instances, .offset = offsetof(config_function, reuse), .words = instances},
    {0},
};

const config_table config_function_table = {function_keys, NULL};

static int read_function(config_reader *r, const char *name, void *into)
{
    config *c = into;
    config_function *more = record_make_room(c->functions, c->function_count, sizeof *more);
    config_function *f;

    if (!more)
        return record_no_memory(&r->record);
    c->functions = more;
    f = &more[c->function_count];
    *f = (config_function){.name = strdup(name), .line = config_line(r), .limits = unsaid};
    if (!f->name)
        return record_no_memory(&r->record);
    c->function_count++;
    return config_read_table(r, &config_function_table, f);
}

int config_functions(config_reader *r, const config_key *key, void *into)
{
    (void)key;
    return config_read_members(r, read_function, into);
}

static void inherit(uint64_t *own, uint64_t common)
{
    if (*own == UINT64_MAX)
        *own = common;
}

void config_inherit_limits(config_limits *own, const config_limits *common)
{
    inherit(&own->cpu_ms, common->cpu_ms);
    inherit(&own->wall_ms, common->wall_ms);
    inherit(&own->memory_bytes, common->memory_bytes);
    inherit(&own->request_bytes, common->request_bytes);
    inherit(&own->response_bytes, common->response_bytes);
    inherit(&own->http_response_bytes, common->http_response_bytes);
    if (own->http_requests == UINT32_MAX)
        own->http_requests = common->http_requests;
}

/* Adds a trigger; takes `function` over. */
static int add_trigger(config_reader *r, config *c, const char *pattern, char *function,
                       unsigned line)
{
    config_trigger *more = record_make_room(c->triggers, c->trigger_count, sizeof *more);
    char *copy = strdup(pattern);

    if (more)
        c->triggers = more;
    if (!more || !copy) {
        free(copy);
        free(function);
        return record_no_memory(&r->record);
    }
    more[c->trigger_count++] = (config_trigger){
        .pattern = copy,
        .is_cron = strchr(pattern, ' ') || pattern[0] == '@',
        .function = function,
        .line = line,
    };
    return 0;
}

static int read_trigger(config_reader *r, const char *pattern, void *into)
{
    size_t before = config_problem_count(r);
    config_list list = {0};
    char *one = NULL;
    int rc;

    if (!*pattern)
        return error_set(&r->record.err, E_INVALID, "an event pattern or a cron line is not empty");
    if (config_begin(r) != JSON_ARRAY) {
        rc = config_read_text(r, &one);
        return rc ? rc : add_trigger(r, into, pattern, one, config_line(r));
    }
    rc = config_read_list(r, &list, NULL);
    if (rc == 0 && list.count == 0 && config_problem_count(r) == before)
        rc = error_set(&r->record.err, E_INVALID, "names no function");
    for (size_t i = 0; i < list.count && rc == 0; i++) {
        rc = add_trigger(r, into, pattern, list.item[i], list.line[i]);
        list.item[i] = NULL;
    }
    config_list_deinit(&list);
    return rc;
}

int config_triggers(config_reader *r, const config_key *key, void *into)
{
    (void)key;
    return config_read_members(r, read_trigger, into);
}
