#ifndef UBIQ_SERVICES_H
#define UBIQ_SERVICES_H

/**
 * @file services.h
 * Keys, files, events, other functions, configuration and variables.
 *
 * What a function may use of them, ubiq.toml says in its `permissions`. A negative result is one of
 * enum ubiq_code, and ubiq_error_text has the words for it; a function goes on after it. Functions
 * that end with _block give back a block where the others copy: for values of any size, and for
 * those that only go on to somewhere else. Keys and paths with a NUL in them need the ubiq_host_
 * functions.
 */

#include "json.h"
#include "text.h"

#ifdef __cplusplus
extern "C" {
#endif

/** @name Key-value storage, shared by the functions of a project
 * @{ */

/** The value of a key: a new block, or a code. */
static inline ubiq_result ubiq_kv_get_block(const char *key)
{
    ubiq_block k = ubiq_block_of_text(key);
    ubiq_result result = ubiq_host_kv_get(k);

    ubiq_block_free(k);
    return result;
}

/**
 * Copies the value of a key, without a NUL behind it.
 * @param to room for the value
 * @param size the size of that room; at most so much is copied
 * @return the length of the whole value, or a code: UBIQ_NOT_FOUND when there is no such key
 */
static inline ptrdiff_t ubiq_kv_get(const char *key, void *to, size_t size)
{
    return ubiq_take(ubiq_kv_get_block(key), to, size);
}

/** Sets a key.
 * @param ttl_ms after how many milliseconds it is gone; 0 for never
 * @return 0 once it is on disk, or a code */
static inline ubiq_result ubiq_kv_set(const char *key, const void *data, size_t size,
                                      int64_t ttl_ms)
{
    ubiq_block k = ubiq_block_of_text(key), v = ubiq_block_of(data, size);
    ubiq_result result = ubiq_host_kv_set(k, v, ttl_ms);

    ubiq_block_free(v);
    ubiq_block_free(k);
    return result;
}

/** Sets a key to a text, as ubiq_kv_set. */
static inline ubiq_result ubiq_kv_set_text(const char *key, const char *text, int64_t ttl_ms)
{
    return ubiq_kv_set(key, text, ubiq_text_size(text), ttl_ms);
}

/** Sets a key that is not there yet. 1 when it was set, 0 when it is there already, or a code. */
static inline ubiq_result ubiq_kv_set_if_absent(const char *key, const void *data, size_t size,
                                                int64_t ttl_ms)
{
    ubiq_block k = ubiq_block_of_text(key), v = ubiq_block_of(data, size);
    ubiq_result result = ubiq_host_kv_set_if_absent(k, v, ttl_ms);

    ubiq_block_free(v);
    ubiq_block_free(k);
    return result;
}

/** Sets a key if its value is `expected`. 1 when it was set, 0 when it is something else or not
 * there, or a code. */
static inline ubiq_result ubiq_kv_compare_and_set(const char *key, const void *expected,
                                                  size_t expected_size, const void *data,
                                                  size_t size, int64_t ttl_ms)
{
    ubiq_block k = ubiq_block_of_text(key), e = ubiq_block_of(expected, expected_size);
    ubiq_block v = ubiq_block_of(data, size);
    ubiq_result result = ubiq_host_kv_compare_and_set(k, e, v, ttl_ms);

    ubiq_block_free(v);
    ubiq_block_free(e);
    ubiq_block_free(k);
    return result;
}

/** Adds to the decimal number that a key has; one that is not there counts as 0.
 * @param number gets the new number; may be NULL
 * @return 0 once it is on disk, or a code: UBIQ_CONFLICT when the value is no such number */
static inline ubiq_result ubiq_kv_increment(const char *key, int64_t delta, int64_t *number)
{
    ubiq_block k = ubiq_block_of_text(key);
    ubiq_result result = ubiq_host_kv_increment(k, delta);

    ubiq_block_free(k);
    if (result < 0)
        return result;
    if (number)
        ubiq_json_int(ubiq_view_of((ubiq_block)result), number);
    ubiq_block_free((ubiq_block)result);
    return 0;
}

/** Deletes a key. 1 when it was there, 0 when not, or a code. */
static inline ubiq_result ubiq_kv_delete(const char *key)
{
    ubiq_block k = ubiq_block_of_text(key);
    ubiq_result result = ubiq_host_kv_delete(k);

    ubiq_block_free(k);
    return result;
}

/** A page of a list of keys or files. End it with ubiq_list_free. */
typedef struct ubiq_list {
    ubiq_block block;
    ubiq_json_walk walk;
} ubiq_list;

/** @cond */
UBIQ_FUNCTION ubiq_result ubiq_list_begin_(ubiq_list *list, ubiq_result result, const char *member)
{
    ubiq_view items;

    items.at = 0;
    items.size = 0;
    list->block = result < 0 ? 0 : (ubiq_block)result;
    if (list->block != 0)
        ubiq_json_member(ubiq_view_of(list->block), member, &items);
    list->walk = ubiq_json_walk_of(items);
    return result < 0 ? result : 0;
}
/** @endcond */

/**
 * Lists the keys that begin with a prefix, in the order of their bytes, of those that the function may
 * read:
 *
 *     char key[256], after[256] = "";
 *     ubiq_list page;
 *
 *     do {
 *         if (ubiq_kv_list(&page, "user:", after, 100) < 0)
 *             return ubiq_fail_last("listing users");
 *         while (ubiq_list_next(&page, key, sizeof key) >= 0)
 *             ...
 *         ubiq_list_end(&page, after, sizeof after);
 *     } while (after[0]);
 *
 * @param after the list begins behind this key; NULL or "" for the beginning
 * @param limit how many keys the page has at most, from 1
 * @return 0, or a code; `page` is an empty one then
 */
static inline ubiq_result ubiq_kv_list(ubiq_list *page, const char *prefix, const char *after,
                                       int64_t limit)
{
    ubiq_block p = ubiq_block_of_text(prefix), a = ubiq_block_of_text(after);
    ubiq_result result = ubiq_host_kv_list(p, a, limit);

    ubiq_block_free(a);
    ubiq_block_free(p);
    return ubiq_list_begin_(page, result, "keys");
}

/** The next item of a page as it stands in its JSON: 1, or 0 at the end. The view lasts as long as the
 * page. */
static inline int ubiq_list_next_view(ubiq_list *page, ubiq_view *item)
{
    return ubiq_json_next(&page->walk, NULL, item);
}

/** Copies the next key, or the next file's path, as a text with a NUL. Its whole length, or
 * UBIQ_NOT_FOUND at the end. */
UBIQ_FUNCTION ptrdiff_t ubiq_list_next(ubiq_list *page, char *to, size_t size)
{
    ubiq_view item;

    if (!ubiq_list_next_view(page, &item))
        return UBIQ_NOT_FOUND;
    if (extism_load_u8(item.at) == '{')
        return ubiq_json_member_text(item, "path", to, size);
    return ubiq_json_text(item, to, size);
}

/** Copies as a text with a NUL what the next page's `after` is, the empty text when there is none,
 * and frees the page. The text's length. */
UBIQ_FUNCTION ptrdiff_t ubiq_list_end(ubiq_list *page, char *after, size_t size)
{
    ptrdiff_t length = 0;

    if (size > 0)
        after[0] = '\0';
    if (page->block != 0)
        length = ubiq_json_member_text(ubiq_view_of(page->block), "next", after, size);
    if (length < 0 && size > 0)
        after[0] = '\0';
    ubiq_block_free(page->block);
    page->block = 0;
    page->walk.close = '\0';
    return length < 0 ? 0 : length;
}

/** @} */

/** @name Storage of files, by path, shared by the functions of a project
 * @{ */

/** What is stored at a path: a new block, or a code. */
static inline ubiq_result ubiq_storage_read_block(const char *path)
{
    ubiq_block p = ubiq_block_of_text(path);
    ubiq_result result = ubiq_host_storage_read(p);

    ubiq_block_free(p);
    return result;
}

/** Copies what is stored at a path, as ubiq_kv_get. */
static inline ptrdiff_t ubiq_storage_read(const char *path, void *to, size_t size)
{
    return ubiq_take(ubiq_storage_read_block(path), to, size);
}

/** Stores the bytes of a block at a path, all of them or none. 0 once they are on disk, or a code. */
static inline ubiq_result ubiq_storage_write_block(const char *path, ubiq_block data)
{
    ubiq_block p = ubiq_block_of_text(path);
    ubiq_result result = ubiq_host_storage_write(p, data);

    ubiq_block_free(p);
    return result;
}

/** Stores bytes at a path, as ubiq_storage_write_block. */
static inline ubiq_result ubiq_storage_write(const char *path, const void *data, size_t size)
{
    ubiq_block d = ubiq_block_of(data, size);
    ubiq_result result = ubiq_storage_write_block(path, d);

    ubiq_block_free(d);
    return result;
}

/** Deletes what is stored at a path. 1 when it was there, 0 when not, or a code. */
static inline ubiq_result ubiq_storage_delete(const char *path)
{
    ubiq_block p = ubiq_block_of_text(path);
    ubiq_result result = ubiq_host_storage_delete(p);

    ubiq_block_free(p);
    return result;
}

/** What is known of a stored file. */
typedef struct ubiq_file {
    int64_t size;
    char type[128];    /**< the media type that the path's ending stands for: "image/png" */
    char modified[32]; /**< "2026-01-31T12:00:00.000Z" */
} ubiq_file;

/** Reads {"size", "type", "modified"}, as an item of a list of files has it. */
UBIQ_FUNCTION void ubiq_file_of(ubiq_view item, ubiq_file *file)
{
    ubiq_view size;

    file->size = 0;
    if (ubiq_json_member(item, "size", &size))
        ubiq_json_int(size, &file->size);
    ubiq_json_member_text(item, "type", file->type, sizeof file->type);
    ubiq_json_member_text(item, "modified", file->modified, sizeof file->modified);
}

/** Says what is stored at a path. 0, or a code; `file` is unchanged then. */
static inline ubiq_result ubiq_storage_stat(const char *path, ubiq_file *file)
{
    ubiq_block p = ubiq_block_of_text(path);
    ubiq_result result = ubiq_host_storage_stat(p);

    ubiq_block_free(p);
    if (result < 0)
        return result;
    ubiq_file_of(ubiq_view_of((ubiq_block)result), file);
    ubiq_block_free((ubiq_block)result);
    return 0;
}

/** Lists the files whose paths begin with a prefix, as ubiq_kv_list does with keys. */
static inline ubiq_result ubiq_storage_list(ubiq_list *page, const char *prefix, const char *after,
                                            int64_t limit)
{
    ubiq_block p = ubiq_block_of_text(prefix), a = ubiq_block_of_text(after);
    ubiq_result result = ubiq_host_storage_list(p, a, limit);

    ubiq_block_free(a);
    ubiq_block_free(p);
    return ubiq_list_begin_(page, result, "items");
}

/** @} */

/** @name Events and other functions
 * @{ */

/** Emits an event to the functions whose triggers match its topic.
 * @param id gets the event's id as a text with a NUL, up to `id_size` bytes; may be NULL with 0
 * @return 0 once it is on disk, or a code */
static inline ubiq_result ubiq_events_emit(const char *topic, const void *payload, size_t size,
                                           char *id, size_t id_size)
{
    ubiq_block t = ubiq_block_of_text(topic), p = ubiq_block_of(payload, size);
    ubiq_result result = ubiq_host_events_emit(t, p);

    ubiq_block_free(p);
    ubiq_block_free(t);
    if (result >= 0)
        result = ubiq_take_text(result, id, id_size) < 0 ? (ubiq_result)UBIQ_INVALID : 0;
    return result;
}

/** Calls another function of the project: a new block with its output, or a code. */
static inline ubiq_result ubiq_invoke_block(const char *function, const void *input, size_t size)
{
    ubiq_block f = ubiq_block_of_text(function), p = ubiq_block_of(input, size);
    ubiq_result result = ubiq_host_invoke(f, p);

    ubiq_block_free(p);
    ubiq_block_free(f);
    return result;
}

/** Calls another function of the project and copies its output.
 * @return the length of the whole output, or a code */
static inline ptrdiff_t ubiq_invoke(const char *function, const void *input, size_t size, void *to,
                                    size_t to_size)
{
    return ubiq_take(ubiq_invoke_block(function, input, size), to, to_size);
}

/** @} */

/** @name Configuration and variables
 * @{ */

/** Copies the value of a configuration key as a text: up to `size` - 1 bytes and a NUL.
 * @param key a text that is not empty
 * @return the length of the whole value, or UBIQ_NOT_FOUND; the text is empty then */
static inline ptrdiff_t ubiq_config_get(const char *key, char *to, size_t size)
{
    ubiq_block value = extism_config_get(ubiq_block_of_text(key));

    if (size > 0)
        to[0] = '\0';
    return value == 0 ? (ptrdiff_t)UBIQ_NOT_FOUND : ubiq_take_text((ubiq_result)value, to, size);
}

/** Copies the value of a variable, as ubiq_kv_get copies. Variables last as long as the instance:
 * where every call has one of its own, they are there for that call only. */
static inline ptrdiff_t ubiq_var_get(const char *key, void *to, size_t size)
{
    ubiq_block value = extism_var_get(ubiq_block_of_text(key));

    return value == 0 ? (ptrdiff_t)UBIQ_NOT_FOUND : ubiq_take((ubiq_result)value, to, size);
}

/** Sets a variable; no bytes remove it. */
static inline void ubiq_var_set(const char *key, const void *data, size_t size)
{
    extism_var_set(ubiq_block_of_text(key), ubiq_block_of(data, size));
}

/** @} */

#ifdef __cplusplus
}
#endif

#endif
