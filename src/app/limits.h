#ifndef UBIQ_APP_LIMITS_H
#define UBIQ_APP_LIMITS_H

/* Every limit of a project and its functions, in bytes unless it says otherwise. Those that
 * ubiq.toml can change are defaults. */

#define LIMIT_WALL_MS 30000                       /* [limits] wall_time */
#define LIMIT_REQUEST_BYTES (1024UL * 1024)       /* [limits] request */
#define LIMIT_RESPONSE_BYTES (10UL * 1024 * 1024) /* [limits] response */
#define LIMIT_MEMORY_BYTES (64UL * 1024 * 1024)   /* [limits] memory */

/* The most that [limits] may say. */
#define LIMIT_WALL_MS_MAX (24UL * 60 * 60 * 1000)
#define LIMIT_BODY_BYTES_MAX (1024UL * 1024 * 1024)
#define LIMIT_MEMORY_BYTES_MAX (4UL * 1024 * 1024 * 1024)

#define LIMIT_FETCHED_BYTES (10UL * 1024 * 1024) /* what a function may get over HTTP at once */
#define LIMIT_CONFIG_BYTES (1024UL * 1024)       /* ubiq.toml */
#define LIMIT_FUNCTION_FILE_BYTES (512UL * 1024 * 1024)
#define LIMIT_FUNCTIONS 100000 /* of a project */
#define LIMIT_ROUTE_BYTES 512
#define LIMIT_DIRECTORY_DEPTH 16
#define LIMIT_HOST_RESULT_BYTES (8UL * 1024 * 1024) /* what a host function gives back at once */
#define LIMIT_HOST_FILE_BYTES (1024UL * 1024 * 1024) /* the same for a file, which has its own limit */
#define LIMIT_INVOKE_DEPTH 8                         /* of functions that invoke functions */
#define LIMIT_REQUEST_JSON_BYTES (1024UL * 1024)     /* of what ubiq_request gives */
#define LIMIT_RESPONSE_HEAD_BYTES (16 * 1024)        /* of the headers that a function sets */
#define LIMIT_TRACE_BYTES (16 * 1024)                /* of what a function says of itself */
#define LIMIT_WORKERS 256
#define LIMIT_METHODS 16 /* that a function's methods name */
#define LIMIT_METHOD_BYTES 32
#define LIMIT_CONTENT_TYPE_BYTES 128
#define LIMIT_PERMISSIONS 1000 /* of a function */
#define LIMIT_PERMISSION_BYTES 1024

#endif
