#ifndef UBIQ_SERVER_STATIC_CACHE_H
#define UBIQ_SERVER_STATIC_CACHE_H

#include "server/static.h"

#include <sys/stat.h>

/* Makes one for files numbered from 0 to count - 1. NULL when memory runs out. */
static_cache *static_cache_create(size_t count);

/* The content of a file, if it is the one that `st` tells of; valid until the next call of
 * static_cache_put. False when it is not there. */
bool static_cache_get(const static_cache *s, size_t number, const struct stat *st, slice *content);

/* Keeps a file's content, which is malloc's and taken over. When all of it becomes more than
 * LIMIT_KEPT_FILES_BYTES, what was kept before is let go. */
void static_cache_put(static_cache *s, size_t number, const struct stat *st, uint8_t *content);

#endif
