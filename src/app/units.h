#ifndef UBIQ_APP_UNITS_H
#define UBIQ_APP_UNITS_H

#include "base/buf.h"

/* Durations and sizes as ubiq.toml has them: a whole number and a unit, without a space. */

/* Append them with the largest unit that leaves a whole number. As buf_append. */
int units_put_duration(buf *out, uint64_t ms) MUST_CHECK;
int units_put_size(buf *out, uint64_t bytes) MUST_CHECK;

/* "250ms", "30s", "5m", "1h" in milliseconds. E_INVALID for anything else, and for none or more
 * than `max`. */
int units_read_duration(const char *text, uint64_t max, uint64_t *out_ms, error *err) MUST_CHECK;

/* "100B", "10KiB", "64MiB", "2GiB" in bytes. Errors likewise. */
int units_read_size(const char *text, uint64_t max, uint64_t *out_bytes, error *err) MUST_CHECK;

#endif
