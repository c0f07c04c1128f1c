#ifndef UBIQ_APP_LIMITS_H
#define UBIQ_APP_LIMITS_H

#include "services/limits.h"

/* Every limit of a project and its functions, in bytes unless it says otherwise. Those of the services,
 * with the defaults of [services.kv] and [services.storage], are in services/limits.h. */

/* Defaults of what ubiq.toml can change: [limits], */
#define LIMIT_CPU_MS 5000
#define LIMIT_WALL_MS 30000
#define LIMIT_MEMORY_BYTES (64UL * 1024 * 1024)
#define LIMIT_REQUEST_BYTES (1024UL * 1024)
#define LIMIT_RESPONSE_BYTES (10UL * 1024 * 1024)
#define LIMIT_HTTP_RESPONSE_BYTES (10UL * 1024 * 1024)
#define LIMIT_HTTP_REQUESTS 20

/* [services.events], */
#define LIMIT_EVENT_BYTES (256UL * 1024)
#define LIMIT_EVENTS_PENDING 100000
#define LIMIT_EVENT_ATTEMPTS 8
#define LIMIT_EVENT_FIRST_RETRY_MS 1000
#define LIMIT_EVENT_LAST_RETRY_MS (5UL * 60 * 1000)
#define LIMIT_EVENTS_AT_ONCE 32

/* and [middleware]. */
#define LIMIT_RATE_REQUESTS 100
#define LIMIT_RATE_MS (60UL * 1000)
#define LIMIT_PREFLIGHT_MS (60UL * 60 * 1000)
#define LIMIT_COMPRESS_BYTES 1024

/* The most that ubiq.toml may say. */
#define LIMIT_MS_MAX (24UL * 60 * 60 * 1000)
#define LIMIT_BODY_BYTES_MAX (1024UL * 1024 * 1024)
#define LIMIT_MEMORY_BYTES_MAX (4UL * 1024 * 1024 * 1024)
#define LIMIT_HTTP_REQUESTS_MAX 100000
#define LIMIT_KV_KEY_BYTES_MAX 4096
#define LIMIT_KV_VALUE_BYTES_MAX (64UL * 1024 * 1024)
#define LIMIT_TOTAL_BYTES_MAX (1UL << 50)
#define LIMIT_COUNT_MAX (1UL << 40)
#define LIMIT_EVENT_BYTES_MAX (16UL * 1024 * 1024)
#define LIMIT_EVENT_ATTEMPTS_MAX 1000
#define LIMIT_EVENTS_AT_ONCE_MAX 1000

#define LIMIT_CONFIG_BYTES (1024UL * 1024) /* ubiq.toml, and .env */
#define LIMIT_PROBLEMS 100                 /* that are told of a project */
#define LIMIT_NAME_BYTES 128               /* of a project, a header, and the like */
#define LIMIT_TEXT_BYTES (64UL * 1024)     /* of other texts in ubiq.toml */
#define LIMIT_FUNCTION_FILE_BYTES (512UL * 1024 * 1024)
#define LIMIT_FUNCTIONS 100000 /* of a project */
#define LIMIT_ROUTE_BYTES 512
#define LIMIT_ROUTE_PARAMS 16
#define LIMIT_PATH_BYTES 8192 /* of a URL */
#define LIMIT_PUBLIC_FILES 100000
#define LIMIT_DIRECTORY_DEPTH 16
#define LIMIT_HOST_RESULT_BYTES (2 * LIMIT_KV_VALUE_BYTES_MAX) /* what a host function gives back */
#define LIMIT_HOST_FILE_BYTES (1024UL * 1024 * 1024) /* the same for a file, which has its own limit */
#define LIMIT_TOPIC_BYTES 256
#define LIMIT_EVENT_HOPS 16                          /* of events that are emitted for events */
#define LIMIT_INVOKE_DEPTH 8                         /* of functions that invoke functions */
#define LIMIT_INVOCATIONS 1000                       /* that one sets off, with those that they do */
#define LIMIT_LOGGED_BYTES (1024UL * 1024)           /* by one with those that it sets off */
#define LIMIT_REQUEST_JSON_BYTES (1024UL * 1024)     /* of what ubiq_request gives */
#define LIMIT_RESPONSE_HEAD_BYTES (16 * 1024)        /* of the headers that a function sets */
#define LIMIT_RESPONSE_HEADERS 80 /* that it sets: with the server's own, clients take 100 */
#define LIMIT_TRACE_BYTES (16 * 1024)                /* of what a function says of itself */
#define LIMIT_WORKERS 256
#define LIMIT_METHODS 16 /* that a function's methods name */
#define LIMIT_METHOD_BYTES 32
#define LIMIT_CONTENT_TYPE_BYTES 128
#define LIMIT_PERMISSIONS 1000 /* of a function */
#define LIMIT_PERMISSION_BYTES 1024

#endif
