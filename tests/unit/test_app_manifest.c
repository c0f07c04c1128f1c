#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "app/config_internal.h"
#include "base/file.h"

/* The keys that ubiq.toml may have, and those that docs/manifest.md describes: each once, as
 * "section.key". */
struct names {
    char *item[200];
    size_t count;
};

static void add(struct names *to, const char *section, const char *key)
{
    assert_true(to->count < 200);
    assert_true(asprintf(&to->item[to->count++], "%s%s%s", section, *section ? "." : "", key) > 0);
}

/* [limits] is described once, for all functions and for one. */
static void list_keys(struct names *to, const config_table *table, const char *section)
{
    for (const config_key *k = table->keys; k->name; k++) {
        bool again = k->table == &config_limits_table && *section;

        add(to, section, k->name);
        if (k->table && !again)
            list_keys(to, k->table, to->item[to->count - 1]);
    }
}

/* A heading is "## `[middleware.cors]`", a row begins with "| `origins` |". */
static void list_documented(struct names *to, char *text)
{
    char section[64] = "";

    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *end;

        if (strncmp(line, "## ", 3) == 0) {
            section[0] = '\0';
            if (strncmp(line, "## `[", 5) != 0)
                continue;
            end = line + 5 + strcspn(line + 5, "]");
            if (strncmp(line + 5, "functions.", 10) == 0)
                end = line + 14;
            *end = '\0';
            snprintf(section, sizeof section, "%s", line + 5);
            add(to, "", section);
        } else if (*section && strncmp(line, "| `", 3) == 0) {
            end = strchr(line + 3, '`');
            assert_non_null(end);
            *end = '\0';
            add(to, section, line + 3);
        }
    }
}

static bool has(const struct names *in, const char *name)
{
    for (size_t i = 0; i < in->count; i++) {
        if (strcmp(in->item[i], name) == 0)
            return true;
    }
    return false;
}

static void free_names(struct names *n)
{
    for (size_t i = 0; i < n->count; i++)
        free(n->item[i]);
}

static void test_every_key_is_documented(void **state)
{
    struct names known = {0}, documented = {0};
    buf page;
    char *text;

    (void)state;
    list_keys(&known, &config_root, "");
    buf_init(&page, 1000000);
    assert_int_equal(file_read("../../docs/manifest.md", &page, NULL), 0);
    text = buf_take_str(&page);
    list_documented(&documented, text);
    assert_true(known.count > 60);
    for (size_t i = 0; i < known.count; i++) {
        /* [services] has nothing in it but its parts. */
        if (!has(&documented, known.item[i]) && strcmp(known.item[i], "services") != 0)
            fail_msg("%s is not documented", known.item[i]);
    }
    for (size_t i = 0; i < documented.count; i++) {
        if (!has(&known, documented.item[i]))
            fail_msg("%s is documented, but there is no such key", documented.item[i]);
    }
    free(text);
    free_names(&known);
    free_names(&documented);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key_is_documented),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
