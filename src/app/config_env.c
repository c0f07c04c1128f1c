#include "app/config_internal.h"
#include "app/limits.h"

#include <stdlib.h>
#include <string.h>

/* [env] and its environments, and what ${NAME} stands for. */

static size_t name_length(const char *text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";

    return *text >= '0' && *text <= '9' ? 0 : strspn(text, letters);
}

/* Appends what the variable at the start of `text` (behind "${") stands for; its length and that of
 * the brace behind it in `len`. */
static int put_variable(config_reader *r, const char *text, buf *out, size_t *len)
{
    size_t n = name_length(text);
    slice value;
    char *name;

    if (n == 0 || text[n] != '}')
        return error_set(&r->record.err, E_INVALID,
                         "${ is not followed by a name and }; for a dollar write $$");
    *len = n + 1;
    if (!(name = strndup(text, n)))
        return record_no_memory(&r->record);
    if (getenv(name)) {
        value = slice_str(getenv(name));
    } else if (!strmap_get(&r->dotenv, slice_of(name, n), &value)) {
        free(name);
        return error_set(&r->record.err, E_INVALID, "${%.*s} is not set%s", (int)n, text,
                         r->has_dotenv ? ", neither in the environment nor in .env"
                                       : " in the environment");
    }
    free(name);
    return buf_append(out, value.data, value.len) ? record_no_memory(&r->record) : 0;
}

static int expand(config_reader *r, const char *text, buf *out)
{
    int rc = 0;

    while (*text && rc == 0) {
        const char *dollar = strchrnul(text, '$');
        size_t len = 0;

        rc = buf_append(out, text, (size_t)(dollar - text));
        if (rc || !*dollar) {
            text = dollar;
        } else if (dollar[1] == '{') {
            rc = put_variable(r, dollar + 2, out, &len);
            text = dollar + 2 + len;
        } else {
            rc = buf_append_byte(out, '$');
            text = dollar + (dollar[1] == '$' ? 2 : 1);
        }
    }
    return rc;
}

int config_expand(config_reader *r, char **text)
{
    char *whole = NULL;
    buf out;
    int rc;

    buf_init(&out, LIMIT_CONFIG_BYTES);
    rc = expand(r, *text, &out);
    if (rc && rc != E_INVALID)
        rc = error_set(&r->record.err, rc, "%s", error_code_name(rc));
    if (rc == 0 && !slice_is_utf8(buf_slice(&out)))
        rc = error_set(&r->record.err, E_INVALID, "what is put in is not UTF-8");
    if (rc == 0 && !(whole = buf_take_str(&out)))
        rc = record_no_memory(&r->record);
    if (rc == 0) {
        free(*text);
        *text = whole;
    }
    buf_deinit(&out);
    return rc;
}

/* Which part of [env] is being read. */
struct env {
    strmap *variables;
    bool overlay; /* only the environment's own table, else only what stands outside of tables */
};

static int check_name(config_reader *r, const char *name)
{
    size_t len = name_length(name);

    if (len > 0 && !name[len])
        return 0;
    return error_set(
        &r->record.err, E_INVALID,
        "a variable's name has letters, digits and '_' in it and begins with no digit");
}

/* The first value that is set stands. */
static int read_variable(config_reader *r, const char *name, void *into)
{
    char *value = NULL;
    int rc = check_name(r, name);

    if (rc)
        return rc;
    if (strmap_get(into, slice_str(name), NULL))
        return json_copy(&r->record.json, NULL, &r->record.err);
    rc = config_read_text(r, &value);
    if (rc == 0 && strmap_set(into, slice_str(name), slice_str(value)))
        rc = record_no_memory(&r->record);
    free(value);
    return rc;
}

/* What another environment sets need not be set in this one. */
static int check_variable(config_reader *r, const char *name, void *into)
{
    int rc = check_name(r, name);

    (void)into;
    rc = rc ? rc : config_expect(r, JSON_STRING);
    return rc ? rc : json_copy(&r->record.json, NULL, &r->record.err);
}

static int read_part(config_reader *r, const char *name, void *into)
{
    const struct env *e = into;
    bool table = config_begin(r) == JSON_OBJECT;

    if (table != e->overlay)
        return json_copy(&r->record.json, NULL, &r->record.err);
    if (!table)
        return read_variable(r, name, e->variables);
    if (strcmp(name, r->environment) != 0)
        return config_read_members(r, check_variable, NULL);
    r->knows_environment = true;
    return config_read_members(r, read_variable, e->variables);
}

int config_env(config_reader *r, const config_key *key, void *into)
{
    struct env e = {.variables = into, .overlay = true};
    size_t at = r->record.json.at;
    int rc = config_read_members(r, read_part, &e);

    (void)key;
    if (rc)
        return rc;
    /* Once more, for what the environment does not set. */
    e.overlay = false;
    r->record.json.at = at;
    return config_read_members(r, read_part, &e);
}
