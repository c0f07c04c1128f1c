#include "app/config_internal.h"
#include "app/limits.h"
#include "services/time_zone.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* The keys of ubiq.toml but for [functions] and [middleware]. */

/* "HOST:PORT", where an IPv6 address stands in brackets. */
static bool is_address(const char *text)
{
    const char *colon = strrchr(text, ':');
    size_t host = colon ? (size_t)(colon - text) : 0;
    bool in_brackets = host > 2 && text[0] == '[' && text[host - 1] == ']';

    return host > 0 && (in_brackets || (text[0] != '[' && !memchr(text, ':', host))) && colon[1] &&
           !colon[1 + strspn(colon + 1, "0123456789")] && strlen(colon + 1) <= 5 &&
           atoi(colon + 1) <= UINT16_MAX;
}

static int read_address(config_reader *r, const config_key *key, void *into)
{
    char **out = into;
    int rc = config_text(r, key, into);

    if (rc || is_address(*out))
        return rc;
    return error_set(&r->record.err, E_INVALID,
                     "\"%s\" is not an address to listen at, such as \"127.0.0.1:3000\"", *out);
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strncmp(address, "[::1]:", 6) == 0 ||
           strncmp(address, "localhost:", 10) == 0;
}

static int read_admin_address(config_reader *r, const config_key *key, void *into)
{
    char **out = into;
    int rc = config_text(r, key, into);

    if (rc || strcmp(*out, "off") == 0 || (is_address(*out) && is_loopback(*out)))
        return rc;
    return error_set(&r->record.err, E_INVALID,
                     "\"%s\" is neither \"off\" nor an address on loopback, such as "
                     "\"127.0.0.1:3001\"",
                     *out);
}

static int read_time_zone(config_reader *r, const config_key *key, void *into)
{
    char **out = into;
    time_zone *zone = NULL;
    int rc = config_text(r, key, into);

    if (rc)
        return rc;
    rc = time_zone_open(&zone, *out, &r->record.err);
    time_zone_destroy(zone);
    if (rc) {
        /* The default takes its place, so that cron lines are not blamed too. */
        free(*out);
        *out = NULL;
    }
    return rc == E_IO ? E_INVALID : rc;
}

static const config_key project_keys[] = {
    {"name", config_text, .offset = offsetof(config, name), .max = LIMIT_NAME_BYTES},
    {"version", config_text, .offset = offsetof(config, version), .max = LIMIT_NAME_BYTES},
    {"time_zone", read_time_zone, .offset = offsetof(config, time_zone), .max = LIMIT_NAME_BYTES},
    {0},
};

static const config_key server_keys[] = {
    {"listen", read_address, .offset = offsetof(config, listen), .max = LIMIT_NAME_BYTES},
    {"admin", read_admin_address, .offset = offsetof(config, admin_listen),
     .max = LIMIT_NAME_BYTES},
    {"workers", config_count, .offset = offsetof(config, workers), .max = LIMIT_WORKERS},
    {0},
};

static const config_key limits_keys[] = {
    {"cpu_time", config_duration, .offset = offsetof(config_limits, cpu_ms), .max = LIMIT_MS_MAX},
    {"wall_time", config_duration, .offset = offsetof(config_limits, wall_ms), .max = LIMIT_MS_MAX},
    {"memory", config_size, .offset = offsetof(config_limits, memory_bytes),
     .max = LIMIT_MEMORY_BYTES_MAX},
    {"request", config_size, .offset = offsetof(config_limits, request_bytes),
     .max = LIMIT_BODY_BYTES_MAX},
    {"response", config_size, .offset = offsetof(config_limits, response_bytes),
     .max = LIMIT_BODY_BYTES_MAX},
    {"http_response", config_size, .offset = offsetof(config_limits, http_response_bytes),
     .max = LIMIT_BODY_BYTES_MAX},
    {"http_requests", config_count, .offset = offsetof(config_limits, http_requests),
     .max = LIMIT_HTTP_REQUESTS_MAX},
    {0},
};

const config_table config_limits_table = {limits_keys, NULL};

/* [services] */

static const char *const sqlite_only[] = {"sqlite", NULL};
static const char *const files_only[] = {"files", NULL};

static const config_key kv_keys[] = {
    {"backend", config_word, .offset = offsetof(config_services, kv_backend), .words = sqlite_only},
    {"key", config_size, .offset = offsetof(config_services, kv_key_bytes),
     .max = LIMIT_KV_KEY_BYTES_MAX},
    {"value", config_size, .offset = offsetof(config_services, kv_value_bytes),
     .max = LIMIT_KV_VALUE_BYTES_MAX},
    {"total", config_size, .offset = offsetof(config_services, kv_total_bytes),
     .max = LIMIT_TOTAL_BYTES_MAX},
    {"keys", config_number, .offset = offsetof(config_services, kv_keys), .min = 1,
     .max = LIMIT_COUNT_MAX},
    {0},
};

static const config_key storage_keys[] = {
    {"backend", config_word, .offset = offsetof(config_services, storage_backend),
     .words = files_only},
    {"file", config_size, .offset = offsetof(config_services, storage_file_bytes),
     .max = LIMIT_BODY_BYTES_MAX},
    {"total", config_size, .offset = offsetof(config_services, storage_total_bytes),
     .max = LIMIT_TOTAL_BYTES_MAX},
    {0},
};

static const config_key events_keys[] = {
    {"backend", config_word, .offset = offsetof(config_services, events_backend),
     .words = sqlite_only},
    {"payload", config_size, .offset = offsetof(config_services, event_bytes),
     .max = LIMIT_EVENT_BYTES_MAX},
    {"pending", config_number, .offset = offsetof(config_services, events_pending), .min = 1,
     .max = LIMIT_COUNT_MAX},
    {"attempts", config_count, .offset = offsetof(config_services, event_attempts), .min = 1,
     .max = LIMIT_EVENT_ATTEMPTS_MAX},
    {"first_retry", config_duration, .offset = offsetof(config_services, event_first_retry_ms),
     .max = LIMIT_MS_MAX},
    {"last_retry", config_duration, .offset = offsetof(config_services, event_last_retry_ms),
     .max = LIMIT_MS_MAX},
    {"at_once", config_count, .offset = offsetof(config_services, events_at_once), .min = 1,
     .max = LIMIT_EVENTS_AT_ONCE_MAX},
    {0},
};

static int check_events(config_reader *r, void *into)
{
    const config_services *s = into;

    if (s->event_first_retry_ms <= s->event_last_retry_ms)
        return 0;
    return error_set(&r->record.err, E_INVALID, "first_retry is longer than last_retry");
}

static const config_table kv_table = {kv_keys, NULL};
static const config_table storage_table = {storage_keys, NULL};
static const config_table events_table = {events_keys, check_events};

static const config_key services_keys[] = {
    {"kv", config_sub, .table = &kv_table},
    {"storage", config_sub, .table = &storage_table},
    {"events", config_sub, .table = &events_table},
    {0},
};

static const config_table project_table = {project_keys, NULL};
static const config_table server_table = {server_keys, NULL};
static const config_table services_table = {services_keys, NULL};

static const config_key root_keys[] = {
    {"project", config_sub, .table = &project_table},
    {"server", config_sub, .table = &server_table},
    {"limits", config_sub, .offset = offsetof(config, limits), .table = &config_limits_table},
    {"functions", config_functions, .table = &config_function_table},
    {"triggers", .read = config_triggers},
    {"middleware", config_sub, .offset = offsetof(config, middleware),
     .table = &config_middleware_table},
    {"env", config_env, .offset = offsetof(config, env)},
    {"services", config_sub, .offset = offsetof(config, services), .table = &services_table},
    {0},
};

const config_table config_root = {root_keys, NULL};
