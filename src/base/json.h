#ifndef UBIQ_BASE_JSON_H
#define UBIQ_BASE_JSON_H

#include "base/buf.h"

/* A strict reader of JSON text (RFC 8259). The caller walks through the text and says what it wants
 * next; no tree is built and nothing recurses, so neither depth nor size of a hostile text costs
 * anything. Whole numbers have all 64 bits, a name that comes twice is seen twice, and a NUL may
 * stand in a string: three things that a reader into a tree of doubles or int64_t loses.
 * The reader borrows the text, which must be UTF-8 (slice_is_utf8). After an error it stays where
 * the error is. Not shared between threads. */
typedef struct json_reader {
    slice text;
    size_t at;
} json_reader;

/* What comes next. */
enum json_kind {
    JSON_OBJECT,
    JSON_ARRAY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_BOOL,
    JSON_NULL,
    JSON_END,  /* nothing any more */
    JSON_OTHER /* nothing that can begin a value */
};

/* Skips white space and says what begins there, by its first byte. */
enum json_kind json_peek(json_reader *r);

/* "a string", "an object": for messages. Static. */
const char *json_kind_name(enum json_kind kind);

/* Enters an array or object. E_INVALID when something else comes. */
int json_enter(json_reader *r, enum json_kind kind, error *err) MUST_CHECK;

/* Steps to the element or member number `index` (from 0) of the array or object that was entered:
 * 1 when there is one, 0 when it has ended and was left, E_INVALID. */
int json_next(json_reader *r, enum json_kind kind, size_t index, error *err) MUST_CHECK;

/* Reads a member's name, which is appended to `out`, and its colon. E_INVALID, or as buf_append. */
int json_name(json_reader *r, buf *out, error *err) MUST_CHECK;

/* Reads a string and appends it, unescaped. E_INVALID, or as buf_append. */
int json_string(json_reader *r, buf *out, error *err) MUST_CHECK;

/* Reads a whole number from 0 to `max`, written without fraction and exponent. E_INVALID. */
int json_uint(json_reader *r, uint64_t max, uint64_t *out, error *err) MUST_CHECK;

/* Reads true or false. E_INVALID when something else comes. */
int json_bool(json_reader *r, bool *out, error *err) MUST_CHECK;

/* Reads null. E_INVALID when something else comes. */
int json_null(json_reader *r, error *err) MUST_CHECK;

/* Reads a value of any kind and appends it to `out` without white space, or only makes sure that it is
 * one when `out` is NULL. E_INVALID, for arrays and objects nested deeper than JSON_NESTING_MAX too; or
 * as buf_append. */
int json_copy(json_reader *r, buf *out, error *err) MUST_CHECK;

#define JSON_NESTING_MAX 256

/* Makes sure that only white space is left. */
int json_end(json_reader *r, error *err) MUST_CHECK;

/* Appends `text` as a JSON string with its quotes. `text` must be UTF-8. As buf_append. */
int json_put_string(buf *out, slice text) MUST_CHECK;

/* The same for any bytes: what is not UTF-8 becomes U+FFFD. */
int json_put_bytes(buf *out, slice bytes) MUST_CHECK;

#endif
