#include "app/config_internal.h"
#include "app/units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The kinds of values that keys have. */

int config_text(config_reader *r, const config_key *key, void *into)
{
    char **out = into;
    size_t len;
    int rc = config_read_text(r, out);

    if (rc)
        return rc;
    len = strlen(*out);
    if (len == 0 || len > key->max)
        return error_set(&r->record.err, E_INVALID, "has %zu bytes, not 1 to %llu", len,
                         (unsigned long long)key->max);
    return 0;
}

int config_word(config_reader *r, const config_key *key, void *into)
{
    char **out = into;
    char *word = NULL;
    char known[256] = "";
    size_t len = 0;
    int rc = config_read_text(r, &word);

    if (rc)
        return rc;
    for (size_t i = 0; key->words[i] && len < sizeof known; i++) {
        if (strcmp(key->words[i], word) == 0) {
            free(*out);
            *out = word;
            return 0;
        }
        len += (size_t)snprintf(known + len, sizeof known - len, "%s\"%s\"", i > 0 ? ", " : "",
                                key->words[i]);
    }
    rc = error_set(&r->record.err, E_INVALID, "\"%s\" is not one of %s", word, known);
    free(word);
    return rc;
}

int config_texts(config_reader *r, const config_key *key, void *into)
{
    (void)key;
    return config_read_list(r, into, NULL);
}

static int read_pair(config_reader *r, const char *name, void *into)
{
    char *value = NULL;
    int rc = config_read_text(r, &value);

    if (rc == 0 && strmap_set(into, slice_str(name), slice_str(value)))
        rc = record_no_memory(&r->record);
    free(value);
    return rc;
}

int config_map(config_reader *r, const config_key *key, void *into)
{
    (void)key;
    return config_read_members(r, read_pair, into);
}

int config_duration(config_reader *r, const config_key *key, void *into)
{
    char *text = NULL;
    int rc = config_read_text(r, &text);

    rc = rc ? rc : units_read_duration(text, key->max, into, &r->record.err);
    free(text);
    return rc;
}

int config_size(config_reader *r, const config_key *key, void *into)
{
    char *text = NULL;
    int rc = config_read_text(r, &text);

    rc = rc ? rc : units_read_size(text, key->max, into, &r->record.err);
    free(text);
    return rc;
}

int config_number(config_reader *r, const config_key *key, void *into)
{
    record_reader *rec = &r->record;
    uint64_t n;
    int rc = config_expect(r, JSON_NUMBER);

    rc = rc ? rc : json_uint(&rec->json, key->max, &n, &rec->err);
    if (rc == 0 && n < key->min)
        rc = error_set(&rec->err, E_INVALID, "must not be less than %llu",
                       (unsigned long long)key->min);
    if (rc == 0)
        *(uint64_t *)into = n;
    return rc;
}

int config_count(config_reader *r, const config_key *key, void *into)
{
    uint64_t n;
    int rc = config_number(r, key, &n);

    if (rc == 0)
        *(uint32_t *)into = (uint32_t)n;
    return rc;
}

int config_flag(config_reader *r, const config_key *key, void *into)
{
    record_reader *rec = &r->record;
    int rc;

    (void)key;
    rc = config_expect(r, JSON_BOOL);
    return rc ? rc : json_bool(&rec->json, into, &rec->err);
}

int config_sub(config_reader *r, const config_key *key, void *into)
{
    return config_read_table(r, key->table, into);
}
