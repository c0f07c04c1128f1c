#ifndef UBIQ_BUILD_STAMP_H
#define UBIQ_BUILD_STAMP_H

#include <stdbool.h>
#include <stdint.h>

/* By what a file that changed is told from one that did not, without reading it. */
typedef struct stamp {
    int64_t size;       /* -1: there is no such file */
    int64_t changed_ns; /* when it was last written, by the file system's clock */
} stamp;

/* The stamp of what stands at a path, links followed. */
stamp stamp_of(const char *path);

static inline bool stamp_equal(stamp a, stamp b)
{
    return a.size == b.size && a.changed_ns == b.changed_ns;
}

/* Nanoseconds since 1970, as stamps count them. */
int64_t stamp_now(void);

/* Whether the file was written so shortly before `when` that its stamp does not tell whether it was
 * written after that again. */
bool stamp_is_racy(stamp s, int64_t when);

#endif
