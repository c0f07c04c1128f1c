#ifndef UBIQ_EXTISM_MODULE_CACHE_H
#define UBIQ_EXTISM_MODULE_CACHE_H

#include "base/buf.h"

/* Compiled code on disk: one file a module, under
 * ${UBIQ_CACHE_DIR:-${XDG_CACHE_HOME:-~/.cache}/ubiquitous}/modules/<engine>/<hash of the source and
 * options>. Files are 0600 in directories of 0700 and written atomically. Running such a file is
 * running native code, so one is used only when it and its directory belong to this user, nobody
 * else can write them, and its SHA-256 is the one it begins with. Setting UBIQ_CACHE_DIR, or
 * upstream's EXTISM_CACHE_CONFIG, to nothing turns the cache off. Any thread. */

/* Appends what is cached under `key` to `out`. False when there is nothing, or nothing usable. */
bool module_cache_get(const char *key, buf *out) MUST_CHECK;

/* Stores `content`. Failing (a full disk, a read-only home) is not an error: the next process
 * compiles again. */
void module_cache_put(const char *key, slice content);

#endif
