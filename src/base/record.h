#ifndef UBIQ_BASE_RECORD_H
#define UBIQ_BASE_RECORD_H

#include "base/json.h"
#include "base/strmap.h"

/* Reads JSON into C structs by tables of their fields, as strictly as Rust's serde does with
 * deny_unknown_fields: an unknown name, a name that comes twice and a wrong type are errors, and
 * the message says which name was meant. Functions return 0, E_INVALID (with the text in `err`) or
 * E_NO_MEMORY; after an error `path` still says where it is. */

#define RECORD_FIELDS_MAX 8

typedef struct record_reader {
    json_reader json;
    buf text;       /* the string or the name that was read last */
    char path[256]; /* what is being read: "wasm[0].hash" */
    size_t path_len;
    error err; /* what is wrong there */
} record_reader;

/* Reads the value of a field of `into`. */
typedef int (*record_read)(record_reader *r, void *into);

typedef struct record_field {
    const char *name;
    record_read read;
} record_field;

/* An object with known names. As with serde, an array of the values in the order of the fields is
 * taken for it too, unless only_object; the fields from number `optional_from` on may be missing at
 * such an array's end. */
typedef struct record_shape {
    record_field fields[RECORD_FIELDS_MAX];
    size_t count;
    size_t optional_from;
    bool only_object;
} record_shape;

/* Begins to read `text`, which must be UTF-8 and outlive the reader. */
void record_init(record_reader *r, slice text);

/* Frees what the reader holds; nothing of what was read. */
void record_deinit(record_reader *r);

/* Reads an object; which fields were there, as bits in their order, in `seen`. */
int record_object(record_reader *r, const record_shape *s, void *into, unsigned *seen) MUST_CHECK;

/* Reads a string without a NUL in it; `*out` is the caller's to free. */
int record_text(record_reader *r, char **out) MUST_CHECK;

/* The same, or null, which leaves `*out` as it is. */
int record_optional_text(record_reader *r, char **out) MUST_CHECK;

/* Reads a whole number from 0 to `max`, or null, which leaves `*has` and `*out` as they are. */
int record_optional_uint(record_reader *r, uint64_t max, bool *has, uint64_t *out) MUST_CHECK;

/* Reads an object of strings into `map`. Of a name that comes twice the last value stands. */
int record_map(record_reader *r, strmap *map) MUST_CHECK;

/* Whether null comes next. */
bool record_at_null(record_reader *r);

/* Says in `path` that the element of an array is read; what the path was is what record_leave is
 * given afterwards: save path_len before. */
void record_enter_element(record_reader *r, size_t index);
void record_leave(record_reader *r, size_t path_len);

/* Sets and returns E_NO_MEMORY. */
int record_no_memory(record_reader *r);

/* The array with room for one element more than `count`, which grows by doubling; NULL when memory
 * runs out, and the array stands then. */
void *record_make_room(void *array, size_t count, size_t size);

#endif
