#ifndef UBIQ_APP_PUBLIC_H
#define UBIQ_APP_PUBLIC_H

#include "app/problems.h"
#include "base/slice.h"

/* What stands in a project's public/, for whoever serves it. Constant once it is made; any number of
 * threads may look something up. Which files there are is known from when the project was loaded; what is
 * in them is for whoever reads them to find out. */
typedef struct public_index public_index;

typedef struct public_file {
    char *url;    /* its path, without percent escapes: "/logo.svg", "/docs/" for docs/index.html */
    char *source; /* the file, as the project's author knows it: "shop/public/logo.svg" */
    char *path;   /* the same without links; NULL for a directory that has an index.html, whose url
                         has no slash at its end: what is meant is the url that has */
    const char *type; /* media type; static */
} public_file;

/* Lists the files in public/. That there is no public/ is fine. What cannot be served is added to
 * `found`: links that lead out of the project, names that no URL can have. E_NO_MEMORY, E_TOO_LARGE. */
int public_create(public_index **out, const char *project, problems *found, error *err) MUST_CHECK;

/* The file that a URL's path (without its query, with its percent escapes) names, or NULL. */
const public_file *public_find(const public_index *p, slice path);

/* All of them, in byte order of their urls; borrowed. */
const public_file *public_files(const public_index *p, size_t *count);

/* Frees it. Takes NULL. */
void public_destroy(public_index *p);

/* The media type that belongs to a file's ending. Static; never NULL. */
const char *public_type(const char *file);

#endif
