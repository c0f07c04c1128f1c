#include "base/strmap.h"

#include <stdlib.h>

/* Where `key` is, or where it would stand; whether it is there in `found`. */
static size_t find(const strmap *m, slice key, bool *found)
{
    size_t low = 0;
    size_t high = m->count;

    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const strmap_entry *e = &m->entry[middle];
        size_t shorter = key.len < e->key_len ? key.len : e->key_len;
        int order = shorter ? memcmp(key.data, e->key, shorter) : 0;

        if (order == 0 && key.len == e->key_len) {
            *found = true;
            return middle;
        }
        if (order < 0 || (order == 0 && key.len < e->key_len))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* A copy with a NUL behind it, or NULL. */
static uint8_t *copy(slice s)
{
    uint8_t *bytes = s.len < SIZE_MAX ? malloc(s.len + 1) : NULL;

    if (!bytes)
        return NULL;
    if (s.len)
        memcpy(bytes, s.data, s.len);
    bytes[s.len] = '\0';
    return bytes;
}

static bool make_room(strmap *m)
{
    size_t capacity = m->capacity ? m->capacity * 2 : 8;
    strmap_entry *entry;

    if (m->count < m->capacity)
        return true;
    if (capacity > SIZE_MAX / sizeof *entry)
        return false;
    entry = realloc(m->entry, capacity * sizeof *entry);
    if (!entry)
        return false;
    m->entry = entry;
    m->capacity = capacity;
    return true;
}

void strmap_deinit(strmap *m)
{
    for (size_t i = 0; i < m->count; i++) {
        free(m->entry[i].key);
        free(m->entry[i].value);
    }
    free(m->entry);
    *m = (strmap){0};
}

int strmap_set(strmap *m, slice key, slice value)
{
    bool found;
    size_t at = find(m, key, &found);
    uint8_t *value_copy = copy(value);
    uint8_t *key_copy = NULL;

    if (!value_copy)
        return E_NO_MEMORY;
    if (found) {
        free(m->entry[at].value);
        m->entry[at].value = value_copy;
        m->entry[at].value_len = value.len;
        return 0;
    }
    key_copy = copy(key);
    if (!key_copy || !make_room(m)) {
        free(key_copy);
        free(value_copy);
        return E_NO_MEMORY;
    }
    memmove(&m->entry[at + 1], &m->entry[at], (m->count - at) * sizeof *m->entry);
    m->entry[at] = (strmap_entry){
        .key = key_copy, .key_len = key.len, .value = value_copy, .value_len = value.len};
    m->count++;
    return 0;
}

bool strmap_get(const strmap *m, slice key, slice *value)
{
    bool found;
    size_t at = find(m, key, &found);

    if (found && value)
        *value = slice_of(m->entry[at].value, m->entry[at].value_len);
    return found;
}

bool strmap_remove(strmap *m, slice key)
{
    bool found;
    size_t at = find(m, key, &found);

    if (!found)
        return false;
    free(m->entry[at].key);
    free(m->entry[at].value);
    m->count--;
    memmove(&m->entry[at], &m->entry[at + 1], (m->count - at) * sizeof *m->entry);
    return true;
}

int strmap_copy(strmap *out, const strmap *from)
{
    for (size_t i = 0; i < from->count; i++) {
        const strmap_entry *e = &from->entry[i];

        if (strmap_set(out, slice_of(e->key, e->key_len), slice_of(e->value, e->value_len))) {
            strmap_deinit(out);
            return E_NO_MEMORY;
        }
    }
    return 0;
}
