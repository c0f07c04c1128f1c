#ifndef UBIQ_CLI_CALL_OPTIONS_H
#define UBIQ_CLI_CALL_OPTIONS_H

#include "base/strmap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The values of a flag that may come more than once, in their order. */
typedef struct call_list {
    const char **item;
    size_t count;
} call_list;

/* What the arguments of `ubiq call` say; the plain strings are those of argv. */
typedef struct call_options {
    const char *file;       /* a path or URL of a module, or of a manifest */
    const char *function;   /* the export to call */
    const char *input;      /* NULL when it is not given */
    const char *log_level;  /* never NULL */
    strmap config;          /* what --set-config and --config make together; UTF-8 */
    const char *set_config; /* a JSON object, or NULL */
    call_list config_pairs; /* KEY=VALUE */
    call_list links;        /* NAME=PATH */
    call_list hosts;        /* that may be reached over HTTP */
    call_list paths;        /* HOST:GUEST */
    bool read_stdin;
    bool is_manifest;
    bool wasi;
    bool http_response_headers;
    bool help;                 /* nothing else was looked at */
    int64_t loop;              /* how often to call */
    uint64_t timeout_ms;       /* 0: none */
    uint32_t memory_pages;     /* 0: no maximum of its own */
    int64_t http_response_max; /* bytes; negative: the default */
    int64_t var_max;           /* bytes; negative: the default */
} call_options;

/* Reads the arguments; argv[0] is not looked at, and the others change their order as getopt_long
 * does it. The caller ends `out` with call_options_deinit, whatever is returned. E_INVALID with a
 * text for the user, E_NO_MEMORY. Uses getopt's state, so for one thread only. */
int call_options_parse(int argc, char **argv, call_options *out, error *err) MUST_CHECK;

void call_options_deinit(call_options *o);

#endif
