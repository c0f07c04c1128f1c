#include "build/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#define TRY_AGAIN_US 20000

int build_lock_take(build_lock *l, const char *directory, processes *p, error *err)
{
    char *path;
    int rc = 0;

    if (asprintf(&path, "%s/lock", directory) < 0)
        return error_set(err, E_NO_MEMORY, "out of memory");
    l->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (l->fd < 0)
        rc = error_set(err, E_IO, "%s: %s", path, strerrordesc_np(errno));
    while (rc == 0 && flock(l->fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            rc = error_set(err, E_IO, "%s: %s", path, strerrordesc_np(errno));
        else if (processes_stopped(p))
            rc = error_set(err, E_BUSY, "stopped");
        else
            usleep(TRY_AGAIN_US);
    }
    if (rc)
        build_lock_release(l);
    free(path);
    return rc;
}

void build_lock_release(build_lock *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}
