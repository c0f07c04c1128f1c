#include "base/record.h"

#include <stdio.h>
#include <stdlib.h>

#define NAME_SHOWN 64 /* of a long name, in the path */

void record_init(record_reader *r, slice text)
{
    *r = (record_reader){.json = {.text = text}};
    buf_init(&r->text, text.len);
}

void record_deinit(record_reader *r)
{
    buf_deinit(&r->text);
    error_deinit(&r->err);
}

int record_no_memory(record_reader *r)
{
    return error_set(&r->err, E_NO_MEMORY, "%s", error_code_name(E_NO_MEMORY));
}

/* Goes down to a member, whose name may be anything at all. On success the caller goes back up with
 * the length the path had; on failure the path stays, for the message. */
static void enter_member(record_reader *r, slice name)
{
    size_t room = sizeof r->path - 1 - r->path_len;
    size_t len = name.len < NAME_SHOWN ? name.len : NAME_SHOWN;

    if (r->path_len && room) {
        r->path[r->path_len++] = '.';
        room--;
    }
    len = slice_utf8_prefix(slice_of(name.data, len < room ? len : room));
    for (size_t i = 0; i < len; i++) {
        uint8_t c = name.data[i];

        r->path[r->path_len++] = c < ' ' || c == 0x7f ? '?' : (char)c;
    }
    r->path[r->path_len] = '\0';
}

void record_enter_element(record_reader *r, size_t index)
{
    size_t room = sizeof r->path - r->path_len;
    int len = snprintf(r->path + r->path_len, room, "[%zu]", index);

    r->path_len = len < 0 || (size_t)len >= room ? sizeof r->path - 1 : r->path_len + (size_t)len;
}

void record_leave(record_reader *r, size_t path_len)
{
    r->path_len = path_len;
    r->path[path_len] = '\0';
}

void *record_make_room(void *array, size_t count, size_t size)
{
    size_t capacity = count ? count * 2 : 1;

    if (count & (count - 1))
        return array;
    return capacity <= SIZE_MAX / size ? realloc(array, capacity * size) : NULL;
}

static int unknown_key(record_reader *r, const record_shape *s)
{
    const char *names[RECORD_FIELDS_MAX];
    const char *nearest;

    for (size_t i = 0; i < s->count; i++)
        names[i] = s->fields[i].name;
    nearest = slice_nearest(buf_slice(&r->text), names, s->count);
    return error_set(&r->err, E_INVALID, "unknown key%s%s%s", nearest ? ", did you mean " : "",
                     nearest ? nearest : "", nearest ? "?" : "");
}

static int read_member(record_reader *r, const record_shape *s, void *into, unsigned *seen)
{
    size_t path_len = r->path_len;
    size_t i = 0;
    int rc;

    buf_clear(&r->text);
    rc = json_name(&r->json, &r->text, &r->err);
    if (rc)
        return rc;
    enter_member(r, buf_slice(&r->text));
    while (i < s->count && !slice_equal_str(buf_slice(&r->text), s->fields[i].name))
        i++;
    if (i == s->count)
        return unknown_key(r, s);
    if (*seen & 1U << i)
        return error_set(&r->err, E_INVALID, "the key comes twice");
    *seen |= 1U << i;
    rc = s->fields[i].read(r, into);
    if (rc == 0)
        record_leave(r, path_len);
    return rc;
}

static int read_positional(record_reader *r, const record_shape *s, void *into)
{
    size_t path_len = r->path_len;
    size_t i;
    int rc = json_enter(&r->json, JSON_ARRAY, &r->err);

    if (rc)
        return rc;
    for (i = 0; (rc = json_next(&r->json, JSON_ARRAY, i, &r->err)) > 0; i++) {
        if (i == s->count)
            return error_set(&r->err, E_INVALID, "an array of more than %zu values", s->count);
        enter_member(r, slice_str(s->fields[i].name));
        rc = s->fields[i].read(r, into);
        if (rc)
            return rc;
        record_leave(r, path_len);
    }
    if (rc == 0 && i < s->optional_from)
        return error_set(&r->err, E_INVALID, "an array of less than %zu values", s->optional_from);
    return rc;
}

int record_object(record_reader *r, const record_shape *s, void *into, unsigned *seen)
{
    int rc;

    *seen = 0;
    if (!s->only_object && json_peek(&r->json) == JSON_ARRAY) {
        *seen = (1U << s->count) - 1;
        return read_positional(r, s, into);
    }
    rc = json_enter(&r->json, JSON_OBJECT, &r->err);
    if (rc)
        return rc;
    for (size_t i = 0; (rc = json_next(&r->json, JSON_OBJECT, i, &r->err)) > 0; i++) {
        rc = read_member(r, s, into, seen);
        if (rc)
            return rc;
    }
    return rc;
}

bool record_at_null(record_reader *r)
{
    return json_peek(&r->json) == JSON_NULL;
}

int record_text(record_reader *r, char **out)
{
    int rc;

    buf_clear(&r->text);
    rc = json_string(&r->json, &r->text, &r->err);
    if (rc)
        return rc;
    if (r->text.len && memchr(r->text.data, 0, r->text.len))
        return error_set(&r->err, E_INVALID, "must not contain a NUL");
    *out = strndup(r->text.len ? (const char *)r->text.data : "", r->text.len);
    return *out ? 0 : record_no_memory(r);
}

int record_optional_text(record_reader *r, char **out)
{
    return record_at_null(r) ? json_null(&r->json, &r->err) : record_text(r, out);
}

int record_optional_uint(record_reader *r, uint64_t max, bool *has, uint64_t *out)
{
    int rc;

    if (record_at_null(r))
        return json_null(&r->json, &r->err);
    rc = json_uint(&r->json, max, out, &r->err);
    *has = rc == 0;
    return rc;
}

static int read_pair(record_reader *r, strmap *map)
{
    size_t path_len = r->path_len;
    buf name;
    int rc;

    buf_init(&name, r->json.text.len);
    rc = json_name(&r->json, &name, &r->err);
    if (rc)
        goto done;
    enter_member(r, buf_slice(&name));
    buf_clear(&r->text);
    rc = json_string(&r->json, &r->text, &r->err);
    if (rc)
        goto done;
    record_leave(r, path_len);
    if (strmap_set(map, buf_slice(&name), buf_slice(&r->text)))
        rc = record_no_memory(r);
done:
    buf_deinit(&name);
    return rc;
}

int record_map(record_reader *r, strmap *map)
{
    int rc = json_enter(&r->json, JSON_OBJECT, &r->err);

    if (rc)
        return rc;
    for (size_t i = 0; (rc = json_next(&r->json, JSON_OBJECT, i, &r->err)) > 0; i++) {
        rc = read_pair(r, map);
        if (rc)
            return rc;
    }
    return rc;
}
