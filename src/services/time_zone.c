#include "services/time_zone.h"

#include "base/file.h"
#include "services/limits.h"
#include "services/time_zone_rule.h"

#include <stdlib.h>

#define DIRECTORY "/usr/share/zoneinfo/"
#define HEADER_BYTES 44
#define TYPE_BYTES 6
#define MIN_OFFSET (-89999) /* RFC 9636 */
#define MAX_OFFSET 93599

struct time_zone {
    int64_t *time; /* at which the offset of the same number begins to hold, ascending */
    int32_t *offset;
    size_t count;
    int32_t first_offset; /* before all of them */
    bool has_rule;        /* from the last one on */
    time_zone_rule rule;
};

static uint64_t read_be(const uint8_t *p, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | p[i];
    return value;
}

/* One of a file's two blocks: the same data, with times of 4 bytes and then of 8. */
typedef struct block {
    int version;
    size_t time_bytes;
    size_t times, types;
    const uint8_t *time;  /* of each change */
    const uint8_t *index; /* its type */
    const uint8_t *type;
} block;

/* Reads a block's header, and takes header and block off `rest`. NULL, or what is wrong. */
static const char *read_block(slice *rest, size_t time_bytes, block *out)
{
    size_t
        count[6]; /* UT indicators, standard indicators, leap seconds, times, types, characters */
    uint64_t size;

    if (rest->len < HEADER_BYTES || memcmp(rest->data, "TZif", 4) != 0)
        return "no time zone file";
    for (size_t i = 0; i < 6; i++)
        count[i] = (size_t)read_be(rest->data + 20 + 4 * i, 4);
    size = (uint64_t)count[3] * (time_bytes + 1) + (uint64_t)count[4] * TYPE_BYTES + count[5] +
           (uint64_t)count[2] * (time_bytes + 4) + count[1] + count[0];
    if (size > rest->len - HEADER_BYTES)
        return "the time zone file is cut off";
    if (count[2] != 0)
        return "the time zone counts leap seconds; use the one without \"right/\"";
    out->version = rest->data[4];
    out->time_bytes = time_bytes;
    out->times = count[3];
    out->types = count[4];
    out->time = rest->data + HEADER_BYTES;
    out->index = out->time + out->times * time_bytes;
    out->type = out->index + out->times;
    *rest = slice_of(rest->data + HEADER_BYTES + size, rest->len - HEADER_BYTES - (size_t)size);
    return NULL;
}

static const char *type_offset(const block *b, size_t type, int32_t *out)
{
    if (type >= b->types)
        return "the time zone file names a type that it does not have";
    *out = (int32_t)(uint32_t)read_be(b->type + type * TYPE_BYTES, 4);
    return *out < MIN_OFFSET || *out > MAX_OFFSET ? "an offset of the time zone is out of range"
                                                  : NULL;
}

static int64_t change_time(const block *b, size_t i)
{
    uint64_t value = read_be(b->time + i * b->time_bytes, b->time_bytes);

    return b->time_bytes == 4 ? (int32_t)(uint32_t)value : (int64_t)value;
}

/* Takes over the changes. NULL, or what is wrong. */
static const char *read_changes(time_zone *z, const block *b)
{
    const char *wrong = type_offset(b, 0, &z->first_offset);

    for (size_t i = 0; i < b->times && !wrong; i++) {
        z->time[i] = change_time(b, i);
        if (i > 0 && z->time[i] <= z->time[i - 1])
            return "the times of the time zone are out of order";
        wrong = type_offset(b, b->index[i], &z->offset[i]);
    }
    z->count = b->times;
    return wrong;
}

/* Takes over the rule in the file's last line, which may be empty. NULL, or what is wrong. */
static const char *read_rule(time_zone *z, slice rest)
{
    const uint8_t *end = rest.len ? memchr(rest.data + 1, '\n', rest.len - 1) : NULL;
    slice text;

    if (!end || rest.data[0] != '\n')
        return "the time zone file lacks its last line";
    text = slice_of(rest.data + 1, (size_t)(end - rest.data) - 1);
    z->has_rule = text.len > 0;
    if (z->has_rule && time_zone_rule_parse(&z->rule, text))
        return "the last line of the time zone file is no rule";
    return NULL;
}

int time_zone_read(time_zone **out, slice file, error *err)
{
    slice rest = file;
    block b;
    const char *wrong = read_block(&rest, 4, &b);
    time_zone *z = NULL;
    int rc = 0;

    *out = NULL;
    if (!wrong && b.version)
        wrong = read_block(&rest, 8, &b);
    if (wrong)
        return error_set(err, E_INVALID, "%s", wrong);
    z = calloc(1, sizeof *z);
    if (!z || !(z->time = calloc(b.times + 1, sizeof *z->time)) ||
        !(z->offset = calloc(b.times + 1, sizeof *z->offset))) {
        rc = error_set(err, E_NO_MEMORY, "%s", error_code_name(E_NO_MEMORY));
        goto done;
    }
    wrong = read_changes(z, &b);
    if (!wrong && b.version)
        wrong = read_rule(z, rest);
    if (wrong) {
        rc = error_set(err, E_INVALID, "%s", wrong);
        goto done;
    }
    *out = z;
    z = NULL;
done:
    time_zone_destroy(z);
    return rc;
}

/* Whether a name can only be that of a file below the directory: parts of letters, digits and a few
 * signs, without dots. */
static bool is_name(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len > LIMIT_TIME_ZONE_NAME_BYTES || name[len - 1] == '/')
        return false;
    for (const char *p = name; *p; p++) {
        bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z');

        if (*p == '/' ? p == name || p[-1] == '/'
                      : !letter && !(*p >= '0' && *p <= '9') && !strchr("+-_", *p))
            return false;
    }
    return true;
}

int time_zone_open(time_zone **out, const char *name, error *err)
{
    char path[sizeof DIRECTORY + LIMIT_TIME_ZONE_NAME_BYTES] = DIRECTORY;
    buf file;
    int rc;

    *out = NULL;
    if (strcmp(name, "UTC") == 0) {
        *out = calloc(1, sizeof **out);
        return *out ? 0 : error_set(err, E_NO_MEMORY, "%s", error_code_name(E_NO_MEMORY));
    }
    if (!is_name(name))
        return error_set(err, E_INVALID, "a time zone has a name like Europe/Berlin");
    strcat(path, name);
    buf_init(&file, LIMIT_TIME_ZONE_FILE_BYTES);
    rc = file_read(path, &file, err);
    if (rc == E_NOT_FOUND)
        rc = error_set(err, E_INVALID,
                       "no time zone is named %s: a name is like Europe/Berlin or America/New_York "
                       "(the package tzdata has them)",
                       name);
    else if (rc == 0)
        rc = time_zone_read(out, buf_slice(&file), err);
    buf_deinit(&file);
    return rc;
}

/* How many of the changes have happened by then. */
static size_t changes_until(const time_zone *z, int64_t at)
{
    size_t low = 0, high = z->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (z->time[middle] <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

time_zone_span time_zone_at(const time_zone *z, int64_t at)
{
    size_t i = changes_until(z, at);
    time_zone_span span = {.from = INT64_MIN, .until = INT64_MAX, .offset = z->first_offset};

    if (i == z->count && z->has_rule)
        span = time_zone_rule_at(&z->rule, at);
    else if (i > 0)
        span.offset = z->offset[i - 1];
    if (i > 0 && span.from < z->time[i - 1])
        span.from = z->time[i - 1];
    if (i < z->count)
        span.until = z->time[i];
    return span;
}

void time_zone_destroy(time_zone *z)
{
    if (!z)
        return;
    free(z->time);
    free(z->offset);
    free(z);
}
