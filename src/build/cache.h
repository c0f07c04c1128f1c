#ifndef UBIQ_BUILD_CACHE_H
#define UBIQ_BUILD_CACHE_H

#include "build/inputs.h"

/* What was built once, by content: under
 * ${UBIQ_CACHE_DIR:-${XDG_CACHE_HOME:-~/.cache}/ubiquitous}/build,
 *
 *   results/<key>     which modules a source has become, and what else they were made of
 *   modules/<SHA-256> their bytes
 *   tools/<stamp>     what was asked of tools
 *   <language>/       what a language's own tools keep
 *
 * It serves all projects of a user. One that others can write is not used, and setting UBIQ_CACHE_DIR to
 * nothing turns it off; a cache that cannot be written only makes builds slower. Any thread, and any
 * number of processes. */
typedef struct build_cache {
    char *path; /* NULL: there is none */
} build_cache;

/* Finds where the cache is; makes it if need be. E_NO_MEMORY. */
int build_cache_open(build_cache *out, error *err) MUST_CHECK;

/* Frees the content. Takes an all-zero one. */
void build_cache_close(build_cache *c);

/* Looks for the module of a key, all of whose further inputs are as they were. 1 when there is one:
 * its bytes are appended to `module`, its SHA-256 is in `hash`, and the further inputs are added to `in`
 * with the stamps they have now. 0 when there is none; E_NO_MEMORY. */
int build_cache_find(const build_cache *c, const char *key, const char *root, inputs *in,
                     buf *module, char hash[SHA256_HEX_BYTES], error *err) MUST_CHECK;

/* Keeps a module under a key; the further inputs are those of `in` behind the sources. */
void build_cache_put(const build_cache *c, const char *key, const char *root, const inputs *in,
                     slice module, const char *hash);

/* What is kept of tools under their stamp, appended to `out`; false when there is nothing. */
bool build_cache_tools(const build_cache *c, const char *name, buf *out);
void build_cache_put_tools(const build_cache *c, const char *name, slice text);

/* The directory in which a language's tools may keep what they like, made if need be; the caller frees
 * it. NULL when there is no cache, or it cannot be written. */
char *build_cache_directory(const build_cache *c, const char *language);

/* Removes what nobody asked for in BUILD_CACHE_DAYS; once a day, at other times it does nothing. */
void build_cache_clean(const build_cache *c);

#endif
