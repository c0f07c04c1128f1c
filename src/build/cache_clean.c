#include "build/cache_internal.h"
#include "build/limits.h"
#include "build/output.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DAY 86400

/* How long ago a file was written or asked for, in seconds; -1 when there is none. */
static time_t age_of(const char *path)
{
    struct stat st;
    time_t now = time(NULL);

    if (stat(path, &st) != 0)
        return -1;
    return now > st.st_mtime ? now - st.st_mtime : 0;
}

static void clean(const build_cache *c, const char *kind)
{
    char *path = build_cache_entry(c, kind, ".");
    DIR *dir = path ? opendir(path) : NULL;
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        char *file = build_cache_entry(c, kind, entry->d_name);

        if (file && age_of(file) > BUILD_CACHE_DAYS * DAY)
            unlink(file);
        free(file);
    }
    if (dir)
        closedir(dir);
    free(path);
}

void build_cache_clean(const build_cache *c)
{
    char *marker = c->path ? build_cache_entry(c, "results", ".cleaned") : NULL;
    time_t age = marker ? age_of(marker) : 0;

    if (age < 0 || age > DAY) {
        if (output_write(marker, slice_of(NULL, 0), NULL) == 0 && age >= 0) {
            clean(c, "results");
            clean(c, "modules");
            clean(c, "tools");
        }
    }
    free(marker);
}
