#ifndef UBIQ_EXTISM_LIMITS_H
#define UBIQ_EXTISM_LIMITS_H

/* Every limit of the host library and its default, in bytes unless it says otherwise. */

#define LIMIT_VAR_BYTES (1024 * 1024)                  /* manifest memory.max_var_bytes */
#define LIMIT_HTTP_RESPONSE_BYTES (50 * 1024 * 1024)   /* manifest memory.max_http_response_bytes */
#define LIMIT_MODULE_BYTES (512UL * 1024 * 1024)       /* a module, from a file or over HTTP */
#define LIMIT_MANIFEST_BYTES (1024UL * 1024 * 1024)    /* a manifest with its modules in base64 */
#define LIMIT_LOG_LINES 65536                          /* buffered for extism_log_drain; oldest go first */

#endif
