#include "app/config_internal.h"
#include "app/units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t config_problem_count(const config_reader *r)
{
    return r->problems->count + r->problems->more;
}

unsigned config_line(const config_reader *r)
{
    return toml_line(&r->marks, r->at);
}

enum json_kind config_begin(config_reader *r)
{
    enum json_kind kind = json_peek(&r->record.json);

    r->at = r->record.json.at;
    return kind;
}

/* In the words of TOML. */
static const char *kind_name(enum json_kind kind)
{
    switch (kind) {
    case JSON_OBJECT:
        return "a table";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a text in quotes";
    default:
        return json_kind_name(kind);
    }
}

int config_expect(config_reader *r, enum json_kind kind)
{
    enum json_kind found = config_begin(r);

    if (found == kind)
        return 0;
    return error_set(&r->record.err, E_INVALID, "expected %s, found %s", kind_name(kind),
                     kind_name(found));
}

/* Says in the path that a key is read, as TOML would have it written. */
static void enter_key(record_reader *r, const char *name)
{
    static const char bare[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *quote = *name && !name[strspn(name, bare)] ? "" : "\"";
    size_t room = sizeof r->path - r->path_len;
    size_t shown = slice_utf8_prefix(slice_of(name, strnlen(name, 64)));
    int len = snprintf(r->path + r->path_len, room, "%s%s%.*s%s", r->path_len ? "." : "", quote,
                       (int)shown, name, quote);

    for (size_t i = r->path_len; i < sizeof r->path && r->path[i]; i++) {
        if ((unsigned char)r->path[i] < ' ' || r->path[i] == 0x7f)
            r->path[i] = '?';
    }
    r->path_len = len < 0 || (size_t)len >= room ? sizeof r->path - 1 : r->path_len + (size_t)len;
}

/* Keeps what is wrong with the value at `value_at` for the author, and goes on behind it. */
static int pass_over(config_reader *r, size_t value_at)
{
    record_reader *rec = &r->record;

    problems_add(r->problems, r->file, config_line(r), "%s: %s", rec->path, error_text(&rec->err));
    error_deinit(&rec->err);
    rec->json.at = value_at;
    return json_copy(&rec->json, NULL, &rec->err);
}

static int read_member(config_reader *r, config_member read, void *into)
{
    record_reader *rec = &r->record;
    size_t path_len = rec->path_len;
    char *name = NULL;
    size_t value_at;
    int rc;

    config_begin(r);
    buf_clear(&rec->text);
    rc = json_name(&rec->json, &rec->text, &rec->err);
    if (rc)
        return rc;
    value_at = rec->json.at;
    name = strndup(rec->text.len ? (const char *)rec->text.data : "", rec->text.len);
    if (!name)
        return record_no_memory(rec);
    enter_key(rec, name);
    if (strlen(name) != rec->text.len)
        rc = error_set(&rec->err, E_INVALID, "a key must not contain a NUL");
    else
        rc = read(r, name, into);
    if (rc == E_INVALID)
        rc = pass_over(r, value_at);
    record_leave(rec, path_len);
    free(name);
    return rc;
}

int config_read_members(config_reader *r, config_member read, void *into)
{
    record_reader *rec = &r->record;
    int rc = config_expect(r, JSON_OBJECT);

    rc = rc ? rc : json_enter(&rec->json, JSON_OBJECT, &rec->err);
    if (rc)
        return rc;
    for (size_t i = 0; (rc = json_next(&rec->json, JSON_OBJECT, i, &rec->err)) > 0; i++) {
        rc = read_member(r, read, into);
        if (rc)
            return rc;
    }
    return rc;
}

/* A table that is being read. */
struct reading {
    const config_table *table;
    void *into;
};

static int read_key(config_reader *r, const char *name, void *arg)
{
    const struct reading *t = arg;
    const char *names[CONFIG_KEYS_MAX];
    const char *nearest;
    size_t count = 0;

    for (const config_key *k = t->table->keys; k->name; k++) {
        if (strcmp(k->name, name) == 0)
            return k->read(r, k, (char *)t->into + k->offset);
        if (count < CONFIG_KEYS_MAX)
            names[count++] = k->name;
    }
    nearest = slice_nearest(slice_str(name), names, count);
    return error_set(&r->record.err, E_INVALID, "unknown key%s%s%s",
                     nearest ? ", did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
}

int config_read_table(config_reader *r, const config_table *table, void *into)
{
    struct reading t = {.table = table, .into = into};
    size_t at = r->at, before = config_problem_count(r);
    int rc = config_read_members(r, read_key, &t);

    if (rc == 0 && table->conclude && config_problem_count(r) == before) {
        r->at = at;
        rc = table->conclude(r, into);
    }
    return rc;
}

int config_read_text(config_reader *r, char **out)
{
    record_reader *rec = &r->record;
    char *raw = NULL;
    int rc = config_expect(r, JSON_STRING);

    rc = rc ? rc : record_text(rec, &raw);
    if (rc == 0 && strchr(raw, '$'))
        rc = config_expand(r, &raw);
    if (rc) {
        free(raw);
        return rc;
    }
    free(*out);
    *out = raw;
    return 0;
}

static int add_item(config_reader *r, config_list *out)
{
    char **items = record_make_room(out->item, out->count, sizeof *out->item);
    unsigned *lines;

    if (!items)
        return record_no_memory(&r->record);
    out->item = items;
    lines = record_make_room(out->line, out->count, sizeof *out->line);
    if (!lines)
        return record_no_memory(&r->record);
    out->line = lines;
    out->item[out->count] = NULL;
    return 0;
}

/* Reads a text that is added to the list, if it can be one. */
static int read_item(config_reader *r, config_list *out, config_check check)
{
    int rc = add_item(r, out);
    char **item;

    if (rc)
        return rc;
    item = &out->item[out->count];
    rc = config_read_text(r, item);
    if (rc == 0 && check)
        rc = check(r, *item);
    if (rc) {
        free(*item);
        return rc;
    }
    out->line[out->count++] = config_line(r);
    return 0;
}

int config_read_list(config_reader *r, config_list *out, config_check check)
{
    record_reader *rec = &r->record;
    size_t path_len = rec->path_len;
    int rc = config_expect(r, JSON_ARRAY);

    rc = rc ? rc : json_enter(&rec->json, JSON_ARRAY, &rec->err);
    if (rc)
        return rc;
    out->given = true;
    for (size_t i = 0; (rc = json_next(&rec->json, JSON_ARRAY, i, &rec->err)) > 0; i++) {
        size_t item_at = rec->json.at;

        record_enter_element(rec, i);
        rc = read_item(r, out, check);
        if (rc == E_INVALID)
            rc = pass_over(r, item_at);
        if (rc)
            return rc;
        record_leave(rec, path_len);
    }
    return rc;
}

void config_list_deinit(config_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->item[i]);
    free(l->item);
    free(l->line);
    *l = (config_list){0};
}
