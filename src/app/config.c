#include "app/config.h"

#include "app/config_internal.h"
#include "app/dotenv.h"
#include "app/limits.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const config defaults = {
    .limits =
        {
            .cpu_ms = LIMIT_CPU_MS,
            .wall_ms = LIMIT_WALL_MS,
            .memory_bytes = LIMIT_MEMORY_BYTES,
            .request_bytes = LIMIT_REQUEST_BYTES,
            .response_bytes = LIMIT_RESPONSE_BYTES,
            .http_response_bytes = LIMIT_HTTP_RESPONSE_BYTES,
            .http_requests = LIMIT_HTTP_REQUESTS,
        },
    .middleware =
        {
            .cors = {.max_age_ms = LIMIT_PREFLIGHT_MS},
            .rate_limit = {.requests = LIMIT_RATE_REQUESTS, .per_ms = LIMIT_RATE_MS},
            .compression = {.min_bytes = LIMIT_COMPRESS_BYTES},
        },
    .services =
        {
            .kv_key_bytes = LIMIT_KV_KEY_BYTES,
            .kv_value_bytes = LIMIT_KV_VALUE_BYTES,
            .kv_total_bytes = LIMIT_KV_TOTAL_BYTES,
            .kv_keys = LIMIT_KV_KEYS,
            .storage_file_bytes = LIMIT_STORAGE_FILE_BYTES,
            .storage_total_bytes = LIMIT_STORAGE_TOTAL_BYTES,
            .event_bytes = LIMIT_EVENT_BYTES,
            .events_pending = LIMIT_EVENTS_PENDING,
            .event_attempts = LIMIT_EVENT_ATTEMPTS,
            .event_first_retry_ms = LIMIT_EVENT_FIRST_RETRY_MS,
            .event_last_retry_ms = LIMIT_EVENT_LAST_RETRY_MS,
            .events_at_once = LIMIT_EVENTS_AT_ONCE,
        },
};

static int default_text(char **text, const char *value)
{
    if (!*text)
        *text = strdup(value);
    return *text ? 0 : E_NO_MEMORY;
}

static int default_list(config_list *list, const char *const *items, size_t count)
{
    if (list->given)
        return 0;
    list->item = calloc(count, sizeof *list->item);
    list->line = calloc(count, sizeof *list->line);
    if (!list->item || !list->line)
        return E_NO_MEMORY;
    for (; list->count < count; list->count++) {
        if (!(list->item[list->count] = strdup(items[list->count])))
            return E_NO_MEMORY;
    }
    return 0;
}

/* Puts in what nobody said. */
static int complete(config *c, error *err)
{
    static const char *const any[] = {"*"};
    static const char *const text_types[] = {
        "text/*",           "application/json",          "application/javascript",
        "image/svg+xml",    "application/manifest+json", "application/xml",
        "application/wasm",
    };
    config_middleware *m = &c->middleware;
    int rc = default_text(&c->time_zone, "UTC");

    for (size_t i = 0; i < c->function_count; i++)
        config_inherit_limits(&c->functions[i].limits, &c->limits);
    if (m->rate_limit.burst == 0)
        m->rate_limit.burst = m->rate_limit.requests;
    rc = rc ? rc : default_text(&c->listen, "127.0.0.1:3000");
    rc = rc ? rc : default_text(&c->admin_listen, "127.0.0.1:3001");
    rc = rc ? rc : default_text(&c->services.kv_backend, "sqlite");
    rc = rc ? rc : default_text(&c->services.storage_backend, "files");
    rc = rc ? rc : default_text(&c->services.events_backend, "sqlite");
    rc = rc ? rc : default_text(&m->api_key.header, "X-Api-Key");
    rc = rc ? rc : default_list(&m->cors.origins, any, 1);
    rc = rc ? rc
            : default_list(&m->compression.types, text_types,
                           sizeof text_types / sizeof *text_types);
    return rc ? error_set(err, rc, "out of memory for a project's configuration") : 0;
}

static void check_environment(const config_reader *r)
{
    static const char *const known[] = {ENVIRONMENT_DEVELOPMENT, ENVIRONMENT_PRODUCTION,
                                        ENVIRONMENT_TEST};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(r->environment, known[i]) == 0)
            return;
    }
    if (!r->knows_environment)
        problems_add(r->problems, r->file, 0,
                     "there is no [env.%s], as there must be for an environment of this name",
                     r->environment);
}

static int read_json(config_reader *r, config *out, slice json, error *err)
{
    record_reader *rec = &r->record;
    int rc;

    record_init(rec, json);
    rc = config_read_table(r, &config_root, out);
    if (rc)
        error_set(err, rc, "%s: %s", r->file, error_text(&rec->err));
    record_deinit(rec);
    return rc;
}

/* The text of a mistake begins with its place. */
static void add_mistake(config_reader *r, const error *err)
{
    const char *text = error_text(err);
    unsigned line = 0;
    int len = 0;

    if (sscanf(text, "line %u, %n", &line, &len) != 1)
        len = 0;
    problems_add(r->problems, r->file, line, "%s", text + len);
}

/* Reads the text of the file. What is wrong with it is no error. */
static int read_toml(config_reader *r, config *out, slice text, error *err)
{
    error mistake = {0};
    buf json;
    int rc;

    /* Escaping makes a byte six at the most; names and punctuation stand in both texts. */
    buf_init(&json, LIMIT_CONFIG_BYTES * 6 + 64);
    buf_init(&r->marks, LIMIT_CONFIG_BYTES * sizeof(toml_mark) + 64);
    rc = toml_to_json(text, &json, &r->marks, &mistake);
    if (rc == E_INVALID) {
        add_mistake(r, &mistake);
        rc = 0;
    } else if (rc) {
        error_set(err, rc, "%s: %s", r->file, error_text(&mistake));
    } else {
        rc = read_json(r, out, buf_slice(&json), err);
    }
    error_deinit(&mistake);
    buf_deinit(&json);
    buf_deinit(&r->marks);
    return rc;
}

int config_parse(config *out, slice toml, config_reader *r, error *err)
{
    int rc;

    *out = defaults;
    rc = read_toml(r, out, toml, err);
    rc = rc ? rc : complete(out, err);
    if (rc) {
        config_deinit(out);
        return rc;
    }
    check_environment(r);
    problems_sort(r->problems);
    return 0;
}

/* The path of a file in the project, which the caller frees. */
static char *path_of(const char *project, const char *name)
{
    char *path;

    return asprintf(&path, "%s/%s", project, name) < 0 ? NULL : path;
}

int config_read(config *out, const char *project, const char *environment, problems *found,
                error *err)
{
    config_reader r = {.environment = environment, .problems = found};
    char *file = path_of(project, "ubiq.toml"), *dotenv = path_of(project, ".env");
    buf text;
    int rc = 0;

    *out = (config){0};
    buf_init(&text, LIMIT_CONFIG_BYTES);
    if (!file || !dotenv) {
        rc = error_set(err, E_NO_MEMORY, "out of memory for a project's configuration");
        goto done;
    }
    r.file = file;
    r.has_dotenv = strcmp(environment, ENVIRONMENT_DEVELOPMENT) == 0;
    if (r.has_dotenv)
        rc = dotenv_read(&r.dotenv, dotenv, found, err);
    rc = rc ? rc : file_read(file, &text, err);
    if (rc == E_NOT_FOUND) {
        error_deinit(err);
        rc = 0;
    }
    rc = rc ? rc : config_parse(out, buf_slice(&text), &r, err);
    out->is_development = r.has_dotenv;
done:
    buf_deinit(&text);
    strmap_deinit(&r.dotenv);
    free(file);
    free(dotenv);
    return rc;
}

static void free_functions(config *c)
{
    for (size_t i = 0; i < c->function_count; i++) {
        config_function *f = &c->functions[i];

        free(f->name);
        free(f->entry);
        free(f->route);
        free(f->content_type);
        config_list_deinit(&f->methods);
        config_list_deinit(&f->permissions);
        config_list_deinit(&f->middleware);
        strmap_deinit(&f->config);
    }
    free(c->functions);
}

static void free_middleware(config_middleware *m)
{
    config_list_deinit(&m->use);
    config_list_deinit(&m->cors.origins);
    config_list_deinit(&m->cors.methods);
    config_list_deinit(&m->cors.headers);
    config_list_deinit(&m->cors.expose);
    free(m->rate_limit.header);
    free(m->api_key.header);
    config_list_deinit(&m->api_key.keys);
    free(m->jwt.algorithm);
    free(m->jwt.secret);
    free(m->jwt.public_key);
    free(m->jwt.issuer);
    free(m->jwt.audience);
    config_list_deinit(&m->compression.types);
}

void config_deinit(config *c)
{
    free_functions(c);
    free_middleware(&c->middleware);
    for (size_t i = 0; i < c->trigger_count; i++) {
        free(c->triggers[i].pattern);
        free(c->triggers[i].function);
    }
    free(c->triggers);
    strmap_deinit(&c->env);
    free(c->services.kv_backend);
    free(c->services.storage_backend);
    free(c->services.events_backend);
    free(c->name);
    free(c->version);
    free(c->time_zone);
    free(c->listen);
    free(c->admin_listen);
    *c = (config){0};
}
