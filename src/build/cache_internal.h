#ifndef UBIQ_BUILD_CACHE_INTERNAL_H
#define UBIQ_BUILD_CACHE_INTERNAL_H

#include "build/cache.h"

/* The path of an entry; the caller frees it. NULL when memory runs out. */
char *build_cache_entry(const build_cache *c, const char *kind, const char *name);

#endif
