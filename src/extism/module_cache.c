#include "extism/module_cache.h"

#include "base/file.h"
#include "base/hash.h"
#include "extism/engine_internal.h"
#include "extism/limits.h"
#include "extism/log.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool cache_directory(char *out, size_t size)
{
    const char *own = getenv("UBIQ_CACHE_DIR"), *upstream = getenv("EXTISM_CACHE_CONFIG");
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = -1;

    if ((own && !*own) || (upstream && !*upstream) || !*engine_fingerprint())
        return false;
    if (own)
        n = snprintf(out, size, "%s/modules/%s", own, engine_fingerprint());
    else if (xdg && *xdg == '/')
        n = snprintf(out, size, "%s/ubiquitous/modules/%s", xdg, engine_fingerprint());
    else if (home && *home == '/')
        n = snprintf(out, size, "%s/.cache/ubiquitous/modules/%s", home, engine_fingerprint());
    return n > 0 && (size_t)n < size;
}

/* Whether only this user can have made what is there. `kind` is S_IFREG or S_IFDIR. */
static bool trustworthy(const char *path, mode_t kind)
{
    struct stat st;
    return lstat(path, &st) == 0 && (st.st_mode & S_IFMT) == kind && st.st_uid == geteuid() &&
           (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

bool module_cache_get(const char *key, buf *out)
{
    char directory[PATH_MAX], path[PATH_MAX + 128];
    uint8_t digest[SHA256_BYTES];
    buf content;
    bool found = false;

    if (!cache_directory(directory, sizeof directory))
        return false;
    snprintf(path, sizeof path, "%s/%s", directory, key);
    if (!trustworthy(directory, S_IFDIR) || !trustworthy(path, S_IFREG))
        return false;
    buf_init(&content, LIMIT_MODULE_BYTES * 2);
    if (file_read(path, &content, NULL) != 0 || content.len < SHA256_BYTES)
        goto done;
    slice payload = slice_of(content.data + SHA256_BYTES, content.len - SHA256_BYTES);
    if (sha256(payload, digest) != 0 || memcmp(digest, content.data, SHA256_BYTES) != 0) {
        log_printf(LOG_WARN, "module_cache", NULL, "%s is damaged and is compiled again", path);
        goto done;
    }
    found = buf_append(out, payload.data, payload.len) == 0;
done:
    buf_deinit(&content);
    return found;
}

void module_cache_put(const char *key, slice payload)
{
    char directory[PATH_MAX], path[PATH_MAX + 128];
    uint8_t digest[SHA256_BYTES];
    error err = {0};
    buf content;

    if (!cache_directory(directory, sizeof directory))
        return;
    snprintf(path, sizeof path, "%s/%s", directory, key);
    buf_init(&content, SIZE_MAX);
    if (sha256(payload, digest) == 0 && buf_append(&content, digest, sizeof digest) == 0 &&
        buf_append(&content, payload.data, payload.len) == 0 &&
        (file_make_dirs(directory, &err) != 0 ||
         file_write_atomic(path, buf_slice(&content), 0600, &err) != 0))
        log_printf(LOG_WARN, "module_cache", NULL, "not cached: %s", error_text(&err));
    error_deinit(&err);
    buf_deinit(&content);
}
