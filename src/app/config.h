#ifndef UBIQ_APP_CONFIG_H
#define UBIQ_APP_CONFIG_H

#include "base/error.h"
#include "base/strmap.h"

/* What a project's ubiq.toml says, with the defaults for what it does not say. */

/* A list of texts; each is owned. */
typedef struct config_list {
    char **item;
    size_t count;
    bool given;
} config_list;

/* [functions."<name>"]; NULL for what it does not say. */
typedef struct config_function {
    char *name;
    char *entry;
    char *route;
    char *content_type; /* of its output */
    config_list methods;
    config_list allowed_hosts;
    strmap config; /* what the function's config_get reads */
} config_function;

typedef struct config {
    char *name;       /* of the project, or NULL */
    char *version;    /* likewise */
    char *listen;     /* "ADDRESS:PORT", or NULL */
    uint32_t workers; /* 0: one a core */
    uint64_t wall_ms;
    uint64_t request_bytes;
    uint64_t response_bytes;
    uint64_t memory_bytes;
    config_function *functions;
    size_t function_count;
} config;

/* Reads the file at `path`; that there is none is fine, and the defaults hold. On success the
 * caller ends `out` with config_deinit; on failure it is empty. E_INVALID for what is not TOML,
 * for an unknown key (the text names the nearest known one) and for a value that is not what its
 * key takes: the text names file and key. E_IO, E_NO_MEMORY. */
int config_read(config *out, const char *path, error *err) MUST_CHECK;

/* Frees the content. Takes an all-zero one. */
void config_deinit(config *c);

/* Frees the content. Takes an all-zero one. */
void config_list_deinit(config_list *l);

#endif
