#include "build/doctor.h"

#include "build/builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static bool is_named(const builder *b, char *const *languages, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (strcasecmp(languages[i], b->language) == 0)
            return true;
    }
    return count == 0;
}

static int check_name(const char *name, error *err)
{
    const char *known[16];
    size_t count = 0;
    const char *nearest;

    for (size_t b = 0; builders[b]; b++) {
        if (strcasecmp(builders[b]->language, name) == 0)
            return 0;
        known[count++] = builders[b]->language;
    }
    nearest = slice_nearest(slice_str(name), known, count);
    if (nearest)
        return error_set(err, E_INVALID, "there is no language \"%s\", did you mean %s?", name,
                         nearest);
    return error_set(
        err, E_INVALID,
        "there is no language \"%s\": those are C, C++, Rust, Go and JavaScript, which "
        "TypeScript is a part of",
        name);
}

/* ".cpp, .cc", to be freed. */
static char *endings_of(const builder *b)
{
    buf text;
    char *result;
    int rc = 0;

    buf_init(&text, 256);
    for (const char *const *e = b->endings; rc == 0 && *e; e++)
        rc = buf_printf(&text, "%s%s", e == b->endings ? "" : ", ", *e);
    if (rc == 0 && b->marker)
        rc = buf_printf(&text, ", %s", b->marker);
    result = rc ? NULL : buf_take_str(&text);
    buf_deinit(&text);
    return result;
}

/* Tells of one language: whether it cannot be built. */
static int examine(const builder *b, const build_cache *cache, processes *p,
                   void (*report)(const doctor_finding *f, void *arg), void *arg, error *err)
{
    doctor_finding f = {.language = b->language};
    char *endings = endings_of(b);
    build_tools tools = {0};
    error why = {0};
    int rc = b->find(&tools, &why);

    rc = rc ? rc : b->ask(&tools, cache, p, &why);
    if (!endings || rc == E_NO_MEMORY) {
        rc = error_set(err, E_NO_MEMORY, "out of memory");
        goto done;
    }
    f.endings = endings;
    if (rc) {
        f.problem = error_text(&why);
    } else {
        tools.version[strcspn(tools.version, "\n")] = '\0';
        f.version = tools.version;
        f.program = tools.path[b->program];
        f.lacks = b->lacks ? b->lacks(&tools) : NULL;
    }
    report(&f, arg);
    rc = rc ? 1 : 0;
done:
    free(endings);
    tools_deinit(&tools);
    error_deinit(&why);
    return rc;
}

int doctor_examine(char *const *languages, unsigned count,
                   void (*report)(const doctor_finding *f, void *arg), void *arg, error *err)
{
    build_cache cache = {0};
    processes *p = NULL;
    int missing = 0, rc = 0;

    for (unsigned i = 0; rc == 0 && i < count; i++)
        rc = check_name(languages[i], err);
    rc = rc ? rc : processes_create(&p, err);
    rc = rc ? rc : build_cache_open(&cache, err);
    for (size_t b = 0; rc >= 0 && builders[b]; b++) {
        if (is_named(builders[b], languages, count)) {
            rc = examine(builders[b], &cache, p, report, arg, err);
            missing += rc > 0;
        }
    }
    build_cache_close(&cache);
    processes_destroy(p);
    return rc < 0 ? rc : missing;
}
