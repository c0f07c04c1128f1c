#ifndef UBIQ_APP_CONFIG_INTERNAL_H
#define UBIQ_APP_CONFIG_INTERNAL_H

#include "app/config.h"
#include "base/record.h"
#include "base/toml.h"

#define CONFIG_KEYS_MAX 16 /* of a table */

/* How ubiq.toml is read: tables of the keys that it knows, and a function for each kind of value. A
 * mistake is added to the problems, and what is wrong is passed over, so that all are found. */

typedef struct config_reader {
    record_reader record; /* of the JSON that the TOML became */
    size_t at;            /* where in it what is being read begins */
    buf marks;            /* of toml_to_json */
    const char *file;     /* for problems */
    const char *environment;
    bool knows_environment; /* there is a table for it in [env] */
    bool has_dotenv;        /* .env counts: */
    strmap dotenv;
    problems *problems;
} config_reader;

/* Reads the text of ubiq.toml with a reader that knows file, environment, problems and what .env says.
 * As config_read. */
int config_parse(config *out, slice toml, config_reader *r, error *err) MUST_CHECK;

typedef struct config_key config_key;

/* Reads the value of a key; `into` is the struct of the key's table. 0, E_NO_MEMORY, or E_INVALID with
 * record.err set, about what stands at reader.at. */
typedef int (*config_value)(config_reader *r, const config_key *key, void *into);

/* A table with known keys; the last has no name. */
typedef struct config_table {
    const config_key *keys;
    /* What has to be looked at when all keys have been read without a mistake, or NULL. As
     * config_value. */
    int (*conclude)(config_reader *r, void *into);
} config_table;

struct config_key {
    const char *name;
    config_value read;
    size_t offset;             /* of the value in the table's struct */
    uint64_t min;              /* of a number */
    uint64_t max;              /* likewise, of a text's length, a duration in ms, a size in bytes */
    const config_table *table; /* of a table, or of every table in [functions] */
    const char *const *words;  /* of a text that must be one of them; ends with NULL */
};

/* What ubiq.toml is, and its parts. */
extern const config_table config_root;
extern const config_table config_function_table;
extern const config_table config_limits_table;
extern const config_table config_middleware_table;

/* Readers of values. Of texts with ${NAME} in them, put in. */
int config_text(config_reader *r, const config_key *key, void *into);  /* char * */
int config_word(config_reader *r, const config_key *key, void *into);  /* char *, of key->words */
int config_texts(config_reader *r, const config_key *key, void *into); /* config_list */
int config_map(config_reader *r, const config_key *key, void *into);   /* strmap */
int config_duration(config_reader *r, const config_key *key, void *into); /* uint64_t, in ms */
int config_size(config_reader *r, const config_key *key, void *into);     /* uint64_t, in bytes */
int config_number(config_reader *r, const config_key *key, void *into);   /* uint64_t */
int config_count(config_reader *r, const config_key *key, void *into);    /* uint32_t */
int config_flag(config_reader *r, const config_key *key, void *into);     /* bool */
int config_sub(config_reader *r, const config_key *key, void *into);      /* key->table's struct */
int config_functions(config_reader *r, const config_key *key, void *into);
int config_triggers(config_reader *r, const config_key *key, void *into);
int config_env(config_reader *r, const config_key *key, void *into);

/* Takes from [limits] what a function's own do not say. */
void config_inherit_limits(config_limits *own, const config_limits *common);

/* Skips white space, takes what comes for what is read now, and says what it is. */
enum json_kind config_begin(config_reader *r);

/* E_INVALID unless a value of this kind comes next. */
int config_expect(config_reader *r, enum json_kind kind) MUST_CHECK;

/* Reads a text with ${NAME} put in, in place of what `*out` (owned by the caller) was. */
int config_read_text(config_reader *r, char **out) MUST_CHECK;

/* Whether an item may be in a list; sets record.err when it may not. */
typedef int (*config_check)(config_reader *r, const char *item);

/* Adds a list of texts, as far as `check` (or NULL) lets them in. */
int config_read_list(config_reader *r, config_list *out, config_check check) MUST_CHECK;

/* Reads a table whose keys are known. */
int config_read_table(config_reader *r, const config_table *table, void *into) MUST_CHECK;

/* Reads the value of a member of a table, which stands next; its name is only lent. */
typedef int (*config_member)(config_reader *r, const char *name, void *into);

/* Reads a table whose keys may be anything. */
int config_read_members(config_reader *r, config_member read, void *into) MUST_CHECK;

/* Puts ${NAME} in, and a dollar for $$. E_INVALID for a name that is not set. */
int config_expand(config_reader *r, char **text) MUST_CHECK;

/* How many have been found so far. */
size_t config_problem_count(const config_reader *r);

/* The line of what is being read. */
unsigned config_line(const config_reader *r);

#endif
