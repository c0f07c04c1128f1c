#ifndef UBIQ_APP_CONFIG_H
#define UBIQ_APP_CONFIG_H

#include "app/problems.h"
#include "base/strmap.h"

/* What a project's ubiq.toml says, with the defaults for what it does not say: docs/manifest.md. All
 * texts are owned; NULL for what is not said and has no default. */

/* A list of texts, and the lines of ubiq.toml that they stand on. */
typedef struct config_list {
    char **item;
    unsigned *line;
    size_t count;
    bool given;
} config_list;

/* [limits], and [functions."<name>".limits] with what it does not say taken from [limits]. */
typedef struct config_limits {
    uint64_t cpu_ms;
    uint64_t wall_ms;
    uint64_t memory_bytes;
    uint64_t request_bytes;
    uint64_t response_bytes;
    uint64_t http_response_bytes; /* of one outbound request */
    uint32_t http_requests;       /* of one invocation */
} config_limits;

#define ROUTE_NONE "none" /* the function answers no requests */

/* [functions."<name>"] */
typedef struct config_function {
    char *name;
    unsigned line; /* of ubiq.toml */
    char *entry;
    char *route;        /* "/people/[id]", or ROUTE_NONE */
    char *content_type; /* of its output */
    config_list methods;
    config_list permissions;
    config_list middleware; /* in place of [middleware] use */
    strmap config;          /* what the function's config_get reads */
    config_limits limits;
    bool reuse; /* instances = "reuse" */
} config_function;

/* One of [triggers]. */
typedef struct config_trigger {
    char *pattern; /* of topics, or a cron line (which has spaces; no topic has) */
    bool is_cron;
    char *function;
    unsigned line; /* of ubiq.toml */
} config_trigger;

/* [middleware.cors] */
typedef struct config_cors {
    config_list origins; /* "https://example.com", with "*." before the host, or "*": the default */
    config_list methods; /* default: what the route takes */
    config_list headers; /* that a request may have; default: those that are asked for */
    config_list expose;  /* of a response, for scripts */
    bool credentials;    /* with origins "*" it is an error */
    uint64_t max_age_ms; /* of a preflight's answer */
} config_cors;

enum config_rate_by { RATE_BY_ADDRESS, RATE_BY_HEADER, RATE_BY_ROUTE };

/* [middleware.rate_limit]: a token bucket of `burst`, filled with `requests` every `per`. */
typedef struct config_rate_limit {
    uint64_t requests;
    uint64_t per_ms;
    uint64_t burst;         /* default: requests */
    enum config_rate_by by; /* by = "address", "route" or "header:X-Name" */
    char *header;
} config_rate_limit;

/* [middleware.api_key] */
typedef struct config_api_key {
    char *header;     /* default "X-Api-Key" */
    config_list keys; /* at least one, if the middleware is in use */
} config_api_key;

/* [middleware.jwt] */
typedef struct config_jwt {
    char *algorithm;  /* "HS256", "RS256", "ES256"; NULL when there is no such table */
    char *secret;     /* of HS256 */
    char *public_key; /* of the others: PEM, or the path of a file within the project */
    char *issuer;
    char *audience;
    uint64_t leeway_ms; /* of clocks */
} config_jwt;

/* [middleware.compression] */
typedef struct config_compression {
    uint64_t min_bytes;
    config_list types; /* media types, or "text" with a slash and a '*' for all of a kind; a default
                          for text, JSON, JavaScript, SVG, XML */
} config_compression;

typedef struct config_middleware {
    config_list use; /* "cors", "rate_limit", "api_key", "jwt", "request_id", "compression", or a
                        function in middleware/: "middleware/audit"; in this order */
    config_cors cors;
    config_rate_limit rate_limit;
    config_api_key api_key;
    config_jwt jwt;
    config_compression compression;
} config_middleware;

/* [services.kv], [services.storage], [services.events] */
typedef struct config_services {
    char *kv_backend;      /* "sqlite" */
    char *storage_backend; /* "files" */
    char *events_backend;  /* "sqlite" */
    uint64_t kv_key_bytes, kv_value_bytes, kv_total_bytes, kv_keys;
    uint64_t storage_file_bytes, storage_total_bytes;
    uint64_t event_bytes, events_pending;
    uint32_t event_attempts;
    uint64_t event_first_retry_ms, event_last_retry_ms;
    uint32_t events_at_once;
} config_services;

typedef struct config {
    char *name;         /* of the project */
    char *version;      /* likewise */
    char *time_zone;    /* [project] time_zone, of cron lines; "UTC" */
    char *listen;       /* [server] listen: "ADDRESS:PORT" */
    char *admin_listen; /* [server] admin: on loopback, or "off"; "127.0.0.1:3001" */
    uint32_t workers;   /* 0: one a core */
    config_limits limits;
    config_function *functions; /* in byte order of their names */
    size_t function_count;
    config_trigger *triggers;
    size_t trigger_count;
    config_middleware middleware;
    strmap
        env; /* [env], [env.<environment>] laid over it; read by functions with config:read:<NAME> */
    config_services services;
    bool is_development; /* read for ENVIRONMENT_DEVELOPMENT */
} config;

/* The environments that need no table in [env]. */
#define ENVIRONMENT_DEVELOPMENT "development"
#define ENVIRONMENT_PRODUCTION "production"
#define ENVIRONMENT_TEST "test"

/* Reads `<project>/ubiq.toml` for an environment: its [env.<environment>] is laid over [env], and
 * ${NAME} in any text stands for a variable of the process's environment, or in development of
 * `<project>/.env`. That there is no ubiq.toml is fine, and the defaults hold. What is wrong is added
 * to `found`, with file, line and key: what is not TOML, an unknown key (the text names the nearest
 * known one), a value that is not what its key takes, a ${NAME} that is not set, an environment that
 * is not one of the above and has no table. Returns 0 then too, with what could be read in `out`,
 * which the caller ends with config_deinit. E_IO, E_NO_MEMORY: `out` is empty. */
int config_read(config *out, const char *project, const char *environment, problems *found,
                error *err) MUST_CHECK;

/* Frees the content. Takes an all-zero one. */
void config_deinit(config *c);

/* Frees the content. Takes an all-zero one. */
void config_list_deinit(config_list *l);

#endif
