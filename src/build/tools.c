#include "build/tools.h"

#include "base/file.h"
#include "build/limits.h"
#include "build/stamp.h"

#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void tools_deinit(build_tools *t)
{
    for (size_t i = 0; i < TOOL_PATHS; i++)
        free(t->path[i]);
    free(t->version);
    *t = (build_tools){0};
}

static bool is_program(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

char *tools_find(const char *name)
{
    const char *path = getenv("PATH");

    for (const char *at = path ? path : ""; *at;) {
        size_t len = strcspn(at, ":");
        char *whole;

        /* What is found by where one happens to be is not taken. */
        if (at[0] == '/' && asprintf(&whole, "%.*s/%s", (int)len, at, name) >= 0) {
            if (is_program(whole))
                return whole;
            free(whole);
        }
        at += len;
        at += *at == ':';
    }
    return NULL;
}

/* <directory of this program>/<above>/<language>, if it is there. */
static char *guest_beside(const char *program, const char *above, const char *language)
{
    char *path = NULL, *real = NULL;
    struct stat st;

    if (asprintf(&path, "%s/%s/%s", program, above, language) >= 0) {
        real = stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? realpath(path, NULL) : NULL;
        free(path);
    }
    return real;
}

int tools_guest_directory(const char *language, char **out, error *err)
{
    char *program = realpath("/proc/self/exe", NULL);
    const char *directory = program ? dirname(program) : "/";

    *out = guest_beside(directory, "../share/ubiq/guest", language);
    if (!*out)
        *out = guest_beside(directory, "../guest", language);
    if (!*out)
        error_set(err, E_NOT_FOUND,
                  "the guest SDK is not there: neither %s/../share/ubiq/guest/%s nor "
                  "%s/../guest/%s",
                  directory, language, directory, language);
    free(program);
    return *out ? 0 : E_NOT_FOUND;
}

int tools_stamp(build_tools *t, const char *text, error *err)
{
    buf all;
    int rc;

    buf_init(&all, LIMIT_BUILD_RECORD_BYTES);
    rc = buf_printf(&all, UBIQ_VERSION "\n%s\n", text);
    for (size_t i = 0; rc == 0 && i < TOOL_PATHS; i++) {
        stamp s = t->path[i] ? stamp_of(t->path[i]) : (stamp){0};

        rc = buf_printf(&all, "%s %" PRId64 " %" PRId64 "\n", t->path[i] ? t->path[i] : "", s.size,
                        s.changed_ns);
    }
    rc = rc ? rc : sha256_hex(buf_slice(&all), t->stamp);
    buf_deinit(&all);
    return rc ? error_set(err, rc, "stamping tools: %s", error_code_name(rc)) : 0;
}

/* One line a path, empty for none, then the version. */
bool tools_recall(build_tools *t, size_t from, const build_cache *c)
{
    char *text = NULL, *at;
    buf kept;

    buf_init(&kept, LIMIT_BUILD_RECORD_BYTES);
    if (build_cache_tools(c, t->stamp, &kept))
        text = at = buf_take_str(&kept);
    for (size_t i = from; text && i < TOOL_PATHS; i++) {
        char *end = strchr(at, '\n');

        if (!end)
            break;
        *end = '\0';
        free(t->path[i]);
        t->path[i] = *at ? strdup(at) : NULL;
        at = end + 1;
    }
    if (text)
        t->version = strdup(at);
    free(text);
    buf_deinit(&kept);
    return t->version != NULL;
}

void tools_remember(const build_tools *t, size_t from, const build_cache *c)
{
    buf text;
    int rc = 0;

    buf_init(&text, LIMIT_BUILD_RECORD_BYTES);
    for (size_t i = from; rc == 0 && i < TOOL_PATHS; i++)
        rc = buf_printf(&text, "%s\n", t->path[i] ? t->path[i] : "");
    rc = rc ? rc : buf_append_str(&text, t->version);
    if (rc == 0)
        build_cache_put_tools(c, t->stamp, buf_slice(&text));
    buf_deinit(&text);
}

int tools_ask(processes *p, const arguments *a, const char *const *environment, char **out,
              error *err)
{
    const command c = {.arguments = a, .environment = environment};
    int status = 0, rc;
    buf said;

    *out = NULL;
    buf_init(&said, LIMIT_BUILD_SAID_BYTES);
    rc = process_run(p, &c, &said, &status, err);
    while (said.len && strchr(" \n\r\t", said.data[said.len - 1]))
        said.len--;
    if (rc == 0 && status != 0)
        rc = error_set(err, E_INVALID, "%s ended with %d: %.*s", a->item[0], status, (int)said.len,
                       (const char *)said.data);
    else if (rc == 0 && !(*out = buf_take_str(&said)))
        rc = error_set(err, E_NO_MEMORY, "out of memory");
    buf_deinit(&said);
    return rc;
}
