#include "build/cache.h"

#include "base/file.h"
#include "build/cache_internal.h"
#include "build/limits.h"
#include "build/output.h"
#include "build/tools.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether only this user can have made what is in a directory. */
static bool trustworthy(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
           (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

int build_cache_open(build_cache *out, error *err)
{
    const char *own = getenv("UBIQ_CACHE_DIR"), *xdg = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    char *path = NULL;
    int n = 0;

    *out = (build_cache){0};
    if (own && *own)
        n = asprintf(&path, "%s/build", own);
    else if (!own && xdg && *xdg == '/')
        n = asprintf(&path, "%s/ubiquitous/build", xdg);
    else if (!own && home && *home == '/')
        n = asprintf(&path, "%s/.cache/ubiquitous/build", home);
    if (n < 0)
        return error_set(err, E_NO_MEMORY, "out of memory");
    if (path && (file_make_dirs(path, NULL) != 0 || !trustworthy(path))) {
        free(path);
        path = NULL;
    }
    out->path = path;
    return 0;
}

void build_cache_close(build_cache *c)
{
    free(c->path);
    c->path = NULL;
}

char *build_cache_entry(const build_cache *c, const char *kind, const char *name)
{
    char *path;

    return asprintf(&path, "%s/%s/%s", c->path, kind, name) < 0 ? NULL : path;
}

/* Appends what is kept, and notes that it was asked for. */
static bool get(const build_cache *c, const char *kind, const char *name, buf *out)
{
    char *path = c->path ? build_cache_entry(c, kind, name) : NULL;
    bool found = path && file_read(path, out, NULL) == 0;

    if (found)
        utimensat(AT_FDCWD, path, NULL, 0);
    free(path);
    return found;
}

static void put(const build_cache *c, const char *kind, const char *name, slice content)
{
    char *path = c->path ? build_cache_entry(c, kind, name) : NULL;
    bool kept = path && output_write(path, content, NULL) == 0;

    (void)kept; /* where the cache is read-only or full, it is built again next time */
    free(path);
}

/* One of the modules a source has become: a line for it, and a line for each further input. */
struct variant {
    slice module; /* its SHA-256 */
    slice lines;
};

/* The next line, without its line feed; false at the end. */
static bool next_line(slice *text, slice *line)
{
    const uint8_t *end = text->len ? memchr(text->data, '\n', text->len) : NULL;

    if (!end)
        return false;
    *line = slice_of(text->data, (size_t)(end - text->data));
    *text = slice_of(end + 1, text->len - line->len - 1);
    return true;
}

/* If the line begins with the word and a space, what is behind them. */
static bool behind(slice line, const char *word, slice *rest)
{
    size_t len = strlen(word);

    if (line.len <= len || memcmp(line.data, word, len) != 0 || line.data[len] != ' ')
        return false;
    *rest = slice_of(line.data + len + 1, line.len - len - 1);
    return true;
}

static bool next_variant(slice *text, struct variant *v)
{
    slice line, unused, ahead;

    if (!next_line(text, &line) || !behind(line, "module", &v->module) ||
        v->module.len != SHA256_HEX_BYTES - 1)
        return false;
    v->lines = slice_of(text->data, 0);
    for (ahead = *text; next_line(&ahead, &line) && !behind(line, "module", &unused);) {
        v->lines.len = (size_t)(ahead.data - v->lines.data);
        *text = ahead;
    }
    return true;
}

#define NO_FILE "0000000000000000000000000000000000000000000000000000000000000000" /* its SHA-256 */

/* What an input of the project is told by. */
static int fingerprint(const char *root, const char *path, stamp now, char out[SHA256_HEX_BYTES])
{
    if (now.size >= 0)
        return input_hash(root, path, out, NULL);
    memcpy(out, NO_FILE, SHA256_HEX_BYTES);
    return 0;
}

/* Whether an input of the project, "in <SHA-256> <path>", or one from outside, "out <size> <time> <path>",
 * is as it was: it is added to `in` then, and 1, otherwise 0. "root <path>": whether that is the project. */
static int check_line(slice line, const char *root, inputs *in, error *err)
{
    char *text = strndup((const char *)line.data, line.len), hash[SHA256_HEX_BYTES];
    const char *path = NULL;
    stamp kept = {0}, now;
    int at = 0, rc = 0;

    if (!text)
        return error_set(err, E_NO_MEMORY, "out of memory");
    if (strncmp(text, "root ", 5) == 0)
        rc = strcmp(text + 5, root) == 0;
    else if (strncmp(text, "in ", 3) == 0 && line.len > 3 + SHA256_HEX_BYTES)
        path = text + 3 + SHA256_HEX_BYTES;
    else if (sscanf(text, "out %" SCNd64 " %" SCNd64 " %n", &kept.size, &kept.changed_ns, &at) ==
                 2 &&
             text[at])
        path = text + at;
    if (path) {
        now = input_stamp(root, path);
        rc = at ? stamp_equal(now, kept)
                : fingerprint(root, path, now, hash) == 0 &&
                      memcmp(hash, text + 3, SHA256_HEX_BYTES - 1) == 0;
        if (rc && !inputs_find(in, path) && inputs_add_real(in, path, now, err) != 0)
            rc = E_NO_MEMORY;
    }
    free(text);
    return rc;
}

/* Whether all further inputs of a variant are as they were, and its module is there. */
static int take_variant(const build_cache *c, const struct variant *v, const char *root, inputs *in,
                        buf *module, char hash[SHA256_HEX_BYTES], error *err)
{
    char name[SHA256_HEX_BYTES];
    slice lines = v->lines, line;
    size_t before = module->len;
    int rc = 1;

    while (rc == 1 && next_line(&lines, &line))
        rc = check_line(line, root, in, err);
    if (rc != 1)
        return rc;
    memcpy(name, v->module.data, v->module.len);
    name[v->module.len] = '\0';
    if (strspn(name, "0123456789abcdef") != v->module.len || !get(c, "modules", name, module))
        return 0;
    if (sha256_hex(slice_of(module->data + before, module->len - before), hash) != 0 ||
        strcmp(hash, name) != 0) {
        module->len = before; /* damaged */
        return 0;
    }
    return 1;
}

int build_cache_find(const build_cache *c, const char *key, const char *root, inputs *in,
                     buf *module, char hash[SHA256_HEX_BYTES], error *err)
{
    size_t known = in->count;
    struct variant v;
    buf text;
    slice rest;
    int rc = 0;

    buf_init(&text, LIMIT_BUILD_RECORD_BYTES);
    if (get(c, "results", key, &text)) {
        rest = buf_slice(&text);
        while (rc == 0 && next_variant(&rest, &v)) {
            rc = take_variant(c, &v, root, in, module, hash, err);
            for (; rc != 1 && in->count > known; in->count--)
                free(in->item[in->count - 1].path);
        }
    }
    buf_deinit(&text);
    return rc;
}

/* The directory with the SDKs, without links; the caller frees it. NULL when it is not found. */
static char *find_sdks(void)
{
    char *c = NULL, *real = NULL, *slash;

    if (tools_guest_directory("c", &c, NULL) == 0)
        real = realpath(c, NULL);
    free(c);
    slash = real ? strrchr(real, '/') : NULL;
    if (slash)
        slash[1] = '\0';
    return real;
}

/* Whether an input from outside is likely to have been named by the way to it from the project, as
 * "../lib/x.h": in another project the same name is another file. What is in `sdks` is not. */
static bool is_beside(const char *root, const char *path, const char *sdks)
{
    size_t first = 1 + strcspn(root + 1, "/");

    return path[0] == '/' && strncmp(path, root, first) == 0 && path[first] == '/' &&
           !(sdks && strncmp(path, sdks, strlen(sdks)) == 0);
}

/* Appends the lines of what a module was made of besides its sources. */
static int describe(buf *text, const char *root, const inputs *in, const char *hash)
{
    int rc = buf_printf(text, "module %s\n", hash);
    char *sdks = find_sdks();
    bool beside = false;

    for (size_t i = in->sources; i < in->count && !beside; i++)
        beside = is_beside(root, in->item[i].path, sdks);
    free(sdks);
    if (rc == 0 && beside)
        rc = buf_printf(text, "root %s\n", root);
    for (size_t i = in->sources; rc == 0 && i < in->count; i++) {
        const input *one = &in->item[i];
        char content[SHA256_HEX_BYTES];

        if (one->path[0] == '/')
            rc = buf_printf(text, "out %" PRId64 " %" PRId64 " %s\n", one->stamp.size,
                            one->stamp.changed_ns, one->path);
        else if ((rc = fingerprint(root, one->path, one->stamp, content)) == 0)
            rc = buf_printf(text, "in %s %s\n", content, one->path);
    }
    return rc;
}

void build_cache_put(const build_cache *c, const char *key, const char *root, const inputs *in,
                     slice module, const char *hash)
{
    struct variant v;
    buf old, text;
    slice rest;
    int rc;

    if (!c->path)
        return;
    buf_init(&old, LIMIT_BUILD_RECORD_BYTES);
    buf_init(&text, LIMIT_BUILD_RECORD_BYTES);
    rc = describe(&text, root, in, hash);
    if (rc == 0 && get(c, "results", key, &old)) {
        rest = buf_slice(&old);
        for (int n = 1; rc == 0 && n < LIMIT_BUILD_VARIANTS && next_variant(&rest, &v); n++) {
            rc = buf_printf(&text, "module %.*s\n", (int)v.module.len, (const char *)v.module.data);
            rc = rc ? rc : buf_append(&text, v.lines.data, v.lines.len);
        }
    }
    if (rc == 0) {
        put(c, "modules", hash, module);
        put(c, "results", key, buf_slice(&text));
    }
    buf_deinit(&old);
    buf_deinit(&text);
}

bool build_cache_tools(const build_cache *c, const char *name, buf *out)
{
    return get(c, "tools", name, out);
}

void build_cache_put_tools(const build_cache *c, const char *name, slice text)
{
    put(c, "tools", name, text);
}

char *build_cache_directory(const build_cache *c, const char *language)
{
    char *path = c->path ? build_cache_entry(c, language, "") : NULL;

    if (path && (file_make_dirs(path, NULL) != 0 || access(path, W_OK) != 0)) {
        free(path);
        path = NULL;
    }
    return path;
}
