#include "build/output.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A new file in the directory of `path`, which is made if it is not there. Its number and its name. */
static int open_temporary(const char *path, char **name, error *err)
{
    const char *slash = strrchr(path, '/');
    char *directory = strndup(path, slash ? (size_t)(slash - path) : 0);
    int fd = -1;

    *name = NULL;
    if (!directory || asprintf(name, "%s/.new-XXXXXX", slash ? directory : ".") < 0) {
        *name = NULL;
        free(directory);
        return error_set(err, E_NO_MEMORY, "%s: out of memory", path);
    }
    fd = mkostemp(*name, O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && slash && file_make_dirs(directory, err) == 0) {
        memcpy(*name + strlen(*name) - 6, "XXXXXX", 6);
        fd = mkostemp(*name, O_CLOEXEC);
    }
    free(directory);
    return fd >= 0 ? fd : error_set(err, E_IO, "%s: %s", path, strerrordesc_np(errno));
}

int output_write(const char *path, slice content, error *err)
{
    char *name;
    int fd = open_temporary(path, &name, err);
    int rc = fd < 0 ? fd : 0;

    if (rc == 0) {
        rc = file_write_all(fd, content) != 0 || fchmod(fd, 0644) != 0 ? -1 : 0;
        rc = close(fd) != 0 || rc != 0 || rename(name, path) != 0
                 ? error_set(err, E_IO, "%s: %s", path, strerrordesc_np(errno))
                 : 0;
        if (rc)
            unlink(name);
    }
    free(name);
    return rc;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    remove(path);
    return 0;
}

void output_remove_directory(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
