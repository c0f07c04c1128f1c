#ifndef UBIQ_BASE_TOML_H
#define UBIQ_BASE_TOML_H

#include "base/buf.h"

/* Appends the JSON text that says what a TOML text says, so that there is one configuration model.
 * TOML 1.0, and of 1.1 the escapes \e and \x and line breaks in inline tables. E_INVALID with the
 * line and column in the error's text: for what is not TOML, for what JSON has no form for (dates,
 * times, nan, inf), for a whole number outside int64_t, and for keys or values nested more than
 * TOML_NESTING_MAX deep. Nothing is appended on failure. Any thread. */
int toml_to_json(slice text, buf *out, error *err) MUST_CHECK;

/* The parts of one key, and, counted apart, the arrays and inline tables around a value. */
#define TOML_NESTING_MAX 16

#endif
