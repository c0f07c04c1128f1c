#ifndef UBIQ_EXTISM_LOG_FILTER_H
#define UBIQ_EXTISM_LOG_FILTER_H

/* The part of log.c that knows the filter's language, which log.h describes. */

#include "extism/log.h"

typedef struct log_directive {
    slice target; /* in the filter's text; empty for every target */
    enum log_level level;
} log_directive;

typedef struct log_filter {
    char *text;
    log_directive *directive;
    size_t count;
    enum log_level max; /* of all directives */
} log_filter;

/* Reads a filter. E_INVALID when it is not UTF-8, or E_NO_MEMORY; `out` is empty then. */
int log_filter_init(log_filter *out, const char *text, error *err) MUST_CHECK;

void log_filter_deinit(log_filter *f);

/* Whether the level is on for a target such as "extism::pdk". */
bool log_filter_enabled(const log_filter *f, enum log_level level, slice target);

#endif
