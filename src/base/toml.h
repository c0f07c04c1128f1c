#ifndef UBIQ_BASE_TOML_H
#define UBIQ_BASE_TOML_H

#include "base/buf.h"

/* Where a key, a value or an element of an array begins in the JSON text, and its line in the TOML text
 * from 1. */
typedef struct toml_mark {
    size_t at;
    unsigned line;
} toml_mark;

/* Appends the JSON text that says what a TOML text says, so that there is one configuration model.
 * TOML 1.0, and of 1.1 the escapes \e and \x and line breaks in inline tables. `marks`, which may be
 * NULL, gets a toml_mark for each part of it, in the order of their offsets. E_INVALID, whose text
 * begins with "line L, column C: " where it is about a place: for what is not TOML, for what JSON has no form for (dates,
 * times, nan, inf), for a whole number outside int64_t, and for keys or values nested more than
 * TOML_NESTING_MAX deep. Nothing is appended on failure. Any thread. */
int toml_to_json(slice text, buf *out, buf *marks, error *err) MUST_CHECK;

/* The line of what stands at an offset of the JSON text: that of the last mark up to there; 0 when there
 * is none. */
unsigned toml_line(const buf *marks, size_t at);

/* The parts of one key, and, counted apart, the arrays and inline tables around a value. */
#define TOML_NESTING_MAX 16

#endif
