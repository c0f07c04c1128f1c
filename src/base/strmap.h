#ifndef UBIQ_BASE_STRMAP_H
#define UBIQ_BASE_STRMAP_H

#include "base/error.h"
#include "base/slice.h"

/* A map from byte strings to byte strings, in byte order of the keys. It owns copies of both. Small
 * maps are meant (configuration, variables, headers): look-up is a binary search. Not shared
 * between threads. */
typedef struct strmap_entry {
    uint8_t *key; /* NUL behind it, not counted */
    size_t key_len;
    uint8_t *value; /* NUL behind it, not counted */
    size_t value_len;
} strmap_entry;

typedef struct strmap {
    strmap_entry *entry; /* sorted by key */
    size_t count;
    size_t capacity;
} strmap;

/* Frees all; the map may be used again. Takes an all-zero strmap, which is also an empty one. */
void strmap_deinit(strmap *m);

/* Sets a key. Only E_NO_MEMORY can happen; the map is unchanged then. */
int strmap_set(strmap *m, slice key, slice value) MUST_CHECK;

/* Whether the key was there; its value in `value` (which may be NULL), valid until `m` changes. */
bool strmap_get(const strmap *m, slice key, slice *value);

/* Whether the key was there and is now gone. */
bool strmap_remove(strmap *m, slice key);

/* Makes `out` (empty) a copy. E_NO_MEMORY leaves it empty. */
int strmap_copy(strmap *out, const strmap *from) MUST_CHECK;

#endif
